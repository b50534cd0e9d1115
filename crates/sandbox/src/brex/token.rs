//! User tokens: what they may do, and how they stop working.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Brex;
use super::state::State;
use crate::clock::hours;
use crate::ids::Ids;

/// Every scope that an operation of the sandbox asks for.
pub const ALL_SCOPES: &[&str] = &[
    "openid",
    "offline_access",
    "accounting.integration.read",
    "accounting.integration.write",
    "accounting.record.read",
    "accounting.record.write",
    "fields.read",
    "fields.write",
    "field_values.read",
    "field_values.write",
    "companies.readonly",
    "users.readonly",
    "departments.readonly",
    "departments",
    "locations.readonly",
    "locations",
    "legal_entities.readonly",
    "expenses.card.readonly",
    "expenses.card",
    "vendors.readonly",
    "vendors",
    "transfers.readonly",
    "transfers",
    "incoming_transfers",
    "linked_accounts.readonly",
    "accounts.cash.readonly",
    "accounts.card.readonly",
    "transactions.card.readonly",
    "transactions.cash.readonly",
    "statements.card.readonly",
    "statements.cash.readonly",
];

/// Whether a token works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenStatus {
    /// It works.
    Active,
    /// 401 from now on.
    Revoked,
    /// 403 from now on.
    Expired,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Token {
    pub(super) value: String,
    pub(super) status: TokenStatus,
    pub(super) scopes: BTreeSet<String>,
    /// When it was used last; one that was never used does not age.
    #[serde(default)]
    pub(super) used_at: Option<Timestamp>,
}

impl Token {
    pub(super) fn new(ids: &Ids) -> Self {
        Self {
            value: format!("bxt_{}", ids.alphanumeric(40)),
            status: TokenStatus::Active,
            scopes: ALL_SCOPES.iter().map(|&scope| scope.to_owned()).collect(),
            used_at: None,
        }
    }
}

impl Token {
    /// Notes a use. A token that was not used for so many days has expired.
    pub(super) fn use_at(&mut self, now: Timestamp, idle_days: i64) {
        let life = hours(idle_days.saturating_mul(24));
        let idle = self.used_at.is_some_and(|used_at| now.duration_since(used_at) > life);
        if idle && self.status == TokenStatus::Active {
            self.status = TokenStatus::Expired;
        }
        self.used_at = Some(now);
    }
}

impl State {
    pub(super) fn token(&self) -> String {
        self.tokens
            .iter()
            .rev()
            .find(|token| token.status == TokenStatus::Active)
            .or(self.tokens.last())
            .map(|token| token.value.clone())
            .unwrap_or_default()
    }

    fn end_tokens(&mut self, status: TokenStatus) {
        for token in &mut self.tokens {
            if token.status == TokenStatus::Active {
                token.status = status;
            }
        }
    }
}

impl Brex {
    /// All working tokens answer 401 from now on.
    pub fn revoke_token(&self) {
        self.lock().end_tokens(TokenStatus::Revoked);
    }

    /// All working tokens answer 403 from now on.
    pub fn expire_token(&self) {
        self.lock().end_tokens(TokenStatus::Expired);
    }

    /// A new token with all scopes; the older ones stay as they are.
    pub fn issue_token(&self) -> String {
        let mut state = self.lock();
        let token = Token::new(&state.draw());
        let value = token.value.clone();
        state.tokens.push(token);
        value
    }

    /// Takes scopes away from every token, or gives them back: they have exactly these from now on.
    pub fn set_scopes(&self, scopes: &[&str]) {
        let scopes: BTreeSet<String> = scopes.iter().map(|&scope| scope.to_owned()).collect();
        for token in &mut self.lock().tokens {
            token.scopes.clone_from(&scopes);
        }
    }
}
