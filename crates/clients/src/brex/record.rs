//! The accounting record as Brex sends it. Amounts are decimals in major units here, unlike in every other Brex API.
//! Values and fields that are not known yet are kept or skipped, so that one odd record never fails a page.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Deserialize;

use crate::decimal::exact;
use crate::wire::{instant, instant_or_none, open_enum, or_default};

open_enum! {
    /// What happened.
    #[derive(Deserialize)]
    #[serde(from = "String")]
    pub enum RecordType {
        /// A card expense settled.
        CardExpensePost = "CARD_EXPENSE_POST",
        /// A merchant refunded a card expense.
        CardExpenseRefund = "CARD_EXPENSE_REFUND",
        /// An employee repaid the company for a card expense.
        CardExpenseRepayment = "CARD_EXPENSE_REPAYMENT",
        /// The customer paid the card balance.
        CardPayment = "CARD_PAYMENT",
        /// Brex refunded an overpayment.
        CardPaymentRefund = "CARD_PAYMENT_REFUND",
        /// A reward was redeemed.
        RewardRedemption = "REWARD_REDEMPTION",
        /// A reimbursement was approved (accrual basis).
        ReimbursementExpenseApproval = "REIMBURSEMENT_EXPENSE_APPROVAL",
        /// A reimbursement was fulfilled (cash basis).
        ReimbursementExpensePost = "REIMBURSEMENT_EXPENSE_POST",
        /// A reimbursement was repaid.
        ReimbursementExpenseRepayment = "REIMBURSEMENT_EXPENSE_REPAYMENT",
        /// Money went out to an employee or a third party.
        ReimbursementPayout = "REIMBURSEMENT_EXPENSE_MONEY_MOVEMENT_PAYOUT",
        /// Such a payout was reversed.
        ReimbursementPayoutReversal = "REIMBURSEMENT_EXPENSE_MONEY_MOVEMENT_PAYOUT_REVERSAL",
        /// The customer paid Brex for reimbursements.
        ReimbursementPayin = "REIMBURSEMENT_EXPENSE_MONEY_MOVEMENT_PAYIN",
        /// Such money went back to the customer's bank.
        ReimbursementRefund = "REIMBURSEMENT_EXPENSE_MONEY_MOVEMENT_REFUND",
        /// A bill was approved.
        BillExpense = "BILL_EXPENSE",
        /// A bill was paid by bank transfer.
        BillExpensePayment = "BILL_EXPENSE_PAYMENT",
        /// A bill was paid with a Brex card.
        BillExpenseCardPayment = "BILL_EXPENSE_CARD_PAYMENT",
        /// The customer paid Brex for bills.
        BillPayin = "BILL_MONEY_MOVEMENT_PAYIN",
        /// Not described by Brex.
        Invoice = "INVOICE",
        /// Not described by Brex.
        InvoicePayment = "INVOICE_PAYMENT",
    }
}

open_enum! {
    /// How far the bookkeeping of a record has come.
    #[derive(Deserialize)]
    #[serde(from = "String")]
    pub enum ReviewStatus {
        /// Fields are missing.
        Prepare = "PREPARE",
        /// Prepared, to be reviewed.
        Review = "REVIEW",
        /// Waiting for us.
        ReadyForExport = "READY_FOR_EXPORT",
        /// Exported.
        Exported = "EXPORTED",
    }
}

open_enum! {
    /// Where a record comes from.
    #[derive(Deserialize)]
    #[serde(from = "String")]
    pub enum SourceType {
        /// A card.
        Card = "CARD",
        /// A reimbursement.
        Reimbursement = "REIMBURSEMENT",
        /// A bill.
        Bill = "BILL",
    }
}

open_enum! {
    /// The side of a line.
    #[derive(Deserialize)]
    #[serde(from = "String")]
    pub enum LineItemType {
        /// Debit.
        Debit = "DEBIT",
        /// Credit.
        Credit = "CREDIT",
    }
}

/// An amount in major units.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Amount {
    /// The number.
    #[serde(deserialize_with = "exact")]
    pub amount: Decimal,
    /// The currency code; compare without regard to case.
    pub currency: String,
}

/// A record of something to be booked.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AccountingRecord {
    /// The id.
    pub id: String,
    /// The total. Never use its sign for the direction.
    pub amount: Amount,
    /// The total in the currency of the purchase.
    #[serde(default)]
    pub original_amount: Option<Amount>,
    /// The total as it was billed; seen in practice, not in the schema.
    #[serde(default)]
    pub billing_amount: Option<Amount>,
    /// What happened.
    #[serde(rename = "type")]
    pub record_type: RecordType,
    /// How far the bookkeeping has come.
    pub review_status: ReviewStatus,
    /// The status of the expense; seen in practice, not in the schema.
    #[serde(default)]
    pub status: Option<String>,
    /// The id of the expense.
    #[serde(default)]
    pub source_id: Option<String>,
    /// Where it comes from.
    pub source_type: SourceType,
    /// When it counts for the ledger: an instant, to be turned into a date of the company's time zone.
    #[serde(deserialize_with = "instant")]
    pub erp_posting_date: Timestamp,
    /// When it was settled.
    #[serde(deserialize_with = "instant")]
    pub posted_at: Timestamp,
    /// The last change.
    #[serde(deserialize_with = "instant")]
    pub updated_at: Timestamp,
    /// When a bill is due.
    #[serde(default, deserialize_with = "instant_or_none")]
    pub due_at: Option<Timestamp>,
    /// The supplier's number of a bill.
    #[serde(default)]
    pub invoice_number: Option<String>,
    /// Grows with every edit.
    pub version: u64,
    /// The receipts.
    #[serde(default, deserialize_with = "or_default")]
    pub receipts: Vec<Receipt>,
    /// Who spent it.
    #[serde(default)]
    pub user: Option<User>,
    /// The merchant of a card record, the supplier of a bill.
    #[serde(default)]
    pub vendor: Option<Vendor>,
    /// A note.
    #[serde(default)]
    pub memo: Option<String>,
    /// Both sides of the booking.
    pub line_items: Vec<LineItem>,
}

/// One line of a record.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LineItem {
    /// The id.
    pub id: String,
    /// The side.
    #[serde(rename = "type")]
    pub line_type: LineItemType,
    /// The amount, always positive.
    pub amount: Amount,
    /// The amount in the currency of the purchase.
    #[serde(default)]
    pub original_amount: Option<Amount>,
    /// The amount as it was billed; seen in practice, not in the schema.
    #[serde(default)]
    pub billing_amount: Option<Amount>,
    /// A note.
    #[serde(default)]
    pub memo: Option<String>,
    /// The coding.
    #[serde(default, deserialize_with = "or_default")]
    pub accounting_field_values: Vec<AccountingFieldValue>,
}

/// One axis of a line's coding with its value.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AccountingFieldValue {
    /// Brex's id of the field.
    pub brex_field_id: String,
    /// Our id of the field.
    #[serde(default)]
    pub remote_field_id: Option<String>,
    /// Brex's id of the value; nothing as long as it is not coded.
    #[serde(default)]
    pub brex_field_value_id: Option<String>,
    /// Our id of the value; nothing for a value made in Brex.
    #[serde(default)]
    pub remote_field_value_id: Option<String>,
    /// The name of the field.
    #[serde(default)]
    pub field_name: Option<String>,
    /// The name of the value.
    #[serde(default)]
    pub field_value_name: Option<String>,
}

/// A receipt.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Receipt {
    /// The id.
    pub id: String,
    /// Where it can be downloaded for 15 minutes, by anyone who has the address.
    #[serde(default, deserialize_with = "or_default")]
    pub download_uris: Vec<String>,
}

impl std::fmt::Debug for Receipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The addresses are credentials of a kind.
        f.debug_struct("Receipt").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Who spent the money. Names can have spaces at their end.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct User {
    /// The id.
    pub id: String,
    /// The first name.
    #[serde(default, deserialize_with = "or_default")]
    pub first_name: String,
    /// The last name.
    #[serde(default, deserialize_with = "or_default")]
    pub last_name: String,
    /// The mail address.
    #[serde(default, deserialize_with = "or_default")]
    pub email: String,
    /// The role.
    #[serde(default)]
    pub role: Option<String>,
    /// The status.
    #[serde(default)]
    pub status: Option<String>,
    /// The department.
    #[serde(default)]
    pub department_id: Option<String>,
    /// The name of the department.
    #[serde(default)]
    pub department_name: Option<String>,
    /// The location.
    #[serde(default)]
    pub location_id: Option<String>,
    /// The name of the location.
    #[serde(default)]
    pub location_name: Option<String>,
    /// The company (`cuacc_...`).
    #[serde(default)]
    pub account_id: Option<String>,
}

/// A merchant or supplier.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Vendor {
    /// The id: `pmch_...` for a card merchant.
    pub id: String,
    /// The name.
    pub name: String,
    /// A person there.
    #[serde(default)]
    pub contact_name: Option<String>,
    /// The mail address.
    #[serde(default)]
    pub email: Option<String>,
    /// The web site.
    #[serde(default)]
    pub website: Option<String>,
    /// The telephone number.
    #[serde(default)]
    pub phone: Option<String>,
}

/// A record or an expense cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the {} {} cannot be read", self.what, self.id.as_deref().unwrap_or("without an id"))]
pub struct DecodeError {
    what: &'static str,
    /// Its id, if at least that can be read.
    pub id: Option<String>,
    #[source]
    source: serde_json::Error,
}

impl DecodeError {
    pub(super) fn new(what: &'static str, id: Option<String>, source: serde_json::Error) -> Self {
        Self { what, id, source }
    }
}

impl AccountingRecord {
    /// Reads a record.
    pub fn from_json(json: &str) -> Result<Self, DecodeError> {
        serde_json::from_str(json).map_err(|source| DecodeError::new("accounting record", record_id(json), source))
    }
}

/// The id of a record whose other fields may be unreadable.
pub(super) fn record_id(json: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Identified {
        id: String,
    }
    serde_json::from_str::<Identified>(json).ok().map(|record| record.id)
}
