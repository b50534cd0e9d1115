//! Do the books agree? Compares the two sides of a sandbox with each other, record by record and to the cent, without
//! asking the connector's own memory.

use std::collections::BTreeMap;

use domain::record::{Record, Treatment};
use rust_decimal::Decimal;
use sandbox::World;
use sandbox::bc::{DocumentKind, LedgerDocument};
use sandbox::brex::{Outcome, RecordReport};

use crate::flow::read_record;

/// What the comparison found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    /// Invoices that carry our marker.
    pub invoices: usize,
    /// Credit memos that carry our marker.
    pub credit_memos: usize,
    /// Records that have more than one document.
    pub duplicates: Vec<String>,
    /// Everything else that does not fit, one sentence each.
    pub differences: Vec<String>,
}

impl Agreement {
    /// True when both sides say the same.
    pub fn holds(&self) -> bool {
        self.duplicates.is_empty() && self.differences.is_empty()
    }
}

/// Compares Brex and Business Central of a sandbox in which everything has come to rest.
pub fn check(world: &World) -> Agreement {
    let mut agreement = Agreement::default();
    let mut by_record: BTreeMap<String, Vec<LedgerDocument>> = BTreeMap::new();
    for document in world.bc.ledger() {
        let Some(record) = record_of(&document) else { continue };
        match document.kind {
            DocumentKind::Invoice => agreement.invoices += 1,
            DocumentKind::CreditMemo => agreement.credit_memos += 1,
        }
        by_record.entry(record).or_default().push(document);
    }
    for report in world.brex.records() {
        let documents = by_record.remove(&report.id).unwrap_or_default();
        if documents.len() > 1 {
            agreement.duplicates.push(report.id.clone());
        }
        agreement
            .differences
            .extend(compare(&report, &documents).into_iter().map(|text| format!("{}: {text}", report.id)));
    }
    for record in by_record.keys() {
        agreement.differences.push(format!("{record}: has a document but is not in Brex"));
    }
    agreement
}

/// The record that a document's marker names.
fn record_of(document: &LedgerDocument) -> Option<String> {
    let marker = document.lines.iter().find(|line| line.description.starts_with("Brex job "))?;
    marker.description.split(" record ").nth(1).map(str::to_owned)
}

fn compare(report: &RecordReport, documents: &[LedgerDocument]) -> Vec<String> {
    let is_exported = report.review_status == "EXPORTED";
    let Some(document) = documents.first() else {
        return if is_exported { vec!["exported in Brex without a document".to_owned()] } else { Vec::new() };
    };
    let Ok(record) = read_record(&report.record.to_string()) else {
        return vec!["has a document although it cannot be read".to_owned()];
    };
    let mut differences = compare_amounts(&record, document);
    if is_exported {
        let reference = report.exports.last().and_then(|export| match &export.outcome {
            Outcome::Success { reference_id, .. } => reference_id.clone(),
            Outcome::Failure { .. } => None,
        });
        if reference.as_deref() != Some(document.number.as_str()) {
            differences.push(format!("Brex was told {reference:?}, the document is {}", document.number));
        }
    } else if record.treatment() != Treatment::Bill {
        differences.push("has a document and is not exported in Brex".to_owned());
    }
    differences
}

fn compare_amounts(record: &Record, document: &LedgerDocument) -> Vec<String> {
    let mut differences = Vec::new();
    let mut check = |what: &str, brex: String, bc: String| {
        if brex != bc {
            differences.push(format!("{what} is {brex} in Brex and {bc} in Business Central"));
        }
    };
    let kind = match record.treatment().document() {
        Some(kind) => kind.as_str(),
        None => "none",
    };
    let found = match document.kind {
        DocumentKind::Invoice => "invoice",
        DocumentKind::CreditMemo => "credit_memo",
    };
    check("the kind", kind.to_owned(), found.to_owned());
    check("the currency", record.amount.currency.to_string(), document.currency.clone());
    check("the total", record.total().normalize().to_string(), document.total.normalize().to_string());
    let mut brex: Vec<Decimal> = record.expense_lines().map(|line| line.amount.amount.normalize()).collect();
    let accounts = document.lines.iter().filter(|line| !line.number.is_empty());
    let mut bc: Vec<Decimal> = accounts.map(|line| line.amount.normalize()).collect();
    brex.sort_unstable();
    bc.sort_unstable();
    check("the list of line amounts", format!("{brex:?}"), format!("{bc:?}"));
    differences
}
