//! The pools, and the one way to write: a transaction that is repeated after a deadlock.

use domain::id::ConnectionId;
use sqlx::any::AnyRow;
use sqlx::{Any, AnyPool, Transaction};

use crate::dialect::{self, Statement};
use crate::error::Error;
use crate::inbox_queue::Queue;
use crate::place::{Kind, Place};
use crate::row::Table;

/// How often a transaction is tried before a deadlock or a serialization failure is passed on.
pub(crate) const ATTEMPTS: u32 = 3;

/// The pools of one database.
pub(crate) struct Db {
    pub(crate) place: Place,
    /// On SQLite one connection, since SQLite has one writer.
    pub(crate) writers: AnyPool,
    pub(crate) readers: AnyPool,
    /// Deliveries that wait to be kept.
    pub(crate) inbox: Queue,
}

/// Runs the block in one transaction and commits it. An error, or dropping the future, rolls it back. The block may run
/// again after a deadlock, so it must not change anything outside the database.
macro_rules! in_transaction {
    ($db:expr, $tx:ident => $body:block) => {{
        let db: &$crate::db::Db = $db;
        let mut attempt = 1;
        loop {
            let outcome: Result<_, $crate::error::Error> = async {
                let mut $tx = db.begin().await?;
                let value = $body;
                $tx.commit().await?;
                Ok(value)
            }
            .await;
            match outcome {
                Err(error) if attempt < $crate::db::ATTEMPTS && error.is_worth_repeating(db.kind()) => attempt += 1,
                outcome => break outcome.map_err(|error| error.at(&db.place)),
            }
        }
    }};
}

impl Db {
    pub(crate) fn kind(&self) -> Kind {
        self.place.kind()
    }

    /// A transaction that writes.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Any>, Error> {
        Ok(self.writers.begin_with(dialect::begin_write(self.kind())).await?)
    }

    /// A transaction that reads one state of the database, whatever others write meanwhile.
    pub(crate) async fn begin_snapshot(&self) -> Result<Transaction<'static, Any>, Error> {
        let begun = self.readers.begin_with(dialect::begin_snapshot(self.kind())).await;
        begun.map_err(|error| Error::from(error).at(&self.place))
    }

    /// Every row of a statement that only reads.
    pub(crate) async fn rows(&self, statement: Statement) -> Result<Vec<AnyRow>, Error> {
        let found = async {
            let mut connection = self.readers.acquire().await?;
            statement.rows(&mut connection).await
        };
        found.await.map_err(|error: Error| error.at(&self.place))
    }

    /// The first row of a statement that only reads.
    pub(crate) async fn first(&self, statement: Statement) -> Result<Option<AnyRow>, Error> {
        Ok(self.rows(statement).await?.into_iter().next())
    }

    /// When the next row of a connection is due, in a table with the columns `connection` and `due_ms`.
    pub(crate) async fn next_due(&self, table: Table, connection: &ConnectionId) -> Result<Option<i64>, Error> {
        let statement = Statement::new("SELECT MIN(due_ms) AS due_ms FROM ")
            .push(table.name)
            .push(" WHERE connection = ")
            .push_bind(connection.as_str());
        let row = self.first(statement).await?;
        Ok(row.map(|row| table.row(&row).optional_integer("due_ms")).transpose()?.flatten())
    }
}
