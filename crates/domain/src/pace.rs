//! When to try again: full jitter for retries, and the probing plan after an unclear answer.

/// First delay of a retry, before jitter.
const BASE_MS: i64 = 1_000;
/// Longest delay of a retry.
pub const RETRY_CAP_MS: i64 = 15 * 60 * 1_000;

/// Probes after an unknown outcome, counted from the attempt (design §4): BC may commit a request for up to ten
/// minutes after it timed out for us.
pub const PROBES_MS: [i64; 7] = [2_000, 10_000, 30_000, 120_000, 300_000, 600_000, 1_200_000];

/// Default settle window: after it, an absent document counts as not created.
pub const SETTLE_WINDOW_MS: i64 = 1_200_000;

/// Delay before retry number `attempt` (from 0): uniform between 0 and the capped exponential, but never less than
/// what the server asked for. `random` is any uniformly distributed number.
pub fn retry_delay_ms(attempt: i64, server_asked_ms: Option<i64>, random: u64) -> i64 {
    let doublings = u32::try_from(attempt.clamp(0, 30)).unwrap_or(30);
    let ceiling = BASE_MS.saturating_mul(1_i64 << doublings.min(20)).min(RETRY_CAP_MS);
    let span = u64::try_from(ceiling).unwrap_or(1).max(1);
    let jittered = i64::try_from(random % span).unwrap_or(ceiling).saturating_add(1);
    match server_asked_ms {
        Some(asked) => asked.clamp(0, RETRY_CAP_MS).saturating_add(jittered.min(BASE_MS)),
        None => jittered,
    }
}

/// What the plan says after a number of probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextProbe {
    /// Look again at this time (milliseconds).
    At(i64),
    /// The settle window has passed: what is not there now was not created.
    Settled,
}

/// When to probe next for an attempt made at `attempted_ms`, after `probes` probes, with a settle window of
/// `window_ms`. The last probe lies exactly at the end of the window.
pub fn next_probe(attempted_ms: i64, probes: i64, window_ms: i64) -> NextProbe {
    let planned = PROBES_MS.iter().copied().filter(|p| *p < window_ms).chain([window_ms]);
    let skip = usize::try_from(probes.max(0)).unwrap_or(usize::MAX);
    match planned.into_iter().nth(skip) {
        Some(offset) => NextProbe::At(attempted_ms.saturating_add(offset)),
        None => NextProbe::Settled,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn probes_follow_the_plan_and_end_with_the_window() {
        let times: Vec<_> = (0..8).map(|n| next_probe(0, n, SETTLE_WINDOW_MS)).collect();
        let expected: Vec<_> = PROBES_MS.into_iter().map(NextProbe::At).chain([NextProbe::Settled]).collect();
        assert_eq!(times, expected);
    }

    #[test]
    fn a_short_window_still_probes_at_its_end() {
        assert_eq!(next_probe(100, 0, 3_000), NextProbe::At(2_100));
        assert_eq!(next_probe(100, 1, 3_000), NextProbe::At(3_100));
        assert_eq!(next_probe(100, 2, 3_000), NextProbe::Settled);
        assert_eq!(next_probe(100, 0, 500), NextProbe::At(600));
    }

    proptest! {
        #[test]
        fn a_retry_waits_at_least_what_the_server_asked_and_never_beyond_the_cap(
            attempt in 0_i64..200, asked in prop::option::of(0_i64..10_000_000), random: u64,
        ) {
            let delay = retry_delay_ms(attempt, asked, random);
            prop_assert!(delay >= 1);
            prop_assert!(delay <= RETRY_CAP_MS + BASE_MS);
            if let Some(asked) = asked {
                prop_assert!(delay >= asked.min(RETRY_CAP_MS));
            }
        }
    }
}
