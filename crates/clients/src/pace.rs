//! How fast a credential may call, and when the turn of each call comes.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The window in which calls are counted. Both systems count in longer ones: Business Central in five minutes, Brex in one.
const WINDOW: Duration = Duration::from_secs(WINDOW_SECONDS);
const WINDOW_SECONDS: u64 = 5;

/// How fast one credential may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Calls in flight at the same time.
    pub max_concurrent: usize,
    /// Calls that begin in a second, as the mean of any five seconds, wherever they begin.
    pub requests_per_second: u32,
}

impl Pace {
    /// Below Business Central's limits for one user, which are 6,000 requests in five minutes, so 20 a second, and five processed at
    /// once (business-central.md §9): commands beside the worker call, too.
    pub const BUSINESS_CENTRAL: Self = Self { max_concurrent: 5, requests_per_second: 19 };
    /// Below Brex's limit of 1,000 requests in 60 seconds for one account.
    pub const BREX: Self = Self { max_concurrent: 8, requests_per_second: 15 };
    /// A token is needed about once an hour.
    pub const ENTRA: Self = Self { max_concurrent: 2, requests_per_second: 5 };
}

/// The turn of a call, which came at this moment, and as how many calls it counts.
pub(crate) struct Turn(Instant, usize);

/// When calls begin: so many in any window, and beyond that at most those that have their turn at the very same moment. A pace that spaces
/// them evenly keeps to the same limit, but what it did not use while all slots were taken is lost to it (docs/adr/0012).
pub(crate) struct Turns {
    most: usize,
    /// When the latest calls began, or will begin; in order, and at most `most`.
    starts: Mutex<VecDeque<Instant>>,
    /// When the latest calls did begin; in order.
    begun: Mutex<VecDeque<Instant>>,
}

impl Turns {
    pub(crate) fn new(requests_per_second: u32) -> Self {
        let most = u64::from(requests_per_second).saturating_mul(WINDOW_SECONDS);
        Self::in_window(usize::try_from(most).unwrap_or(usize::MAX))
    }

    /// At most so many in a window.
    fn in_window(most: usize) -> Self {
        let most = most.max(1);
        Self { most, starts: Mutex::default(), begun: Mutex::default() }
    }

    /// Waits for the turn of a call that counts as `calls`; one that counts as more than a window takes counts as all of them. Turns
    /// come in the order in which they were asked for.
    pub(crate) async fn take(&self, calls: usize) -> Turn {
        let calls = calls.clamp(1, self.most);
        let now = Instant::now();
        let start = self.reserve(calls, now);
        if start > now {
            sleep_until(start).await;
        }
        // Others may have begun later than they were to.
        while let Some(later) = self.no_room(calls, Instant::now()) {
            sleep_until(later).await;
        }
        Turn(start, calls)
    }

    /// The call begins now, which may be later than its turn came: what comes a window after it counts from now.
    pub(crate) fn begin(&self, turn: &Turn) {
        self.begin_at(turn, Instant::now());
    }

    fn begin_at(&self, turn: &Turn, now: Instant) {
        self.move_to(turn, now);
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.extend(std::iter::repeat_n(now, turn.1));
        while begun.len() > self.most {
            begun.pop_front();
        }
    }

    /// When to ask again, if as many calls began in the last window as leave no room for these.
    fn no_room(&self, calls: usize, now: Instant) -> Option<Instant> {
        let begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (begun.len() + calls).checked_sub(self.most + 1)?;
        begun.get(place).map(|in_the_way| *in_the_way + WINDOW).filter(|later| *later > now)
    }

    fn move_to(&self, &Turn(start, calls): &Turn, now: Instant) {
        let mut starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..calls {
            let Some(place) = starts.iter().rposition(|known| *known == start) else { return };
            starts.remove(place);
            let place = starts.partition_point(|known| *known <= now);
            starts.insert(place, now);
        }
    }

    fn reserve(&self, calls: usize, now: Instant) -> Instant {
        let mut starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
        while starts.front().is_some_and(|first| *first + WINDOW <= now) {
            starts.pop_front();
        }
        let mut start = starts.back().map_or(now, |last| now.max(*last));
        while starts.len() + calls > self.most {
            start = starts.pop_front().map_or(start, |first| start.max(first + WINDOW));
        }
        starts.extend(std::iter::repeat_n(start, calls));
        start
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use tokio::time::Instant;

    use super::{Turn, Turns, WINDOW};

    #[test]
    fn a_window_takes_what_it_may_at_once_and_the_next_one_waits() {
        let (turns, now) = (Turns::in_window(3), Instant::now());
        let starts: Vec<Duration> = (0..7).map(|_| turns.reserve(1, now) - now).collect();
        assert_eq!(starts.iter().map(Duration::as_millis).collect::<Vec<_>>(), [0, 0, 0, 5_000, 5_000, 5_000, 10_000]);
    }

    #[test]
    fn what_was_not_used_can_be_used_within_its_window() {
        let (turns, now) = (Turns::in_window(2), Instant::now());
        let at = |ms| now + Duration::from_millis(ms);
        assert_eq!(turns.reserve(1, at(0)), at(0));
        assert_eq!(turns.reserve(1, at(900)), at(900));
        assert_eq!(turns.reserve(1, at(950)), at(5_000));
        assert_eq!(turns.reserve(1, at(5_100)), at(5_900));
    }

    #[test]
    fn a_call_that_begins_late_counts_from_when_it_begins() {
        let (turns, now) = (Turns::in_window(2), Instant::now());
        let at = |ms| now + Duration::from_millis(ms);
        assert_eq!((turns.reserve(1, at(0)), turns.reserve(1, at(100))), (at(0), at(100)));
        turns.move_to(&Turn(at(0), 1), at(300));
        assert_eq!((turns.reserve(1, at(400)), turns.reserve(1, at(400))), (at(5_100), at(5_300)));
    }

    #[test]
    fn a_batch_waits_until_there_is_room_for_all_its_parts() {
        let (turns, now) = (Turns::in_window(3), Instant::now());
        let at = |ms| now + Duration::from_millis(ms);
        assert_eq!((turns.reserve(1, at(0)), turns.reserve(1, at(100))), (at(0), at(100)));
        assert_eq!(turns.reserve(2, at(200)), at(5_000));
        assert_eq!((turns.reserve(1, at(300)), turns.reserve(3, at(300))), (at(5_100), at(10_100)));
        turns.move_to(&Turn(at(10_100), 3), at(10_500));
        assert_eq!(turns.reserve(1, at(10_600)), at(15_500));
    }

    #[test]
    fn a_batch_that_began_late_leaves_no_room_for_what_was_to_come_a_window_after_it() {
        let (turns, now) = (Turns::in_window(3), Instant::now());
        let at = |ms| now + Duration::from_millis(ms);
        let first = (turns.reserve(3, at(0)), 3);
        assert_eq!(turns.reserve(3, at(10)), at(5_000));
        turns.begin_at(&Turn(first.0, first.1), at(600));
        assert_eq!(turns.no_room(3, at(5_000)), Some(at(5_600)));
        assert_eq!((turns.no_room(3, at(5_600)), turns.no_room(1, at(5_000))), (None, Some(at(5_600))));
    }

    proptest! {
        #[test]
        fn no_window_has_more_starts_than_it_may(
            most in 1_usize..20,
            pauses in prop::collection::vec((0_u64..2_000, 1_usize..20), 1..200),
        ) {
            let turns = Turns::in_window(most);
            let mut now = Instant::now();
            let mut starts = Vec::new();
            for (pause, calls) in pauses {
                now += Duration::from_millis(pause);
                let calls = calls.min(most);
                let start = turns.reserve(calls, now);
                prop_assert!(start >= now);
                starts.extend(std::iter::repeat_n(start, calls));
            }
            prop_assert!(starts.is_sorted());
            for (first, next) in starts.iter().zip(starts.iter().skip(most)) {
                prop_assert!(*next - *first >= WINDOW);
            }
        }
    }
}
