//! The tables `audit` and `audit_heads`: the trail of a connection, each entry hashed with the one before. The head row is
//! locked and then moved from the state it was read in, so two writers can never fork the chain.

use domain::audit::{Actor, Entry, Note, Seal, genesis};
use domain::id::ConnectionId;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::db::Db;
use crate::dialect::{CHUNK, Statement, clean};
use crate::error::Error;
use crate::lanes::{self, Lease};
use crate::row::Table;
use crate::vault::random;

/// So much chance that nobody tries all of it.
const SALT_BYTES: usize = 16;

pub(crate) const TABLE: Table = Table { name: "audit", key: &["connection", "seq"] };
const HEADS: Table = Table { name: "audit_heads", key: &["connection"] };

pub(crate) const SELECT: &str = "SELECT connection, seq, at_ms, actor, action, subject, state_before, state_after, \
     detail, detail_salt, detail_digest, previous, hash FROM audit WHERE connection = $1";

/// Methods on the trail.
pub struct Audit<'a> {
    pub(crate) db: &'a Db,
}

impl Audit<'_> {
    /// Adds entries under the lease.
    pub async fn append(
        &self,
        lease: &Lease,
        connection: &ConnectionId,
        now_ms: i64,
        actor: &Actor,
        notes: &[Note],
    ) -> Result<(), Error> {
        in_transaction!(self.db, tx => {
            lanes::fence(&mut tx, lease).await?;
            append_notes(&mut tx, connection, now_ms, actor, notes.iter().collect()).await?;
        })
    }

    /// Adds entries without a lease: for what happens outside a lane, such as a refused delivery.
    pub async fn append_unleased(
        &self,
        connection: &ConnectionId,
        now_ms: i64,
        actor: &Actor,
        notes: &[Note],
    ) -> Result<(), Error> {
        in_transaction!(self.db, tx => {
            append_notes(&mut tx, connection, now_ms, actor, notes.iter().collect()).await?;
        })
    }

    /// The newest `limit` entries about a subject, in the order in which they were written.
    pub async fn list_for(&self, connection: &ConnectionId, subject: &str, limit: i64) -> Result<Vec<Entry>, Error> {
        let statement = Statement::new(SELECT)
            .bind(connection.as_str())
            .push(" AND subject = ")
            .push_bind(clean(subject))
            .push(" ORDER BY seq DESC LIMIT ")
            .push_bind(limit);
        self.db.rows(statement).await?.iter().rev().map(read).collect()
    }

    /// Whose trails there are: connections', and the installation's once it has an entry.
    pub async fn trails(&self) -> Result<Vec<ConnectionId>, Error> {
        let known = |text: &str| match ConnectionId::new(text) {
            Ok(id) => Some(id),
            Err(_) => Some(ConnectionId::installation()).filter(|id| id.as_str() == text),
        };
        let rows = self.db.rows(Statement::new("SELECT connection FROM audit_heads ORDER BY connection")).await?;
        rows.iter().map(|row| HEADS.row(row).parsed("connection", known)).collect()
    }

    /// Number of the newest entry; 0 if there is none.
    pub async fn newest(&self, connection: &ConnectionId) -> Result<i64, Error> {
        let statement =
            Statement::new("SELECT connection, seq FROM audit_heads WHERE connection = $1").bind(connection.as_str());
        let row = self.db.first(statement).await?;
        Ok(row.map(|row| HEADS.row(&row).integer("seq")).transpose()?.unwrap_or(0))
    }

    /// The entries after `after_seq`, in the order in which they were written.
    pub async fn list(&self, connection: &ConnectionId, after_seq: i64, limit: i64) -> Result<Vec<Entry>, Error> {
        self.db.rows(page(connection, after_seq, limit)).await?.iter().map(read).collect()
    }
}

pub(crate) fn page(connection: &ConnectionId, after_seq: i64, limit: i64) -> Statement {
    Statement::new(SELECT)
        .bind(connection.as_str())
        .push(" AND seq > ")
        .push_bind(after_seq)
        .push(" ORDER BY seq LIMIT ")
        .push_bind(limit)
}

pub(crate) fn read(row: &AnyRow) -> Result<Entry, Error> {
    let row = TABLE.row(row);
    Ok(Entry {
        seq: row.integer("seq")?,
        at_ms: row.integer("at_ms")?,
        actor: row.text("actor")?,
        action: row.text("action")?,
        subject: row.text("subject")?,
        before: row.optional_text("state_before")?,
        after: row.optional_text("state_after")?,
        detail: row.text("detail")?,
        seal: row
            .optional_text("detail_digest")?
            .map(|digest| Ok::<_, Error>(Seal { digest, salt: row.optional_text("detail_salt")? }))
            .transpose()?,
        previous: row.text("previous")?,
        hash: row.text("hash")?,
    })
}

/// Sequence number and hash of the newest entry, if there ever was one.
pub(crate) async fn head(tx: &mut AnyConnection, connection: &ConnectionId) -> Result<Option<(i64, String)>, Error> {
    let rows = Statement::new("SELECT connection, seq, hash FROM audit_heads WHERE connection = $1")
        .bind(connection.as_str())
        .rows(tx)
        .await?;
    read_head(&rows)
}

/// Adds entries inside a transaction.
pub(crate) async fn append_notes(
    tx: &mut AnyConnection,
    connection: &ConnectionId,
    now_ms: i64,
    actor: &Actor,
    notes: Vec<&Note>,
) -> Result<(), Error> {
    if notes.is_empty() {
        return Ok(());
    }
    let (old_seq, old_hash) = lock_head(tx, connection).await?;
    let (mut seq, mut hash) = (old_seq, old_hash.clone());
    let mut entries = Vec::new();
    for note in notes {
        seq = seq.saturating_add(1);
        let entry = entry_of(note, connection, seq, now_ms, actor, &hash)?;
        hash.clone_from(&entry.hash);
        entries.push(entry);
    }
    insert(tx, connection, &entries).await?;
    Statement::new("UPDATE audit_heads SET seq = $2, hash = $3 WHERE connection = $1 AND seq = $4 AND hash = $5")
        .bind(connection.as_str())
        .bind(seq)
        .bind(hash)
        .bind(old_seq)
        .bind(old_hash)
        .execute_one(tx, HEADS.name)
        .await
}

/// Takes the lock of the head row, creating it before the first entry: who writes for the connection waits until the
/// transaction ends. Gives sequence number and hash of the newest entry.
pub(crate) async fn lock_head(tx: &mut AnyConnection, connection: &ConnectionId) -> Result<(i64, String), Error> {
    if let Some(head) = lock(tx, connection).await? {
        return Ok(head);
    }
    Statement::new(
        "INSERT INTO audit_heads (connection, seq, hash) VALUES ($1, 0, $2) ON CONFLICT (connection) DO NOTHING",
    )
    .bind(connection.as_str())
    .bind(genesis())
    .execute(tx)
    .await?;
    lock(tx, connection).await?.ok_or(Error::Moved { table: HEADS.name })
}

async fn lock(tx: &mut AnyConnection, connection: &ConnectionId) -> Result<Option<(i64, String)>, Error> {
    let statement =
        Statement::new("UPDATE audit_heads SET seq = seq WHERE connection = $1 RETURNING connection, seq, hash");
    read_head(&statement.bind(connection.as_str()).rows(tx).await?)
}

fn read_head(rows: &[AnyRow]) -> Result<Option<(i64, String)>, Error> {
    rows.first()
        .map(|row| {
            let row = HEADS.row(row);
            Ok((row.integer("seq")?, row.text("hash")?))
        })
        .transpose()
}

fn entry_of(
    note: &Note,
    connection: &ConnectionId,
    seq: i64,
    at_ms: i64,
    actor: &Actor,
    previous: &str,
) -> Result<Entry, Error> {
    let detail = note.detail.to_string();
    let salt = data_encoding::HEXLOWER.encode(&*random::<SALT_BYTES>()?);
    let mut entry = Entry {
        seq,
        at_ms,
        actor: clean(&actor.to_text()),
        action: clean(&note.action),
        subject: clean(&note.subject),
        before: note.before.as_deref().map(clean),
        after: note.after.as_deref().map(clean),
        seal: Some(Seal::over(&detail, salt)),
        detail,
        previous: previous.to_owned(),
        hash: String::new(),
    };
    entry.hash = entry.expected_hash(connection.as_str());
    Ok(entry)
}

async fn insert(tx: &mut AnyConnection, connection: &ConnectionId, entries: &[Entry]) -> Result<(), Error> {
    for entries in entries.chunks(CHUNK) {
        Statement::new(
            "INSERT INTO audit (connection, seq, at_ms, actor, action, subject, state_before, state_after, detail, \
             detail_salt, detail_digest, previous, hash) ",
        )
        .push_rows(entries, |entry, tuple| {
            tuple
                .bind(connection.as_str())
                .bind(entry.seq)
                .bind(entry.at_ms)
                .bind(entry.actor.as_str())
                .bind(entry.action.as_str())
                .bind(entry.subject.as_str())
                .bind(entry.before.as_deref())
                .bind(entry.after.as_deref())
                .bind(entry.detail.as_str())
                .bind(entry.seal.as_ref().and_then(|seal| seal.salt.as_deref()))
                .bind(entry.seal.as_ref().map(|seal| seal.digest.as_str()))
                .bind(entry.previous.as_str())
                .bind(entry.hash.as_str());
        })
        .execute(tx)
        .await?;
    }
    Ok(())
}
