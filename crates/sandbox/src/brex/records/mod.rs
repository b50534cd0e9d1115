//! Accounting records: reading them as the API does, and changing them as people in Brex do.

mod edit;
mod journal;
mod query;
mod shape;
mod split;
mod stored;

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

pub use self::edit::{ChangeRefused, FieldCoding, Merchant, RecordReport};
pub(super) use self::journal::Journal;
pub(super) use self::query::{Pairs, moment};
pub use self::shape::{
    AccountingSettings, AfterFailure, BillEvents, BillResults, BillStatus, RefundTotal, SingleEntry, Splits,
};
pub use self::stored::Expectation;
pub(super) use self::stored::{Purchase, Stored, spend_side};

use self::query::RecordQuery;
use super::error::{Api, Refusal};
use super::gate::Caller;
use super::input::Id;
use super::receipts::Links;
use crate::world::World;

/// Coding is missing.
pub(super) const PREPARE: &str = "PREPARE";
/// Coded, waits for the click on Export.
pub(super) const REVIEW: &str = "REVIEW";
/// Export was clicked.
pub(super) const READY: &str = "READY_FOR_EXPORT";
/// The ERP reported success.
pub(super) const EXPORTED: &str = "EXPORTED";

pub(super) fn router() -> Router<Arc<World>> {
    Router::new().route("/v3/accounting/records", get(list)).route("/v3/accounting/records/{id}", get(one))
}

async fn one(
    _caller: Caller,
    State(world): State<Arc<World>>,
    Id(id): Id,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let single = query::single_entry(&Pairs::parse(query.as_deref()))?;
    let state = world.brex.lock();
    let record = state.journal.get(&id).ok_or_else(|| {
        Refusal::of(Api::Accounting, StatusCode::NOT_FOUND, "NOT_FOUND", "Accounting record not found.")
    })?;
    let text = state.settings.accounting.shown(record, single);
    Ok(json(Links::new(&world, host(&headers)).sign(&text)))
}

async fn list(
    _caller: Caller,
    State(world): State<Arc<World>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let mut state = world.brex.lock();
    let query = RecordQuery::parse(query.as_deref(), &state.settings, world.clock.now())?;
    let total = state.journal.count(&query);
    let settings = state.settings.accounting.clone();
    let mut page = state.journal.page(&query);
    let more = page.len() > query.limit;
    page.truncate(query.limit);
    let cursor = page.last().filter(|_| more).map(|record| query::cursor(record));
    let items: Vec<String> = page.iter().map(|record| settings.shown(record, query.single_entry)).collect();
    let text = body(&items, cursor.as_deref(), more, total);
    Ok(json(Links::new(&world, host(&headers)).sign(&text)))
}

/// The page, with the items' text untouched: an amount keeps the digits it was given.
fn body(items: &[String], cursor: Option<&str>, more: bool, total: usize) -> String {
    let cursor = cursor.map_or_else(|| "null".to_owned(), |cursor| format!("\"{cursor}\""));
    let mut text = String::from("{\"items\":[");
    text.push_str(&items.join(","));
    // Writing to a string cannot fail.
    let _ = write!(text, "],\"next_cursor\":{cursor},\"has_next_page\":{more},\"total_count\":{total}}}");
    text
}

fn json(text: String) -> Response {
    ([(CONTENT_TYPE, "application/json")], text).into_response()
}

fn host(headers: &HeaderMap) -> &str {
    headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or("127.0.0.1")
}
