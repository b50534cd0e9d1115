//! Brex.

mod access;
mod accounting_switches;
mod any_call;
pub(crate) mod caller;
mod described;
mod described_payments;
mod examples;
mod expenses;
mod fields;
mod memory;
mod records;
mod refusals;
mod team;
mod transfers;
mod vendors;
mod webhook_kinds;
mod webhooks;
