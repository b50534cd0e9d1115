//! What this process knows about itself while it works, for whoever watches over it: nothing here is kept, and nothing is decided by it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use domain::id::ConnectionId;

/// How a process does.
#[derive(Debug)]
pub struct Pulse {
    started_ms: i64,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    only_receives: bool,
    lanes: BTreeMap<String, LanePulse>,
    checkpoint_ms: Option<i64>,
    deliveries: BTreeMap<Delivered, u64>,
}

/// When a lane was last asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LanePulse {
    /// Whether this process has it; otherwise another one has.
    pub held: bool,
    /// When that was last seen.
    pub seen_ms: i64,
}

/// Deliveries of one kind to one connection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Delivered {
    /// To whom.
    pub connection: ConnectionId,
    /// By whom, as in the inbox.
    pub source: &'static str,
    /// `taken` or `refused`.
    pub outcome: &'static str,
}

impl Pulse {
    /// A process that starts now.
    pub fn new(started_ms: i64) -> Self {
        Self { started_ms, seen: Mutex::default() }
    }

    /// When it started.
    pub fn started_ms(&self) -> i64 {
        self.started_ms
    }

    /// This process leaves the lanes to others.
    pub fn only_receive(&self) {
        self.change(|seen| seen.only_receives = true);
    }

    /// Whether this process leaves the lanes to others.
    pub fn only_receives(&self) -> bool {
        self.change(|seen| seen.only_receives)
    }

    /// The database told whose a lane is.
    pub fn lane(&self, name: &str, held: bool, now_ms: i64) {
        self.change(|seen| seen.lanes.insert(name.to_owned(), LanePulse { held, seen_ms: now_ms }));
    }

    /// What was last told about a lane; none before it was first asked for.
    pub fn find_lane(&self, name: &str) -> Option<LanePulse> {
        self.change(|seen| seen.lanes.get(name).copied())
    }

    /// The audit trail was looked through, and what was new in it was signed.
    pub fn checkpoint(&self, now_ms: i64) {
        self.change(|seen| seen.checkpoint_ms = Some(now_ms));
    }

    /// When that was last done.
    pub fn checkpoint_ms(&self) -> Option<i64> {
        self.change(|seen| seen.checkpoint_ms)
    }

    /// Somebody delivered something.
    pub fn delivery(&self, connection: &ConnectionId, source: &'static str, is_taken: bool) {
        let outcome = if is_taken { "taken" } else { "refused" };
        let delivered = Delivered { connection: connection.clone(), source, outcome };
        self.change(|seen| {
            let count = seen.deliveries.entry(delivered).or_default();
            *count = count.saturating_add(1);
        });
    }

    /// How many were delivered.
    pub fn deliveries(&self) -> BTreeMap<Delivered, u64> {
        self.change(|seen| seen.deliveries.clone())
    }

    fn change<T>(&self, change: impl FnOnce(&mut Seen) -> T) -> T {
        change(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
