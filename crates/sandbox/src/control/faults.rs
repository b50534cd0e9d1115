//! `/_sandbox/faults`: the plan, the weather, what fired, and what is still to take effect.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::Value;

use super::refused;
use crate::fault::{Fault, Fired, Weather};
use crate::late::HeldRequest;
use crate::world::World;

/// The operations on faults.
pub(super) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/_sandbox/faults", get(list).post(add).delete(clear))
        .route("/_sandbox/faults/weather", get(weather))
        .route("/_sandbox/faults/fired", get(fired).delete(forget_fired))
        .route("/_sandbox/faults/held", get(held))
}

async fn list(State(world): State<Arc<World>>) -> Json<Vec<Fault>> {
    Json(world.faults.pending())
}

/// The weather, or null for a fair one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Forecast {
    weather: Option<Weather>,
}

/// One fault, a list of them, or `{"weather": ...}`.
async fn add(State(world): State<Arc<World>>, Json(body): Json<Value>) -> Response {
    let taken = if body.get("weather").is_some() {
        serde_json::from_value::<Forecast>(body)
            .map_err(|error| error.to_string())
            .and_then(|forecast| world.faults.set_weather(forecast.weather))
    } else {
        let bodies = match body {
            Value::Array(bodies) => bodies,
            body => vec![body],
        };
        let faults: Result<Vec<Fault>, _> = bodies.into_iter().map(serde_json::from_value).collect();
        faults.map_err(|error| error.to_string()).and_then(|faults| world.faults.plan(faults))
    };
    match taken {
        Ok(()) => Json(world.faults.pending()).into_response(),
        Err(why) => refused(StatusCode::BAD_REQUEST, &why),
    }
}

async fn clear(State(world): State<Arc<World>>) -> StatusCode {
    world.faults.clear();
    StatusCode::NO_CONTENT
}

async fn weather(State(world): State<Arc<World>>) -> Json<Option<Weather>> {
    Json(world.faults.weather())
}

async fn fired(State(world): State<Arc<World>>) -> Json<Fired> {
    Json(world.faults.fired())
}

async fn forget_fired(State(world): State<Arc<World>>) -> StatusCode {
    world.faults.forget_fired();
    StatusCode::NO_CONTENT
}

async fn held(State(world): State<Arc<World>>) -> Json<Vec<HeldRequest>> {
    Json(world.held_requests())
}
