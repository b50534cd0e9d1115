//! The purchase document in Business Central: as planned, and as read back.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::id::{DocumentNumber, JobId, RecordId};
use crate::late::LateDimension;
use crate::tax::PlannedTax;
use crate::text::fitting;

/// Longest description of a document line (`Text[100]`), as [`crate::text::length`] counts.
pub const DESCRIPTION_MAX: usize = 100;

/// How the comment line of a document of ours starts.
pub const MARKER: &str = "Brex job ";

/// Kind of purchase document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// Purchase invoice.
    Invoice,
    /// Purchase credit memo.
    CreditMemo,
}

impl DocumentKind {
    /// Stable name, as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invoice => "invoice",
            Self::CreditMemo => "credit_memo",
        }
    }

    /// Business Central's words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Invoice => "purchase invoice",
            Self::CreditMemo => "purchase credit memo",
        }
    }

    /// Reads the stable name.
    pub fn from_stored(text: &str) -> Option<Self> {
        [Self::Invoice, Self::CreditMemo].into_iter().find(|k| k.as_str() == text)
    }
}

/// The document that a record shall become. It is stored, so that a retry sends exactly the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedDocument {
    /// Kind.
    pub kind: DocumentKind,
    /// The record it is made from.
    pub record: RecordId,
    /// Version of the record it is made from.
    pub record_version: i64,
    /// Identity of the work.
    pub job: JobId,
    /// Vendor Invoice No. or Vendor Cr. Memo No.
    pub number: DocumentNumber,
    /// Number of the BC vendor.
    pub vendor_number: String,
    /// Posting Date.
    pub posting_date: Date,
    /// Document Date.
    pub document_date: Date,
    /// Due Date, where the record carries one.
    pub due_date: Option<Date>,
    /// Foreign currency; none means the company's own.
    pub currency: Option<String>,
    /// Sum of the lines.
    pub total: Decimal,
    /// Dimensions of the header: those that all lines have. Business Central books the payable with them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dimensions: BTreeMap<String, String>,
    /// Lines with amounts.
    pub lines: Vec<PlannedLine>,
    /// What is planned about tax; none means gross amounts without any tax code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<PlannedTax>,
    /// The posted invoice that a credit memo is applied to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applies_to: Option<AppliesTo>,
    /// Version of the rules that made the plan.
    pub rules: String,
    /// Dimensions that are set only once the draft is made; what the document shall be in the end does not depend on it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub late: BTreeSet<LateDimension>,
}

/// A posted invoice that a credit memo is applied to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliesTo {
    /// BC's id.
    pub id: Uuid,
    /// BC's number.
    pub number: String,
}

/// A line of the planned document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedLine {
    /// Number of the G/L account.
    pub account: String,
    /// Text of the line.
    pub description: String,
    /// Gross amount: quantity 1, unit cost this.
    pub amount: Decimal,
    /// Tax group, or VAT product posting group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_code: Option<String>,
    /// Dimension code to value code.
    pub dimensions: BTreeMap<String, String>,
}

impl PlannedDocument {
    /// Text of the comment line that marks the document as ours.
    pub fn marker_line(&self) -> String {
        let text = format!("{} record {}", marker(self.job), self.record);
        fitting(&text, DESCRIPTION_MAX).to_owned()
    }

    /// The same document, without the order in which its dimensions are set.
    #[must_use]
    pub fn at_once(self) -> Self {
        Self { late: BTreeSet::new(), ..self }
    }

    /// SHA-256 over the plan, in hex: equal plans send equal bodies.
    pub fn hash(&self) -> String {
        let json = serde_json::to_vec(self).unwrap_or_default();
        data_encoding::HEXLOWER.encode(&Sha256::digest(json))
    }
}

/// The words by which a document is recognised as ours; they stand at the start of a comment line.
pub fn marker(job: JobId) -> String {
    format!("{MARKER}{job}")
}

/// A document as Business Central holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundDocument {
    /// Kind.
    pub kind: DocumentKind,
    /// BC's id (survives posting).
    pub id: Uuid,
    /// BC's number (changes on posting).
    pub number: String,
    /// Vendor Invoice No. or Vendor Cr. Memo No.
    pub vendor_document_number: String,
    /// Number of the vendor.
    pub vendor_number: String,
    /// Posting Date.
    pub posting_date: Option<Date>,
    /// Document Date.
    pub document_date: Option<Date>,
    /// Due Date.
    pub due_date: Option<Date>,
    /// Currency code as BC shows it: the company's own code when the field is blank.
    pub currency: String,
    /// Total including tax.
    pub total: Decimal,
    /// Tax in it.
    pub tax: Decimal,
    /// Whether unit costs include tax.
    pub prices_include_tax: bool,
    /// The posted invoice that it is applied to.
    pub applies_to: Option<Uuid>,
    /// BC's status text (`Draft`, `Open`, …).
    pub status: String,
    /// Dimensions of the header.
    pub dimensions: BTreeMap<String, String>,
    /// Lines in BC's order.
    pub lines: Vec<FoundLine>,
}

/// A line as Business Central holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundLine {
    /// `Account`, `Comment`, …
    pub line_type: String,
    /// Number of the account.
    pub account: String,
    /// Text.
    pub description: String,
    /// Amount including tax.
    pub amount: Decimal,
    /// The tax code as BC answers it: in a VAT company the VAT identifier of the code that was sent.
    pub tax_code: String,
    /// Dimension code to value code.
    pub dimensions: BTreeMap<String, String>,
}

impl FoundDocument {
    /// True when a comment line carries the marker of this job.
    pub fn is_marked(&self, job: JobId) -> bool {
        let marker = marker(job);
        self.lines.iter().any(|line| line.line_type == "Comment" && line.description.starts_with(&marker))
    }
}
