//! The real binary from the outside: what it prints, how it exits, how it stops, and what it leaves behind.
#![expect(clippy::unwrap_used, unreachable_pub, reason = "tests")]

mod audit;
mod coding_lists;
mod commands;
mod connect;
mod doctor;
mod keys;
mod kill;
mod mistakes;
mod pay;
mod plan;
mod rules;
mod secrets;
mod setting;
mod stop;
mod tieout;
mod transfers;
mod users;
mod vendors;
