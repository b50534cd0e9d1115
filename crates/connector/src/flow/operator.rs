//! What a person asked for: look at a held record again, or set it aside for good. Each with who and why in the trail.

use domain::audit::Actor;
use domain::id::{ConnectionId, RecordId};
use domain::stage::{Event, Stage};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::RecordRow;

use super::probe::{Seen, found_by_number};
use super::step::Step;
use super::{Lane, Stop, failures, map, recheck, verify};
use crate::app::App;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Look at a held record again now.
    Retry,
    /// Set a record aside for good.
    Skip,
    /// Take a record up again: from a stage that is named, or planned anew since its draft is no longer in Business Central.
    Replay,
}

impl Verb {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Skip => "skip",
            Self::Replay => "replay",
        }
    }
}

/// A request as it waits for the worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What is asked for.
    pub verb: Verb,
    /// The record.
    pub record: RecordId,
    /// Who asks.
    pub person: String,
    /// Why.
    pub reason: String,
    /// The stage that a replay takes the record up from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Stage>,
    /// The version of the row that the person looked at, if it matters: another one is left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rev: Option<i64>,
}

/// What the names of these jobs start with; one job per record, so that no request replaces another.
const PREFIX: &str = "request:";

impl Request {
    /// Name of the job that carries the request.
    pub fn job(&self) -> String {
        format!("{PREFIX}{}:{}", self.verb.as_str(), self.record)
    }
}

/// Whether a job carries a request.
pub fn is_request(job: &str) -> bool {
    job.starts_with(PREFIX)
}

/// Leaves a request for the worker. False if the record is not known here.
pub async fn ask(app: &App, connection: &ConnectionId, request: &Request) -> Result<bool, store::Error> {
    if app.store.records().get(connection, &request.record).await?.is_none() {
        return Ok(false);
    }
    let argument = serde_json::to_string(request).unwrap_or_default();
    app.store.jobs().request(connection, &request.job(), Some(&argument), app.now_ms()).await?;
    app.bell.notify_waiters();
    Ok(true)
}

/// Whether there is a job of this name that can be asked to run.
pub async fn has_job(app: &App, connection: &ConnectionId, job: &str) -> Result<bool, store::Error> {
    let jobs = app.store.jobs().list(connection).await?;
    Ok(!is_request(job) && jobs.iter().any(|known| known.kind == job))
}

/// Asks for a job that is there to run now. False if there is none of this name.
pub async fn run_now(app: &App, connection: &ConnectionId, job: &str) -> Result<bool, store::Error> {
    if !has_job(app, connection, job).await? {
        return Ok(false);
    }
    app.store.jobs().nudge(connection, job, app.now_ms()).await?;
    app.bell.notify_waiters();
    Ok(true)
}

/// Carries out the request of a job. One that cannot be read or no longer fits is refused in the trail, not repeated.
pub async fn run(lane: &Lane<'_>, job: &str, argument: Option<&str>) -> Result<(), Stop> {
    let Some(request) = argument.and_then(|text| serde_json::from_str::<Request>(text).ok()) else {
        tracing::warn!(job, "a request cannot be read and is dropped");
        return Ok(());
    };
    let Some(row) = lane.app.store.records().get(&lane.connection.id, &request.record).await? else {
        return Ok(());
    };
    let step = match request.verb {
        _ if request.rev.is_some_and(|rev| rev != row.rev) => {
            let why = "the record has changed since it was looked at";
            Step::of(row).note("request_refused", json!({ "verb": request.verb, "why": why }))
        }
        Verb::Retry => retry(lane, row, &request).await?,
        Verb::Skip => skip(lane, row, &request).await?,
        Verb::Replay => replay(lane, row, &request).await?,
    };
    lane.apply_as(&Actor::Person(request.person), vec![step]).await?;
    Ok(())
}

async fn retry(lane: &Lane<'_>, row: RecordRow, request: &Request) -> Result<Step, Stop> {
    let detail = json!({ "reason": request.reason });
    if row.hold.is_none() {
        return Ok(Step::of(row).note("retry_requested", detail));
    }
    if let Some(row) = failures::only_ready(lane, vec![row.clone()]).await?.pop() {
        return Ok(recheck::release(lane, row).note("retry_requested", detail));
    }
    let why = "Brex was told that it failed and has it no longer ready for export; export it there again";
    Ok(Step::of(row).note("request_refused", json!({ "verb": request.verb, "why": why })))
}

/// The stages of a record whose document was made and that is not done.
const HAS_DOCUMENT: [Stage; 5] = [Stage::Revise, Stage::Verify, Stage::Attach, Stage::Post, Stage::MarkExported];

/// Takes a record up again. Whatever the stage does then, it looks first at what is there, so nothing is done twice.
async fn replay(lane: &Lane<'_>, row: RecordRow, request: &Request) -> Result<Step, Stop> {
    let is_there = has_document(lane, &row).await?;
    let (event, why) = match request.from {
        from if row.document_id.is_some() && row.plan.is_none() => {
            let event = from.map_or(Event::Replan, Event::AgainFrom);
            (event, Some("what was planned is erased, so that there is nothing to do again"))
        }
        None => (Event::Replan, refuse_planning_anew(&row, is_there)),
        Some(stage) => (Event::AgainFrom(stage), refuse_from(lane, &row, stage, is_there).await?),
    };
    let detail = json!({ "reason": request.reason, "from": request.from });
    Ok(match why {
        Some(why) => Step::of(row).note("request_refused", json!({ "verb": request.verb, "why": why })),
        None => Step::of(row)
            .set(|row| {
                if !is_there {
                    (row.document_id, row.document_no) = (None, None);
                }
            })
            .on(event, lane.now_ms())
            .note("replayed", detail),
    })
}

/// A record is planned anew only if its draft is gone: the look-up before the next create still finds whatever is there.
fn refuse_planning_anew(row: &RecordRow, is_there: bool) -> Option<&'static str> {
    if row.hold.is_none() || !HAS_DOCUMENT.contains(&row.stage) {
        Some("only a held record whose draft was deleted can be planned anew; name the stage to take it up from")
    } else if is_there {
        Some(DELETE_FIRST)
    } else {
        None
    }
}

/// Up to the draft a record is taken up only while it can have no document, and after that only while it has one.
async fn refuse_from(
    lane: &Lane<'_>,
    row: &RecordRow,
    stage: Stage,
    is_there: bool,
) -> Result<Option<&'static str>, Stop> {
    if row.stage.after(Event::AgainFrom(stage)).is_err() {
        return Ok(Some("the record has not come to that stage, or is over"));
    }
    if stage > Stage::Draft {
        return Ok((!is_there).then_some("it has no document in Business Central; take it up from an earlier stage"));
    }
    refuse_without_document(lane, row, is_there).await
}

const DELETE_FIRST: &str = "its document is in Business Central; delete the draft there first";

/// Why a record that must have no document may have one.
async fn refuse_without_document(
    lane: &Lane<'_>,
    row: &RecordRow,
    is_there: bool,
) -> Result<Option<&'static str>, Stop> {
    if has_marked_document(lane, row).await? {
        return Ok(Some("a document of the connector with its number is in Business Central; delete it there first"));
    }
    let open = lane.app.store.intents().list_open(&lane.connection.id, std::slice::from_ref(&row.id)).await?;
    Ok(if !open.is_empty() {
        Some("a document may still appear in Business Central; ask again when that is settled")
    } else if is_there {
        Some(DELETE_FIRST)
    } else {
        None
    })
}

/// Whether the document that the row points to is in Business Central.
async fn has_document(lane: &Lane<'_>, row: &RecordRow) -> Result<bool, Stop> {
    let read_back = verify::read_back(lane, vec![row.clone()]).await?;
    Ok(read_back.iter().any(|(_, _, found)| found.is_some()))
}

/// Whether a document that the connector made for the record can be found by its number, whatever the row points to.
async fn has_marked_document(lane: &Lane<'_>, row: &RecordRow) -> Result<bool, Stop> {
    let Some(plan) = map::plan_of(row).filter(|_| !row.stage.is_before_document()) else { return Ok(false) };
    let found = found_by_number(lane, plan.kind, std::iter::once(&plan)).await?;
    Ok(matches!(found.judge(&plan), Ok(Seen::Ours(_) | Seen::Several(_)) | Err(_)))
}

/// A record may be set aside only while no document of ours can be in Business Central.
async fn skip(lane: &Lane<'_>, row: RecordRow, request: &Request) -> Result<Step, Stop> {
    let is_there = has_document(lane, &row).await?;
    let why = if row.stage.is_done() {
        Some("the record is done")
    } else {
        refuse_without_document(lane, &row, is_there).await?
    };
    Ok(match why {
        Some(why) => Step::of(row).note("request_refused", json!({ "verb": request.verb, "why": why })),
        None => Step::of(row).on(Event::Skip, lane.now_ms()).note("skipped", json!({ "reason": request.reason })),
    })
}
