//! What waits for one subscription: merged updates, or one note that there was too much to tell apart.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::settings::RetrySchedule;

/// The waits after the attempts of the AL source; the documentation's 36 hours need the last one twice.
const WAITS: [i64; 6] = [60, 60, 600, 6_000, 60_000, 60_000];

/// What happened to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ChangeKind {
    Created,
    Updated,
    Deleted,
}

impl ChangeKind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
        }
    }
}

/// One notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) row: Uuid,
    pub(super) kind: ChangeKind,
    pub(super) at: Timestamp,
}

/// More changes than are told one by one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Collected {
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) deleted: bool,
    changes: usize,
}

/// What waits, and when it goes out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Queue {
    pub(super) entries: Vec<Entry>,
    pub(super) collected: Option<Collected>,
    pub(super) due: Option<Timestamp>,
    attempts: usize,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.collected.as_ref().map_or(self.entries.len(), |collected| collected.changes)
    }

    /// Adds a change. Updates of one row become one; created and deleted stay as they are.
    pub(super) fn push(&mut self, entry: Entry, threshold: usize, delay: SignedDuration) {
        if self.due.is_none() {
            self.due = Some(entry.at.saturating_add(delay).unwrap_or(Timestamp::MAX));
        }
        if let Some(collected) = &mut self.collected {
            collected.last = collected.last.max(entry.at);
            collected.deleted |= entry.kind == ChangeKind::Deleted;
            collected.changes += 1;
            return;
        }
        let same = |earlier: &Entry| earlier.row == entry.row && earlier.kind == ChangeKind::Updated;
        if entry.kind == ChangeKind::Updated {
            self.entries.retain(|earlier| !same(earlier));
        }
        self.entries.push(entry);
        if self.entries.len() > threshold {
            self.collect();
        }
    }

    /// Forgets the single changes, so that an outage needs no memory.
    fn collect(&mut self) {
        let times = || self.entries.iter().map(|entry| entry.at);
        if let (Some(first), Some(last)) = (times().min(), times().max()) {
            let deleted = self.entries.iter().any(|entry| entry.kind == ChangeKind::Deleted);
            self.collected = Some(Collected { first, last, deleted, changes: self.entries.len() });
            self.entries.clear();
        }
    }

    /// Puts back what could not be delivered, before what came meanwhile. False if it was tried too often.
    pub(super) fn put_back(&mut self, sent: Self, retries: RetrySchedule, threshold: usize, now: Timestamp) -> bool {
        let waits = match retries {
            RetrySchedule::Source => &WAITS[..5],
            RetrySchedule::Documentation => &WAITS[..],
        };
        let Some(wait) = waits.get(sent.attempts) else {
            return false;
        };
        let due = now.saturating_add(SignedDuration::from_secs(*wait)).unwrap_or(Timestamp::MAX);
        self.put_off(sent, threshold, due);
        self.attempts += 1;
        true
    }

    /// Puts back what was taken out, before what came meanwhile, to be sent at `due`.
    pub(super) fn put_off(&mut self, taken: Self, threshold: usize, due: Timestamp) {
        let newer = std::mem::replace(self, taken);
        self.due = Some(due);
        for entry in newer.entries {
            self.push(entry, threshold, SignedDuration::ZERO);
        }
        if let Some(newer) = newer.collected {
            if self.collected.is_none() {
                self.collect();
            }
            match &mut self.collected {
                None => self.collected = Some(newer),
                Some(collected) => {
                    collected.last = collected.last.max(newer.last);
                    collected.deleted |= newer.deleted;
                    collected.changes += newer.changes;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use uuid::Uuid;

    use super::{ChangeKind, Entry, Queue, RetrySchedule};

    #[test]
    fn a_deletion_during_a_long_outage_is_not_forgotten() {
        let queue = |kind: ChangeKind| {
            let mut queue = Queue::default();
            for row in 0..2 {
                let entry = Entry { row: Uuid::from_u128(row), kind, at: Timestamp::UNIX_EPOCH };
                queue.push(entry, 1, SignedDuration::ZERO);
            }
            queue
        };
        let mut waiting = queue(ChangeKind::Deleted);
        assert!(waiting.put_back(queue(ChangeKind::Created), RetrySchedule::Source, 1, Timestamp::UNIX_EPOCH));
        assert_eq!((waiting.len(), waiting.collected.map(|collected| collected.deleted)), (4, Some(true)));
    }
}
