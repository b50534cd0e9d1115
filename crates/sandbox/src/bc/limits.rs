//! The limits per app: five requests at once, 95 waiting, 6,000 in any five minutes.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::error::Refusal;
use super::latency::{Work, outcome};
use super::settings::{LimitSettings, Settings};

/// The counters of the one app that exists.
pub(super) struct Limits {
    enforced: bool,
    latency: Duration,
    slots: Semaphore,
    /// How many slots there are now.
    at_once: AtomicUsize,
    connections: AtomicUsize,
    /// Requests that were worked on.
    worked: AtomicU64,
    recent: Mutex<VecDeque<Timestamp>>,
}

/// A request that is let through; it counts until it is dropped.
pub(super) struct Admission<'a> {
    limits: &'a Limits,
    /// None where the limits are not enforced.
    slot: Option<SemaphorePermit<'a>>,
}

/// How the work on a request went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Worked {
    /// How many of its parts were done before it was cancelled.
    pub(super) parts: usize,
    /// It took too long and was cancelled.
    pub(super) is_cancelled: bool,
    /// The gateway does not wait for the answer.
    pub(super) is_unseen: bool,
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
            slots: Semaphore::new(LimitSettings::default().at_once),
            at_once: AtomicUsize::new(LimitSettings::default().at_once),
            connections: AtomicUsize::new(0),
            worked: AtomicU64::new(0),
            recent: Mutex::new(VecDeque::new()),
        }
    }

    /// Waits for a slot and works for the configured time, or refuses.
    pub(super) async fn admit(&self, settings: &Settings, now: Timestamp) -> Result<Admission<'_>, Refusal> {
        let connections = self.connections.fetch_add(1, Ordering::Relaxed) + 1;
        let mut admission = Admission { limits: self, slot: None };
        let limits = &settings.limits;
        if self.enforced {
            self.resize(limits.at_once);
            let most = limits.connections.min(limits.at_once + limits.waiting);
            if connections > most {
                return Err(Refusal::too_many(connections, most));
            }
            self.count(1, limits, now)?;
            let longest = Duration::from_millis(limits.longest_wait_ms);
            let slot = tokio::time::timeout(longest, self.slots.acquire()).await;
            admission.slot = slot.map_err(|_| Refusal::unavailable())?.ok();
        }
        Ok(admission)
    }

    /// Works on the parts of a request, of which these only read, one after another; most requests have one part.
    pub(super) async fn work(&self, settings: &Settings, reads: &[bool]) -> Worked {
        let [operation, gateway] =
            [settings.limits.operation_ms, settings.limits.gateway_ms].map(Duration::from_millis);
        let mut needed = Duration::ZERO;
        for (parts, is_read) in reads.iter().enumerate() {
            let ordinal = self.worked.fetch_add(1, Ordering::Relaxed);
            let time = self.latency.saturating_add(settings.latency.draw(ordinal, *is_read));
            needed = needed.saturating_add(time);
            if let Work::Cancelled(time) = outcome(needed, operation, gateway) {
                pause(time).await;
                return Worked { parts, is_cancelled: true, is_unseen: false };
            }
        }
        let (time, is_unseen) = match outcome(needed, operation, gateway) {
            Work::Unseen(time) => (time, true),
            Work::Done(time) | Work::Cancelled(time) => (time, false),
        };
        pause(time).await;
        Worked { parts: reads.len(), is_cancelled: false, is_unseen }
    }

    /// Adds or takes away slots after the switch was changed.
    fn resize(&self, wanted: usize) {
        let before = self.at_once.swap(wanted, Ordering::Relaxed);
        if wanted > before {
            self.slots.add_permits(wanted - before);
        } else {
            self.slots.forget_permits(before - wanted);
        }
    }

    /// Counts requests in the sliding window; the parts of a batch count one by one.
    pub(super) fn count(&self, requests: usize, settings: &LimitSettings, now: Timestamp) -> Result<(), Refusal> {
        if !self.enforced {
            return Ok(());
        }
        let window = SignedDuration::from_secs(settings.window_seconds);
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back must not lock the caller out.
        while recent.front().is_some_and(|first| now.duration_since(*first) >= window || *first > now) {
            recent.pop_front();
        }
        let actual = recent.len() + requests;
        if actual > settings.requests_per_window {
            return Err(Refusal::too_many(actual, settings.requests_per_window));
        }
        recent.extend(std::iter::repeat_n(now, requests));
        Ok(())
    }
}

async fn pause(time: Duration) {
    if !time.is_zero() {
        #[expect(clippy::disallowed_methods, reason = "the latency that was asked for")]
        tokio::time::sleep(time).await;
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::{LimitSettings, Limits, Settings};

    #[test]
    fn the_window_slides() {
        let limits = Limits::new(true, 0);
        let now = Timestamp::UNIX_EPOCH;
        assert!(limits.count(6_000, &LimitSettings::default(), now).is_ok());
        assert!(limits.count(1, &LimitSettings::default(), now + SignedDuration::from_secs(299)).is_err());
        assert!(limits.count(1, &LimitSettings::default(), now + SignedDuration::from_secs(300)).is_ok());
    }

    #[tokio::test]
    async fn a_request_counts_until_it_ends() {
        let limits = Limits::new(true, 0);
        let settings = Settings::default();
        let mut open = Vec::new();
        for _ in 0..5 {
            open.push(limits.admit(&settings, Timestamp::UNIX_EPOCH).await.ok());
        }
        assert_eq!(limits.slots.available_permits(), 0);
        drop(open);
        assert_eq!(limits.slots.available_permits(), 5);
    }
}
