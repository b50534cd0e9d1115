//! Brex as it answers on the wire: accounting records, export results, webhooks and what hangs on them.
//!
//! As strict and as odd as the real API. Everything the API itself cannot do (a click on Export, a rotated secret)
//! is a method on [`Brex`] and an operation under `/_sandbox/brex/`.

mod account;
mod cards;
mod cash;
mod error;
mod expenses;
mod export;
mod fields;
mod gate;
mod history;
mod idempotency;
mod input;
mod integration;
mod page;
mod payments;
mod receipts;
mod records;
mod settings;
mod state;
mod team;
mod token;
mod transfers;
mod vendors;
mod webhooks;
mod zoo;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use jiff::Timestamp;
use serde_json::Value;

use crate::Options;
use crate::company::Company;
use crate::fault::Faults;
use crate::ids::Ids;
use crate::world::World;

pub use self::export::{ExportReport, ExportResult, Outcome};
pub use self::idempotency::{KeySettings, OtherBody, Repeat};
pub use self::integration::{Integration, IntegrationStatus};
pub use self::payments::{CashSign, CreatedAt, NameCase, NameMatch, NullInUpdate, PaymentSettings, Returns, Role};
pub use self::records::{
    AccountingSettings, AfterFailure, BillEvents, BillResults, BillStatus, ChangeRefused, Expectation, FieldCoding,
    Merchant, RecordReport, RefundTotal, SingleEntry, Splits,
};
pub use self::settings::{FieldSettings, IdKey, Settings, TooManyBody};
pub use self::token::{ALL_SCOPES, TokenStatus};
pub use self::transfers::{CancellationReason, PaymentType, TransferAction, TransferStatus};
pub use self::vendors::{MadeIn, Rail};
pub use self::webhooks::{
    Attempt, Authorization, AuthorizationStatus, AuthorizationType, Delivery, DeliveryCount, DeliveryState, Forgotten,
    SecretStatus, Subscription, SubscriptionStatus, WebhookReport, WebhookSecret, WebhookSettings, signature,
    spawn_deliveries,
};

use self::state::State;
use self::webhooks::Sender;

/// The Brex side of the world.
pub struct Brex {
    state: Mutex<State>,
    sender: Sender,
}

impl std::fmt::Debug for Brex {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Brex").finish_non_exhaustive()
    }
}

impl Brex {
    /// A Brex account of `company` with `options.records` records of the 45 days before `now`.
    pub fn new(options: &Options, company: &Company, ids: &Ids, now: Timestamp) -> Self {
        Self { state: Mutex::new(State::new(options, company, ids, now)), sender: Sender::default() }
    }

    /// The same, with webhooks that the plan may disturb.
    pub(crate) fn with_faults(mut self, faults: Arc<Faults>) -> Self {
        self.sender.faults = faults;
        self
    }

    /// The bearer token to use; the newest one that still works, else the newest.
    pub fn token(&self) -> String {
        self.lock().token()
    }

    /// The id of `GET /v2/company`, which events carry too.
    pub fn company_id(&self) -> String {
        self.lock().company_id.clone()
    }

    /// The active webhook secret.
    pub fn webhook_secret(&self) -> String {
        self.lock().active_secret()
    }

    /// What is switched how.
    pub fn settings(&self) -> Settings {
        self.lock().settings.clone()
    }

    /// Changes some settings. From then on split expenses appear as they are to.
    pub fn configure(&self, change: impl FnOnce(&mut Settings)) {
        let mut state = self.lock();
        change(&mut state.settings);
        if state.settings.accounting.splits == Splits::Records {
            state.part_all();
        }
    }

    /// The whole state, for a state file.
    ///
    /// # Panics
    ///
    /// Never: every part of the state serialises.
    #[expect(clippy::expect_used, reason = "the state has no maps with other keys than text, so it always serialises")]
    pub fn snapshot(&self) -> Value {
        serde_json::to_value(&*self.lock()).expect("the state serialises")
    }

    /// Replaces the whole state by a [`Brex::snapshot`].
    pub fn restore(&self, snapshot: Value) -> Result<(), serde_json::Error> {
        *self.lock() = serde_json::from_value(snapshot)?;
        Ok(())
    }

    /// The state as it is at `now`; events of what happened until then are on their way. Never held across an await.
    fn settled(&self, now: Timestamp) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        state.settle(now);
        self.wake_sender();
        state
    }

    /// The state. Never held across an await.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All paths of the Brex port: the API, the presigned receipts, and the page at `/`.
pub fn router() -> Router<Arc<World>> {
    let api = Router::new()
        .merge(account::router())
        .merge(team::router())
        .merge(integration::router())
        .merge(records::router())
        .merge(export::router())
        .merge(expenses::router())
        .merge(vendors::router())
        .merge(transfers::router())
        .merge(cash::router())
        .merge(cards::router())
        .merge(fields::router())
        .merge(webhooks::router())
        .fallback(gate::not_found)
        .method_not_allowed_fallback(gate::not_found);
    gate::with_trace_id(api).merge(receipts::router()).merge(expenses::upload_router()).merge(page::router())
}
