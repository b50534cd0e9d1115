//! The tables `transfers`, `transfer_returns`, `transfer_matches`, `transfer_decisions`, `transfer_documents` and `transfer_state`: what Brex and
//! the last comparison said about each transfer, what is matched, and what people decided.

use domain::audit::{Actor, Note};
use domain::id::ConnectionId;
use domain::transfer::{Facts, Match, Movement, Payable, Said, Settled, Standing};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::audit;
use crate::db::Db;
use crate::dialect::{CHUNK, Statement, clean};
use crate::error::Error;
use crate::lanes::{self, Lease};
use crate::row::{Columns, Table};

const TABLE: Table = Table { name: "transfers", key: &["connection", "id"] };
const MATCHES: Table = Table { name: "transfer_matches", key: &["connection", "transfer_id"] };
const DECISIONS: Table = Table { name: "transfer_decisions", key: &["connection", "seq"] };
const DOCUMENTS: Table = Table { name: "transfer_documents", key: &["connection", "id"] };
const STATE: Table = Table { name: "transfer_state", key: &["connection"] };

const SELECT: &str = "SELECT t.connection, t.id, t.facts, t.history, t.settled, r.returned_by, t.standing, t.suggestion, \
     t.first_ms, t.updated_ms FROM transfers t LEFT JOIN transfer_returns r \
     ON r.connection = t.connection AND r.transfer_id = t.id WHERE t.connection = $1";
const SELECT_MATCHES: &str =
    "SELECT connection, transfer_id, found, person, reason, made_ms FROM transfer_matches WHERE connection = $1";
const SELECT_DECISIONS: &str = "SELECT connection, seq, transfer_id, document_id, verdict, person, reason, decided_ms \
     FROM transfer_decisions WHERE connection = $1";

/// A transfer of Brex, and how it stood when it was last compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferRow {
    /// Brex's id.
    pub id: String,
    /// What Brex says.
    pub facts: Facts,
    /// Each status that was seen, with the time (milliseconds).
    pub history: Vec<(i64, String)>,
    /// What the cash account says.
    pub settled: Option<Settled>,
    /// The transfer that brought it back.
    pub returned_by: Option<String>,
    /// How it stood.
    pub standing: Option<Standing>,
    /// What a person may confirm.
    pub suggestion: Option<Match>,
    /// When it was first seen.
    pub first_ms: i64,
    /// When what Brex says last changed.
    pub updated_ms: i64,
}

impl TransferRow {
    /// What became of its money.
    pub fn movement(&self) -> Movement {
        self.facts.movement(self.returned_by.is_some())
    }
}

/// A document of Business Central, and how it stood when it was last compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentRow {
    /// The document.
    pub payable: Payable,
    /// How it stood.
    pub standing: Standing,
}

/// A match that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchRow {
    /// The match.
    pub found: Match,
    /// Who made it; nobody if it was found.
    pub person: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// When (milliseconds).
    pub made_ms: i64,
}

/// What a person said about a transfer and a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentVerdict {
    /// They belong together.
    Together,
    /// They do not.
    Apart,
}

impl DocumentVerdict {
    /// Stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Together => "together",
            Self::Apart => "apart",
        }
    }

    fn from_stored(text: &str) -> Option<Self> {
        [Self::Together, Self::Apart].into_iter().find(|verdict| verdict.as_str() == text)
    }
}

/// One decision of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionRow {
    /// The transfer.
    pub transfer: String,
    /// The document.
    pub document: String,
    /// What was said.
    pub verdict: DocumentVerdict,
    /// By whom.
    pub person: String,
    /// Why.
    pub reason: String,
    /// When (milliseconds).
    pub decided_ms: i64,
}

/// Everything that stands before a comparison.
#[derive(Clone, Debug, Default)]
pub struct TransferSaid {
    /// Grows with every match that is made or taken apart.
    pub rev: i64,
    /// When both sides were last compared (milliseconds).
    pub reconciled_ms: Option<i64>,
    /// The matches.
    pub matches: Vec<MatchRow>,
    /// The decisions, in the order in which they were made.
    pub decisions: Vec<DecisionRow>,
}

impl TransferSaid {
    /// The same for the comparison: of each pair the last decision counts.
    pub fn said(&self) -> Said {
        let mut said = Said { matches: self.matches.iter().map(|row| row.found.clone()).collect(), ..Said::default() };
        for decision in &self.decisions {
            let pair = (decision.transfer.clone(), decision.document.clone());
            match decision.verdict {
                DocumentVerdict::Apart => said.rejected.insert(pair),
                DocumentVerdict::Together => said.rejected.remove(&pair),
            };
        }
        said
    }
}

/// What a person changes, with its entry in the trail.
#[derive(Clone, Debug)]
pub struct SaidChange {
    /// The match that is made; it replaces that of the same transfer.
    pub made: Option<MatchRow>,
    /// The transfer whose match is taken apart.
    pub taken_apart: Option<String>,
    /// The decisions.
    pub decisions: Vec<DecisionRow>,
    /// The entry.
    pub note: Note,
}

/// What a comparison changes. Only what differs from what is stored.
#[derive(Clone, Debug, Default)]
pub struct Reconciled {
    /// The state that was compared; nothing is written if it moved on.
    pub rev: i64,
    /// Matches that were found.
    pub found: Vec<Match>,
    /// Transfers whose match no longer holds.
    pub gone: Vec<String>,
    /// Transfers that stand otherwise than before, with what may be confirmed.
    pub standings: Vec<(Standing, Option<Match>)>,
    /// Documents that are new or stand otherwise.
    pub documents: Vec<DocumentRow>,
    /// Documents that are no longer there.
    pub documents_gone: Vec<String>,
    /// The entries in the trail.
    pub notes: Vec<Note>,
}

/// Methods on the transfers.
pub struct Transfers<'a> {
    pub(crate) db: &'a Db,
}

impl Transfers<'_> {
    /// Every transfer, by id.
    pub async fn list(&self, connection: &ConnectionId) -> Result<Vec<TransferRow>, Error> {
        let statement = Statement::new(SELECT).bind(connection.as_str()).push(" ORDER BY t.id");
        self.db.rows(statement).await?.iter().map(read).collect()
    }

    /// The documents of the last comparison, by id.
    pub async fn documents(&self, connection: &ConnectionId) -> Result<Vec<DocumentRow>, Error> {
        let statement =
            Statement::new("SELECT connection, id, facts, standing FROM transfer_documents WHERE connection = $1")
                .bind(connection.as_str())
                .push(" ORDER BY id");
        let rows = self.db.rows(statement).await?;
        let read = |row: &AnyRow| {
            let row = DOCUMENTS.row(row);
            Ok(DocumentRow { payable: decoded(&row, "facts")?, standing: decoded(&row, "standing")? })
        };
        rows.iter().map(read).collect()
    }

    /// What stands: matches and decisions, of one moment.
    pub async fn said(&self, connection: &ConnectionId) -> Result<TransferSaid, Error> {
        let mut tx = self.db.begin_snapshot().await?;
        let said = stored(&mut tx, connection).await;
        said.map_err(|error| error.at(&self.db.place))
    }

    /// Writes what Brex says about transfers, with entries in the trail. Needs no lease: what Brex says is the same for all.
    pub async fn put(
        &self,
        connection: &ConnectionId,
        now_ms: i64,
        actor: &Actor,
        rows: &[TransferRow],
        notes: &[Note],
    ) -> Result<(), Error> {
        if rows.is_empty() && notes.is_empty() {
            return Ok(());
        }
        in_transaction!(self.db, tx => {
            for rows in rows.chunks(CHUNK) {
                let statement = Statement::new(
                    "INSERT INTO transfers (connection, id, facts, history, settled, first_ms, updated_ms) ",
                );
                statement
                    .push_rows(rows, |row, tuple| {
                        tuple
                            .bind(connection.as_str())
                            .bind(clean(&row.id))
                            .bind(encoded(&row.facts))
                            .bind(encoded(&row.history))
                            .bind(row.settled.as_ref().map(encoded))
                            .bind(row.first_ms)
                            .bind(now_ms);
                    })
                    .push(
                        " ON CONFLICT (connection, id) DO UPDATE SET facts = excluded.facts, history = excluded.history, \
                         settled = COALESCE(excluded.settled, transfers.settled), \
                         updated_ms = excluded.updated_ms",
                    )
                    .execute(&mut tx)
                    .await?;
            }
            audit::append_notes(&mut tx, connection, now_ms, actor, notes.iter().collect()).await?;
        })
    }

    /// Notes that a transfer was brought back by another one, which Brex may not show. One that was not read yet is noted, too.
    pub async fn note_return(
        &self,
        connection: &ConnectionId,
        now_ms: i64,
        actor: &Actor,
        original: &str,
        by: &str,
    ) -> Result<(), Error> {
        in_transaction!(self.db, tx => {
            let changed = Statement::new(
                "INSERT INTO transfer_returns (connection, transfer_id, returned_by, heard_ms) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (connection, transfer_id) DO NOTHING",
            )
            .bind(connection.as_str())
            .bind(clean(original))
            .bind(clean(by))
            .bind(now_ms)
            .execute(&mut tx)
            .await?;
            if changed == 1 {
                let note = Note {
                    action: "transfer_returned".to_owned(),
                    subject: format!("transfer {original}"),
                    before: None,
                    after: None,
                    detail: serde_json::json!({ "by": by }),
                };
                audit::append_notes(&mut tx, connection, now_ms, actor, vec![&note]).await?;
            }
        })
    }

    /// Decides from what stands and writes what a person says with its entry in the trail, in one transaction. `decide` may
    /// run again after a deadlock.
    pub async fn say<E>(
        &self,
        connection: &ConnectionId,
        now_ms: i64,
        actor: &Actor,
        decide: impl Fn(&TransferSaid) -> Result<SaidChange, E>,
    ) -> Result<Result<(), E>, Error> {
        in_transaction!(self.db, tx => {
            audit::lock_head(&mut tx, connection).await?;
            let said = stored(&mut tx, connection).await?;
            match decide(&said) {
                Err(why) => Err(why),
                Ok(change) => {
                    if let Some(transfer) = &change.taken_apart {
                        delete_match(&mut tx, connection, transfer).await?;
                    }
                    if let Some(made) = &change.made {
                        delete_match(&mut tx, connection, &made.found.transfer).await?;
                        insert_match(&mut tx, connection, made).await?;
                    }
                    let first = i64::try_from(said.decisions.len()).unwrap_or(i64::MAX);
                    for (seq, decision) in (first.saturating_add(1)..).zip(&change.decisions) {
                        insert_decision(&mut tx, connection, seq, decision).await?;
                    }
                    set_rev(&mut tx, connection, said.rev.saturating_add(1), None).await?;
                    audit::append_notes(&mut tx, connection, now_ms, actor, vec![&change.note]).await?;
                    Ok(())
                }
            }
        })
    }

    /// Writes what a comparison found, if what it compared still stands; else nothing, and `false`. Under the lease if the
    /// worker does it.
    pub async fn keep(
        &self,
        lease: Option<&Lease>,
        connection: &ConnectionId,
        now_ms: i64,
        actor: &Actor,
        change: &Reconciled,
    ) -> Result<bool, Error> {
        in_transaction!(self.db, tx => {
            if let Some(lease) = lease {
                lanes::fence(&mut tx, lease).await?;
            }
            audit::lock_head(&mut tx, connection).await?;
            let (rev, _) = state(&mut tx, connection).await?;
            let is_current = rev == change.rev;
            if is_current {
                for transfer in &change.gone {
                    delete_match(&mut tx, connection, transfer).await?;
                }
                for found in &change.found {
                    let row = MatchRow { found: found.clone(), person: None, reason: None, made_ms: now_ms };
                    insert_match(&mut tx, connection, &row).await?;
                }
                for (standing, suggestion) in &change.standings {
                    set_standing(&mut tx, connection, standing, suggestion.as_ref()).await?;
                }
                put_documents(&mut tx, connection, now_ms, &change.documents).await?;
                for ids in change.documents_gone.chunks(CHUNK) {
                    Statement::new("DELETE FROM transfer_documents WHERE connection = $1 AND id IN ")
                        .bind(connection.as_str())
                        .push_list(ids.iter().map(|id| clean(id)))
                        .execute(&mut tx)
                        .await?;
                }
                let moved = i64::from(!change.found.is_empty() || !change.gone.is_empty());
                set_rev(&mut tx, connection, rev.saturating_add(moved), Some(now_ms)).await?;
                audit::append_notes(&mut tx, connection, now_ms, actor, change.notes.iter().collect()).await?;
            }
            is_current
        })
    }
}

async fn stored(tx: &mut AnyConnection, connection: &ConnectionId) -> Result<TransferSaid, Error> {
    let (rev, reconciled_ms) = state(tx, connection).await?;
    let matches =
        Statement::new(SELECT_MATCHES).bind(connection.as_str()).push(" ORDER BY transfer_id").rows(tx).await?;
    let decisions = Statement::new(SELECT_DECISIONS).bind(connection.as_str()).push(" ORDER BY seq").rows(tx).await?;
    Ok(TransferSaid {
        rev,
        reconciled_ms,
        matches: matches.iter().map(read_match).collect::<Result<_, _>>()?,
        decisions: decisions.iter().map(read_decision).collect::<Result<_, _>>()?,
    })
}

async fn state(tx: &mut AnyConnection, connection: &ConnectionId) -> Result<(i64, Option<i64>), Error> {
    let rows = Statement::new("SELECT connection, rev, reconciled_ms FROM transfer_state WHERE connection = $1")
        .bind(connection.as_str())
        .rows(tx)
        .await?;
    let Some(row) = rows.first() else { return Ok((0, None)) };
    let row = STATE.row(row);
    Ok((row.integer("rev")?, row.optional_integer("reconciled_ms")?))
}

async fn set_rev(
    tx: &mut AnyConnection,
    connection: &ConnectionId,
    rev: i64,
    reconciled_ms: Option<i64>,
) -> Result<(), Error> {
    Statement::new(
        "INSERT INTO transfer_state (connection, rev, reconciled_ms) VALUES ($1, $2, $3) \
         ON CONFLICT (connection) DO UPDATE SET rev = excluded.rev, \
         reconciled_ms = COALESCE(excluded.reconciled_ms, transfer_state.reconciled_ms)",
    )
    .bind(connection.as_str())
    .bind(rev)
    .bind(reconciled_ms)
    .execute_one(tx, STATE.name)
    .await
}

async fn delete_match(tx: &mut AnyConnection, connection: &ConnectionId, transfer: &str) -> Result<(), Error> {
    Statement::new("DELETE FROM transfer_matches WHERE connection = $1 AND transfer_id = $2")
        .bind(connection.as_str())
        .bind(clean(transfer))
        .execute(tx)
        .await
        .map(drop)
}

async fn insert_match(tx: &mut AnyConnection, connection: &ConnectionId, row: &MatchRow) -> Result<(), Error> {
    Statement::new(
        "INSERT INTO transfer_matches (connection, transfer_id, found, person, reason, made_ms) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(connection.as_str())
    .bind(clean(&row.found.transfer))
    .bind(encoded(&row.found))
    .bind(row.person.as_deref().map(clean))
    .bind(row.reason.as_deref().map(clean))
    .bind(row.made_ms)
    .execute_one(tx, MATCHES.name)
    .await
}

async fn insert_decision(
    tx: &mut AnyConnection,
    connection: &ConnectionId,
    seq: i64,
    row: &DecisionRow,
) -> Result<(), Error> {
    Statement::new(
        "INSERT INTO transfer_decisions (connection, seq, transfer_id, document_id, verdict, person, reason, decided_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(connection.as_str())
    .bind(seq)
    .bind(clean(&row.transfer))
    .bind(clean(&row.document))
    .bind(row.verdict.as_str())
    .bind(clean(&row.person))
    .bind(clean(&row.reason))
    .bind(row.decided_ms)
    .execute_one(tx, DECISIONS.name)
    .await
}

async fn set_standing(
    tx: &mut AnyConnection,
    connection: &ConnectionId,
    standing: &Standing,
    suggestion: Option<&Match>,
) -> Result<(), Error> {
    Statement::new("UPDATE transfers SET standing = $3, suggestion = $4 WHERE connection = $1 AND id = $2")
        .bind(connection.as_str())
        .bind(clean(&standing.id))
        .bind(encoded(standing))
        .bind(suggestion.map(encoded))
        .execute_one(tx, TABLE.name)
        .await
}

async fn put_documents(
    tx: &mut AnyConnection,
    connection: &ConnectionId,
    now_ms: i64,
    rows: &[DocumentRow],
) -> Result<(), Error> {
    for rows in rows.chunks(CHUNK) {
        Statement::new("INSERT INTO transfer_documents (connection, id, facts, standing, updated_ms) ")
            .push_rows(rows, |row, tuple| {
                tuple
                    .bind(connection.as_str())
                    .bind(clean(&row.payable.id))
                    .bind(encoded(&row.payable))
                    .bind(encoded(&row.standing))
                    .bind(now_ms);
            })
            .push(
                " ON CONFLICT (connection, id) DO UPDATE SET facts = excluded.facts, standing = excluded.standing, \
                 updated_ms = excluded.updated_ms",
            )
            .execute(tx)
            .await?;
    }
    Ok(())
}

fn encoded<T: Serialize>(value: &T) -> String {
    clean(&serde_json::to_string(value).unwrap_or_default())
}

fn decoded<T: DeserializeOwned>(row: &Columns<'_>, column: &'static str) -> Result<T, Error> {
    row.parsed(column, |text| serde_json::from_str(text).ok())
}

fn optional<T: DeserializeOwned>(row: &Columns<'_>, column: &'static str) -> Result<Option<T>, Error> {
    row.optional_parsed(column, |text| serde_json::from_str(text).ok())
}

fn read(row: &AnyRow) -> Result<TransferRow, Error> {
    let row = TABLE.row(row);
    Ok(TransferRow {
        id: row.text("id")?,
        facts: decoded(&row, "facts")?,
        history: decoded(&row, "history")?,
        settled: optional(&row, "settled")?,
        returned_by: row.optional_text("returned_by")?,
        standing: optional(&row, "standing")?,
        suggestion: optional(&row, "suggestion")?,
        first_ms: row.integer("first_ms")?,
        updated_ms: row.integer("updated_ms")?,
    })
}

fn read_match(row: &AnyRow) -> Result<MatchRow, Error> {
    let row = MATCHES.row(row);
    Ok(MatchRow {
        found: decoded(&row, "found")?,
        person: row.optional_text("person")?,
        reason: row.optional_text("reason")?,
        made_ms: row.integer("made_ms")?,
    })
}

fn read_decision(row: &AnyRow) -> Result<DecisionRow, Error> {
    let row = DECISIONS.row(row);
    Ok(DecisionRow {
        transfer: row.text("transfer_id")?,
        document: row.text("document_id")?,
        verdict: row.parsed("verdict", DocumentVerdict::from_stored)?,
        person: row.text("person")?,
        reason: row.text("reason")?,
        decided_ms: row.integer("decided_ms")?,
    })
}
