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
    let deliveries = deliveries.to_vec();
    let is_first = db.inbox.push(Waiter { connection, source, deliveries, now_ms, answer });
    if is_first {
        tokio::spawn(empty(Arc::clone(db)));
    }
    // Without an answer the task is gone, and nobody knows what it committed: the sender delivers again.
    put.await.unwrap_or(Err(Error::Database(sqlx::Error::WorkerCrashed)))
}

/// Commits until nothing waits any more.
async fn empty(db: Arc<Db>) {
    let emptying = Emptying(&db.inbox);
    while let Some(mut batch) = emptying.0.take() {
        match keep_with_later(&db, &mut batch).await {
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

/// Keeps all of them in one transaction, and whoever comes while it waits for its turn to write. They stay in the batch if the transaction has to
/// be repeated.
async fn keep_with_later(db: &Arc<Db>, batch: &mut Vec<Waiter>) -> Result<Vec<Vec<Put>>, Error> {
    in_transaction!(db, tx => {
        batch.extend(db.inbox.take_beside(batch));
        add(&mut tx, batch).await?
    })
}

/// Keeps all of them in one transaction.
async fn keep(db: &Arc<Db>, batch: &[Waiter]) -> Result<Vec<Vec<Put>>, Error> {
    in_transaction!(db, tx => { add(&mut tx, batch).await? })
}

/// What became of each, in their order.
async fn add(tx: &mut AnyConnection, batch: &[Waiter]) -> Result<Vec<Vec<Put>>, Error> {
    let mut rows: Vec<Row<'_>> = batch.iter().enumerate().flat_map(|(place, waiter)| waiter.rows(place)).collect();
    // Two processes that keep the same deliveries take the locks of their rows in the same order.
    rows.sort_by(|a, b| a.key().cmp(&b.key()));
    let mut puts: Vec<Vec<Put>> = batch.iter().map(|waiter| vec![Put::New; waiter.deliveries.len()]).collect();
    for rows in rows.chunks(CHUNK) {
        let mut added = insert(tx, rows).await?;
        for row in rows {
            // Of the same delivery twice the first one is added.
            if added.remove(&row.key()) {
                continue;
            }
            let put = compare(tx, row.connection, row.source, &row.event_id, row.body_hash).await?;
            if let Some(place) = puts.get_mut(row.waiter).and_then(|puts| puts.get_mut(row.place)) {
                *place = put;
            }
        }
    }
    Ok(puts)
}

/// Adds what is not there of rows in the order of their keys. The keys of what was added.
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
        let key = (&*connection, &*source, &*event_id);
        let place = rows.binary_search_by(|row| row.key().cmp(&key)).ok();
        added.extend(place.and_then(|place| rows.get(place)).map(Row::key));
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

impl State {
    /// How many of those who wait fit a statement that has so many rows already.
    fn fitting(&self, mut rows: usize) -> usize {
        let fitting = self.waiting.iter().take_while(|waiter| {
            rows = rows.saturating_add(waiter.deliveries.len());
            rows <= CHUNK
        });
        fitting.count()
    }
}

impl Queue {
    /// Lets it wait. True if nobody commits yet.
    fn push(&self, waiter: Waiter) -> bool {
        let mut state = self.lock();
        state.waiting.push(waiter);
        !std::mem::replace(&mut state.is_emptied, true)
    }

    /// Everybody who waits, up to what fits one statement; nothing ends the task that asks, and the next caller starts another.
    fn take(&self) -> Option<Vec<Waiter>> {
        let mut state = self.lock();
        let fitting = state.fitting(0).max(1).min(state.waiting.len());
        state.is_emptied = fitting > 0;
        (fitting > 0).then(|| state.waiting.drain(..fitting).collect())
    }

    /// Everybody who waits and fits the statement of these.
    fn take_beside(&self, these: &[Waiter]) -> Vec<Waiter> {
        let mut state = self.lock();
        let fitting = state.fitting(these.iter().map(|waiter| waiter.deliveries.len()).sum());
        state.waiting.drain(..fitting).collect()
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn wait(queue: &Queue, deliveries: usize) {
        let delivery = Delivery { event_id: "e".to_owned(), body_hash: String::new(), payload: String::new() };
        queue.push(Waiter {
            connection: ConnectionId::new("c").unwrap(),
            source: "brex".to_owned(),
            deliveries: vec![delivery; deliveries],
            now_ms: 0,
            answer: oneshot::channel().0,
        });
    }

    #[test]
    fn who_comes_before_the_turn_to_write_goes_along_as_far_as_there_is_room() {
        let queue = Queue::default();
        wait(&queue, 1);
        let first = queue.take().unwrap();
        for deliveries in [1, CHUNK - 2, 1] {
            wait(&queue, deliveries);
        }
        assert_eq!((first.len(), queue.take_beside(&first).len()), (1, 2));
        assert_eq!(queue.take().unwrap().len(), 1, "who did not fit is next");
        wait(&queue, CHUNK + 1);
        assert_eq!(queue.take().unwrap().len(), 1, "more than fits goes alone");
        assert!(queue.take().is_none());
    }
}
