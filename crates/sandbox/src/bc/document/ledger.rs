//! A plain view of every document for inspection.

use rust_decimal::Decimal;
use serde::Serialize;
use uuid::Uuid;

use super::currency::precision;
use super::{DimensionSet, Document, DocumentKind, DocumentStatus, totals};
use crate::bc::table::Tables;

/// A purchase document as an inspector sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LedgerDocument {
    /// Invoice or credit memo.
    pub kind: DocumentKind,
    /// SystemId, the same before and after posting.
    pub id: Uuid,
    /// BC's number.
    pub number: String,
    /// Draft, Open, Paid...
    pub status: DocumentStatus,
    /// Vendor number.
    pub vendor_number: String,
    /// Vendor name on the document.
    pub vendor_name: String,
    /// Vendor invoice or credit memo number.
    pub external_number: String,
    /// Posting date.
    pub posting_date: jiff::civil::Date,
    /// Document date.
    pub document_date: jiff::civil::Date,
    /// Due date.
    pub due_date: Option<jiff::civil::Date>,
    /// Code, never blank.
    pub currency: String,
    /// Including tax.
    #[serde(with = "rust_decimal::serde::arbitrary_precision")]
    pub total: Decimal,
    /// Of the header.
    pub dimensions: DimensionSet,
    /// In their order.
    pub lines: Vec<LedgerLine>,
}

/// A line of a [`LedgerDocument`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LedgerLine {
    /// SystemId.
    pub id: Uuid,
    /// Line number.
    pub sequence: i64,
    /// `Account`, `Comment`...
    pub line_type: &'static str,
    /// Account number, blank on comments.
    pub number: String,
    /// Text.
    pub description: String,
    /// Quantity.
    #[serde(with = "rust_decimal::serde::arbitrary_precision")]
    pub quantity: Decimal,
    /// Unit cost.
    #[serde(with = "rust_decimal::serde::arbitrary_precision")]
    pub unit_cost: Decimal,
    /// Amount of the line.
    #[serde(with = "rust_decimal::serde::arbitrary_precision")]
    pub amount: Decimal,
    /// Tax group code.
    pub tax_code: String,
    /// Dimension codes with value codes.
    pub dimensions: DimensionSet,
}

impl LedgerDocument {
    pub(crate) fn of(tables: &Tables, id: Uuid, document: &Document) -> Self {
        let precision = precision(tables, &document.currency);
        let lines = document.lines.iter().map(|line| LedgerLine {
            id: line.id,
            sequence: line.sequence,
            line_type: line.kind.name(),
            number: line.number.clone(),
            description: line.description.clone(),
            quantity: line.quantity,
            unit_cost: line.unit_cost,
            amount: totals::line_amount(line, precision),
            tax_code: line.tax_code.clone(),
            dimensions: line.dimensions.clone(),
        });
        Self {
            kind: document.kind,
            id,
            number: document.number.clone(),
            status: document.status,
            vendor_number: tables.vendors.get(document.vendor).map_or_else(String::new, |row| row.base.number.clone()),
            vendor_name: document.vendor_name.clone(),
            external_number: document.external_number.clone(),
            posting_date: document.posting_date,
            document_date: document.dated,
            due_date: document.due_date,
            currency: shown_currency(tables, &document.currency),
            total: document.figures(tables).total,
            dimensions: document.dimensions.clone(),
            lines: lines.collect(),
        }
    }
}

/// The code that is shown for a stored one.
pub(crate) fn shown_currency(tables: &Tables, code: &str) -> String {
    if code.is_empty() { tables.setup().local_currency.clone() } else { code.to_owned() }
}
