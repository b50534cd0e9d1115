//! Drives the flow: one task per connection, under the lease of its lane, until it is told to stop.
//!
//! A lane is one Business Central user in one environment: the unit that has limits, so the unit that is leased. Whoever
//! holds the lease does everything for its connections, which share its limits; all other processes wait.

mod connection;
mod jobs;
mod lane;
mod pause;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::app::{App, Connection};
use connection::ConnectionWorker;
use lane::{ASK_AGAIN_MS, LaneLease};

pub(crate) use jobs::is_on;
pub use jobs::{BACKFILL, POLL};
pub use lane::{LaneWorker, Tick};

/// How long a lease lasts without renewal, in milliseconds.
pub const LEASE_MS: i64 = 30_000;
/// How often a lease is renewed.
const RENEW_EVERY: Duration = Duration::from_secs(10);
/// Longest sleep between two looks at what is due.
const LONGEST_NAP_MS: i64 = 5_000;

/// Works on every connection until cancelled; then the batches at hand are finished and the leases are given back.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    let holder = uuid::Uuid::now_v7().to_string();
    let lanes = app.lanes().into_iter().map(|(name, connections)| {
        let lease = Arc::new(LaneLease::new(Arc::clone(&app), name, holder.clone()));
        run_lane(Arc::clone(&app), lease, connections, stop.clone())
    });
    futures::future::join_all(lanes).await;
}

/// Each connection goes at its own pace under the lease of the lane: one that waits for its systems delays no other.
async fn run_lane(app: Arc<App>, lease: Arc<LaneLease>, connections: Vec<Arc<Connection>>, stop: CancellationToken) {
    let _renewing = AbortOnDropHandle::new(tokio::spawn(renew(Arc::clone(&lease), stop.clone())));
    let running = connections.into_iter().map(|connection| {
        let (app, lease, stop) = (Arc::clone(&app), Arc::clone(&lease), stop.clone());
        async move {
            let start = || {
                let worker = ConnectionWorker::new(Arc::clone(&app), Arc::clone(&connection), stop.clone());
                run_connection(Arc::clone(&app), Arc::clone(&lease), worker, stop.clone())
            };
            let rest = || {
                let (app, stop) = (Arc::clone(&app), stop.clone());
                async move { nap(&app, LONGEST_NAP_MS, &stop).await }
            };
            keep_running(connection.id.to_string(), start, rest).await;
        }
    });
    futures::future::join_all(running).await;
    if let Err(error) = lease.release().await {
        tracing::warn!(error = %chain(&error), "the lease could not be given back; it expires by itself");
    }
}

/// Runs a task to its end. One that panics starts anew after a rest: its connection stalls no longer than that, and others
/// not at all.
async fn keep_running<F, R>(connection: String, start: impl Fn() -> F, rest: impl Fn() -> R)
where
    F: Future<Output = ()> + Send + 'static,
    R: Future<Output = ()>,
{
    while let Err(lost) = AbortOnDropHandle::new(tokio::spawn(start())).await {
        tracing::error!(connection, error = %lost, "the connection failed unexpectedly and starts anew; report this");
        rest().await;
    }
}

async fn run_connection(app: Arc<App>, lease: Arc<LaneLease>, mut worker: ConnectionWorker, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let ticked = match lease.take().await {
            Ok(None) => {
                nap(&app, ASK_AGAIN_MS, &stop).await;
                continue;
            }
            Ok(Some(lease)) => worker.tick(&lease).await,
            Err(error) => Err(error),
        };
        let nap_ms = match ticked {
            Ok(Tick { worked: true, .. }) => continue,
            Ok(tick) => tick.nap_ms(app.now_ms(), LONGEST_NAP_MS),
            Err(error) => {
                let connection = worker.id();
                tracing::error!(%connection, error = %chain(&error), "the store failed; the connection pauses");
                LONGEST_NAP_MS
            }
        };
        nap(&app, nap_ms, &stop).await;
    }
}

/// Waits until the time is over, the bell rings, or it is time to stop.
#[expect(clippy::disallowed_methods, reason = "the worker is where waiting happens")]
pub async fn nap(app: &App, nap_ms: i64, stop: &CancellationToken) {
    let nap = Duration::from_millis(u64::try_from(nap_ms.max(1)).unwrap_or(1));
    tokio::select! {
        () = tokio::time::sleep(nap) => {}
        () = app.bell.notified() => {}
        () = stop.cancelled() => {}
    }
}

#[expect(clippy::disallowed_methods, reason = "the worker is where waiting happens")]
async fn renew(lease: Arc<LaneLease>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(RENEW_EVERY) => {}
            () = stop.cancelled() => {}
        }
        if let Err(error) = lease.renew().await {
            tracing::warn!(error = %chain(&error), "the lease could not be renewed");
        }
        if stop.is_cancelled() {
            // The batch at hand may still be under way: keep its lease alive until the task is aborted.
            tokio::time::sleep(RENEW_EVERY).await;
        }
    }
}

/// An error with everything that caused it, on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::keep_running;

    #[tokio::test]
    async fn a_connection_that_panics_starts_anew_after_a_rest() {
        let starts = Arc::new(AtomicU32::new(0));
        let rests = AtomicU32::new(0);
        let start = || {
            let starts = Arc::clone(&starts);
            async move { assert!(starts.fetch_add(1, Ordering::SeqCst) >= 2, "a fault of the test") }
        };
        let rest = || {
            rests.fetch_add(1, Ordering::SeqCst);
            std::future::ready(())
        };
        keep_running("main".to_owned(), start, rest).await;
        assert_eq!((starts.load(Ordering::SeqCst), rests.load(Ordering::SeqCst)), (3, 2));
    }
}
