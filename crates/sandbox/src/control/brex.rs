//! `/_sandbox/brex/`: what people do in Brex's dashboard, and what goes wrong there, as operations for tests.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Map, Number, Value, json};

use crate::brex::{
    ChangeRefused, DeliveryCount, Expectation, ExportReport, FieldCoding, Integration, PaymentType, RecordReport,
    Settings, TransferAction, WebhookReport,
};
use crate::world::World;

/// The operations on Brex.
pub fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/_sandbox/brex/records", get(records).post(insert))
        .route("/_sandbox/brex/records/{id}", get(record))
        .route("/_sandbox/brex/records/{id}/code", post(code))
        .route("/_sandbox/brex/records/{id}/edit", post(edit))
        .route("/_sandbox/brex/records/{id}/expect", post(expect))
        .route("/_sandbox/brex/records/{id}/ready", post(ready))
        .route("/_sandbox/brex/records/{id}/split", post(split))
        .route("/_sandbox/brex/ready", post(ready_together))
        .route("/_sandbox/brex/exports", get(exports))
        .route("/_sandbox/brex/settings", get(settings).patch(configure))
        .route("/_sandbox/brex/integrations", get(integrations).post(connect_other))
        .route("/_sandbox/brex/secrets/rotate", post(rotate))
        .route("/_sandbox/brex/secrets/finish", post(finish_rotation))
        .route("/_sandbox/brex/token/revoke", post(revoke))
        .route("/_sandbox/brex/token/expire", post(expire))
        .route("/_sandbox/brex/token/issue", post(issue))
        .route("/_sandbox/brex/token/scopes", post(scopes))
        .route("/_sandbox/brex/receipts/{id}/match", post(match_receipt))
        .route("/_sandbox/brex/vendors", post(add_vendors))
        .route("/_sandbox/brex/transfers/incoming", post(receive))
        .route("/_sandbox/brex/transfers/{id}", post(act_on_transfer))
        .route("/_sandbox/brex/webhooks", get(webhooks))
        .route("/_sandbox/brex/webhooks/deliver", post(deliver))
        .route("/_sandbox/brex/webhooks/repeat", post(repeat))
        .route("/_sandbox/brex/webhooks/forge", post(forge))
        .route("/_sandbox/brex/webhooks/drop", post(drop_pending))
        .route("/_sandbox/brex/webhooks/pause", post(pause))
}

impl IntoResponse for ChangeRefused {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Unknown(_) => StatusCode::NOT_FOUND,
            Self::Exported(_) => StatusCode::CONFLICT,
            Self::UnknownLine(_) | Self::Unreadable(_) => StatusCode::BAD_REQUEST,
        };
        (status, Json(json!({ "message": self.to_string() }))).into_response()
    }
}

async fn records(State(world): State<Arc<World>>) -> Json<Vec<RecordReport>> {
    Json(world.brex.records())
}

async fn record(State(world): State<Arc<World>>, Path(id): Path<String>) -> Result<Json<RecordReport>, ChangeRefused> {
    world.brex.record(&id).map(Json).ok_or(ChangeRefused::Unknown(id))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    #[serde(default = "held")]
    expect: Expectation,
    #[serde(default)]
    why: String,
}

fn held() -> Expectation {
    Expectation::Held
}

/// The body is the record, taken verbatim; `expect` and `why` may be in the query.
async fn insert(
    State(world): State<Arc<World>>,
    Query(expected): Query<Expected>,
    body: String,
) -> Result<Json<Value>, ChangeRefused> {
    let id = world.brex.insert(&body, expected.expect, &expected.why)?;
    Ok(Json(json!({ "id": id })))
}

async fn expect(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    Json(expected): Json<Expected>,
) -> Result<StatusCode, ChangeRefused> {
    world.brex.expect(&id, expected.expect, &expected.why)?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Coding {
    #[serde(default)]
    line_id: Option<String>,
    values: Vec<FieldCoding>,
}

async fn code(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    Json(coding): Json<Coding>,
) -> Result<StatusCode, ChangeRefused> {
    let now = world.clock.now();
    world.brex.code(&id, coding.line_id.as_deref(), &coding.values, now)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn edit(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    Json(patch): Json<Map<String, Value>>,
) -> Result<StatusCode, ChangeRefused> {
    world.brex.edit(&id, &patch, world.clock.now())?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    amounts: Vec<Number>,
}

/// `{"amounts": [60.00, 40.00]}`
async fn split(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    Json(parts): Json<Parts>,
) -> Result<Json<Value>, ChangeRefused> {
    let amounts: Result<Vec<Decimal>, _> = parts.amounts.iter().map(|amount| amount.to_string().parse()).collect();
    let amounts = amounts.map_err(|error| ChangeRefused::Unreadable(error.to_string()))?;
    let ids = world.brex.split(&id, &amounts, world.clock.now())?;
    Ok(Json(json!({ "ids": ids })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Match {
    expense_id: String,
}

async fn match_receipt(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    Json(found): Json<Match>,
) -> Result<StatusCode, ChangeRefused> {
    world.brex.match_receipt(&id, &found.expense_id, world.clock.now())?;
    Ok(StatusCode::NO_CONTENT)
}

async fn ready(State(world): State<Arc<World>>, Path(id): Path<String>) -> Result<StatusCode, ChangeRefused> {
    world.brex.make_ready(&[&id], world.clock.now())?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordIds {
    ids: Vec<String>,
}

async fn ready_together(
    State(world): State<Arc<World>>,
    Json(records): Json<RecordIds>,
) -> Result<StatusCode, ChangeRefused> {
    let ids: Vec<&str> = records.ids.iter().map(String::as_str).collect();
    world.brex.make_ready(&ids, world.clock.now())?;
    Ok(StatusCode::NO_CONTENT)
}

async fn exports(State(world): State<Arc<World>>) -> Json<Vec<ExportReport>> {
    Json(world.brex.exports())
}

async fn settings(State(world): State<Arc<World>>) -> Json<Settings> {
    Json(world.brex.settings())
}

/// Names only what changes.
async fn configure(State(world): State<Arc<World>>, Json(patch): Json<Map<String, Value>>) -> Response {
    let refused = |error: serde_json::Error| {
        (StatusCode::BAD_REQUEST, Json(json!({ "message": error.to_string() }))).into_response()
    };
    let mut merged = match serde_json::to_value(world.brex.settings()) {
        Ok(merged) => merged,
        Err(error) => return refused(error),
    };
    merge(&mut merged, Value::Object(patch));
    match serde_json::from_value::<Settings>(merged) {
        Ok(changed) => {
            world.brex.configure(|settings| *settings = changed.clone());
            Json(changed).into_response()
        }
        Err(error) => refused(error),
    }
}

/// Puts what a patch names into its place, in groups of settings too.
fn merge(whole: &mut Value, patch: Value) {
    match (whole, patch) {
        (Value::Object(whole), Value::Object(patch)) => {
            for (name, value) in patch {
                merge(whole.entry(name).or_insert(Value::Null), value);
            }
        }
        (whole, value) => *whole = value,
    }
}

async fn integrations(State(world): State<Arc<World>>) -> Json<Vec<Integration>> {
    Json(world.brex.integrations())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OtherProduct {
    vendor: String,
    vendor_account_id: String,
}

async fn connect_other(State(world): State<Arc<World>>, Json(other): Json<OtherProduct>) -> Json<Integration> {
    let now = world.clock.now();
    Json(world.brex.connect_other(&other.vendor, &other.vendor_account_id, now))
}

async fn rotate(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!({ "secret": world.brex.rotate_secret() }))
}

async fn finish_rotation(State(world): State<Arc<World>>) -> StatusCode {
    world.brex.finish_rotation();
    StatusCode::NO_CONTENT
}

async fn revoke(State(world): State<Arc<World>>) -> StatusCode {
    world.brex.revoke_token();
    StatusCode::NO_CONTENT
}

async fn expire(State(world): State<Arc<World>>) -> StatusCode {
    world.brex.expire_token();
    StatusCode::NO_CONTENT
}

async fn issue(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!({ "token": world.brex.issue_token() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scopes {
    scopes: Vec<String>,
}

async fn scopes(State(world): State<Arc<World>>, Json(scopes): Json<Scopes>) -> StatusCode {
    let scopes: Vec<&str> = scopes.scopes.iter().map(String::as_str).collect();
    world.brex.set_scopes(&scopes);
    StatusCode::NO_CONTENT
}

/// What people add in the dashboard: one vendor or a list, in the API's form, INTERNATIONAL_WIRE included.
async fn add_vendors(State(world): State<Arc<World>>, Json(body): Json<Value>) -> Response {
    let bodies = match body {
        Value::Array(bodies) => bodies,
        body => vec![body],
    };
    match bodies.iter().map(|body| world.brex.add_vendor(body)).collect::<Result<Vec<Value>, String>>() {
        Ok(vendors) => Json(vendors).into_response(),
        Err(why) => super::refused(StatusCode::BAD_REQUEST, &why),
    }
}

/// `{"do": "approve"}`, `deny`, `fail` with a `reason`, `process`, `return`.
async fn act_on_transfer(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    Json(action): Json<TransferAction>,
) -> Response {
    match world.brex.act_on_transfer(&id, action, world.clock.now()) {
        Ok(id) => Json(json!({ "id": id })).into_response(),
        Err(why) => super::refused(StatusCode::CONFLICT, &why),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Received {
    sender: String,
    memo: String,
    cents: u32,
    payment_type: PaymentType,
}

async fn receive(State(world): State<Arc<World>>, Json(received): Json<Received>) -> Json<Value> {
    let Received { sender, memo, cents, payment_type } = received;
    let id = world.brex.receive(&sender, &memo, i64::from(cents), payment_type, world.clock.now());
    Json(json!({ "id": id }))
}

async fn webhooks(State(world): State<Arc<World>>) -> Json<WebhookReport> {
    Json(world.brex.webhooks())
}

async fn deliver(State(world): State<Arc<World>>) -> Json<DeliveryCount> {
    Json(world.brex.deliver_due(&world.clock).await)
}

async fn repeat(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!({ "repeated": world.brex.repeat_deliveries(world.clock.now()) }))
}

async fn forge(State(world): State<Arc<World>>, Json(records): Json<RecordIds>) -> StatusCode {
    world.brex.forge_event(&records.ids, world.clock.now());
    StatusCode::NO_CONTENT
}

async fn drop_pending(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!({ "dropped": world.brex.drop_pending() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pause {
    paused: bool,
}

async fn pause(State(world): State<Arc<World>>, Json(pause): Json<Pause>) -> StatusCode {
    world.brex.pause_deliveries(pause.paused);
    StatusCode::NO_CONTENT
}
