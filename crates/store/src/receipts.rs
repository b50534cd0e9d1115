//! The table `receipts`: the files of records that were sent to a document, and which one stands for each.

use domain::id::{ConnectionId, RecordId};
use sqlx::any::AnyRow;
use uuid::Uuid;

use crate::db::Db;
use crate::dialect::{CHUNK, Statement, clean};
use crate::error::Error;
use crate::lanes::{self, Lease};
use crate::row::Table;

const TABLE: Table = Table { name: "receipts", key: &["connection", "record_id", "receipt_id"] };

/// A receipt on its way to a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptRow {
    /// The record.
    pub record_id: RecordId,
    /// Brex's id of the receipt.
    pub receipt_id: String,
    /// The name of the file in Business Central.
    pub file_name: String,
    /// Its size.
    pub bytes: i64,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
    /// The file in Business Central, once it is known.
    pub attachment_id: Option<Uuid>,
    /// When its entry was last sent, as long as it is not known what became of it (milliseconds).
    pub sent_ms: Option<i64>,
    /// When it was found complete on the document (milliseconds).
    pub attached_ms: Option<i64>,
}

/// Methods on the receipts.
pub struct Receipts<'a> {
    pub(crate) db: &'a Db,
}

impl Receipts<'_> {
    /// The receipts of these records.
    pub async fn find_many(&self, connection: &ConnectionId, ids: &[RecordId]) -> Result<Vec<ReceiptRow>, Error> {
        let mut found = Vec::new();
        for ids in ids.chunks(CHUNK) {
            let statement = Statement::new(
                "SELECT connection, record_id, receipt_id, file_name, bytes, sha256, attachment_id, sent_ms, attached_ms \
                 FROM receipts WHERE connection = $1 AND record_id IN ",
            )
            .bind(connection.as_str())
            .push_list(ids.iter().map(RecordId::as_str))
            .push(" ORDER BY record_id, receipt_id");
            for row in self.db.rows(statement).await? {
                found.push(read(&row)?);
            }
        }
        Ok(found)
    }

    /// Writes a receipt as it stands, under the lease.
    pub async fn put(&self, lease: &Lease, connection: &ConnectionId, row: &ReceiptRow) -> Result<(), Error> {
        in_transaction!(self.db, tx => {
            lanes::fence(&mut tx, lease).await?;
            Statement::new(
                "INSERT INTO receipts (connection, record_id, receipt_id, file_name, bytes, sha256, attachment_id, \
                 sent_ms, attached_ms) ",
            )
            .push_rows(std::slice::from_ref(row), |row, tuple| {
                tuple
                    .bind(connection.as_str())
                    .bind(row.record_id.as_str())
                    .bind(clean(&row.receipt_id))
                    .bind(clean(&row.file_name))
                    .bind(row.bytes)
                    .bind(row.sha256.as_str())
                    .bind(row.attachment_id.map(|id| id.to_string()))
                    .bind(row.sent_ms)
                    .bind(row.attached_ms);
            })
            .push(
                " ON CONFLICT (connection, record_id, receipt_id) DO UPDATE SET file_name = excluded.file_name, \
                 bytes = excluded.bytes, sha256 = excluded.sha256, attachment_id = excluded.attachment_id, \
                 sent_ms = excluded.sent_ms, attached_ms = excluded.attached_ms",
            )
            .execute(&mut tx)
            .await?;
        })
    }
}

fn read(row: &AnyRow) -> Result<ReceiptRow, Error> {
    let row = TABLE.row(row);
    Ok(ReceiptRow {
        record_id: RecordId::new(row.text("record_id")?),
        receipt_id: row.text("receipt_id")?,
        file_name: row.text("file_name")?,
        bytes: row.integer("bytes")?,
        sha256: row.text("sha256")?,
        attachment_id: row.optional_uuid("attachment_id")?,
        sent_ms: row.optional_integer("sent_ms")?,
        attached_ms: row.optional_integer("attached_ms")?,
    })
}
