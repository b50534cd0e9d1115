//! The table `vendor_matches`: what was asked about a record's merchant, and what the matcher said last. The trail keeps
//! every decision; this is the newest one of each record, for lists and for deciding again without asking Brex again.

use domain::id::{ConnectionId, RecordId};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::apply::Change;
use crate::db::Db;
use crate::dialect::{CHUNK, Statement, clean};
use crate::error::Error;
use crate::row::Table;

const TABLE: Table = Table { name: "vendor_matches", key: &["connection", "record_id"] };

/// The newest decision about a record's merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VendorMatch {
    /// The record.
    pub record_id: RecordId,
    /// Version of the record.
    pub version: i64,
    /// What was asked, as JSON.
    pub asked: String,
    /// What the matcher said, as JSON.
    pub decision: String,
    /// When.
    pub decided_ms: i64,
}

/// Methods on the matches.
pub struct VendorMatches<'a> {
    pub(crate) db: &'a Db,
}

impl VendorMatches<'_> {
    /// The matches of these records, in no particular order.
    pub async fn find_many(&self, connection: &ConnectionId, ids: &[RecordId]) -> Result<Vec<VendorMatch>, Error> {
        let mut found = Vec::new();
        for ids in ids.chunks(CHUNK) {
            let statement = Statement::new(
                "SELECT connection, record_id, version, asked, decision, decided_ms FROM vendor_matches \
                 WHERE connection = $1 AND record_id IN ",
            )
            .bind(connection.as_str())
            .push_list(ids.iter().map(RecordId::as_str));
            for row in self.db.rows(statement).await? {
                found.push(read(&row)?);
            }
        }
        Ok(found)
    }
}

/// Writes the matches of changes that were written.
pub(crate) async fn write(
    tx: &mut AnyConnection,
    connection: &ConnectionId,
    now_ms: i64,
    changes: &[&Change],
) -> Result<(), Error> {
    let matches: Vec<&VendorMatch> = changes.iter().filter_map(|change| change.matched.as_ref()).collect();
    for matches in matches.chunks(CHUNK) {
        Statement::new("INSERT INTO vendor_matches (connection, record_id, version, asked, decision, decided_ms) ")
            .push_rows(matches, |matched, tuple| {
                tuple
                    .bind(connection.as_str())
                    .bind(matched.record_id.as_str())
                    .bind(matched.version)
                    .bind(clean(&matched.asked))
                    .bind(clean(&matched.decision))
                    .bind(now_ms);
            })
            .push(
                " ON CONFLICT (connection, record_id) DO UPDATE SET version = excluded.version, asked = excluded.asked, \
                 decision = excluded.decision, decided_ms = excluded.decided_ms",
            )
            .execute(tx)
            .await?;
    }
    Ok(())
}

fn read(row: &AnyRow) -> Result<VendorMatch, Error> {
    let row = TABLE.row(row);
    Ok(VendorMatch {
        record_id: RecordId::new(row.text("record_id")?),
        version: row.integer("version")?,
        asked: row.text("asked")?,
        decision: row.text("decision")?,
        decided_ms: row.integer("decided_ms")?,
    })
}
