//! Counts what was asked: requests by side and route, status classes, and how many were under way at once.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use serde::{Deserialize, Serialize};

use crate::world::World;
use crate::{bc, brex, entra};

/// More routes than this are counted together, so that nonsense paths do not fill the memory.
const MOST_ROUTES: usize = 1_000;
const SECOND: Duration = Duration::from_secs(1);
const FIVE_SECONDS: Duration = Duration::from_secs(5);

/// One of the systems that the sandbox stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Brex.
    Brex,
    /// Entra ID.
    Entra,
    /// Business Central.
    Bc,
}

impl Side {
    /// The routes of this side, neither counted nor disturbed.
    pub(crate) fn router(self) -> Router<Arc<World>> {
        match self {
            Self::Brex => brex::router(),
            Self::Entra => entra::router(),
            Self::Bc => bc::router(),
        }
    }
}

/// What one side was asked so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// All requests.
    pub requests: u64,
    /// The largest number of requests that were under way at the same time.
    pub most_at_once: u64,
    /// The largest number of requests that began within any one second of real time.
    pub most_in_a_second: usize,
    /// The same within any five seconds.
    pub most_in_five_seconds: usize,
    /// Requests by `METHOD /route/{id}`.
    pub routes: BTreeMap<String, u64>,
    /// Answers by class: `2xx`, `4xx`, and `none` for a connection that was dropped.
    pub statuses: BTreeMap<String, u64>,
    #[serde(skip)]
    under_way: u64,
    /// When the first request began.
    #[serde(skip)]
    pub began: Option<Instant>,
    /// When the requests of the last five seconds began.
    #[serde(skip)]
    recent: VecDeque<Instant>,
}

/// The counters of all sides.
#[derive(Debug, Default)]
pub struct Meter {
    tallies: Mutex<BTreeMap<Side, Tally>>,
}

impl Meter {
    /// Notes that a request began.
    pub fn begin(&self, side: Side, method: &str, route: &str) {
        #[expect(clippy::disallowed_methods, reason = "how fast a caller is, is a matter of real time")]
        self.begin_at(side, method, route, Instant::now());
    }

    fn begin_at(&self, side: Side, method: &str, route: &str, now: Instant) {
        let mut tallies = self.lock();
        let tally = tallies.entry(side).or_default();
        tally.requests += 1;
        tally.began.get_or_insert(now);
        tally.under_way += 1;
        tally.most_at_once = tally.most_at_once.max(tally.under_way);
        while tally.recent.front().is_some_and(|first| now.duration_since(*first) >= FIVE_SECONDS) {
            tally.recent.pop_front();
        }
        tally.recent.push_back(now);
        let before = tally.recent.partition_point(|began| now.duration_since(*began) >= SECOND);
        tally.most_in_a_second = tally.most_in_a_second.max(tally.recent.len() - before);
        tally.most_in_five_seconds = tally.most_in_five_seconds.max(tally.recent.len());
        let mut route = format!("{method} {route}");
        if tally.routes.len() >= MOST_ROUTES && !tally.routes.contains_key(&route) {
            "others".clone_into(&mut route);
        }
        *tally.routes.entry(route).or_default() += 1;
    }

    /// Notes that a request ended with a status, or without an answer.
    pub fn end(&self, side: Side, status: Option<u16>) {
        let mut tallies = self.lock();
        let tally = tallies.entry(side).or_default();
        tally.under_way = tally.under_way.saturating_sub(1);
        let class = status.map_or_else(|| "none".to_owned(), |status| format!("{}xx", status / 100));
        *tally.statuses.entry(class).or_default() += 1;
    }

    /// What one side was asked.
    pub fn tally(&self, side: Side) -> Tally {
        self.lock().get(&side).cloned().unwrap_or_default()
    }

    /// What every side was asked.
    pub fn tallies(&self) -> BTreeMap<Side, Tally> {
        self.lock().clone()
    }

    /// Forgets everything but the requests under way.
    pub fn reset(&self) {
        for tally in self.lock().values_mut() {
            *tally = Tally { under_way: tally.under_way, ..Tally::default() };
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Side, Tally>> {
        self.tallies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The route behind a path, for counting: keys in parentheses and GUIDs become `{id}`.
pub(crate) fn route_of(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        let name = match segment.split_once('(') {
            Some((name, _)) => format!("{name}({{id}})"),
            None if uuid::Uuid::try_parse(segment).is_ok() => "{id}".to_owned(),
            None => segment.to_owned(),
        };
        segments.push(name);
    }
    segments.join("/")
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Meter, Side, route_of};

    #[test]
    fn the_meter_remembers_the_peak() {
        let meter = Meter::default();
        meter.begin(Side::Bc, "GET", "/x");
        meter.begin(Side::Bc, "GET", "/x");
        meter.end(Side::Bc, Some(200));
        meter.begin(Side::Bc, "GET", "/x");
        let tally = meter.tally(Side::Bc);
        assert_eq!((tally.requests, tally.most_at_once), (3, 2));
        assert_eq!(tally.statuses["2xx"], 1);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "an arbitrary beginning")]
    fn the_busiest_seconds_may_begin_anywhere() {
        let meter = Meter::default();
        let start = Instant::now();
        for ms in [0, 900, 1_100, 1_500, 1_899, 5_000] {
            meter.begin_at(Side::Bc, "GET", "/x", start + Duration::from_millis(ms));
        }
        let tally = meter.tally(Side::Bc);
        assert_eq!((tally.most_in_a_second, tally.most_in_five_seconds), (4, 5));
        assert_eq!(tally.began, Some(start));
    }

    #[test]
    fn routes_beyond_a_bound_are_counted_together() {
        let meter = Meter::default();
        for number in 0..1_200 {
            meter.begin(Side::Bc, "GET", &format!("/{number}"));
        }
        let tally = meter.tally(Side::Bc);
        assert_eq!((tally.routes.len(), tally.routes["others"]), (1_001, 200));
    }

    #[test]
    fn keys_are_left_out_of_routes() {
        assert_eq!(
            route_of("/v2.0/companies(f64eba74-dacd-4854-a584-1834f68cfc3a)/vendors"),
            "/v2.0/companies({id})/vendors"
        );
    }
}
