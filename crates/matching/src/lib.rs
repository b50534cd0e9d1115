#![doc = include_str!("../README.md")]

mod align;
mod blocking;
pub mod contract;
mod decision;
mod descriptor;
mod evidence;
mod explain;
mod fold;
mod hash;
mod index;
mod lexicon;
mod memory;
mod model;
mod query;
mod signal;
mod similarity;
mod tail;
mod token;
mod vendor;
mod veto;

pub use decision::{Decision, Outcome, Suggestion};
pub use descriptor::{Cut, Reading, View, ViewKind, Word, read};
pub use explain::{Explanation, Matched};
pub use fold::fold;
pub use index::Index;
pub use lexicon::{Kind, is_processor};
pub use memory::{Confirmation, Memory, scrubbed_key};
pub use model::{Calibration, Contest, Model, Split, Tree, shipped, terms};
pub use query::{Assessment, Merchant, assessments};
pub use signal::{COUNT, EVIDENCE, Evidence};
pub use similarity::Likeness;
pub use vendor::{NameKind, Vendor};
pub use veto::Veto;
