//! Brex.

mod access;
pub(crate) mod caller;
mod records;
mod transfers;
mod vendors;
mod webhooks;
