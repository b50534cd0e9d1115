//! The table `brex_vendors`: which Brex vendor stands for which BC vendor, what was written there and what is to be done.
//! Every change goes in under the lane's lease, together with its entries in the trail.

use domain::audit::{Actor, Note};
use domain::brex_vendor::{Fields, Presence, State, VendorHold, name::name_key};
use domain::id::ConnectionId;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::any::AnyRow;
use uuid::Uuid;

use crate::audit;
use crate::db::Db;
use crate::dialect::{CHUNK, Statement, clean};
use crate::error::Error;
use crate::lanes::{self, Lease};
use crate::row::{Columns, Table, from_str};

const TABLE: Table = Table { name: "brex_vendors", key: &["connection", "bc_id"] };

const SELECT: &str = "SELECT connection, bc_id, number, bc_name, email, phone, presence, name, state, brex_id, ours, sent, \
     written, seen, attempt, tries, hold_code, hold_text, due_ms, looked_ms, created_ms, updated_ms FROM brex_vendors \
     WHERE connection = $1";

const INSERT: &str = "INSERT INTO brex_vendors (connection, bc_id, number, bc_name, email, phone, presence, name, \
     name_key, state, brex_id, ours, sent, written, seen, attempt, tries, hold_code, hold_text, due_ms, looked_ms, \
     created_ms, updated_ms) ";

const OR_UPDATE: &str = " ON CONFLICT (connection, bc_id) DO UPDATE SET number = excluded.number, \
     bc_name = excluded.bc_name, email = excluded.email, phone = excluded.phone, presence = excluded.presence, \
     name = excluded.name, name_key = excluded.name_key, state = excluded.state, brex_id = excluded.brex_id, \
     ours = excluded.ours, sent = excluded.sent, written = excluded.written, seen = excluded.seen, \
     attempt = excluded.attempt, tries = excluded.tries, hold_code = excluded.hold_code, \
     hold_text = excluded.hold_text, due_ms = excluded.due_ms, looked_ms = excluded.looked_ms, \
     updated_ms = excluded.updated_ms";

/// A BC vendor and what stands for it in Brex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrexVendorRow {
    /// BC's id.
    pub bc_id: Uuid,
    /// BC's number.
    pub number: String,
    /// Name in BC.
    pub bc_name: String,
    /// E-mail address as it would be written.
    pub email: Option<String>,
    /// Telephone number as it would be written.
    pub phone: Option<String>,
    /// How it stands in BC.
    pub presence: Presence,
    /// The name planned for Brex; none while it needs none.
    pub name: Option<String>,
    /// Where it stands in Brex.
    pub state: State,
    /// Brex's id.
    pub brex_id: Option<String>,
    /// Whether the vendor in Brex was made by us.
    pub ours: bool,
    /// What the open create sends.
    pub sent: Option<Fields>,
    /// What Brex last took from us.
    pub written: Option<Fields>,
    /// What was last seen in Brex.
    pub seen: Option<Fields>,
    /// Which creation it is, counted from 1; part of the idempotency key.
    pub attempt: i64,
    /// Failures in a row.
    pub tries: i64,
    /// Why it waits for a person.
    pub hold: Option<VendorHold>,
    /// The same as a sentence.
    pub hold_text: Option<String>,
    /// When there is something to do.
    pub due_ms: Option<i64>,
    /// When it was last seen or looked for in Brex.
    pub looked_ms: Option<i64>,
    /// When the row was made.
    pub created_ms: i64,
    /// When it was last changed.
    pub updated_ms: i64,
}

/// A row as it shall be, and what the trail is to say about it.
#[derive(Clone, Debug)]
pub struct BrexVendorChange {
    /// The row.
    pub row: BrexVendorRow,
    /// The entries.
    pub notes: Vec<Note>,
}

/// How many vendors stand alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrexVendorCount {
    /// In Brex.
    pub state: State,
    /// In BC.
    pub presence: Presence,
    /// Why they wait for a person.
    pub hold: Option<VendorHold>,
    /// How many.
    pub vendors: i64,
}

/// Methods on the map.
pub struct BrexVendors<'a> {
    pub(crate) db: &'a Db,
}

impl BrexVendors<'_> {
    /// Writes rows and their entries in one transaction, under the lease.
    pub async fn apply(
        &self,
        lease: &Lease,
        connection: &ConnectionId,
        now_ms: i64,
        actor: &Actor,
        changes: &[BrexVendorChange],
    ) -> Result<(), Error> {
        if changes.is_empty() {
            return Ok(());
        }
        in_transaction!(self.db, tx => {
            lanes::fence(&mut tx, lease).await?;
            for changes in changes.chunks(CHUNK) {
                let statement = Statement::new(INSERT);
                statement
                    .push_rows(changes, |change, tuple| bind(connection, &change.row, now_ms, tuple))
                    .push(OR_UPDATE)
                    .execute(&mut tx)
                    .await?;
            }
            let notes = changes.iter().flat_map(|change| &change.notes).collect();
            audit::append_notes(&mut tx, connection, now_ms, actor, notes).await?;
        })
    }

    /// Every row, by number.
    pub async fn list(&self, connection: &ConnectionId) -> Result<Vec<BrexVendorRow>, Error> {
        self.read(Statement::new(SELECT).bind(connection.as_str()).push(" ORDER BY number, bc_id")).await
    }

    /// What is due, the lowest number first.
    pub async fn list_due(
        &self,
        connection: &ConnectionId,
        now_ms: i64,
        limit: i64,
    ) -> Result<Vec<BrexVendorRow>, Error> {
        let statement = Statement::new(SELECT).bind(connection.as_str()).push(" AND due_ms <= ").push_bind(now_ms);
        self.read(statement.push(" ORDER BY due_ms, number LIMIT ").push_bind(limit)).await
    }

    /// The rows with one of these Brex ids, and those whose planned name is one of these names but for case.
    pub async fn list_matching(
        &self,
        connection: &ConnectionId,
        brex_ids: &[String],
        names: &[String],
    ) -> Result<Vec<BrexVendorRow>, Error> {
        let mut found = Vec::new();
        for ids in brex_ids.chunks(CHUNK) {
            let statement = Statement::new(SELECT).bind(connection.as_str()).push(" AND brex_id IN ");
            found.extend(self.read(statement.push_list(ids.iter().map(|id| clean(id)))).await?);
        }
        for names in names.chunks(CHUNK) {
            let statement = Statement::new(SELECT).bind(connection.as_str()).push(" AND name_key IN ");
            found.extend(self.read(statement.push_list(names.iter().map(|name| clean(&name_key(name))))).await?);
        }
        found.sort_by_key(|row| row.bc_id);
        found.dedup_by_key(|row| row.bc_id);
        Ok(found)
    }

    /// Notes that these were seen in Brex at `now_ms`.
    pub async fn mark_seen(
        &self,
        lease: &Lease,
        connection: &ConnectionId,
        brex_ids: &[String],
        now_ms: i64,
    ) -> Result<(), Error> {
        in_transaction!(self.db, tx => {
            lanes::fence(&mut tx, lease).await?;
            for ids in brex_ids.chunks(CHUNK) {
                Statement::new("UPDATE brex_vendors SET looked_ms = $2 WHERE connection = $1 AND brex_id IN ")
                    .bind(connection.as_str())
                    .bind(now_ms)
                    .push_list(ids.iter().map(|id| clean(id)))
                    .execute(&mut tx)
                    .await?;
            }
        })
    }

    /// Ends a look through the whole directory that began at `began_ms`: what is still new is not there, and what should
    /// be there but was not seen has to be looked at.
    pub async fn finish_look(
        &self,
        lease: &Lease,
        connection: &ConnectionId,
        began_ms: i64,
        now_ms: i64,
    ) -> Result<(), Error> {
        in_transaction!(self.db, tx => {
            lanes::fence(&mut tx, lease).await?;
            Statement::new(
                "UPDATE brex_vendors SET state = 'absent', looked_ms = $2 WHERE connection = $1 AND state = 'new' \
                 AND presence = 'active' AND brex_id IS NULL",
            )
            .bind(connection.as_str())
            .bind(now_ms)
            .execute(&mut tx)
            .await?;
            Statement::new(
                "UPDATE brex_vendors SET due_ms = $3 WHERE connection = $1 AND state = 'here' AND looked_ms < $2 \
                 AND hold_code IS NULL",
            )
            .bind(connection.as_str())
            .bind(began_ms)
            .bind(now_ms)
            .execute(&mut tx)
            .await?;
        })
    }

    /// When the next row is due.
    pub async fn next_due(&self, connection: &ConnectionId) -> Result<Option<i64>, Error> {
        self.db.next_due(TABLE, connection).await
    }

    /// The rows of a BC number, a BC id or a Brex id.
    pub async fn find(&self, connection: &ConnectionId, text: &str) -> Result<Vec<BrexVendorRow>, Error> {
        let statement = Statement::new(SELECT)
            .bind(connection.as_str())
            .push(" AND (number = ")
            .push_bind(text.to_uppercase())
            .push(" OR bc_id = ")
            .push_bind(text.to_lowercase())
            .push(" OR brex_id = ")
            .push_bind(text.to_owned());
        self.read(statement.push(") ORDER BY number, bc_id")).await
    }

    /// How many rows stand alike.
    pub async fn counts(&self, connection: &ConnectionId) -> Result<Vec<BrexVendorCount>, Error> {
        let statement = Statement::new(
            "SELECT connection, state, presence, hold_code, CAST(COUNT(*) AS BIGINT) AS vendors FROM brex_vendors \
             WHERE connection = $1 GROUP BY connection, state, presence, hold_code ORDER BY state, presence, hold_code",
        );
        let rows = self.db.rows(statement.bind(connection.as_str())).await?;
        rows.iter()
            .map(|row| {
                let row = TABLE.row(row);
                let (state, presence) = (row.parsed("state", word)?, row.parsed("presence", word)?);
                let hold = row.optional_parsed("hold_code", word)?;
                Ok(BrexVendorCount { state, presence, hold, vendors: row.integer("vendors")? })
            })
            .collect()
    }

    async fn read(&self, statement: Statement) -> Result<Vec<BrexVendorRow>, Error> {
        self.db.rows(statement).await?.iter().map(read).collect()
    }
}

fn bind(connection: &ConnectionId, row: &BrexVendorRow, now_ms: i64, tuple: &mut crate::dialect::Tuple<'_>) {
    let text = |text: &Option<String>| text.as_deref().map(clean);
    tuple
        .bind(connection.as_str())
        .bind(row.bc_id.to_string())
        .bind(clean(&row.number))
        .bind(clean(&row.bc_name))
        .bind(text(&row.email))
        .bind(text(&row.phone))
        .bind(to_word(&row.presence))
        .bind(text(&row.name))
        .bind(row.name.as_deref().map(|name| clean(&name_key(name))))
        .bind(to_word(&row.state))
        .bind(text(&row.brex_id))
        .bind(i64::from(row.ours))
        .bind(row.sent.as_ref().map(to_json))
        .bind(row.written.as_ref().map(to_json))
        .bind(row.seen.as_ref().map(to_json))
        .bind(row.attempt)
        .bind(row.tries)
        .bind(row.hold.as_ref().map(to_word))
        .bind(text(&row.hold_text))
        .bind(row.due_ms)
        .bind(row.looked_ms)
        .bind(row.created_ms)
        .bind(now_ms);
}

/// The serde name of a unit variant.
fn to_word<T: Serialize>(value: &T) -> String {
    to_json(value).trim_matches('"').to_owned()
}

fn word<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).ok()
}

/// JSON in which a NUL is spelled as an escape, so that both databases take it.
fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn fields(row: &Columns<'_>, column: &'static str) -> Result<Option<Fields>, Error> {
    row.optional_parsed(column, |text| serde_json::from_str(text).ok())
}

fn read(row: &AnyRow) -> Result<BrexVendorRow, Error> {
    let row = TABLE.row(row);
    Ok(BrexVendorRow {
        bc_id: row.parsed("bc_id", from_str)?,
        number: row.text("number")?,
        bc_name: row.text("bc_name")?,
        email: row.optional_text("email")?,
        phone: row.optional_text("phone")?,
        presence: row.parsed("presence", word)?,
        name: row.optional_text("name")?,
        state: row.parsed("state", word)?,
        brex_id: row.optional_text("brex_id")?,
        ours: row.integer("ours")? != 0,
        sent: fields(&row, "sent")?,
        written: fields(&row, "written")?,
        seen: fields(&row, "seen")?,
        attempt: row.integer("attempt")?,
        tries: row.integer("tries")?,
        hold: row.optional_parsed("hold_code", word)?,
        hold_text: row.optional_text("hold_text")?,
        due_ms: row.optional_integer("due_ms")?,
        looked_ms: row.optional_integer("looked_ms")?,
        created_ms: row.integer("created_ms")?,
        updated_ms: row.integer("updated_ms")?,
    })
}
