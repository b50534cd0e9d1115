//! The flow through the front door: the real worker and web server against the sandbox, a clock that only tests move, and
//! either database. PostgreSQL runs when `TEST_POSTGRES_URL` names a server, else its half says that it was skipped.
#![expect(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "tests")]

mod api;
mod app;
mod certificates;
mod clearing;
mod clock;
mod closed_years;
mod coding_lists;
mod console;
mod console_mappings;
mod console_microsoft;
mod console_pay;
mod database;
mod default_dimensions;
mod described;
mod directory;
mod directory_claims;
mod directory_size;
mod drift;
mod exactly_once;
mod expenses;
mod failures;
mod faults;
mod floods;
mod golden;
mod held;
mod holds_clear;
mod hostile;
mod identity;
mod later_versions;
mod legal_entities;
mod limits;
mod line;
mod neighbours;
mod notifications;
mod notify;
mod one_expense;
#[path = "../../../sandbox/tests/conformance/openapi/mod.rs"]
#[expect(dead_code, unused_imports, reason = "shared with the sandbox, which holds its answers against the same files")]
mod openapi;
mod operations;
mod outages;
mod pay;
mod pay_again;
mod posting;
mod proposals;
mod receipts;
mod refunds;
mod regressions;
mod reliability;
mod replays;
mod secrets;
mod simulation;
mod tax;
mod tieout;
mod tls;
mod transfer_journal;
mod transfers;
mod types;
mod vendor_memory;
mod vendors;
mod visitor;
mod webhook_vectors;
mod webhooks;
mod wire_to_database;
