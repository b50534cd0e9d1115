//! Time and chance as things that are handed in, so that tests can hold both still.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// What time it is.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970, UTC: the time of day, which people and time servers put forward and back.
    fn now_ms(&self) -> i64;
    /// Milliseconds that have passed since some moment: nobody sets it.
    fn steady_ms(&self) -> i64;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the machine's clock is read")]
    fn now_ms(&self) -> i64 {
        jiff::Timestamp::now().as_millisecond()
    }

    #[expect(clippy::disallowed_methods, reason = "the one place where the machine's clock is read")]
    fn steady_ms(&self) -> i64 {
        static START: OnceLock<Instant> = OnceLock::new();
        i64::try_from(START.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

/// A time server moves a clock by less than this between two looks without anybody having to care.
const JUMP_MS: i64 = 2_000;

/// Notices that the time of day was set between two looks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Watch {
    last: Option<Look>,
}

#[derive(Clone, Copy, Debug)]
struct Look {
    now_ms: i64,
    steady_ms: i64,
}

impl Watch {
    /// By how many milliseconds more (or less) than time passed the time of day went on since the last look.
    pub fn jump_ms(&self, clock: &dyn Clock) -> Option<i64> {
        let (now, last) = (Look::at(clock), self.last?);
        let jump_ms =
            now.now_ms.saturating_sub(last.now_ms).saturating_sub(now.steady_ms.saturating_sub(last.steady_ms));
        (jump_ms.abs() >= JUMP_MS).then_some(jump_ms)
    }

    /// What comes next is compared with now.
    pub fn look(&mut self, clock: &dyn Clock) {
        self.last = Some(Look::at(clock));
    }
}

impl Look {
    fn at(clock: &dyn Clock) -> Self {
        Self { now_ms: clock.now_ms(), steady_ms: clock.steady_ms() }
    }
}

/// A source of random numbers, seeded in tests.
#[derive(Debug)]
pub struct Chance(Mutex<StdRng>);

impl Chance {
    /// Seeded from a number: the same numbers every time.
    pub fn seeded(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }

    /// Seeded from the operating system.
    #[expect(clippy::disallowed_methods, reason = "the one place where real randomness enters")]
    pub fn real() -> Self {
        Self(Mutex::new(StdRng::from_rng(&mut rand::rng())))
    }

    /// The next number, uniform over all of `u64`.
    pub fn next(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).next_u64()
    }

    /// A text of 32 random hex digits.
    pub fn token(&self) -> String {
        format!("{:016x}{:016x}", self.next(), self.next())
    }
}

/// Milliseconds of a day of 24 hours.
pub const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// The day in a zone.
pub fn day(ms: i64, zone: &jiff::tz::TimeZone) -> jiff::civil::Date {
    timestamp(ms).to_zoned_datetime(zone.clone()).date()
}

/// A timestamp for people and APIs from stored milliseconds.
pub fn timestamp(ms: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}
