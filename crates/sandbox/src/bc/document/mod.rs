//! Purchase documents: invoices and credit memos are one engine with two faces.

pub(crate) mod checks;
pub(crate) mod currency;
pub(crate) mod dimensions;
mod figures;
pub(crate) mod formula;
pub(crate) mod header;
mod item;
pub(crate) mod ledger;
pub(crate) mod line;
pub(crate) mod post;
pub(crate) mod totals;

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::index::Key;
use crate::company::Address;

/// BC's blank date as a posting date.
pub(crate) const BLANK_POSTING_DATE: Date = jiff::civil::date(1, 1, 1);

/// Dimension codes with value codes.
pub(crate) type DimensionSet = BTreeMap<String, String>;

/// Invoice or credit memo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// Purchase invoice.
    Invoice,
    /// Purchase credit memo.
    CreditMemo,
}

impl DocumentKind {
    /// `Invoice`, `Credit Memo`: after "Purchase" in texts.
    pub(crate) fn caption(self) -> &'static str {
        match self {
            Self::Invoice => "Invoice",
            Self::CreditMemo => "Credit Memo",
        }
    }

    /// What takes a document of this kind back.
    pub(crate) fn opposite(self) -> Self {
        match self {
            Self::Invoice => Self::CreditMemo,
            Self::CreditMemo => Self::Invoice,
        }
    }

    /// `invoice`, `credit memo`: within sentences.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Invoice => "invoice",
            Self::CreditMemo => "credit memo",
        }
    }
}

/// How far a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DocumentStatus {
    /// Not posted.
    Draft,
    /// Posted and not settled.
    Open,
    /// Posted and settled.
    Paid,
    /// Posted and taken back.
    Canceled,
    /// Posted, and itself takes another one back.
    Corrective,
}

impl DocumentStatus {
    pub(crate) const NAMES: &[&str] =
        &["_x0020_", "Draft", "In_x0020_Review", "Open", "Paid", "Canceled", "Corrective"];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Draft => "Draft",
            Self::Open => "Open",
            Self::Paid => "Paid",
            Self::Canceled => "Canceled",
            Self::Corrective => "Corrective",
        }
    }
}

/// A purchase invoice or credit memo, draft or posted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "independent check boxes of a header")]
pub(crate) struct Document {
    pub(crate) kind: DocumentKind,
    /// Replaced at posting; the id stays.
    pub(crate) number: String,
    pub(crate) posting_date: Date,
    /// The document date.
    pub(crate) dated: Date,
    pub(crate) due_date: Option<Date>,
    /// The vendor's number of it.
    pub(crate) external_number: String,
    pub(crate) vendor: Uuid,
    pub(crate) vendor_name: String,
    pub(crate) buy_from: Address,
    pub(crate) pay_to: Uuid,
    pub(crate) pay_to_name: String,
    pub(crate) pay_to_address: Address,
    pub(crate) ship_to_name: String,
    pub(crate) ship_to_contact: String,
    pub(crate) ship_to: Address,
    /// Blank for the company's own.
    pub(crate) currency: String,
    pub(crate) purchaser: String,
    pub(crate) payment_terms: String,
    pub(crate) invoice_discount: Decimal,
    pub(crate) dimensions: DimensionSet,
    pub(crate) lines: Vec<Line>,
    pub(crate) status: DocumentStatus,
    /// The posted invoice that a credit memo is applied to.
    pub(crate) applies_to: Option<Uuid>,
    /// Released drafts cannot be changed.
    #[serde(default)]
    pub(crate) released: bool,
    /// Only in a VAT company: unit costs are gross.
    #[serde(default)]
    pub(crate) prices_include_tax: bool,
    /// The discount was set by hand, and lines do not change it.
    #[serde(default)]
    pub(crate) discount_by_hand: bool,
    /// The vendor's when the document was made.
    #[serde(default)]
    pub(crate) tax_liable: bool,
    #[serde(skip)]
    pub(crate) kept: figures::Kept,
}

impl Document {
    pub(crate) fn is_posted(&self) -> bool {
        self.status != DocumentStatus::Draft
    }

    /// What the document is looked up by.
    pub(crate) fn keys(&self) -> Vec<Key> {
        let mut keys = vec![
            Key::Number(self.number.clone()),
            Key::External(self.external_number.clone()),
            Key::Vendor(self.vendor),
        ];
        keys.extend(self.lines.iter().map(|line| Key::Line(line.id)));
        keys
    }

    /// The header's key as error texts name it.
    pub(crate) fn key(&self) -> String {
        format!("Document Type={}, No.={}", self.kind.caption(), self.number)
    }
}

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LineKind {
    Comment,
    Account,
    Item,
    Resource,
    FixedAsset,
    Charge,
    AllocationAccount,
}

impl LineKind {
    pub(crate) const NAMES: &[&str] =
        &["Comment", "Account", "Item", "Resource", "Fixed_x0020_Asset", "Charge", "Allocation_x0020_Account"];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Comment => "Comment",
            Self::Account => "Account",
            Self::Item => "Item",
            Self::Resource => "Resource",
            Self::FixedAsset => "Fixed_x0020_Asset",
            Self::Charge => "Charge",
            Self::AllocationAccount => "Allocation_x0020_Account",
        }
    }

    pub(crate) fn of(name: &str) -> Self {
        match name {
            "Account" => Self::Account,
            "Item" => Self::Item,
            "Resource" => Self::Resource,
            "Fixed_x0020_Asset" => Self::FixedAsset,
            "Charge" => Self::Charge,
            "Allocation_x0020_Account" => Self::AllocationAccount,
            _ => Self::Comment,
        }
    }
}

/// A line of a document.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) id: Uuid,
    pub(crate) sequence: i64,
    pub(crate) kind: LineKind,
    /// The G/L account, zero on comments.
    pub(crate) account: Uuid,
    /// The item, zero on all other lines.
    #[serde(default)]
    pub(crate) item: Uuid,
    #[serde(default)]
    pub(crate) variant: Uuid,
    /// Code of the unit of measure of an item.
    #[serde(default)]
    pub(crate) unit: String,
    pub(crate) number: String,
    pub(crate) description: String,
    pub(crate) description2: String,
    pub(crate) unit_cost: Decimal,
    pub(crate) quantity: Decimal,
    pub(crate) discount_amount: Decimal,
    pub(crate) discount_percent: Decimal,
    pub(crate) tax_code: String,
    /// As of the moment when the code was set.
    #[serde(default)]
    pub(crate) tax_percent: Decimal,
    pub(crate) expected_receipt_date: Option<Date>,
    pub(crate) dimensions: DimensionSet,
}
