//! Entra ID and Business Central.

mod attachments;
mod auth;
mod batch;
pub(crate) mod caller;
mod documents;
mod ledgers;
mod odata;
mod posting;
mod routes;
