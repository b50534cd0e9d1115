//! The fields with their values, found by Brex's id, the ERP's id or the code.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A coding field.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::brex) struct Field {
    pub(super) brex_id: String,
    pub(super) name: Option<String>,
    pub(super) remote_id: Option<String>,
    pub(super) updated_at: String,
    pub(super) is_disabled: bool,
    pub(super) group: String,
}

/// One choice of a field.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::brex) struct FieldValue {
    pub(super) brex_id: String,
    pub(super) remote_id: Option<String>,
    pub(super) value_id: Option<String>,
    pub(super) value: String,
    pub(super) field_id: String,
    pub(super) updated_at: String,
    pub(super) is_disabled: bool,
}

/// The values of one field in the order in which they came.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Values {
    pub(super) items: BTreeMap<u64, FieldValue>,
    /// `brex_id:...`, `remote_id:...`, `value_id:...` to places; the first holder of a key counts.
    index: BTreeMap<String, u64>,
    next: u64,
}

/// All fields.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(in crate::brex) struct FieldBook {
    pub(super) fields: Vec<Field>,
    pub(super) values: BTreeMap<String, Values>,
}

/// What a coding looks like when its field, and maybe its value, was pushed.
#[derive(Debug, Clone)]
pub(in crate::brex) struct PushedCoding {
    pub(in crate::brex) field_id: String,
    pub(in crate::brex) field_name: Option<String>,
    /// Id and name.
    pub(in crate::brex) value: Option<(String, String)>,
}

impl FieldBook {
    pub(super) fn get(&self, id: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.brex_id == id)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Field> {
        self.fields.iter_mut().find(|field| field.brex_id == id)
    }

    pub(super) fn add(&mut self, field: Field) {
        self.values.insert(field.brex_id.clone(), Values::default());
        self.fields.push(field);
    }

    pub(super) fn remove(&mut self, id: &str) {
        self.fields.retain(|field| field.brex_id != id);
        self.values.remove(id);
    }

    /// The pushed field with this remote id, and its value with that one; what is disabled cannot be chosen.
    pub(in crate::brex) fn pushed(&self, remote_field: &str, remote_value: Option<&str>) -> Option<PushedCoding> {
        let wanted = |field: &&Field| field.remote_id.as_deref() == Some(remote_field) && !field.is_disabled;
        let field = self.fields.iter().find(wanted)?;
        let values = self.values.get(&field.brex_id);
        let value = remote_value.and_then(|id| values?.find("remote_id", id)).filter(|value| !value.is_disabled);
        Some(PushedCoding {
            field_id: field.brex_id.clone(),
            field_name: field.name.clone(),
            value: value.map(|value| (value.brex_id.clone(), value.value.clone())),
        })
    }
}

impl FieldValue {
    fn keys(&self) -> impl Iterator<Item = String> {
        let keys = [
            ("brex_id", Some(&self.brex_id)),
            ("remote_id", self.remote_id.as_ref()),
            ("value_id", self.value_id.as_ref()),
        ];
        keys.into_iter().filter_map(|(name, id)| id.map(|id| format!("{name}:{id}")))
    }
}

impl Values {
    fn place(&self, key: &str, id: &str) -> Option<u64> {
        self.index.get(&format!("{key}:{id}")).copied()
    }

    pub(super) fn find(&self, key: &str, id: &str) -> Option<&FieldValue> {
        self.items.get(&self.place(key, id)?)
    }

    pub(super) fn find_mut(&mut self, key: &str, id: &str) -> Option<&mut FieldValue> {
        self.items.get_mut(&self.place(key, id)?)
    }

    pub(super) fn add(&mut self, value: FieldValue) {
        for key in value.keys() {
            self.index.entry(key).or_insert(self.next);
        }
        self.items.insert(self.next, value);
        self.next += 1;
    }

    pub(super) fn remove(&mut self, key: &str, id: &str) -> bool {
        let Some(place) = self.place(key, id) else {
            return false;
        };
        let Some(value) = self.items.remove(&place) else {
            return false;
        };
        for key in value.keys() {
            if self.index.get(&key) == Some(&place) {
                self.index.remove(&key);
            }
        }
        true
    }
}
