//! Coding lists: G/L accounts, vendors and dimension values of Business Central, kept in Brex for people to code with.
//! [`axis`] says what should be there, `send` makes it so, [`plan`] says the same without writing.
//!
//! Nothing is remembered but what was last compared: Brex is read before it is written to, so a lost answer or a crash
//! costs another comparison and makes nothing twice.

pub mod axis;
pub mod plan;
mod send;

use clients::brex::Field;
use serde::{Deserialize, Serialize};
use store::Lease;

use self::axis::Axis;
use crate::app::{App, Connection, Identity};
use crate::beside;
use crate::stop::Stop;

/// The job.
pub const CODING_LISTS: &str = "coding_lists";
/// Its argument when everything is to be compared with Brex.
pub const FULL: &str = "full";
/// The plain sentence for fields that Brex does not let us at.
const REFUSED: &str = "Brex does not let this token keep coding lists: it needs the scopes fields.write, field_values.write and \
     accounting.integration.write.";

/// What a run works with.
struct Run<'a> {
    app: &'a App,
    connection: &'a Connection,
    lease: &'a Lease,
    identity: &'a Identity,
}

/// Why a run ends early.
#[derive(Debug, thiserror::Error)]
enum Halt {
    #[error("the store stopped the work")]
    Store(#[from] store::Error),
    #[error(transparent)]
    Call(Box<clients::Error>),
}

impl From<clients::Error> for Halt {
    fn from(error: clients::Error) -> Self {
        Self::Call(Box::new(error))
    }
}

/// How a list stood after it was last compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// What should be in Brex, in short.
    fingerprint: String,
    /// When Brex was last compared with it (milliseconds).
    pub compared_ms: i64,
    /// Values that people can choose.
    pub offered: usize,
    /// Values in Brex that nobody of ours made.
    pub foreign: usize,
    /// What a person has to do, if anything.
    pub problems: Vec<String>,
}

/// How the list of a field stood when it was last compared.
pub async fn standing(app: &App, connection: &Connection, remote_id: &str) -> Result<Option<Standing>, store::Error> {
    let kept = app.store.cursors().get(&connection.id, &cursor(remote_id)).await?;
    Ok(kept.and_then(|text| serde_json::from_str(&text).ok()))
}

fn cursor(remote_id: &str) -> String {
    format!("coding_list.{remote_id}")
}

/// Keeps the lists if that is due. Returns whether it did anything.
pub async fn turn(app: &App, connection: &Connection, lease: &Lease) -> Result<bool, Stop> {
    if !connection.settings.coding_lists.enabled {
        return Ok(false);
    }
    let Some(identity) = connection.identity() else { return Ok(false) };
    let run = Run { app, connection, lease, identity: &identity };
    let jobs = app.store.jobs();
    jobs.ensure(&connection.id, CODING_LISTS, app.now_ms()).await?;
    let due = jobs.list_due(&connection.id, app.now_ms()).await?;
    if !due.iter().any(|job| job.kind == CODING_LISTS) {
        return Ok(false);
    }
    let job = jobs.start(lease, &connection.id, CODING_LISTS, app.now_ms()).await?;
    match run.all(job.argument.as_deref() == Some(FULL)).await {
        Ok(worked) => {
            let now_ms = app.now_ms();
            let next = now_ms.saturating_add(i64::from(connection.settings.coding_lists.seconds) * 1_000);
            jobs.finish(lease, &connection.id, CODING_LISTS, Some(next), None, 0, now_ms).await?;
            Ok(worked)
        }
        Err(Halt::Store(error)) => Err(error.into()),
        Err(Halt::Call(error)) => {
            beside::wait((app, connection, lease), CODING_LISTS, *error, job.attempts, REFUSED).await
        }
    }
}

impl Run<'_> {
    /// Compares every list that is due for it.
    async fn all(&self, full: bool) -> Result<bool, Halt> {
        let directory = self.connection.directory();
        let mut fields: Option<Vec<Field>> = None;
        for axis in axis::wanted(&self.connection.settings.coding_lists, &self.connection.rules.fields, &directory) {
            if !full && self.stands(&axis).await? {
                continue;
            }
            let known = match fields.take() {
                Some(fields) => fields,
                None => self.connection.brex.list_fields().await?,
            };
            let standing = self.keep(&axis, &known).await?;
            let text = serde_json::to_string(&standing).unwrap_or_default();
            self.app.store.cursors().set(self.lease, &self.connection.id, &cursor(&axis.remote_id), &text).await?;
            fields = Some(known);
        }
        Ok(fields.is_some())
    }

    /// Whether nothing changed in BC since Brex was compared, and that is not long ago.
    async fn stands(&self, axis: &Axis) -> Result<bool, store::Error> {
        let period_ms = i64::from(self.connection.settings.coding_lists.compare_seconds) * 1_000;
        let standing = standing(self.app, self.connection, &axis.remote_id).await?;
        Ok(standing.is_some_and(|standing| {
            standing.fingerprint == axis.fingerprint()
                && standing.problems.is_empty()
                && self.app.now_ms().saturating_sub(standing.compared_ms) < period_ms
        }))
    }
}
