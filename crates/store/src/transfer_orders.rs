//! The table `transfer_orders`: invoices that are to be paid through Brex. The row is there, once per invoice, before anything
//! is asked of Brex, so that no second person and no second process can pay it.

use domain::audit::{Actor, Note};
use domain::id::ConnectionId;
use serde_json::{Value, json};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::audit;
use crate::db::Db;
use crate::dialect::{Statement, clean};
use crate::error::Error;
use crate::row::Table;

const TABLE: Table = Table { name: "transfer_orders", key: &["connection", "invoice_id"] };

const SELECT: &str = "SELECT connection, invoice_id, rev, state, wanted, proposed_by, proposed_ms, decided_by, decided_ms, \
     attempt, sent_ms, transfer_id, note FROM transfer_orders WHERE connection = $1";

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderState {
    /// Waits for another person.
    Proposed,
    /// May be sent; nothing was sent yet.
    Approved,
    /// Perhaps sent: from now on only the same key is sent again.
    Creating,
    /// Brex has the transfer.
    Created,
    /// Brex refused it, or a person said no: nothing was paid, and it may be ordered anew.
    Refused,
    /// The transfer failed or came back: it may be ordered anew, under a new key.
    Ended,
}

impl OrderState {
    /// Stable name, as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Creating => "creating",
            Self::Created => "created",
            Self::Refused => "refused",
            Self::Ended => "ended",
        }
    }

    /// Whether the invoice may be ordered anew.
    pub fn is_free(self) -> bool {
        matches!(self, Self::Refused | Self::Ended)
    }

    fn from_stored(text: &str) -> Option<Self> {
        [Self::Proposed, Self::Approved, Self::Creating, Self::Created, Self::Refused, Self::Ended]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// One invoice to pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferOrder {
    /// BC's id of the invoice.
    pub invoice_id: String,
    /// Grows with every change; 0 until it is stored.
    pub rev: i64,
    /// Where it stands.
    pub state: OrderState,
    /// What is asked of Brex, as JSON: the same key always goes with the same body.
    pub wanted: Value,
    /// Who asked for it.
    pub proposed_by: String,
    /// When (milliseconds).
    pub proposed_ms: i64,
    /// Who approved or declined it.
    pub decided_by: Option<String>,
    /// When (milliseconds).
    pub decided_ms: Option<i64>,
    /// Which order of this invoice it is, from 1; part of the key.
    pub attempt: i64,
    /// When it was first sent (milliseconds).
    pub sent_ms: Option<i64>,
    /// Brex's transfer.
    pub transfer_id: Option<String>,
    /// What a person should know.
    pub note: Option<String>,
}

/// Orders as they become, and what the trail calls it.
#[derive(Clone, Debug)]
pub struct OrderChange {
    /// The rows, each with the `rev` that it was read with.
    pub rows: Vec<TransferOrder>,
    /// What the trail calls it.
    pub action: &'static str,
}

/// Methods on the orders.
pub struct TransferOrders<'a> {
    pub(crate) db: &'a Db,
}

impl TransferOrders<'_> {
    /// Every order, by invoice.
    pub async fn list(&self, connection: &ConnectionId) -> Result<Vec<TransferOrder>, Error> {
        self.db.rows(all(connection)).await?.iter().map(read).collect()
    }

    /// Decides from all orders and writes all changes with their entries in the trail, in one transaction, so that nobody
    /// orders anything in between. Gives the rows as they stand now. `decide` may run again after a deadlock.
    pub async fn say<E>(
        &self,
        connection: &ConnectionId,
        now_ms: i64,
        actor: &Actor,
        decide: impl Fn(&[TransferOrder]) -> Result<OrderChange, E>,
    ) -> Result<Result<Vec<TransferOrder>, E>, Error> {
        in_transaction!(self.db, tx => {
            audit::lock_head(&mut tx, connection).await?;
            let stored = all(connection).rows(&mut tx).await?.iter().map(read).collect::<Result<Vec<_>, _>>()?;
            match decide(&stored) {
                Err(why) => Err(why),
                Ok(change) => {
                    let mut rows = change.rows;
                    for row in &mut rows {
                        write(&mut tx, connection, row).await?;
                    }
                    let notes: Vec<Note> = rows.iter().map(|row| note(row, change.action)).collect();
                    audit::append_notes(&mut tx, connection, now_ms, actor, notes.iter().collect()).await?;
                    Ok(rows)
                }
            }
        })
    }
}

fn all(connection: &ConnectionId) -> Statement {
    Statement::new(SELECT).bind(connection.as_str()).push(" ORDER BY invoice_id")
}

fn note(row: &TransferOrder, action: &str) -> Note {
    Note {
        action: action.to_owned(),
        subject: format!("transfer_order {}", row.invoice_id),
        before: None,
        after: Some(row.state.as_str().to_owned()),
        detail: json!({
            "wanted": row.wanted, "attempt": row.attempt, "proposed_by": row.proposed_by, "decided_by": row.decided_by,
            "transfer": row.transfer_id, "note": row.note,
        }),
    }
}

/// Inserts a new row, or changes one that is still what was read.
async fn write(tx: &mut AnyConnection, connection: &ConnectionId, row: &mut TransferOrder) -> Result<(), Error> {
    let text = |value: &Option<String>| value.as_deref().map(clean);
    let statement = if row.rev == 0 {
        Statement::new(
            "INSERT INTO transfer_orders (connection, invoice_id, rev, state, wanted, proposed_by, proposed_ms, decided_by, \
             decided_ms, attempt, sent_ms, transfer_id, note) \
             VALUES ($1, $2, $3 + 1, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
    } else {
        Statement::new(
            "UPDATE transfer_orders SET rev = rev + 1, state = $4, wanted = $5, proposed_by = $6, proposed_ms = $7, \
             decided_by = $8, decided_ms = $9, attempt = $10, sent_ms = $11, transfer_id = $12, note = $13 \
             WHERE connection = $1 AND invoice_id = $2 AND rev = $3",
        )
    };
    statement
        .bind(connection.as_str())
        .bind(clean(&row.invoice_id))
        .bind(row.rev)
        .bind(row.state.as_str())
        .bind(clean(&row.wanted.to_string()))
        .bind(clean(&row.proposed_by))
        .bind(row.proposed_ms)
        .bind(text(&row.decided_by))
        .bind(row.decided_ms)
        .bind(row.attempt)
        .bind(row.sent_ms)
        .bind(text(&row.transfer_id))
        .bind(text(&row.note))
        .execute_one(tx, TABLE.name)
        .await?;
    row.rev = row.rev.saturating_add(1);
    Ok(())
}

fn read(row: &AnyRow) -> Result<TransferOrder, Error> {
    let row = TABLE.row(row);
    Ok(TransferOrder {
        invoice_id: row.text("invoice_id")?,
        rev: row.integer("rev")?,
        state: row.parsed("state", OrderState::from_stored)?,
        wanted: row.parsed("wanted", |text| serde_json::from_str(text).ok())?,
        proposed_by: row.text("proposed_by")?,
        proposed_ms: row.integer("proposed_ms")?,
        decided_by: row.optional_text("decided_by")?,
        decided_ms: row.optional_integer("decided_ms")?,
        attempt: row.integer("attempt")?,
        sent_ms: row.optional_integer("sent_ms")?,
        transfer_id: row.optional_text("transfer_id")?,
        note: row.optional_text("note")?,
    })
}
