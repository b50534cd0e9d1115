//! The events that people and card networks cause: a user who changed, and a card payment that was authorised or declined.
//! And which scopes a token needs to be told of an event.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::Brex;
use super::RECORD_READY;

/// The switches of webhooks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookSettings {
    /// The token is a partner's, so subscriptions may be of a group.
    pub partner: bool,
    /// Revoked secrets are listed, with their status.
    pub revoked_secrets_listed: bool,
    /// How often a refused event comes again, at most 7 times.
    pub retries: usize,
    /// A subscription that did not take an event in all attempts has the status ERROR and gets no more.
    pub given_up_is_error: bool,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self { partner: false, revoked_secrets_listed: false, retries: 7, given_up_is_error: false }
    }
}

/// Any one of these suffices to be told of an event. That of the accounting event is presumed.
pub(super) fn scopes(event_type: &str) -> &'static [&'static str] {
    match event_type {
        "TRANSFER_PROCESSED" | "TRANSFER_FAILED" => &["transfers.readonly", "transfers"],
        "EXPENSE_PAYMENT_UPDATED" => &["expenses.card.readonly", "expenses.card"],
        "USER_UPDATED" => &["users.readonly", "users"],
        RECORD_READY => &["accounting.record.read", "accounting.record.write"],
        _ => &["openid"],
    }
}

/// A card payment at the moment of its authorisation. Nothing is settled, so nothing can be booked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authorization {
    /// The expense that it is for; a new one if absent.
    #[serde(default)]
    pub expense_id: Option<String>,
    /// Rises with each update.
    #[serde(default = "first")]
    pub version: u32,
    /// Whether it went through.
    pub payment_status: AuthorizationStatus,
    /// `APPROVED`, `EXCEEDED_CARD_LIMIT`...
    pub payment_status_reason: String,
    /// What it is.
    pub payment_type: AuthorizationType,
    /// As on the cardholder's statement.
    pub raw_descriptor: String,
    /// In minor units of dollars.
    pub cents: i64,
}

fn first() -> u32 {
    1
}

/// Whether a payment went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AuthorizationStatus {
    /// It did, and will be settled.
    Pending,
    /// It did not.
    Declined,
}

/// What an authorisation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AuthorizationType {
    /// Bought.
    Purchase,
    /// Given back.
    Refund,
    /// Cash.
    Withdrawal,
    /// Refused.
    Declined,
}

/// What can change of a user, and how an event calls it.
const ATTRIBUTES: [(&str, &str); 4] = [
    ("status", "STATUS"),
    ("manager_id", "MANAGER_ID"),
    ("department_id", "DEPARTMENT_ID"),
    ("location_id", "LOCATION_ID"),
];

impl Brex {
    /// Changes attributes of a user, and tells of those that are others than before.
    pub fn update_user(&self, id: &str, patch: &Map<String, Value>, now: Timestamp) -> Result<(), String> {
        let mut state = self.lock();
        let known = |name: &&String| ATTRIBUTES.iter().any(|(attribute, _)| attribute == name);
        if let Some(name) = patch.keys().find(|name| !known(name)) {
            return Err(format!("{name} is not an attribute that changes"));
        }
        let changed = state.team.change_user(id, patch)?;
        let told: Vec<&str> = ATTRIBUTES
            .iter()
            .filter(|(name, _)| changed.iter().any(|other| other == name))
            .map(|&(_, told)| told)
            .collect();
        if !told.is_empty() {
            let event = json!({
                "event_type": "USER_UPDATED",
                "user_id": id,
                "company_id": state.company_id,
                "updated_attributes": told,
            });
            state.announce("USER_UPDATED", &event, now);
        }
        drop(state);
        self.wake_sender();
        Ok(())
    }

    /// A card is used. Gives the id of the expense, which no other API knows before it is settled.
    pub fn authorize(&self, payment: &Authorization, now: Timestamp) -> String {
        let mut state = self.lock();
        let ids = state.draw();
        let expense = payment.expense_id.clone().unwrap_or_else(|| ids.prefixed("expense"));
        let money = json!({ "amount": payment.cents, "currency": "USD" });
        let event = json!({
            "event_type": "EXPENSE_PAYMENT_UPDATED",
            "expense_id": expense,
            "payment_status": payment.payment_status,
            "payment_status_reason": payment.payment_status_reason,
            "payment_type": payment.payment_type,
            "company_id": state.company_id,
            "purchased_at": format!("{now:.3}"),
            "amount": money,
            "original_amount": money,
            "billing_amount": money,
            "payment_description": payment.raw_descriptor,
            "card_id": ids.prefixed("card"),
            "merchant": { "raw_descriptor": payment.raw_descriptor, "mcc": "5734", "country": "USA" },
            "payment_authorization_code": ids.hex(6),
            "version": payment.version,
        });
        state.announce("EXPENSE_PAYMENT_UPDATED", &event, now);
        drop(state);
        self.wake_sender();
        expense
    }
}
