//! How long Business Central works on a request, and what becomes of one that takes too long.

use std::f64::consts::TAU;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids::Ids;

/// Log-normal working times: most requests take about the median, a few take many times that.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Latency {
    /// Half of the requests take longer, in real time. 0 is no latency.
    pub median_ms: u64,
    /// The same of reads, where they take another time than the rest.
    pub read_median_ms: Option<u64>,
    /// The standard deviation of the logarithm, of 100: with 100 one request in six takes 2.7 times the median or more.
    pub spread_percent: u32,
    /// The same seed gives the same times in the same order.
    pub seed: u64,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// It is answered after this time.
    Done(Duration),
    /// The session is cancelled after this time, and nothing was done.
    Cancelled(Duration),
    /// The gateway gives up after this time, and what was asked is done.
    Unseen(Duration),
}

impl Latency {
    /// The working time of the request with this number.
    pub(super) fn draw(&self, ordinal: u64, is_read: bool) -> Duration {
        let median_ms = self.read_median_ms.filter(|_| is_read).unwrap_or(self.median_ms);
        if median_ms == 0 {
            return Duration::ZERO;
        }
        let ids = Ids::new(self.seed).stream(&format!("latency {ordinal}"));
        let uniform = || f64::from(u32::try_from(ids.bits() >> 32).unwrap_or_default()) / f64::from(u32::MAX);
        // Box and Muller: a normal deviate of two uniform ones.
        let normal = (-2.0 * uniform().max(f64::EPSILON).ln()).sqrt() * (TAU * uniform()).cos();
        let factor = (f64::from(self.spread_percent) / 100.0 * normal).exp();
        Duration::try_from_secs_f64(Duration::from_millis(median_ms).as_secs_f64() * factor).unwrap_or(Duration::MAX)
    }
}

/// What becomes of a request that takes `needed`, under the time limits of operations and of the gateway.
pub(super) fn outcome(needed: Duration, operation: Duration, gateway: Duration) -> Work {
    if operation <= gateway && operation < needed {
        Work::Cancelled(operation)
    } else if gateway < needed {
        Work::Unseen(gateway)
    } else {
        Work::Done(needed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_scatter_around_the_median_and_repeat_with_the_seed() {
        let latency = Latency { median_ms: 100, spread_percent: 100, seed: 7, read_median_ms: Some(50) };
        let mut times: Vec<Duration> = (0..1_001).map(|ordinal| latency.draw(ordinal, false)).collect();
        assert_eq!(times[3], latency.draw(3, false));
        assert_eq!(times[3].as_micros() / 2, latency.draw(3, true).as_micros());
        times.sort_unstable();
        let (median, sixth) = (times[500].as_millis(), times[841].as_millis());
        assert!((90..=110).contains(&median), "{median}");
        assert!((235..=310).contains(&sixth), "{sixth}");
    }

    #[test]
    fn a_long_operation_is_cancelled_unless_the_gateway_gives_up_before() {
        let seconds = Duration::from_secs;
        assert_eq!(outcome(seconds(5), seconds(480), seconds(600)), Work::Done(seconds(5)));
        assert_eq!(outcome(seconds(481), seconds(480), seconds(600)), Work::Cancelled(seconds(480)));
        assert_eq!(outcome(seconds(700), seconds(900), seconds(600)), Work::Unseen(seconds(600)));
    }
}
