//! `[connection.clearing]`: how posted card invoices are cleared.

use serde::Deserialize;

use super::ConfigError;

/// What is done about a posted card invoice, which stays an open payable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clearing {
    /// Nothing: it is cleared in Business Central.
    #[default]
    None,
    /// A payment line that is applied to it is prepared in a journal, for a person to post.
    Journal,
}

/// Clearing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClearingSection {
    /// What is done.
    pub policy: Clearing,
    /// Code of the vendor payment journal.
    pub journal: String,
    /// Number of the account that balances its lines: the card liability. A journal with another one is not written to.
    pub account: String,
}

impl ClearingSection {
    pub(super) fn check(&self, key: &dyn Fn(&str) -> String) -> Result<(), ConfigError> {
        for (name, value) in [("clearing.journal", &self.journal), ("clearing.account", &self.account)] {
            if self.policy == Clearing::Journal && value.trim().is_empty() {
                return Err(ConfigError::value(key(name), "is empty, and the policy journal needs it"));
            }
        }
        Ok(())
    }
}
