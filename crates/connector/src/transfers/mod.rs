//! Transfers of Brex and the documents of Business Central: read both ([`import`], [`books`]), compare ([`reconcile`]), hear
//! what people say ([`say`]), prepare what is matched in a journal ([`journal`]), [`pay`] what is open, and show how it stands
//! ([`view`]). A floor below `flow`.
//!
//! What Brex says is the same for everybody, so it is written without a lease. A comparison is written only if the matches and
//! decisions that it began with still stand, so a command and the worker may compare at the same time.

pub mod books;
pub mod import;
pub mod journal;
pub mod pay;
pub mod reconcile;
pub mod say;
pub mod view;

use store::Lease;

use crate::app::{App, Connection};
use crate::beside;
use crate::stop::Stop;

/// The job.
pub const TRANSFERS: &str = "transfers";
/// Its argument when all transfers are to be read.
pub const FULL: &str = "full";
/// Cursor: when all transfers were last read (milliseconds).
const WALKED: &str = "transfers.walked";

/// A webhook told of a transfer. It carries no amount, so the next run fetches it; what it returns is told by nothing else
/// (brex.md 6.4) and is written down now.
pub async fn heard(app: &App, connection: &Connection, id: &str, returns: Option<&str>) -> Result<(), store::Error> {
    if let Some(original) = returns {
        app.store.transfers().note_return(&connection.id, app.now_ms(), &app.actor(), original, id).await?;
    }
    if connection.settings.transfers.enabled {
        app.store.jobs().nudge(&connection.id, TRANSFERS, app.now_ms()).await?;
    }
    Ok(())
}

/// Reads and compares if that is due. Returns whether it did anything.
pub async fn turn(app: &App, connection: &Connection, lease: &Lease) -> Result<bool, Stop> {
    let settings = &connection.settings.transfers;
    if !settings.enabled || connection.identity().is_none() {
        return Ok(false);
    }
    let (jobs, id) = (app.store.jobs(), &connection.id);
    jobs.ensure(id, TRANSFERS, app.now_ms()).await?;
    let due = jobs.list_due(id, app.now_ms()).await?;
    if !due.iter().any(|job| job.kind == TRANSFERS) {
        return Ok(false);
    }
    let job = jobs.start(lease, id, TRANSFERS, app.now_ms()).await?;
    let walked = app.store.cursors().get(id, WALKED).await?.and_then(|text| text.parse::<i64>().ok());
    let period_ms = i64::from(settings.walk_seconds).saturating_mul(1_000);
    let is_full = job.argument.as_deref() == Some(FULL)
        || walked.is_none_or(|walked| walked > app.now_ms() || app.now_ms().saturating_sub(walked) >= period_ms);
    match run(app, connection, Some(lease), is_full).await {
        Ok(report) => {
            if is_full {
                app.store.cursors().set(lease, id, WALKED, &app.now_ms().to_string()).await?;
            }
            // What cannot be booked holds neither the records nor what was compared.
            let failed = match journal::keep(app, connection, lease, &report, is_full).await {
                Ok(()) => None,
                Err(Stop::Store(error)) => return Err(error.into()),
                Err(stop) => Some(crate::worker::chain(&stop)),
            };
            let next = app.now_ms().saturating_add(i64::from(settings.seconds).saturating_mul(1_000));
            jobs.finish(lease, id, TRANSFERS, Some(next), failed.as_deref(), 0, app.now_ms()).await?;
            Ok(true)
        }
        Err(Halt::Store(error)) => Err(error.into()),
        Err(Halt::Api(error)) => beside::wait((app, connection, lease), TRANSFERS, *error, job.attempts, REFUSED).await,
    }
}

/// The plain sentence for transfers that Brex does not let us at.
pub const REFUSED: &str = "Brex does not let this token at the transfers: it needs the scope transfers.readonly, a user who is \
     account admin, AP clerk or bookkeeper, and a Brex business account.";

/// Reads both sides and compares them.
pub async fn run(
    app: &App,
    connection: &Connection,
    lease: Option<&Lease>,
    is_full: bool,
) -> Result<reconcile::Report, Halt> {
    import::run(app, connection, is_full).await?;
    reconcile::run(app, connection, lease).await
}

/// Why a run ends early.
#[derive(Debug, thiserror::Error)]
pub enum Halt {
    /// Our own memory failed, or the lease is lost.
    #[error("the store stopped the work")]
    Store(#[from] store::Error),
    /// A system refuses or is away.
    #[error(transparent)]
    Api(Box<clients::Error>),
}

impl From<clients::Error> for Halt {
    fn from(error: clients::Error) -> Self {
        Self::Api(Box::new(error))
    }
}

impl From<Halt> for Stop {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Store(error) => error.into(),
            Halt::Api(error) => (*error).into(),
        }
    }
}
