//! What an administrator does in Business Central by hand: the set-up behind the API, default dimensions of accounts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Bc;
use super::rules::Rules;
use super::sets::default_dimensions::{DefaultDimension, Validation};
use super::user::ChangeRefused;

/// A default dimension of a vendor or a G/L account; it replaces the one of the same dimension.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DefaultChange {
    /// Dimension code.
    pub dimension: String,
    /// Value code, blank for none.
    pub value: String,
    /// "Value Posting"
    pub validation: Validation,
    /// "Allowed Values Filter": value codes, empty for all.
    pub allowed: Vec<String>,
}

impl Bc {
    /// The set-up that the API does not show.
    pub fn rules(&self) -> Rules {
        self.lock().tables.rules.clone()
    }

    /// Replaces that set-up.
    pub fn set_rules(&self, rules: Rules) {
        self.lock().writable().rules = rules;
    }

    /// Gives a default dimension to the G/L account, or else the vendor, with a number.
    pub fn change_default(&self, number: &str, change: DefaultChange, now: Timestamp) -> Result<(), ChangeRefused> {
        let missing = |what: String| ChangeRefused::NotFound(what);
        let mut state = self.lock();
        let tables = state.writable();
        let account = tables.accounts.find(|account| account.number == number).map(|(id, _)| id);
        let vendor = || tables.vendor_by_number(number).map(|(id, _)| id);
        let owner = account.or_else(vendor).ok_or_else(|| missing(format!("account or vendor {number}")))?;
        let dimension = tables.dimensions.find(|row| row.code == change.dimension).map(|(id, _)| id);
        let dimension = dimension.ok_or_else(|| missing(format!("dimension {}", change.dimension)))?;
        let value = if change.value.is_empty() {
            Uuid::nil()
        } else {
            let found = tables.dimension_values.find(|(parent, row)| *parent == dimension && row.code == change.value);
            found.map(|(id, _)| id).ok_or_else(|| missing(format!("value {}", change.value)))?
        };
        let twin = tables.default_dimensions.find(|row| row.owner == owner && row.dimension == dimension);
        let id = twin.map_or_else(|| self.ids.guid(), |(id, _)| id);
        let row = DefaultDimension { owner, dimension, value, validation: change.validation, allowed: change.allowed };
        tables.put(|tables| &mut tables.default_dimensions, id, row, now);
        Ok(())
    }
}
