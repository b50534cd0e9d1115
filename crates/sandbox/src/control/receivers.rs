//! `/_sandbox/receiver/{name}` takes webhooks in; `/_sandbox/receivers/{name}` shows what came and says how to answer.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};

use super::refused;
use crate::receiver::{Receipt, Script};
use crate::world::World;

const TOO_MANY: &str = "there are a hundred receivers already";

/// The operations on receivers.
pub(super) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/_sandbox/receiver/{name}", any(receive))
        .route("/_sandbox/receivers/{name}", get(receipts).put(script).delete(forget))
        .route("/_sandbox/receivers/{name}/last/body", get(last_body))
        .route("/_sandbox/receivers/{name}/last/headers/{header}", get(last_header))
}

async fn receive(
    State(world): State<Arc<World>>,
    Path(name): Path<String>,
    method: Method,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let query = query.unwrap_or_default();
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let token = pairs.find(|(name, _)| name == "validationToken").map(|(_, token)| token.into_owned());
    let shown = |(name, value): (&header::HeaderName, &header::HeaderValue)| {
        (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let receipt = Receipt {
        method: method.to_string(),
        headers: headers.iter().map(shown).collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
        query,
        answered: 0,
    };
    match world.receivers.receive(&name, token.as_deref(), receipt) {
        Some((status, body)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            (status, [(header::CONTENT_TYPE, "text/plain")], body).into_response()
        }
        None => refused(StatusCode::TOO_MANY_REQUESTS, TOO_MANY),
    }
}

async fn receipts(State(world): State<Arc<World>>, Path(name): Path<String>) -> Json<Vec<Receipt>> {
    Json(world.receivers.receipts(&name))
}

async fn script(State(world): State<Arc<World>>, Path(name): Path<String>, Json(script): Json<Script>) -> Response {
    // Those below 200 announce an answer, and are none.
    if !(200..600).contains(&script.status) {
        return refused(StatusCode::BAD_REQUEST, "status is no HTTP status of an answer");
    }
    if world.receivers.script(&name, script) {
        StatusCode::NO_CONTENT.into_response()
    } else {
        refused(StatusCode::TOO_MANY_REQUESTS, TOO_MANY)
    }
}

async fn forget(State(world): State<Arc<World>>, Path(name): Path<String>) -> StatusCode {
    world.receivers.forget(&name);
    StatusCode::NO_CONTENT
}

/// The exact body of the last request, for a shell.
async fn last_body(State(world): State<Arc<World>>, Path(name): Path<String>) -> Response {
    match world.receivers.receipts(&name).pop() {
        Some(receipt) => receipt.body.into_response(),
        None => refused(StatusCode::NOT_FOUND, "nothing has come"),
    }
}

async fn last_header(State(world): State<Arc<World>>, Path((name, header)): Path<(String, String)>) -> Response {
    let last = world.receivers.receipts(&name).pop();
    match last.and_then(|receipt| receipt.headers.get(&header.to_lowercase()).cloned()) {
        Some(value) => value.into_response(),
        None => refused(StatusCode::NOT_FOUND, "nothing with that header has come"),
    }
}
