//! The accounting integration: one active one per account, whatever the vendor.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Brex;
use super::error::{Api, Refusal};
use super::gate::Caller;
use super::input::{Id, Payload};
use super::settings::IdKey;
use crate::world::World;

/// Whether an integration is the one in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum IntegrationStatus {
    /// In use.
    Active,
    /// Disconnected.
    Disabled,
}

/// An accounting integration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Integration {
    /// `int_...`
    pub integration_id: String,
    /// The ERP's name, allocated by Brex.
    pub vendor: String,
    /// The ERP company's id.
    pub vendor_account_id: String,
    /// Whether it is in use.
    pub status: IntegrationStatus,
    /// When it was made.
    pub created_at: Timestamp,
}

pub(super) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/v3/accounting/integration", post(create))
        .route("/v3/accounting/integration/{id}/disconnect", post(disconnect))
        .route("/v3/accounting/integration/{id}/reactivate", post(reactivate))
}

async fn create(_caller: Caller, State(world): State<Arc<World>>, body: Payload) -> Result<Json<Value>, Refusal> {
    let body: Value =
        serde_json::from_slice(&body.0).map_err(|_| Refusal::invalid("Request body is not valid JSON."))?;
    let text = |key: &str| {
        body.get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| Refusal::invalid(&format!("{key} is required.")))
    };
    let (vendor, account) = (text("vendor")?, text("vendor_account_id")?);
    let mut state = world.brex.lock();
    let integration = match state.active_integration() {
        Some(active) if active.vendor != vendor => return Err(other_vendor_active(active, vendor)),
        Some(active) if active.vendor_account_id != account => return Err(account_mismatch(active, account)),
        Some(active) => active.clone(),
        None => state.add_integration(vendor, account, world.clock.now()),
    };
    Ok(Json(shown(&integration, state.settings.integration_id_key)))
}

async fn disconnect(_caller: Caller, State(world): State<Arc<World>>, Id(id): Id) -> Result<Json<Value>, Refusal> {
    let mut state = world.brex.lock();
    let key = state.settings.integration_id_key;
    let integration = state.find_integration(&id)?;
    if integration.status != IntegrationStatus::Active {
        return Err(Refusal::detailed(
            StatusCode::CONFLICT,
            "INTEGRATION_NOT_ACTIVE",
            "Integration is not active.",
            &json!({ "integration_id": id, "current_status": integration.status }),
        ));
    }
    integration.status = IntegrationStatus::Disabled;
    Ok(Json(shown(integration, key)))
}

async fn reactivate(_caller: Caller, State(world): State<Arc<World>>, Id(id): Id) -> Result<Json<Value>, Refusal> {
    let mut state = world.brex.lock();
    let key = state.settings.integration_id_key;
    let wanted = state.find_integration(&id)?.vendor.clone();
    if let Some(active) = state.active_integration().filter(|active| active.integration_id != id) {
        return Err(other_vendor_active(active, &wanted));
    }
    let integration = state.find_integration(&id)?;
    integration.status = IntegrationStatus::Active;
    Ok(Json(shown(integration, key)))
}

fn shown(integration: &Integration, key: IdKey) -> Value {
    let key = match key {
        IdKey::IntegrationId => "integration_id",
        IdKey::Id => "id",
    };
    json!({
        key: integration.integration_id,
        "vendor": integration.vendor,
        "vendor_account_id": integration.vendor_account_id,
        "status": integration.status,
        "created_at": format!("{:.3}", integration.created_at),
    })
}

fn other_vendor_active(active: &Integration, wanted: &str) -> Refusal {
    Refusal::detailed(
        StatusCode::CONFLICT,
        "ACTIVE_INTEGRATION_EXISTS",
        "An active integration with a different vendor already exists.",
        &json!({
            "existing_integration_id": active.integration_id,
            "existing_vendor": active.vendor,
            "requested_vendor": wanted,
        }),
    )
}

fn account_mismatch(active: &Integration, wanted: &str) -> Refusal {
    Refusal::detailed(
        StatusCode::CONFLICT,
        "VENDOR_ACCOUNT_ID_MISMATCH",
        "An active integration for this vendor exists with another account id.",
        &json!({
            "existing_integration_id": active.integration_id,
            "existing_vendor_account_id": active.vendor_account_id,
            "requested_vendor_account_id": wanted,
        }),
    )
}

impl super::state::State {
    fn active_integration(&self) -> Option<&Integration> {
        self.integrations.iter().find(|integration| integration.status == IntegrationStatus::Active)
    }

    fn find_integration(&mut self, id: &str) -> Result<&mut Integration, Refusal> {
        self.integrations
            .iter_mut()
            .find(|integration| integration.integration_id == id)
            .ok_or_else(|| Refusal::not_found(Api::Accounting))
    }

    fn add_integration(&mut self, vendor: &str, account: &str, now: Timestamp) -> Integration {
        let integration = Integration {
            integration_id: self.draw().prefixed("int"),
            vendor: vendor.to_owned(),
            vendor_account_id: account.to_owned(),
            status: IntegrationStatus::Active,
            created_at: now,
        };
        self.integrations.push(integration.clone());
        integration
    }
}

impl Brex {
    /// Connects another product, such as Brex's own Business Central connector; what was active is disconnected.
    pub fn connect_other(&self, vendor: &str, vendor_account_id: &str, now: Timestamp) -> Integration {
        let mut state = self.lock();
        for integration in &mut state.integrations {
            integration.status = IntegrationStatus::Disabled;
        }
        state.add_integration(vendor, vendor_account_id, now)
    }

    /// All integrations, the disconnected ones too.
    pub fn integrations(&self) -> Vec<Integration> {
        self.lock().integrations.clone()
    }
}
