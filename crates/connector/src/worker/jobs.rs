//! What a connection does by the clock: connect, mirror master data, keep webhook and subscriptions, poll, look again at
//! holds.

use std::sync::Arc;

use store::{Error, JobRow, Lease};
use tracing::Instrument as _;

use super::connection::{clear_problem, note_problem};
use crate::app::{App, Connection};
use crate::clock::DAY_MS;
use crate::coding_lists::CODING_LISTS;
use crate::config::ConnectionConfig;
use crate::flow::changes::{self, CHANGES, EVERYTHING};
use crate::flow::clearing::{self, CLEARING};
use crate::flow::failures::{self, FAILURES};
use crate::flow::poll::{Window, poll};
use crate::flow::recheck::{self, Scope};
use crate::flow::{Lane, RECHECK, Stop, drift, operator};
use crate::mirror::MASTER_DATA;
use crate::retention::{self, RETENTION};
use crate::transfers::TRANSFERS;
use crate::vendors::directory::DIRECTORY;
use crate::{identity, mirror, subscriptions};

/// Finds out who is at either end.
const CONNECT: &str = "connect";
/// Keeps the webhook at Brex, fetches its secrets, and forgets deliveries that are long over.
const WEBHOOK: &str = "webhook";
/// Keeps the push subscriptions in Business Central.
const SUBSCRIPTIONS: &str = "subscriptions";
/// Makes a cheap call to Brex: a token that is not used for 30 days expires (brex.md 1), and a connection that is held for
/// something in Business Central asks Brex for nothing else.
const KEEP_ALIVE: &str = "keep_alive";
/// Asks Brex for what changed.
pub const POLL: &str = "poll";
/// Asks Brex for everything since the cut-over date, and looks at the documents of exported records.
const FULL_POLL: &str = "full_poll";
/// Asks Brex for everything since a date that a person named.
pub const BACKFILL: &str = "backfill";

/// In this order, so that a fresh connection knows its master data before records come.
const ORDER: [&str; 13] = [
    KEEP_ALIVE,
    CONNECT,
    MASTER_DATA,
    WEBHOOK,
    SUBSCRIPTIONS,
    POLL,
    FULL_POLL,
    BACKFILL,
    CHANGES,
    RECHECK,
    FAILURES,
    CLEARING,
    RETENTION,
];

/// Jobs that bring records in or let them go on, as webhooks and stages do beside the drafts.
const BESIDE_DRAFTS: [&str; 3] = [POLL, BACKFILL, RECHECK];

const HOUR_MS: i64 = 60 * 60 * 1_000;
/// Between two looks at who is at either end.
const CONNECT_MS: i64 = DAY_MS / 4;
/// Deliveries are remembered this long after they were handled: longer than anybody sends one again.
const REMEMBERED_MS: i64 = 30 * DAY_MS;

/// Jobs without which every record still comes, only later: what they cannot do holds nothing else.
pub(super) fn is_beside(kind: &str) -> bool {
    [KEEP_ALIVE, WEBHOOK, SUBSCRIPTIONS, CHANGES, FAILURES, RETENTION].contains(&kind)
}

/// Whether this connection does such work at all. The row of what was switched off stays, and may be due for ever.
pub(crate) fn is_on(settings: &ConnectionConfig, kind: &str) -> bool {
    match kind {
        FAILURES => settings.failures.is_on(),
        DIRECTORY => settings.directory.enabled,
        CODING_LISTS => settings.coding_lists.enabled,
        TRANSFERS => settings.transfers.enabled,
        RETENTION => settings.retention.erase_after_days.is_some(),
        _ => true,
    }
}

/// Whether [`run_due`] runs such a job.
fn runs(connection: &Connection, kind: &str) -> bool {
    (ORDER.contains(&kind) || operator::is_request(kind)) && is_on(&connection.settings, kind)
}

/// Runs the jobs that are due. Returns whether any ran.
pub(super) async fn run_due(app: &Arc<App>, connection: &Arc<Connection>, lease: &Lease) -> Result<bool, Stop> {
    let due = app.store.jobs().list_due(&connection.id, app.now_ms()).await?;
    let mut ran = false;
    for kind in ORDER {
        if ![KEEP_ALIVE, CONNECT].contains(&kind) && !connection.is_met() {
            return Ok(ran);
        }
        if let Some(job) = due.iter().find(|job| job.kind == kind) {
            run_one(app, connection, lease, job, None).await?;
            ran = true;
        }
    }
    for job in due.iter().filter(|job| operator::is_request(&job.kind)) {
        run_one(app, connection, lease, job, None).await?;
        ran = true;
    }
    Ok(ran)
}

/// What was due while drafts are made.
pub(super) struct Beside {
    /// Whether anything ran.
    pub(super) ran: bool,
    /// Whether something is left for [`run_due`].
    pub(super) is_left: bool,
}

/// Runs what is due and needs no end of the drafts: it goes by the same master data and rules as they do.
pub(super) async fn run_beside_drafts(
    app: &Arc<App>,
    connection: &Arc<Connection>,
    lane: &Lane<'_>,
) -> Result<Beside, Stop> {
    let mut beside = Beside { ran: false, is_left: false };
    let due = app.store.jobs().list_due(&connection.id, app.now_ms()).await?;
    for job in due.iter().filter(|job| runs(connection, &job.kind)) {
        if !BESIDE_DRAFTS.contains(&job.kind.as_str()) || (job.kind == RECHECK && !lane.is_current().await?) {
            beside.is_left = true;
            continue;
        }
        run_one(app, connection, lane.lease, job, Some(lane)).await?;
        beside.ran = true;
        if job.kind == RECHECK && !lane.is_current().await? {
            // Somebody said something after it was asked, and it was looked at by what was known before.
            app.store.jobs().request(&connection.id, RECHECK, None, app.now_ms()).await?;
            beside.is_left = true;
        }
    }
    Ok(beside)
}

/// First sight of a connection in this process: its rows, its jobs, and what earlier processes learnt.
pub(super) async fn prepare(app: &App, connection: &Connection) -> Result<(), Error> {
    let now_ms = app.now_ms();
    app.store.connections().ensure(&connection.id, now_ms).await?;
    // If this process made the very first contact, it has just found out who is there.
    let is_just_met = connection.is_met() && app.store.jobs().list(&connection.id).await?.is_empty();
    let connect_ms = if is_just_met { now_ms.saturating_add(CONNECT_MS) } else { now_ms };
    app.store.jobs().ensure(&connection.id, CONNECT, connect_ms).await?;
    for kind in [MASTER_DATA, WEBHOOK, SUBSCRIPTIONS, POLL, CHANGES] {
        app.store.jobs().ensure(&connection.id, kind, now_ms).await?;
    }
    if connection.settings.retention.erase_after_days.is_some() {
        app.store.jobs().ensure(&connection.id, RETENTION, now_ms.saturating_add(HOUR_MS)).await?;
    }
    for kind in [FULL_POLL, KEEP_ALIVE] {
        app.store.jobs().ensure(&connection.id, kind, now_ms.saturating_add(DAY_MS)).await?;
    }
    // Another process may have had other credentials, this one may have another address, and nobody knows how long nobody
    // was there to be told.
    for kind in [WEBHOOK, SUBSCRIPTIONS, CHANGES] {
        app.store.jobs().nudge(&connection.id, kind, now_ms).await?;
    }
    if !is_just_met {
        app.store.jobs().nudge(&connection.id, CONNECT, now_ms).await?;
    }
    if connection.settings.failures.is_on() {
        // What an earlier process sent is read back.
        app.store.jobs().nudge(&connection.id, FAILURES, now_ms).await?;
    }
    identity::recall(app, connection).await?;
    subscriptions::recall(app, connection).await?;
    mirror::recall(app, connection).await
}

async fn run_one(
    app: &Arc<App>,
    connection: &Arc<Connection>,
    lease: &Lease,
    job: &JobRow,
    lane: Option<&Lane<'_>>,
) -> Result<(), Stop> {
    let jobs = app.store.jobs();
    // The row as it is now: a person may have asked for something else since the list was read.
    let job = &jobs.start(lease, &connection.id, &job.kind, app.now_ms()).await?;
    let span = tracing::debug_span!("worker.job", connection = %connection.id, kind = job.kind.as_str());
    let outcome = async {
        match lane {
            Some(lane) => run_on_records(lane, job).await,
            None => run_kind(app, connection, lease, job).await,
        }
    };
    let outcome = outcome.instrument(span).await;
    let now_ms = app.now_ms();
    match outcome {
        Ok(()) => {
            let next = period_ms(connection, &job.kind).map(|period| now_ms.saturating_add(jittered(app, period)));
            jobs.finish(lease, &connection.id, &job.kind, next, None, 0, now_ms).await?;
            if job.kind == CONNECT || (job.attempts > 0 && !is_beside(&job.kind)) {
                clear_problem(app, connection, lease).await?;
            }
            Ok(())
        }
        Err(Stop::Store(error)) => Err(error.into()),
        Err(stop) => {
            let attempts = job.attempts.saturating_add(1);
            let delay = domain::pace::retry_delay_ms(job.attempts, None, app.chance.next());
            let text = super::chain(&stop);
            let next = Some(now_ms.saturating_add(delay));
            jobs.finish(lease, &connection.id, &job.kind, next, Some(&text), attempts, now_ms).await?;
            if is_beside(&job.kind) {
                tracing::warn!(connection = %connection.id, job = job.kind, error = text, "work beside the records waits");
                return Ok(());
            }
            if let Stop::Connection(problem) = &stop {
                note_problem(app, connection, lease, problem).await?;
            }
            Err(stop)
        }
    }
}

async fn run_kind(app: &Arc<App>, connection: &Arc<Connection>, lease: &Lease, job: &JobRow) -> Result<(), Stop> {
    match job.kind.as_str() {
        CONNECT => return identity::learn(app, connection).await,
        KEEP_ALIVE => return Ok(connection.brex.get_company().await.map(drop)?),
        WEBHOOK => {
            let before_ms = app.now_ms().saturating_sub(REMEMBERED_MS);
            app.store.inbox().forget_handled_before(&connection.id, before_ms).await?;
            return subscriptions::brex::keep(app, connection, lease).await;
        }
        SUBSCRIPTIONS => {
            let kept = subscriptions::bc::keep(app, connection, lease).await?;
            if kept.gap {
                app.store.jobs().request(&connection.id, CHANGES, Some(EVERYTHING), app.now_ms()).await?;
            }
            return Ok(());
        }
        RETENTION => return Ok(retention::run(app, connection, lease).await.map(drop)?),
        MASTER_DATA if connection.identity().is_some() => mirror::refresh(app, connection, lease).await?,
        _ => {}
    }
    let Some(identity) = connection.identity() else { return Ok(()) };
    run_on_records(&Lane::now(app, connection, lease, identity).await?, job).await
}

/// The part of a job that works on records.
async fn run_on_records(lane: &Lane<'_>, job: &JobRow) -> Result<(), Stop> {
    match job.kind.as_str() {
        MASTER_DATA => {
            recheck::run(lane, Scope::Everything).await?;
            clearing::run(lane).await?;
        }
        CLEARING => clearing::run(lane).await?,
        FAILURES => failures::run(lane).await?,
        RECHECK if !lane.connection.is_mirrored() => {}
        RECHECK => drop(recheck::run(lane, Scope::Mapping).await?),
        POLL => drop(poll(lane, Window::SinceLast).await?),
        FULL_POLL => {
            poll(lane, Window::From(jiff::Timestamp::MIN)).await?;
            drift::run(lane).await?;
            clearing::run(lane).await?;
        }
        CHANGES => changes::run(lane, job.argument.as_deref() == Some(EVERYTHING)).await?,
        BACKFILL => drop(poll(lane, Window::From(backfill_start(job))).await?),
        kind if operator::is_request(kind) => operator::run(lane, kind, job.argument.as_deref()).await?,
        _ => {}
    }
    Ok(())
}

/// The instant that a backfill starts at; without a readable argument, everything since the cut-over date.
fn backfill_start(job: &JobRow) -> jiff::Timestamp {
    job.argument.as_deref().and_then(|text| text.parse().ok()).unwrap_or(jiff::Timestamp::MIN)
}

/// Milliseconds between two runs; none for jobs that run on request only.
fn period_ms(connection: &Connection, kind: &str) -> Option<i64> {
    let settings = &connection.settings;
    match kind {
        POLL => Some(i64::from(settings.poll_seconds) * 1_000),
        FAILURES if settings.failures.is_on() => Some(i64::from(settings.poll_seconds) * 1_000),
        // What changed in Business Central costs a call per set, and is found so late at most if nobody tells.
        MASTER_DATA | CHANGES => Some(i64::from(settings.master_data_seconds) * 1_000),
        WEBHOOK | SUBSCRIPTIONS | RETENTION => Some(HOUR_MS),
        CONNECT => Some(CONNECT_MS),
        FULL_POLL | KEEP_ALIVE => Some(DAY_MS),
        _ => None,
    }
}

/// The period less up to a tenth, so that many connections do not call at the same moment.
fn jittered(app: &App, period_ms: i64) -> i64 {
    let tenth = u64::try_from(period_ms / 10).unwrap_or(0).max(1);
    period_ms.saturating_sub(i64::try_from(app.chance.next() % tenth).unwrap_or(0))
}
