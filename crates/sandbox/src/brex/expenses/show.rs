//! An expense as it is answered, read from the record that it became.

use std::str::FromStr as _;

use jiff::Timestamp;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde_json::{Value, json};

use super::super::Brex;
use super::super::account::{ENTITY_CREATED_AT, address};
use super::super::records::{EXPORTED, Stored, spend_side};
use super::super::state::State;
use super::CARD;
use super::filter::View;
use crate::ids::Ids;

pub(super) fn expense_type(record: &Stored) -> &'static str {
    match record.face.source_type.as_str() {
        "CARD" => CARD,
        "REIMBURSEMENT" => "REIMBURSEMENT",
        "BILL" => "BILLPAY",
        _ => "UNSET",
    }
}

pub(super) fn purchased_at(record: &Stored) -> Timestamp {
    record.purchase.as_ref().map_or(record.face.posted_at, |purchase| purchase.purchased_at)
}

pub(super) fn payment_status(record: &Stored) -> &'static str {
    match record.face.record_type.as_str() {
        "CARD_EXPENSE_REFUND" => "REFUNDED",
        "REIMBURSEMENT_EXPENSE_APPROVAL" => "PROCESSING",
        "BILL_EXPENSE" => "AWAITING_PAYMENT",
        _ => "CLEARED",
    }
}

/// Not before the money moved.
pub(super) fn payment_posted_at(record: &Stored) -> Option<Timestamp> {
    let moved = matches!(payment_status(record), "CLEARED" | "REFUNDED");
    moved.then_some(record.face.posted_at)
}

pub(super) fn status(record: &Stored, json: &Value, state: &State) -> String {
    let split = record.face.source_id.as_ref().is_some_and(|id| state.split_expenses.contains_key(id));
    match json["status"].as_str() {
        _ if split => "SPLIT".to_owned(),
        _ if record.face.review_status == EXPORTED => "SETTLED".to_owned(),
        Some(status) => status.to_owned(),
        None => "APPROVED".to_owned(),
    }
}

impl State {
    /// Id and name of the legal entity that spent: the default one unless a test said another.
    pub(super) fn spender(&self, record: &Stored) -> (&str, &str, bool) {
        let chosen = record.face.source_id.as_ref().and_then(|expense| self.spenders.get(expense));
        let entity = self.team.entity(chosen.copied().unwrap_or_default());
        (entity.0, entity.1, chosen.is_none_or(|index| *index == 0))
    }
}

impl Brex {
    /// Lets the legal entity at this place of `GET /v2/legal_entities` be the one of an expense; gives its id.
    pub fn spend_for(&self, expense: &str, entity: usize) -> String {
        let mut state = self.lock();
        state.spenders.insert(expense.to_owned(), entity);
        state.team.entity(entity).0.to_owned()
    }
}

pub(super) fn expense(record: &Stored, state: &State, view: &View) -> Value {
    let json = record.value();
    let time = |moment: Timestamp| format!("{moment:.3}");
    let exported = record.face.review_status == EXPORTED;
    let of = |amount: &Value| signed(minor(amount), record);
    let original = of(if json["original_amount"].is_null() { &json["amount"] } else { &json["original_amount"] });
    let billed = of(&json["amount"]);
    let expanded = |name: &str, shown: Value| if view.expands(name) { shown } else { Value::Null };
    let (entity, entity_name, is_default) = state.spender(record);
    json!({
        "id": record.source(),
        "memo": json["memo"],
        "updated_at": time(record.face.updated_at),
        "location_id": json["user"]["location_id"],
        "location": expanded("location", named(&json["user"], "location")),
        "address": null,
        "department_id": json["user"]["department_id"],
        "department": expanded("department", named(&json["user"], "department")),
        "payment_posted_at": payment_posted_at(record).map(time),
        "category": null,
        "merchant_id": json["vendor"]["id"],
        "merchant": expanded("merchant", merchant(record, &json)),
        "receipts": receipts(&json, view),
        "budget_id": null,
        "budget": null,
        "expense_type": expense_type(record),
        "original_amount": original,
        "billing_amount": billed,
        "budget_amount": null,
        "purchased_amount": original,
        "usd_equivalent_amount": if billed["currency"] == "USD" { billed.clone() } else { Value::Null },
        "purchased_at": time(purchased_at(record)),
        "status": status(record, &json, state),
        "payment_status": payment_status(record),
        "user_id": json["user"]["id"],
        "user": expanded("user", user(&json["user"])),
        "payment": expanded("payment", payment(record, &json)),
        "custom_fields": if view.custom_fields { custom_fields(&json) } else { Value::Null },
        "trip_id": null,
        "spending_entity_id": entity,
        "spending_entity": {
            "id": entity,
            "display_name": entity_name,
            "billing_address": address(&state.address),
            "created_at": ENTITY_CREATED_AT,
            "status": "VERIFIED",
            "is_default": is_default,
        },
        "billing_entity_id": entity,
        "exported_at": if exported { json["updated_at"].clone() } else { Value::Null },
        "integration_spending_entity_id": null,
        "integration_billing_entity_id": null,
        "review": null,
        "repayment": null,
        "approved_at": null,
        "submitted_at": null,
        "completion_date": null,
        "dashboard_url": record.source().map(|id| format!("https://dashboard.brex.com/expenses/{id}")),
    })
}

/// What an update answers.
const SHORT: &[&str] = &[
    "id",
    "memo",
    "location_id",
    "department_id",
    "updated_at",
    "category",
    "merchant_id",
    "budget_id",
    "original_amount",
    "billing_amount",
    "purchased_at",
    "status",
    "payment_status",
];

/// The few fields that an update answers.
pub(super) fn short(record: &Stored, state: &State) -> Value {
    let mut shown = expense(record, state, &View::default());
    if let Some(fields) = shown.as_object_mut() {
        fields.retain(|name, _| SHORT.contains(&name.as_str()));
    }
    shown
}

/// Id and name of the user's location or department.
fn named(user: &Value, unit: &str) -> Value {
    match user[format!("{unit}_id")].as_str() {
        Some(id) => json!({ "id": id, "name": user[format!("{unit}_name")] }),
        None => Value::Null,
    }
}

/// Of a record that was put in by hand no more is known than the name.
fn merchant(record: &Stored, json: &Value) -> Value {
    match (&record.purchase, json["vendor"]["name"].as_str()) {
        (Some(purchase), _) => {
            json!({ "raw_descriptor": purchase.raw_descriptor, "mcc": purchase.mcc, "country": purchase.country })
        }
        (None, Some(name)) => json!({ "raw_descriptor": name, "mcc": "", "country": "" }),
        (None, None) => Value::Null,
    }
}

/// Positive where money was spent, negative where it comes back, however the record's total is signed.
fn signed(mut amount: Value, record: &Stored) -> Value {
    let record_type = &record.face.record_type;
    let comes_back = record_type.ends_with("_REFUND") || record_type.ends_with("_REPAYMENT");
    if let Some(minor) = amount["amount"].as_i64() {
        amount["amount"] = json!(if comes_back { -minor.abs() } else { minor.abs() });
    }
    amount
}

/// Their links only if they are asked for.
fn receipts(json: &Value, view: &View) -> Value {
    let receipts = json["receipts"].as_array().into_iter().flatten();
    let links = |receipt: &Value| {
        if view.expands("receipts.download_uris") { receipt["download_uris"].clone() } else { Value::Null }
    };
    receipts.map(|receipt| json!({ "id": receipt["id"], "download_uris": links(receipt) })).collect()
}

/// Cards only.
fn payment(record: &Stored, json: &Value) -> Value {
    if expense_type(record) != CARD {
        return Value::Null;
    }
    let id = |prefix: &str, of: &str| format!("{prefix}_c{}", Ids::new(0).stream(of).alphanumeric(24));
    json!({
        "id": id("payment", record.source().unwrap_or_default()),
        "paymentInstrument": { "type": CARD, "id": id("card", json["user"]["id"].as_str().unwrap_or_default()) },
        "statusReason": "APPROVED",
    })
}

/// What the first line was coded with.
fn custom_fields(json: &Value) -> Value {
    let side = spend_side(json);
    let mut lines = json["line_items"].as_array().into_iter().flatten();
    let coded = lines.find(|line| line["type"] == side).and_then(|line| line["accounting_field_values"].as_array());
    let shown = coded.into_iter().flatten().map(|value| {
        let data = match value["brex_field_value_id"].as_str() {
            Some(id) => json!({ "option_id": id, "option_label": value["field_value_name"].as_str().unwrap_or(id) }),
            None => Value::Null,
        };
        let value_of = json!({ "value_type": "SINGLE_VALUE", "data_type": "OPTION_STRING", "data": data });
        json!({ "key": value["field_name"].as_str().or(value["remote_field_id"].as_str()).unwrap_or_default(), "value": value_of })
    });
    shown.collect()
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
pub(in crate::brex) fn minor(amount: &Value) -> Value {
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
