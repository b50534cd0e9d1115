//! How long a connection rests: after failures longer and longer, and as long as the other side asks for, while that is believed.

use domain::pace::retry_delay_ms;

/// How long the connection has to wait.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pause {
    /// When it is over.
    pub(super) until_ms: i64,
    lasted_ms: i64,
    attempts: i64,
    /// Pauses in a row whose length the other side gave.
    asked: u32,
}

impl Pause {
    /// The pause before another one that begins now. After a time without failure that was longer than the last pause, and than any call
    /// with its repeat takes to fail, the other one is the first.
    fn before(self, now_ms: i64) -> Self {
        const QUIET_MS: i64 = 5 * 60_000;
        let quiet_ms = now_ms.saturating_sub(self.until_ms);
        if quiet_ms > self.lasted_ms.max(QUIET_MS) { Self::default() } else { self }
    }

    /// A pause that begins now: after a failure, or because the other side asked for one of `asked_ms`, which is no failure and makes no
    /// later one worse.
    pub(super) fn after(self, now_ms: i64, asked_ms: Option<i64>, random: u64) -> Self {
        // Whoever refuses later than this had answered in between.
        const SOON_MS: i64 = 10_000;
        let mut before = self.before(now_ms);
        if now_ms.saturating_sub(before.until_ms) > SOON_MS.max(before.lasted_ms) {
            before.asked = 0;
        }
        let believed_ms = asked_ms.map(|asked_ms| believed_ms(asked_ms, before.asked));
        let lasted_ms = retry_delay_ms(before.attempts, believed_ms, random);
        let until_ms = now_ms.saturating_add(lasted_ms);
        match asked_ms {
            Some(_) => Self { until_ms, lasted_ms, asked: before.asked.saturating_add(1), ..before },
            None => Self { until_ms, lasted_ms, attempts: before.attempts.saturating_add(1), asked: 0 },
        }
    }
}

/// How long to pause when the other side asks for `asked_ms` and has asked `before` times in a row. Twice it is believed; whoever then
/// still refuses did not know how long, and is asked less and less often.
fn believed_ms(asked_ms: i64, before: u32) -> i64 {
    const LONGEST_MS: i64 = 30_000;
    const SHORTEST_MS: i64 = 1_000;
    if before < 2 {
        return asked_ms;
    }
    let longer = asked_ms.max(SHORTEST_MS).saturating_mul(1_i64 << before.saturating_sub(1).min(16));
    longer.min(LONGEST_MS).max(asked_ms)
}

#[cfg(test)]
mod tests {
    use super::Pause;

    #[test]
    fn whoever_asks_for_the_same_short_rest_again_and_again_is_asked_less_and_less_often() {
        let (mut pause, mut now_ms, mut lasted) = (Pause::default(), 0, Vec::new());
        for _ in 0..9 {
            pause = pause.after(now_ms, Some(1_000), 0);
            lasted.push(pause.lasted_ms / 1_000);
            now_ms = pause.until_ms;
        }
        assert_eq!(lasted, [1, 1, 2, 4, 8, 16, 30, 30, 30]);
        assert_eq!(pause.after(now_ms, Some(120_000), 0).lasted_ms / 1_000, 120, "never less than was asked for");
        assert_eq!(pause.attempts, 0, "none of it was a failure");
        let later = pause.after(now_ms + 60_000, Some(1_000), 0);
        assert_eq!((later.lasted_ms / 1_000, later.asked), (1, 1), "what was answered for a minute begins anew");
    }

    #[test]
    fn whoever_always_says_at_once_is_asked_less_and_less_often_too() {
        let (mut pause, mut now_ms) = (Pause::default(), 0);
        for _ in 0..8 {
            pause = pause.after(now_ms, Some(0), 0);
            now_ms = pause.until_ms;
        }
        assert_eq!(pause.lasted_ms / 1_000, 30);
    }
}
