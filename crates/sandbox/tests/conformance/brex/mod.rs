//! Brex.

mod access;
pub(crate) mod caller;
mod described;
mod fields;
mod memory;
mod records;
mod team;
mod transfers;
mod vendors;
mod webhooks;
