//! What the sandbox does, per behaviour, over HTTP. `docs/sandbox/` lists every behaviour with its source and its test;
//! `table` holds that list and these tests against each other.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod bc;
mod brex;
mod control_orders;
mod control_table;
mod faults;
mod openapi;
mod plan;
mod questions;
mod table;
mod walkthrough;
