//! The expense behind a record: purchase date, raw merchant and legal entity, which records do not carry. Amounts are
//! whole minor units here. <https://developer.brex.com/openapi/expenses_api/>

use jiff::Timestamp;
use serde::Deserialize;

use super::Client;
use crate::error::Error;
use crate::kind::Kind;
use crate::wire::instant_or_none;

/// An amount in minor units.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct MinorAmount {
    /// The number of cents (or whatever the currency's smallest unit is).
    pub amount: i64,
    /// The currency; US dollars if not given.
    #[serde(default)]
    pub currency: Option<String>,
}

/// The merchant as the card network names it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Merchant {
    /// The raw text.
    #[serde(default)]
    pub raw_descriptor: Option<String>,
    /// The merchant category code.
    #[serde(default)]
    pub mcc: Option<String>,
    /// The country.
    #[serde(default)]
    pub country: Option<String>,
}

/// A legal entity of the company.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LegalEntity {
    /// The id.
    pub id: String,
    /// The name.
    #[serde(default)]
    pub display_name: Option<String>,
}

/// An expense; Brex promises only its id.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Expense {
    /// The id.
    pub id: String,
    /// The last change.
    #[serde(default, deserialize_with = "instant_or_none")]
    pub updated_at: Option<Timestamp>,
    /// When it was bought.
    #[serde(default, deserialize_with = "instant_or_none")]
    pub purchased_at: Option<Timestamp>,
    /// The kind, such as `CARD`.
    #[serde(default)]
    pub expense_type: Option<String>,
    /// The status, such as `APPROVED`.
    #[serde(default)]
    pub status: Option<String>,
    /// The status of the payment, such as `CLEARED`.
    #[serde(default)]
    pub payment_status: Option<String>,
    /// A note.
    #[serde(default)]
    pub memo: Option<String>,
    /// The merchant.
    #[serde(default)]
    pub merchant: Option<Merchant>,
    /// The amount in the currency of the purchase.
    #[serde(default)]
    pub original_amount: Option<MinorAmount>,
    /// The amount as it was billed.
    #[serde(default)]
    pub billing_amount: Option<MinorAmount>,
    /// The legal entity that spent.
    #[serde(default)]
    pub spending_entity: Option<LegalEntity>,
    /// The id of the legal entity that spent.
    #[serde(default)]
    pub spending_entity_id: Option<String>,
    /// The id of the legal entity that pays.
    #[serde(default)]
    pub billing_entity_id: Option<String>,
    /// Where people see it in Brex.
    #[serde(default)]
    pub dashboard_url: Option<String>,
}

impl Client {
    /// The expense with its merchant, or nothing if Brex does not know it.
    pub async fn get_expense(&self, id: &str) -> Result<Option<Expense>, Error> {
        let call = self.get("get_expense", &["v1", "expenses", id])?.query_pair("expand[]", "merchant");
        match self.send(call).await {
            Ok(answer) => answer.json().map(Some),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
