//! The table `payment_lines`: vendor payment lines that are prepared in Business Central, one for each thing that asked for
//! one. Business Central does not check these for duplicates (business-central.md §6.3), so what is about to be sent is
//! committed here before it is sent, and a line that may be there is looked for before another is made.

use domain::audit::{Actor, Note};
use domain::id::ConnectionId;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use uuid::Uuid;

use crate::audit;
use crate::db::Db;
use crate::dialect::{Statement, clean};
use crate::error::Error;
use crate::lanes::{self, Lease};
use crate::row::{Table, from_str};

const TABLE: Table = Table { name: "payment_lines", key: &["connection", "owner_kind", "owner_id"] };

const SELECT: &str = "SELECT connection, owner_kind, owner_id, rev, journal, external_number, vendor_number, posting_date, \
     amount, currency, applies_to, applies_to_many, description, state, attempt, epoch, settle_until_ms, probes, tries, due_ms, line_id, \
     note FROM payment_lines WHERE connection = $1";

/// Where a line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentLineState {
    /// It is wanted; nothing was sent yet, or what was sent is surely not there.
    Wanted,
    /// It was sent, and nobody knows whether it is there: it is only looked for.
    Sending,
    /// It stands in the journal, unposted.
    Prepared,
    /// It is no longer in the journal: posted or deleted there.
    Gone,
    /// It is no longer wanted and is to be deleted.
    Unwanted,
    /// It was deleted by the connector.
    Removed,
    /// Something a person has to look at; the note says what.
    Held,
}

impl PaymentLineState {
    /// Every state.
    pub const ALL: [Self; 7] =
        [Self::Wanted, Self::Sending, Self::Prepared, Self::Gone, Self::Unwanted, Self::Removed, Self::Held];

    /// Stable name, as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wanted => "wanted",
            Self::Sending => "sending",
            Self::Prepared => "prepared",
            Self::Gone => "gone",
            Self::Unwanted => "unwanted",
            Self::Removed => "removed",
            Self::Held => "held",
        }
    }

    fn from_stored(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// A document that a line is applied to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedTo {
    /// BC's number.
    pub number: String,
    /// Whether it is a credit memo.
    pub is_credit_memo: bool,
}

/// One line. Owner and number never change once it is stored; vendor, money and documents only of one that was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentLine {
    /// What asked for it: `record`, `transfer`, …
    pub owner_kind: String,
    /// Which one.
    pub owner_id: String,
    /// Grows with every change; 0 until it is stored.
    pub rev: i64,
    /// Code of the vendor payment journal.
    pub journal: String,
    /// External Document No.: by it and the vendor the line is recognised.
    pub external_number: String,
    /// Number of the BC vendor.
    pub vendor_number: String,
    /// Posting Date (ISO).
    pub posting_date: String,
    /// Positive: a payment to the vendor.
    pub amount: Decimal,
    /// Currency of the amount.
    pub currency: String,
    /// The posted invoice that it pays.
    pub applies_to: Option<Uuid>,
    /// The posted documents that it pays together, if they are several.
    pub applies_to_many: Vec<AppliedTo>,
    /// Text of the line.
    pub description: String,
    /// Where it stands.
    pub state: PaymentLineState,
    /// How often it was sent.
    pub attempt: i64,
    /// The lease under which it was sent or is looked for.
    pub epoch: i64,
    /// Until when an unclear answer may still come true.
    pub settle_until_ms: Option<i64>,
    /// How often it was looked for since.
    pub probes: i64,
    /// Failures in a row.
    pub tries: i64,
    /// When there is something to do.
    pub due_ms: Option<i64>,
    /// The line in Business Central.
    pub line_id: Option<Uuid>,
    /// What a person has to look at.
    pub note: Option<String>,
}

/// A change with its entry in the trail.
#[derive(Clone, Debug, PartialEq)]
pub struct PaymentLineChange {
    /// The row as it becomes, with the `rev` that it was read with.
    pub row: PaymentLine,
    /// What the trail calls it.
    pub action: String,
    /// What the trail says beside the row.
    pub detail: Value,
}

/// Methods on the lines.
pub struct PaymentLines<'a> {
    pub(crate) db: &'a Db,
}

impl PaymentLines<'_> {
    /// The line of an owner.
    pub async fn find(
        &self,
        connection: &ConnectionId,
        owner_kind: &str,
        owner_id: &str,
    ) -> Result<Option<PaymentLine>, Error> {
        let statement = Statement::new(SELECT)
            .bind(connection.as_str())
            .push(" AND owner_kind = ")
            .push_bind(owner_kind)
            .push(" AND owner_id = ")
            .push_bind(owner_id);
        self.db.first(statement).await?.as_ref().map(read).transpose()
    }

    /// Every line of the connection, by owner.
    pub async fn list(&self, connection: &ConnectionId) -> Result<Vec<PaymentLine>, Error> {
        let statement = Statement::new(SELECT).bind(connection.as_str()).push(" ORDER BY owner_kind, owner_id");
        self.db.rows(statement).await?.iter().map(read).collect()
    }

    /// The lines with this External Document No., whoever asked for them.
    pub async fn list_by_number(&self, connection: &ConnectionId, number: &str) -> Result<Vec<PaymentLine>, Error> {
        let statement =
            Statement::new(SELECT).bind(connection.as_str()).push(" AND external_number = ").push_bind(number);
        self.db.rows(statement.push(" ORDER BY owner_kind, owner_id")).await?.iter().map(read).collect()
    }

    /// What is due, the longest waiting first.
    pub async fn list_due(
        &self,
        connection: &ConnectionId,
        now_ms: i64,
        limit: i64,
    ) -> Result<Vec<PaymentLine>, Error> {
        let statement = Statement::new(SELECT)
            .bind(connection.as_str())
            .push(" AND due_ms <= ")
            .push_bind(now_ms)
            .push(" ORDER BY due_ms, owner_kind, owner_id LIMIT ")
            .push_bind(limit);
        self.db.rows(statement).await?.iter().map(read).collect()
    }

    /// When the next one is due.
    pub async fn next_due(&self, connection: &ConnectionId) -> Result<Option<i64>, Error> {
        self.db.next_due(TABLE, connection).await
    }

    /// Writes a change under the lease, with its entry in the trail; `false` if the row is not the one that was read (or is
    /// there already), and then nothing is written.
    pub async fn apply(
        &self,
        lease: &Lease,
        connection: &ConnectionId,
        now_ms: i64,
        actor: &Actor,
        change: &PaymentLineChange,
    ) -> Result<bool, Error> {
        in_transaction!(self.db, tx => {
            lanes::fence(&mut tx, lease).await?;
            let written = match change.row.rev {
                0 => insert(&mut tx, connection, now_ms, &change.row).await?,
                _ => update(&mut tx, connection, now_ms, &change.row).await?,
            };
            if written == 1 {
                tell(&mut tx, connection, now_ms, actor, change).await?;
            }
            written == 1
        })
    }
}

async fn tell(
    tx: &mut AnyConnection,
    connection: &ConnectionId,
    now_ms: i64,
    actor: &Actor,
    change: &PaymentLineChange,
) -> Result<(), Error> {
    let row = &change.row;
    let note = Note {
        action: change.action.clone(),
        subject: row.owner_id.clone(),
        before: None,
        after: Some(format!("payment line {}", row.state.as_str())),
        detail: json!({
            "owner": row.owner_kind, "journal": row.journal, "number": row.external_number, "vendor": row.vendor_number,
            "date": row.posting_date, "amount": row.amount.to_string(), "currency": row.currency,
            "applies_to": row.applies_to, "applies_to_many": row.applies_to_many, "attempt": row.attempt, "line": row.line_id, "note": row.note,
            "more": change.detail,
        }),
    };
    audit::append_notes(tx, connection, now_ms, actor, vec![&note]).await
}

async fn insert(
    tx: &mut AnyConnection,
    connection: &ConnectionId,
    now_ms: i64,
    row: &PaymentLine,
) -> Result<u64, Error> {
    Statement::new(
        "INSERT INTO payment_lines (connection, owner_kind, owner_id, rev, journal, external_number, vendor_number, \
         posting_date, amount, currency, applies_to, applies_to_many, description, state, attempt, epoch, settle_until_ms, \
         probes, tries, due_ms, line_id, note, changed_ms) VALUES ($1, $2, $3, 1, $4, $5, $6, $7, $8, $9, $10, $11, $12, \
         $13, $14, $15, $16, $17, $18, $19, $20, $21, $22) ON CONFLICT (connection, owner_kind, owner_id) DO NOTHING",
    )
    .bind(connection.as_str())
    .bind(clean(&row.owner_kind))
    .bind(clean(&row.owner_id))
    .bind(clean(&row.journal))
    .bind(clean(&row.external_number))
    .bind(clean(&row.vendor_number))
    .bind(clean(&row.posting_date))
    .bind(row.amount.to_string())
    .bind(clean(&row.currency))
    .bind(row.applies_to.map(|id| id.to_string()))
    .bind(many(row))
    .bind(clean(&row.description))
    .bind(row.state.as_str())
    .bind(row.attempt)
    .bind(row.epoch)
    .bind(row.settle_until_ms)
    .bind(row.probes)
    .bind(row.tries)
    .bind(row.due_ms)
    .bind(row.line_id.map(|id| id.to_string()))
    .bind(row.note.as_deref().map(clean))
    .bind(now_ms)
    .execute(tx)
    .await
}

/// What can change of a line, if it still is what was read.
async fn update(
    tx: &mut AnyConnection,
    connection: &ConnectionId,
    now_ms: i64,
    row: &PaymentLine,
) -> Result<u64, Error> {
    Statement::new(
        "UPDATE payment_lines SET rev = rev + 1, posting_date = $5, state = $6, attempt = $7, epoch = $8, \
         settle_until_ms = $9, probes = $10, tries = $11, due_ms = $12, line_id = $13, note = $14, changed_ms = $15, \
         journal = $16, vendor_number = $17, amount = $18, currency = $19, applies_to = $20, applies_to_many = $21, \
         description = $22 \
         WHERE connection = $1 AND owner_kind = $2 AND owner_id = $3 AND rev = $4",
    )
    .bind(connection.as_str())
    .bind(clean(&row.owner_kind))
    .bind(clean(&row.owner_id))
    .bind(row.rev)
    .bind(clean(&row.posting_date))
    .bind(row.state.as_str())
    .bind(row.attempt)
    .bind(row.epoch)
    .bind(row.settle_until_ms)
    .bind(row.probes)
    .bind(row.tries)
    .bind(row.due_ms)
    .bind(row.line_id.map(|id| id.to_string()))
    .bind(row.note.as_deref().map(clean))
    .bind(now_ms)
    .bind(clean(&row.journal))
    .bind(clean(&row.vendor_number))
    .bind(row.amount.to_string())
    .bind(clean(&row.currency))
    .bind(row.applies_to.map(|id| id.to_string()))
    .bind(many(row))
    .bind(clean(&row.description))
    .execute(tx)
    .await
}

fn many(row: &PaymentLine) -> Option<String> {
    let is_many = !row.applies_to_many.is_empty();
    is_many.then(|| clean(&serde_json::to_string(&row.applies_to_many).unwrap_or_default()))
}

fn read(row: &AnyRow) -> Result<PaymentLine, Error> {
    let row = TABLE.row(row);
    Ok(PaymentLine {
        owner_kind: row.text("owner_kind")?,
        owner_id: row.text("owner_id")?,
        rev: row.integer("rev")?,
        journal: row.text("journal")?,
        external_number: row.text("external_number")?,
        vendor_number: row.text("vendor_number")?,
        posting_date: row.text("posting_date")?,
        amount: row.parsed("amount", from_str)?,
        currency: row.text("currency")?,
        applies_to: row.optional_uuid("applies_to")?,
        applies_to_many: row
            .optional_parsed("applies_to_many", |text| serde_json::from_str(text).ok())?
            .unwrap_or_default(),
        description: row.text("description")?,
        state: row.parsed("state", PaymentLineState::from_stored)?,
        attempt: row.integer("attempt")?,
        epoch: row.integer("epoch")?,
        settle_until_ms: row.optional_integer("settle_until_ms")?,
        probes: row.integer("probes")?,
        tries: row.integer("tries")?,
        due_ms: row.optional_integer("due_ms")?,
        line_id: row.optional_uuid("line_id")?,
        note: row.optional_text("note")?,
    })
}
