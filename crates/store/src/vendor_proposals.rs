//! The table `vendor_proposals`: new vendors that people proposed, what others said to them, and what became of each in
//! Business Central.

use domain::audit::{Actor, Note};
use domain::id::{ConnectionId, RecordId};
use serde_json::{Value, json};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use uuid::Uuid;

use crate::audit;
use crate::db::Db;
use crate::dialect::{Statement, clean};
use crate::error::Error;
use crate::jobs;
use crate::lanes::{self, Lease};
use crate::row::Table;
use crate::vendor_links::{self, VendorLink};

const TABLE: Table = Table { name: "vendor_proposals", key: &["connection", "id"] };

const SELECT: &str = "SELECT connection, id, rev, descriptor, clean_name, record_id, name, country, email, reason, \
     proposed_by, proposed_ms, state, decided_by, decided_ms, note, attempt, epoch, sent_ms, settle_until_ms, probes, \
     tries, due_ms, bc_vendor_id, vendor_number FROM vendor_proposals WHERE connection = $1";

/// Where a proposal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProposalState {
    /// Waits for another person.
    Proposed,
    /// Another person agreed; nothing was sent yet.
    Approved,
    /// A create may be under way: from now on the vendor is looked for before anything else.
    Creating,
    /// The vendor is there, and the merchant is linked to it.
    Created,
    /// A person said no.
    Declined,
    /// Something a person has to look at; the note says what.
    Held,
}

impl ProposalState {
    /// Stable name, as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Creating => "creating",
            Self::Created => "created",
            Self::Declined => "declined",
            Self::Held => "held",
        }
    }

    /// Whether nothing will happen any more.
    pub fn is_done(self) -> bool {
        matches!(self, Self::Created | Self::Declined)
    }

    fn from_stored(text: &str) -> Option<Self> {
        [Self::Proposed, Self::Approved, Self::Creating, Self::Created, Self::Declined, Self::Held]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// One proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VendorProposal {
    /// Its number within the connection; 0 until it is stored.
    pub id: i64,
    /// Grows with every change.
    pub rev: i64,
    /// The merchant's descriptor, or its name.
    pub descriptor: String,
    /// Its cleaned name, or empty.
    pub clean_name: String,
    /// The record that it was proposed for.
    pub record_id: Option<RecordId>,
    /// The name of the new vendor.
    pub name: String,
    /// Its country code, or empty.
    pub country: String,
    /// Its mail address, or empty.
    pub email: String,
    /// Why it is needed.
    pub reason: String,
    /// Who proposed it.
    pub proposed_by: String,
    /// When.
    pub proposed_ms: i64,
    /// Where it stands.
    pub state: ProposalState,
    /// Who approved or declined it.
    pub decided_by: Option<String>,
    /// When.
    pub decided_ms: Option<i64>,
    /// Why it was declined, or what a person has to look at.
    pub note: Option<String>,
    /// How often a create was committed.
    pub attempt: i64,
    /// The lease under which the last one was.
    pub epoch: i64,
    /// When it was (milliseconds).
    pub sent_ms: Option<i64>,
    /// Until when an unclear create may still come true.
    pub settle_until_ms: Option<i64>,
    /// How often it was looked for since.
    pub probes: i64,
    /// Failures in a row.
    pub tries: i64,
    /// When there is something to do.
    pub due_ms: Option<i64>,
    /// The vendor that was made.
    pub bc_vendor_id: Option<Uuid>,
    /// Its number.
    pub vendor_number: Option<String>,
}

/// A change with its entry in the trail.
#[derive(Clone, Debug, PartialEq)]
pub struct ProposalChange {
    /// The row as it becomes, with the `id` and `rev` that it was read with.
    pub row: VendorProposal,
    /// What the trail calls it.
    pub action: String,
    /// What the trail says beside the row.
    pub detail: Value,
}

/// Methods on the proposals.
pub struct VendorProposals<'a> {
    pub(crate) db: &'a Db,
}

impl VendorProposals<'_> {
    /// Every proposal, in the order in which they were made.
    pub async fn list(&self, connection: &ConnectionId) -> Result<Vec<VendorProposal>, Error> {
        self.db.rows(all(connection)).await?.iter().map(read).collect()
    }

    /// What is due, the longest waiting first.
    pub async fn list_due(&self, connection: &ConnectionId, now_ms: i64) -> Result<Vec<VendorProposal>, Error> {
        let statement = Statement::new(SELECT).bind(connection.as_str()).push(" AND due_ms <= ").push_bind(now_ms);
        self.db.rows(statement.push(" ORDER BY due_ms, id")).await?.iter().map(read).collect()
    }

    /// When the next one is due.
    pub async fn next_due(&self, connection: &ConnectionId) -> Result<Option<i64>, Error> {
        self.db.next_due(TABLE, connection).await
    }

    /// Decides from all proposals and writes what a person says with its entry in the trail: all in one transaction, so that
    /// nobody says anything in between. `decide` may run again after a deadlock. Needs no lease: people answer while the
    /// worker works.
    pub async fn say<E>(
        &self,
        connection: &ConnectionId,
        now_ms: i64,
        actor: &Actor,
        decide: impl Fn(&[VendorProposal]) -> Result<ProposalChange, E>,
    ) -> Result<Result<VendorProposal, E>, Error> {
        in_transaction!(self.db, tx => {
            audit::lock_head(&mut tx, connection).await?;
            let stored = all(connection).rows(&mut tx).await?.iter().map(read).collect::<Result<Vec<_>, _>>()?;
            match decide(&stored) {
                Err(why) => Err(why),
                Ok(mut change) => {
                    if change.row.id == 0 {
                        change.row.id = stored.last().map_or(1, |last| last.id.saturating_add(1));
                        insert(&mut tx, connection, &change.row).await?;
                    } else {
                        let written = update(&mut tx, connection, &mut change.row).await?;
                        if !written {
                            return_moved()?;
                        }
                    }
                    tell(&mut tx, connection, now_ms, actor, &change).await?;
                    Ok(change.row)
                }
            }
        })
    }

    /// Writes what the worker did, under the lease; `false` if a person changed the proposal meanwhile, and then nothing is
    /// written.
    pub async fn apply(
        &self,
        lease: &Lease,
        connection: &ConnectionId,
        now_ms: i64,
        actor: &Actor,
        change: &ProposalChange,
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

    /// Writes that the vendor is there, links the merchant to it and asks for the job `wake`, all in one transaction under the
    /// lease. `link` decides from the verdicts under these keys; none leaves the memory as it is.
    #[expect(clippy::too_many_arguments, reason = "one transaction over two tables, the trail and a job")]
    pub async fn finish(
        &self,
        lease: &Lease,
        connection: &ConnectionId,
        now_ms: i64,
        actor: &Actor,
        change: &ProposalChange,
        keys: &[String],
        link: impl Fn(&[VendorLink]) -> Option<VendorLink>,
        wake: &str,
    ) -> Result<bool, Error> {
        in_transaction!(self.db, tx => {
            lanes::fence(&mut tx, lease).await?;
            let mut change = change.clone();
            let written = update(&mut tx, connection, &mut change.row).await?;
            if written {
                tell(&mut tx, connection, now_ms, actor, &change).await?;
                let stored = vendor_links::stored(&mut tx, connection, Some(keys)).await?;
                if let Some(link) = link(&stored) {
                    vendor_links::add(&mut tx, connection, &link, now_ms, actor).await?;
                }
                jobs::request(&mut tx, connection, wake, None, now_ms).await?;
            }
            written
        })
    }
}

fn all(connection: &ConnectionId) -> Statement {
    Statement::new(SELECT).bind(connection.as_str()).push(" ORDER BY id")
}

fn return_moved() -> Result<(), Error> {
    Err(Error::Moved { table: TABLE.name })
}

async fn tell(
    tx: &mut AnyConnection,
    connection: &ConnectionId,
    now_ms: i64,
    actor: &Actor,
    change: &ProposalChange,
) -> Result<(), Error> {
    let row = &change.row;
    let note = Note {
        action: change.action.clone(),
        subject: format!("vendor_proposal {}", row.id),
        before: None,
        after: Some(row.state.as_str().to_owned()),
        detail: json!({
            "merchant": row.descriptor, "name": row.name, "record": row.record_id, "proposed_by": row.proposed_by,
            "decided_by": row.decided_by, "note": row.note, "attempt": row.attempt, "vendor": row.vendor_number,
            "more": change.detail,
        }),
    };
    audit::append_notes(tx, connection, now_ms, actor, vec![&note]).await
}

async fn insert(tx: &mut AnyConnection, connection: &ConnectionId, row: &VendorProposal) -> Result<(), Error> {
    Statement::new(
        "INSERT INTO vendor_proposals (connection, id, rev, descriptor, clean_name, record_id, name, country, email, \
         reason, proposed_by, proposed_ms, state, attempt, epoch, probes, tries) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, 0, 0, 0)",
    )
    .bind(connection.as_str())
    .bind(row.id)
    .bind(row.rev)
    .bind(clean(&row.descriptor))
    .bind(clean(&row.clean_name))
    .bind(row.record_id.as_ref().map(RecordId::as_str))
    .bind(clean(&row.name))
    .bind(clean(&row.country))
    .bind(clean(&row.email))
    .bind(clean(&row.reason))
    .bind(clean(&row.proposed_by))
    .bind(row.proposed_ms)
    .bind(row.state.as_str())
    .execute_one(tx, TABLE.name)
    .await
}

/// What can change of a proposal, if it still is what was read; its `rev` then counts on.
async fn update(tx: &mut AnyConnection, connection: &ConnectionId, row: &mut VendorProposal) -> Result<bool, Error> {
    let text = |value: &Option<String>| value.as_deref().map(clean);
    let written = Statement::new(
        "UPDATE vendor_proposals SET rev = rev + 1, state = $4, decided_by = $5, decided_ms = $6, note = $7, \
         attempt = $8, epoch = $9, sent_ms = $10, settle_until_ms = $11, probes = $12, tries = $13, due_ms = $14, \
         bc_vendor_id = $15, vendor_number = $16 WHERE connection = $1 AND id = $2 AND rev = $3",
    )
    .bind(connection.as_str())
    .bind(row.id)
    .bind(row.rev)
    .bind(row.state.as_str())
    .bind(text(&row.decided_by))
    .bind(row.decided_ms)
    .bind(text(&row.note))
    .bind(row.attempt)
    .bind(row.epoch)
    .bind(row.sent_ms)
    .bind(row.settle_until_ms)
    .bind(row.probes)
    .bind(row.tries)
    .bind(row.due_ms)
    .bind(row.bc_vendor_id.map(|id| id.to_string()))
    .bind(text(&row.vendor_number))
    .execute(tx)
    .await?;
    row.rev = row.rev.saturating_add(1);
    Ok(written == 1)
}

fn read(row: &AnyRow) -> Result<VendorProposal, Error> {
    let row = TABLE.row(row);
    Ok(VendorProposal {
        id: row.integer("id")?,
        rev: row.integer("rev")?,
        descriptor: row.text("descriptor")?,
        clean_name: row.text("clean_name")?,
        record_id: row.optional_text("record_id")?.map(RecordId::new),
        name: row.text("name")?,
        country: row.text("country")?,
        email: row.text("email")?,
        reason: row.text("reason")?,
        proposed_by: row.text("proposed_by")?,
        proposed_ms: row.integer("proposed_ms")?,
        state: row.parsed("state", ProposalState::from_stored)?,
        decided_by: row.optional_text("decided_by")?,
        decided_ms: row.optional_integer("decided_ms")?,
        note: row.optional_text("note")?,
        attempt: row.integer("attempt")?,
        epoch: row.integer("epoch")?,
        sent_ms: row.optional_integer("sent_ms")?,
        settle_until_ms: row.optional_integer("settle_until_ms")?,
        probes: row.integer("probes")?,
        tries: row.integer("tries")?,
        due_ms: row.optional_integer("due_ms")?,
        bc_vendor_id: row.optional_uuid("bc_vendor_id")?,
        vendor_number: row.optional_text("vendor_number")?,
    })
}
