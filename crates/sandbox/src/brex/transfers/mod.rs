//! `/v1/transfers`, `/v1/incoming_transfers`, `/v1/linked_accounts`, and what people and banks do to transfers.

mod book;
mod create;
mod flow;

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use self::book::{CancellationReason, PaymentType, TransferStatus};
pub(super) use self::book::{Transfers, date};

use self::book::Transfer;
use super::Brex;
use super::error::{Api, Refusal};
use super::gate::Caller;
use super::idempotency::Key;
use super::input::{Id, Payload, Window};
use super::payments::Returns;
use super::records::Pairs;
use super::state;
use crate::world::World;

/// A bank account elsewhere that may be debited.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Linked {
    pub(super) id: String,
    pub(super) bank: String,
    pub(super) last_four: String,
}

/// What a person in the dashboard or a bank does to a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do", deny_unknown_fields)]
pub enum TransferAction {
    /// A cash admin approves.
    Approve,
    /// A cash admin does not.
    Deny,
    /// It does not go through.
    Fail {
        /// What Brex says of it.
        #[serde(default)]
        reason: Option<CancellationReason>,
    },
    /// It arrives now.
    Process,
    /// It comes back after it had arrived.
    Return,
}

pub(super) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/v1/transfers", get(list).post(create))
        .route("/v1/transfers/{id}", get(one))
        .route("/v1/incoming_transfers", post(create_incoming))
        .route("/v1/linked_accounts", get(linked))
}

async fn list(
    _caller: Caller,
    State(world): State<Arc<World>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    let window = Window::parse(&Pairs::parse(query.as_deref()))?;
    let state = world.brex.settled(world.clock.now());
    state.may_pay()?;
    let visible = (0_u64..).zip(state.transfers.iter()).filter(|(_, transfer)| state.shows(transfer));
    Ok(Json(window.page(visible, |transfer| transfer.json(&state.settings.payments))))
}

async fn one(_caller: Caller, State(world): State<Arc<World>>, Id(id): Id) -> Result<Json<Value>, Refusal> {
    let state = world.brex.settled(world.clock.now());
    state.may_pay()?;
    let transfer = state.transfers.find(&id).and_then(|place| state.transfers.get(place));
    let transfer =
        transfer.filter(|transfer| state.shows(transfer)).ok_or_else(|| Refusal::not_found(Api::Platform))?;
    Ok(Json(transfer.json(&state.settings.payments)))
}

async fn create(
    _caller: Caller,
    State(world): State<Arc<World>>,
    key: Key,
    payload: Payload,
) -> Result<Response, Refusal> {
    let now = world.clock.now();
    let mut state = world.brex.settled(now);
    state.may_pay()?;
    state.once(&key.required()?, &payload.0, now, |state| state.create_transfer(&payload.fields()?, now))
}

async fn create_incoming(
    _caller: Caller,
    State(world): State<Arc<World>>,
    key: Key,
    payload: Payload,
) -> Result<Response, Refusal> {
    let now = world.clock.now();
    let mut state = world.brex.settled(now);
    state.may_pay()?;
    state.once(&key.required()?, &payload.0, now, |state| state.create_incoming(&payload.fields()?, now))
}

async fn linked(
    _caller: Caller,
    State(world): State<Arc<World>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    let window = Window::parse(&Pairs::parse(query.as_deref()))?;
    let state = world.brex.lock();
    state.may_pay()?;
    let show = |linked: &Linked| {
        json!({
            "id": linked.id,
            "bank_details": { "name": linked.bank, "type": "CHECKING" },
            "brex_account_id": state.company_id,
            "last_four": linked.last_four,
            "available_balance": null,
            "current_balance": null,
        })
    };
    Ok(Json(window.page((0_u64..).zip(&state.linked), show)))
}

impl state::State {
    fn shows(&self, transfer: &Transfer) -> bool {
        transfer.return_for.is_none() || self.settings.payments.returns == Returns::Readable
    }

    fn shown(&self, place: usize) -> Result<Value, Refusal> {
        let transfer = self.transfers.get(place).ok_or_else(|| Refusal::not_found(Api::Platform))?;
        Ok(transfer.json(&self.settings.payments))
    }

    pub(super) fn id_at(&self, place: usize) -> Option<String> {
        self.transfers.get(place).map(|transfer| transfer.id.clone())
    }

    pub(super) fn act(&mut self, id: &str, action: TransferAction, now: Timestamp) -> Result<String, String> {
        let place = self.transfers.find(id).ok_or_else(|| format!("no transfer {id}"))?;
        let transfer = self.transfers.get(place).cloned().ok_or_else(|| format!("no transfer {id}"))?;
        let status = transfer.status;
        let ended = matches!(status, TransferStatus::Processed | TransferStatus::Failed);
        match action {
            TransferAction::Approve if status == TransferStatus::PendingApproval => self.schedule(place, now),
            TransferAction::Deny if status == TransferStatus::PendingApproval => {
                self.fail(place, Some(CancellationReason::ApprovalDenied), now);
            }
            TransferAction::Fail { reason } if !ended => self.fail(place, reason, now),
            TransferAction::Process if status == TransferStatus::Processing => self.arrive(place, now),
            TransferAction::Return if status == TransferStatus::Processed && transfer.return_for.is_none() => {
                return Ok(self.give_back(&transfer, now));
            }
            _ => return Err(format!("transfer {id} is {status:?}")),
        }
        Ok(id.to_owned())
    }
}

impl Brex {
    /// Approves, denies, fails, processes or returns a transfer; the id is that of the return for a return.
    pub fn act_on_transfer(&self, id: &str, action: TransferAction, now: Timestamp) -> Result<String, String> {
        let done = self.settled(now).act(id, action, now);
        self.wake_sender();
        done
    }

    /// Money from outside arrives on the primary account by this rail. Says the transfer's id.
    pub fn receive(&self, sender: &str, memo: &str, cents: i64, rail: PaymentType, now: Timestamp) -> Option<String> {
        let mut state = self.settled(now);
        let account_id = state.cash.first()?.id.clone();
        let place = state.receive(sender, memo, cents, rail, account_id, now);
        state.transfers.get(place).map(|transfer| transfer.id.clone())
    }
}
