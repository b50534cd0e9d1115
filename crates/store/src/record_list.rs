//! The table `records` as people look at it: the newest first, filtered, a page at a time. Each question has an index.

use domain::hold::HoldCode;
use domain::id::{ConnectionId, RecordId};
use domain::stage::Stage;

use crate::dialect::{Statement, clean};
use crate::error::Error;
use crate::records::{RecordRow, Records, SELECT, read};

/// The newest first, sorted after they were found.
const BY_TIME_SORTED: &str = " ORDER BY +first_seen_ms DESC, id DESC LIMIT ";

/// Which records are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// All.
    All,
    /// Those at a stage, held or not.
    Stage(Stage),
    /// Those that are held, for any reason.
    Held,
    /// Those that are held for this reason.
    HeldFor(HoldCode),
}

/// The place in a list after which to go on: when the record was first seen (milliseconds), and its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct After {
    /// When it was first seen.
    pub first_seen_ms: i64,
    /// Its id.
    pub id: RecordId,
}

/// Exports of one day (UTC).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exports {
    /// Days since 1970.
    pub day: i64,
    /// Number of records.
    pub records: i64,
    /// Milliseconds from first seen to exported, all together.
    pub took_ms: i64,
}

impl Records<'_> {
    /// The newest first, after `after`.
    pub async fn page(
        &self,
        connection: &ConnectionId,
        filter: Filter,
        after: Option<&After>,
        limit: i64,
    ) -> Result<Vec<RecordRow>, Error> {
        let statement = Statement::new(SELECT).push(" WHERE connection = ").push_bind(connection.as_str());
        let statement = match filter {
            Filter::All => statement,
            Filter::Stage(stage) => statement.push(" AND stage = ").push_bind(stage.as_str()),
            // Every code comes after the empty text: so the index of what is held is used.
            Filter::Held => statement.push(" AND hold_code IS NOT NULL AND hold_code > ''"),
            Filter::HeldFor(code) => {
                statement.push(" AND hold_code IS NOT NULL AND hold_code = ").push_bind(code.as_str())
            }
        };
        // What is held for any reason is little, and is sorted. A plus keeps the databases from walking through everything in the
        // order of time instead, until they have met enough that is held.
        let is_sorted = filter == Filter::Held;
        let statement = match after {
            None => statement,
            Some(after) => statement
                .push(if is_sorted { " AND (+first_seen_ms, id) < (" } else { " AND (first_seen_ms, id) < (" })
                .push_bind(after.first_seen_ms)
                .push(", ")
                .push_bind(after.id.as_str())
                .push(")"),
        };
        let order = if is_sorted { BY_TIME_SORTED } else { " ORDER BY first_seen_ms DESC, id DESC LIMIT " };
        self.db.rows(statement.push(order).push_bind(limit)).await?.iter().map(read).collect()
    }

    /// What `text` names: a record by its id, a document by either number, or the merchants that begin so, whatever the case.
    /// The first of these that finds something; merchants in the order of their names.
    pub async fn search(&self, connection: &ConnectionId, text: &str, limit: i64) -> Result<Vec<RecordRow>, Error> {
        let text = clean(text.trim());
        let lower = text.to_ascii_lowercase();
        let of = || Statement::new(SELECT).push(" WHERE connection = ").push_bind(connection.as_str());
        let exact = [" AND id = ", " AND document_key = ", " AND document_no = "];
        let exact = exact.map(|column| of().push(column).push_bind(text.as_str()).push(BY_TIME_SORTED));
        let merchant = of()
            .push(" AND merchant_lower >= ")
            .push_bind(lower.as_str())
            .push(" AND merchant_lower < ")
            .push_bind(format!("{lower}\u{10FFFF}"))
            .push(" ORDER BY merchant_lower, id DESC LIMIT ");
        for statement in exact.into_iter().chain([merchant]) {
            let found = self.db.rows(statement.push_bind(limit)).await?;
            if !found.is_empty() {
                return found.iter().map(read).collect();
            }
        }
        Ok(Vec::new())
    }
}
