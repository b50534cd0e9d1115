//! One table: rows by id, with an index for look-ups and a log of what changed. Rows are shared until one is changed.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::index::{Index, Key};

/// A stored row with what BC keeps about every row.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Row<T> {
    pub(crate) value: T,
    /// Moves with each change; the ETag is made of it.
    pub(crate) version: u64,
    pub(crate) modified: Timestamp,
}

/// Rows by their SystemId, which is also the order of listings.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent, bound(deserialize = "T: Deserialize<'de>"))]
pub(crate) struct Table<T> {
    rows: Arc<BTreeMap<Uuid, Arc<Row<T>>>>,
    /// What changed since somebody last looked; none while nobody has subscribed to it.
    #[serde(skip)]
    log: Option<Vec<Change<T>>>,
    #[serde(skip)]
    index: Index,
    /// What a row is looked up by. It is set again when a state is restored.
    #[serde(skip, default = "no_keys")]
    keys: fn(&T) -> Vec<Key>,
}

fn no_keys<T>() -> fn(&T) -> Vec<Key> {
    |_| Vec::new()
}

/// A row before and after a change.
#[derive(Debug, Clone)]
pub(crate) struct Change<T> {
    pub(crate) id: Uuid,
    pub(crate) before: Option<Arc<Row<T>>>,
    pub(crate) after: Option<Arc<Row<T>>>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: Arc::default(), log: None, index: Index::default(), keys: no_keys() }
    }
}

impl<T: Clone> Table<T> {
    pub(super) fn filled(rows: impl Iterator<Item = (Uuid, T)>, now: Timestamp) -> Self {
        let rows = rows.map(|(id, value)| (id, Arc::new(Row { value, version: 1, modified: now }))).collect();
        Self { rows: Arc::new(rows), ..Self::default() }
    }

    pub(crate) fn row(&self, id: Uuid) -> Option<&Row<T>> {
        self.rows.get(&id).map(Arc::as_ref)
    }

    pub(crate) fn get(&self, id: Uuid) -> Option<&T> {
        self.row(id).map(|row| &row.value)
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Uuid, &T)> {
        self.rows.iter().map(|(id, row)| (*id, &row.value))
    }

    pub(crate) fn last(&self) -> Option<(Uuid, &T)> {
        self.rows.last_key_value().map(|(id, row)| (*id, &row.value))
    }

    /// The rows after an id, or all, in the order of listings.
    pub(crate) fn following(&self, after: Option<Uuid>) -> impl Iterator<Item = (Uuid, &T)> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.rows.range((start, Bound::Unbounded)).map(|(id, row)| (*id, &row.value))
    }

    /// The first id within a range.
    pub(crate) fn between(&self, range: std::ops::RangeInclusive<Uuid>) -> Option<Uuid> {
        self.rows.range(range).next().map(|(id, _)| *id)
    }

    pub(crate) fn ids(&self) -> Vec<Uuid> {
        self.rows.keys().copied().collect()
    }

    pub(crate) fn find(&self, wanted: impl Fn(&T) -> bool) -> Option<(Uuid, &T)> {
        self.iter().find(|(_, value)| wanted(value))
    }

    /// Sets what rows are looked up by.
    pub(super) fn index_by(&mut self, keys: fn(&T) -> Vec<Key>) {
        self.keys = keys;
        self.index = Index::default();
        for (id, row) in self.rows.iter() {
            self.index.add(keys(&row.value), *id);
        }
    }

    /// The rows that have a key, in the order of listings.
    pub(crate) fn with(&self, key: Key) -> impl Iterator<Item = (Uuid, &T)> {
        self.index.ids(key).filter_map(|id| Some((id, self.get(id)?)))
    }

    pub(super) fn put(&mut self, id: Uuid, row: Row<T>) {
        let after = Arc::new(row);
        let before = Arc::make_mut(&mut self.rows).insert(id, Arc::clone(&after));
        let old = before.as_ref().map_or_else(Vec::new, |row| (self.keys)(&row.value));
        let new = (self.keys)(&after.value);
        if old != new {
            self.index.remove(old, id);
            self.index.add(new, id);
        }
        if let Some(log) = &mut self.log {
            log.push(Change { id, before, after: Some(after) });
        }
    }

    pub(crate) fn remove(&mut self, id: Uuid) -> bool {
        let before = Arc::make_mut(&mut self.rows).remove(&id);
        let existed = before.is_some();
        if let Some(before) = &before {
            self.index.remove((self.keys)(&before.value), id);
        }
        if let (Some(log), true) = (&mut self.log, existed) {
            log.push(Change { id, before, after: None });
        }
        existed
    }

    /// Begins or ends the log.
    pub(crate) fn watch(&mut self, watched: bool) {
        match (watched, &self.log) {
            (true, None) => self.log = Some(Vec::new()),
            (false, _) => self.log = None,
            (true, Some(_)) => {}
        }
    }

    /// Empties the log.
    pub(crate) fn take_changes(&mut self) -> Vec<Change<T>> {
        self.log.as_mut().map(std::mem::take).unwrap_or_default()
    }
}
