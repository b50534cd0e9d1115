//! Weather: faults that nobody planned one by one, drawn from a seed for each request of each route.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Asked, FaultKind};
use crate::ids::Ids;
use crate::meter::Side;

/// More routes than this share one count, so that nonsense paths do not fill the memory.
const MOST_ROUTES: usize = 1_000;

/// How often what goes wrong, and where. The same seed and the same order of requests on a route give the same faults,
/// however requests of different routes interleave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weather {
    /// The same seed gives the same weather.
    #[serde(default)]
    pub seed: u64,
    /// Requests that it hits, of 100.
    pub percent: u8,
    /// What happens to them; each is as likely as the others.
    pub kinds: Vec<FaultKind>,
    /// Only on this side.
    #[serde(default)]
    pub side: Option<Side>,
    /// Only for this method.
    #[serde(default)]
    pub method: Option<String>,
    /// Only if path and query contain this.
    #[serde(default)]
    pub path_contains: Option<String>,
}

/// The weather with its counts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Sky {
    pub(super) weather: Weather,
    /// Requests so far by side, method and route.
    asked: BTreeMap<String, u64>,
}

impl Weather {
    /// Why it cannot be, if it cannot.
    pub(super) fn problem(&self) -> Option<String> {
        if self.percent > 100 {
            return Some("percent is at most 100".to_owned());
        }
        if self.kinds.is_empty() {
            return Some("kinds is empty".to_owned());
        }
        self.kinds.iter().find_map(FaultKind::problem)
    }
}

impl Sky {
    pub(super) fn new(weather: Weather) -> Self {
        Self { weather, asked: BTreeMap::new() }
    }

    /// What happens to the next request of this route, of those kinds that fit it.
    pub(super) fn draw(&mut self, asked: &Asked<'_>, fits: impl Fn(&FaultKind) -> bool) -> Option<FaultKind> {
        let weather = &self.weather;
        let matches = weather.side.is_none_or(|side| side == asked.side)
            && weather.method.as_deref().is_none_or(|method| method.eq_ignore_ascii_case(asked.method))
            && weather.path_contains.as_deref().is_none_or(|text| asked.target.contains(text));
        let kinds: Vec<&FaultKind> = weather.kinds.iter().filter(|kind| fits(kind)).collect();
        if !matches || kinds.is_empty() {
            return None;
        }
        let mut route = format!("{:?} {} {}", asked.side, asked.method, asked.route);
        if self.asked.len() >= MOST_ROUTES && !self.asked.contains_key(&route) {
            "others".clone_into(&mut route);
        }
        let ordinal = self.asked.entry(route.clone()).or_default();
        *ordinal += 1;
        let draw = Ids::new(weather.seed).stream(&format!("weather {route} {ordinal}"));
        draw.chance(weather.percent).then(|| (*draw.pick(&kinds)).clone())
    }
}
