//! Transfers: reading them, and asking for one to a vendor. The list has no filters; a create is repeated only with the same
//! key. <https://developer.brex.com/openapi/payments_api/>

use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::expenses::MinorAmount;
use super::{Client, asked};
use crate::error::Error;
use crate::kind::{Access, Kind};
use crate::wire::{instant_or_none, or_default};

/// The most that Brex gives on one page.
const PAGE: &str = "1000";

/// A transfer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Transfer {
    /// The id (`dptx_...`).
    pub id: String,
    /// `ACH`, `CHEQUE` and so on; returns have kinds of their own.
    #[serde(default, deserialize_with = "or_default")]
    pub payment_type: String,
    /// Positive for money that goes out, negative for money that comes in.
    pub amount: MinorAmount,
    /// The cash account.
    #[serde(default)]
    pub originating_account: Option<AccountRef>,
    /// `PROCESSED`, `FAILED`, `PENDING_APPROVAL`, `SCHEDULED`, `PROCESSING`.
    #[serde(default, deserialize_with = "or_default")]
    pub status: String,
    /// Who is paid.
    #[serde(default)]
    pub counterparty: Option<Counterparty>,
    /// What Brex made of the description that was sent.
    #[serde(default)]
    pub description: Option<String>,
    /// When it was or will be processed.
    #[serde(default, deserialize_with = "instant_or_none")]
    pub process_date: Option<Timestamp>,
    /// Why it did not go through.
    #[serde(default)]
    pub cancellation_reason: Option<String>,
    /// When it was made: a date, or an instant.
    #[serde(default, deserialize_with = "instant_or_none")]
    pub created_at: Option<Timestamp>,
    /// The name of the other side.
    #[serde(default)]
    pub display_name: Option<String>,
    /// What the payee reads.
    #[serde(default)]
    pub external_memo: Option<String>,
}

/// Who is paid. Numbers of bank accounts are not read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Counterparty {
    /// `VENDOR`, `BANK_ACCOUNT` or `BOOK_TRANSFER`.
    #[serde(default, rename = "type", deserialize_with = "or_default")]
    pub kind: String,
    /// The vendor's id.
    #[serde(default)]
    pub id: Option<String>,
    /// How the vendor is paid.
    #[serde(default)]
    pub payment_instrument_id: Option<String>,
}

/// A cash account that is named.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AccountRef {
    /// The id (`dpacc_...`).
    #[serde(default, deserialize_with = "or_default")]
    pub id: String,
}

/// A page of transfers.
#[derive(Debug, Deserialize)]
pub struct TransfersPage {
    /// The transfers.
    pub items: Vec<Transfer>,
    /// Where the next page starts; none at the end.
    #[serde(default)]
    pub next_cursor: Option<String>,
}

/// A transfer to a vendor, as it is asked for. The same key always goes with the same body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTransfer {
    /// How the vendor is paid (`pdinstl_...`).
    pub instrument: String,
    /// The cash account (`dpacc_...`).
    pub account: String,
    /// US cents.
    pub cents: i64,
    /// For people in Brex.
    pub description: String,
    /// For the payee: at most 90 characters, 40 for cheques.
    pub memo: String,
    /// Whether a cash admin has to approve it in Brex.
    pub is_manual: bool,
}

/// A way to pay a vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instrument {
    /// The id.
    pub id: String,
    /// `ACH`, `DOMESTIC_WIRE`, `CHEQUE`, `INTERNATIONAL_WIRE`.
    pub rail: String,
}

#[derive(Deserialize)]
struct WithAccounts {
    #[serde(default, deserialize_with = "or_default")]
    payment_accounts: Vec<PaymentAccount>,
}

#[derive(Deserialize)]
struct PaymentAccount {
    #[serde(default)]
    details: Option<PaymentDetails>,
}

#[derive(Deserialize)]
struct PaymentDetails {
    #[serde(default, rename = "type", deserialize_with = "or_default")]
    rail: String,
    #[serde(default)]
    payment_instrument_id: Option<String>,
}

impl Client {
    /// One page of transfers, from the start or from where the page before ended.
    pub async fn list_transfers(&self, cursor: Option<&str>) -> Result<TransfersPage, Error> {
        let mut call = self.get("list_transfers", &["v1", "transfers"])?.query_pair("limit", PAGE);
        if let Some(cursor) = cursor {
            call = call.query_pair("cursor", cursor);
        }
        let mut page: TransfersPage = self.send(call).await?.json()?;
        page.next_cursor = page.next_cursor.filter(|next| !next.is_empty());
        match &page.next_cursor {
            Some(next) if Some(next.as_str()) == cursor => {
                Err(Error::unreadable(asked("list_transfers", Access::Read), "the list repeated its cursor"))
            }
            _ => Ok(page),
        }
    }

    /// The transfer with this id, if Brex shows it.
    pub async fn get_transfer(&self, id: &str) -> Result<Option<Transfer>, Error> {
        match self.send(self.get("get_transfer", &["v1", "transfers", id])?).await {
            Ok(answer) => answer.json().map(Some),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks for a transfer to a vendor. Keep the key with the intent: the same key again makes no second one.
    pub async fn create_transfer(&self, idempotency_key: Uuid, wanted: &NewTransfer) -> Result<Transfer, Error> {
        let mut body = json!({
            "counterparty": { "type": "VENDOR", "payment_instrument_id": wanted.instrument },
            "amount": { "amount": wanted.cents, "currency": "USD" },
            "description": wanted.description,
            "external_memo": wanted.memo,
            "originating_account": { "type": "BREX_CASH", "id": wanted.account },
        });
        if wanted.is_manual {
            body["approval_type"] = json!("MANUAL");
        }
        let call = self
            .write("create_transfer", Method::POST, &["v1", "transfers"])?
            .header_text("idempotency-key", &idempotency_key.to_string())?
            .json(&body)?;
        self.send(call).await?.json()
    }

    /// How this vendor may be paid; nothing if Brex does not know the vendor. Numbers of bank accounts are not read.
    pub async fn list_instruments(&self, vendor: &str) -> Result<Option<Vec<Instrument>>, Error> {
        let found: WithAccounts = match self.send(self.get("list_instruments", &["v1", "vendors", vendor])?).await {
            Ok(answer) => answer.json()?,
            Err(error) if error.kind() == Kind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let details = found.payment_accounts.into_iter().filter_map(|account| account.details);
        let named =
            |details: PaymentDetails| Some(Instrument { id: details.payment_instrument_id?, rail: details.rail });
        Ok(Some(details.filter_map(named).collect()))
    }
}
