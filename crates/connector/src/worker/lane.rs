//! One lane: takes the lease, does what is due for each of its connections, and says when to come back.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use domain::audit::Note;
use domain::id::ConnectionId;
use domain::pace::retry_delay_ms;
use domain::stage::Stage;
use serde_json::json;
use store::{Error, Lease, Problem};
use tokio_util::sync::CancellationToken;

use super::{LEASE_MS, jobs};
use crate::app::{App, Connection};
use crate::flow::{self, BATCH, Lane, Stop};
use crate::secrets;

/// Works on one lane.
pub struct LaneWorker {
    app: Arc<App>,
    name: String,
    connections: Vec<Arc<Connection>>,
    holder: String,
    lease: Arc<Mutex<Option<Lease>>>,
    pauses: HashMap<ConnectionId, Pause>,
    prepared: HashSet<ConnectionId>,
    stop: CancellationToken,
}

/// A connection that has to wait.
#[derive(Clone, Copy, Debug, Default)]
struct Pause {
    until_ms: i64,
    attempts: i64,
}

/// What a tick did and when the next one is worth it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tick {
    /// True when something was done, so that there may be more.
    pub worked: bool,
    /// When the next unfinished work is due: a record, a new vendor, or a job that failed and is tried again.
    pub open_due_ms: Option<i64>,
    /// When the next job is due.
    pub jobs_due_ms: Option<i64>,
    /// When to ask again for a lease that another process holds.
    pub lease_due_ms: Option<i64>,
}

impl Tick {
    /// How long to sleep, at most `longest_ms`.
    pub fn nap_ms(&self, now_ms: i64, longest_ms: i64) -> i64 {
        let due = [self.open_due_ms, self.jobs_due_ms, self.lease_due_ms].into_iter().flatten().min();
        due.map_or(longest_ms, |due| due.saturating_sub(now_ms).clamp(1, longest_ms))
    }

    fn merge(&mut self, other: Self) {
        let earlier = |a: Option<i64>, b: Option<i64>| [a, b].into_iter().flatten().min();
        self.worked |= other.worked;
        self.open_due_ms = earlier(self.open_due_ms, other.open_due_ms);
        self.jobs_due_ms = earlier(self.jobs_due_ms, other.jobs_due_ms);
        self.lease_due_ms = earlier(self.lease_due_ms, other.lease_due_ms);
    }
}

/// Keeps a lane's lease alive while a long batch is under way.
pub(super) struct Renewer {
    app: Arc<App>,
    lease: Arc<Mutex<Option<Lease>>>,
}

impl Renewer {
    pub(super) async fn renew(&self) -> Result<(), Error> {
        let Some(lease) = held(&self.lease) else { return Ok(()) };
        match self.app.store.lanes().renew(&lease, self.app.now_ms(), LEASE_MS).await {
            Ok(_) => Ok(()),
            Err(error) => {
                *self.lease.lock().unwrap_or_else(PoisonError::into_inner) = None;
                Err(error)
            }
        }
    }
}

fn held(lease: &Mutex<Option<Lease>>) -> Option<Lease> {
    lease.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

impl LaneWorker {
    /// A worker for the lane; `holder` names this process.
    pub fn new(
        app: Arc<App>,
        name: String,
        connections: Vec<Arc<Connection>>,
        holder: String,
        stop: CancellationToken,
    ) -> Self {
        Self {
            app,
            name,
            connections,
            holder,
            lease: Arc::default(),
            pauses: HashMap::new(),
            prepared: HashSet::new(),
            stop,
        }
    }

    /// Name of the lane.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn renewer(&self) -> Renewer {
        Renewer { app: Arc::clone(&self.app), lease: Arc::clone(&self.lease) }
    }

    /// Gives the lease back.
    pub async fn release(&mut self) -> Result<(), Error> {
        let lease = self.lease.lock().unwrap_or_else(PoisonError::into_inner).take();
        match lease {
            Some(lease) => self.app.store.lanes().release(&lease).await,
            None => Ok(()),
        }
    }

    /// Does what is due, one batch per stage and connection.
    pub async fn tick(&mut self) -> Result<Tick, Error> {
        let now_ms = self.app.now_ms();
        let lanes = self.app.store.lanes();
        let lease = if self.app.alone.is_certain() {
            lanes.seize(&self.name, &self.holder, now_ms, LEASE_MS).await?
        } else {
            lanes.lease(&self.name, &self.holder, now_ms, LEASE_MS).await?
        };
        let Some(lease) = lease else {
            return Ok(Tick { lease_due_ms: Some(now_ms.saturating_add(LEASE_MS / 10)), ..Tick::default() });
        };
        *self.lease.lock().unwrap_or_else(PoisonError::into_inner) = Some(lease.clone());
        let mut tick = Tick::default();
        for connection in self.connections.clone() {
            if self.stop.is_cancelled() {
                break;
            }
            tick.merge(self.tick_connection(&connection, &lease).await?);
        }
        Ok(tick)
    }

    async fn tick_connection(&mut self, connection: &Arc<Connection>, lease: &Lease) -> Result<Tick, Error> {
        if !self.prepared.contains(&connection.id) {
            jobs::prepare(&self.app, connection).await?;
            self.prepared.insert(connection.id.clone());
        }
        let pause = self.pauses.get(&connection.id).copied().unwrap_or_default();
        if self.app.now_ms() < pause.until_ms {
            let until_ms = Some(pause.until_ms);
            return Ok(Tick { worked: false, open_due_ms: until_ms, jobs_due_ms: until_ms, lease_due_ms: None });
        }
        match self.work(connection, lease).await {
            Ok(worked) => {
                if worked && pause.attempts > 0 {
                    self.pauses.remove(&connection.id);
                    clear_problem(&self.app, connection, lease).await?;
                }
                self.next_due(connection, worked).await
            }
            Err(Stop::Store(error)) => Err(error),
            Err(stop) => self.pause(connection, lease, stop, pause.attempts).await,
        }
    }

    /// What is due next for a connection.
    async fn next_due(&self, connection: &Connection, worked: bool) -> Result<Tick, Error> {
        // What cannot be worked on yet is not waited for: the job that is missing has a due time of its own.
        let (mut record, mut proposal, mut payment) = (None, None, None);
        if is_ready(connection) {
            record = self.app.store.records().next_due(&connection.id).await?;
            proposal = self.app.store.vendor_proposals().next_due(&connection.id).await?;
            payment = self.app.store.payment_lines().next_due(&connection.id).await?;
        }
        let due = self.app.store.jobs().list(&connection.id).await?;
        let failed =
            due.iter().filter(|job| job.attempts > 0 && !jobs::is_beside(&job.kind)).filter_map(|job| job.due_ms).min();
        Ok(Tick {
            worked,
            open_due_ms: [record, proposal, payment, failed].into_iter().flatten().min(),
            jobs_due_ms: due.iter().filter_map(|job| job.due_ms).min(),
            lease_due_ms: None,
        })
    }

    async fn work(&self, connection: &Arc<Connection>, lease: &Lease) -> Result<bool, Stop> {
        let mut worked = jobs::run_due(&self.app, connection, lease).await?;
        let Some(identity) = connection.identity().filter(|_| is_ready(connection)) else { return Ok(worked) };
        let lane = Lane { app: &self.app, connection, lease, identity, directory: connection.directory() };
        worked |= flow::poll::take_nudges(&lane).await? > 0;
        worked |= flow::changes::take(&lane).await? > 0;
        for stage in Stage::WORKING {
            if self.stop.is_cancelled() {
                return Ok(worked);
            }
            let records = self.app.store.records();
            let rows = records.list_due(&connection.id, stage, lane.now_ms(), BATCH).await?;
            if !rows.is_empty() {
                worked = true;
                lane.run_stage(stage, rows).await?;
            }
        }
        if !worked && !self.stop.is_cancelled() {
            worked = flow::clearing::turn(&lane).await?
                || crate::vendors::create::turn(&self.app, connection, lease).await?
                || crate::vendors::directory::turn(&self.app, connection, lease).await?
                || crate::coding_lists::turn(&self.app, connection, lease).await?
                || crate::transfers::turn(&self.app, connection, lease).await?;
        }
        Ok(worked)
    }

    /// The connection has to wait: because the other side asked for it, or because something is wrong with it as a whole.
    async fn pause(
        &mut self,
        connection: &Connection,
        lease: &Lease,
        stop: Stop,
        attempts: i64,
    ) -> Result<Tick, Error> {
        let now_ms = self.app.now_ms();
        let asked_ms = match &stop {
            Stop::Later { asked_ms, .. } => *asked_ms,
            Stop::Connection(_) | Stop::Store(_) => None,
        };
        // A secret that was replaced where it comes from is tried at once.
        let renewed = matches!(&stop, Stop::Connection(problem) if secrets::is_refused(problem))
            && secrets::renew(&self.app, connection).await?;
        let attempts = if renewed { 0 } else { attempts };
        let until_ms = now_ms.saturating_add(retry_delay_ms(attempts, asked_ms, self.app.chance.next()));
        self.pauses.insert(connection.id.clone(), Pause { until_ms, attempts: attempts.saturating_add(1) });
        if let Stop::Connection(problem) = &stop {
            note_problem(&self.app, connection, lease, problem).await?;
        }
        tracing::warn!(connection = %connection.id, error = %super::chain(&stop), until_ms, "the connection pauses");
        Ok(Tick { worked: false, open_due_ms: Some(until_ms), jobs_due_ms: Some(until_ms), lease_due_ms: None })
    }
}

/// Whether records may be worked on: this process knows both ends, and has their master data.
fn is_ready(connection: &Connection) -> bool {
    connection.is_met() && connection.is_mirrored()
}

/// Stores a connection's problem and puts it into the trail, once per change.
pub(super) async fn note_problem(
    app: &App,
    connection: &Connection,
    lease: &Lease,
    problem: &Problem,
) -> Result<(), Error> {
    let known = app.store.connections().get(&connection.id).await?.and_then(|row| row.problem);
    if known.as_ref().is_some_and(|known| known.code == problem.code) {
        return Ok(());
    }
    app.store.connections().set_problem(&connection.id, Some(problem), app.now_ms()).await?;
    let note =
        connection_note("connection_held", connection, json!({ "code": problem.code, "sentence": problem.sentence }));
    app.store.audit().append(lease, &connection.id, app.now_ms(), &app.actor(), &[note]).await
}

/// Clears a connection's problem.
pub(super) async fn clear_problem(app: &App, connection: &Connection, lease: &Lease) -> Result<(), Error> {
    let known = app.store.connections().get(&connection.id).await?.and_then(|row| row.problem);
    let Some(problem) = known else { return Ok(()) };
    app.store.connections().set_problem(&connection.id, None, app.now_ms()).await?;
    let note = connection_note("connection_released", connection, json!({ "was": problem.code }));
    app.store.audit().append(lease, &connection.id, app.now_ms(), &app.actor(), &[note]).await
}

fn connection_note(action: &str, connection: &Connection, detail: serde_json::Value) -> Note {
    let subject = format!("connection {}", connection.id);
    Note { action: action.to_owned(), subject, before: None, after: None, detail }
}
