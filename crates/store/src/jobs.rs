//! The table `jobs`: what a connection does by the clock or on request.

use domain::id::ConnectionId;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::db::Db;
use crate::dialect::{Statement, clean};
use crate::error::Error;
use crate::lanes::{self, Lease};
use crate::row::Table;

const TABLE: Table = Table { name: "jobs", key: &["connection", "kind"] };

const SELECT: &str = "SELECT connection, kind, argument, due_ms, attempts, started_ms, finished_ms, error FROM jobs \
     WHERE connection = $1";

/// A job of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRow {
    /// The connection.
    pub connection: ConnectionId,
    /// What it does.
    pub kind: String,
    /// What a request asked for.
    pub argument: Option<String>,
    /// When it is due; none = only on request.
    pub due_ms: Option<i64>,
    /// Failures in a row.
    pub attempts: i64,
    /// When it last started.
    pub started_ms: Option<i64>,
    /// When it last finished; none while it runs.
    pub finished_ms: Option<i64>,
    /// Why it last failed.
    pub error: Option<String>,
}

/// Methods on the jobs.
pub struct Jobs<'a> {
    pub(crate) db: &'a Db,
}

impl Jobs<'_> {
    /// Makes sure that the job exists; one that does keeps its due time.
    pub async fn ensure(&self, connection: &ConnectionId, kind: &str, due_ms: i64) -> Result<(), Error> {
        in_transaction!(self.db, tx => {
            Statement::new(
                "INSERT INTO jobs (connection, kind, due_ms, attempts, requests, taken) VALUES ($1, $2, $3, 0, 0, 0) \
                 ON CONFLICT (connection, kind) DO NOTHING",
            )
            .bind(connection.as_str())
            .bind(kind)
            .bind(due_ms)
            .execute(&mut tx)
            .await?;
        })
    }

    /// Asks for the job to run at `due_ms` or earlier, with this argument. Needs no lease: people and webhooks ask. A
    /// request that comes while the job runs makes it run again.
    pub async fn request(
        &self,
        connection: &ConnectionId,
        kind: &str,
        argument: Option<&str>,
        due_ms: i64,
    ) -> Result<(), Error> {
        in_transaction!(self.db, tx => {
            request(&mut tx, connection, kind, argument, due_ms).await?;
        })
    }

    /// Asks for the job to run at `due_ms` or earlier, whatever it was asked for: an argument that waits stays.
    pub async fn nudge(&self, connection: &ConnectionId, kind: &str, due_ms: i64) -> Result<(), Error> {
        in_transaction!(self.db, tx => {
            Statement::new(
                "INSERT INTO jobs (connection, kind, due_ms, attempts, requests, taken) VALUES ($1, $2, $3, 0, 1, 0) \
                 ON CONFLICT (connection, kind) DO UPDATE SET \
                 due_ms = CASE WHEN jobs.due_ms < excluded.due_ms THEN jobs.due_ms ELSE excluded.due_ms END, \
                 requests = jobs.requests + 1",
            )
            .bind(connection.as_str())
            .bind(kind)
            .bind(due_ms)
            .execute(&mut tx)
            .await?;
        })
    }

    /// Every job of the connection, by kind.
    pub async fn list(&self, connection: &ConnectionId) -> Result<Vec<JobRow>, Error> {
        let statement = Statement::new(SELECT).bind(connection.as_str()).push(" ORDER BY kind");
        self.db.rows(statement).await?.iter().map(read).collect()
    }

    /// What is due, the longest waiting first.
    pub async fn list_due(&self, connection: &ConnectionId, now_ms: i64) -> Result<Vec<JobRow>, Error> {
        let statement = Statement::new(SELECT)
            .bind(connection.as_str())
            .push(" AND due_ms <= ")
            .push_bind(now_ms)
            .push(" ORDER BY due_ms, kind");
        self.db.rows(statement).await?.iter().map(read).collect()
    }

    /// Notes that the job starts and returns it as it is now: a request may have changed its argument since it was
    /// listed. It stays due until it is finished, so that a crash makes it run again.
    pub async fn start(
        &self,
        lease: &Lease,
        connection: &ConnectionId,
        kind: &str,
        now_ms: i64,
    ) -> Result<JobRow, Error> {
        in_transaction!(self.db, tx => {
            lanes::fence(&mut tx, lease).await?;
            Statement::new(
                "UPDATE jobs SET started_ms = $3, finished_ms = NULL, taken = requests WHERE connection = $1 AND kind = $2",
            )
            .bind(connection.as_str())
            .bind(kind)
            .bind(now_ms)
            .execute_one(&mut tx, TABLE.name)
            .await?;
            let statement = Statement::new(SELECT).bind(connection.as_str()).push(" AND kind = ").push_bind(kind);
            let rows = statement.rows(&mut tx).await?;
            read(rows.first().ok_or(Error::Moved { table: TABLE.name })?)?
        })
    }

    /// Notes how the job ended and when it is due next. A request that came meanwhile keeps its due time and argument;
    /// after a failure the argument stays for the next try.
    #[expect(clippy::too_many_arguments, reason = "each is one column of the row")]
    pub async fn finish(
        &self,
        lease: &Lease,
        connection: &ConnectionId,
        kind: &str,
        next_due_ms: Option<i64>,
        error: Option<&str>,
        attempts: i64,
        now_ms: i64,
    ) -> Result<(), Error> {
        in_transaction!(self.db, tx => {
            lanes::fence(&mut tx, lease).await?;
            Statement::new(
                "UPDATE jobs SET due_ms = CASE WHEN requests = taken THEN $3 ELSE due_ms END, \
                 argument = CASE WHEN requests = taken AND $4 IS NULL THEN NULL ELSE argument END, \
                 error = $4, attempts = $5, finished_ms = $6 WHERE connection = $1 AND kind = $2",
            )
            .bind(connection.as_str())
            .bind(kind)
            .bind(next_due_ms)
            .bind(error.map(clean))
            .bind(attempts)
            .bind(now_ms)
            .execute_one(&mut tx, TABLE.name)
            .await?;
        })
    }

    /// When the next job is due.
    pub async fn next_due(&self, connection: &ConnectionId) -> Result<Option<i64>, Error> {
        self.db.next_due(TABLE, connection).await
    }
}

/// Asks for a job inside a transaction.
pub(crate) async fn request(
    tx: &mut AnyConnection,
    connection: &ConnectionId,
    kind: &str,
    argument: Option<&str>,
    due_ms: i64,
) -> Result<(), Error> {
    Statement::new(
        "INSERT INTO jobs (connection, kind, argument, due_ms, attempts, requests, taken) \
         VALUES ($1, $2, $3, $4, 0, 1, 0) \
         ON CONFLICT (connection, kind) DO UPDATE SET argument = excluded.argument, \
         due_ms = CASE WHEN jobs.due_ms < excluded.due_ms THEN jobs.due_ms ELSE excluded.due_ms END, \
         requests = jobs.requests + 1",
    )
    .bind(connection.as_str())
    .bind(kind)
    .bind(argument.map(clean))
    .bind(due_ms)
    .execute(tx)
    .await
    .map(drop)
}

fn read(row: &AnyRow) -> Result<JobRow, Error> {
    let row = TABLE.row(row);
    Ok(JobRow {
        connection: row.parsed("connection", |text| ConnectionId::new(text).ok())?,
        kind: row.text("kind")?,
        argument: row.optional_text("argument")?,
        due_ms: row.optional_integer("due_ms")?,
        attempts: row.integer("attempts")?,
        started_ms: row.optional_integer("started_ms")?,
        finished_ms: row.optional_integer("finished_ms")?,
        error: row.optional_text("error")?,
    })
}
