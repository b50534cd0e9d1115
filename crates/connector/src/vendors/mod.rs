//! Which vendor a merchant is: what the record says, what people answered, the name, the matcher. A floor below `flow`.
//!
//! [`resolve`] decides; [`answers`] turns the stored verdicts into what stands; [`facts`] asks Brex what the record does
//! not tell; [`judgement`] is the form in which decisions are stored; [`answer`] checks and writes what a person says. [`directory`] keeps
//! BC's vendors in the Brex vendor directory; [`proposal`] is what people say about a new vendor, [`create`] makes it.

pub mod answer;
pub mod answers;
pub mod create;
pub mod directory;
pub mod evaluate;
pub mod exchange;
pub mod facts;
pub mod judgement;
pub mod proposal;
pub mod resolve;
pub mod waiting;

/// The job that looks again at held records.
pub const RECHECK: &str = "recheck";
