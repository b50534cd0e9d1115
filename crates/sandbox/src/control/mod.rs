//! The control port: faults, clock, counters, and what a user of either system would do by hand. All under `/_sandbox/`.

mod bc;
pub mod brex;
mod brex_events;
mod entra;
mod faults;
mod ledger;
mod platform;
mod questions;
mod receivers;

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::ready::Ready;
use crate::world::World;

/// The routes of the control port.
pub(crate) fn router(ready: Ready) -> Router<Arc<World>> {
    let environment = ready.environment();
    Router::new()
        .route("/_sandbox/ready", get(move || async move { Json(ready) }))
        .route("/_sandbox/ready.env", get(move || async move { environment }))
        .route("/_sandbox/state/save", post(save))
        .route("/_sandbox/clock", get(read_clock).post(move_clock))
        .route("/_sandbox/requests", get(requests).delete(reset_requests))
        .merge(faults::router())
        .merge(questions::router())
        .merge(receivers::router())
        .merge(bc::router())
        .merge(ledger::router())
        .merge(brex::router())
        .merge(brex_events::router())
        .merge(platform::router())
        .merge(entra::router())
}

async fn save(State(world): State<Arc<World>>) -> Response {
    match world.save() {
        Ok(true) => StatusCode::NO_CONTENT.into_response(),
        Ok(false) => refused(StatusCode::CONFLICT, "the sandbox was started without a state file"),
        Err(error) => refused(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

async fn read_clock(State(world): State<Arc<World>>) -> Json<Value> {
    Json(clock(&world))
}

/// How to move the clock.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    advance_seconds: Option<i64>,
    set: Option<Timestamp>,
}

async fn move_clock(State(world): State<Arc<World>>, Json(body): Json<Move>) -> Response {
    match (body.set, body.advance_seconds) {
        (Some(moment), None) => world.clock.set(moment),
        (None, Some(seconds)) => world.clock.advance(SignedDuration::from_secs(seconds)),
        _ => return refused(StatusCode::BAD_REQUEST, "give either advance_seconds or set"),
    }
    Json(clock(&world)).into_response()
}

fn clock(world: &World) -> Value {
    json!({"now": world.clock.now(), "frozen": world.clock.is_frozen()})
}

async fn requests(State(world): State<Arc<World>>) -> Response {
    Json(world.meter.tallies()).into_response()
}

async fn reset_requests(State(world): State<Arc<World>>) -> StatusCode {
    world.meter.reset();
    StatusCode::NO_CONTENT
}

/// What the control port answers when it does not do something.
pub(crate) fn refused(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({"error": why}))).into_response()
}
