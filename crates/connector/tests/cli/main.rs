//! The real binary from the outside: what it prints, how it exits, how it stops, and what it leaves behind.
#![expect(clippy::unwrap_used, unreachable_pub, reason = "tests")]

mod audit;
mod bench;
mod canaries;
mod coding_lists;
mod commands;
mod connect;
mod connect_books;
mod connect_guided;
#[path = "../flow/database.rs"]
#[expect(dead_code, reason = "shared with the tests of the flow")]
mod database;
mod disk;
mod doctor;
mod fleet;
#[path = "../flow/identity.rs"]
mod identity;
mod keys;
mod kill;
mod logs;
mod mistakes;
#[path = "../flow/own_certificate.rs"]
mod own_certificate;
mod pay;
mod plan;
mod ports;
mod replay;
mod rules;
mod secrets;
mod setting;
mod shell;
mod stop;
mod store;
mod terminal;
mod tieout;
mod tokens;
mod traces;
mod transfers;
mod users;
mod vendors;
