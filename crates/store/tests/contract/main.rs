//! The contract of the store: each test runs on SQLite and, when `TEST_POSTGRES_URL` is set, on PostgreSQL, so that each
//! statement is known to work on both.

#![expect(clippy::unwrap_used, reason = "tests")]

mod api_tokens;
mod apply;
mod audit;
mod bc_subscriptions;
mod brex_vendors;
mod clock_jumps;
mod connections;
mod copy;
mod cursors;
mod fence;
mod inbox;
mod intents;
mod isolation;
mod jobs;
mod lanes;
mod master_data;
mod open;
mod payloads;
mod payment_lines;
mod receipts;
mod record_list;
mod records;
#[path = "../scratch/mod.rs"]
mod scratch;
mod sessions;
mod spend;
mod transfer_orders;
mod transfers;
mod users;
mod value_meanings;
mod vault;
mod vendor_links;
mod vendor_matches;
mod vendor_proposals;
mod world;
