//! So many times a minute and no more: for things that outsiders could otherwise make us do without end.

use std::sync::{Mutex, PoisonError};

const MINUTE_MS: i64 = 60_000;

/// A counter per minute.
#[derive(Debug)]
pub(crate) struct Limit {
    per_minute: u32,
    window: Mutex<(i64, u32)>,
}

impl Limit {
    /// At most this often a minute.
    pub(crate) fn per_minute(per_minute: u32) -> Self {
        Self { per_minute, window: Mutex::new((i64::MIN, 0)) }
    }

    /// Whether it may still be done at this time, without doing it.
    pub(crate) fn has_room(&self, now_ms: i64) -> bool {
        let window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        now_ms.saturating_sub(window.0) >= MINUTE_MS || window.1 < self.per_minute
    }

    /// Whether it may be done once more at this time.
    pub(crate) fn allows(&self, now_ms: i64) -> bool {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if now_ms.saturating_sub(window.0) >= MINUTE_MS {
            *window = (now_ms, 0);
        }
        window.1 = window.1.saturating_add(1);
        window.1 <= self.per_minute
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_starts_anew_every_minute() {
        let limit = Limit::per_minute(2);
        assert_eq!([0, 1, 2].map(|ms| limit.allows(ms)), [true, true, false]);
        assert!(!limit.has_room(2));
        assert!(limit.has_room(MINUTE_MS) && limit.allows(MINUTE_MS));
    }
}
