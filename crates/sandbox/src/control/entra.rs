//! The control port's side of Entra ID: what an administrator does with the app registration, and the switches.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::platform::merged;
use super::refused;
use crate::entra::{Person, Settings};
use crate::world::World;

/// Paths under `/_sandbox/entra/`.
pub(super) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/_sandbox/entra/settings", get(settings).patch(configure))
        .route("/_sandbox/entra/secret/rotate", post(rotate))
        .route("/_sandbox/entra/tokens/revoke", post(revoke))
        .route("/_sandbox/entra/people", get(people).post(add_person))
        .route("/_sandbox/entra/certificates", post(register))
        .route("/_sandbox/entra/certificates/{thumbprint}", delete(remove))
}

async fn settings(State(world): State<Arc<World>>) -> Json<Settings> {
    Json(world.entra.settings())
}

/// Names only what changes.
async fn configure(State(world): State<Arc<World>>, Json(patch): Json<Map<String, Value>>) -> Response {
    match merged(&world.entra.settings(), patch) {
        Ok(changed) => {
            world.entra.configure(|settings| settings.clone_from(&changed));
            Json(changed).into_response()
        }
        Err(error) => refused(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

async fn rotate(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!({"client_secret": world.entra.rotate_secret()}))
}

async fn revoke(State(world): State<Arc<World>>) -> StatusCode {
    world.entra.revoke_tokens();
    StatusCode::NO_CONTENT
}

async fn people(State(world): State<Arc<World>>) -> Json<Vec<Person>> {
    Json(world.entra.people())
}

/// An account as an administrator makes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    user_name: String,
    display_name: String,
}

async fn add_person(State(world): State<Arc<World>>, Json(account): Json<Account>) -> (StatusCode, Json<Person>) {
    (StatusCode::CREATED, Json(world.entra.add_person(&account.user_name, &account.display_name)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Upload {
    /// PEM, or base64 of the DER.
    certificate: String,
}

async fn register(State(world): State<Arc<World>>, Json(upload): Json<Upload>) -> Response {
    match world.entra.register_certificate(&upload.certificate) {
        Some(thumbprint) => Json(json!({"thumbprint": thumbprint})).into_response(),
        None => refused(StatusCode::BAD_REQUEST, "no certificate"),
    }
}

async fn remove(State(world): State<Arc<World>>, Path(thumbprint): Path<String>) -> Response {
    if world.entra.remove_certificate(&thumbprint) {
        StatusCode::NO_CONTENT.into_response()
    } else {
        refused(StatusCode::NOT_FOUND, "no such certificate")
    }
}
