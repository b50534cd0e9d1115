//! Reads the numbers. Labels take few values: connections, stages, codes, jobs; never a record, a merchant or a person.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::stage::Stage;
use store::{Error, Store};

use super::exposition::Page;
use super::names;
use crate::app::{App, Connection, VERSION};
use crate::flow::operator;
use crate::web::SOURCES;
use crate::worker::{LEASE_MS, chain, is_on};

/// Shorter than Prometheus waits.
const DEADLINE: Duration = Duration::from_secs(8);
/// Jobs that carry a person's request about one record are one job here.
const REQUEST: &str = "request";

/// The whole page. Without the database it has what the process knows by itself.
pub(super) async fn read(app: &Arc<App>) -> String {
    let mut page = Page::default();
    let stored = tokio::time::timeout(DEADLINE, read_stored(app)).await;
    let is_up = match stored {
        Ok(Ok(found)) => {
            page = found;
            true
        }
        Ok(Err(error)) => {
            tracing::warn!(error = %chain(&error), "the metrics of the database could not be read");
            false
        }
        Err(_) => {
            tracing::warn!("the metrics of the database took too long");
            false
        }
    };
    page.add(&names::DATABASE_UP, &[], u8::from(is_up));
    add_process(&mut page, app);
    page.print(&names::ALL)
}

fn add_process(page: &mut Page, app: &App) {
    page.add_time(&names::PROCESS_START, &[], app.pulse.started_ms());
    page.add(&names::BUILD, &[VERSION], 1);
    let now_ms = app.now_ms();
    for connection in &app.connections {
        let id = connection.id.as_str();
        for (system, slots) in connection.traffic.slots() {
            page.add(&names::SLOTS, &[id, system], u32::try_from(slots).unwrap_or(u32::MAX));
        }
        let lane = app.pulse.find_lane(&connection.settings.lane());
        // A lease that could not be renewed is over, although nobody said so.
        let is_held = lane.is_some_and(|lane| lane.held && now_ms.saturating_sub(lane.seen_ms) < LEASE_MS);
        page.add(&names::LANE_HELD, &[id], u8::from(is_held));
        if let Some(lane) = lane {
            page.add_time(&names::LANE_SEEN, &[id], lane.seen_ms);
        }
    }
    if let Some(ms) = app.pulse.checkpoint_ms() {
        page.add_time(&names::CHECKPOINT, &[], ms);
    }
    for (ended, number) in app.requests() {
        page.add(&names::REQUESTS, &[ended.system, ended.operation, ended.outcome], number);
    }
    for (delivered, number) in app.pulse.deliveries() {
        page.add(&names::DELIVERIES, &[delivered.connection.as_str(), delivered.source, delivered.outcome], number);
    }
}

async fn read_stored(app: &App) -> Result<Page, Error> {
    let mut page = Page::default();
    page.add(&names::DATABASE_BYTES, &[], app.store.size_bytes().await?);
    for row in app.store.connections().list().await? {
        if let (Some(_), Some(problem)) = (app.connection(&row.id), row.problem) {
            page.add(&names::PROBLEM, &[row.id.as_str(), &problem.code], 1);
        }
    }
    for connection in &app.connections {
        add_records(&mut page, &app.store, connection).await?;
        add_jobs(&mut page, &app.store, connection).await?;
        add_waiting(&mut page, &app.store, connection).await?;
        add_ends(&mut page, app, connection).await?;
    }
    for trail in app.store.audit().trails().await? {
        page.add(&names::AUDIT, &[trail.as_str()], app.store.audit().newest(&trail).await?);
    }
    Ok(page)
}

async fn add_records(page: &mut Page, store: &Store, connection: &Connection) -> Result<(), Error> {
    let id = connection.id.as_str();
    let mut stages = BTreeMap::from(Stage::ALL.map(|stage| (stage.as_str(), 0_i64)));
    let mut held: BTreeMap<&str, i64> = BTreeMap::new();
    for count in store.records().counts(&connection.id).await? {
        let number = match count.hold_code {
            None => stages.entry(count.stage.as_str()).or_default(),
            Some(code) => held.entry(code.as_str()).or_default(),
        };
        *number = number.saturating_add(count.records);
    }
    for (stage, number) in stages {
        page.add(&names::RECORDS, &[id, stage], number);
    }
    for (code, number) in held {
        page.add(&names::RECORDS_HELD, &[id, code], number);
    }
    if let Some(ms) = store.records().next_due(&connection.id).await? {
        page.add_time(&names::RECORDS_DUE, &[id], ms);
    }
    Ok(())
}

/// A job of the page: requests about records are put together.
#[derive(Default)]
struct Job {
    due_ms: Option<i64>,
    finished_ms: Option<i64>,
    failures: i64,
}

async fn add_jobs(page: &mut Page, store: &Store, connection: &Connection) -> Result<(), Error> {
    let id = connection.id.as_str();
    let mut jobs: BTreeMap<String, Job> = BTreeMap::new();
    for row in store.jobs().list(&connection.id).await? {
        if !is_on(&connection.settings, &row.kind) {
            continue;
        }
        let name = if operator::is_request(&row.kind) { REQUEST.to_owned() } else { row.kind };
        let job = jobs.entry(name).or_default();
        job.due_ms = [job.due_ms, row.due_ms].into_iter().flatten().min();
        job.finished_ms = job.finished_ms.max(row.finished_ms);
        job.failures = job.failures.max(row.attempts);
    }
    for (name, job) in &jobs {
        if let Some(ms) = job.due_ms {
            page.add_time(&names::JOB_DUE, &[id, name], ms);
        }
        if let Some(ms) = job.finished_ms {
            page.add_time(&names::JOB_FINISHED, &[id, name], ms);
        }
        page.add(&names::JOB_FAILURES, &[id, name], job.failures);
    }
    Ok(())
}

async fn add_waiting(page: &mut Page, store: &Store, connection: &Connection) -> Result<(), Error> {
    let id = connection.id.as_str();
    let intents = store.intents().open(&connection.id).await?;
    page.add(&names::INTENTS, &[id], intents.number);
    if let Some(ms) = intents.oldest_ms {
        page.add_time(&names::INTENTS_OLDEST, &[id], ms);
    }
    let unhandled: BTreeMap<_, _> = store.inbox().unhandled(&connection.id).await?.into_iter().collect();
    for source in SOURCES {
        let waiting = unhandled.get(source).copied().unwrap_or_default();
        page.add(&names::INBOX, &[id, source], waiting.number);
        if let Some(ms) = waiting.oldest_ms {
            page.add_time(&names::INBOX_OLDEST, &[id, source], ms);
        }
    }
    Ok(())
}

async fn add_ends(page: &mut Page, app: &App, connection: &Connection) -> Result<(), Error> {
    let id = connection.id.as_str();
    for one in app.store.bc_subscriptions().list(&connection.id).await? {
        if let Some(ms) = one.expires_ms {
            page.add_time(&names::SUBSCRIPTION_END, &[id, &one.set], ms);
        }
    }
    for secret in app.vault().list(&connection.id).await? {
        if let Some(ms) = secret.expires_ms {
            page.add_time(&names::SECRET_END, &[id, &secret.system, &secret.purpose], ms);
        }
    }
    Ok(())
}
