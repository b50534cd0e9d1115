//! The vendor ledger as an inspector sees it.

use rust_decimal::Decimal;
use serde::Serialize;
use uuid::Uuid;

use super::{EntryType, VendorEntry};
use crate::bc::document::{DimensionSet, ledger::shown_currency};
use crate::bc::table::Tables;

/// A vendor ledger entry. What is owed is negative.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LedgerEntry {
    /// SystemId.
    pub id: Uuid,
    /// Entry number.
    pub number: u32,
    /// Payment, invoice...
    pub document_type: EntryType,
    /// Document number.
    pub document_number: String,
    /// The vendor's number of an invoice, or whatever a payment names.
    pub external_number: String,
    /// Vendor number.
    pub vendor_number: String,
    /// Posting date.
    pub posting_date: jiff::civil::Date,
    /// Code, never blank.
    pub currency: String,
    /// In that currency.
    #[serde(with = "rust_decimal::serde::arbitrary_precision")]
    pub amount: Decimal,
    /// Not settled yet.
    #[serde(with = "rust_decimal::serde::arbitrary_precision")]
    pub remaining: Decimal,
    /// Taken back, or taking back.
    pub reversed: bool,
    /// Of the entry.
    pub dimensions: DimensionSet,
}

impl LedgerEntry {
    pub(crate) fn of(tables: &Tables, id: Uuid, entry: &VendorEntry) -> Self {
        Self {
            id,
            number: entry.number,
            document_type: entry.document_type,
            document_number: entry.document_number.clone(),
            external_number: entry.external_number.clone(),
            vendor_number: tables.vendors.get(entry.vendor).map_or_else(String::new, |row| row.base.number.clone()),
            posting_date: entry.posting_date,
            currency: shown_currency(tables, &entry.currency),
            amount: entry.amount,
            remaining: entry.remaining,
            reversed: entry.reversed,
            dimensions: tables.ledger.dimensions(entry.dimension_set).cloned().unwrap_or_default(),
        }
    }
}
