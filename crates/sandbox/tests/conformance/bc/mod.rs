//! Entra ID and Business Central.

mod attachments;
pub(crate) mod auth;
mod batch;
pub(crate) mod caller;
mod credit_memos;
mod document_extremes;
mod document_rules;
mod document_switches;
mod documents;
mod entra;
mod extremes;
mod hooks;
mod items;
mod ledgers;
mod limits;
mod lines;
mod master_data;
mod odata;
mod permissions;
mod payments;
mod pitfalls;
mod posting;
mod protocol;
pub(crate) mod receiver;
mod routes;
mod switches;
mod tax;
