//! The control port's questions to the ledgers, and payments made by hand.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::bc::not_changed;
use crate::bc::{LedgerEntry, NewJournal, NewJournalLine, Payment, SumBy};
use crate::world::World;

/// Paths under `/_sandbox/ledger` and `/_sandbox/bc/`.
pub(super) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/_sandbox/ledger/entries", get(entries))
        .route("/_sandbox/ledger/payments", get(payments))
        .route("/_sandbox/ledger/entries/sums", get(sums))
        .route("/_sandbox/bc/documents/{id}/attachments", get(attachments))
        .route("/_sandbox/bc/documents/{id}/pay", post(pay))
        .route("/_sandbox/bc/entries/{number}/reverse", post(reverse))
        .route("/_sandbox/bc/journals", post(add_journal))
        .route("/_sandbox/bc/journals/{id}/lines", post(add_journal_line))
}

async fn entries(State(world): State<Arc<World>>) -> Json<Vec<LedgerEntry>> {
    Json(world.bc.vendor_entries())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct External {
    external_number: String,
}

async fn payments(State(world): State<Arc<World>>, Query(wanted): Query<External>) -> Json<Vec<LedgerEntry>> {
    Json(world.bc.payments_by_external_number(&wanted.external_number))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct By {
    by: SumBy,
}

async fn sums(State(world): State<Arc<World>>, Query(By { by }): Query<By>) -> Response {
    let sums = world.bc.entry_sums(by);
    Json(sums.into_iter().map(|(key, sum)| (key, sum.normalize().to_string())).collect::<Vec<_>>()).into_response()
}

async fn attachments(State(world): State<Arc<World>>, Path(id): Path<Uuid>) -> Response {
    Json(world.bc.attachments_of(id)).into_response()
}

async fn pay(State(world): State<Arc<World>>, Path(id): Path<Uuid>, Json(payment): Json<Payment>) -> Response {
    match world.bc.pay_document(id, &payment, world.clock.now()) {
        Ok(entry) => Json(entry).into_response(),
        Err(why) => not_changed(&why),
    }
}

async fn reverse(State(world): State<Arc<World>>, Path(number): Path<u32>) -> Response {
    match world.bc.reverse_entry(number, world.clock.now()) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(why) => not_changed(&why),
    }
}

async fn add_journal_line(
    State(world): State<Arc<World>>,
    Path(id): Path<Uuid>,
    Json(line): Json<NewJournalLine>,
) -> Response {
    match world.bc.add_journal_line(id, &line, world.clock.now()) {
        Ok(id) => Json(json!({"id": id})).into_response(),
        Err(why) => not_changed(&why),
    }
}

async fn add_journal(State(world): State<Arc<World>>, Json(journal): Json<NewJournal>) -> Response {
    match world.bc.add_journal(&journal, world.clock.now()) {
        Ok(id) => Json(json!({"id": id})).into_response(),
        Err(why) => not_changed(&why),
    }
}
