//! What is compared when Brex transfers are reconciled with Business Central, and what comes out. [`reconcile()`] decides.
//!
//! Amounts are whole minor units of their currency (cents), as Brex sends them: comparing is exact by construction.

mod bookings;
mod decide;
mod facts;
mod numbers;
mod order;
mod phases;
mod results;
mod subset;
mod table;

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::money::{Currency, Money};

pub use decide::reconcile;
pub use facts::{Facts, Settled};
pub use numbers::{number_key, numbers_in};
pub use order::{
    Case, Limits, Order, Payment, Refusal, Way, check_limits, decide_payment, dollars, order_key, order_memo,
};
pub use results::{AgeBucket, Reason, Standing, Verdict};

/// What became of the money of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Movement {
    /// Waits for approval, is scheduled or processing.
    UnderWay,
    /// Never left: cancelled, denied, no funds.
    Failed,
    /// Went out.
    Completed,
    /// Went out and came back.
    Returned,
    /// Came in, or is the return of another transfer.
    Incoming,
}

/// A transfer of Brex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// The id (`dptx_...`).
    pub id: String,
    /// What became of it.
    pub movement: Movement,
    /// Minor units, without sign.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
    /// When it settled, else when it was or is processed.
    pub date: Date,
    /// Memo and description.
    pub texts: Vec<String>,
    /// The BC vendors that it may be for: one if the Brex vendor is linked, several if only the name fits, none if unknown.
    pub vendors: Vec<Uuid>,
    /// What left the cash account for it, in minor units without sign, if that is known.
    pub settled: Option<i64>,
}

/// Kind of a posted purchase document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayableKind {
    /// We owe it.
    Invoice,
    /// The vendor owes it.
    CreditMemo,
}

/// A posted purchase invoice or credit memo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payable {
    /// BC's id.
    pub id: String,
    /// What it is.
    pub kind: PayableKind,
    /// The vendor.
    pub vendor: Uuid,
    /// The supplier's number and BC's own: what a memo may name it by.
    pub numbers: Vec<String>,
    /// The total in minor units.
    pub total: i64,
    /// What BC still has open of it; 0 if it is closed.
    pub remaining: i64,
    /// Whether `remaining` is known to the cent. BC's API does not tell it for each document (business-central.md 6.5).
    pub is_certain: bool,
    /// The currency.
    pub currency: Currency,
    /// Its date.
    pub date: Date,
    /// When it is due.
    pub due: Date,
}

/// A payment that is posted in BC: a vendor ledger entry of type Payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerPayment {
    /// The entry's number.
    pub id: String,
    /// The vendor.
    pub vendor: Uuid,
    /// Minor units, without sign.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
    /// The posting date.
    pub date: Date,
    /// External document number and description.
    pub texts: Vec<String>,
    /// Whether it is not applied to anything yet, or not entirely.
    pub is_open: bool,
}

/// Both sides.
#[derive(Clone, Debug, Default)]
pub struct Books {
    /// Brex's transfers.
    pub transfers: Vec<Transfer>,
    /// BC's documents.
    pub payables: Vec<Payable>,
    /// BC's payments.
    pub payments: Vec<LedgerPayment>,
}

/// Money of a transfer on one document; negative on a credit memo.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Part {
    /// The document's id.
    pub payable: String,
    /// Minor units.
    pub amount: i64,
}

/// How sure a match is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// A hint.
    Low,
    /// Likely, for a person to confirm.
    Medium,
    /// Nothing else fits: matched automatically.
    High,
}

/// What speaks for a match, or against its being automatic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// A person said so.
    SaidByHand,
    /// The memo or description names the documents.
    NumberNamed,
    /// The amount is the same to the cent.
    AmountExact,
    /// It is the vendor's only document of that amount.
    OnlyOne,
    /// Exactly these documents of the vendor add up to it.
    OnlySum,
    /// Credit memos are deducted.
    CreditMemoNetted,
    /// It pays a part of the document.
    PartPayment,
    /// Several transfers add up to the document.
    SeveralTransfers,
    /// More than the amount left the account: a fee.
    Fee,
    /// Against: the vendor is not linked.
    VendorNotLinked,
    /// Against: the dates lie far apart.
    DatesApart,
    /// Against: what is left of the document is not known to the cent.
    RemainingUncertain,
    /// Against: the memo also names a document of another vendor.
    OtherVendorsNumber,
    /// Against: the memo names a number that is not known.
    UnknownNumber,
    /// Against: what left the account differs by more than a fee.
    SettledDiffers,
    /// Against: BC closed the document, and not with this payment.
    ClosedOtherwise,
    /// Against: other documents fit as well.
    OthersFit,
}

impl Why {
    /// Whether it keeps a match from being automatic.
    pub fn is_against(self) -> bool {
        self >= Self::VendorNotLinked
    }
}

/// A transfer with the documents that it pays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Match {
    /// The transfer.
    pub transfer: String,
    /// The documents, in the order of their ids.
    pub parts: Vec<Part>,
    /// How sure it is.
    pub confidence: Confidence,
    /// Why.
    pub why: Vec<Why>,
    /// What left the account beyond the amount.
    pub fee: i64,
}

impl Match {
    /// The money that it accounts for.
    pub fn amount(&self) -> i64 {
        self.parts.iter().fold(0, |sum, part| sum.saturating_add(part.amount))
    }

    /// Whether a person made it.
    pub fn is_by_hand(&self) -> bool {
        self.why.contains(&Why::SaidByHand)
    }
}

/// What stands before anything is compared.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Matches that stand: made by hand, or found earlier.
    pub matches: Vec<Match>,
    /// Pairs of transfer and document that a person took apart: never matched again by themselves.
    pub rejected: BTreeSet<(String, String)>,
}

impl Said {
    /// Takes the match of a transfer apart, and remembers it. Returns what it was.
    pub fn unmatch(&mut self, transfer: &str) -> Option<Match> {
        let place = self.matches.iter().position(|found| found.transfer == transfer)?;
        let found = self.matches.remove(place);
        let pairs = found.parts.iter().map(|part| (found.transfer.clone(), part.payable.clone()));
        self.rejected.extend(pairs);
        Some(found)
    }
}

/// How far dates may lie apart, and how much is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// A payment may be this many days earlier than its document.
    pub days_before: i32,
    /// And this many days later than the due date.
    pub days_after: i32,
    /// A payment in BC may be booked this many days before or after the transfer.
    pub booking_days: i32,
    /// The largest fee, in minor units.
    pub fee_most: i64,
    /// Most documents that one transfer is looked for in, without numbers.
    pub members_most: usize,
    /// Most documents that are tried out together.
    pub candidates_most: usize,
    /// Most steps of one search.
    pub steps_most: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            days_before: 7,
            days_after: 60,
            booking_days: 5,
            fee_most: 5_000,
            members_most: 6,
            candidates_most: 40,
            steps_most: 20_000,
        }
    }
}

/// What comes out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What is matched: by hand, earlier, or now.
    pub matches: Vec<Match>,
    /// What a person may confirm. It takes no money from anything.
    pub suggestions: Vec<Match>,
    /// Each transfer, in the order of the ids.
    pub transfers: Vec<Standing>,
    /// Each document, in the order of the ids.
    pub payables: Vec<Standing>,
    /// Payments of BC that no transfer stands for.
    pub payments_left: Vec<String>,
}

/// Whole minor units of an amount; none if it has finer decimals or is out of range.
pub fn minor_units(money: &Money) -> Option<i64> {
    let factor = rust_decimal::Decimal::from(10_i64.checked_pow(money.currency.decimals())?);
    let units = money.amount.checked_mul(factor)?.normalize();
    if units.scale() == 0 { i64::try_from(units.mantissa()).ok() } else { None }
}

/// The amount of minor units.
pub fn money_of(minor: i64, currency: &Currency) -> Money {
    Money::new(rust_decimal::Decimal::new(minor, currency.decimals()), currency.clone())
}
