//! Cash accounts and what was settled on them. <https://developer.brex.com/openapi/transactions_api/>

use jiff::Timestamp;
use serde::Deserialize;

use super::Client;
use super::expenses::MinorAmount;
use crate::error::Error;
use crate::wire::{instant_or_none, or_default};

/// The most that Brex gives on one page.
const PAGE: &str = "1000";
/// A walk through the transactions of an account has at most this many pages.
const MAX_PAGES: usize = 10_000;

/// A cash account. Its numbers are not read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CashAccount {
    /// The id (`dpacc_...`).
    pub id: String,
    /// Its name.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// `ACTIVE` if it can be used.
    #[serde(default)]
    pub status: Option<String>,
    /// What may be spent.
    #[serde(default)]
    pub available_balance: Option<MinorAmount>,
    /// Whether it is the main one.
    #[serde(default, deserialize_with = "or_default")]
    pub primary: bool,
}

/// Something that was posted on a cash account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CashTransaction {
    /// The id.
    pub id: String,
    /// Money in or out; which sign is which is not documented.
    #[serde(default)]
    pub amount: Option<MinorAmount>,
    /// When it was posted.
    #[serde(default, deserialize_with = "instant_or_none")]
    pub posted_at_date: Option<Timestamp>,
    /// The transfer that it belongs to.
    #[serde(default)]
    pub transfer_id: Option<String>,
}

impl Client {
    /// The cash accounts.
    pub async fn list_cash_accounts(&self) -> Result<Vec<CashAccount>, Error> {
        let first = self.get("list_cash_accounts", &["v2", "accounts", "cash"])?;
        self.walk("list_cash_accounts", first, MAX_PAGES).await
    }

    /// What was settled on an account since an instant.
    pub async fn list_cash_transactions(&self, account: &str, since: Timestamp) -> Result<Vec<CashTransaction>, Error> {
        const OPERATION: &str = "list_cash_transactions";
        let first = self
            .get(OPERATION, &["v2", "transactions", "cash", account])?
            .query_pair("limit", PAGE)
            .query_pair("posted_at_start", &since.to_string());
        self.walk(OPERATION, first, MAX_PAGES).await
    }
}
