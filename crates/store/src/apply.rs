//! The one write to records: rows, payloads, intents and audit entries of a batch, in one transaction.

use std::collections::{HashMap, HashSet};

use domain::audit::{Actor, Note};
use domain::document::DocumentKind;
use domain::failure::Failure;
use domain::id::{ConnectionId, RecordId};
use sqlx::AnyConnection;

use crate::dialect::{CHUNK, Statement, Tuple, clean};
use crate::error::Error;
use crate::intents::{self, IntentChange};
use crate::lanes::{self, Lease};
use crate::record_counts::{Changes, Counted};
use crate::records::{RecordRow, Records, TABLE};
use crate::vendor_matches::{self, VendorMatch};
use crate::{audit, payloads};

/// One record's change.
#[derive(Clone, Debug)]
pub struct Change {
    /// The row as it shall be, with the `rev` that was read (0 = it must not be there yet).
    pub row: RecordRow,
    /// What Brex sent, if it is to be kept.
    pub payload: Option<String>,
    /// What the trail is to say.
    pub notes: Vec<Note>,
    /// The intent it opens, probes or settles.
    pub intent: Option<IntentChange>,
    /// What the matcher said about its merchant, if it was asked.
    pub matched: Option<VendorMatch>,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It is written.
    Done,
    /// The row was written by somebody else meanwhile; nothing of the change is left.
    Stale,
}

const INSERT: &str = "INSERT INTO records (connection, id, version, record_type, source_type, amount, currency, \
     merchant, posting_date, stage, rev, hold_code, hold_text, held_ms, due_ms, attempts, vendor_number, document_kind, \
     document_key, document_id, document_no, plan, first_seen_ms, updated_ms, exported_ms, source_id, posted_ms, \
     failure) ";

/// `first_seen_ms` stays what it was. The last condition decides between writers that read the same `rev`.
const OR_UPDATE: &str = " ON CONFLICT (connection, id) DO UPDATE SET version = excluded.version, \
     record_type = excluded.record_type, source_type = excluded.source_type, amount = excluded.amount, \
     currency = excluded.currency, merchant = excluded.merchant, posting_date = excluded.posting_date, \
     stage = excluded.stage, rev = excluded.rev, hold_code = excluded.hold_code, hold_text = excluded.hold_text, \
     held_ms = excluded.held_ms, due_ms = excluded.due_ms, attempts = excluded.attempts, \
     vendor_number = excluded.vendor_number, document_kind = excluded.document_kind, \
     document_key = excluded.document_key, document_id = excluded.document_id, document_no = excluded.document_no, \
     plan = excluded.plan, updated_ms = excluded.updated_ms, exported_ms = excluded.exported_ms, source_id = excluded.source_id, \
     posted_ms = excluded.posted_ms, failure = excluded.failure \
     WHERE records.rev = excluded.rev - 1 RETURNING connection, id";

impl Records<'_> {
    /// Writes a batch in one transaction, under the lease. A row is written only if its `rev` still is the one that was
    /// read; of a stale one neither payload nor note nor intent is written. Sets `updated_ms`, and `rev` to the next.
    pub async fn apply(
        &self,
        lease: &Lease,
        connection: &ConnectionId,
        now_ms: i64,
        actor: &Actor,
        changes: &[Change],
    ) -> Result<Vec<Applied>, Error> {
        if let Some(foreign) = changes.iter().find(|change| change.row.connection != *connection) {
            return Err(Error::ForeignRecord { record: foreign.row.id.to_string() });
        }
        in_transaction!(self.db, tx => {
            lanes::fence(&mut tx, lease).await?;
            let done = write_rows(&mut tx, connection, now_ms, changes).await?;
            let written: Vec<&Change> =
                changes.iter().zip(&done).filter_map(|(change, done)| done.then_some(change)).collect();
            payloads::append(&mut tx, connection, now_ms, &written).await?;
            intents::write(&mut tx, connection, now_ms, &written).await?;
            vendor_matches::write(&mut tx, connection, now_ms, &written).await?;
            let notes = written.iter().flat_map(|change| &change.notes).collect();
            audit::append_notes(&mut tx, connection, now_ms, actor, notes).await?;
            done.into_iter().map(|done| if done { Applied::Done } else { Applied::Stale }).collect()
        })
    }
}

/// Writes the rows and says of each change whether it was written.
async fn write_rows(
    tx: &mut AnyConnection,
    connection: &ConnectionId,
    now_ms: i64,
    changes: &[Change],
) -> Result<Vec<bool>, Error> {
    let mut written: HashSet<RecordId> = HashSet::new();
    let mut done = Vec::with_capacity(changes.len());
    let mut counts = Changes::default();
    for chunk in changes.chunks(CHUNK) {
        let stored = stored(tx, connection, chunk).await?;
        // A second change of the same record in a batch was made from a row that the first one replaces.
        let mut seen: HashSet<&RecordId> = HashSet::new();
        let is_current: Vec<bool> = chunk
            .iter()
            .map(|change| {
                let row = &change.row;
                stored.get(&row.id).map_or(0, |(rev, _)| *rev) == row.rev
                    && !written.contains(&row.id)
                    && seen.insert(&row.id)
            })
            .collect();
        let current: Vec<&RecordRow> =
            chunk.iter().zip(&is_current).filter_map(|(change, current)| current.then_some(&change.row)).collect();
        let ids = upsert(tx, now_ms, &current).await?;
        for row in current.iter().filter(|row| ids.contains(&row.id)) {
            counts.note(row, stored.get(&row.id).map(|(_, counted)| counted));
        }
        done.extend(chunk.iter().zip(is_current).map(|(change, current)| current && ids.contains(&change.row.id)));
        written.extend(ids);
    }
    counts.write(tx, connection).await?;
    Ok(done)
}

/// The `rev` of each record that is there, and what counts of it.
async fn stored(
    tx: &mut AnyConnection,
    connection: &ConnectionId,
    changes: &[Change],
) -> Result<HashMap<RecordId, (i64, Counted)>, Error> {
    let rows = Statement::new("SELECT connection, id, rev, ")
        .push(Counted::COLUMNS)
        .push(" FROM records WHERE connection = $1 AND id IN ")
        .bind(connection.as_str())
        .push_list(changes.iter().map(|change| change.row.id.as_str()))
        .rows(tx)
        .await?;
    rows.iter()
        .map(|row| {
            let row = TABLE.row(row);
            Ok((RecordId::new(row.text("id")?), (row.integer("rev")?, Counted::read(&row)?)))
        })
        .collect()
}

/// Inserts or updates and returns the ids that were written.
async fn upsert(tx: &mut AnyConnection, now_ms: i64, rows: &[&RecordRow]) -> Result<HashSet<RecordId>, Error> {
    if rows.is_empty() {
        return Ok(HashSet::new());
    }
    let statement = Statement::new(INSERT).push_rows(rows, |row, tuple| bind_row(row, now_ms, tuple)).push(OR_UPDATE);
    let written = statement.rows(tx).await?;
    written.iter().map(|row| TABLE.row(row).text("id").map(RecordId::new)).collect()
}

fn bind_row(row: &RecordRow, now_ms: i64, tuple: &mut Tuple<'_>) {
    let text = |text: &Option<String>| text.as_deref().map(clean);
    tuple
        .bind(row.connection.as_str())
        .bind(row.id.as_str())
        .bind(row.version)
        .bind(clean(&row.record_type))
        .bind(clean(&row.source_type))
        .bind(row.amount.map(|amount| amount.to_string()))
        .bind(text(&row.currency))
        .bind(text(&row.merchant))
        .bind(text(&row.posting_date))
        .bind(row.stage.as_str())
        .bind(row.rev.saturating_add(1))
        .bind(row.hold.as_ref().map(|hold| hold.code.as_str()))
        .bind(row.hold.as_ref().map(|hold| clean(&hold.sentence)))
        .bind(row.held_ms)
        .bind(row.due_ms)
        .bind(row.attempts)
        .bind(text(&row.vendor_number))
        .bind(row.document_kind.map(DocumentKind::as_str))
        .bind(text(&row.document_key))
        .bind(row.document_id.map(|id| id.to_string()))
        .bind(text(&row.document_no))
        .bind(text(&row.plan))
        .bind(row.first_seen_ms)
        .bind(now_ms)
        .bind(row.exported_ms)
        .bind(text(&row.source_id))
        .bind(row.posted_ms)
        .bind(row.failure.as_ref().map(Failure::stored));
}
