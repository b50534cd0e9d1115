//! Cash accounts of the Transactions API, with what was posted on them and the statements of past months.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::routing::get;
use axum::{Json, Router};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::{Api, Refusal};
use super::gate::Caller;
use super::input::{Id, Window, invalid};
use super::payments::CashSign;
use super::records::{Pairs, moment};
use super::state;
use super::transfers::date;
use crate::ids::Ids;
use crate::world::World;

/// An account with the money on it, in cents.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct CashAccount {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) account_number: String,
    pub(super) primary: bool,
    /// What was on it before the first transaction.
    pub(super) opening: i64,
    pub(super) opened: Date,
    pub(super) balance: i64,
    /// Of transfers under way.
    pub(super) held: i64,
    transactions: Vec<CashTransaction>,
}

/// Something posted on a cash account; negative if money left.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct CashTransaction {
    id: String,
    description: String,
    amount: i64,
    initiated: Date,
    posted_at: Timestamp,
    kind: String,
    transfer_id: Option<String>,
}

impl CashAccount {
    pub(super) fn new(ids: &Ids, name: &str, primary: bool, opening: i64, opened: Date) -> Self {
        Self {
            id: ids.prefixed("dpacc"),
            name: name.to_owned(),
            account_number: format!("9{:09}", ids.below(1_000_000_000)),
            primary,
            opening,
            opened,
            balance: opening,
            held: 0,
            transactions: Vec::new(),
        }
    }

    pub(super) fn available(&self) -> i64 {
        self.balance - self.held
    }

    /// Notes a settled movement, and moves the balance.
    pub(super) fn post(
        &mut self,
        description: &str,
        amount: i64,
        initiated: Date,
        at: Timestamp,
        kind: &str,
        transfer_id: Option<&str>,
    ) {
        self.balance += amount;
        let ids = Ids::new(0).stream(&format!("{}.{}", self.id, self.transactions.len()));
        self.transactions.push(CashTransaction {
            id: ids.prefixed("dptxn"),
            description: description.to_owned(),
            amount,
            initiated,
            posted_at: at,
            kind: kind.to_owned(),
            transfer_id: transfer_id.map(ToOwned::to_owned),
        });
    }

    fn json(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "status": "ACTIVE",
            "current_balance": usd(self.balance),
            "available_balance": usd(self.available()),
            "account_number": self.account_number,
            "routing_number": "121145433",
            "primary": self.primary,
        })
    }

    fn statements(&self, today: Date) -> Vec<Value> {
        let amounts = self.transactions.iter().map(|transaction| (date(transaction.posted_at), transaction.amount));
        statements(&self.id, self.opening, self.opened, today, amounts)
    }
}

pub(super) fn usd(cents: i64) -> Value {
    json!({ "amount": cents, "currency": "USD" })
}

/// One statement for each month that is over; amounts come in the order of their days.
pub(super) fn statements(
    account_id: &str,
    opening: i64,
    opened: Date,
    today: Date,
    amounts: impl Iterator<Item = (Date, i64)>,
) -> Vec<Value> {
    let mut amounts = amounts.peekable();
    let mut balance = opening;
    let mut start = opened.first_of_month();
    let mut found = Vec::new();
    while start < today.first_of_month() {
        let end = start.last_of_month();
        let before = balance;
        while let Some((_, amount)) = amounts.next_if(|(day, _)| *day <= end) {
            balance += amount;
        }
        found.push(json!({
            "id": Ids::new(0).stream(&format!("{account_id}.{start}")).prefixed("stmt"),
            "start_balance": usd(before),
            "end_balance": usd(balance),
            "period": { "start_date": start, "end_date": end },
        }));
        start = end.saturating_add(1.day());
    }
    found
}

pub(super) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/v2/accounts/cash", get(list))
        .route("/v2/accounts/cash/primary", get(primary))
        .route("/v2/accounts/cash/{id}", get(one))
        .route("/v2/accounts/cash/{id}/statements", get(account_statements))
        .route("/v2/transactions/cash/{id}", get(transactions))
}

async fn list(_caller: Caller, State(world): State<Arc<World>>) -> Result<Json<Value>, Refusal> {
    let state = world.brex.settled(world.clock.now());
    state.may_pay()?;
    let items: Vec<Value> = state.cash.iter().map(CashAccount::json).collect();
    Ok(Json(json!({ "next_cursor": null, "items": items })))
}

async fn primary(_caller: Caller, State(world): State<Arc<World>>) -> Result<Json<Value>, Refusal> {
    let state = world.brex.settled(world.clock.now());
    state.may_pay()?;
    let account = state.cash.iter().find(|account| account.primary);
    account.map(|account| Json(account.json())).ok_or_else(|| Refusal::not_found(Api::Platform))
}

async fn one(_caller: Caller, State(world): State<Arc<World>>, Id(id): Id) -> Result<Json<Value>, Refusal> {
    let state = world.brex.settled(world.clock.now());
    state.may_pay()?;
    Ok(Json(state.cash_account(&id)?.json()))
}

async fn account_statements(
    _caller: Caller,
    State(world): State<Arc<World>>,
    Id(id): Id,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    let window = Window::parse(&Pairs::parse(query.as_deref()))?;
    let state = world.brex.settled(world.clock.now());
    state.may_pay()?;
    let found = state.cash_account(&id)?.statements(world.clock.today());
    Ok(Json(window.page((0_u64..).zip(found), |statement| statement)))
}

async fn transactions(
    _caller: Caller,
    State(world): State<Arc<World>>,
    Id(id): Id,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    let pairs = Pairs::parse(query.as_deref());
    let window = Window::parse(&pairs)?;
    let start = posted_at_start(&pairs)?;
    let state = world.brex.settled(world.clock.now());
    state.may_pay()?;
    let sign = if state.settings.payments.cash_sign == CashSign::Statement { 1 } else { -1 };
    let posted = (0_u64..)
        .zip(&state.cash_account(&id)?.transactions)
        .filter(|(_, transaction)| start.is_none_or(|start| transaction.posted_at >= start));
    Ok(Json(window.page(posted, |transaction| {
        json!({
            "id": transaction.id,
            "description": transaction.description,
            "amount": usd(sign * transaction.amount),
            "initiated_at_date": transaction.initiated,
            "posted_at_date": date(transaction.posted_at),
            "type": transaction.kind,
            "transfer_id": transaction.transfer_id,
        })
    })))
}

/// `posted_at_start`, if it is given.
pub(super) fn posted_at_start(pairs: &Pairs) -> Result<Option<Timestamp>, Refusal> {
    match pairs.one("posted_at_start").map_err(invalid)? {
        Some(text) => moment(text).map(Some).ok_or_else(|| invalid("posted_at_start")),
        None => Ok(None),
    }
}

impl state::State {
    fn cash_account(&self, id: &str) -> Result<&CashAccount, Refusal> {
        self.cash.iter().find(|account| account.id == id).ok_or_else(|| Refusal::not_found(Api::Platform))
    }
}
