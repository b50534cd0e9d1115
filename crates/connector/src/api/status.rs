//! Status: is everything fine?

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use domain::stage::Stage;
use serde::Serialize;
use store::{Count, Exports};
use utoipa::ToSchema;

use super::Api;
use super::connections::{ConnectionProblem, problem};
use super::guard::Caller;
use super::problem::Problem;
use super::records::{HoldName, StageName};
use super::show::time;
use crate::access::tokens::day_of;
use crate::app::{Connection, VERSION};
use crate::clock::DAY_MS;

/// Days of exports that are told.
const DAYS: i64 = 30;

/// How everything stands.
#[derive(Serialize, ToSchema)]
pub(super) struct Status {
    /// The version of the connector.
    version: &'static str,
    /// What time it is there.
    #[schema(format = DateTime)]
    now: String,
    /// Each connection that the token may ask about.
    connections: Vec<Standing>,
}

/// How a connection stands.
#[derive(Serialize, ToSchema)]
pub(super) struct Standing {
    /// Its name, as paths take it.
    name: String,
    /// What holds it.
    problem: Option<ConnectionProblem>,
    /// How many records are exported.
    exported: i64,
    /// How many wait for a person.
    held: i64,
    /// Records by stage, those that are held left out.
    stages: Vec<AtStage>,
    /// Held records by cause, the most first.
    holds: Vec<ForHold>,
    /// Exports of the last 30 days, on each day that had one.
    exports: Vec<OfDay>,
    /// When Brex was last asked.
    #[schema(format = DateTime)]
    last_poll: Option<String>,
    /// When it is asked next.
    #[schema(format = DateTime)]
    next_poll: Option<String>,
    /// Jobs that failed when they last ran.
    failing: Vec<Failing>,
}

/// Records at a stage.
#[derive(Serialize, ToSchema)]
pub(super) struct AtStage {
    /// The stage.
    #[schema(value_type = StageName)]
    stage: &'static str,
    /// How many.
    records: i64,
}

/// Records that are held for one reason.
#[derive(Serialize, ToSchema)]
pub(super) struct ForHold {
    /// The code.
    #[schema(value_type = HoldName)]
    code: &'static str,
    /// Who can fix it.
    who: &'static str,
    /// How many.
    records: i64,
}

/// Exports of a day.
#[derive(Serialize, ToSchema)]
pub(super) struct OfDay {
    /// The day, in UTC.
    #[schema(format = Date)]
    day: String,
    /// How many.
    records: i64,
    /// Seconds from first seen to exported, on average.
    average_seconds: i64,
}

/// A job that failed.
#[derive(Serialize, ToSchema)]
pub(super) struct Failing {
    /// Its name.
    job: String,
    /// Why.
    error: String,
}

/// Show how everything stands.
///
/// Records by stage and by hold, exports by day, and what fails, for each connection.
#[utoipa::path(get, path = "/status", operation_id = "get_status", tag = "connections",
    responses((status = 200, description = "How everything stands.", body = Status)))]
pub(super) async fn show(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Status>, Problem> {
    let mut connections = Vec::new();
    for connection in api.app.connections.iter().filter(|connection| caller.sees(&connection.id)) {
        connections.push(standing(&api, connection).await?);
    }
    Ok(Json(Status { version: VERSION, now: time(api.app.now_ms()), connections }))
}

async fn standing(api: &Api, connection: &Connection) -> Result<Standing, Problem> {
    let (app, id) = (&api.app, &connection.id);
    let row = app.store.connections().get(id).await?;
    let counts = app.store.records().counts(id).await?;
    let since_ms = app.now_ms().saturating_sub((DAYS - 1) * DAY_MS);
    let exports = app.store.records().exports_by_day(id, since_ms).await?;
    let jobs = app.store.jobs().list(id).await?;
    let poll = jobs.iter().find(|job| job.kind == crate::worker::POLL);
    let failing = jobs.iter().filter_map(|job| Some(Failing { job: job.kind.clone(), error: job.error.clone()? }));
    let holds = holds(&counts);
    Ok(Standing {
        name: id.to_string(),
        problem: row.as_ref().and_then(problem),
        exported: counts.iter().filter(|count| count.stage == Stage::Exported).map(|count| count.records).sum(),
        held: holds.iter().map(|hold| hold.records).sum(),
        stages: stages(&counts),
        holds,
        exports: exports.iter().map(of_day).collect(),
        last_poll: poll.and_then(|job| job.finished_ms).map(time),
        next_poll: poll.and_then(|job| job.due_ms).map(time),
        failing: failing.collect(),
    })
}

fn stages(counts: &[Count]) -> Vec<AtStage> {
    let moving = counts.iter().filter(|count| count.hold_code.is_none());
    moving.map(|count| AtStage { stage: count.stage.as_str(), records: count.records }).collect()
}

fn holds(counts: &[Count]) -> Vec<ForHold> {
    let hold = |(code, records): (domain::hold::HoldCode, i64)| ForHold {
        code: code.as_str(),
        who: code.fixer().as_str(),
        records,
    };
    let mut holds: Vec<ForHold> = Count::by_hold(counts).into_iter().map(hold).collect();
    holds.sort_by_key(|hold| std::cmp::Reverse(hold.records));
    holds
}

fn of_day(exports: &Exports) -> OfDay {
    OfDay {
        day: day_of(exports.day.saturating_mul(DAY_MS)),
        records: exports.records,
        average_seconds: exports.took_ms.checked_div(exports.records).unwrap_or_default() / 1_000,
    }
}
