//! New keys in place of old ones, in batches. Each batch is one transaction after which every secret still opens, and whatever
//! was left undone is found in the tables, so a rotation that was killed is simply begun again.

use domain::id::ConnectionId;

use super::{DATA_KEYS, SECRETS, SELECT, Vault, belongs_to, crypto, parts, read};
use crate::dialect::Statement;
use crate::error::Error;

impl Vault<'_> {
    /// Wraps up to `batch` data keys anew that another key than the current one wraps; tells how many. Zero: none is left.
    pub async fn rewrap(&self, batch: i64) -> Result<u64, Error> {
        let current = self.keys.current_id();
        in_transaction!(self.db, tx => {
            let statement = Statement::new(
                "SELECT connection, version, key_id, wrapped, nonce FROM data_keys WHERE key_id <> $1 \
                 ORDER BY connection, version LIMIT $2",
            );
            let mut done = 0_u64;
            for row in statement.bind(current).bind(batch).rows(&mut tx).await? {
                let key = self.unwrap(&row)?;
                let columns = DATA_KEYS.row(&row);
                let connection = columns.parsed("connection", |text| ConnectionId::new(text).ok())?;
                let before = columns.text("key_id")?;
                let (id, wrapped) = self.wrap(&connection, key.version, &key.bytes)?;
                let update = Statement::new(
                    "UPDATE data_keys SET key_id = $4, wrapped = $5, nonce = $6 \
                     WHERE connection = $1 AND version = $2 AND key_id = $3",
                );
                let update = update.bind(connection.as_str()).bind(key.version).bind(before);
                update.bind(id).bind(wrapped.bytes).bind(wrapped.nonce).execute_one(&mut tx, DATA_KEYS.name).await?;
                done = done.saturating_add(1);
            }
            done
        })
    }

    /// Gives a connection a new data key for what is sealed from now on, unless a rotation is under way already or the connection
    /// has no secrets. True if it did.
    pub async fn begin_data_rotation(&self, connection: &ConnectionId, now_ms: i64) -> Result<bool, Error> {
        in_transaction!(self.db, tx => {
            if self.lock(&mut tx, connection).await? == 1 {
                let newest = self.newest_key(&mut tx, connection, now_ms).await?.version;
                self.add_key(&mut tx, connection, newest.saturating_add(1), now_ms).await?;
                true
            } else {
                false
            }
        })
    }

    /// Seals up to `batch` secrets anew under the newest data key; tells how many. Zero: none is left, and the data keys before the
    /// newest one are gone.
    pub async fn reseal(&self, connection: &ConnectionId, batch: i64) -> Result<u64, Error> {
        in_transaction!(self.db, tx => {
            if self.lock(&mut tx, connection).await? < 2 {
                return Ok(0);
            }
            let newest = self.newest_key(&mut tx, connection, 0).await?;
            let statement = Statement::new(SELECT).bind(connection.as_str()).push(" AND data_version < ");
            let statement = statement.push_bind(newest.version).push(" ORDER BY system, purpose LIMIT ").push_bind(batch);
            let rows = statement.rows(&mut tx).await?;
            for row in &rows {
                let (row, sealed) = read(row)?;
                let secret = self.open_row(&mut tx, connection, &row, &sealed).await?;
                let belongs = belongs_to(newest.version, connection, &row.system, &row.purpose, &row.host);
                let plain = secrecy::ExposeSecret::expose_secret(&secret).as_bytes();
                let sealed = crypto::seal(&newest.bytes, &parts(&belongs), plain)?;
                let update = Statement::new(
                    "UPDATE secrets SET sealed = $4, nonce = $5, data_version = $6 \
                     WHERE connection = $1 AND system = $2 AND purpose = $3",
                );
                let update = update.bind(connection.as_str()).bind(row.system).bind(row.purpose).bind(sealed.bytes);
                update.bind(sealed.nonce).bind(newest.version).execute_one(&mut tx, SECRETS.name).await?;
            }
            if rows.is_empty() {
                let old = Statement::new("DELETE FROM data_keys WHERE connection = $1 AND version < $2");
                old.bind(connection.as_str()).bind(newest.version).execute(&mut tx).await?;
            }
            u64::try_from(rows.len()).unwrap_or(u64::MAX)
        })
    }
}
