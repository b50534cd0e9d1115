//! BC vendors kept in the Brex vendor directory: read BC ([`read`]), look through Brex ([`look`]), do what is due ([`act`]).
//! [`plan`] says the same without writing.
//!
//! One turn of the lane does one small batch, and only when nothing of the records is left to do. Everything that has to
//! survive is in the table `brex_vendors` and one cursor, so a crash at any moment only repeats a batch; a create is
//! committed with its key before it is sent, and after an unclear answer its name is looked for first.

pub mod act;
pub mod look;
pub mod plan;
pub mod read;

use domain::audit::Note;
use domain::brex_vendor::Fields;
use domain::id::ConnectionId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{BrexVendorChange, BrexVendorRow, Lease};

use crate::app::{App, Connection, Identity};
use crate::beside;
use crate::stop::Stop;

/// The job.
pub const DIRECTORY: &str = "directory";
/// Its argument when everything is to be compared.
pub const FULL: &str = "full";
/// Cursor: where the run stands, as JSON; empty between runs.
const RUN: &str = "directory.run";
/// Cursor: newest change of a BC vendor that was read (milliseconds).
const MODIFIED: &str = "directory.modified";
/// Cursor: when everything was last compared (milliseconds).
const COMPARED: &str = "directory.compared";
/// Cursor: the settings it was compared under.
const SETTINGS: &str = "directory.settings";

/// More new vendors than this are looked for in one walk through the directory instead of one by one.
const LOOK_UPS: usize = 20;

/// What a turn works with.
pub struct Turn<'a> {
    /// The process.
    pub app: &'a App,
    /// The connection.
    pub connection: &'a Connection,
    /// The lease; every write carries its epoch.
    pub lease: &'a Lease,
    /// Who is at either end.
    pub identity: &'a Identity,
}

/// Where a run stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Run {
    full: bool,
    phase: Phase,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    Read,
    Look {
        began_ms: i64,
        cursor: Option<String>,
        /// How often the walk began again because Brex refused its cursor.
        #[serde(default)]
        again: i64,
    },
    Act {
        looked_ms: i64,
    },
}

impl Turn<'_> {
    fn now_ms(&self) -> i64 {
        self.app.now_ms()
    }

    async fn apply(&self, changes: &[BrexVendorChange]) -> Result<(), store::Error> {
        let (map, id) = (self.app.store.brex_vendors(), &self.connection.id);
        map.apply(self.lease, id, self.now_ms(), &self.app.actor(), changes).await
    }

    async fn number(&self, cursor: &str) -> Result<Option<i64>, store::Error> {
        let text = self.app.store.cursors().get(&self.connection.id, cursor).await?;
        Ok(text.and_then(|text| text.parse().ok()))
    }

    async fn set(&self, cursor: &str, value: &str) -> Result<(), store::Error> {
        self.app.store.cursors().set(self.lease, &self.connection.id, cursor, value).await
    }
}

/// Asks for a run now: what a notification of BC about vendors does. A comparison that was asked for stays asked for.
pub async fn nudge(app: &App, connection: &ConnectionId) -> Result<(), store::Error> {
    app.store.jobs().nudge(connection, DIRECTORY, app.now_ms()).await
}

/// Does one batch if a run is due. Returns whether it did anything.
pub async fn turn(app: &App, connection: &Connection, lease: &Lease) -> Result<bool, Stop> {
    if !connection.settings.directory.enabled {
        return Ok(false);
    }
    let Some(identity) = connection.identity() else { return Ok(false) };
    let turn = Turn { app, connection, lease, identity: &identity };
    let jobs = app.store.jobs();
    jobs.ensure(&connection.id, DIRECTORY, app.now_ms()).await?;
    let due = jobs.list_due(&connection.id, app.now_ms()).await?;
    let Some(job) = due.into_iter().find(|job| job.kind == DIRECTORY) else { return Ok(false) };
    let kept = app.store.cursors().get(&connection.id, RUN).await?;
    let run = match kept.and_then(|text| serde_json::from_str::<Run>(&text).ok()) {
        Some(run) => run,
        None => begin(&turn).await?,
    };
    match step(&turn, run.clone()).await {
        Err(Halt::Brex(error)) if run.is_refused_cursor(&error) => look_again(&turn, run, *error).await,
        Ok(Some(run)) => {
            turn.set(RUN, &serde_json::to_string(&run).unwrap_or_default()).await?;
            if job.attempts > 0 {
                // It goes on: the next wait starts small again.
                let now_ms = app.now_ms();
                jobs.finish(lease, &connection.id, DIRECTORY, Some(now_ms), None, 0, now_ms).await?;
            }
            Ok(true)
        }
        Ok(None) => finish(&turn).await.map(|()| true),
        Err(Halt::Store(error)) => Err(error.into()),
        Err(Halt::Brex(error)) => wait(&turn, *error, job.attempts).await,
    }
}

impl Run {
    /// A cursor may have died while we were away; how long they live is not documented.
    fn is_refused_cursor(&self, error: &clients::Error) -> bool {
        let is_look = matches!(&self.phase, Phase::Look { cursor: Some(_), .. });
        is_look && error.system() == clients::System::Brex && error.kind() == clients::Kind::Refused
    }
}

/// The walk through the directory begins again, each time after a longer wait.
async fn look_again(turn: &Turn<'_>, mut run: Run, error: clients::Error) -> Result<bool, Stop> {
    let mut restarts = 0;
    if let Phase::Look { cursor, again, .. } = &mut run.phase {
        (restarts, *again, *cursor) = (*again, again.saturating_add(1), None);
    }
    turn.set(RUN, &serde_json::to_string(&run).unwrap_or_default()).await?;
    wait(turn, error, restarts).await
}

/// Why a turn ends before its batch is done.
#[derive(Debug, thiserror::Error)]
pub enum Halt {
    /// Our own memory failed, or the lease is lost.
    #[error("the store stopped the work")]
    Store(#[from] store::Error),
    /// A system refuses or is away.
    #[error(transparent)]
    Brex(Box<clients::Error>),
}

impl From<clients::Error> for Halt {
    fn from(error: clients::Error) -> Self {
        Self::Brex(Box::new(error))
    }
}

async fn begin(turn: &Turn<'_>) -> Result<Run, Stop> {
    let (id, now_ms) = (&turn.connection.id, turn.now_ms());
    let job = turn.app.store.jobs().start(turn.lease, id, DIRECTORY, now_ms).await?;
    let settings = &turn.connection.settings.directory;
    let period_ms = i64::from(settings.compare_seconds) * 1_000;
    let compared = turn.number(COMPARED).await?;
    let same = turn.app.store.cursors().get(id, SETTINGS).await?.is_some_and(|kept| kept == settings.fingerprint());
    let full = !same
        || job.argument.as_deref() == Some(FULL)
        || compared.is_none_or(|compared| now_ms.saturating_sub(compared) >= period_ms);
    let run = Run { full, phase: Phase::Read };
    turn.set(RUN, &serde_json::to_string(&run).unwrap_or_default()).await?;
    Ok(run)
}

/// One batch. Nothing when the run is at its end.
async fn step(turn: &Turn<'_>, run: Run) -> Result<Option<Run>, Halt> {
    let Run { full, phase } = run;
    let phase = match phase {
        Phase::Read => {
            let unknown = read::run(turn, full).await?;
            let now_ms = turn.now_ms();
            if full || unknown > LOOK_UPS {
                Phase::Look { began_ms: now_ms, cursor: None, again: 0 }
            } else {
                Phase::Act { looked_ms: 0 }
            }
        }
        Phase::Look { began_ms, cursor, again } => match look::page(turn, began_ms, cursor.as_deref()).await? {
            Some(cursor) => Phase::Look { began_ms, cursor: Some(cursor), again },
            None => Phase::Act { looked_ms: began_ms },
        },
        Phase::Act { looked_ms } => {
            if !act::batch(turn, looked_ms).await? {
                if full {
                    turn.set(COMPARED, &turn.now_ms().to_string()).await?;
                    turn.set(SETTINGS, &turn.connection.settings.directory.fingerprint()).await?;
                }
                return Ok(None);
            }
            Phase::Act { looked_ms }
        }
    };
    Ok(Some(Run { full, phase }))
}

/// The run is over; vendors whose turn comes later bring the job back.
async fn finish(turn: &Turn<'_>) -> Result<(), Stop> {
    let (id, now_ms) = (&turn.connection.id, turn.now_ms());
    turn.set(RUN, "").await?;
    let period = i64::from(turn.connection.settings.directory.seconds) * 1_000;
    let later = turn.app.store.brex_vendors().next_due(id).await?;
    let (next, error, attempts) = match later {
        Some(due) => (due.max(now_ms.saturating_add(1)), Some("some vendors are tried again"), 1),
        None => (now_ms.saturating_add(period), None, 0),
    };
    turn.app.store.jobs().finish(turn.lease, id, DIRECTORY, Some(next), error, attempts, now_ms).await?;
    Ok(())
}

/// The plain sentence for a directory that Brex does not let us at.
const REFUSED: &str = "Brex does not let this token at the vendor directory: it needs the scope vendors, a user who is account \
     admin, AP clerk or bookkeeper, and a Brex business account.";

async fn wait(turn: &Turn<'_>, error: clients::Error, attempts: i64) -> Result<bool, Stop> {
    beside::wait((turn.app, turn.connection, turn.lease), DIRECTORY, error, attempts, REFUSED).await
}

/// A row as it was and as it becomes, with what the trail is to say.
pub(super) fn note(row: &BrexVendorRow, action: &str, detail: Value) -> Note {
    let subject = subject(row);
    Note { action: action.to_owned(), subject, before: None, after: Some(state(row)), detail }
}

/// What the trail calls a vendor: by BC's id, which survives a change of number.
pub fn subject(row: &BrexVendorRow) -> String {
    format!("brex_vendor {}", row.bc_id)
}

/// The state in one word.
pub fn state(row: &BrexVendorRow) -> String {
    let name = serde_json::to_value(row.state).ok();
    let name = name.as_ref().and_then(Value::as_str).unwrap_or_default();
    row.hold.map_or_else(|| name.to_owned(), |hold| format!("{name} ({})", hold.as_str()))
}

/// What Brex should hold about a vendor.
pub(super) fn wanted(row: &BrexVendorRow) -> Fields {
    Fields { name: row.name.clone().unwrap_or_default(), email: row.email.clone(), phone: row.phone.clone() }
}

/// What Brex holds about a vendor.
pub(super) fn seen(vendor: &clients::brex::BrexVendor) -> Fields {
    let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    Fields { name: vendor.company_name.clone(), email: filled(&vendor.email), phone: filled(&vendor.phone) }
}
