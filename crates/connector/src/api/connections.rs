//! Connections: who is at either end, what runs when, what failed; and a job that is asked to run now.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use serde::Serialize;
use store::{BcSubscriptionRow, ConnectionRow, JobRow};
use utoipa::ToSchema;

use super::Api;
use super::extract::Place;
use super::guard::Caller;
use super::problem::Problem;
use super::show::time;
use crate::app;
use crate::flow::operator::{has_job, is_request, run_now};

/// What the token may ask about.
#[derive(Serialize, ToSchema)]
pub(super) struct Connections {
    /// The connections, in the order of the configuration.
    connections: Vec<Connection>,
}

/// A Brex account and a Business Central company that are joined.
#[derive(Serialize, ToSchema)]
pub(super) struct Connection {
    /// Its name, as paths take it.
    name: String,
    /// The company in Brex, once it is known.
    brex_company: Option<String>,
    /// The company in Business Central, once it is known.
    bc_company: Option<String>,
    /// The environment in Business Central.
    environment: String,
    /// The company's time zone.
    time_zone: String,
    /// What holds it.
    problem: Option<ConnectionProblem>,
    /// What it does by the clock.
    jobs: Vec<Scheduled>,
    /// What tells it of changes in Business Central.
    subscriptions: Vec<Subscription>,
}

/// What holds a connection.
#[derive(Serialize, ToSchema)]
pub(super) struct ConnectionProblem {
    /// The code.
    code: String,
    /// The facts, in a sentence.
    sentence: String,
    /// Since when.
    #[schema(format = DateTime)]
    since: Option<String>,
}

/// Something that is done by the clock.
#[derive(Serialize, ToSchema)]
#[schema(as = Job)]
pub(super) struct Scheduled {
    /// Its name, as paths take it.
    #[schema(example = "poll")]
    job: String,
    /// When it last ended; none while it runs.
    #[schema(format = DateTime)]
    last: Option<String>,
    /// When it runs next.
    #[schema(format = DateTime)]
    next: Option<String>,
    /// Failures in a row.
    failures: i64,
    /// Why it last failed.
    error: Option<String>,
}

/// A subscription in Business Central.
#[derive(Serialize, ToSchema)]
pub(super) struct Subscription {
    /// What it is about.
    set: String,
    /// When it was renewed.
    #[schema(format = DateTime)]
    renewed: Option<String>,
    /// Until when it lasts.
    #[schema(format = DateTime)]
    expires: Option<String>,
}

/// What holds the connection.
pub(super) fn problem(row: &ConnectionRow) -> Option<ConnectionProblem> {
    let problem = row.problem.as_ref()?;
    Some(ConnectionProblem {
        code: problem.code.clone(),
        sentence: problem.sentence.clone(),
        since: row.problem_since_ms.map(time),
    })
}

fn job(row: JobRow) -> Scheduled {
    Scheduled {
        job: row.kind,
        last: row.finished_ms.map(time),
        next: row.due_ms.map(time),
        failures: row.attempts,
        error: row.error,
    }
}

fn subscription(row: BcSubscriptionRow) -> Subscription {
    Subscription { set: row.set, renewed: row.renewed_ms.map(time), expires: row.expires_ms.map(time) }
}

/// List the connections.
///
/// Who is at either end, what runs when, what failed, and how long subscriptions last.
#[utoipa::path(get, path = "/connections", operation_id = "list_connections", tag = "connections",
    responses((status = 200, description = "The connections.", body = Connections)))]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Connections>, Problem> {
    let mut connections = Vec::new();
    for connection in api.app.connections.iter().filter(|connection| caller.sees(&connection.id)) {
        connections.push(one(&api, connection).await?);
    }
    Ok(Json(Connections { connections }))
}

async fn one(api: &Api, connection: &app::Connection) -> Result<Connection, Problem> {
    let store = &api.app.store;
    let row = store.connections().get(&connection.id).await?;
    let jobs = store.jobs().list(&connection.id).await?.into_iter().filter(|job| !is_request(&job.kind));
    let subscriptions = store.bc_subscriptions().list(&connection.id).await?;
    Ok(Connection {
        name: connection.id.to_string(),
        brex_company: row.as_ref().and_then(|row| row.brex_company_id.clone()),
        bc_company: row.as_ref().and_then(|row| row.bc_company_name.clone()),
        environment: connection.settings.bc.environment.clone(),
        time_zone: connection.settings.time_zone.clone(),
        problem: row.as_ref().and_then(problem),
        jobs: jobs.map(job).collect(),
        subscriptions: subscriptions.into_iter().map(subscription).collect(),
    })
}

/// The job that was asked for.
#[derive(Serialize, ToSchema)]
pub(super) struct AskedJob {
    /// Its name.
    job: String,
}

/// Run a job now.
///
/// One that runs already runs once more.
#[utoipa::path(post, path = "/connections/{connection}/jobs/{job}/run", operation_id = "run_job",
    tag = "connections", responses((status = 202, description = "It runs within seconds.", body = AskedJob)))]
pub(super) async fn run_job(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Place((name, job)): Place<(String, String)>,
) -> Result<(StatusCode, Json<AskedJob>), Problem> {
    let id = &api.connection(&name)?.id;
    if !has_job(&api.app, id, &job).await? {
        return Err(Problem::not_found(format!("There is no job {job:?}.")));
    }
    caller.note(&api, id, "run", format!("job {job}")).await?;
    run_now(&api.app, id, &job).await?;
    Ok((StatusCode::ACCEPTED, Json(AskedJob { job })))
}
