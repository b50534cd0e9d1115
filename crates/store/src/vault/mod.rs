//! The tables `secrets` and `data_keys`: secrets at rest. A secret is sealed under the newest data key of its connection, a data
//! key under the key-encryption key, which is never here. Nothing but [`Vault::open`] gives a secret back.
//!
//! Whoever writes locks the connection's data keys first, so that a key is not thrown away under somebody who just sealed with it.

mod crypto;
mod key;
mod rotate;

use std::fmt;

use domain::id::ConnectionId;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use zeroize::Zeroizing;

pub(crate) use self::crypto::random;
use self::crypto::{KEY_BYTES, Sealed};
use crate::db::Db;
use crate::dialect::Statement;
use crate::error::Error;
use crate::place::Kind;
use crate::row::Table;

pub use self::key::{KeyProblem, KeyRing};

const SECRETS: Table = Table { name: "secrets", key: &["connection", "system", "purpose"] };
const DATA_KEYS: Table = Table { name: "data_keys", key: &["connection", "version"] };
/// Version of what is sealed and of its associated data.
const FORMAT: &str = "1";
const SELECT: &str = "SELECT connection, system, purpose, host, sealed, nonce, data_version, created_ms, rotated_ms, \
     expires_ms FROM secrets WHERE connection = $1";

/// What a secret is for, and the only host that it may be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot<'a> {
    /// `brex`, `entra` or `bc`.
    pub system: &'a str,
    /// Such as `token`, `client_secret` or `client_state/vendors`.
    pub purpose: &'a str,
    /// The host.
    pub host: &'a str,
}

/// What may be known about a secret: everything but itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSecret {
    /// The system.
    pub system: String,
    /// The purpose.
    pub purpose: String,
    /// The host.
    pub host: String,
    /// Version of the data key it is sealed under.
    pub data_version: i64,
    /// When there was first a secret here.
    pub created_ms: i64,
    /// When it was last replaced by another one.
    pub rotated_ms: Option<i64>,
    /// When it ends, if that is known.
    pub expires_ms: Option<i64>,
}

/// Methods on the secrets.
pub struct Vault<'a> {
    pub(crate) db: &'a Db,
    pub(crate) keys: &'a KeyRing,
}

impl fmt::Debug for Vault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("keys", self.keys).finish_non_exhaustive()
    }
}

struct DataKey {
    version: i64,
    bytes: Zeroizing<[u8; KEY_BYTES]>,
}

impl Vault<'_> {
    /// Keeps the secret in place of what was there. True if something changed: the same secret again is not sealed anew.
    pub async fn seal(
        &self,
        connection: &ConnectionId,
        slot: &Slot<'_>,
        secret: &SecretString,
        expires_ms: Option<i64>,
        now_ms: i64,
    ) -> Result<bool, Error> {
        in_transaction!(self.db, tx => {
            let key = self.newest_key(&mut tx, connection, now_ms).await?;
            let known = find(&mut tx, connection, slot).await?;
            if let Some((row, sealed)) = &known
                && row.host == slot.host
                && row.expires_ms == expires_ms
                && self.open_row(&mut tx, connection, row, sealed).await?.expose_secret() == secret.expose_secret()
            {
                return Ok(false);
            }
            let belongs = belongs_to(key.version, connection, slot.system, slot.purpose, slot.host);
            let sealed = crypto::seal(&key.bytes, &parts(&belongs), secret.expose_secret().as_bytes())?;
            Statement::new(
                "INSERT INTO secrets (connection, system, purpose, host, sealed, nonce, data_version, created_ms, expires_ms) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (connection, system, purpose) DO UPDATE SET \
                 host = excluded.host, sealed = excluded.sealed, nonce = excluded.nonce, \
                 data_version = excluded.data_version, rotated_ms = excluded.created_ms, expires_ms = excluded.expires_ms",
            )
            .bind(connection.as_str())
            .bind(slot.system)
            .bind(slot.purpose)
            .bind(slot.host)
            .bind(sealed.bytes)
            .bind(sealed.nonce)
            .bind(key.version)
            .bind(now_ms)
            .bind(expires_ms)
            .execute_one(&mut tx, SECRETS.name)
            .await?;
            true
        })
    }

    /// The secret, to be sent to the slot's host and nowhere else; nothing if there is none.
    pub async fn open(&self, connection: &ConnectionId, slot: &Slot<'_>) -> Result<Option<SecretString>, Error> {
        let opened = async {
            let mut tx = self.db.begin_snapshot().await?;
            let Some((row, sealed)) = find(&mut tx, connection, slot).await? else { return Ok(None) };
            if row.host != slot.host {
                return Err(Error::OtherHost {
                    connection: connection.to_string(),
                    system: row.system,
                    purpose: row.purpose,
                    sealed_for: row.host,
                    host: slot.host.to_owned(),
                });
            }
            self.open_row(&mut tx, connection, &row, &sealed).await.map(Some)
        };
        opened.await.map_err(|error: Error| error.at(&self.db.place))
    }

    /// Throws a secret away. True if there was one.
    pub async fn forget(&self, connection: &ConnectionId, system: &str, purpose: &str) -> Result<bool, Error> {
        in_transaction!(self.db, tx => {
            let statement = Statement::new("DELETE FROM secrets WHERE connection = $1 AND system = $2 AND purpose = $3");
            statement.bind(connection.as_str()).bind(system).bind(purpose).execute(&mut tx).await? > 0
        })
    }

    /// What is known about the secrets of a connection, in their order.
    pub async fn list(&self, connection: &ConnectionId) -> Result<Vec<SealedSecret>, Error> {
        let select = Statement::new(SELECT).bind(connection.as_str()).push(" ORDER BY system, purpose");
        self.db.rows(select).await?.iter().map(|row| Ok(read(row)?.0)).collect()
    }

    /// Refuses a ring that does not open every data key, and says which key is missing.
    pub async fn check(&self) -> Result<(), Error> {
        let rows =
            self.db.rows(Statement::new("SELECT connection, version, key_id, wrapped, nonce FROM data_keys")).await?;
        rows.iter().try_for_each(|row| self.unwrap(row).map(|_| ()))
    }

    /// The newest data key of a connection, locked; made if there is none.
    async fn newest_key(
        &self,
        tx: &mut AnyConnection,
        connection: &ConnectionId,
        now_ms: i64,
    ) -> Result<DataKey, Error> {
        if self.lock(tx, connection).await? == 0 {
            self.add_key(tx, connection, 1, now_ms).await?;
        }
        let statement = Statement::new(
            "SELECT connection, version, key_id, wrapped, nonce FROM data_keys WHERE connection = $1 \
             ORDER BY version DESC LIMIT 1",
        );
        let rows = statement.bind(connection.as_str()).rows(tx).await?;
        let row = rows.first().ok_or(Error::Moved { table: DATA_KEYS.name })?;
        self.unwrap(row)
    }

    /// Locks the keys and secrets of a connection until the transaction ends, and tells how many data keys there are. A lock on their rows
    /// would not do on PostgreSQL: who waits for one while a rotation puts other rows in their place ends up with none.
    async fn lock(&self, tx: &mut AnyConnection, connection: &ConnectionId) -> Result<usize, Error> {
        if self.db.kind() == Kind::Postgres {
            // The number keeps it apart from other locks by name.
            let statement = Statement::new(
                "SELECT CAST(COUNT(*) AS BIGINT) AS taken FROM \
                 (SELECT pg_advisory_xact_lock(hashtextextended($1, 7310294564))) AS taken",
            );
            statement.bind(connection.as_str()).rows(tx).await?;
        }
        let statement = Statement::new("SELECT version FROM data_keys WHERE connection = $1");
        Ok(statement.bind(connection.as_str()).rows(tx).await?.len())
    }

    /// A new random data key, wrapped by the current key. Nothing happens if somebody else has just made this version.
    async fn add_key(
        &self,
        tx: &mut AnyConnection,
        connection: &ConnectionId,
        version: i64,
        now_ms: i64,
    ) -> Result<(), Error> {
        let (id, wrapped) = self.wrap(connection, version, &*crypto::random::<KEY_BYTES>()?)?;
        let statement = Statement::new(
            "INSERT INTO data_keys (connection, version, key_id, wrapped, nonce, created_ms) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (connection, version) DO NOTHING",
        );
        let statement = statement.bind(connection.as_str()).bind(version).bind(id).bind(wrapped.bytes);
        statement.bind(wrapped.nonce).bind(now_ms).execute(tx).await.map(|_| ())
    }

    /// A data key wrapped by the current key, with that key's id.
    fn wrap(
        &self,
        connection: &ConnectionId,
        version: i64,
        bytes: &[u8; KEY_BYTES],
    ) -> Result<(String, Sealed), Error> {
        let key = self.keys.current().ok_or_else(|| self.missing("?"))?;
        let version = version.to_string();
        let wrapped = crypto::seal(&key.bytes, &["data key", FORMAT, connection.as_str(), &version, &key.id], bytes)?;
        Ok((key.id.clone(), wrapped))
    }

    fn unwrap(&self, row: &AnyRow) -> Result<DataKey, Error> {
        let row = DATA_KEYS.row(row);
        let (connection, version, id) = (row.text("connection")?, row.integer("version")?, row.text("key_id")?);
        let key = self.keys.find(&id).ok_or_else(|| self.missing(&id))?;
        let sealed = Sealed { bytes: row.bytes("wrapped")?, nonce: row.bytes("nonce")? };
        let text = version.to_string();
        let plain = crypto::open(&key.bytes, &["data key", FORMAT, &connection, &text, &id], &sealed);
        let bytes = plain.and_then(|plain| <[u8; KEY_BYTES]>::try_from(plain.as_slice()).ok());
        let damaged = || Error::NotSealed { table: DATA_KEYS.name, row: format!("{connection}/{version}") };
        Ok(DataKey { version, bytes: Zeroizing::new(bytes.ok_or_else(damaged)?) })
    }

    fn missing(&self, needed: &str) -> Error {
        let found = if self.keys.ids().is_empty() { "none".to_owned() } else { self.keys.ids().join(", ") };
        Error::KeyMissing { place: self.db.place.name().to_owned(), needed: needed.to_owned(), found }
    }

    async fn open_row(
        &self,
        tx: &mut AnyConnection,
        connection: &ConnectionId,
        row: &SealedSecret,
        sealed: &Sealed,
    ) -> Result<SecretString, Error> {
        let statement = Statement::new(
            "SELECT connection, version, key_id, wrapped, nonce FROM data_keys WHERE connection = $1 AND version = $2",
        );
        let keys = statement.bind(connection.as_str()).bind(row.data_version).rows(tx).await?;
        let damaged =
            || Error::NotSealed { table: SECRETS.name, row: format!("{connection}/{}/{}", row.system, row.purpose) };
        let key = self.unwrap(keys.first().ok_or_else(damaged)?)?;
        let belongs = belongs_to(key.version, connection, &row.system, &row.purpose, &row.host);
        let plain = crypto::open(&key.bytes, &parts(&belongs), sealed).ok_or_else(damaged)?;
        std::str::from_utf8(&plain).map(SecretString::from).map_err(|_| damaged())
    }
}

/// Ids of the keys that the data keys are wrapped with.
pub(crate) async fn needed_keys(db: &Db) -> Result<Vec<String>, Error> {
    let rows = db.rows(Statement::new("SELECT DISTINCT key_id FROM data_keys ORDER BY key_id")).await?;
    rows.iter().map(|row| DATA_KEYS.row(row).text("key_id")).collect()
}

async fn find(
    tx: &mut AnyConnection,
    connection: &ConnectionId,
    slot: &Slot<'_>,
) -> Result<Option<(SealedSecret, Sealed)>, Error> {
    let statement = Statement::new(SELECT).bind(connection.as_str());
    let statement =
        statement.push(" AND system = ").push_bind(slot.system).push(" AND purpose = ").push_bind(slot.purpose);
    statement.rows(tx).await?.first().map(read).transpose()
}

fn read(row: &AnyRow) -> Result<(SealedSecret, Sealed), Error> {
    let row = SECRETS.row(row);
    let secret = SealedSecret {
        system: row.text("system")?,
        purpose: row.text("purpose")?,
        host: row.text("host")?,
        data_version: row.integer("data_version")?,
        created_ms: row.integer("created_ms")?,
        rotated_ms: row.optional_integer("rotated_ms")?,
        expires_ms: row.optional_integer("expires_ms")?,
    };
    Ok((secret, Sealed { bytes: row.bytes("sealed")?, nonce: row.bytes("nonce")? }))
}

/// What a secret belongs to.
fn belongs_to(version: i64, connection: &ConnectionId, system: &str, purpose: &str, host: &str) -> [String; 7] {
    ["secret", FORMAT, &version.to_string(), connection.as_str(), system, purpose, host].map(str::to_owned)
}

fn parts(belongs: &[String; 7]) -> [&str; 7] {
    belongs.each_ref().map(String::as_str)
}
