//! The table `payloads`: what Brex sent, word for word. Rows are added and never changed.

use std::collections::HashMap;

use domain::id::{ConnectionId, RecordId};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::apply::Change;
use crate::db::Db;
use crate::dialect::{CHUNK, Statement, clean};
use crate::error::Error;
use crate::row::Table;

const TABLE: Table = Table { name: "payloads", key: &["connection", "record_id", "version", "revision"] };

/// What Brex sent for one version of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// The record.
    pub record_id: RecordId,
    /// Its version.
    pub version: i64,
    /// When it came.
    pub received_ms: i64,
    /// The text as it came.
    pub payload: String,
}

/// Methods on the payloads.
pub struct Payloads<'a> {
    pub(crate) db: &'a Db,
}

impl Payloads<'_> {
    /// The newest text of each of these versions, as far as there is one.
    pub async fn get_many(&self, connection: &ConnectionId, wanted: &[(RecordId, i64)]) -> Result<Vec<Payload>, Error> {
        let mut found = Vec::with_capacity(wanted.len());
        for wanted in wanted.chunks(CHUNK) {
            let statement = newest(connection, wanted.iter().map(|(id, version)| (id, *version)));
            for row in self.db.rows(statement).await? {
                found.push(read(&row)?.0);
            }
        }
        Ok(found)
    }
}

/// The newest revision of each of these versions.
fn newest<'k>(connection: &ConnectionId, wanted: impl Iterator<Item = (&'k RecordId, i64)>) -> Statement {
    Statement::new(
        "SELECT p.connection, p.record_id, p.version, p.revision, p.received_ms, p.payload FROM payloads p \
         WHERE p.connection = $1 AND p.revision = (SELECT MAX(n.revision) FROM payloads n \
         WHERE n.connection = p.connection AND n.record_id = p.record_id AND n.version = p.version) \
         AND (p.record_id, p.version) IN (",
    )
    .bind(connection.as_str())
    .push_rows(wanted, |(id, version), tuple| {
        tuple.bind(id.as_str()).bind(version);
    })
    .push(")")
}

fn read(row: &AnyRow) -> Result<(Payload, i64), Error> {
    let row = TABLE.row(row);
    let payload = Payload {
        record_id: RecordId::new(row.text("record_id")?),
        version: row.integer("version")?,
        received_ms: row.integer("received_ms")?,
        payload: row.text("payload")?,
    };
    Ok((payload, row.integer("revision")?))
}

/// Adds the payloads of the changes. The same text for the same version is there already; another text becomes the next
/// revision.
pub(crate) async fn append(
    tx: &mut AnyConnection,
    connection: &ConnectionId,
    now_ms: i64,
    changes: &[&Change],
) -> Result<(), Error> {
    let with_payload: Vec<(&RecordId, i64, String)> = changes
        .iter()
        .filter_map(|change| Some((&change.row.id, change.row.version, clean(change.payload.as_deref()?))))
        .collect();
    for chunk in with_payload.chunks(CHUNK) {
        let mut stored: HashMap<(RecordId, i64), (String, i64)> = HashMap::new();
        for row in newest(connection, chunk.iter().map(|(id, version, _)| (*id, *version))).rows(tx).await? {
            let (payload, revision) = read(&row)?;
            stored.insert((payload.record_id, payload.version), (payload.payload, revision));
        }
        let fresh = chunk.iter().filter_map(|(id, version, text)| match stored.get(&((*id).clone(), *version)) {
            None => Some((*id, *version, 1, text)),
            Some((same, _)) if same == text => None,
            Some((_, revision)) => Some((*id, *version, revision.saturating_add(1), text)),
        });
        insert(tx, connection, now_ms, fresh.collect()).await?;
    }
    Ok(())
}

async fn insert(
    tx: &mut AnyConnection,
    connection: &ConnectionId,
    now_ms: i64,
    rows: Vec<(&RecordId, i64, i64, &String)>,
) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    Statement::new("INSERT INTO payloads (connection, record_id, version, revision, received_ms, payload) ")
        .push_rows(rows, |(id, version, revision, text), tuple| {
            tuple
                .bind(connection.as_str())
                .bind(id.as_str())
                .bind(version)
                .bind(revision)
                .bind(now_ms)
                .bind(text.as_str());
        })
        .execute(tx)
        .await
        .map(drop)
}
