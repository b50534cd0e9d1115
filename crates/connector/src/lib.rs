//! What happens: the flow of records from Brex to Business Central, the worker that drives it, and the ways to see it.
//!
//! Floors, each using only those below: `cli` → `web` → `worker` → `flow` → `app` → `config`. Start reading at [`flow`].

pub mod access;
pub mod agreement;
pub mod alone;
pub mod api;
pub mod app;
pub mod beside;
pub mod cells;
pub mod checkpoint;
pub mod choices;
pub mod cli;
pub mod clock;
pub mod coding_lists;
pub mod config;
mod connect;
pub mod console;
pub mod doctor;
pub mod flow;
pub mod identity;
pub mod keys;
pub mod leased;
pub mod matcher;
pub mod meanings;
pub mod mirror;
pub mod notify;
pub mod operations;
pub mod payment_lines;
pub mod problem;
pub mod pulse;
pub mod retention;
pub mod secrets;
pub mod stop;
pub mod story;
pub mod subscriptions;
pub mod tieout;
pub mod transfers;
pub mod vendors;
pub mod web;
pub(crate) mod words;
pub mod worker;
