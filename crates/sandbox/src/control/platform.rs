//! The control port's side of the platform: the switches of Business Central.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::refused;
use crate::bc::{HookReport, Settings};
use crate::world::World;

/// Paths of the platform.
pub(super) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/_sandbox/bc/settings", get(settings).patch(configure))
        .route("/_sandbox/bc/webhooks", get(webhooks))
        .route("/_sandbox/bc/webhooks/deliver", post(deliver))
        .route("/_sandbox/bc/webhooks/drop", post(drop_pending))
        .route("/_sandbox/bc/webhooks/forge", post(forge))
        .route("/_sandbox/bc/webhooks/pause", post(pause))
        .route("/_sandbox/bc/copy", post(copy))
}

async fn settings(State(world): State<Arc<World>>) -> Json<Settings> {
    Json(world.bc.settings())
}

/// Names only what changes.
async fn configure(State(world): State<Arc<World>>, Json(patch): Json<Map<String, Value>>) -> Response {
    match merged(&world.bc.settings(), patch) {
        Ok(changed) => {
            world.bc.configure(|settings| settings.clone_from(&changed));
            Json(changed).into_response()
        }
        Err(error) => refused(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

async fn webhooks(State(world): State<Arc<World>>) -> Json<HookReport> {
    Json(world.bc.webhooks())
}

async fn deliver(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!({"payloads": world.bc.deliver_due(&world.clock).await}))
}

async fn drop_pending(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!({"dropped": world.bc.drop_notifications(world.clock.now())}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Forged {
    id: Uuid,
}

async fn forge(State(world): State<Arc<World>>, Json(row): Json<Forged>) -> Json<Value> {
    Json(json!({"receivers": world.bc.forge_notification(row.id, world.clock.now()).await}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pause {
    paused: bool,
}

async fn pause(State(world): State<Arc<World>>, Json(pause): Json<Pause>) -> StatusCode {
    world.bc.pause_notifications(pause.paused);
    StatusCode::NO_CONTENT
}

/// What a copy of the environment loses.
async fn copy(State(world): State<Arc<World>>) -> StatusCode {
    world.bc.copy_environment();
    StatusCode::NO_CONTENT
}

/// Settings with some of them changed; groups of settings are changed member by member.
pub(super) fn merged<T: Serialize + DeserializeOwned>(
    settings: &T,
    patch: Map<String, Value>,
) -> Result<T, serde_json::Error> {
    let mut value = serde_json::to_value(settings)?;
    merge(&mut value, patch);
    serde_json::from_value(value)
}

fn merge(target: &mut Value, patch: Map<String, Value>) {
    for (name, value) in patch {
        match value {
            Value::Object(inner) if target[&name].is_object() => merge(&mut target[&name], inner),
            value => target[&name] = value,
        }
    }
}
