//! An expense: purchase date, raw merchant and legal entity, which records do not carry, and its coding. Amounts are whole
//! minor units here. <https://developer.brex.com/openapi/expenses_api/>

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::Client;
use super::record::{DecodeError, Receipt, record_id};
use crate::error::Error;
use crate::kind::Kind;
use crate::wire::{instant_or_none, or_default};

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

/// Who spent, as an expense tells: without a mail address.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Spender {
    /// The first name.
    #[serde(default, deserialize_with = "or_default")]
    pub first_name: String,
    /// The last name.
    #[serde(default, deserialize_with = "or_default")]
    pub last_name: String,
}

/// A field of the coding with what was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CustomField {
    /// The field; whether by its id or by its name is not documented.
    pub key: String,
    /// What was chosen.
    #[serde(default, deserialize_with = "or_default")]
    pub value: CustomValue,
}

/// What was chosen, in whatever shape: a text, an option, or a list of either.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct CustomValue {
    /// The value itself.
    #[serde(default)]
    data: Value,
}

/// One choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The id of the option (`efo_...`), if it is one.
    pub option_id: Option<String>,
    /// What people see.
    pub label: Option<String>,
}

impl CustomField {
    /// What was chosen; nothing if the field is empty.
    pub fn choices(&self) -> Vec<Choice> {
        let one = |data: &Value| {
            let text = |key: &str| data.get(key).and_then(Value::as_str).map(str::to_owned);
            let plain = match data {
                Value::String(text) => Some(text.clone()),
                Value::Number(_) | Value::Bool(_) => Some(data.to_string()),
                _ => None,
            };
            let choice = Choice { option_id: text("option_id"), label: text("option_label").or(plain) };
            (choice.option_id.is_some() || choice.label.is_some()).then_some(choice)
        };
        match &self.value.data {
            Value::Array(list) => list.iter().filter_map(one).collect(),
            data => one(data).into_iter().collect(),
        }
    }
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
    /// When the money moved.
    #[serde(default, deserialize_with = "instant_or_none")]
    pub payment_posted_at: Option<Timestamp>,
    /// When it was exported to an accounting system, by whomever.
    #[serde(default, deserialize_with = "instant_or_none")]
    pub exported_at: Option<Timestamp>,
    /// The expense that this one is a part of; not in the schema.
    #[serde(default)]
    pub parent_expense_id: Option<String>,
    /// The merchant's id.
    #[serde(default)]
    pub merchant_id: Option<String>,
    /// The merchant.
    #[serde(default)]
    pub merchant: Option<Merchant>,
    /// Who spent.
    #[serde(default)]
    pub user: Option<Spender>,
    /// The receipts, with links only where they were asked for.
    #[serde(default, deserialize_with = "or_default")]
    pub receipts: Vec<Receipt>,
    /// The coding, where it was asked for.
    #[serde(default, deserialize_with = "or_default")]
    pub custom_fields: Vec<CustomField>,
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

impl Expense {
    /// Reads an expense.
    pub fn from_json(json: &str) -> Result<Self, DecodeError> {
        serde_json::from_str(json).map_err(|source| DecodeError::new("expense", record_id(json), source))
    }
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
