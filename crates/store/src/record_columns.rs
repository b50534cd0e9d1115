//! The columns of the table `records` that a step may change, and which of them it did. `records` has a dozen indexes, and whatever is
//! written to a column is written to each index with that column: a step that moves a record on writes four columns, not all.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use domain::document::DocumentKind;
use domain::failure::Failure;
use domain::id::RecordId;
use sqlx::AnyConnection;

use crate::dialect::{Statement, Tuple, clean};
use crate::error::Error;
use crate::records::{RecordRow, TABLE};

/// A row as it was when it was read, if it was. It is no column: rows are equal if their columns are.
#[derive(Clone, Default)]
pub struct AsRead(Option<Arc<RecordRow>>);

impl AsRead {
    /// What was read.
    pub(crate) fn of(row: &RecordRow) -> Self {
        Self(Some(Arc::new(RecordRow { as_read: Self::default(), ..row.clone() })))
    }

    /// The row that `row` was made from, if it was read and is to be replaced.
    pub(crate) fn before<'r>(&'r self, row: &RecordRow) -> Option<&'r RecordRow> {
        let before = self.0.as_deref()?;
        let is_same = before.rev == row.rev && before.id == row.id && before.connection == row.connection;
        is_same.then_some(before)
    }
}

impl PartialEq for AsRead {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for AsRead {}

impl fmt::Debug for AsRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "read" } else { "new" })
    }
}

struct Column {
    name: &'static str,
    bind: fn(&RecordRow, &mut Tuple<'_>),
    same: fn(&RecordRow, &RecordRow) -> bool,
}

macro_rules! column {
    ($name:ident, $row:ident => $value:expr) => {
        column!($name, $row => $value, $name)
    };
    ($name:ident, $row:ident => $value:expr, $field:ident) => {
        Column {
            name: stringify!($name),
            bind: |$row, tuple| {
                tuple.bind($value);
            },
            same: |one, other| one.$field == other.$field,
        }
    };
}

/// What a step leaves alone unless it says otherwise. Beside these every write sets `stage`, `rev`, `due_ms` and `updated_ms`.
const COLUMNS: [Column; 21] = [
    column!(version, row => row.version),
    column!(record_type, row => clean(&row.record_type)),
    column!(source_type, row => clean(&row.source_type)),
    column!(amount, row => row.amount.map(|amount| amount.to_string())),
    column!(currency, row => text(row.currency.as_ref())),
    column!(merchant, row => text(row.merchant.as_ref())),
    column!(posting_date, row => text(row.posting_date.as_ref())),
    column!(hold_code, row => row.hold.as_ref().map(|hold| hold.code.as_str()), hold),
    column!(hold_text, row => row.hold.as_ref().map(|hold| clean(&hold.sentence)), hold),
    column!(held_ms, row => row.held_ms),
    column!(attempts, row => row.attempts),
    column!(vendor_number, row => text(row.vendor_number.as_ref())),
    column!(document_kind, row => row.document_kind.map(DocumentKind::as_str)),
    column!(document_key, row => text(row.document_key.as_ref())),
    column!(document_id, row => row.document_id.map(|id| id.to_string())),
    column!(document_no, row => text(row.document_no.as_ref())),
    column!(plan, row => text(row.plan.as_ref())),
    column!(exported_ms, row => row.exported_ms),
    column!(source_id, row => text(row.source_id.as_ref())),
    column!(posted_ms, row => row.posted_ms),
    column!(failure, row => row.failure.as_ref().map(Failure::stored)),
];

fn text(text: Option<&String>) -> Option<String> {
    text.map(|text| clean(text))
}

/// Inserts rows that are not there yet, and returns the ids of those that were not.
pub(crate) async fn insert(
    tx: &mut AnyConnection,
    now_ms: i64,
    rows: &[&RecordRow],
) -> Result<HashSet<RecordId>, Error> {
    if rows.is_empty() {
        return Ok(HashSet::new());
    }
    let mut statement =
        Statement::new("INSERT INTO records (connection, id, first_seen_ms, stage, rev, due_ms, updated_ms");
    for column in &COLUMNS {
        statement = statement.push(", ").push(column.name);
    }
    let statement = statement
        .push(") ")
        .push_rows(rows, |row, tuple| {
            tuple.bind(row.connection.as_str()).bind(row.id.as_str()).bind(row.first_seen_ms);
            bind_always(row, now_ms, tuple);
            for column in &COLUMNS {
                (column.bind)(row, tuple);
            }
        })
        .push(" ON CONFLICT (connection, id) DO NOTHING RETURNING id");
    ids_of(statement, tx).await
}

/// Updates rows that stand as they were read, and returns their ids. When a record was first seen stays what it was; the last condition
/// decides between writers that read the same `rev`.
pub(crate) async fn update(
    tx: &mut AnyConnection,
    now_ms: i64,
    rows: &[&RecordRow],
) -> Result<HashSet<RecordId>, Error> {
    if rows.is_empty() {
        return Ok(HashSet::new());
    }
    let changed: Vec<&Column> =
        COLUMNS.iter().filter(|column| rows.iter().any(|row| is_changed(row, column))).collect();
    let mut statement = Statement::new(
        "UPDATE records SET stage = changed.column3, rev = changed.column4, due_ms = changed.column5, \
         updated_ms = changed.column6",
    );
    for (column, value) in changed.iter().zip(VALUES) {
        statement = statement.push(", ").push(column.name).push(" = changed.").push(value);
    }
    let statement = statement
        .push(" FROM (")
        .push_rows(rows, |row, tuple| {
            tuple.bind(row.connection.as_str()).bind(row.id.as_str());
            bind_always(row, now_ms, tuple);
            for column in &changed {
                (column.bind)(row, tuple);
            }
        })
        .push(
            ") AS changed WHERE records.connection = changed.column1 AND records.id = changed.column2 \
             AND records.rev = changed.column4 - 1 RETURNING id",
        );
    ids_of(statement, tx).await
}

/// The names that both databases give to the values of a row, after those of [`bind_always`].
const VALUES: [&str; COLUMNS.len()] = [
    "column7", "column8", "column9", "column10", "column11", "column12", "column13", "column14", "column15",
    "column16", "column17", "column18", "column19", "column20", "column21", "column22", "column23", "column24",
    "column25", "column26", "column27",
];

fn bind_always(row: &RecordRow, now_ms: i64, tuple: &mut Tuple<'_>) {
    tuple.bind(row.stage.as_str()).bind(row.rev.saturating_add(1)).bind(row.due_ms).bind(now_ms);
}

fn is_changed(row: &RecordRow, column: &Column) -> bool {
    row.as_read.before(row).is_none_or(|before| !(column.same)(before, row))
}

async fn ids_of(statement: Statement, tx: &mut AnyConnection) -> Result<HashSet<RecordId>, Error> {
    let written = statement.rows(tx).await?;
    written.iter().map(|row| TABLE.row(row).text("id").map(RecordId::new)).collect()
}
