//! The clients against small servers on the loopback interface that behave, and misbehave, as the real ones can.
#![expect(clippy::unwrap_used, reason = "tests")]

mod bc_batch;
mod bc_documents;
mod bc_reads;
mod bc_vendors;
mod brex_accounting;
mod brex_expenses;
mod brex_fields;
mod brex_fixtures;
mod brex_receipts;
mod brex_vendors;
mod brex_webhooks;
mod entra;
mod server;
mod transport;
mod webhook_signature;
mod webhook_vectors;
