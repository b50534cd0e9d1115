//! One lane: the lease that all its connections work under, and one round over them.

use std::sync::{Arc, Mutex, PoisonError};

use store::{Error, Lease};
use tokio_util::sync::CancellationToken;

use super::LEASE_MS;
use super::connection::ConnectionWorker;
use crate::app::{App, Connection};

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

/// The lease of a lane, shared by whoever works under it.
pub(super) struct LaneLease {
    app: Arc<App>,
    name: String,
    holder: String,
    lease: Mutex<Option<Lease>>,
    /// The lease of another process, and since when it stands unchanged by the clock that nobody sets.
    of_another: Mutex<Option<(Lease, i64)>>,
}

impl LaneLease {
    /// `holder` names this process.
    pub(super) fn new(app: Arc<App>, name: String, holder: String) -> Self {
        Self { app, name, holder, lease: Mutex::default(), of_another: Mutex::default() }
    }

    /// The lease; none while another process has it.
    pub(super) async fn take(&self) -> Result<Option<Lease>, Error> {
        let (lanes, now_ms) = (self.app.store.lanes(), self.app.now_ms());
        let lease = if self.app.alone.is_certain() {
            lanes.seize(&self.name, &self.holder, now_ms, LEASE_MS).await?
        } else {
            match lanes.lease(&self.name, &self.holder, now_ms, LEASE_MS).await? {
                Some(lease) => Some(lease),
                None => self.inherit().await?,
            }
        };
        self.keep(lease.clone());
        self.tell(lease.is_some());
        Ok(lease)
    }

    /// Takes it from a process that is gone although its lease has not expired by the time of day here: the clock there was ahead, or
    /// this one was put back since.
    async fn inherit(&self) -> Result<Option<Lease>, Error> {
        let lanes = self.app.store.lanes();
        let Some(standing) = lanes.standing(&self.name).await?.filter(|lease| lease.holder != self.holder) else {
            return Ok(self.held());
        };
        let steady_ms = self.app.clock.steady_ms();
        let since_ms = self.stands_since(&standing, steady_ms);
        if steady_ms.saturating_sub(since_ms) < LEASE_MS {
            return Ok(None);
        }
        lanes.inherit(&standing, &self.holder, self.app.now_ms(), LEASE_MS).await
    }

    fn stands_since(&self, standing: &Lease, steady_ms: i64) -> i64 {
        let mut of_another = self.of_another.lock().unwrap_or_else(PoisonError::into_inner);
        match &*of_another {
            Some((seen, since_ms)) if seen == standing => *since_ms,
            _ => {
                *of_another = Some((standing.clone(), steady_ms));
                steady_ms
            }
        }
    }

    /// Keeps it alive while long batches are under way.
    pub(super) async fn renew(&self) -> Result<(), Error> {
        let Some(lease) = self.held() else { return Ok(()) };
        match self.app.store.lanes().renew(&lease, self.app.now_ms(), LEASE_MS).await {
            Ok(_) => {
                self.tell(true);
                Ok(())
            }
            Err(error) => {
                // A database that does not answer has not given it to anybody.
                if matches!(error, Error::LostLease) {
                    self.keep(None);
                }
                Err(error)
            }
        }
    }

    /// Gives it back.
    pub(super) async fn release(&self) -> Result<(), Error> {
        let lease = self.lease.lock().unwrap_or_else(PoisonError::into_inner).take();
        match lease {
            Some(lease) => {
                self.tell(false);
                self.app.store.lanes().release(&lease).await
            }
            None => Ok(()),
        }
    }

    fn tell(&self, held: bool) {
        self.app.pulse.lane(&self.name, held, self.app.now_ms());
    }

    fn held(&self) -> Option<Lease> {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, lease: Option<Lease>) {
        *self.lease.lock().unwrap_or_else(PoisonError::into_inner) = lease;
    }
}

/// When to ask again for a lease that another process holds.
pub(super) const ASK_AGAIN_MS: i64 = LEASE_MS / 10;

/// Works on one lane round by round: for whoever wants to see the end of a round, such as `run --once`.
pub struct LaneWorker {
    lease: LaneLease,
    connections: Vec<ConnectionWorker>,
}

impl LaneWorker {
    /// A worker for the lane; `holder` names this process.
    pub fn new(
        app: Arc<App>,
        name: String,
        connections: Vec<Arc<Connection>>,
        holder: String,
        stop: &CancellationToken,
    ) -> Self {
        let worker = |connection| ConnectionWorker::new(Arc::clone(&app), connection, stop.clone());
        let connections = connections.into_iter().map(worker).collect();
        Self { lease: LaneLease::new(app, name, holder), connections }
    }

    /// Gives the lease back.
    pub async fn release(&mut self) -> Result<(), Error> {
        self.lease.release().await
    }

    /// Does what is due, one batch per stage and connection, all connections at once.
    pub async fn tick(&mut self) -> Result<Tick, Error> {
        let Some(lease) = self.lease.take().await? else {
            let again_ms = self.lease.app.now_ms().saturating_add(ASK_AGAIN_MS);
            return Ok(Tick { lease_due_ms: Some(again_ms), ..Tick::default() });
        };
        let ticks = self.connections.iter_mut().map(|connection| connection.tick(&lease));
        let mut round = Tick::default();
        for tick in futures::future::join_all(ticks).await {
            round.merge(tick?);
        }
        Ok(round)
    }
}
