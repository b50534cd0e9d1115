//! All records in the order in which they were posted, found by id or by their source.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde::de::Deserializer;
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use super::edit::ChangeRefused;
use super::stored::{Face, Stored};

type Key = (Timestamp, String);

/// The records of the account.
#[derive(Debug, Default)]
pub(in crate::brex) struct Journal {
    records: BTreeMap<Key, Stored>,
    keys: HashMap<String, Key>,
    by_source: HashMap<String, String>,
}

impl Journal {
    /// Adds a record, or replaces the one with the same id.
    pub(in crate::brex) fn insert(&mut self, record: Stored) {
        let key = (record.face.posted_at, record.face.id.clone());
        if let Some(old) = self.keys.insert(record.face.id.clone(), key.clone()) {
            self.records.remove(&old);
        }
        if let Some(source) = &record.face.source_id {
            self.by_source.insert(source.clone(), record.face.id.clone());
        }
        self.records.insert(key, record);
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
