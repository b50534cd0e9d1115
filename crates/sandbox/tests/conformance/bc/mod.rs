//! Entra ID and Business Central.

mod auth;
mod batch;
pub(crate) mod caller;
mod documents;
mod odata;
mod posting;
mod routes;
