//! Receipts that are uploaded: a presigned link for 30 minutes and 50 MB, then the receipt is on the expense. One without an
//! expense waits until it is matched, which is the work of Brex's reader, so the control port does it.
//!
//! The file itself is not kept: what is downloaded later is a document of the sandbox.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::put;
use futures::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::Brex;
use super::super::error::Refusal;
use super::super::gate::Caller;
use super::super::idempotency::Key;
use super::super::input::{Id, Payload, required_text};
use super::super::receipts::{Links, PLACEHOLDER, refused, signed_at};
use super::super::records::{ChangeRefused, Pairs};
use super::super::state;
use super::{CARD, host};
use crate::world::World;

const LIFETIME: SignedDuration = SignedDuration::from_mins(30);
const LARGEST: usize = 50 * 1024 * 1024;
/// More uploads than this are not remembered; the oldest go first.
const MOST: usize = 1_000;

/// A link that was given out, and what became of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Upload {
    expense: Option<String>,
    given_at: Timestamp,
    arrived: bool,
}

/// The uploads under way, in the order in which their links were given out.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::brex) struct Uploads {
    by_id: BTreeMap<String, Upload>,
}

impl Uploads {
    fn add(&mut self, id: &str, upload: Upload) {
        let now = upload.given_at;
        self.by_id.insert(id.to_owned(), upload);
        self.by_id.retain(|_, upload| upload.arrived || now.duration_since(upload.given_at) <= LIFETIME);
        while self.by_id.len() > MOST {
            let oldest = self.by_id.iter().min_by_key(|(_, upload)| upload.given_at).map(|(id, _)| id.clone());
            oldest.and_then(|id| self.by_id.remove(&id));
        }
    }
}

pub(super) async fn upload(
    _caller: Caller,
    State(world): State<Arc<World>>,
    Id(id): Id,
    key: Key,
    headers: HeaderMap,
    payload: Payload,
) -> Result<Response, Refusal> {
    give(&world, &key, &headers, &payload, Some(id))
}

pub(super) async fn match_later(
    _caller: Caller,
    State(world): State<Arc<World>>,
    key: Key,
    headers: HeaderMap,
    payload: Payload,
) -> Result<Response, Refusal> {
    give(&world, &key, &headers, &payload, None)
}

fn give(
    world: &World,
    key: &Key,
    headers: &HeaderMap,
    payload: &Payload,
    expense: Option<String>,
) -> Result<Response, Refusal> {
    let given_at = world.clock.now();
    let mut answer = world.brex.lock().once(key, &payload.0, given_at, |state| {
        if let Some(expense) = &expense {
            state.expense(expense, Some(CARD))?;
        }
        required_text(&payload.fields()?, "receipt_name")?;
        let id = state.draw().prefixed("receipt");
        state.uploads.add(&id, Upload { expense, given_at, arrived: false });
        let uri = Links::new(world, host(headers)).to("uploads", &id, LIFETIME);
        Ok(json!({ "id": id, "uri": uri }))
    })?;
    *answer.status_mut() = StatusCode::CREATED;
    Ok(answer)
}

/// Where the links lead, without a token as on S3.
pub(in crate::brex) fn upload_router() -> Router<Arc<World>> {
    Router::new().route("/uploads/{id}", put(receive))
}

async fn receive(
    State(world): State<Arc<World>>,
    path: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if headers.contains_key(AUTHORIZATION) {
        return refused(StatusCode::BAD_REQUEST, "InvalidArgument", "Only one auth mechanism allowed");
    }
    let Path(id) = path.unwrap_or_else(|_| Path(String::new()));
    let Some(signed_at) = signed_at(&world, "uploads", &id, &Pairs::parse(query.as_deref())) else {
        return refused(StatusCode::FORBIDDEN, "SignatureDoesNotMatch", "The signature does not match");
    };
    if world.clock.now().duration_since(signed_at) > LIFETIME {
        return refused(StatusCode::FORBIDDEN, "AccessDenied", "Request has expired");
    }
    let mut length = 0;
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let Ok(chunk) = chunk else {
            return refused(StatusCode::BAD_REQUEST, "IncompleteBody", "The body is incomplete");
        };
        length += chunk.len();
        if length > LARGEST {
            return refused(StatusCode::BAD_REQUEST, "EntityTooLarge", "Your proposed upload exceeds the maximum size");
        }
    }
    world.brex.lock().take_upload(&id, world.clock.now());
    StatusCode::OK.into_response()
}

impl state::State {
    /// A link may be used again, as on S3; the receipt is there once.
    fn take_upload(&mut self, id: &str, now: Timestamp) {
        let Some(upload) = self.uploads.by_id.get_mut(id).filter(|upload| !upload.arrived) else {
            return;
        };
        upload.arrived = true;
        if let Some(expense) = upload.expense.clone() {
            self.uploads.by_id.remove(id);
            if let Err(error) = self.attach(id, &expense, now) {
                tracing::warn!(%error, "a receipt lost its expense");
            }
        }
    }

    fn attach(&mut self, receipt: &str, expense: &str, now: Timestamp) -> Result<(), ChangeRefused> {
        let record = self.expense(expense, Some(CARD)).map_err(|_| ChangeRefused::Unknown(expense.to_owned()))?;
        let record_id = record.face.id.clone();
        self.journal.change(&record_id, now, |record: &mut Map<String, Value>| {
            let shown = json!({ "id": receipt, "download_uris": [format!("{PLACEHOLDER}{receipt}.pdf")] });
            match record.get_mut("receipts").and_then(Value::as_array_mut) {
                Some(receipts) => receipts.push(shown),
                None => {
                    record.insert("receipts".to_owned(), json!([shown]));
                }
            }
            Ok(())
        })?;
        Ok(())
    }
}

impl Brex {
    /// Brex finds out which expense an uploaded receipt belongs to.
    pub fn match_receipt(&self, id: &str, expense: &str, now: Timestamp) -> Result<(), ChangeRefused> {
        let mut state = self.lock();
        if !state.uploads.by_id.get(id).is_some_and(|upload| upload.arrived) {
            return Err(ChangeRefused::Unknown(id.to_owned()));
        }
        state.attach(id, expense, now)?;
        state.uploads.by_id.remove(id);
        Ok(())
    }
}
