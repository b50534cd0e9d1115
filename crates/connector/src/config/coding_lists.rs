//! `[connection.coding_lists]`: which lists of Business Central people code with in Brex.

use domain::coding_list::{ACCOUNT_FIELD, TAX_FIELD, VENDOR_FIELD};
use domain::rules::{Axis, FieldRules};
use serde::Deserialize;

use super::ConfigError;

/// The lists that are kept in Brex. Off unless switched on.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "lists that are switched on one by one")]
pub struct CodingListsSection {
    /// Whether lists are kept at all.
    pub enabled: bool,
    /// The G/L accounts that may stand on a line.
    pub accounts: bool,
    /// The vendors that may receive documents.
    pub vendors: bool,
    /// The tax codes.
    pub tax_codes: bool,
    /// Codes of the dimensions whose values are kept.
    pub dimensions: Vec<String>,
    /// The name that Brex gave to this integration. Needed to make the fields, not to keep their values.
    pub integration_vendor: Option<String>,
    /// Seconds between two looks at what changed in Business Central.
    pub seconds: u32,
    /// Seconds between two comparisons with what Brex has.
    pub compare_seconds: u32,
}

impl Default for CodingListsSection {
    fn default() -> Self {
        Self {
            enabled: false,
            accounts: true,
            vendors: false,
            tax_codes: false,
            dimensions: Vec::new(),
            integration_vendor: None,
            seconds: 900,
            compare_seconds: 86_400,
        }
    }
}

impl CodingListsSection {
    /// Refuses what could not be read back: a field is recognised by the id that it is made with.
    pub(super) fn check(&self, fields: &FieldRules, key: &dyn Fn(&str) -> String) -> Result<(), ConfigError> {
        if !self.enabled {
            return Ok(());
        }
        for (name, seconds) in
            [("coding_lists.seconds", self.seconds), ("coding_lists.compare_seconds", self.compare_seconds)]
        {
            if seconds == 0 {
                return Err(ConfigError::value(key(name), "must be at least 1"));
            }
        }
        let axes = [
            ("fields.account", self.accounts, ACCOUNT_FIELD, Axis::Account),
            ("fields.vendor", self.vendors, VENDOR_FIELD, Axis::Vendor),
            ("tax.fields", self.tax_codes, TAX_FIELD, Axis::Tax),
        ];
        for (name, on, remote_id, axis) in axes {
            if on && fields.axis(Some(remote_id), None) != axis {
                let text = format!("must contain {remote_id}, the id of the field that coding_lists makes");
                return Err(ConfigError::value(key(name), text));
            }
        }
        for (place, code) in self.dimensions.iter().enumerate() {
            if code.trim().is_empty() || code.chars().count() > 20 {
                let text = format!("has {code:?}, which is no code of a dimension, such as DEPARTMENT");
                return Err(ConfigError::value(key("coding_lists.dimensions"), text));
            }
            if self.dimensions.iter().take(place).any(|earlier| earlier.eq_ignore_ascii_case(code)) {
                return Err(ConfigError::value(key("coding_lists.dimensions"), format!("has {code:?} twice")));
            }
            let remote_id = format!("{}{code}", fields.dimension_prefix);
            if fields.axis(Some(&remote_id), None) != Axis::Dimension(code.clone()) {
                let text = format!("must not be empty, since a dimension's field is called {remote_id:?}");
                return Err(ConfigError::value(key("fields.dimension_prefix"), text));
            }
        }
        Ok(())
    }
}
