//! `[connection.brex] source`: which of Brex's two APIs tells what is to be booked.

use serde::Deserialize;

use super::{ConfigError, ConnectionConfig};

/// Where records come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The accounting API: every record, and Brex is told what was exported.
    #[default]
    Accounting,
    /// Approved card expenses, where the accounting API is not granted. Brex can be told nothing.
    Expenses,
}

impl Source {
    /// As it stands in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accounting => "accounting",
            Self::Expenses => "expenses",
        }
    }

    /// What people who look at the books should know about it; nothing where nothing is missing.
    pub fn limits(self) -> Option<&'static str> {
        match self {
            Self::Accounting => None,
            Self::Expenses => Some(
                "brex.source is \"expenses\": only approved card expenses are booked, found by the schedule alone, and Brex is not told \
                 what was exported or why something is held (docs/expenses-source.md)",
            ),
        }
    }
}

/// Refuses what needs the accounting API.
pub(super) fn check(settings: &ConnectionConfig, key: &dyn Fn(&str) -> String) -> Result<(), ConfigError> {
    if settings.brex.source == Source::Accounting {
        return Ok(());
    }
    let refused = |name: &str, what: &str| {
        let text =
            format!("{what}, which brex.source = \"expenses\" does not have: leave it out (docs/expenses-source.md)");
        Err(ConfigError::value(key(name), text))
    };
    if settings.failures.is_on() {
        return refused("failures.report", "tells Brex by the accounting API");
    }
    if settings.coding_lists.enabled {
        return refused("coding_lists.enabled", "makes fields of an accounting integration");
    }
    Ok(())
}
