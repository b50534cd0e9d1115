//! The fault plan: an ordered list of things that go wrong, the first match with uses left wins, and the weather behind it.
//!
//! It says what happens to a request or a webhook; `apply` makes it happen to requests.

pub(crate) mod apply;
mod fired;
mod kind;
mod weather;

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::fired::{Fired, FiredFault, Origin};
pub use self::kind::{FaultKind, WebhookFault};
pub use self::weather::Weather;

use self::weather::Sky;
use crate::ids::Ids;
use crate::meter::Side;

/// One thing that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Only on this side; on every side if absent.
    #[serde(default)]
    pub side: Option<Side>,
    /// Only for this method.
    #[serde(default)]
    pub method: Option<String>,
    /// Only if path and query, or the address of a webhook, contain this.
    #[serde(default)]
    pub path_contains: Option<String>,
    /// Matching requests that pass before it starts.
    #[serde(default)]
    pub skip: u32,
    /// Matching requests that it hits.
    #[serde(default = "once")]
    pub times: u32,
    /// It hits only so many of 100 matching requests, chosen by `seed`.
    #[serde(default)]
    pub percent: Option<u8>,
    /// The same seed chooses the same requests.
    #[serde(default)]
    pub seed: u64,
    /// Matching requests after the skipped ones so far.
    #[serde(default)]
    pub seen: u64,
    /// What happens.
    pub kind: FaultKind,
}

impl Fault {
    /// A fault that hits the next request of a side.
    pub fn new(side: Side, kind: FaultKind) -> Self {
        Self {
            side: Some(side),
            method: None,
            path_contains: None,
            skip: 0,
            times: 1,
            percent: None,
            seed: 0,
            seen: 0,
            kind,
        }
    }

    /// The same for requests of a method only.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// The same for requests whose path or query contains `text`.
    #[must_use]
    pub fn path_contains(mut self, text: &str) -> Self {
        self.path_contains = Some(text.to_owned());
        self
    }

    /// The same after `skip` matching requests.
    #[must_use]
    pub fn skip(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }

    /// The same for `times` matching requests.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// The same for `percent` of 100 matching requests, chosen by `seed`.
    #[must_use]
    pub fn percent(mut self, percent: u8, seed: u64) -> Self {
        self.percent = Some(percent);
        self.seed = seed;
        self
    }

    /// Why it cannot happen, if it cannot.
    fn problem(&self) -> Option<String> {
        if self.percent.is_some_and(|percent| percent > 100) {
            return Some("percent is at most 100".to_owned());
        }
        self.kind.problem()
    }

    fn matches(&self, asked: &Asked<'_>) -> bool {
        self.side.is_none_or(|wanted| wanted == asked.side)
            && self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(asked.method))
            && self.path_contains.as_deref().is_none_or(|text| asked.target.contains(text))
    }

    /// Uses up one `skip` or one `times`, unless the seed lets this request pass.
    fn take_turn(&mut self) -> Turn {
        if self.skip > 0 {
            self.skip -= 1;
            return Turn::Skipped;
        }
        self.seen += 1;
        let draw = Ids::new(self.seed).stream(&format!("fault {}", self.seen));
        if self.percent.is_some_and(|percent| !draw.chance(percent)) {
            return Turn::Passed;
        }
        self.times -= 1;
        Turn::Hit
    }
}

enum Turn {
    /// The request goes through whatever else is planned.
    Skipped,
    /// The next fault of the plan may hit it.
    Passed,
    Hit,
}

/// A request, or a webhook on its way out, as the plan sees it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Who is asked, or who sends.
    pub side: Side,
    /// Method.
    pub method: &'a str,
    /// Path without keys.
    pub route: &'a str,
    /// Path and query, or the whole address of a webhook.
    pub target: &'a str,
    /// By the sandbox's clock.
    pub now: Timestamp,
}

/// The plan, the weather, and what came of them.
#[derive(Debug, Default)]
pub struct Faults {
    state: Mutex<State>,
}

/// Everything of [`Faults`], for the state file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct State {
    plan: Vec<Fault>,
    sky: Option<Sky>,
    fired: Fired,
}

impl Faults {
    /// Appends a fault to the plan.
    pub fn add(&self, fault: Fault) {
        self.lock().plan.push(fault);
    }

    /// Appends all these faults, or says why one of them cannot happen.
    pub fn plan(&self, faults: Vec<Fault>) -> Result<(), String> {
        if let Some(problem) = faults.iter().find_map(Fault::problem) {
            return Err(problem);
        }
        self.lock().plan.extend(faults);
        Ok(())
    }

    /// Sets the weather, or says why it cannot be. None is fair weather.
    pub fn set_weather(&self, weather: Option<Weather>) -> Result<(), String> {
        if let Some(problem) = weather.as_ref().and_then(Weather::problem) {
            return Err(problem);
        }
        self.lock().sky = weather.map(Sky::new);
        Ok(())
    }

    /// The weather, unless it is fair.
    pub fn weather(&self) -> Option<Weather> {
        self.lock().sky.as_ref().map(|sky| sky.weather.clone())
    }

    /// Empties the plan, and the weather is fair.
    pub fn clear(&self) {
        let mut state = self.lock();
        state.plan.clear();
        state.sky = None;
    }

    /// What is left of the plan.
    pub fn pending(&self) -> Vec<Fault> {
        self.lock().plan.clone()
    }

    /// What fired so far.
    pub fn fired(&self) -> Fired {
        self.lock().fired.clone()
    }

    /// Forgets what fired.
    pub fn forget_fired(&self) {
        self.lock().fired = Fired::default();
    }

    /// What happens to this request.
    pub fn hit(&self, asked: &Asked<'_>) -> Option<FaultKind> {
        self.lock().hit(asked, |kind| match kind {
            FaultKind::Webhook(_) => false,
            FaultKind::Contention { .. } => asked.side == Side::Bc,
            _ => true,
        })
    }

    /// What happens to this webhook.
    pub fn hit_webhook(&self, side: Side, url: &str, now: Timestamp) -> Option<WebhookFault> {
        let asked = Asked { side, method: "POST", route: "webhook", target: url, now };
        match self.lock().hit(&asked, |kind| matches!(kind, FaultKind::Webhook(_))) {
            Some(FaultKind::Webhook(fault)) => Some(fault),
            _ => None,
        }
    }

    pub(crate) fn snapshot(&self) -> State {
        self.lock().clone()
    }

    pub(crate) fn restore(&self, state: State) {
        *self.lock() = state;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn hit(&mut self, asked: &Asked<'_>, fits: impl Fn(&FaultKind) -> bool) -> Option<FaultKind> {
        let candidates =
            self.plan.iter_mut().filter(|fault| fault.times > 0 && fits(&fault.kind) && fault.matches(asked));
        for fault in candidates {
            match fault.take_turn() {
                Turn::Skipped => return None,
                Turn::Passed => {}
                Turn::Hit => {
                    let kind = fault.kind.clone();
                    self.plan.retain(|fault| fault.times > 0);
                    self.fired.note(asked, &kind, Origin::Plan);
                    return Some(kind);
                }
            }
        }
        let kind = self.sky.as_mut()?.draw(asked, fits)?;
        self.fired.note(asked, &kind, Origin::Weather);
        Some(kind)
    }
}

fn once() -> u32 {
    1
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{Asked, Fault, FaultKind, Faults, Weather};
    use crate::meter::Side;

    fn asked<'a>(method: &'a str, target: &'a str) -> Asked<'a> {
        Asked { side: Side::Bc, method, route: target, target, now: Timestamp::UNIX_EPOCH }
    }

    #[test]
    fn a_fault_waits_for_its_turn_and_ends() {
        let faults = Faults::default();
        faults.add(Fault::new(Side::Bc, FaultKind::DropBefore).method("POST").skip(1).times(2));
        assert_eq!(faults.hit(&asked("GET", "/a")), None);
        assert_eq!(faults.hit(&asked("POST", "/a")), None);
        assert_eq!(faults.hit(&asked("POST", "/a")), Some(FaultKind::DropBefore));
        assert_eq!(faults.hit(&asked("POST", "/a")), Some(FaultKind::DropBefore));
        assert_eq!(faults.hit(&asked("POST", "/a")), None);
        assert_eq!(faults.pending(), []);
        assert_eq!(faults.fired().count["drop_before"], 2);
    }

    #[test]
    fn the_first_match_wins() {
        let faults = Faults::default();
        faults.add(Fault::new(Side::Bc, FaultKind::DropBefore).path_contains("vendors"));
        faults.add(Fault::new(Side::Bc, FaultKind::DropAfter));
        assert_eq!(faults.hit(&asked("GET", "/vendors")), Some(FaultKind::DropBefore));
        assert_eq!(faults.hit(&asked("GET", "/vendors")), Some(FaultKind::DropAfter));
    }

    #[test]
    fn the_weather_of_a_route_does_not_depend_on_other_routes() {
        let weather = Weather {
            seed: 7,
            percent: 30,
            kinds: vec![FaultKind::DropBefore, FaultKind::NotJson],
            side: None,
            method: None,
            path_contains: None,
        };
        let calm = Faults::default();
        let busy = Faults::default();
        for faults in [&calm, &busy] {
            assert_eq!(faults.set_weather(Some(weather.clone())), Ok(()));
        }
        let alone: Vec<_> = (0..200).map(|_| calm.hit(&asked("GET", "/a"))).collect();
        let among: Vec<_> = (0..200)
            .map(|_| {
                busy.hit(&asked("GET", "/b"));
                busy.hit(&asked("GET", "/a"))
            })
            .collect();
        assert_eq!(alone, among);
        let hits = alone.iter().flatten().count();
        assert!((30..90).contains(&hits), "{hits} of 200");
    }

    #[test]
    fn what_fired_is_listed_within_bounds() {
        let faults = Faults::default();
        faults.add(Fault::new(Side::Bc, FaultKind::DropBefore).times(1_500));
        for _ in 0..1_500 {
            faults.hit(&asked("GET", "/a"));
        }
        let fired = faults.fired();
        assert_eq!((fired.count["drop_before"], fired.last.len()), (1_500, 1_000));
    }
}
