//! Whether the process can do its work, or the one word for what keeps it from that.

use std::sync::Arc;
use std::time::Duration;

use store::Error;

use crate::app::App;
use crate::worker::LEASE_MS;

/// A database that takes longer does not answer.
const DEADLINE: Duration = Duration::from_secs(5);
/// Whoever has a lane renews it, and whoever waits for one asks again, several times in this.
const PULSE_MS: i64 = 2 * LEASE_MS;

/// `database` does not answer, `key` does not open what is sealed, or the `worker` neither has its lanes nor waits for them. One that
/// only receives needs no lane.
pub(super) async fn check(app: &Arc<App>) -> Result<(), &'static str> {
    let answers = tokio::time::timeout(DEADLINE, app.store.size_bytes()).await;
    if !matches!(answers, Ok(Ok(_))) {
        return Err("database");
    }
    match tokio::time::timeout(DEADLINE, app.vault().check()).await {
        Ok(Ok(())) => {}
        Ok(Err(Error::KeyMissing { .. } | Error::NotSealed { .. })) => return Err("key"),
        Ok(Err(_)) | Err(_) => return Err("database"),
    }
    let now_ms = app.now_ms();
    let is_alive =
        |lane: &String| app.pulse.find_lane(lane).is_some_and(|pulse| now_ms.saturating_sub(pulse.seen_ms) < PULSE_MS);
    if app.pulse.only_receives() || app.lanes().keys().all(is_alive) { Ok(()) } else { Err("worker") }
}
