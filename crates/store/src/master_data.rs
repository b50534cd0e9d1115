//! The table `master_data`: the local mirror of Business Central's vendors, accounts, dimensions and set-up.

use std::collections::{BTreeSet, HashMap};

use domain::audit::{Actor, Note};
use domain::id::ConnectionId;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::audit;
use crate::db::Db;
use crate::dialect::{CHUNK, Statement, clean};
use crate::error::Error;
use crate::lanes::{self, Lease};
use crate::row::Table;

const TABLE: Table = Table { name: "master_data", key: &["connection", "kind", "bc_id"] };

const SELECT: &str = "SELECT connection, kind, bc_id, code, name, attributes, modified_ms FROM master_data \
     WHERE connection = $1 AND kind = $2";

/// What is mirrored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MasterKind {
    /// Vendors.
    Vendor,
    /// G/L accounts.
    Account,
    /// Dimensions.
    Dimension,
    /// Dimension values.
    DimensionValue,
    /// Currencies.
    Currency,
    /// Set-up of the company.
    Setup,
}

impl MasterKind {
    /// Stable name, as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vendor => "vendor",
            Self::Account => "account",
            Self::Dimension => "dimension",
            Self::DimensionValue => "dimension_value",
            Self::Currency => "currency",
            Self::Setup => "setup",
        }
    }
}

/// One thing that is mirrored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterRow {
    /// BC's id.
    pub bc_id: String,
    /// Number or code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Everything else, as JSON.
    pub attributes: String,
    /// When BC says that it was changed.
    pub modified_ms: Option<i64>,
}

/// What a refresh changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Rows that are new.
    pub added: usize,
    /// Rows that differ.
    pub changed: usize,
    /// Rows that are gone.
    pub removed: usize,
}

/// What the trail is to say about a refresh.
pub struct Telling<'a> {
    /// Who refreshes.
    pub actor: &'a Actor,
    /// The ids of the rows that it is about.
    pub watched: &'a BTreeSet<String>,
    /// The entries for one of them that changed: its id, what it was and what it is. Asked again after a deadlock.
    pub tell: fn(&str, Option<&MasterRow>, Option<&MasterRow>) -> Vec<Note>,
}

/// Methods on the mirror.
pub struct MasterData<'a> {
    pub(crate) db: &'a Db,
}

impl MasterData<'_> {
    /// Makes the mirror of this kind equal to `rows`, writing only what differs. Of rows with the same id the last counts.
    pub async fn replace_all(
        &self,
        lease: &Lease,
        connection: &ConnectionId,
        kind: MasterKind,
        rows: &[MasterRow],
        now_ms: i64,
    ) -> Result<Changed, Error> {
        self.replace(lease, connection, kind, rows, now_ms, None).await
    }

    /// The same, and what is told about the rows that are watched goes into the trail in the same transaction.
    pub async fn replace_all_telling(
        &self,
        lease: &Lease,
        connection: &ConnectionId,
        kind: MasterKind,
        rows: &[MasterRow],
        now_ms: i64,
        telling: &Telling<'_>,
    ) -> Result<Changed, Error> {
        self.replace(lease, connection, kind, rows, now_ms, Some(telling)).await
    }

    async fn replace(
        &self,
        lease: &Lease,
        connection: &ConnectionId,
        kind: MasterKind,
        rows: &[MasterRow],
        now_ms: i64,
        telling: Option<&Telling<'_>>,
    ) -> Result<Changed, Error> {
        let wanted = by_id(rows);
        in_transaction!(self.db, tx => {
            lanes::fence(&mut tx, lease).await?;
            let stored = stored(&mut tx, connection, kind).await?;
            let changed = write_differing(&mut tx, connection, kind, &wanted, &stored, now_ms).await?;
            let gone: Vec<&str> = stored.keys().map(String::as_str).filter(|id| !wanted.contains_key(id)).collect();
            remove(&mut tx, connection, kind, &gone).await?;
            if let Some(telling) = telling {
                let both = telling.watched.iter().map(|id| (id.as_str(), stored.get(id), wanted.get(id.as_str())));
                append_told(&mut tx, connection, now_ms, telling, both).await?;
            }
            Changed { removed: gone.len(), ..changed }
        })
    }

    /// Adds or changes `rows` and leaves all others, writing only what differs; what is told about the rows that are watched
    /// goes into the trail in the same transaction.
    pub async fn upsert_telling(
        &self,
        lease: &Lease,
        connection: &ConnectionId,
        kind: MasterKind,
        rows: &[MasterRow],
        now_ms: i64,
        telling: Option<&Telling<'_>>,
    ) -> Result<Changed, Error> {
        let wanted = by_id(rows);
        in_transaction!(self.db, tx => {
            lanes::fence(&mut tx, lease).await?;
            let stored = stored(&mut tx, connection, kind).await?;
            let changed = write_differing(&mut tx, connection, kind, &wanted, &stored, now_ms).await?;
            if let Some(telling) = telling {
                let both = wanted.iter().map(|(id, is)| (*id, stored.get(*id), Some(is)));
                append_told(&mut tx, connection, now_ms, telling, both).await?;
            }
            changed
        })
    }

    /// The same without telling.
    pub async fn upsert(
        &self,
        lease: &Lease,
        connection: &ConnectionId,
        kind: MasterKind,
        rows: &[MasterRow],
        now_ms: i64,
    ) -> Result<Changed, Error> {
        self.upsert_telling(lease, connection, kind, rows, now_ms, None).await
    }

    /// Everything of this kind, by code.
    pub async fn list(&self, connection: &ConnectionId, kind: MasterKind) -> Result<Vec<MasterRow>, Error> {
        let statement = Statement::new(SELECT).bind(connection.as_str()).bind(kind.as_str());
        let rows = self.db.rows(statement).await?;
        let mut rows: Vec<MasterRow> = rows.iter().map(read).collect::<Result<_, _>>()?;
        rows.sort_by(|a, b| (&a.code, &a.bc_id).cmp(&(&b.code, &b.bc_id)));
        Ok(rows)
    }
}

/// Puts what is to be said about watched rows that changed into the trail, in the order of their ids.
async fn append_told<'r>(
    tx: &mut AnyConnection,
    connection: &ConnectionId,
    now_ms: i64,
    telling: &Telling<'_>,
    both: impl Iterator<Item = (&'r str, Option<&'r MasterRow>, Option<&'r MasterRow>)>,
) -> Result<(), Error> {
    let mut changed: Vec<_> = both.filter(|(id, was, is)| was != is && telling.watched.contains(*id)).collect();
    changed.sort_by_key(|(id, ..)| *id);
    let notes: Vec<Note> = changed.into_iter().flat_map(|(id, was, is)| (telling.tell)(id, was, is)).collect();
    audit::append_notes(tx, connection, now_ms, telling.actor, notes.iter().collect()).await
}

/// The rows as both databases can store them, by id.
fn by_id(rows: &[MasterRow]) -> HashMap<&str, MasterRow> {
    rows.iter()
        .map(|row| {
            let row_as_stored = MasterRow {
                bc_id: row.bc_id.clone(),
                code: clean(&row.code),
                name: clean(&row.name),
                attributes: clean(&row.attributes),
                modified_ms: row.modified_ms,
            };
            (row.bc_id.as_str(), row_as_stored)
        })
        .collect()
}

fn read(row: &AnyRow) -> Result<MasterRow, Error> {
    let row = TABLE.row(row);
    Ok(MasterRow {
        bc_id: row.text("bc_id")?,
        code: row.text("code")?,
        name: row.text("name")?,
        attributes: row.text("attributes")?,
        modified_ms: row.optional_integer("modified_ms")?,
    })
}

async fn stored(
    tx: &mut AnyConnection,
    connection: &ConnectionId,
    kind: MasterKind,
) -> Result<HashMap<String, MasterRow>, Error> {
    let rows = Statement::new(SELECT).bind(connection.as_str()).bind(kind.as_str()).rows(tx).await?;
    rows.iter().map(|row| read(row).map(|row| (row.bc_id.clone(), row))).collect()
}

async fn write_differing(
    tx: &mut AnyConnection,
    connection: &ConnectionId,
    kind: MasterKind,
    wanted: &HashMap<&str, MasterRow>,
    stored: &HashMap<String, MasterRow>,
    now_ms: i64,
) -> Result<Changed, Error> {
    let mut differing: Vec<&MasterRow> = wanted.values().filter(|row| stored.get(&row.bc_id) != Some(*row)).collect();
    // In the order of the key, so that the pages of the index are written one after the other.
    differing.sort_by(|a, b| a.bc_id.cmp(&b.bc_id));
    let added = differing.iter().filter(|row| !stored.contains_key(&row.bc_id)).count();
    for rows in differing.chunks(CHUNK) {
        Statement::new(
            "INSERT INTO master_data (connection, kind, bc_id, code, name, attributes, modified_ms, written_ms) ",
        )
        .push_rows(rows, |row, tuple| {
            tuple
                .bind(connection.as_str())
                .bind(kind.as_str())
                .bind(row.bc_id.as_str())
                .bind(row.code.as_str())
                .bind(row.name.as_str())
                .bind(row.attributes.as_str())
                .bind(row.modified_ms)
                .bind(now_ms);
        })
        .push(
            " ON CONFLICT (connection, kind, bc_id) DO UPDATE SET code = excluded.code, name = excluded.name, \
             attributes = excluded.attributes, modified_ms = excluded.modified_ms, written_ms = excluded.written_ms",
        )
        .execute(tx)
        .await?;
    }
    Ok(Changed { added, changed: differing.len().saturating_sub(added), removed: 0 })
}

async fn remove(
    tx: &mut AnyConnection,
    connection: &ConnectionId,
    kind: MasterKind,
    ids: &[&str],
) -> Result<(), Error> {
    for ids in ids.chunks(CHUNK) {
        Statement::new("DELETE FROM master_data WHERE connection = $1 AND kind = $2 AND bc_id IN ")
            .bind(connection.as_str())
            .bind(kind.as_str())
            .push_list(ids.iter().copied())
            .execute(tx)
            .await?;
    }
    Ok(())
}
