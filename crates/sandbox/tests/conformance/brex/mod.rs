//! Brex.

mod access;
pub(crate) mod caller;
mod records;
mod vendors;
mod webhooks;
