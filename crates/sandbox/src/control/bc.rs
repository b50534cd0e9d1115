//! The control port's side of Business Central: the ledger, and changes by hand.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::refused;
use crate::bc::{
    AccountChange, ChangeRefused, DefaultChange, DocumentChange, LedgerDocument, Rules, SetupChange, VendorChange,
};
use crate::world::World;

/// Paths under `/_sandbox/ledger` and `/_sandbox/bc/`.
pub(super) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/_sandbox/ledger", get(ledger))
        .route("/_sandbox/ledger/documents", get(documents))
        .route("/_sandbox/bc/vendors/{number}", post(change_vendor))
        .route("/_sandbox/bc/accounts/{number}", post(change_account))
        .route("/_sandbox/bc/dimensions/{dimension}/values/{value}", post(change_value))
        .route("/_sandbox/bc/defaults/{number}", post(change_default))
        .route("/_sandbox/bc/rules", get(rules).put(set_rules))
        .route("/_sandbox/bc/setup", post(change_setup))
        .route("/_sandbox/bc/documents/{id}", get(document).post(change_document))
}

async fn ledger(State(world): State<Arc<World>>) -> Json<Vec<LedgerDocument>> {
    Json(world.bc.ledger())
}

/// What to look for; exactly one of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    number: Option<String>,
    marker: Option<String>,
}

async fn documents(State(world): State<Arc<World>>, Query(wanted): Query<Wanted>) -> Response {
    match (wanted.number, wanted.marker) {
        (Some(number), None) => Json(world.bc.documents_by_number(&number)).into_response(),
        (None, Some(marker)) => Json(world.bc.documents_by_marker(&marker)).into_response(),
        _ => refused(StatusCode::BAD_REQUEST, "give either number or marker"),
    }
}

async fn document(State(world): State<Arc<World>>, Path(id): Path<Uuid>) -> Response {
    match world.bc.document(id) {
        Some(document) => Json(document).into_response(),
        None => refused(StatusCode::NOT_FOUND, "no such document"),
    }
}

async fn change_vendor(
    State(world): State<Arc<World>>,
    Path(number): Path<String>,
    Json(change): Json<VendorChange>,
) -> Response {
    match world.bc.change_vendor(&number, change, world.clock.now()) {
        Ok(id) => Json(json!({"id": id})).into_response(),
        Err(why) => not_changed(&why),
    }
}

async fn change_account(
    State(world): State<Arc<World>>,
    Path(number): Path<String>,
    Json(change): Json<AccountChange>,
) -> Response {
    done(world.bc.change_account(&number, change, world.clock.now()))
}

/// Whether a dimension value is blocked, or deleted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ValueChange {
    #[serde(default)]
    blocked: bool,
    #[serde(default)]
    delete: bool,
}

async fn change_value(
    State(world): State<Arc<World>>,
    Path((dimension, value)): Path<(String, String)>,
    Json(change): Json<ValueChange>,
) -> Response {
    if change.delete {
        return done(world.bc.delete_dimension_value(&dimension, &value, world.clock.now()));
    }
    done(world.bc.block_dimension_value(&dimension, &value, change.blocked, world.clock.now()))
}

async fn change_default(
    State(world): State<Arc<World>>,
    Path(number): Path<String>,
    Json(change): Json<DefaultChange>,
) -> Response {
    done(world.bc.change_default(&number, change, world.clock.now()))
}

async fn rules(State(world): State<Arc<World>>) -> Json<Rules> {
    Json(world.bc.rules())
}

async fn set_rules(State(world): State<Arc<World>>, Json(rules): Json<Rules>) -> StatusCode {
    world.bc.set_rules(rules);
    StatusCode::NO_CONTENT
}

async fn change_setup(State(world): State<Arc<World>>, Json(change): Json<SetupChange>) -> StatusCode {
    world.bc.change_setup(&change, world.clock.now());
    StatusCode::NO_CONTENT
}

async fn change_document(
    State(world): State<Arc<World>>,
    Path(id): Path<Uuid>,
    Json(change): Json<DocumentChange>,
) -> Response {
    done(world.bc.change_document(id, change, world.clock.now()))
}

fn done(result: Result<(), ChangeRefused>) -> Response {
    match result {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(why) => not_changed(&why),
    }
}

pub(super) fn not_changed(why: &ChangeRefused) -> Response {
    let status = match why {
        ChangeRefused::NotFound(_) => StatusCode::NOT_FOUND,
        ChangeRefused::Refused(_) => StatusCode::CONFLICT,
    };
    refused(status, &why.to_string())
}
