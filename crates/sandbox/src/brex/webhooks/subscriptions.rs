//! `/v1/webhooks`: who wants to be told what.
//!
//! A URL must be https. In this sandbox only, http on a loopback host is accepted too.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::{Host, Url};

use super::RECORD_READY;
use super::secrets::WebhookSecret;
use crate::brex::error::{Api, Refusal};
use crate::brex::gate::Caller;
use crate::brex::idempotency::Key;
use crate::brex::input::{Id, Payload};
use crate::brex::records::Pairs;
use crate::brex::state;
use crate::world::World;

const EVENT_TYPES: &[&str] = &[
    "REFERRAL_CREATED",
    "REFERRAL_ACTIVATED",
    "REFERRAL_APPLICATION_STATUS_CHANGED",
    "TRANSFER_PROCESSED",
    "TRANSFER_FAILED",
    "EXPENSE_PAYMENT_UPDATED",
    "USER_UPDATED",
    "EMBEDDED_CARD_TRANSACTION_UPDATED",
    "EMBEDDED_CARD_UPDATED",
    "EMBEDDED_ACCOUNT_UPDATED",
    "EMBEDDED_CARD_SHIPPING_UPDATED",
    "EMBEDDED_DISPUTE_UPDATED",
    "PARTNERSHIP_INTEGRATION_CONNECTION_UPDATED",
    "EMBEDDED_CARD_AUTHORIZATION",
    "EMBEDDED_FRAUD_ALERT",
    "EMBEDDED_BILLING_GROUP_UPDATED",
    "EMBEDDED_LEGAL_ENTITY_UPDATED",
    "EMBEDDED_BILLING_STATEMENT_UPDATED",
    "EMBEDDED_USER_STATUS_UPDATED",
    RECORD_READY,
];
const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1000;

/// Whether a subscription gets events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SubscriptionStatus {
    /// It does.
    Active,
    /// It does not.
    Inactive,
    /// It does not, because it did not take them; the older description of the API knows this status.
    Error,
}

/// A webhook subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// `wsub_...`
    pub id: String,
    /// Partners only.
    pub group_id: Option<String>,
    /// Where events go.
    pub url: String,
    /// Which events.
    pub event_types: Vec<String>,
    /// Whether it gets events.
    pub status: SubscriptionStatus,
}

pub(in crate::brex) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/v1/webhooks", get(list).post(create))
        .route("/v1/webhooks/secrets", get(secrets))
        .route("/v1/webhooks/{id}", get(one).put(update).delete(remove))
}

async fn secrets(_caller: Caller, State(world): State<Arc<World>>) -> Json<Vec<WebhookSecret>> {
    Json(world.brex.lock().listed_secrets())
}

async fn list(
    _caller: Caller,
    State(world): State<Arc<World>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    let pairs = Pairs::parse(query.as_deref());
    let once = |name| pairs.one(name).map_err(|name| Refusal::bad_request(&format!("{name} is invalid")));
    let limit = match once("limit")?.map(str::parse) {
        None => DEFAULT_LIMIT,
        Some(Ok(limit)) if (1..=MAX_LIMIT).contains(&limit) => limit,
        Some(_) => return Err(Refusal::bad_request("limit must be between 1 and 1000")),
    };
    let state = world.brex.lock();
    let after = match once("cursor")? {
        Some(cursor) => {
            1 + state
                .subscriptions
                .iter()
                .position(|subscription| subscription.id == cursor)
                .ok_or_else(|| Refusal::bad_request("cursor is invalid"))?
        }
        None => 0,
    };
    let rest = state.subscriptions.get(after..).unwrap_or_default();
    let items = rest.get(..limit).unwrap_or(rest);
    let next_cursor = items.last().filter(|_| items.len() < rest.len()).map(|last| last.id.as_str());
    Ok(Json(json!({ "next_cursor": next_cursor, "items": items })))
}

async fn one(_caller: Caller, State(world): State<Arc<World>>, Id(id): Id) -> Result<Json<Subscription>, Refusal> {
    Ok(Json(world.brex.lock().find_subscription(&id)?.clone()))
}

async fn create(
    _caller: Caller,
    State(world): State<Arc<World>>,
    key: Key,
    payload: Payload,
) -> Result<Response, Refusal> {
    world.brex.lock().once(&key.required()?, &payload.0, world.clock.now(), |state| {
        let body = object(&payload)?;
        let subscription = Subscription {
            group_id: state.group(&body)?,
            id: state.draw().prefixed("wsub"),
            url: target(&body)?,
            event_types: event_types(&body)?,
            status: SubscriptionStatus::Active,
        };
        state.subscriptions.push(subscription.clone());
        Ok(json!(subscription))
    })
}

async fn update(
    _caller: Caller,
    State(world): State<Arc<World>>,
    Id(id): Id,
    key: Key,
    payload: Payload,
) -> Result<Response, Refusal> {
    world.brex.lock().once(&key, &payload.0, world.clock.now(), |state| {
        state.find_subscription(&id)?;
        let body = object(&payload)?;
        let status = match body["status"].as_str() {
            Some("ACTIVE") => SubscriptionStatus::Active,
            Some("INACTIVE") => SubscriptionStatus::Inactive,
            _ => return Err(Refusal::bad_request("status is invalid")),
        };
        let (url, event_types, group_id) = (target(&body)?, event_types(&body)?, state.group(&body)?);
        let subscription = state.find_subscription(&id)?;
        *subscription = Subscription { id, group_id, url, event_types, status };
        Ok(json!(subscription))
    })
}

async fn remove(_caller: Caller, State(world): State<Arc<World>>, Id(id): Id) -> Result<StatusCode, Refusal> {
    let mut state = world.brex.lock();
    state.find_subscription(&id)?;
    state.subscriptions.retain(|subscription| subscription.id != id);
    Ok(StatusCode::OK)
}

fn object(payload: &Payload) -> Result<Value, Refusal> {
    serde_json::from_slice(&payload.0).map_err(|_| Refusal::bad_request("Request body is not valid JSON"))
}

fn target(body: &Value) -> Result<String, Refusal> {
    let text = body["url"].as_str();
    let accepted = text.and_then(|text| Url::parse(text).ok()).is_some_and(|url| match url.scheme() {
        "https" => url.host().is_some(),
        "http" => is_loopback(&url),
        _ => false,
    });
    text.filter(|_| accepted).map(str::to_owned).ok_or_else(|| Refusal::bad_request("url is invalid"))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

fn event_types(body: &Value) -> Result<Vec<String>, Refusal> {
    let invalid = || Refusal::bad_request("event_types is invalid");
    let items = body["event_types"].as_array().filter(|items| !items.is_empty());
    items
        .ok_or_else(invalid)?
        .iter()
        .map(|item| {
            let name = item.as_str().filter(|name| EVENT_TYPES.contains(name));
            name.map(str::to_owned).ok_or_else(invalid)
        })
        .collect()
}

impl state::State {
    /// The group that a body names; only partners have groups.
    fn group(&self, body: &Value) -> Result<Option<String>, Refusal> {
        match &body["group_id"] {
            Value::Null => Ok(None),
            Value::String(id) if self.settings.webhooks.partner && id.starts_with("wg_") => Ok(Some(id.clone())),
            _ => Err(Refusal::bad_request("group_id is invalid")),
        }
    }

    fn find_subscription(&mut self, id: &str) -> Result<&mut Subscription, Refusal> {
        self.subscriptions
            .iter_mut()
            .find(|subscription| subscription.id == id)
            .ok_or_else(|| Refusal::not_found(Api::Platform))
    }
}
