//! Connections: who is at either end, what runs when, what failed, and how old subscriptions are.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Extension, Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use store::{BcSubscriptionRow, JobRow};

use super::Console;
use super::guard::Person;
use super::page::{Frame, Oops, connection, render};
use super::show::{Stamp, stamp, words};
use crate::app::Connection;
use crate::flow::operator::{is_request, run_now};
use crate::notify;

#[derive(Template)]
#[template(path = "console/connections.html")]
struct Page {
    frame: Frame,
    cards: Vec<Card>,
    /// When people were last notified.
    told_at: Option<Stamp>,
    /// Why they could not be.
    untold: Option<String>,
}

struct Card {
    name: String,
    brex_company: String,
    bc_company: String,
    environment: String,
    zone: String,
    problem: Option<(String, String)>,
    jobs: Vec<Job>,
    subscriptions: Vec<Subscription>,
}

struct Job {
    kind: String,
    shown: String,
    last: Option<Stamp>,
    next: Option<Stamp>,
    attempts: i64,
    error: String,
}

struct Subscription {
    set: String,
    renewed: Option<Stamp>,
    expires: Option<Stamp>,
}

#[derive(Deserialize)]
pub(super) struct Said {
    #[serde(default)]
    asked: bool,
}

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
    Query(said): Query<Said>,
) -> Result<Response, Oops> {
    let told = notify::read(&console.app.store).await?;
    let zone = console.app.zone();
    let mut cards = Vec::new();
    for connection in &console.app.connections {
        cards.push(card(&console, connection).await?);
    }
    let said = said.asked.then(|| "Asked for. It runs within seconds.".to_owned());
    let frame = Frame::new(&console, person, "connections", None).saying(said);
    let told_at = told.sent_ms.map(|ms| stamp(ms, &zone));
    Ok(render(&Page { frame, cards, told_at, untold: told.failing }))
}

async fn card(console: &Console, connection: &Connection) -> Result<Card, Oops> {
    let (store, zone) = (&console.app.store, &connection.rules.zone);
    let row = store.connections().get(&connection.id).await?;
    let at = |ms: Option<i64>| ms.map(|ms| stamp(ms, zone));
    let job = |job: JobRow| Job {
        shown: words(&job.kind),
        last: at(job.finished_ms),
        next: at(job.due_ms),
        attempts: job.attempts,
        error: job.error.unwrap_or_default(),
        kind: job.kind,
    };
    let subscription = |one: BcSubscriptionRow| Subscription {
        set: one.set,
        renewed: at(one.renewed_ms),
        expires: at(one.expires_ms),
    };
    let jobs = store.jobs().list(&connection.id).await?.into_iter().filter(|job| !is_request(&job.kind));
    Ok(Card {
        name: connection.id.to_string(),
        brex_company: row.as_ref().and_then(|row| row.brex_company_id.clone()).unwrap_or_default(),
        bc_company: row.as_ref().and_then(|row| row.bc_company_name.clone()).unwrap_or_default(),
        environment: connection.settings.bc.environment.clone(),
        zone: connection.settings.time_zone.clone(),
        problem: row.and_then(|row| row.problem).map(|problem| (problem.code, problem.sentence)),
        jobs: jobs.map(job).collect(),
        subscriptions: store.bc_subscriptions().list(&connection.id).await?.into_iter().map(subscription).collect(),
    })
}

#[derive(Deserialize)]
pub(super) struct Run {
    kind: String,
}

/// Asks for a job that is there to run now.
pub(super) async fn run_job(
    State(console): State<Arc<Console>>,
    Path(name): Path<String>,
    Form(run): Form<Run>,
) -> Result<Response, Oops> {
    let (app, id) = (&console.app, &connection(&console, &name)?.id);
    if !run_now(app, id, &run.kind).await? {
        return Err(Oops::Unusable(format!("There is no job {:?}.", run.kind)));
    }
    Ok(Redirect::to("/connections?asked=true").into_response())
}
