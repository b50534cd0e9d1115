//! How many calls are under way at once: as many as a credential may have, and fewer while the other side refuses or is slow.
//!
//! Whoever works on more than it can makes everybody wait, and Business Central answers 503 to what waited for eight minutes
//! (business-central.md §9). So a sign of overload halves the number, and each time that as many calls in a row were answered well, it
//! grows by one again (additive increase, multiplicative decrease, as TCP does).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::answer::Answer;
use crate::error::Error;
use crate::kind::Kind;

/// Slow is what takes twice as long as usual, but never less than this: below it the way and this process tell more than the other side.
const SLOW: Duration = Duration::from_secs(1);
/// As a natural logarithm: twice as long as usual.
const TWICE: f64 = std::f64::consts::LN_2;
/// Of each new call so much goes into how slow the latest ones were; luck with single ones, which differ by half, goes by.
const LATEST: f64 = 1.0 / 16.0;
/// Of each new call so much goes into what is usual, so that what stays slow becomes usual.
const USUAL: f64 = 1.0 / 256.0;
/// So many calls are looked at before they count as slow.
const ENOUGH: u32 = 16;

/// The slots of a sender.
pub(crate) struct Slots {
    permits: Semaphore,
    most: usize,
    state: Mutex<State>,
}

struct State {
    /// Calls that may be under way.
    width: usize,
    /// Slots that go away as soon as their calls end.
    surplus: usize,
    /// Calls that were answered well in a row.
    good: usize,
    /// When the number fell last.
    narrowed: Option<Instant>,
    /// How long a call of each operation usually takes.
    usual: BTreeMap<&'static str, Usual>,
    /// How much longer than usual the latest calls took, as a logarithm.
    slowness: f64,
    /// How long they took, in milliseconds.
    lasted_ms: f64,
    looked_at: u32,
}

/// How long calls of an operation usually take: the mean of the first ones, which is then moved by each.
#[derive(Clone, Copy, Default)]
struct Usual {
    calls: u32,
    /// The logarithm of milliseconds.
    ln_ms: f64,
}

impl State {
    /// Whether a call that began at `begun` tells nothing new: it was under way when the number fell.
    fn is_known(&self, begun: Instant) -> bool {
        self.narrowed.is_some_and(|narrowed| begun < narrowed)
    }
}

/// A call that is under way; the slot is free again when this is dropped.
pub(crate) struct Slot<'s> {
    slots: &'s Slots,
    permit: Option<SemaphorePermit<'s>>,
}

impl Slots {
    pub(crate) fn new(most: usize) -> Self {
        let most = most.max(1);
        let state = State {
            width: most,
            surplus: 0,
            good: 0,
            narrowed: None,
            usual: BTreeMap::new(),
            slowness: 0.0,
            lasted_ms: 0.0,
            looked_at: 0,
        };
        Self { permits: Semaphore::new(most), most, state: Mutex::new(state) }
    }

    /// Waits for a free slot. Slots come in the order in which they were asked for.
    pub(crate) async fn take(&self) -> Slot<'_> {
        #[expect(clippy::expect_used, reason = "the semaphore belongs to this struct and is never closed")]
        let permit = self.permits.acquire().await.expect("the semaphore is open");
        Slot { slots: self, permit: Some(permit) }
    }

    /// How many calls may be under way now.
    pub(crate) fn width(&self) -> usize {
        self.state().width
    }

    /// Learns from a call that began at `begun`, counts as `calls` and has ended.
    pub(crate) fn learn(&self, operation: &'static str, calls: usize, begun: Instant, ended: Result<&Answer, &Error>) {
        match ended {
            Ok(answer) if answer.status().is_success() => {
                // The parts of a batch are worked on one after the other.
                let parts = u32::try_from(calls).unwrap_or(u32::MAX).max(1);
                self.learn_good(operation, begun, begun.elapsed() / parts);
            }
            Ok(answer) if matches!(answer.status().as_u16(), 408 | 429 | 503 | 504) => self.overloaded(begun),
            Err(error) if matches!(error.kind(), Kind::TimedOut | Kind::Throttled) => self.overloaded(begun),
            // Whatever else it says, it says nothing about how much is being done there.
            Ok(_) | Err(_) => {}
        }
    }

    fn overloaded(&self, begun: Instant) {
        let mut state = self.state();
        state.good = 0;
        let width = state.width / 2;
        self.narrow(&mut state, begun, width);
    }

    fn learn_good(&self, operation: &'static str, begun: Instant, lasted: Duration) {
        let mut state = self.state();
        let lasted_ms = (lasted.as_secs_f64() * 1_000.0).max(1.0);
        let usual = state.usual.entry(operation).or_default();
        let slower = if usual.calls == 0 { 0.0 } else { lasted_ms.ln() - usual.ln_ms };
        usual.calls = usual.calls.saturating_add(1);
        usual.ln_ms = towards(usual.ln_ms, lasted_ms.ln(), USUAL.max(1.0 / f64::from(usual.calls)));
        // Fast calls before a slow time do not hide it.
        state.slowness = towards(state.slowness, slower, LATEST).max(0.0);
        state.lasted_ms = towards(state.lasted_ms, lasted_ms, LATEST);
        state.looked_at = state.looked_at.saturating_add(1);
        if state.slowness >= TWICE && state.lasted_ms >= SLOW.as_secs_f64() * 1_000.0 {
            state.good = 0;
            if state.looked_at >= ENOUGH {
                state.looked_at = 0;
                let width = state.width.saturating_sub(1);
                self.narrow(&mut state, begun, width);
            }
            return;
        }
        if state.is_known(begun) {
            return;
        }
        state.good = state.good.saturating_add(1);
        if state.good >= state.width && state.width < self.most {
            state.good = 0;
            state.width += 1;
            if state.surplus > 0 {
                state.surplus -= 1;
            } else {
                self.permits.add_permits(1);
            }
        }
    }

    /// At least one call stays allowed: the next sign can only come from a call.
    fn narrow(&self, state: &mut State, begun: Instant, width: usize) {
        let width = width.max(1);
        if state.is_known(begun) || width >= state.width {
            return;
        }
        state.narrowed = Some(Instant::now());
        state.surplus += state.width - width;
        state.width = width;
        state.surplus -= self.permits.forget_permits(state.surplus);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut state = self.slots.state();
        if let Some(permit) = self.permit.take()
            && state.surplus > 0
        {
            state.surplus -= 1;
            permit.forget();
        }
    }
}

fn towards(from: f64, to: f64, part: f64) -> f64 {
    from + (to - from) * part
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use tokio::time::{Instant, advance};

    use super::{SLOW, Slot, Slots};

    const OFTEN: Duration = Duration::from_millis(250);

    async fn all(slots: &Slots) -> Vec<Slot<'_>> {
        let mut taken = Vec::new();
        while slots.permits.available_permits() > 0 {
            taken.push(slots.take().await);
        }
        taken
    }

    #[tokio::test]
    async fn a_sign_of_overload_halves_what_may_be_under_way_and_good_answers_bring_it_back_one_by_one() {
        let slots = Slots::new(5);
        let taken = all(&slots).await;
        assert_eq!(taken.len(), 5);
        let begun = Instant::now();
        slots.overloaded(begun);
        assert_eq!(slots.width(), 2);
        drop(taken);
        assert_eq!(all(&slots).await.len(), 2, "what was under way is not replaced");
        let mut widths = Vec::new();
        for _ in 0..10 {
            slots.learn_good("x", Instant::now(), OFTEN);
            widths.push(slots.width());
        }
        assert_eq!(widths, [2, 3, 3, 3, 4, 4, 4, 4, 5, 5]);
        assert_eq!(all(&slots).await.len(), 5);
    }

    #[tokio::test]
    async fn what_began_before_the_number_fell_tells_nothing_new() {
        tokio::time::pause();
        let slots = Slots::new(8);
        let begun = Instant::now();
        advance(Duration::from_millis(10)).await;
        for _ in 0..8 {
            slots.overloaded(begun);
        }
        assert_eq!(slots.width(), 4);
        for width in [2, 1, 1] {
            advance(Duration::from_millis(10)).await;
            slots.overloaded(Instant::now());
            assert_eq!(slots.width(), width);
        }
        assert_eq!(all(&slots).await.len(), 1, "one call is always allowed");
    }

    #[tokio::test]
    async fn it_narrows_while_calls_take_twice_as_long_as_usual_and_comes_back_after() {
        let slots = Slots::new(5);
        for _ in 0..100 {
            slots.learn_good("create", Instant::now(), SLOW / 2);
            slots.learn_good("look", Instant::now(), SLOW / 10);
        }
        assert_eq!(slots.width(), 5);
        for _ in 0..40 {
            slots.learn_good("create", Instant::now(), SLOW * 3);
        }
        assert!(slots.width() < 5, "{}", slots.width());
        for _ in 0..100 {
            slots.learn_good("create", Instant::now(), SLOW / 2);
        }
        assert_eq!(slots.width(), 5);
    }

    #[tokio::test]
    async fn what_stays_slow_becomes_usual() {
        let slots = Slots::new(5);
        for _ in 0..20 {
            slots.learn_good("create", Instant::now(), SLOW / 2);
        }
        let mut narrowest = 5;
        for _ in 0..1_000 {
            slots.learn_good("create", Instant::now(), SLOW * 3);
            narrowest = narrowest.min(slots.width());
        }
        assert!(narrowest < 5, "{narrowest}");
        assert_eq!(slots.width(), 5);
    }

    #[tokio::test]
    async fn a_fast_side_that_takes_ten_times_as_long_is_still_fast() {
        let slots = Slots::new(5);
        for _ in 0..50 {
            slots.learn_good("create", Instant::now(), Duration::from_millis(5));
        }
        slots.overloaded(Instant::now());
        assert_eq!(slots.width(), 2);
        for _ in 0..50 {
            slots.learn_good("create", Instant::now(), Duration::from_millis(50));
        }
        assert_eq!(slots.width(), 5);
    }

    #[tokio::test]
    async fn what_was_answered_well_but_sent_before_brings_nothing_back() {
        tokio::time::pause();
        let slots = Slots::new(8);
        let begun = Instant::now();
        advance(Duration::from_millis(10)).await;
        slots.overloaded(begun);
        for _ in 0..7 {
            slots.learn_good("create", begun, OFTEN);
        }
        assert_eq!(slots.width(), 4);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Whatever comes, what may be under way is what can be taken, and never more than the most nor nothing.
        #[test]
        fn slots_are_neither_lost_nor_made(
            most in 1_usize..9,
            happens in prop::collection::vec((0_u8..4, 1_u64..8_000), 1..200),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
            runtime.map_err(|error| TestCaseError::fail(error.to_string()))?.block_on(async {
                let slots = Slots::new(most);
                let mut taken = Vec::new();
                for (what, ms) in happens {
                    advance(Duration::from_millis(1)).await;
                    match what {
                        0 if slots.permits.available_permits() > 0 => taken.push(slots.take().await),
                        1 => drop(taken.pop()),
                        2 => slots.overloaded(Instant::now()),
                        _ => slots.learn_good("x", Instant::now(), Duration::from_millis(ms)),
                    }
                    prop_assert!((1..=most).contains(&slots.width()));
                }
                drop(taken);
                let all = all(&slots).await.len();
                prop_assert_eq!(all, slots.width());
                Ok(())
            })?;
        }
    }
}
