//! Reconciling transfers with documents, from outside the crate: a labelled set with a known truth, traps written by hand,
//! and what is true of every set.

#![expect(clippy::unwrap_used, reason = "tests")]

mod labelled;
mod orders;
mod properties;
mod traps;
mod world;
