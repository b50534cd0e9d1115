//! The fault plan: an ordered list of things that go wrong, the first match with uses left wins.
//!
//! It says what happens to a request; the middleware makes it happen.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;

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
    /// Only if path and query contain this.
    #[serde(default)]
    pub path_contains: Option<String>,
    /// Matching requests that pass before it starts.
    #[serde(default)]
    pub skip: u32,
    /// Matching requests that it hits.
    #[serde(default = "once")]
    pub times: u32,
    /// What happens.
    pub kind: FaultKind,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Answers without acting.
    Status {
        /// HTTP status.
        status: u16,
        /// JSON body, empty if absent.
        #[serde(default)]
        body: Option<Value>,
        /// `Retry-After` in seconds.
        #[serde(default)]
        retry_after: Option<u32>,
    },
    /// Waits, then acts.
    Delay {
        /// Milliseconds of real time.
        ms: u64,
    },
    /// Closes the connection without acting.
    DropBefore,
    /// Acts, then closes the connection without an answer.
    DropAfter,
    /// Takes back every token of that side, then acts on the request.
    RevokeToken,
}

impl Fault {
    /// A fault that hits the next request of a side.
    pub fn new(side: Side, kind: FaultKind) -> Self {
        Self { side: Some(side), method: None, path_contains: None, skip: 0, times: 1, kind }
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

    fn matches(&self, side: Side, method: &str, target: &str) -> bool {
        self.side.is_none_or(|wanted| wanted == side)
            && self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.path_contains.as_deref().is_none_or(|text| target.contains(text))
    }
}

/// The plan.
#[derive(Debug, Default)]
pub struct Faults {
    plan: Mutex<Vec<Fault>>,
}

impl Faults {
    /// Appends a fault to the plan.
    pub fn add(&self, fault: Fault) {
        self.lock().push(fault);
    }

    /// Empties the plan.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// What is left of the plan.
    pub fn pending(&self) -> Vec<Fault> {
        self.lock().clone()
    }

    /// What happens to this request. Uses up one `skip` or one `times` of the first fault that matches.
    pub fn hit(&self, side: Side, method: &str, target: &str) -> Option<FaultKind> {
        let mut plan = self.lock();
        let index = plan.iter().position(|fault| fault.times > 0 && fault.matches(side, method, target))?;
        let fault = &mut plan[index];
        if fault.skip > 0 {
            fault.skip -= 1;
            return None;
        }
        fault.times -= 1;
        let kind = fault.kind.clone();
        if fault.times == 0 {
            plan.remove(index);
        }
        Some(kind)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn once() -> u32 {
    1
}

#[cfg(test)]
mod tests {
    use super::{Fault, FaultKind, Faults};
    use crate::meter::Side;

    #[test]
    fn a_fault_waits_for_its_turn_and_ends() {
        let faults = Faults::default();
        faults.add(Fault::new(Side::Bc, FaultKind::DropBefore).method("POST").skip(1).times(2));
        assert_eq!(faults.hit(Side::Bc, "GET", "/a"), None);
        assert_eq!(faults.hit(Side::Bc, "POST", "/a"), None);
        assert_eq!(faults.hit(Side::Bc, "POST", "/a"), Some(FaultKind::DropBefore));
        assert_eq!(faults.hit(Side::Bc, "POST", "/a"), Some(FaultKind::DropBefore));
        assert_eq!(faults.hit(Side::Bc, "POST", "/a"), None);
        assert_eq!(faults.pending(), []);
    }

    #[test]
    fn the_first_match_wins() {
        let faults = Faults::default();
        faults.add(Fault::new(Side::Bc, FaultKind::DropBefore).path_contains("vendors"));
        faults.add(Fault::new(Side::Bc, FaultKind::DropAfter));
        assert_eq!(faults.hit(Side::Bc, "GET", "/vendors"), Some(FaultKind::DropBefore));
        assert_eq!(faults.hit(Side::Bc, "GET", "/vendors"), Some(FaultKind::DropAfter));
    }
}
