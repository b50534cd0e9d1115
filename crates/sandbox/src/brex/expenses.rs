//! `GET /v1/expenses`: what the accounting record does not tell, such as the purchase date and the raw descriptor.
//!
//! Amounts are integers in minor units here, other than in the Accounting API.

use std::str::FromStr as _;
use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::routing::get;
use axum::{Json, Router};
use jiff::Timestamp;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde_json::{Value, json};

use super::error::{Api, Refusal};
use super::gate::Caller;
use super::records::{EXPORTED, Pairs, Stored, moment};
use super::state;
use crate::world::World;

const MAX_LIMIT: usize = 100;
const EXPANSIONS: &[&str] =
    &["location", "department", "merchant", "receipts.download_uris", "user", "budget", "payment"];
const TYPES: &[&str] = &["CARD", "BILLPAY", "REIMBURSEMENT", "CLAWBACK", "UNSET"];

pub(super) fn router() -> Router<Arc<World>> {
    Router::new().route("/v1/expenses", get(list)).route("/v1/expenses/{id}", get(one))
}

async fn one(
    _caller: Caller,
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    let pairs = Pairs::parse(query.as_deref());
    let expand = expansions(&pairs)?;
    let state = world.brex.lock();
    let record = state
        .journal
        .of_source(&id)
        .filter(|_| id.starts_with("expense_"))
        .ok_or_else(|| Refusal::not_found(Api::Platform))?;
    Ok(Json(expense(record, &state, &expand)))
}

async fn list(
    _caller: Caller,
    State(world): State<Arc<World>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    let pairs = Pairs::parse(query.as_deref());
    let filter = Filter::parse(&pairs)?;
    let state = world.brex.lock();
    let mut found = state
        .journal
        .iter()
        .filter(|record| record.source().is_some_and(|id| id.starts_with("expense_")))
        .filter(|record| filter.matches(record))
        .skip_while(|record| filter.after.is_some_and(|after| record.source() != Some(after)))
        .skip(usize::from(filter.after.is_some()));
    let page: Vec<&Stored> = found.by_ref().take(filter.limit).collect();
    let next_cursor = found.next().and_then(|_| page.last()?.source());
    let items: Vec<Value> = page.iter().map(|record| expense(record, &state, &filter.expand)).collect();
    Ok(Json(json!({ "next_cursor": next_cursor, "items": items })))
}

struct Filter<'a> {
    expand: Vec<&'a str>,
    types: Vec<&'a str>,
    purchased: (Option<Timestamp>, Option<Timestamp>),
    updated: (Option<Timestamp>, Option<Timestamp>),
    after: Option<&'a str>,
    limit: usize,
}

impl<'a> Filter<'a> {
    fn parse(pairs: &'a Pairs) -> Result<Self, Refusal> {
        let once = |name| pairs.one(name).map_err(|name| Refusal::bad_request(&format!("{name} is invalid")));
        let time = |name| match once(name)? {
            Some(text) => moment(text).map(Some).ok_or_else(|| Refusal::bad_request(&format!("{name} is invalid"))),
            None => Ok(None),
        };
        let types: Vec<&str> = pairs.all("expense_type[]").collect();
        if types.iter().any(|kind| !TYPES.contains(kind)) {
            return Err(Refusal::bad_request("expense_type is invalid"));
        }
        let limit = match once("limit")?.map(str::parse) {
            None => MAX_LIMIT,
            Some(Ok(limit)) if (1..=MAX_LIMIT).contains(&limit) => limit,
            Some(_) => return Err(Refusal::bad_request("limit must be between 1 and 100")),
        };
        Ok(Self {
            expand: expansions(pairs)?,
            types,
            purchased: (time("purchased_at_start")?, time("purchased_at_end")?),
            updated: (time("updated_at_start")?, time("updated_at_end")?),
            after: once("cursor")?,
            limit,
        })
    }

    fn matches(&self, record: &Stored) -> bool {
        let within = |(start, end): (Option<Timestamp>, Option<Timestamp>), moment: Timestamp| {
            start.is_none_or(|start| moment >= start) && end.is_none_or(|end| moment < end)
        };
        (self.types.is_empty() || self.types.contains(&expense_type(record)))
            && within(self.purchased, purchased_at(record))
            && within(self.updated, record.face.updated_at)
    }
}

fn expansions(pairs: &Pairs) -> Result<Vec<&str>, Refusal> {
    let expand: Vec<&str> = pairs.all("expand[]").chain(pairs.all("expand")).collect();
    match expand.iter().find(|name| !EXPANSIONS.contains(name)) {
        Some(_) => Err(Refusal::bad_request("Unsupported entity expansion")),
        None => Ok(expand),
    }
}

impl Stored {
    fn source(&self) -> Option<&str> {
        self.face.source_id.as_deref()
    }
}

fn expense_type(record: &Stored) -> &'static str {
    match record.face.source_type.as_str() {
        "CARD" => "CARD",
        "REIMBURSEMENT" => "REIMBURSEMENT",
        "BILL" => "BILLPAY",
        _ => "UNSET",
    }
}

fn purchased_at(record: &Stored) -> Timestamp {
    record.purchase.as_ref().map_or(record.face.posted_at, |purchase| purchase.purchased_at)
}

fn expense(record: &Stored, state: &state::State, expand: &[&str]) -> Value {
    let json = record.value();
    let merchant = record.purchase.as_ref().filter(|_| expand.contains(&"merchant"));
    let exported = record.face.review_status == EXPORTED;
    json!({
        "id": record.source(),
        "memo": json["memo"],
        "updated_at": format!("{:.3}", record.face.updated_at),
        "location_id": json["user"]["location_id"],
        "department_id": json["user"]["department_id"],
        "payment_posted_at": format!("{:.3}", record.face.posted_at),
        "category": null,
        "merchant_id": json["vendor"]["id"],
        "merchant": merchant.map(|purchase| json!({
            "raw_descriptor": purchase.raw_descriptor,
            "mcc": purchase.mcc,
            "country": purchase.country,
        })),
        "budget_id": null,
        "expense_type": expense_type(record),
        "original_amount": minor(if json["original_amount"].is_null() { &json["amount"] } else { &json["original_amount"] }),
        "billing_amount": minor(&json["amount"]),
        "purchased_at": format!("{:.3}", purchased_at(record)),
        "status": if exported { "SETTLED" } else { "APPROVED" },
        "payment_status": "CLEARED",
        "user_id": json["user"]["id"],
        "user": if expand.contains(&"user") { user(&json["user"]) } else { Value::Null },
        "spending_entity_id": format!("cuent_{}", state.company_id.trim_start_matches("cuacc_")),
        "spending_entity": {
            "id": format!("cuent_{}", state.company_id.trim_start_matches("cuacc_")),
            "display_name": state.legal_name,
            "billing_address": super::account::address(&state.address),
            "created_at": super::account::ENTITY_CREATED_AT,
            "status": "VERIFIED",
            "is_default": true,
        },
        "exported_at": if exported { json["updated_at"].clone() } else { Value::Null },
    })
}

/// The few keys that a user has here, other than in an accounting record.
fn user(user: &Value) -> Value {
    if user.is_null() {
        return Value::Null;
    }
    json!({
        "id": user["id"],
        "first_name": user["first_name"],
        "last_name": user["last_name"],
        "department_id": user["department_id"],
        "location_id": user["location_id"],
    })
}

/// Major units with their digits to an integer of minor units; null if that is not possible.
pub(super) fn minor(amount: &Value) -> Value {
    let read = || {
        let number = amount["amount"].as_number()?.to_string();
        let number = Decimal::from_str(&number).or_else(|_| Decimal::from_scientific(&number)).ok()?;
        let currency = amount["currency"].as_str()?;
        let factor = if currency.eq_ignore_ascii_case("JPY") { 1 } else { 100 };
        let minor = number.checked_mul(Decimal::from(factor))?.round().to_i64()?;
        Some(json!({ "amount": minor, "currency": currency }))
    };
    read().unwrap_or(Value::Null)
}
