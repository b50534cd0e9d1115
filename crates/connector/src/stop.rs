//! Why work stops before it is done, and the one place that turns a failed call into what happens next.

use store::Problem;

use crate::problem;

/// Why a stage stopped before its batch was done.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// Our own memory failed, or the lease is lost: nothing may be sent any more.
    #[error("the store stopped the work")]
    Store(#[from] store::Error),
    /// The whole connection cannot work.
    #[error("the connection is held: {}", .0.sentence)]
    Connection(Problem),
    /// The other side wants us to come back later.
    #[error("{error}")]
    Later {
        /// What happened.
        error: Box<clients::Error>,
        /// How long it asked us to wait, in milliseconds.
        asked_ms: Option<i64>,
    },
}

/// The one place that turns a failed call into what happens next, for calls that are not about a single record.
impl From<clients::Error> for Stop {
    fn from(error: clients::Error) -> Self {
        match problem::of_error(&error) {
            Some(problem) => Self::Connection(problem),
            None => Self::Later { asked_ms: asked_ms(&error), error: Box::new(error) },
        }
    }
}

/// How long an error asks us to wait, in milliseconds.
pub fn asked_ms(error: &clients::Error) -> Option<i64> {
    error.retry_after_ms().map(|ms| i64::try_from(ms).unwrap_or(i64::MAX))
}
