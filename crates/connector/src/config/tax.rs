//! `[connection.tax]`: which tax code lines carry, and whether prices include tax. Without any of it, gross amounts are booked
//! without a code.

use domain::tax::TaxRules;
use serde::Deserialize;

use super::ConfigError;

/// How lines are taxed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TaxSection {
    /// Ids or names of the field with the tax code; none at all means that no field has it.
    pub fields: Option<Vec<String>>,
    /// Code or name for lines that neither their coding nor a rule says anything about.
    pub default: Option<String>,
    /// Whether prices on invoices include tax: VAT companies only.
    pub prices_include_tax: bool,
}

impl TaxSection {
    pub(super) fn check(&self, key: &dyn Fn(&str) -> String) -> Result<(), ConfigError> {
        if self.default.as_ref().is_some_and(|code| code.trim().is_empty()) {
            return Err(ConfigError::value(key("tax.default"), "is empty: leave it out for no tax code"));
        }
        Ok(())
    }

    pub(super) fn rules(&self) -> TaxRules {
        TaxRules { default: self.default.clone(), prices_include_tax: self.prices_include_tax }
    }
}
