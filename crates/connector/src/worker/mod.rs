//! Drives the flow: one task per lane, under a lease, until it is told to stop.
//!
//! A lane is one Business Central user in one environment: the unit that has limits, so the unit that is leased. Whoever
//! holds the lease does everything for its connections, in order; all others wait.

mod jobs;
mod lane;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::app::App;

pub use jobs::{BACKFILL, POLL};
pub use lane::{LaneWorker, Tick};

/// How long a lease lasts without renewal, in milliseconds.
pub const LEASE_MS: i64 = 30_000;
/// How often a lease is renewed.
const RENEW_EVERY: Duration = Duration::from_secs(10);
/// Longest sleep between two looks at what is due.
const LONGEST_NAP_MS: i64 = 5_000;

/// Works on every lane until cancelled; then the batch at hand is finished and the leases are given back.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    let holder = uuid::Uuid::now_v7().to_string();
    let lanes = app.lanes().into_iter().map(|(name, connections)| {
        let (app, stop, holder) = (Arc::clone(&app), stop.clone(), holder.clone());
        async move {
            let start = || {
                let worker =
                    LaneWorker::new(Arc::clone(&app), name.clone(), connections.clone(), holder.clone(), stop.clone());
                run_lane(Arc::clone(&app), worker, stop.clone())
            };
            let rest = || {
                let (app, stop) = (Arc::clone(&app), stop.clone());
                async move { nap(&app, LONGEST_NAP_MS, &stop).await }
            };
            keep_running(name.clone(), start, rest).await;
        }
    });
    futures::future::join_all(lanes).await;
}

/// Runs a task to its end. One that panics starts anew after a rest: its lane stalls no longer than that, and other lanes
/// not at all.
async fn keep_running<F, R>(lane: String, start: impl Fn() -> F, rest: impl Fn() -> R)
where
    F: Future<Output = ()> + Send + 'static,
    R: Future<Output = ()>,
{
    while let Err(lost) = AbortOnDropHandle::new(tokio::spawn(start())).await {
        tracing::error!(lane, error = %lost, "the lane failed unexpectedly and starts anew; report this");
        rest().await;
    }
}

async fn run_lane(app: Arc<App>, mut worker: LaneWorker, stop: CancellationToken) {
    let _renewing = AbortOnDropHandle::new(tokio::spawn(renew(worker.renewer(), stop.clone())));
    while !stop.is_cancelled() {
        let nap_ms = match worker.tick().await {
            Ok(Tick { worked: true, .. }) => continue,
            Ok(tick) => tick.nap_ms(app.now_ms(), LONGEST_NAP_MS),
            Err(error) => {
                tracing::error!(lane = worker.name(), error = %chain(&error), "the store failed; the lane pauses");
                LONGEST_NAP_MS
            }
        };
        nap(&app, nap_ms, &stop).await;
    }
    if let Err(error) = worker.release().await {
        tracing::warn!(lane = worker.name(), error = %chain(&error), "the lease could not be given back; it expires by itself");
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
async fn renew(renewer: lane::Renewer, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(RENEW_EVERY) => {}
            () = stop.cancelled() => {}
        }
        if let Err(error) = renewer.renew().await {
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
    async fn a_lane_that_panics_starts_anew_after_a_rest() {
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
