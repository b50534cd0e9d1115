//! Real time: a benchmark measures it and waits in it.

use std::time::{Duration, Instant};

/// Now.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// Waits.
#[expect(clippy::disallowed_methods, reason = "a benchmark waits for other processes in real time")]
pub(super) async fn pause(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
