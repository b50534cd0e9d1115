//! Look-ups beside a table's rows, so that no request visits every row to find one.

use std::collections::BTreeSet;
use std::sync::Arc;

use uuid::Uuid;

/// What rows are looked up by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    /// The number of a row.
    Number(String),
    /// The vendor's number of a document.
    External(String),
    /// The vendor of a document.
    Vendor(Uuid),
    /// A line of a document.
    Line(Uuid),
}

/// The ids of the rows that have a key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index(Arc<BTreeSet<(Key, Uuid)>>);

impl Index {
    pub(crate) fn add(&mut self, keys: Vec<Key>, id: Uuid) {
        if !keys.is_empty() {
            Arc::make_mut(&mut self.0).extend(keys.into_iter().map(|key| (key, id)));
        }
    }

    pub(crate) fn remove(&mut self, keys: Vec<Key>, id: Uuid) {
        for key in keys {
            Arc::make_mut(&mut self.0).remove(&(key, id));
        }
    }

    /// In the order of the ids, which is the order of listings.
    pub(crate) fn ids(&self, key: Key) -> impl Iterator<Item = Uuid> {
        self.0.range((key.clone(), Uuid::nil())..=(key, Uuid::max())).map(|(_, id)| *id)
    }
}
