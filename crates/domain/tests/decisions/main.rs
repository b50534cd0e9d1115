//! The decisions between a Brex record and its document, from outside the crate: which vendor, which document, which
//! hold, and what an edit means. `made` builds records and a company; `generated` holds what is true of every record.

#![expect(clippy::unwrap_used, reason = "tests")]

mod amounts;
mod bill;
mod code_pages;
mod coding;
mod compare;
mod dates;
mod description;
mod directory;
mod edit;
mod generated;
mod generators;
mod late;
mod made;
mod mapping;
mod refund;
mod refusal;
mod round_trips;
mod rules;
mod tax;
mod tieout;
mod vendor;
mod vendor_holds;
