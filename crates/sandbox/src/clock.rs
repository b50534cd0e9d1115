//! The sandbox's clock: real time, or frozen at a start and moved only by hand.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

/// What every side takes for the present moment.
#[derive(Debug)]
pub struct Clock {
    hand: Mutex<Hand>,
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
        Self { hand: Mutex::new(Hand::Running(SignedDuration::ZERO)) }
    }

    /// A clock that stands still at `start`.
    pub fn frozen(start: Timestamp) -> Self {
        Self { hand: Mutex::new(Hand::Frozen(start)) }
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

    /// Moves the clock to `moment`; a running clock keeps running from there.
    pub fn set(&self, moment: Timestamp) {
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

#[expect(clippy::disallowed_methods, reason = "this is the clock")]
fn wall() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
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
    fn a_running_clock_can_be_set_ahead() {
        let clock = Clock::running();
        let later = clock.now() + SignedDuration::from_hours(48);
        clock.set(later);
        assert!(clock.now() >= later);
        assert!(!clock.is_frozen());
    }
}
