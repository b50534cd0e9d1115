//! What the inbox keeps of a notification: which row or set changed, and how. Nothing in it is secret or an address.

use clients::bc::{ChangeType, Resource};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Something changed in Business Central.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The entity set, such as `vendors`.
    pub set: String,
    /// The row; none if the whole set has to be looked at.
    pub row: Option<Uuid>,
    /// Whether something may be gone.
    pub may_be_deleted: bool,
}

impl Change {
    /// What a notification says. A kind of change that is not known may be any.
    pub fn of(resource: &Resource, change: &ChangeType) -> Self {
        let may_be_deleted = match change {
            ChangeType::Created | ChangeType::Updated => false,
            ChangeType::Collection => !resource.is_filtered,
            ChangeType::Deleted | ChangeType::Other(_) => true,
        };
        Self { set: resource.set.clone(), row: resource.row, may_be_deleted }
    }

    /// As it is kept.
    pub fn to_json(&self) -> String {
        serde_json::json!({ "set": self.set, "row": self.row, "may_be_deleted": self.may_be_deleted }).to_string()
    }

    /// As it was kept.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}
