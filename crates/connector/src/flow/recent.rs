//! Records that were read in this turn. Three stages need what one of them read, and reading and decoding costs more than deciding.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::id::RecordId;
use domain::record::Record;

/// Records by id.
pub type Records = HashMap<RecordId, Arc<Record>>;

/// A record, and the version that is asked for.
pub(super) type Wanted = (RecordId, i64);

/// More than what is on its way between the first stage and the last one while Business Central is fast; a few megabytes.
const MOST: usize = 500;

/// The latest records of a turn, as the newest text of their versions says. What is older than `MOST` others is forgotten, at the latest
/// after twice as many. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Recent(Arc<Mutex<Generations>>);

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Wanted, Arc<Record>>,
    old: HashMap<Wanted, Arc<Record>>,
    /// How often something was forgotten.
    forgotten: u64,
}

/// What has to be read, as of a moment.
pub(super) struct ToRead {
    pub(super) wanted: Vec<Wanted>,
    forgotten: u64,
}

impl Recent {
    /// Those that are known, and which have to be read.
    pub(super) fn find(&self, wanted: Vec<Wanted>) -> (Records, ToRead) {
        let kept = self.kept();
        let mut found = Records::new();
        let mut unknown = ToRead { wanted: Vec::new(), forgotten: kept.forgotten };
        for wanted in wanted {
            match kept.young.get(&wanted).or_else(|| kept.old.get(&wanted)) {
                Some(record) => drop(found.insert(wanted.0, Arc::clone(record))),
                None => unknown.wanted.push(wanted),
            }
        }
        (found, unknown)
    }

    /// Keeps what was read, unless a newer text of anything was written meanwhile.
    pub(super) fn keep(&self, read: &ToRead, wanted: Wanted, record: Arc<Record>) {
        let mut kept = self.kept();
        if kept.forgotten != read.forgotten {
            return;
        }
        if kept.young.len() >= MOST {
            kept.old = std::mem::take(&mut kept.young);
        }
        kept.young.insert(wanted, record);
    }

    /// There may be a newer text of this version.
    pub(super) fn forget(&self, wanted: &Wanted) {
        let mut kept = self.kept();
        kept.forgotten = kept.forgotten.wrapping_add(1);
        kept.young.remove(wanted);
        kept.old.remove(wanted);
    }

    fn kept(&self) -> MutexGuard<'_, Generations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::id::RecordId;
    use domain::record::Record;

    use super::{MOST, Recent, Wanted};
    use crate::flow::read_record;

    fn record() -> Arc<Record> {
        const CARD: &str = include_str!("../../../clients/tests/fixtures/brex/record_card.json");
        Arc::new(read_record(CARD).unwrap_or_else(|error| panic!("{error}")))
    }

    fn wanted(id: usize) -> Wanted {
        (RecordId::new(format!("r{id}")), 1)
    }

    fn known(recent: &Recent, id: usize) -> bool {
        !recent.find(vec![wanted(id)]).0.is_empty()
    }

    #[test]
    fn what_was_read_is_known_until_enough_others_were() {
        let recent = Recent::default();
        let record = record();
        for id in 0..=MOST {
            let (_, read) = recent.find(vec![wanted(id)]);
            recent.keep(&read, wanted(id), Arc::clone(&record));
        }
        assert!(known(&recent, 0) && known(&recent, MOST));
        for id in MOST..=2 * MOST {
            let (_, read) = recent.find(Vec::new());
            recent.keep(&read, wanted(id), Arc::clone(&record));
        }
        assert!(!known(&recent, 0) && known(&recent, MOST));
    }

    #[test]
    fn a_text_that_was_written_while_the_one_before_was_read_is_read_the_next_time() {
        let recent = Recent::default();
        let (_, read) = recent.find(vec![wanted(1)]);
        recent.forget(&wanted(1));
        recent.keep(&read, wanted(1), record());
        assert!(!known(&recent, 1));
        let (_, read) = recent.find(vec![wanted(1)]);
        recent.keep(&read, wanted(1), record());
        assert!(known(&recent, 1));
        recent.forget(&wanted(1));
        assert!(!known(&recent, 1));
    }
}
