//! The one write to records: rows, payloads, intents and audit entries of a batch, in one transaction.

use std::collections::{HashMap, HashSet};

use domain::audit::{Actor, Note};
use domain::id::{ConnectionId, RecordId};
use sqlx::AnyConnection;

use crate::dialect::{CHUNK, Statement};
use crate::error::Error;
use crate::intents::{self, IntentChange};
use crate::lanes::{self, Lease};
use crate::record_counts::{Changes, Counted};
use crate::records::{RecordRow, Records, TABLE};
use crate::vendor_matches::{self, VendorMatch};
use crate::{audit, payloads, record_columns};

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
        let unknown = unknown(chunk);
        let mut stored = stored(tx, connection, &unknown).await?;
        // A second change of the same record in a batch was made from a row that the first one replaces.
        let mut seen: HashSet<&RecordId> = HashSet::new();
        let is_current: Vec<bool> = chunk
            .iter()
            .map(|change| {
                let row = &change.row;
                let is_as_read =
                    !unknown.contains(&&row.id) || stored.get(&row.id).map_or(0, |(rev, _)| *rev) == row.rev;
                is_as_read && !written.contains(&row.id) && seen.insert(&row.id)
            })
            .collect();
        for row in chunk.iter().map(|change| &change.row).filter(|row| !unknown.contains(&&row.id)) {
            stored.extend(row.as_read.before(row).map(|before| (row.id.clone(), (before.rev, Counted::of(before)))));
        }
        let current: Vec<&RecordRow> =
            chunk.iter().zip(&is_current).filter_map(|(change, current)| current.then_some(&change.row)).collect();
        let (new, known): (Vec<&RecordRow>, Vec<&RecordRow>) = current.iter().partition(|row| row.rev == 0);
        let mut ids = record_columns::insert(tx, now_ms, &new).await?;
        ids.extend(record_columns::update(tx, now_ms, &known).await?);
        for row in current.iter().filter(|row| ids.contains(&row.id)) {
            counts.note(row, stored.get(&row.id).map(|(_, counted)| counted), now_ms);
        }
        done.extend(chunk.iter().zip(is_current).map(|(change, current)| current && ids.contains(&change.row.id)));
        written.extend(ids);
    }
    counts.write(tx, connection).await?;
    Ok(done)
}

/// The records of which the database has to say how they stand: of a row that was read the write itself tells whether it still stands so,
/// and of a new one whether it is new.
fn unknown(changes: &[Change]) -> HashSet<&RecordId> {
    let mut once = HashSet::new();
    let is_unknown = |row: &RecordRow| row.rev > 0 && row.as_read.before(row).is_none();
    let rows = changes.iter().map(|change| &change.row);
    rows.filter(|row| !once.insert(&row.id) || is_unknown(row)).map(|row| &row.id).collect()
}

/// The `rev` of each of these records that is there, and what counts of it.
async fn stored(
    tx: &mut AnyConnection,
    connection: &ConnectionId,
    ids: &HashSet<&RecordId>,
) -> Result<HashMap<RecordId, (i64, Counted)>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = Statement::new("SELECT connection, id, rev, ")
        .push(Counted::COLUMNS)
        .push(" FROM records WHERE connection = $1 AND id IN ")
        .bind(connection.as_str())
        .push_list(ids.iter().map(|id| id.as_str()))
        .rows(tx)
        .await?;
    rows.iter()
        .map(|row| {
            let row = TABLE.row(row);
            Ok((RecordId::new(row.text("id")?), (row.integer("rev")?, Counted::read(&row)?)))
        })
        .collect()
}
