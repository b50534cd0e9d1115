//! The table `transfer_orders`: transfers that people ordered for open invoices, who agreed, and what became of each in
//! Brex. What is about to be sent is committed here before it is sent, with the key that makes a repeat harmless.

use domain::audit::{Actor, Note};
use domain::id::ConnectionId;
use domain::transfer::Order;
use serde_json::{Value, json};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::audit;
use crate::db::Db;
use crate::dialect::{Statement, clean};
use crate::error::Error;
use crate::lanes::{self, Lease};
use crate::row::Table;

const TABLE: Table = Table { name: "transfer_orders", key: &["connection", "id"] };

const SELECT: &str = "SELECT connection, id, rev, sends, state, proposed_by, proposed_ms, decided_by, decided_ms, note, epoch, \
     attempts, first_sent_ms, sent_ms, tries, due_ms, transfer_id FROM transfer_orders WHERE connection = $1";

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderState {
    /// Waits for another person.
    Proposed,
    /// Agreed to; nothing was sent yet.
    Approved,
    /// It may be in Brex: from now on it is looked for before it is sent again, and with the same key only.
    Sending,
    /// Brex has the transfer; what becomes of it is told by the transfer.
    Created,
    /// A person said no.
    Declined,
    /// Brex refused it: nothing was made.
    Refused,
    /// Something a person has to look at; the note says what.
    Held,
}

impl OrderState {
    /// Every state.
    pub const ALL: [Self; 7] =
        [Self::Proposed, Self::Approved, Self::Sending, Self::Created, Self::Declined, Self::Refused, Self::Held];

    /// Stable name, as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Sending => "sending",
            Self::Created => "created",
            Self::Declined => "declined",
            Self::Refused => "refused",
            Self::Held => "held",
        }
    }

    /// Whether nothing was, is or will be paid by it.
    pub fn is_void(self) -> bool {
        matches!(self, Self::Declined | Self::Refused)
    }

    fn from_stored(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// One order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferOrder {
    /// Its number within the connection; 0 until it is stored.
    pub id: i64,
    /// Grows with every change.
    pub rev: i64,
    /// What is sent, and for which invoice.
    pub order: Order,
    /// Where it stands.
    pub state: OrderState,
    /// Who proposed it.
    pub proposed_by: String,
    /// When (milliseconds).
    pub proposed_ms: i64,
    /// Who approved or declined it.
    pub decided_by: Option<String>,
    /// When (milliseconds).
    pub decided_ms: Option<i64>,
    /// Why it was declined, what Brex refused, or what a person has to look at.
    pub note: Option<String>,
    /// The lease under which it was last sent.
    pub epoch: i64,
    /// How often it was sent, always with the same key.
    pub attempts: i64,
    /// When it was first sent (milliseconds).
    pub first_sent_ms: Option<i64>,
    /// When it was last sent (milliseconds).
    pub sent_ms: Option<i64>,
    /// Failures in a row.
    pub tries: i64,
    /// When there is something to do.
    pub due_ms: Option<i64>,
    /// The transfer in Brex.
    pub transfer: Option<String>,
}

/// A change with its entry in the trail.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderChange {
    /// The row as it becomes, with the `id` and `rev` that it was read with.
    pub row: TransferOrder,
    /// What the trail calls it.
    pub action: String,
    /// What the trail says beside the row.
    pub detail: Value,
}

/// Methods on the orders.
pub struct TransferOrders<'a> {
    pub(crate) db: &'a Db,
}

impl TransferOrders<'_> {
    /// Every order, in the order in which they were made.
    pub async fn list(&self, connection: &ConnectionId) -> Result<Vec<TransferOrder>, Error> {
        self.db.rows(all(connection)).await?.iter().map(read).collect()
    }

    /// What is due, the longest waiting first.
    pub async fn list_due(&self, connection: &ConnectionId, now_ms: i64) -> Result<Vec<TransferOrder>, Error> {
        let statement = Statement::new(SELECT).bind(connection.as_str()).push(" AND due_ms <= ").push_bind(now_ms);
        self.db.rows(statement.push(" ORDER BY due_ms, id")).await?.iter().map(read).collect()
    }

    /// When the next one is due.
    pub async fn next_due(&self, connection: &ConnectionId) -> Result<Option<i64>, Error> {
        self.db.next_due(TABLE, connection).await
    }

    /// Decides from all orders and writes what a person says with its entries in the trail: all of it in one transaction or
    /// nothing, so that nobody orders anything in between. Gives the rows as written. `decide` may run again after a
    /// deadlock. Needs no lease: people order while the worker works.
    pub async fn say<E>(
        &self,
        connection: &ConnectionId,
        now_ms: i64,
        actor: &Actor,
        decide: impl Fn(&[TransferOrder]) -> Result<Vec<OrderChange>, E>,
    ) -> Result<Result<Vec<TransferOrder>, E>, Error> {
        in_transaction!(self.db, tx => {
            audit::lock_head(&mut tx, connection).await?;
            let stored = all(connection).rows(&mut tx).await?.iter().map(read).collect::<Result<Vec<_>, _>>()?;
            match decide(&stored) {
                Err(why) => Err(why),
                Ok(changes) => {
                    let mut next = stored.last().map_or(1, |last| last.id.saturating_add(1));
                    let mut written = Vec::with_capacity(changes.len());
                    for mut change in changes {
                        if change.row.id == 0 {
                            change.row.id = next;
                            next = next.saturating_add(1);
                            insert(&mut tx, connection, &change.row).await?;
                        } else if !update(&mut tx, connection, &mut change.row).await? {
                            moved()?;
                        }
                        tell(&mut tx, connection, now_ms, actor, &change).await?;
                        written.push(change.row);
                    }
                    Ok(written)
                }
            }
        })
    }

    /// Writes what the worker did, under the lease; `false` if a person changed the order meanwhile, and then nothing is
    /// written.
    pub async fn apply(
        &self,
        lease: &Lease,
        connection: &ConnectionId,
        now_ms: i64,
        actor: &Actor,
        change: &OrderChange,
    ) -> Result<bool, Error> {
        in_transaction!(self.db, tx => {
            lanes::fence(&mut tx, lease).await?;
            let mut change = change.clone();
            let written = update(&mut tx, connection, &mut change.row).await?;
            if written {
                tell(&mut tx, connection, now_ms, actor, &change).await?;
            }
            written
        })
    }
}

fn all(connection: &ConnectionId) -> Statement {
    Statement::new(SELECT).bind(connection.as_str()).push(" ORDER BY id")
}

fn moved() -> Result<(), Error> {
    Err(Error::Moved { table: TABLE.name })
}

async fn tell(
    tx: &mut AnyConnection,
    connection: &ConnectionId,
    now_ms: i64,
    actor: &Actor,
    change: &OrderChange,
) -> Result<(), Error> {
    let (row, order) = (&change.row, &change.row.order);
    let note = Note {
        action: change.action.clone(),
        subject: format!("transfer_order {}", row.id),
        before: None,
        after: Some(row.state.as_str().to_owned()),
        detail: json!({
            "invoice": order.number, "invoice_id": order.invoice, "vendor": order.vendor_number,
            "vendor_name": order.vendor_name, "cents": order.cents, "instrument": order.way.instrument,
            "rail": order.way.rail, "account": order.account, "memo": order.memo, "manual_approval": order.is_manual,
            "despite": order.despite, "key": order.key, "proposed_by": row.proposed_by, "decided_by": row.decided_by,
            "attempts": row.attempts, "note": row.note, "transfer": row.transfer, "more": change.detail,
        }),
    };
    audit::append_notes(tx, connection, now_ms, actor, vec![&note]).await
}

async fn insert(tx: &mut AnyConnection, connection: &ConnectionId, row: &TransferOrder) -> Result<(), Error> {
    Statement::new(
        "INSERT INTO transfer_orders (connection, id, rev, invoice_id, idempotency_key, sends, state, proposed_by, \
         proposed_ms, decided_by, decided_ms, note, epoch, attempts, tries, due_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, 0, 0, $13)",
    )
    .bind(connection.as_str())
    .bind(row.id)
    .bind(row.rev)
    .bind(row.order.invoice.to_string())
    .bind(row.order.key.to_string())
    .bind(clean(&serde_json::to_string(&row.order).unwrap_or_default()))
    .bind(row.state.as_str())
    .bind(clean(&row.proposed_by))
    .bind(row.proposed_ms)
    .bind(row.decided_by.as_deref().map(clean))
    .bind(row.decided_ms)
    .bind(row.note.as_deref().map(clean))
    .bind(row.due_ms)
    .execute_one(tx, TABLE.name)
    .await
}

/// What can change of an order, if it still is what was read; its `rev` then counts on.
async fn update(tx: &mut AnyConnection, connection: &ConnectionId, row: &mut TransferOrder) -> Result<bool, Error> {
    let text = |value: &Option<String>| value.as_deref().map(clean);
    let written = Statement::new(
        "UPDATE transfer_orders SET rev = rev + 1, state = $4, decided_by = $5, decided_ms = $6, note = $7, epoch = $8, \
         attempts = $9, first_sent_ms = $10, sent_ms = $11, tries = $12, due_ms = $13, transfer_id = $14 \
         WHERE connection = $1 AND id = $2 AND rev = $3",
    )
    .bind(connection.as_str())
    .bind(row.id)
    .bind(row.rev)
    .bind(row.state.as_str())
    .bind(text(&row.decided_by))
    .bind(row.decided_ms)
    .bind(text(&row.note))
    .bind(row.epoch)
    .bind(row.attempts)
    .bind(row.first_sent_ms)
    .bind(row.sent_ms)
    .bind(row.tries)
    .bind(row.due_ms)
    .bind(text(&row.transfer))
    .execute(tx)
    .await?;
    row.rev = row.rev.saturating_add(1);
    Ok(written == 1)
}

fn read(row: &AnyRow) -> Result<TransferOrder, Error> {
    let row = TABLE.row(row);
    Ok(TransferOrder {
        id: row.integer("id")?,
        rev: row.integer("rev")?,
        order: row.parsed("sends", |text| serde_json::from_str(text).ok())?,
        state: row.parsed("state", OrderState::from_stored)?,
        proposed_by: row.text("proposed_by")?,
        proposed_ms: row.integer("proposed_ms")?,
        decided_by: row.optional_text("decided_by")?,
        decided_ms: row.optional_integer("decided_ms")?,
        note: row.optional_text("note")?,
        epoch: row.integer("epoch")?,
        attempts: row.integer("attempts")?,
        first_sent_ms: row.optional_integer("first_sent_ms")?,
        sent_ms: row.optional_integer("sent_ms")?,
        tries: row.integer("tries")?,
        due_ms: row.optional_integer("due_ms")?,
        transfer: row.optional_text("transfer_id")?,
    })
}
