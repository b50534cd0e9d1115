//! Deliveries that come at the same time are committed together: whoever delivers waits for one write to the disk, and so does
//! everybody who came meanwhile. Each is answered after the commit that holds it, as if it were alone.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::id::ConnectionId;
use sqlx::AnyConnection;
use tokio::sync::oneshot;

use crate::db::Db;
use crate::dialect::{CHUNK, Statement, clean};
use crate::error::Error;
use crate::inbox::{Delivery, Put, TABLE, compare};

/// What waits for the next commit.
#[derive(Default)]
pub(crate) struct Queue(Mutex<State>);

#[derive(Default)]
struct State {
    waiting: Vec<Waiter>,
    is_emptied: bool,
}

/// Deliveries of one caller, all or none of them kept.
struct Waiter {
    connection: ConnectionId,
    source: String,
    deliveries: Vec<Delivery>,
    now_ms: i64,
    answer: oneshot::Sender<Result<Vec<Put>, Error>>,
}

/// One delivery as it is stored, and whose it is.
struct Row<'w> {
    waiter: usize,
    place: usize,
    connection: &'w str,
    source: &'w str,
    event_id: String,
    body_hash: &'w str,
    payload: String,
    now_ms: i64,
}

/// Keeps deliveries together with those of others; they are committed when this returns. What was begun is finished even if
/// the caller does not wait for it.
pub(crate) async fn put(
    db: &Arc<Db>,
    connection: &ConnectionId,
    source: &str,
    deliveries: &[Delivery],
    now_ms: i64,
) -> Result<Vec<Put>, Error> {
    let (answer, put) = oneshot::channel();
    let (connection, source) = (connection.clone(), source.to_owned());
    let is_first = {
        let mut state = db.inbox.lock();
        state.waiting.push(Waiter { connection, source, deliveries: deliveries.to_vec(), now_ms, answer });
        !std::mem::replace(&mut state.is_emptied, true)
    };
    if is_first {
        tokio::spawn(empty(Arc::clone(db)));
    }
    // Without an answer the task is gone, and nobody knows what it committed: the sender delivers again.
    put.await.unwrap_or(Err(Error::Database(sqlx::Error::WorkerCrashed)))
}

/// Commits until nothing waits any more.
async fn empty(db: Arc<Db>) {
    let emptying = Emptying(&db.inbox);
    while let Some(batch) = emptying.0.take() {
        match keep(&db, &batch).await {
            Ok(puts) => batch.into_iter().zip(puts).for_each(|(waiter, puts)| waiter.tell(Ok(puts))),
            Err(error) => one_by_one(&db, batch, error).await,
        }
    }
}

/// What stopped all together may be the matter of one of them. Once it is not, those that are left go without an answer.
async fn one_by_one(db: &Arc<Db>, batch: Vec<Waiter>, error: Error) {
    let is_alone = batch.len() == 1;
    let mut last = Some(error);
    for waiter in batch {
        let kept = match last.take() {
            Some(error) if is_alone || !matches!(error, Error::Database(_)) => Err(error),
            _ => keep(db, std::slice::from_ref(&waiter)).await.map(|mut puts| puts.pop().unwrap_or_default()),
        };
        let is_hopeless = matches!(&kept, Err(error) if !matches!(error, Error::Database(_)));
        waiter.tell(kept);
        if is_hopeless {
            return;
        }
    }
}

/// Keeps all of them in one transaction. What became of each, in their order.
async fn keep(db: &Arc<Db>, batch: &[Waiter]) -> Result<Vec<Vec<Put>>, Error> {
    let mut rows: Vec<Row<'_>> = batch.iter().enumerate().flat_map(|(place, waiter)| waiter.rows(place)).collect();
    // Two processes that keep the same deliveries take the locks of their rows in the same order.
    rows.sort_by(|a, b| a.key().cmp(&b.key()));
    in_transaction!(db, tx => {
        let mut puts: Vec<Vec<Put>> = batch.iter().map(|waiter| vec![Put::New; waiter.deliveries.len()]).collect();
        for rows in rows.chunks(CHUNK) {
            let mut added = insert(&mut tx, rows).await?;
            for row in rows {
                // Of the same delivery twice the first one is added.
                if added.remove(&row.key()) {
                    continue;
                }
                let put = compare(&mut tx, row.connection, row.source, &row.event_id, row.body_hash).await?;
                if let Some(place) = puts.get_mut(row.waiter).and_then(|puts| puts.get_mut(row.place)) {
                    *place = put;
                }
            }
        }
        puts
    })
}

/// Adds what is not there. The keys of what was added.
async fn insert<'r>(tx: &mut AnyConnection, rows: &'r [Row<'_>]) -> Result<HashSet<Key<'r>>, Error> {
    let statement =
        Statement::new("INSERT INTO inbox (connection, source, event_id, body_hash, payload, received_ms) ")
            .push_rows(rows, |row, tuple| {
                tuple
                    .bind(row.connection)
                    .bind(row.source)
                    .bind(row.event_id.as_str())
                    .bind(row.body_hash)
                    .bind(row.payload.as_str())
                    .bind(row.now_ms);
            })
            .push(" ON CONFLICT (connection, source, event_id) DO NOTHING RETURNING connection, source, event_id");
    let mut added = HashSet::new();
    for found in statement.rows(tx).await? {
        let found = TABLE.row(&found);
        let (connection, source, event_id) =
            (found.text("connection")?, found.text("source")?, found.text("event_id")?);
        added.extend(rows.iter().map(Row::key).find(|key| *key == (&*connection, &*source, &*event_id)));
    }
    Ok(added)
}

/// Connection, source and id of the event.
type Key<'r> = (&'r str, &'r str, &'r str);

impl Row<'_> {
    fn key(&self) -> Key<'_> {
        (self.connection, self.source, &self.event_id)
    }
}

impl Waiter {
    fn rows(&self, waiter: usize) -> impl Iterator<Item = Row<'_>> {
        self.deliveries.iter().enumerate().map(move |(place, delivery)| Row {
            waiter,
            place,
            connection: self.connection.as_str(),
            source: &self.source,
            event_id: clean(&delivery.event_id),
            body_hash: &delivery.body_hash,
            payload: clean(&delivery.payload),
            now_ms: self.now_ms,
        })
    }

    /// Whoever went away meanwhile is not told; what was kept stays.
    fn tell(self, puts: Result<Vec<Put>, Error>) {
        drop(self.answer.send(puts));
    }
}

impl Queue {
    /// Everybody who waits, up to what fits one statement; nothing ends the task that asks, and the next caller starts another.
    fn take(&self) -> Option<Vec<Waiter>> {
        let mut state = self.lock();
        let mut rows = 0_usize;
        let fitting = state.waiting.iter().take_while(|waiter| {
            rows = rows.saturating_add(waiter.deliveries.len());
            rows <= CHUNK
        });
        let number = fitting.count().max(1).min(state.waiting.len());
        state.is_emptied = number > 0;
        (number > 0).then(|| state.waiting.drain(..number).collect())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The one task that commits. If it ends in the middle, those who wait are let go and the next caller starts another.
struct Emptying<'q>(&'q Queue);

impl Drop for Emptying<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        // At its proper end nothing waits; who has come since found that nobody was at work, and started another.
        if std::thread::panicking() {
            state.is_emptied = false;
            state.waiting.clear();
        }
    }
}
