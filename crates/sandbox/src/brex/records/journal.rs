//! All records in the order in which they were posted, found by id or by their source.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use jiff::Timestamp;
use serde::de::Deserializer;
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use super::edit::ChangeRefused;
use super::query::RecordQuery;
use super::stored::{Face, Stored};

type Key = (Timestamp, String);

/// The records of the account.
#[derive(Debug, Default)]
pub(in crate::brex) struct Journal {
    records: BTreeMap<Key, Stored>,
    keys: HashMap<String, Key>,
    by_source: HashMap<String, String>,
    /// Moves with each change of what queries look at.
    generation: u64,
    counted: Option<Counted>,
    /// How many records queries have looked at.
    visited: u64,
}

/// How many records a query found, for its further pages.
#[derive(Debug)]
struct Counted {
    query: RecordQuery,
    generation: u64,
    total: usize,
    /// The oldest `updated_at` among them.
    oldest: Option<Timestamp>,
}

impl Journal {
    /// Adds a record, or replaces the one with the same id.
    pub(in crate::brex) fn insert(&mut self, record: Stored) {
        self.generation += 1;
        let key = (record.face.posted_at, record.face.id.clone());
        if let Some(old) = self.keys.insert(record.face.id.clone(), key.clone()) {
            self.records.remove(&old);
        }
        if let Some(source) = &record.face.source_id {
            self.by_source.insert(source.clone(), record.face.id.clone());
        }
        self.records.insert(key, record);
    }

    /// Takes a record away.
    pub(super) fn remove(&mut self, id: &str) -> Option<Stored> {
        self.generation += 1;
        let record = self.records.remove(&self.keys.remove(id)?)?;
        if let Some(source) = &record.face.source_id
            && self.by_source.get(source).is_some_and(|of| of == id)
        {
            self.by_source.remove(source);
        }
        Some(record)
    }

    pub(in crate::brex) fn get(&self, id: &str) -> Option<&Stored> {
        self.records.get(self.keys.get(id)?)
    }

    /// The newest record of an expense.
    pub(in crate::brex) fn of_source(&self, source_id: &str) -> Option<&Stored> {
        self.get(self.by_source.get(source_id)?)
    }

    /// All records, oldest posting first.
    pub(in crate::brex) fn iter(&self) -> impl DoubleEndedIterator<Item = &Stored> {
        self.records.values()
    }

    /// How many records a query finds, on whatever page it is.
    pub(super) fn count(&mut self, query: &RecordQuery) -> usize {
        if let Some(found) = self.named(query) {
            return found.len();
        }
        if let Some(known) = &self.counted
            && known.generation == self.generation
            && query.finds_the_same(&known.query, known.oldest)
        {
            return known.total;
        }
        self.visited += self.records.len() as u64;
        let found = self.records.values().filter(|record| query.matches(record)).map(|record| record.face.updated_at);
        let (total, oldest) = found.fold((0, None), |(total, oldest): (usize, Option<Timestamp>), at| {
            (total + 1, Some(oldest.map_or(at, |oldest| oldest.min(at))))
        });
        self.counted = Some(Counted { query: query.clone(), generation: self.generation, total, oldest });
        total
    }

    /// The records of a page, and one more if there is one.
    pub(super) fn page(&mut self, query: &RecordQuery) -> Vec<&Stored> {
        let wanted = query.limit + 1;
        if let Some(keys) = self.named(query) {
            let after = keys.into_iter().filter(|key| query.after.as_ref().is_none_or(|after| key > after));
            return after.take(wanted).filter_map(|key| self.records.get(&key)).collect();
        }
        let start = query.after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let visited = &mut self.visited;
        let rows = self.records.range((start, Bound::Unbounded)).inspect(|_| *visited += 1).map(|(_, record)| record);
        rows.filter(|record| query.matches(record)).take(wanted).collect()
    }

    /// The keys of what a query asks for by id, in the order of pages.
    fn named(&mut self, query: &RecordQuery) -> Option<Vec<Key>> {
        let ids = query.ids.as_ref()?;
        self.visited += ids.len() as u64;
        let found = ids.iter().filter_map(|id| self.get(id)).filter(|record| query.matches(record));
        let mut keys: Vec<Key> = found.map(|record| (record.face.posted_at, record.face.id.clone())).collect();
        keys.sort_unstable();
        Some(keys)
    }

    /// How many records queries have looked at since the start.
    pub(in crate::brex) fn visited(&self) -> u64 {
        self.visited
    }

    /// Changes a record's JSON; the version rises and `updated_at` becomes `now`.
    pub(in crate::brex) fn change(
        &mut self,
        id: &str,
        now: Timestamp,
        edit: impl FnOnce(&mut Map<String, Value>) -> Result<(), ChangeRefused>,
    ) -> Result<&mut Stored, ChangeRefused> {
        let unknown = || ChangeRefused::Unknown(id.to_owned());
        let key = self.keys.get(id).cloned().ok_or_else(unknown)?;
        let old = self.records.get(&key).ok_or_else(unknown)?;
        let unreadable = |error: serde_json::Error| ChangeRefused::Unreadable(error.to_string());
        let mut fields: Map<String, Value> = serde_json::from_str(&old.raw).map_err(unreadable)?;
        edit(&mut fields)?;
        fields.insert("version".to_owned(), Value::Number(next_version(&old.face)));
        fields.insert("updated_at".to_owned(), Value::String(format!("{now:.6}")));
        let raw = Value::Object(fields).to_string();
        let face = serde_json::from_str(&raw).map_err(unreadable)?;
        let changed = Stored { raw, face, ..old.clone() };
        if changed.face.id != id {
            return Err(ChangeRefused::Unreadable("the id cannot change".to_owned()));
        }
        let key = (changed.face.posted_at, id.to_owned());
        self.insert(changed);
        self.records.get_mut(&key).ok_or_else(unknown)
    }

    /// The record for what is not part of its JSON.
    pub(in crate::brex) fn get_mut(&mut self, id: &str) -> Option<&mut Stored> {
        self.records.get_mut(self.keys.get(id)?)
    }
}

/// Whole numbers rise by one; a version that is none starts again at 1.
fn next_version(face: &Face) -> Number {
    Number::from(face.version.as_i64().unwrap_or(0) + 1)
}

impl Serialize for Journal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.records.values())
    }
}

impl<'de> Deserialize<'de> for Journal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut journal = Self::default();
        for record in Vec::<Stored>::deserialize(deserializer)? {
            journal.insert(record);
        }
        Ok(journal)
    }
}
