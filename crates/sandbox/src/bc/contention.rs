//! Two sessions that want the same row: lock timeouts, deadlocks, and rows that changed under a running write. Planned as
//! faults, because nobody else works in the sandbox's company.

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::auth;
use super::error::Refusal;
use super::permissions::table_of;
use crate::ids::Ids;

/// What the platform says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contention {
    /// Another session has held the row for too long.
    LockTimeout,
    /// Each of two sessions waits for the other.
    Deadlock,
    /// The row changed between the read and the write of one request.
    Modified,
}

impl Contention {
    /// The body of the answer to a request with this path.
    pub(crate) fn body(self, path: &str, status: StatusCode, ids: &Ids) -> Value {
        let table = table(path).unwrap_or("Purchase Header");
        let text = match self {
            Self::LockTimeout => format!(
                "We can't save your changes right now, because a record in table '{table}' is being updated in a transaction done by another session."
            ),
            Self::Deadlock => format!(
                "Your activity was deadlocked with another user who was modifying data in the table '{table}'. Please retry the activity."
            ),
            Self::Modified => format!(
                "Another user has modified the record for this {table} after you retrieved it from the database."
            ),
        };
        Refusal::contention(text, status).body(ids.guid())
    }
}

/// The table of the last set in a path.
fn table(path: &str) -> Option<&'static str> {
    let sets = auth::route(path)?.rest.rsplit('/').map(|segment| segment.split('(').next().unwrap_or_default());
    sets.into_iter().find_map(table_of)
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn the_table_is_that_of_the_innermost_set() {
        let path = "/v2.0/Production/api/v2.0/companies(1)/purchaseInvoices(2)/purchaseInvoiceLines(3)";
        assert_eq!(table(path), Some("Purchase Line"));
        assert_eq!(
            table("/v2.0/Production/api/v2.0/companies(1)/purchaseInvoices(2)/Microsoft.NAV.post"),
            Some("Purchase Header")
        );
        assert_eq!(table("/v2.0/Production/api/v2.0/$batch"), None);
    }
}
