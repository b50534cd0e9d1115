//! What can be switched in the Payments and Transactions APIs, and who may use them at all.

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::error::{Api, Refusal};
use super::state::State;

/// The role of the user whose token is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Role {
    /// May do everything.
    AccountAdmin,
    /// May pay.
    ApClerk,
    /// May pay and keep the books.
    Bookkeeper,
    /// May spend only.
    Employee,
}

/// How vendors are found by `name`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameMatch {
    /// The whole name.
    Exact,
    /// The name's beginning.
    Prefix,
}

/// What makes two names the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameCase {
    /// `ACME` and `Acme` are the same.
    Ignored,
    /// They differ.
    Counts,
}

/// What a null in an update means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NullInUpdate {
    /// The same as leaving the field out.
    Keeps,
    /// The field is emptied.
    Clears,
}

/// The sign of cash transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CashSign {
    /// Negative for money that leaves, as on a bank statement.
    Statement,
    /// Positive for money that leaves, as on transfers.
    Transfer,
}

/// How a transfer tells its day of creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreatedAt {
    /// As in the schema.
    Date,
    /// With the time.
    DateTime,
}

/// Whether GET shows returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Returns {
    /// 404, and not in lists: the description names four rails only.
    Hidden,
    /// With `payment_type` ending in `_RETURN`.
    Readable,
}

/// The switches of payments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentSettings {
    /// The role of the token's user.
    pub role: Role,
    /// Whether there is a Brex business account.
    pub cash_account: bool,
    /// How the list of vendors matches `name`.
    pub vendor_name_match: NameMatch,
    /// Whether vendor names that differ in case only are the same.
    pub vendor_name_case: NameCase,
    /// The status for a vendor name that is taken.
    pub vendor_name_taken_status: u16,
    /// What a null in an update of a vendor means.
    pub vendor_null: NullInUpdate,
    /// Whether transfers need an approval by the account's default policy.
    pub approval_by_default: bool,
    /// Hours from processing to processed for transfers that arrive on the day they leave.
    pub same_day_hours: i64,
    /// Business days from processing to processed.
    pub ach_days: u8,
    /// Business days from processing to processed.
    pub domestic_wire_days: u8,
    /// Business days from processing to processed.
    pub cheque_days: u8,
    /// Business days from processing to processed.
    pub international_wire_days: u8,
    /// Transfers in any 24 hours before 429.
    pub transfers_per_day: usize,
    /// International wires in any 24 hours before 429.
    pub international_wires_per_day: usize,
    /// How `created_at` looks.
    pub created_at: CreatedAt,
    /// Whether GET shows returns.
    pub returns: Returns,
    /// The sign of cash transactions.
    pub cash_sign: CashSign,
}

impl Default for PaymentSettings {
    fn default() -> Self {
        Self {
            role: Role::AccountAdmin,
            cash_account: true,
            vendor_name_match: NameMatch::Exact,
            vendor_name_case: NameCase::Ignored,
            vendor_name_taken_status: 400,
            vendor_null: NullInUpdate::Keeps,
            approval_by_default: false,
            same_day_hours: 2,
            ach_days: 2,
            domestic_wire_days: 0,
            cheque_days: 5,
            international_wire_days: 3,
            transfers_per_day: 1000,
            international_wires_per_day: 100,
            created_at: CreatedAt::Date,
            returns: Returns::Hidden,
            cash_sign: CashSign::Statement,
        }
    }
}

impl State {
    /// Refuses users who may not pay, and accounts that cannot; the text is documented for vendors.
    pub(super) fn may_pay(&self) -> Result<(), Refusal> {
        let settings = &self.settings.payments;
        if settings.cash_account && settings.role != Role::Employee {
            return Ok(());
        }
        let message = "Only account admin, ap clerks and bookkeepers can access contacts";
        Err(Refusal::of(Api::Platform, StatusCode::UNAUTHORIZED, "UNAUTHORIZED", message))
    }
}
