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
    pub(super) async fn admit(
        &self,
        settings: &Settings,
        is_read: bool,
        now: Timestamp,
    ) -> Result<Admission<'_>, Refusal> {
        let connections = self.connections.fetch_add(1, Ordering::Relaxed) + 1;
        let mut admission = Admission { limits: self, slot: None, is_unseen: false };
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
        admission.is_unseen = self.work(settings, &[is_read]).await?;
        Ok(admission)
    }

    /// Works on calls, of which these only read, one after another. Whether the gateway has given up meanwhile.
    pub(super) async fn work(&self, settings: &Settings, reads: &[bool]) -> Result<bool, Refusal> {
        let time = |is_read: &bool| {
            let ordinal = self.worked.fetch_add(1, Ordering::Relaxed);
            self.latency.saturating_add(settings.latency.draw(ordinal, *is_read))
        };
        let needed = reads.iter().map(time).fold(Duration::ZERO, Duration::saturating_add);
        let limits = &settings.limits;
        let [operation, gateway] = [limits.operation_ms, limits.gateway_ms].map(Duration::from_millis);
        match outcome(needed, operation, gateway) {
            Work::Done(time) => {
                pause(time).await;
                Ok(false)
            }
            Work::Cancelled(time) => {
                pause(time).await;
                Err(Refusal::operation_timed_out())
            }
            Work::Unseen(time) => {
                pause(time).await;
                Ok(true)
            }
        }
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
            open.push(limits.admit(&settings, true, Timestamp::UNIX_EPOCH).await.ok());
        }
        assert_eq!(limits.slots.available_permits(), 0);
        drop(open);
        assert_eq!(limits.slots.available_permits(), 5);
    }
}
