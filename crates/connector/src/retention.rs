//! What is kept of people is erased when its time is over (`[connection.retention]`): what Brex sent, plans, and details of the trail. The
//! proof stays: entries with their hashes, amounts, dates, numbers and states.

use domain::stage::Stage;
use store::{Error, RecordRow};

use crate::app::{App, Connection};
use crate::clock::DAY_MS;

/// The job that erases.
pub const RETENTION: &str = "retention";

/// Records of one run, so that nothing else waits long for it.
const MOST: usize = 500;
/// Records that are read at once.
const PAGE: i64 = 100;

/// Erases what is due, the oldest first. Returns how many records it was.
pub async fn run(app: &App, connection: &Connection) -> Result<usize, Error> {
    let Some(days) = connection.settings.retention.erase_after_days else { return Ok(0) };
    let before_ms = app.now_ms().saturating_sub(i64::from(days).saturating_mul(DAY_MS));
    let mut erased = 0;
    for stage in Stage::ALL.into_iter().filter(|stage| stage.is_done()) {
        let mut after = None;
        while erased < MOST {
            let records = app.store.records();
            let rows = records.list_kept_since(&connection.id, stage, before_ms, after.as_ref(), PAGE).await?;
            let Some(last) = rows.last() else { break };
            after = Some((last.first_seen_ms, last.id.clone()));
            for row in rows {
                erased += usize::from(erase(app, connection, &row, days).await?);
            }
        }
    }
    if erased > 0 {
        tracing::info!(connection = %connection.id, records = erased, "erased what was kept longer than retention.erase_after_days");
    }
    Ok(erased)
}

async fn erase(app: &App, connection: &Connection, row: &RecordRow, days: u32) -> Result<bool, Error> {
    let reason = format!("the record was over for {days} days: retention.erase_after_days");
    let (audit, actor) = (app.store.audit(), app.actor());
    match audit.erase(&connection.id, &row.id, row.rev, &reason, app.now_ms(), &actor).await {
        Ok(_) => Ok(true),
        // It changed meanwhile, or something is under way: another time.
        Err(Error::Moved { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
