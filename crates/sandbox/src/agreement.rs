//! Do both sides say the same? Record by record: what Brex was told, and what Business Central holds.
//!
//! A document belongs to a record if one of its lines names the record's id as a word of its description.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::bc::{DocumentKind, DocumentStatus, LedgerDocument};
use crate::brex::{Outcome, RecordReport};
use crate::world::World;

/// Everything that does not fit, and how much does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Agreement {
    /// True if nothing is listed below.
    pub holds: bool,
    /// Records of Brex.
    pub records: u64,
    /// Of those, with at least one document.
    pub records_with_document: u64,
    /// Documents that name a record.
    pub documents: u64,
    /// Documents that name no record: typed in by someone else.
    pub foreign_documents: u64,
    /// Records that are exported in Brex and have no document.
    pub exported_without_document: Vec<String>,
    /// Records with a document that Brex does not call exported. It is not an error while the connector is at work,
    /// nor for bills, which have no such status.
    pub not_exported: Vec<String>,
    /// Documents that name a record which Brex does not have.
    pub document_without_record: Vec<Uuid>,
    /// Records with more than one document.
    pub duplicates: Vec<String>,
    /// Records with a document of another amount or currency, or of the wrong kind.
    pub amounts_differ: Vec<String>,
    /// Records of which Brex was told another document than the one there is.
    pub references_differ: Vec<String>,
}

/// What both sides hold of one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordAgreement {
    /// `accr_...`
    pub record_id: String,
    /// `READY_FOR_EXPORT`...; none if Brex does not have it.
    pub review_status: Option<String>,
    /// How often a result was reported.
    pub reported: usize,
    /// What the last success named.
    pub reference: Option<String>,
    /// The documents that name it, by BC's number.
    pub documents: Vec<String>,
    /// What is wrong, if anything is.
    pub verdicts: Vec<Verdict>,
}

/// What can be wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Exported in Brex, no document.
    ExportedWithoutDocument,
    /// A document, not exported in Brex.
    NotExported,
    /// A document, no record.
    DocumentWithoutRecord,
    /// More than one document.
    Duplicate,
    /// Another amount, currency or kind.
    AmountDiffers,
    /// Brex was told another document.
    ReferenceDiffers,
}

/// What the comparison needs of a document.
struct Found {
    id: Uuid,
    number: String,
    currency: String,
    /// Negative for a credit memo.
    total: Decimal,
    is_posted: bool,
}

impl World {
    /// What does not agree, in lists.
    pub fn agreement(&self) -> Agreement {
        let mut agreement = Agreement::default();
        let (mut documents, foreign) = self.documents_of_records();
        agreement.foreign_documents = foreign;
        agreement.documents = documents.values().map(|found| found.len() as u64).sum();
        self.brex.each_record(|report| {
            let found = documents.remove(&report.id).unwrap_or_default();
            agreement.records += 1;
            agreement.records_with_document += u64::from(!found.is_empty());
            agreement.take(&report.id, &verdicts(&report, &found));
        });
        agreement.document_without_record = documents.values().flatten().map(|found| found.id).collect();
        agreement.holds = agreement.exported_without_document.is_empty()
            && agreement.not_exported.is_empty()
            && agreement.document_without_record.is_empty()
            && agreement.duplicates.is_empty()
            && agreement.amounts_differ.is_empty()
            && agreement.references_differ.is_empty();
        agreement
    }

    /// What both sides hold of each record that either was exported or has a document, by record id.
    pub fn agreement_by_record(&self) -> Vec<RecordAgreement> {
        let (mut documents, _) = self.documents_of_records();
        let mut records = Vec::new();
        self.brex.each_record(|report| {
            let found = documents.remove(&report.id).unwrap_or_default();
            if found.is_empty() && report.exports.is_empty() {
                return;
            }
            records.push(RecordAgreement {
                verdicts: verdicts(&report, &found),
                reference: reference(&report),
                reported: report.exports.len(),
                review_status: Some(report.review_status),
                record_id: report.id,
                documents: found.into_iter().map(|found| found.number).collect(),
            });
        });
        records.extend(documents.into_iter().map(|(record_id, found)| RecordAgreement {
            record_id,
            review_status: None,
            reported: 0,
            reference: None,
            documents: found.into_iter().map(|found| found.number).collect(),
            verdicts: vec![Verdict::DocumentWithoutRecord],
        }));
        records.sort_by(|left, right| left.record_id.cmp(&right.record_id));
        records
    }

    /// The documents by the record that they name, and how many name none.
    fn documents_of_records(&self) -> (BTreeMap<String, Vec<Found>>, u64) {
        let mut documents: BTreeMap<String, Vec<Found>> = BTreeMap::new();
        let mut foreign = 0;
        self.bc.each_document(|document| match record_of(&document) {
            None => foreign += 1,
            Some(record) => documents.entry(record).or_default().push(Found::of(document)),
        });
        (documents, foreign)
    }
}

impl Agreement {
    fn take(&mut self, record: &str, verdicts: &[Verdict]) {
        for verdict in verdicts {
            let list = match verdict {
                Verdict::ExportedWithoutDocument => &mut self.exported_without_document,
                Verdict::NotExported => &mut self.not_exported,
                Verdict::Duplicate => &mut self.duplicates,
                Verdict::AmountDiffers => &mut self.amounts_differ,
                Verdict::ReferenceDiffers => &mut self.references_differ,
                // Found only where there is no record.
                Verdict::DocumentWithoutRecord => continue,
            };
            list.push(record.to_owned());
        }
    }
}

impl Found {
    fn of(document: LedgerDocument) -> Self {
        let total = match document.kind {
            DocumentKind::Invoice => document.total,
            DocumentKind::CreditMemo => -document.total,
        };
        let is_posted = document.status != DocumentStatus::Draft;
        Self { id: document.id, number: document.number, currency: document.currency, total, is_posted }
    }
}

/// The record that a document names.
fn record_of(document: &LedgerDocument) -> Option<String> {
    let words = document.lines.iter().flat_map(|line| line.description.split_whitespace());
    let id = |word: &&str| word.starts_with("accr_");
    words.map(|word| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '_')).find(id).map(str::to_owned)
}

fn verdicts(report: &RecordReport, found: &[Found]) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    let is_exported = report.review_status == "EXPORTED";
    if found.is_empty() {
        return if is_exported { vec![Verdict::ExportedWithoutDocument] } else { verdicts };
    }
    if found.len() > 1 {
        verdicts.push(Verdict::Duplicate);
    }
    if !is_exported && report.record["source_type"] != "BILL" {
        verdicts.push(Verdict::NotExported);
    }
    if found.iter().any(|document| !amounts(&report.record).contains(&(document.currency.clone(), document.total))) {
        verdicts.push(Verdict::AmountDiffers);
    }
    // Posting gives a document another number, so a posted one may have been reported with its old one.
    let is_named = |reference: String| {
        let is_it = |document: &Found| {
            document.is_posted || reference == document.number || reference == document.id.to_string()
        };
        found.iter().any(is_it)
    };
    if is_exported && !reference(report).is_some_and(is_named) {
        verdicts.push(Verdict::ReferenceDiffers);
    }
    verdicts
}

/// The totals that a document of this record may have: what was billed, or what was paid in the merchant's currency.
fn amounts(record: &Value) -> Vec<(String, Decimal)> {
    let record_type = record["type"].as_str().unwrap_or_default();
    let comes_back = ["REFUND", "REPAYMENT", "REVERSAL"].iter().any(|word| record_type.contains(word));
    let amount = |name: &str| {
        let total: Decimal = record[name]["amount"].as_number()?.to_string().parse().ok()?;
        let total = if comes_back { -total.abs() } else { total.abs() };
        Some((record[name]["currency"].as_str()?.to_owned(), total))
    };
    ["amount", "original_amount"].into_iter().filter_map(amount).collect()
}

fn reference(report: &RecordReport) -> Option<String> {
    report.exports.iter().rev().find_map(|export| match &export.outcome {
        Outcome::Success { reference_id, .. } => reference_id.clone(),
        Outcome::Failure { .. } => None,
    })
}
