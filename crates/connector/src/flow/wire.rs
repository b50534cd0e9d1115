//! Where the wire meets the domain: Brex records in, Business Central documents out and back.

use std::collections::BTreeMap;

use clients::bc::{DimensionSetLine, Document, DocumentKind as WireKind, LineType, NewDocument, NewLine};
use clients::brex::{AccountingRecord, Amount, DecodeError, LineItem, LineItemType};
use domain::document::{DocumentKind, FoundDocument, FoundLine, PlannedDocument};
use domain::id::RecordId;
use domain::late::LateDimension;
use domain::money::{Currency, InvalidCurrency, Money};
use domain::record::{CodedField, Line, Merchant, Person, Record, Review, Side};
use rust_decimal::Decimal;

/// Longer than any id of Brex (some 40 bytes), and short enough for an index of the store.
const SOURCE_ID_MAX: usize = 200;

/// Why a record cannot be understood.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableRecord {
    /// A required field is missing or has the wrong type.
    #[error("{0}")]
    Decode(#[from] DecodeError),
    /// A currency is not a code.
    #[error("{0}")]
    Currency(#[from] InvalidCurrency),
    /// A line is neither debit nor credit.
    #[error("line {0} is neither DEBIT nor CREDIT")]
    Side(String),
    /// The version does not fit.
    #[error("the version {0} is out of range")]
    Version(u64),
    /// An expense lacks what a booking needs.
    #[error("the expense has no {0}")]
    Missing(&'static str),
}

/// Reads an accounting record as Brex sent it.
pub fn read_record(json: &str) -> Result<Record, UnreadableRecord> {
    let wire = AccountingRecord::from_json(json)?;
    Ok(Record {
        id: RecordId::new(wire.id),
        version: i64::try_from(wire.version).map_err(|_| UnreadableRecord::Version(wire.version))?,
        type_name: wire.record_type.as_str().to_owned(),
        policy: None,
        review: Review::from_brex(wire.review_status.as_str()),
        source_type: wire.source_type.as_str().to_owned(),
        source_id: filled(wire.source_id).filter(|id| id.len() <= SOURCE_ID_MAX),
        amount: money(&wire.amount)?,
        original_amount: wire.original_amount.as_ref().map(money).transpose()?,
        posting_at: wire.erp_posting_date,
        updated_at: wire.updated_at,
        due_at: wire.due_at,
        invoice_number: filled(wire.invoice_number),
        memo: filled(wire.memo),
        merchant: wire.vendor.map(|vendor| Merchant { id: vendor.id, name: vendor.name }),
        person: wire.user.map(|user| Person {
            name: format!("{} {}", user.first_name.trim(), user.last_name.trim()).trim().to_owned(),
            email: user.email,
        }),
        lines: wire.line_items.into_iter().map(line).collect::<Result<_, _>>()?,
        receipts: wire.receipts.into_iter().map(|receipt| receipt.id).collect(),
    })
}

/// The text, if it says anything.
pub(super) fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

fn money(amount: &Amount) -> Result<Money, InvalidCurrency> {
    Ok(Money::new(amount.amount, Currency::new(&amount.currency)?))
}

fn line(item: LineItem) -> Result<Line, UnreadableRecord> {
    let side = match item.line_type {
        LineItemType::Debit => Side::Debit,
        LineItemType::Credit => Side::Credit,
        LineItemType::Other(_) => return Err(UnreadableRecord::Side(item.id)),
    };
    let coding = item.accounting_field_values.into_iter().map(|value| CodedField {
        field: value.remote_field_id,
        field_name: value.field_name,
        value: value.remote_field_value_id,
        value_name: value.field_value_name,
    });
    Ok(Line {
        id: item.id,
        side,
        amount: money(&item.amount)?,
        original_amount: item.original_amount.as_ref().map(money).transpose()?,
        memo: item.memo,
        coding: coding.collect(),
    })
}

/// The kind in the client's words.
pub(super) fn wire_kind(kind: DocumentKind) -> WireKind {
    match kind {
        DocumentKind::Invoice => WireKind::Invoice,
        DocumentKind::CreditMemo => WireKind::CreditMemo,
    }
}

/// The planned document as it is sent: quantity 1, the gross amount as unit cost, the marker as the last line.
///
/// The company's own currency is named, too: without a code Business Central takes the vendor's. It stores its own code
/// as blank (business-central.md §4.2).
pub fn new_document(plan: &PlannedDocument, local_currency: &str) -> NewDocument {
    let own = Some(local_currency).filter(|code| !code.is_empty()).map(str::to_owned);
    let mut lines: Vec<NewLine> = plan
        .lines
        .iter()
        .enumerate()
        .map(|(place, line)| NewLine::Account {
            account_number: line.account.clone(),
            description: line.description.clone(),
            quantity: Decimal::ONE,
            unit_cost: line.amount,
            tax_code: line.tax_code.clone(),
            dimensions: line
                .dimensions
                .iter()
                .filter(|(code, _)| {
                    !plan.late.contains(&LateDimension { line: Some(place), dimension: (*code).clone() })
                })
                .map(|(code, value)| (code.clone(), value.clone()))
                .collect(),
        })
        .collect();
    lines.push(NewLine::Comment { description: plan.marker_line() });
    let is_late = |code: &String| plan.late.contains(&LateDimension { line: None, dimension: code.clone() });
    let header = plan.dimensions.iter().filter(|(code, _)| !is_late(code));
    NewDocument {
        vendor_number: plan.vendor_number.clone(),
        posting_date: plan.posting_date,
        document_date: plan.document_date,
        due_date: plan.due_date,
        number: plan.number.as_str().to_owned(),
        currency_code: plan.currency.clone().or(own),
        prices_include_tax: plan.tax.filter(|tax| tax.prices_include_tax).map(|_| true),
        dimensions: header.map(|(code, value)| (code.clone(), value.clone())).collect(),
        lines,
        applies_to_invoice_id: plan.applies_to.as_ref().map(|invoice| invoice.id),
    }
}

/// A document as Business Central holds it, in the domain's words.
pub fn found_document(kind: DocumentKind, document: &Document) -> FoundDocument {
    let lines = document.lines.iter().map(|line| FoundLine {
        line_type: match &line.line_type {
            LineType::Account => "Account".to_owned(),
            LineType::Comment => "Comment".to_owned(),
            other => other.as_str().to_owned(),
        },
        account: line.account_number.clone(),
        description: line.description.clone(),
        amount: line.amount_including_tax,
        tax_code: line.tax_code.clone(),
        dimensions: by_code(&line.dimensions),
    });
    FoundDocument {
        kind,
        id: document.id,
        number: document.number.clone(),
        vendor_document_number: document.vendor_document_number.clone(),
        vendor_number: document.vendor_number.clone(),
        posting_date: document.posting_date,
        document_date: document.document_date,
        due_date: document.due_date,
        currency: document.currency_code.clone(),
        total: document.total_amount_including_tax,
        tax: document.total_tax_amount,
        prices_include_tax: document.prices_include_tax,
        applies_to: document.applies_to_invoice_id,
        status: document.status.as_str().to_owned(),
        dimensions: by_code(&document.dimensions),
        lines: lines.collect(),
    }
}

fn by_code(set: &[DimensionSetLine]) -> BTreeMap<String, String> {
    set.iter().map(|line| (line.code.clone(), line.value_code.clone())).collect()
}
