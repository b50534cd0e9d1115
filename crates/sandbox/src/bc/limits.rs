//! The limits per app: five requests at once, 95 waiting, 6,000 in any five minutes.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::error::Refusal;

const AT_ONCE: usize = 5;
const CONNECTIONS: usize = 100;
const WINDOW: SignedDuration = SignedDuration::from_mins(5);
const PER_WINDOW: usize = 6_000;
/// After this long in the queue the answer is 503.
const LONGEST_WAIT: Duration = Duration::from_mins(8);

/// The counters of the one app that exists.
pub(super) struct Limits {
    enforced: bool,
    latency: Duration,
    slots: Semaphore,
    connections: AtomicUsize,
    recent: Mutex<VecDeque<Timestamp>>,
}

/// A request that is let through; it counts until it is dropped.
pub(super) struct Admission<'a> {
    limits: &'a Limits,
    /// None where the limits are not enforced.
    slot: Option<SemaphorePermit<'a>>,
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        self.limits.connections.fetch_sub(1, Ordering::Relaxed);
        drop(self.slot.take());
    }
}

impl Limits {
    pub(super) fn new(enforced: bool, latency_ms: u64) -> Self {
        Self {
            enforced,
            latency: Duration::from_millis(latency_ms),
            slots: Semaphore::new(AT_ONCE),
            connections: AtomicUsize::new(0),
            recent: Mutex::new(VecDeque::new()),
        }
    }

    /// Waits for a slot and works for the configured time, or refuses.
    pub(super) async fn admit(&self, now: Timestamp) -> Result<Admission<'_>, Refusal> {
        let connections = self.connections.fetch_add(1, Ordering::Relaxed) + 1;
        let mut admission = Admission { limits: self, slot: None };
        if self.enforced {
            if connections > CONNECTIONS {
                return Err(Refusal::too_many(connections, CONNECTIONS));
            }
            self.count(1, now)?;
            let slot = tokio::time::timeout(LONGEST_WAIT, self.slots.acquire()).await;
            admission.slot = slot.map_err(|_| Refusal::waited_too_long())?.ok();
        }
        if !self.latency.is_zero() {
            #[expect(clippy::disallowed_methods, reason = "the latency that was asked for")]
            tokio::time::sleep(self.latency).await;
        }
        Ok(admission)
    }

    /// Counts requests in the sliding window; the parts of a batch count one by one.
    pub(super) fn count(&self, requests: usize, now: Timestamp) -> Result<(), Refusal> {
        if !self.enforced {
            return Ok(());
        }
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        while recent.front().is_some_and(|first| now.duration_since(*first) >= WINDOW) {
            recent.pop_front();
        }
        let actual = recent.len() + requests;
        if actual > PER_WINDOW {
            return Err(Refusal::too_many(actual, PER_WINDOW));
        }
        recent.extend(std::iter::repeat_n(now, requests));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::Limits;

    #[test]
    fn the_window_slides() {
        let limits = Limits::new(true, 0);
        let now = Timestamp::UNIX_EPOCH;
        assert!(limits.count(6_000, now).is_ok());
        assert!(limits.count(1, now + SignedDuration::from_secs(299)).is_err());
        assert!(limits.count(1, now + SignedDuration::from_secs(300)).is_ok());
    }

    #[tokio::test]
    async fn a_request_counts_until_it_ends() {
        let limits = Limits::new(true, 0);
        let mut open = Vec::new();
        for _ in 0..5 {
            open.push(limits.admit(Timestamp::UNIX_EPOCH).await.ok());
        }
        assert_eq!(limits.slots.available_permits(), 0);
        drop(open);
        assert_eq!(limits.slots.available_permits(), 5);
    }
}
