//! Brex.

mod access;
mod accounting_switches;
mod accounts;
mod any_call;
mod any_transfer;
pub(crate) mod caller;
mod described;
mod described_payments;
mod examples;
mod expenses;
mod fields;
mod memory;
mod record_facts;
mod records;
mod refusals;
mod team;
mod transfers;
mod vendors;
mod webhook_kinds;
mod webhooks;
