//! The table `inbox`: deliveries of webhooks, kept before they are answered.

use std::sync::Arc;

use domain::id::ConnectionId;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::db::Db;
use crate::dialect::{CHUNK, Statement};
use crate::error::Error;
use crate::inbox_queue;
use crate::lanes::{self, Lease};
use crate::row::{Table, Waiting};

pub(crate) const TABLE: Table = Table { name: "inbox", key: &["connection", "source", "event_id"] };

/// A delivery that has not been handled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `brex` or `bc`.
    pub source: String,
    /// The sender's id of the event.
    pub event_id: String,
    /// The body.
    pub payload: String,
    /// When it came.
    pub received_ms: i64,
}

/// A delivery as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The sender's id of the event, or what tells it from others.
    pub event_id: String,
    /// A hash of the body: the same id with another body is not the same event.
    pub body_hash: String,
    /// What is kept of it.
    pub payload: String,
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is kept.
    New,
    /// The same one was kept before.
    Duplicate,
    /// One with the same id and another body was kept before; that one stands.
    Conflict,
}

/// Methods on the inbox.
pub struct Inbox<'a> {
    pub(crate) db: &'a Arc<Db>,
}

impl Inbox<'_> {
    /// Keeps deliveries, all or none; they are committed when this returns, together with those of others that came at the same
    /// time. Needs no lease: any process may receive.
    pub async fn put(
        &self,
        connection: &ConnectionId,
        source: &str,
        deliveries: &[Delivery],
        now_ms: i64,
    ) -> Result<Vec<Put>, Error> {
        inbox_queue::put(self.db, connection, source, deliveries, now_ms).await
    }

    /// What has come from a source and has not been handled, the oldest first.
    pub async fn list_unhandled(
        &self,
        connection: &ConnectionId,
        source: &str,
        limit: i64,
    ) -> Result<Vec<Event>, Error> {
        let statement = Statement::new(
            "SELECT connection, source, event_id, payload, received_ms FROM inbox \
             WHERE connection = $1 AND source = $2 AND handled_ms IS NULL ORDER BY received_ms, event_id LIMIT $3",
        )
        .bind(connection.as_str())
        .bind(source)
        .bind(limit);
        self.db.rows(statement).await?.iter().map(read).collect()
    }

    /// How many deliveries have not been handled, and when the oldest came, by source.
    pub async fn unhandled(&self, connection: &ConnectionId) -> Result<Vec<(String, Waiting)>, Error> {
        let statement = Statement::new(
            "SELECT source, CAST(COUNT(*) AS BIGINT) AS waiting, MIN(received_ms) AS oldest_ms FROM inbox \
             WHERE connection = $1 AND handled_ms IS NULL GROUP BY source ORDER BY source",
        )
        .bind(connection.as_str());
        let rows = self.db.rows(statement).await?;
        rows.iter()
            .map(|row| {
                let row = TABLE.row(row);
                Ok((row.text("source")?, Waiting::read(&row)?))
            })
            .collect()
    }

    /// Whether a delivery of a source was kept, handled or not.
    pub async fn holds(&self, connection: &ConnectionId, source: &str, event_id: &str) -> Result<bool, Error> {
        let statement =
            Statement::new("SELECT event_id FROM inbox WHERE connection = $1 AND source = $2 AND event_id = $3")
                .bind(connection.as_str())
                .bind(source)
                .bind(event_id);
        Ok(self.db.first(statement).await?.is_some())
    }

    /// Marks deliveries as handled, by source and event id. Those that are so already stay as they are.
    pub async fn mark_handled(
        &self,
        lease: &Lease,
        connection: &ConnectionId,
        events: &[(String, String)],
        now_ms: i64,
    ) -> Result<(), Error> {
        in_transaction!(self.db, tx => {
            lanes::fence(&mut tx, lease).await?;
            for events in events.chunks(CHUNK) {
                Statement::new(
                    "UPDATE inbox SET handled_ms = $2 WHERE connection = $1 AND handled_ms IS NULL \
                     AND (source, event_id) IN (",
                )
                .bind(connection.as_str())
                .bind(now_ms)
                .push_rows(events, |(source, event_id), tuple| {
                    tuple.bind(source.as_str()).bind(event_id.as_str());
                })
                .push(")")
                .execute(&mut tx)
                .await?;
            }
        })
    }

    /// Forgets what was handled before `before_ms`. Returns how many.
    pub async fn forget_handled_before(&self, connection: &ConnectionId, before_ms: i64) -> Result<u64, Error> {
        in_transaction!(self.db, tx => {
            Statement::new("DELETE FROM inbox WHERE connection = $1 AND handled_ms < $2")
                .bind(connection.as_str())
                .bind(before_ms)
                .execute(&mut tx)
                .await?
        })
    }
}

/// What a delivery is that was there already.
pub(crate) async fn compare(
    tx: &mut AnyConnection,
    connection: &str,
    source: &str,
    event_id: &str,
    body_hash: &str,
) -> Result<Put, Error> {
    let rows = Statement::new(
        "SELECT connection, source, event_id, body_hash FROM inbox \
         WHERE connection = $1 AND source = $2 AND event_id = $3",
    )
    .bind(connection)
    .bind(source)
    .bind(event_id)
    .rows(tx)
    .await?;
    // Forgotten between the two statements: the transaction is repeated and keeps it as new.
    let row = rows.first().ok_or(Error::Moved { table: TABLE.name })?;
    Ok(if TABLE.row(row).text("body_hash")? == body_hash { Put::Duplicate } else { Put::Conflict })
}

fn read(row: &AnyRow) -> Result<Event, Error> {
    let row = TABLE.row(row);
    Ok(Event {
        source: row.text("source")?,
        event_id: row.text("event_id")?,
        payload: row.text("payload")?,
        received_ms: row.integer("received_ms")?,
    })
}
