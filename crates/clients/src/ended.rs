//! How requests ended, counted by whom they were sent to and what for: few words, so that the table stays small.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::answer::Answer;
use crate::error::Error;
use crate::kind::{Asked, classify};

/// What a request came to that was answered as it should be.
const OK: &str = "ok";

/// A kind of request, and what it came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ended {
    /// `brex`, `entra` or `bc`.
    pub system: &'static str,
    /// What was asked, such as `create_purchase_invoice`.
    pub operation: &'static str,
    /// `ok`, or the kind of failure in one word, such as `throttled`.
    pub outcome: &'static str,
}

/// The counters of a sender.
#[derive(Default)]
pub(crate) struct Counters(Mutex<BTreeMap<Ended, u64>>);

impl Counters {
    /// Counts one request, by the status of its answer or by why there is none.
    pub(crate) fn count(&self, asked: Asked, ended: Result<&Answer, &Error>) {
        let outcome = match ended {
            Ok(answer) if answer.status().is_success() => OK,
            Ok(answer) => classify(answer.status()).0.label(),
            Err(error) => error.kind().label(),
        };
        let ended = Ended { system: asked.system.label(), operation: asked.operation, outcome };
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(ended).or_default();
        *count = count.saturating_add(1);
    }

    pub(crate) fn read(&self) -> BTreeMap<Ended, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
