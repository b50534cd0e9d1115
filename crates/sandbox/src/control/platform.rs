//! The control port's side of the platform: the switches of Business Central.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::refused;
use crate::bc::Settings;
use crate::world::World;

/// Paths of the platform.
pub(super) fn router() -> Router<Arc<World>> {
    Router::new().route("/_sandbox/bc/settings", get(settings).patch(configure))
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

/// Settings with some of them changed; groups of settings are changed member by member.
fn merged<T: Serialize + DeserializeOwned>(settings: &T, patch: Map<String, Value>) -> Result<T, serde_json::Error> {
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
