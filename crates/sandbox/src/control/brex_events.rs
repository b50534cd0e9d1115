//! `/_sandbox/brex/`: what changes in Brex without anybody asking for it, and is told by webhooks.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{patch, post};
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use crate::brex::Authorization;
use crate::world::World;

/// Users who change, and cards that are used.
pub(super) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/_sandbox/brex/users/{id}", patch(update_user))
        .route("/_sandbox/brex/authorizations", post(authorize))
}

/// Any of `status`, `manager_id`, `department_id`, `location_id`.
async fn update_user(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    Json(attributes): Json<Map<String, Value>>,
) -> Response {
    match world.brex.update_user(&id, &attributes, world.clock.now()) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(why) => super::refused(StatusCode::BAD_REQUEST, &why),
    }
}

async fn authorize(State(world): State<Arc<World>>, Json(payment): Json<Authorization>) -> Json<Value> {
    Json(json!({ "expense_id": world.brex.authorize(&payment, world.clock.now()) }))
}
