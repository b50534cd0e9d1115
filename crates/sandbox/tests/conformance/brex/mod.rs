//! Brex.

mod access;
mod accounting_switches;
pub(crate) mod caller;
mod described;
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
