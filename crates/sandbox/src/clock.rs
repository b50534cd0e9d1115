//! The sandbox's clock: real time, or frozen at a start and moved only by hand. What is planned for a moment happens when
//! the clock gets there.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

/// What every side takes for the present moment.
pub struct Clock {
    hand: Mutex<Hand>,
    agenda: Mutex<Agenda>,
}

/// What happens when, in the order of the moments and then of the planning.
#[derive(Default)]
struct Agenda {
    planned: u64,
    tasks: BTreeMap<(Timestamp, u64), Box<dyn FnOnce() + Send>>,
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Clock").field("hand", &self.hand).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy)]
enum Hand {
    /// Runs with the machine's time, moved by an offset.
    Running(SignedDuration),
    Frozen(Timestamp),
}

impl Clock {
    /// A clock that runs with the machine's time.
    pub fn running() -> Self {
        Self { hand: Mutex::new(Hand::Running(SignedDuration::ZERO)), agenda: Mutex::default() }
    }

    /// A clock that stands still at `start`.
    pub fn frozen(start: Timestamp) -> Self {
        Self { hand: Mutex::new(Hand::Frozen(start)), agenda: Mutex::default() }
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.lock().now()
    }

    /// Today's date in UTC.
    pub fn today(&self) -> Date {
        jiff::tz::Offset::UTC.to_datetime(self.now()).date()
    }

    /// True if time moves only by [`Clock::set`] and [`Clock::advance`].
    pub fn is_frozen(&self) -> bool {
        matches!(*self.lock(), Hand::Frozen(_))
    }

    /// Moves the clock to `moment`; a running clock keeps running from there. What was planned up to then has happened
    /// when this returns, in its order; a frozen clock stands at the moment of each meanwhile.
    pub fn set(&self, moment: Timestamp) {
        if self.is_frozen() {
            while let Some((due_at, task)) = self.due(moment) {
                self.turn(due_at.max(self.now()));
                task();
            }
        }
        self.turn(moment);
        self.ring();
    }

    /// Plans something for `moment`. It happens when the clock is moved there, or when [`Clock::ring`] finds it due.
    pub(crate) fn at(&self, moment: Timestamp, task: impl FnOnce() + Send + 'static) {
        let mut agenda = self.agenda.lock().unwrap_or_else(PoisonError::into_inner);
        agenda.planned += 1;
        let key = (moment, agenda.planned);
        agenda.tasks.insert(key, Box::new(task));
    }

    /// Lets everything happen whose moment has come.
    pub(crate) fn ring(&self) {
        while let Some((_, task)) = self.due(self.now()) {
            task();
        }
    }

    /// The first task of the agenda, if its moment has come by `moment`.
    fn due(&self, moment: Timestamp) -> Option<(Timestamp, Box<dyn FnOnce() + Send>)> {
        let mut agenda = self.agenda.lock().unwrap_or_else(PoisonError::into_inner);
        let first = agenda.tasks.first_entry().filter(|first| first.key().0 <= moment)?;
        let due_at = first.key().0;
        Some((due_at, first.remove()))
    }

    fn turn(&self, moment: Timestamp) {
        let mut hand = self.lock();
        *hand = match *hand {
            Hand::Frozen(_) => Hand::Frozen(moment),
            Hand::Running(_) => Hand::Running(moment - wall()),
        };
    }

    /// Moves the clock by `step`, which may be negative.
    pub fn advance(&self, step: SignedDuration) {
        let moment = self.now().saturating_add(step).unwrap_or(Timestamp::MAX);
        self.set(moment);
    }

    fn lock(&self) -> MutexGuard<'_, Hand> {
        self.hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hand {
    fn now(self) -> Timestamp {
        match self {
            Self::Frozen(moment) => moment,
            Self::Running(offset) => wall().saturating_add(offset).unwrap_or(Timestamp::MAX),
        }
    }
}

/// So many hours, as settings give them; as long as can be, if there are too many.
pub(crate) fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count.saturating_mul(3_600))
}

#[expect(clippy::disallowed_methods, reason = "this is the clock")]
fn wall() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};

    use jiff::{SignedDuration, Timestamp};

    use super::Clock;

    #[test]
    fn a_frozen_clock_moves_only_by_hand() {
        let start = Timestamp::UNIX_EPOCH;
        let clock = Clock::frozen(start);
        assert_eq!(clock.now(), start);
        clock.advance(SignedDuration::from_secs(90));
        assert_eq!(clock.now().as_second(), 90);
    }

    #[test]
    fn what_is_planned_happens_in_order_at_its_moment() {
        let clock = Arc::new(Clock::frozen(Timestamp::UNIX_EPOCH));
        let seen = Arc::new(Mutex::new(Vec::new()));
        for second in [20, 10, 30, 10] {
            let (held, list) = (Arc::downgrade(&clock), Arc::clone(&seen));
            clock.at(Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second), move || {
                let now = held.upgrade().map(|clock| clock.now().as_second());
                list.lock().unwrap_or_else(PoisonError::into_inner).push((second, now));
            });
        }
        clock.advance(SignedDuration::from_secs(25));
        let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(*seen, [(10, Some(10)), (10, Some(10)), (20, Some(20))]);
        assert_eq!(clock.now().as_second(), 25);
    }

    #[test]
    fn a_running_clock_can_be_set_ahead() {
        let clock = Clock::running();
        let later = clock.now() + SignedDuration::from_hours(48);
        clock.set(later);
        assert!(clock.now() >= later);
        assert!(!clock.is_frozen());
    }
}
