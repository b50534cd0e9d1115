//! How what sends drafts and what is done beside it tell each other how they stand.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Watch};

/// What is done beside the sending, and the sending itself, tell each other how they stand.
#[derive(Default)]
pub struct Turn {
    watch: Option<(Watch, Arc<dyn Clock>)>,
    stop: CancellationToken,
    closing: AtomicBool,
    over: AtomicBool,
    failed: AtomicBool,
    fed: AtomicBool,
    idle: AtomicBool,
    moved: Notify,
    woken: Notify,
}

impl Turn {
    /// A turn that closes when the process is to stop, and when the time of day is set: what waits by it has to go along first.
    pub fn watched(watch: Watch, clock: Arc<dyn Clock>, stop: CancellationToken) -> Self {
        Self { watch: Some((watch, clock)), stop, ..Self::default() }
    }

    /// Whether the time of day was set since the turn began.
    pub fn has_jumped(&self) -> bool {
        self.watch.as_ref().is_some_and(|(watch, clock)| watch.jump_ms(&**clock).is_some())
    }

    /// What is under way is finished, and nothing more is begun.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Release);
        self.woken.notify_one();
    }

    /// There may be more to send.
    pub fn feed(&self) {
        self.fed.store(true, Ordering::Release);
        self.idle.store(false, Ordering::Release);
        self.woken.notify_one();
    }

    /// Everything at hand was sent: only more of it, or the end of the turn, is waited for.
    pub fn is_idle(&self) -> bool {
        self.idle.load(Ordering::Acquire)
    }

    /// Waits for more, or for the end of the turn.
    pub(super) async fn rest(&self) {
        self.idle.store(true, Ordering::Release);
        self.moved.notify_one();
        tokio::select! {
            () = self.woken.notified() => {}
            () = self.stop.cancelled() => {}
        }
        self.idle.store(false, Ordering::Release);
    }

    /// Nothing is sent any more.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// It is over because something is wrong with the connection as a whole.
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// Waits until answers were committed, or the sending is over.
    pub async fn moved(&self) {
        self.moved.notified().await;
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire) || self.stop.is_cancelled() || self.has_jumped()
    }

    /// Whether there may be more since this was asked last.
    pub(super) fn take_food(&self) -> bool {
        self.fed.swap(false, Ordering::AcqRel)
    }

    /// Answers were committed.
    pub(super) fn tell_moved(&self) {
        self.moved.notify_one();
    }

    /// Nothing is sent any more; `is_failed` says whether something is wrong with the connection as a whole.
    pub(super) fn end(&self, is_failed: bool) {
        self.failed.store(is_failed, Ordering::Release);
        self.over.store(true, Ordering::Release);
        self.moved.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use tokio_util::sync::CancellationToken;

    use super::Turn;
    use crate::clock::{Clock, Watch};

    #[derive(Default)]
    struct Hands {
        now_ms: AtomicI64,
        steady_ms: AtomicI64,
    }

    impl Clock for Hands {
        fn now_ms(&self) -> i64 {
            self.now_ms.load(Ordering::SeqCst)
        }

        fn steady_ms(&self) -> i64 {
            self.steady_ms.load(Ordering::SeqCst)
        }
    }

    #[test]
    fn a_turn_closes_when_somebody_sets_the_clock_and_not_because_time_passes() {
        let hands = Arc::new(Hands::default());
        let mut watch = Watch::default();
        watch.look(&*hands);
        let turn = Turn::watched(watch, Arc::clone(&hands) as Arc<dyn Clock>, CancellationToken::new());
        hands.now_ms.store(3_600_000, Ordering::SeqCst);
        hands.steady_ms.store(3_600_000, Ordering::SeqCst);
        assert!(!turn.is_closing(), "an hour of work");
        hands.now_ms.store(7_200_000, Ordering::SeqCst);
        assert!(turn.is_closing(), "an hour that did not pass");
    }

    #[tokio::test]
    async fn a_turn_that_rests_ends_when_the_process_is_to_stop() {
        let (hands, stop) = (Arc::new(Hands::default()), CancellationToken::new());
        let turn = Turn::watched(Watch::default(), hands, stop.clone());
        tokio::join!(turn.rest(), async { stop.cancel() });
        assert!(turn.is_closing());
    }
}
