//! The card account of the Transactions API. What was settled on it is what the accounting records tell of cards.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::cash::{posted_at_start, statements, usd};
use super::error::Refusal;
use super::expenses::minor;
use super::gate::Caller;
use super::input::{Window, invalid};
use super::records::{Pairs, Stored};
use super::state;
use super::transfers::date;
use crate::world::World;

const LIMIT_CENTS: i64 = 25_000_000;

pub(super) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/v2/accounts/card", get(accounts))
        .route("/v2/accounts/card/primary/statements", get(account_statements))
        .route("/v2/transactions/card/primary", get(transactions))
}

/// The kind of the card transaction behind a record, and its sign.
fn kind(record: &Stored) -> Option<(&'static str, i64)> {
    match record.face.record_type.as_str() {
        "CARD_EXPENSE_POST" => Some(("PURCHASE", 1)),
        "CARD_EXPENSE_REFUND" => Some(("REFUND", -1)),
        "CARD_PAYMENT" => Some(("COLLECTION", -1)),
        "REWARD_REDEMPTION" => Some(("REWARDS_CREDIT", -1)),
        _ => None,
    }
}

/// Minor units, positive for what the account owes.
fn amount(json: &Value, sign: i64) -> Value {
    let mut money = minor(&json["amount"]);
    if let Some(cents) = money["amount"].as_i64() {
        money["amount"] = json!(cents.saturating_abs() * sign);
    }
    money
}

impl state::State {
    fn settled_on_card(&self) -> impl Iterator<Item = (&Stored, &'static str, i64)> {
        self.journal.iter().filter_map(|record| kind(record).map(|(kind, sign)| (record, kind, sign)))
    }

    fn card_amounts(&self) -> impl Iterator<Item = (jiff::civil::Date, i64)> {
        self.settled_on_card().filter_map(|(record, _, sign)| {
            let money = amount(&record.value(), sign);
            let cents = money["amount"].as_i64().filter(|_| money["currency"] == "USD")?;
            Some((date(record.face.posted_at), cents))
        })
    }

    fn card_id(&self) -> String {
        format!("cacc_{}", self.company_id.trim_start_matches("cuacc_"))
    }
}

async fn accounts(_caller: Caller, State(world): State<Arc<World>>) -> Json<Value> {
    let state = world.brex.lock();
    let owed: i64 = state.card_amounts().map(|(_, cents)| cents).sum();
    let today = world.clock.today();
    Json(json!([{
        "id": state.card_id(),
        "status": "ACTIVE",
        "current_balance": usd(owed),
        "available_balance": usd(LIMIT_CENTS.saturating_sub(owed)),
        "account_limit": usd(LIMIT_CENTS),
        "current_statement_period": { "start_date": today.first_of_month(), "end_date": today.last_of_month() },
    }]))
}

async fn account_statements(
    _caller: Caller,
    State(world): State<Arc<World>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    let window = Window::parse(&Pairs::parse(query.as_deref()))?;
    let state = world.brex.lock();
    let today = world.clock.today();
    let opened = state.card_amounts().map(|(day, _)| day).next().unwrap_or(today);
    let found = statements(&state.card_id(), 0, opened, today, state.card_amounts());
    Ok(Json(window.page((0_u64..).zip(found), |statement| statement)))
}

async fn transactions(
    _caller: Caller,
    State(world): State<Arc<World>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    let pairs = Pairs::parse(query.as_deref());
    let window = Window::parse(&pairs)?;
    let start = posted_at_start(&pairs)?;
    let users: Vec<&str> = pairs.all("user_ids").chain(pairs.all("user_ids[]")).collect();
    let expand: Vec<&str> = pairs.all("expand[]").collect();
    if expand.iter().any(|name| *name != "expense_id") {
        return Err(Refusal::bad_request("Unsupported entity expansion"));
    }
    if users.iter().any(|user| user.is_empty()) {
        return Err(invalid("user_ids"));
    }
    let state = world.brex.lock();
    let of_users = |record: &Stored| {
        // The text is looked at first: reading every record would be slow.
        users.is_empty()
            || users.iter().any(|user| record.raw.contains(user))
                && record.value()["user"]["id"].as_str().is_some_and(|id| users.contains(&id))
    };
    let settled = (0_u64..)
        .zip(state.settled_on_card())
        .filter(|(_, (record, ..))| start.is_none_or(|start| record.face.posted_at >= start) && of_users(record));
    Ok(Json(window.page(settled, |(record, kind, sign)| transaction(record, kind, sign, expand.is_empty()))))
}

fn transaction(record: &Stored, kind: &str, sign: i64, plain: bool) -> Value {
    let json = record.value();
    let merchant = record.purchase.as_ref().map(|purchase| {
        json!({
            "raw_descriptor": purchase.raw_descriptor,
            "mcc": purchase.mcc,
            "country": alpha3(&purchase.country),
        })
    });
    let spent = matches!(kind, "PURCHASE" | "REFUND");
    let initiated = record.purchase.as_ref().map_or(record.face.posted_at, |purchase| purchase.purchased_at);
    let card = json["user"]["id"].as_str().filter(|_| spent).map(|user| user.replace("cuuser_", "card_"));
    let expense = record.face.source_id.as_ref().filter(|id| !plain && id.starts_with("expense_"));
    json!({
        "id": record.face.id.replace("accr_", "pstx_"),
        "card_id": card,
        "description": record.purchase.as_ref().map_or(kind, |purchase| purchase.raw_descriptor.as_str()),
        "amount": amount(&json, sign),
        "initiated_at_date": date(initiated),
        "posted_at_date": date(record.face.posted_at),
        "type": kind,
        "merchant": merchant,
        "card_metadata": null,
        "expense_id": expense,
    })
}

/// The countries that the zoo's vendors are in.
fn alpha3(country: &str) -> &str {
    match country {
        "US" => "USA",
        "AU" => "AUS",
        "CA" => "CAN",
        "CH" => "CHE",
        "DE" => "DEU",
        "FR" => "FRA",
        "GB" => "GBR",
        "IE" => "IRL",
        "JP" => "JPN",
        "NL" => "NLD",
        other => other,
    }
}
