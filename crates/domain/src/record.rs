//! A Brex accounting record as the flow sees it: what was bought, by whom, when, for how much, and how it is coded.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::document::DocumentKind;
use crate::hold::{Hold, HoldCode};
use crate::id::RecordId;
use crate::money::Money;

/// One accounting record in one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Brex id.
    pub id: RecordId,
    /// Grows with edits.
    pub version: i64,
    /// Type exactly as Brex wrote it.
    pub type_name: String,
    /// What the connection wants records of this type to become; none for what the type is by itself.
    pub policy: Option<TypePolicy>,
    /// Where the record stands in Brex.
    pub review: Review,
    /// `CARD`, `REIMBURSEMENT`, `BILL` or whatever comes.
    pub source_type: String,
    /// The expense that it is about.
    pub source_id: Option<String>,
    /// Total in billing currency; the sign carries no meaning.
    pub amount: Money,
    /// Total in the currency of the purchase, if Brex sent it.
    pub original_amount: Option<Money>,
    /// When the record is to have effect in the ledger.
    pub posting_at: Timestamp,
    /// Last change in Brex.
    pub updated_at: Timestamp,
    /// Due date of a bill.
    pub due_at: Option<Timestamp>,
    /// The supplier's invoice number on a bill.
    pub invoice_number: Option<String>,
    /// Free text of the cardholder.
    pub memo: Option<String>,
    /// Card merchant, or the payee of a bill.
    pub merchant: Option<Merchant>,
    /// Who spent.
    pub person: Option<Person>,
    /// Double-entry lines.
    pub lines: Vec<Line>,
    /// Ids of its receipts.
    pub receipts: Vec<String>,
}

/// Where a record stands in Brex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Review {
    /// Coding is incomplete.
    Prepare,
    /// Coded, waiting for a look.
    Review,
    /// A person clicked Export.
    ReadyForExport,
    /// Taken.
    Exported,
    /// A state of a newer Brex.
    Other(String),
}

impl Review {
    /// Reads Brex's text; unknown states are kept.
    pub fn from_brex(text: &str) -> Self {
        match text {
            "PREPARE" => Self::Prepare,
            "REVIEW" => Self::Review,
            "READY_FOR_EXPORT" => Self::ReadyForExport,
            "EXPORTED" => Self::Exported,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Brex's text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Prepare => "PREPARE",
            Self::Review => "REVIEW",
            Self::ReadyForExport => "READY_FOR_EXPORT",
            Self::Exported => "EXPORTED",
            Self::Other(text) => text,
        }
    }
}

/// The card merchant, or the payee of a bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merchant {
    /// Brex id (`pmch_…` for merchants).
    pub id: String,
    /// Name as Brex shows it.
    pub name: String,
}

/// The person who spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// First and last name, trimmed.
    pub name: String,
    /// E-mail address.
    pub email: String,
}

/// One line of the double entry; amounts are positive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Brex id.
    pub id: String,
    /// Which side.
    pub side: Side,
    /// Amount in billing currency.
    pub amount: Money,
    /// Amount in the currency of the purchase.
    pub original_amount: Option<Money>,
    /// Free text.
    pub memo: Option<String>,
    /// Coding.
    pub coding: Vec<CodedField>,
}

/// Side of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Debit.
    Debit,
    /// Credit.
    Credit,
}

/// One coded field of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CodedField {
    /// `remote_field_id`: the axis, by the name we gave it.
    pub field: Option<String>,
    /// Name of the field in Brex.
    pub field_name: Option<String>,
    /// `remote_field_value_id`: BC's id, number or code.
    pub value: Option<String>,
    /// Name of the value in Brex.
    pub value_name: Option<String>,
}

impl CodedField {
    /// The value without blanks around it; none if nothing is left.
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref().map(str::trim).filter(|text| !text.is_empty())
    }

    /// The value's name without blanks around it; none if nothing is left.
    pub fn value_name(&self) -> Option<&str> {
        self.value_name.as_deref().map(str::trim).filter(|text| !text.is_empty())
    }

    /// True when neither an id nor a name of a value is there.
    pub fn is_empty(&self) -> bool {
        self.value().is_none() && self.value_name().is_none()
    }

    /// What the field is coded to, for a sentence: value and name as far as they are there.
    pub fn shown(&self) -> String {
        [self.value(), self.value_name()].into_iter().flatten().collect::<Vec<_>>().join(" / ")
    }

    /// What BC row the field means: by its value, or, where Brex knows only a name, by the number that the name starts
    /// with (coding lists show `61300 Advertising`).
    pub fn find<'a, T>(&self, row: impl Fn(&str) -> Option<&'a T>) -> Option<&'a T> {
        match self.value() {
            Some(value) => row(value),
            None => self.value_name().and_then(|name| row(name).or_else(|| row(name.split_whitespace().next()?))),
        }
    }
}

/// What a connection wants a record type to become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TypePolicy {
    /// A purchase invoice.
    Invoice,
    /// A purchase credit memo.
    CreditMemo,
    /// No document.
    NotSpend,
    /// A hold, so that a person decides.
    Hold,
}

/// What a record type becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// A document on the merchant's vendor.
    Spend(DocumentKind),
    /// A document on the employee's vendor.
    Reimbursement(DocumentKind),
    /// A purchase invoice with the supplier's own number.
    Bill,
    /// Money movement: never a document.
    NotSpend,
    /// A type that this version does not know or has no rule for.
    Unknown,
}

impl Treatment {
    /// The default policy per record type (brex.md §2.4).
    pub fn of(type_name: &str) -> Self {
        match type_name {
            "CARD_EXPENSE_POST" => Self::Spend(DocumentKind::Invoice),
            "CARD_EXPENSE_REFUND" | "CARD_EXPENSE_REPAYMENT" => Self::Spend(DocumentKind::CreditMemo),
            "REIMBURSEMENT_EXPENSE_APPROVAL" | "REIMBURSEMENT_EXPENSE_POST" => {
                Self::Reimbursement(DocumentKind::Invoice)
            }
            "BILL_EXPENSE" => Self::Bill,
            "CARD_PAYMENT"
            | "CARD_PAYMENT_REFUND"
            | "REWARD_REDEMPTION"
            | "REIMBURSEMENT_EXPENSE_MONEY_MOVEMENT_PAYOUT"
            | "REIMBURSEMENT_EXPENSE_MONEY_MOVEMENT_PAYOUT_REVERSAL"
            | "REIMBURSEMENT_EXPENSE_MONEY_MOVEMENT_PAYIN"
            | "REIMBURSEMENT_EXPENSE_MONEY_MOVEMENT_REFUND"
            | "BILL_EXPENSE_PAYMENT"
            | "INVOICE_PAYMENT"
            | "BILL_EXPENSE_CARD_PAYMENT"
            | "BILL_MONEY_MOVEMENT_PAYIN"
            // Not of Brex: card expenses that do not stand any more, where expenses are the source.
            | "CARD_EXPENSE_VOID"
            | "CARD_EXPENSE_CANCELED"
            | "CARD_EXPENSE_DECLINED"
            | "CARD_EXPENSE_SPLIT" => Self::NotSpend,
            _ => Self::Unknown,
        }
    }

    /// What a type from this source becomes in a connection.
    pub fn among(types: &BTreeMap<String, TypePolicy>, type_name: &str, source_type: &str) -> Self {
        types.get(type_name).map_or_else(|| Self::of(type_name), |policy| Self::under(*policy, source_type))
    }

    /// What a policy means for records from this source: whose vendor it is on, and whose number it carries.
    fn under(policy: TypePolicy, source_type: &str) -> Self {
        let of_source =
            |kind| if source_type == "REIMBURSEMENT" { Self::Reimbursement(kind) } else { Self::Spend(kind) };
        match policy {
            TypePolicy::Invoice if source_type == "BILL" => Self::Bill,
            TypePolicy::Invoice => of_source(DocumentKind::Invoice),
            TypePolicy::CreditMemo => of_source(DocumentKind::CreditMemo),
            TypePolicy::NotSpend => Self::NotSpend,
            TypePolicy::Hold => Self::Unknown,
        }
    }

    /// The kind of document, if there is one.
    pub fn document(self) -> Option<DocumentKind> {
        match self {
            Self::Spend(kind) | Self::Reimbursement(kind) => Some(kind),
            Self::Bill => Some(DocumentKind::Invoice),
            Self::NotSpend | Self::Unknown => None,
        }
    }
}

impl Record {
    /// The record as a connection treats its type.
    #[must_use]
    pub fn under(self, types: &BTreeMap<String, TypePolicy>) -> Self {
        Self { policy: types.get(&self.type_name).copied(), ..self }
    }

    /// What this record becomes.
    pub fn treatment(&self) -> Treatment {
        match self.policy {
            Some(policy) => Treatment::under(policy, &self.source_type),
            None => Treatment::of(&self.type_name),
        }
    }

    /// The hold of a record that becomes nothing by itself.
    pub fn without_rule(&self) -> Hold {
        let text = match self.policy {
            Some(_) => format!("the connection makes no document of the record type {}", self.type_name),
            None => format!("this version of the connector has no rule for the record type {}", self.type_name),
        };
        Hold::new(HoldCode::RecordTypeUnknown, text)
    }

    /// True when the connector may act on it: a person asked for the export, or it is a bill that is prepared
    /// (bills reach an ERP without passing the export journal, brex.md §2.5).
    pub fn is_ready(&self) -> bool {
        match self.review {
            Review::ReadyForExport => true,
            Review::Review => self.treatment() == Treatment::Bill,
            Review::Prepare | Review::Exported | Review::Other(_) => false,
        }
    }

    /// The lines that carry the expense: debits, or credits when money comes back.
    pub fn expense_lines(&self) -> impl Iterator<Item = &Line> {
        let side = match self.treatment().document() {
            Some(DocumentKind::CreditMemo) => Side::Credit,
            Some(DocumentKind::Invoice) | None => Side::Debit,
        };
        self.lines.iter().filter(move |line| line.side == side)
    }

    /// The lines on the card's, employee's or supplier's side.
    pub fn balancing_lines(&self) -> impl Iterator<Item = &Line> {
        let side = match self.treatment().document() {
            Some(DocumentKind::CreditMemo) => Side::Debit,
            Some(DocumentKind::Invoice) | None => Side::Credit,
        };
        self.lines.iter().filter(move |line| line.side == side)
    }

    /// Total without sign.
    pub fn total(&self) -> Decimal {
        self.amount.abs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_of_the_reference_has_a_treatment_and_a_new_one_is_unknown() {
        assert_eq!(Treatment::of("CARD_EXPENSE_POST").document(), Some(DocumentKind::Invoice));
        assert_eq!(Treatment::of("CARD_EXPENSE_REFUND").document(), Some(DocumentKind::CreditMemo));
        assert_eq!(Treatment::of("BILL_EXPENSE"), Treatment::Bill);
        assert_eq!(Treatment::of("CARD_PAYMENT"), Treatment::NotSpend);
        assert_eq!(Treatment::of("INVOICE"), Treatment::Unknown);
        assert_eq!(Treatment::of("CARD_EXPENSE_DISPUTE"), Treatment::Unknown);
    }

    #[test]
    fn a_review_state_of_a_newer_brex_is_kept() {
        assert_eq!(Review::from_brex("ARCHIVED").as_str(), "ARCHIVED");
        assert_eq!(Review::from_brex("READY_FOR_EXPORT"), Review::ReadyForExport);
    }
}
