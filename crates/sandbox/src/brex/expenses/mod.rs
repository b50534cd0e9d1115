//! The Expenses API: what the accounting record does not tell, such as the purchase date and the raw descriptor; memos, and
//! receipts that are uploaded.
//!
//! Amounts are integers in minor units here, other than in the Accounting API.

mod filter;
mod show;
mod uploads;

use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use self::filter::{Filter, View};
pub(super) use self::show::minor;
pub(super) use self::uploads::{Uploads, upload_router};
use super::error::{Api, Refusal};
use super::gate::Caller;
use super::idempotency::Key;
use super::input::{Id, Payload, invalid};
use super::receipts::Links;
use super::records::{Pairs, Stored};
use super::state;
use crate::world::World;

const CARD: &str = "CARD";

pub(super) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/v1/expenses", get(list))
        .route("/v1/expenses/{id}", get(one))
        // Deprecated since 2025-05, and still there.
        .route("/v1/expenses/card", get(list))
        .route("/v1/expenses/card/{id}", get(one).put(update))
        .route("/v1/expenses/card/{id}/receipt_upload", post(uploads::upload))
        .route("/v1/expenses/card/receipt_match", post(uploads::match_later))
}

/// The only type that a path is about.
fn kind_of(uri: &Uri) -> Option<&'static str> {
    uri.path().starts_with("/v1/expenses/card").then_some(CARD)
}

async fn one(
    _caller: Caller,
    State(world): State<Arc<World>>,
    Id(id): Id,
    RawQuery(query): RawQuery,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let view = View::parse(&Pairs::parse(query.as_deref()))?;
    let state = world.brex.lock();
    let record = state.expense(&id, kind_of(&uri))?;
    Ok(answer(&world, &headers, &show::expense(record, &state, &view)))
}

async fn list(
    _caller: Caller,
    State(world): State<Arc<World>>,
    RawQuery(query): RawQuery,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let pairs = Pairs::parse(query.as_deref());
    let state = world.brex.lock();
    let mut filter = Filter::parse(&pairs)?;
    filter.types.extend(kind_of(&uri));
    let after = filter.after.map(|after| state.expense(after, None).map_err(|_| invalid("cursor"))).transpose()?;
    let mut records = state.expenses();
    let start = after.map_or(0, |after| records.partition_point(|record| place(record) <= place(after)));
    let mut found = records.drain(start..).filter(|record| filter.matches(record, &state));
    let page: Vec<&Stored> = found.by_ref().take(filter.limit).collect();
    let next_cursor = found.next().and_then(|_| page.last()?.source());
    let items: Vec<Value> = page.iter().map(|record| show::expense(record, &state, &filter.view)).collect();
    Ok(answer(&world, &headers, &json!({ "next_cursor": next_cursor, "items": items })))
}

/// Changes the memo, and nothing else.
async fn update(
    _caller: Caller,
    State(world): State<Arc<World>>,
    Id(id): Id,
    key: Key,
    payload: Payload,
) -> Result<Response, Refusal> {
    let now = world.clock.now();
    world.brex.lock().once(&key, &payload.0, now, |state| {
        let record_id = state.expense(&id, Some(CARD))?.face.id.clone();
        let body = payload.fields()?;
        if let Some(memo) = body.get("memo") {
            if !memo.is_null() && !memo.is_string() {
                return Err(invalid("memo"));
            }
            let put = |record: &mut serde_json::Map<String, Value>| {
                record.insert("memo".to_owned(), memo.clone());
                Ok(())
            };
            state.journal.change(&record_id, now, put).map_err(|_| Refusal::not_found(Api::Platform))?;
        }
        Ok(show::short(state.expense(&id, Some(CARD))?, state))
    })
}

/// The order of pages.
fn place(record: &Stored) -> (jiff::Timestamp, &str) {
    (record.face.posted_at, &record.face.id)
}

fn host(headers: &HeaderMap) -> &str {
    headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or("127.0.0.1")
}

fn answer(world: &World, headers: &HeaderMap, shown: &Value) -> Response {
    let text = Links::new(world, host(headers)).sign(&shown.to_string());
    ([(CONTENT_TYPE, "application/json")], text).into_response()
}

impl state::State {
    /// The record that tells of an expense, of this type if one is given; that of a split one is kept apart.
    fn expense(&self, id: &str, kind: Option<&str>) -> Result<&Stored, Refusal> {
        let found = self.journal.of_source(id).or_else(|| self.split_expenses.get(id));
        found
            .filter(|record| record.is_expense() && kind.is_none_or(|kind| show::expense_type(record) == kind))
            .ok_or_else(|| Refusal::not_found(Api::Platform))
    }

    /// All of them in the order of pages.
    fn expenses(&self) -> Vec<&Stored> {
        // Where several records are about one expense, the newest tells of it.
        let tells = |record: &&Stored| {
            let newest = record.source().and_then(|id| self.journal.of_source(id));
            record.is_expense() && newest.is_some_and(|newest| newest.face.id == record.face.id)
        };
        let mut all: Vec<&Stored> = self.journal.iter().filter(tells).collect();
        if !self.split_expenses.is_empty() {
            all.extend(self.split_expenses.values());
            all.sort_unstable_by_key(|record| place(record));
        }
        all
    }
}

impl Stored {
    fn source(&self) -> Option<&str> {
        self.face.source_id.as_deref()
    }

    fn is_expense(&self) -> bool {
        self.source().is_some_and(|id| id.starts_with("expense_"))
    }
}
