//! Which faults fired, on what: all of them counted, the last ones listed.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Asked, FaultKind};
use crate::meter::Side;

const MOST_LISTED: usize = 1_000;
const LONGEST_TARGET: usize = 300;

/// One fault that fired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FiredFault {
    /// By the sandbox's clock.
    pub at: Timestamp,
    /// Whose request, or whose webhook, it hit.
    pub side: Side,
    /// Method of the request.
    pub method: String,
    /// Path and query of the request, or the address of the webhook; at most 300 characters.
    pub target: String,
    /// Name of the kind.
    pub kind: String,
    /// Whether it came from the plan or from the weather.
    pub from: Origin,
}

/// Where a fault came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Someone planned it.
    Plan,
    /// The weather.
    Weather,
}

/// All that fired.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Fired {
    /// How many, by name of the kind.
    pub count: BTreeMap<String, u64>,
    /// The last thousand, oldest first.
    pub last: VecDeque<FiredFault>,
}

impl Fired {
    pub(super) fn note(&mut self, asked: &Asked<'_>, kind: &FaultKind, from: Origin) {
        *self.count.entry(kind.name().to_owned()).or_default() += 1;
        if self.last.len() == MOST_LISTED {
            self.last.pop_front();
        }
        self.last.push_back(FiredFault {
            at: asked.now,
            side: asked.side,
            method: asked.method.to_owned(),
            target: asked.target.chars().take(LONGEST_TARGET).collect(),
            kind: kind.name().to_owned(),
            from,
        });
    }
}
