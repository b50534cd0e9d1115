//! Questions about what both sides hold: sums, exports by record, and whether they agree.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;

use super::refused;
use crate::agreement::{Agreement, RecordAgreement};
use crate::sums::By;
use crate::world::World;

/// The questions.
pub(super) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/_sandbox/ledger/sums", get(sums))
        .route("/_sandbox/agreement", get(agreement))
        .route("/_sandbox/agreement/records", get(by_record))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    by: String,
}

/// `?by=company`, `currency`, `status`, `vendor`, `account` or `dimension:CODE`.
async fn sums(State(world): State<Arc<World>>, Query(wanted): Query<Wanted>) -> Response {
    let by = match wanted.by.as_str() {
        "company" => By::Company,
        "currency" => By::Currency,
        "status" => By::Status,
        "vendor" => By::Vendor,
        "account" => By::Account,
        other => {
            let Some(code) = other.strip_prefix("dimension:") else {
                let known = "by is company, currency, status, vendor, account or dimension:CODE";
                return refused(StatusCode::BAD_REQUEST, known);
            };
            By::Dimension(code.to_owned())
        }
    };
    Json(world.sums(&by)).into_response()
}

async fn agreement(State(world): State<Arc<World>>) -> Json<Agreement> {
    Json(world.agreement())
}

async fn by_record(State(world): State<Arc<World>>) -> Json<Vec<RecordAgreement>> {
    Json(world.agreement_by_record())
}
