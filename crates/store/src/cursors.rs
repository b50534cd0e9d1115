//! The table `cursors`: small values of a connection by name, such as how far a poll has come.

use domain::id::ConnectionId;

use crate::db::Db;
use crate::dialect::{Statement, clean};
use crate::error::Error;
use crate::lanes::{self, Lease};
use crate::row::Table;

const TABLE: Table = Table { name: "cursors", key: &["connection", "name"] };

/// Methods on the cursors.
pub struct Cursors<'a> {
    pub(crate) db: &'a Db,
}

impl Cursors<'_> {
    /// The value, if it was ever set.
    pub async fn get(&self, connection: &ConnectionId, name: &str) -> Result<Option<String>, Error> {
        let statement =
            Statement::new("SELECT connection, name, value FROM cursors WHERE connection = $1 AND name = $2")
                .bind(connection.as_str())
                .bind(name);
        let row = self.db.first(statement).await?;
        row.map(|row| TABLE.row(&row).text("value")).transpose()
    }

    /// Sets the value.
    pub async fn set(&self, lease: &Lease, connection: &ConnectionId, name: &str, value: &str) -> Result<(), Error> {
        in_transaction!(self.db, tx => {
            lanes::fence(&mut tx, lease).await?;
            Statement::new(
                "INSERT INTO cursors (connection, name, value) VALUES ($1, $2, $3) \
                 ON CONFLICT (connection, name) DO UPDATE SET value = excluded.value",
            )
            .bind(connection.as_str())
            .bind(name)
            .bind(clean(value))
            .execute_one(&mut tx, TABLE.name)
            .await?;
        })
    }
}
