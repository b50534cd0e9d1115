//! Erases what is kept of the person behind a record, and leaves the proof: the chain, amounts, dates, numbers and states stay.

use domain::audit::{Actor, ERASED, ERASURE, Note};
use domain::id::{ConnectionId, RecordId};
use serde_json::json;

use crate::audit::{self, Audit};
use crate::dialect::Statement;
use crate::error::Error;
use crate::records::TABLE;

/// What is gone for good, in the order of the tables.
const GONE: [&str; 5] = [
    "DELETE FROM payloads WHERE connection = $1 AND record_id = $2",
    "DELETE FROM vendor_matches WHERE connection = $1 AND record_id = $2",
    "UPDATE receipts SET file_name = '' WHERE connection = $1 AND record_id = $2",
    "UPDATE intents SET target = NULL, detail = NULL WHERE connection = $1 AND record_id = $2",
    "UPDATE vendor_proposals SET email = '', reason = '' WHERE connection = $1 AND record_id = $2 AND due_ms IS NULL",
];

/// What became of the trail of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erased {
    /// Entries without their detail now.
    pub entries: u64,
    /// Entries of before details had seals: theirs cannot be erased without breaking the chain.
    pub older: i64,
}

impl Audit<'_> {
    /// Erases the details of a record's entries, what Brex sent, its merchant's name and its plan, and tells so in the trail. `rev` is
    /// that of the row that was looked at; the record must be over, with nothing under way.
    pub async fn erase(
        &self,
        connection: &ConnectionId,
        record: &RecordId,
        rev: i64,
        reason: &str,
        now_ms: i64,
        actor: &Actor,
    ) -> Result<Erased, Error> {
        let (connection_text, record_text) = (connection.as_str(), record.as_str());
        in_transaction!(self.db, tx => {
            let (up_to, _) = audit::lock_head(&mut tx, connection).await?;
            Statement::new(
                "UPDATE records SET merchant = NULL, plan = NULL, rev = rev + 1 \
                 WHERE connection = $1 AND id = $2 AND rev = $3 AND hold_code IS NULL \
                 AND NOT EXISTS (SELECT 1 FROM intents WHERE connection = $1 AND record_id = $2 AND outcome IS NULL)",
            )
            .bind(connection_text)
            .bind(record_text)
            .bind(rev)
            .execute_one(&mut tx, TABLE.name)
            .await?;
            for statement in GONE {
                Statement::new(statement).bind(connection_text).bind(record_text).execute(&mut tx).await?;
            }
            let entries = Statement::new(
                "UPDATE audit SET detail = $3, detail_salt = NULL WHERE connection = $1 AND subject = $2 \
                 AND detail_salt IS NOT NULL AND action <> $4",
            )
            .bind(connection_text)
            .bind(record_text)
            .bind(ERASED)
            .bind(ERASURE)
            .execute(&mut tx)
            .await?;
            let rows = Statement::new(
                "SELECT connection, CAST(COUNT(*) AS BIGINT) AS seq FROM audit WHERE connection = $1 AND subject = $2 \
                 AND detail_digest IS NULL GROUP BY connection",
            )
            .bind(connection_text)
            .bind(record_text)
            .rows(&mut tx)
            .await?;
            let older = rows.first().map(|row| audit::TABLE.row(row).integer("seq")).transpose()?.unwrap_or(0);
            let note = Note {
                action: ERASURE.to_owned(),
                subject: record_text.to_owned(),
                before: None,
                after: None,
                detail: json!({ "reason": reason, "up_to": up_to, "entries": entries, "older": older }),
            };
            audit::append_notes(&mut tx, connection, now_ms, actor, vec![&note]).await?;
            Erased { entries, older }
        })
    }
}
