//! `GET /v2/company` and `GET /v2/users/me`.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::gate::Caller;
use crate::company::Address;
use crate::world::World;

pub(super) fn router() -> Router<Arc<World>> {
    Router::new().route("/v2/company", get(company)).route("/v2/users/me", get(me))
}

async fn company(_caller: Caller, State(world): State<Arc<World>>) -> Json<Value> {
    let state = world.brex.lock();
    Json(json!({
        "id": state.company_id,
        "legal_name": state.legal_name,
        "mailing_address": address(&state.address),
        "accountType": "BREX_EMPOWER",
    }))
}

/// When the one legal entity came to Brex; no record tells it.
pub(super) const ENTITY_CREATED_AT: &str = "2024-01-02T00:00:00.000Z";

pub(super) fn address(address: &Address) -> Value {
    json!({
        "line1": address.line1,
        "line2": address.line2,
        "city": address.city,
        "state": address.state,
        "country": address.country,
        "postal_code": address.postal_code,
        "phone_number": null,
    })
}

async fn me(_caller: Caller, State(world): State<Arc<World>>) -> Json<Value> {
    let state = world.brex.lock();
    let owner = &state.owner;
    // A company without employees has an owner all the same.
    Json(state.me().unwrap_or_else(|| {
        json!({
            "id": owner.id,
            "first_name": owner.first_name,
            "last_name": owner.last_name,
            "email": owner.email,
            "status": "ACTIVE",
            "manager_id": null,
            "department_id": null,
            "location_id": null,
            "title_id": null,
            "metadata": null,
            "remote_display_id": null,
        })
    }))
}
