//! Dimensions and their values, read only. Whether a value is blocked or a heading is not shown by the API: that comes
//! out on use.
//! <https://learn.microsoft.com/dynamics365/business-central/dev-itpro/api-reference/v2.0/resources/dynamics_dimension>

use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use super::odata::{Filter, Query};
use super::{Company, Pages};
use crate::error::Error;
use crate::wire::{instant_or_none, or_default};

/// A dimension, such as DEPARTMENT.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dimension {
    /// The id.
    pub id: Uuid,
    /// The code.
    pub code: String,
    /// The name.
    #[serde(default, deserialize_with = "or_default")]
    pub display_name: String,
    /// The last change.
    #[serde(default, rename = "lastModifiedDateTime", deserialize_with = "instant_or_none")]
    pub last_modified: Option<Timestamp>,
}

/// A value of a dimension, such as SALES.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DimensionValue {
    /// The id.
    pub id: Uuid,
    /// The code, unique within its dimension.
    pub code: String,
    /// The dimension it belongs to.
    pub dimension_id: Uuid,
    /// The name.
    #[serde(default, deserialize_with = "or_default")]
    pub display_name: String,
    /// The last change.
    #[serde(default, rename = "lastModifiedDateTime", deserialize_with = "instant_or_none")]
    pub last_modified: Option<Timestamp>,
}

impl Company {
    /// All dimensions.
    pub fn list_dimensions(&self) -> Result<Pages<Dimension>, Error> {
        self.pages("list_dimensions", &["dimensions"], &Query::default())
    }

    /// The dimension values that changed after `modified_since`, or all of them, of every dimension.
    pub fn list_dimension_values(&self, modified_since: Option<Timestamp>) -> Result<Pages<DimensionValue>, Error> {
        let changed = modified_since.map(|instant| Filter::after("lastModifiedDateTime", instant));
        self.pages("list_dimension_values", &["dimensionValues"], &Query::default().filter(changed.as_ref()))
    }
}
