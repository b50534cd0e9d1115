//! What is kept of people is erased when its time is over (`[connection.retention]`): what Brex sent, plans, and details of the trail. The
//! proof stays: entries with their hashes, amounts, dates, numbers and states.

use domain::id::RecordId;
use domain::stage::Stage;
use store::{Error, Lease, RecordRow};

use crate::app::{App, Connection};
use crate::clock::DAY_MS;

/// The job that erases.
pub const RETENTION: &str = "retention";

/// Stretches of records that one run looks through, so that nothing else waits long for it.
const STRETCHES: usize = 20;

/// Erases what is due, the oldest first, and goes on next time where it ended. Returns how many records it was.
pub async fn run(app: &App, connection: &Connection, lease: &Lease) -> Result<usize, Error> {
    let Some(days) = connection.settings.retention.erase_after_days else { return Ok(0) };
    let before_ms = app.now_ms().saturating_sub(i64::from(days).saturating_mul(DAY_MS));
    let cursors = app.store.cursors();
    let (mut erased, mut stretches) = (0, 0);
    for stage in Stage::ALL.into_iter().filter(|stage| stage.is_done()) {
        let cursor = format!("retention.{stage}");
        let mut after = cursors.get(&connection.id, &cursor).await?.as_deref().and_then(place);
        while stretches < STRETCHES {
            stretches += 1;
            let kept = app.store.records().kept_since(&connection.id, stage, before_ms, after.as_ref()).await?;
            for row in kept.rows {
                erased += usize::from(erase(app, connection, &row, days).await?);
            }
            // At the end it begins anew: what was under way may be over by then.
            let text = kept.last.as_ref().map_or_else(String::new, |(ms, id)| format!("{ms} {id}"));
            cursors.set(lease, &connection.id, &cursor, &text).await?;
            after = kept.last;
            if after.is_none() {
                break;
            }
        }
    }
    if erased > 0 {
        tracing::info!(connection = %connection.id, records = erased, "erased what was kept longer than retention.erase_after_days");
    }
    Ok(erased)
}

/// The record that the last run ended at.
fn place(text: &str) -> Option<(i64, RecordId)> {
    let (ms, id) = text.split_once(' ')?;
    Some((ms.parse().ok()?, RecordId::new(id)))
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
