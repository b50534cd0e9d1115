//! Failed sign-ins by name: after some, nobody may try for a while. Kept in memory, so a restart forgets; the trail does not.

use std::collections::BTreeMap;

/// Failures before a name is blocked.
const FAILURES: u32 = 5;
/// For how long, and how long failures count.
const WINDOW_MS: i64 = 15 * 60_000;
/// Names that are remembered; beyond it the oldest go.
const NAMES: usize = 10_000;

/// The failures of the last minutes.
#[derive(Default)]
pub(super) struct Attempts(BTreeMap<String, Failures>);

struct Failures {
    number: u32,
    last_ms: i64,
}

impl Attempts {
    /// Minutes until the name may be tried again, if it may not be now.
    pub(super) fn blocked_minutes(&self, name: &str, now_ms: i64) -> Option<i64> {
        let failures = self.0.get(name).filter(|failures| failures.number >= FAILURES)?;
        let left_ms = failures.last_ms.saturating_add(WINDOW_MS).saturating_sub(now_ms);
        (left_ms > 0).then(|| left_ms / 60_000 + 1)
    }

    /// Counts a failure and says whether it is the last before the block.
    pub(super) fn failed(&mut self, name: &str, now_ms: i64) -> bool {
        self.0.retain(|_, failures| failures.last_ms.saturating_add(WINDOW_MS) > now_ms);
        if self.0.len() >= NAMES
            && let Some(oldest) =
                self.0.iter().min_by_key(|(_, failures)| failures.last_ms).map(|(name, _)| name.clone())
        {
            self.0.remove(&oldest);
        }
        let failures = self.0.entry(name.to_owned()).or_insert(Failures { number: 0, last_ms: now_ms });
        failures.number += 1;
        failures.last_ms = now_ms;
        failures.number == FAILURES
    }

    /// Forgets the failures of a name.
    pub(super) fn succeeded(&mut self, name: &str) {
        self.0.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::{Attempts, FAILURES, NAMES, WINDOW_MS};

    #[test]
    fn a_name_is_blocked_after_some_failures_and_free_again_after_a_while() {
        let mut attempts = Attempts::default();
        for number in 1..=FAILURES {
            assert_eq!(attempts.blocked_minutes("ann", 0), None);
            assert_eq!(attempts.failed("ann", 0), number == FAILURES);
        }
        assert_eq!(attempts.blocked_minutes("ann", 0), Some(16));
        assert_eq!(attempts.blocked_minutes("ann", WINDOW_MS - 1), Some(1));
        assert_eq!(attempts.blocked_minutes("ann", WINDOW_MS), None);
        assert_eq!(attempts.blocked_minutes("bob", 0), None);
        attempts.succeeded("ann");
        assert_eq!(attempts.blocked_minutes("ann", 0), None);
    }

    #[test]
    fn many_names_take_no_more_than_their_room() {
        let mut attempts = Attempts::default();
        for number in 0..NAMES + 5 {
            attempts.failed(&format!("n{number}"), i64::try_from(number).unwrap_or(0));
        }
        assert_eq!(attempts.0.len(), NAMES);
        assert!(!attempts.0.contains_key("n0"));
    }
}
