//! What a tie-out cannot explain, each with a stable code and a sentence.

use serde::Serialize;

use super::{BcDocument, BrexRecord, OurRecord, Period, Sides, Standing};
use crate::id::RecordId;
use crate::stage::Stage;

/// Why something does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Brex released the record, and the connector never saw it.
    NeverSeen,
    /// Brex says exported; the connector did not do it.
    ExportedByOthers,
    /// The connector exported it; Brex says it is not exported.
    NotExportedInBrex,
    /// The document is not in Business Central.
    DocumentMissing,
    /// More than one document has its marker.
    SeveralDocuments,
    /// A document is there although the record shall have none.
    DocumentUnexpected,
    /// Document and record have other amounts.
    AmountDiffers,
    /// Brex does not have the record of this document any more.
    RecordMissing,
    /// What Brex says about the record cannot be read.
    Unreadable,
}

impl Reason {
    /// Stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NeverSeen => "never_seen",
            Self::ExportedByOthers => "exported_by_others",
            Self::NotExportedInBrex => "not_exported_in_brex",
            Self::DocumentMissing => "document_missing",
            Self::SeveralDocuments => "several_documents",
            Self::DocumentUnexpected => "document_unexpected",
            Self::AmountDiffers => "amount_differs",
            Self::RecordMissing => "record_missing",
            Self::Unreadable => "unreadable",
        }
    }

    /// What a bookkeeper can do.
    pub fn what_to_do(self) -> &'static str {
        match self {
            Self::NeverSeen => "take it up with ml-connector backfill --from its date",
            Self::ExportedByOthers => "find the document that was made for it by hand or by another tool",
            Self::NotExportedInBrex => "export it again in Brex: the connector finds its document and reports it",
            Self::DocumentMissing => "ask who deleted it and why; the reason belongs beside the signature",
            Self::SeveralDocuments => "keep one and delete the others, or take them back by a credit memo",
            Self::DocumentUnexpected => "look at the document: delete the draft, or take it back by a credit memo",
            Self::AmountDiffers => "correct the draft, or take the posted document back by a credit memo",
            Self::Unreadable => "look at the record in Brex; update ml-connector if a newer version can read it",
            Self::RecordMissing => "ask who removed the record in Brex, and whether the document still stands",
        }
    }
}

/// One thing that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unexplained {
    /// The record.
    pub record: Option<RecordId>,
    /// The number of the document.
    pub document: Option<String>,
    /// Why.
    pub reason: Reason,
    /// The facts, in a sentence.
    pub sentence: String,
}

/// Everything that does not fit about the records and the documents of a period.
pub(super) fn find(period: Period, sides: &Sides) -> Vec<Unexplained> {
    let mut found = Vec::new();
    for record in sides.brex.values().filter(|record| period.contains(record.day)) {
        let documents = sides.documents.get(&record.id).map_or(&[][..], Vec::as_slice);
        let is_elsewhere = sides.elsewhere.contains(&record.id) && documents.is_empty();
        found.extend(about(record, sides.ours.get(&record.id), documents).filter(|_| !is_elsewhere));
    }
    found.extend(sides.unreadable.iter().map(|(record, why)| Unexplained {
        record: Some(record.clone()),
        document: None,
        reason: Reason::Unreadable,
        sentence: format!("{record} cannot be read: {why}"),
    }));
    for (record, documents) in &sides.documents {
        if sides.unreadable.contains_key(record) {
            continue;
        }
        if let Some(brex) = sides.brex.get(record) {
            // A record of another day is judged where its day is, except for its being there twice.
            if period.contains(brex.day) || documents.len() < 2 {
                continue;
            }
            found.push(several(record, documents));
            continue;
        }
        let in_period = |document: &&BcDocument| document.posting_date.is_none_or(|day| period.contains(day));
        found.extend(documents.iter().filter(in_period).map(|document| Unexplained {
            record: Some(record.clone()),
            document: Some(document.number.clone()),
            reason: Reason::RecordMissing,
            sentence: format!("{} was made from {record}, which Brex does not have any more", document.number),
        }));
    }
    found.sort_by(|a, b| (&a.record, a.reason).cmp(&(&b.record, b.reason)));
    found
}

fn several(record: &RecordId, documents: &[BcDocument]) -> Unexplained {
    let numbers: Vec<&str> = documents.iter().map(|document| document.number.as_str()).collect();
    Unexplained {
        record: Some(record.clone()),
        document: Some(numbers.join(", ")),
        reason: Reason::SeveralDocuments,
        sentence: format!("{record} has {} documents: {}", numbers.len(), numbers.join(", ")),
    }
}

fn about(record: &BrexRecord, ours: Option<&OurRecord>, documents: &[BcDocument]) -> Option<Unexplained> {
    let number = documents.first().map(|document| document.number.clone());
    let because = |reason, sentence: String| {
        Some(Unexplained { record: Some(record.id.clone()), document: number.clone(), reason, sentence })
    };
    let (id, is_exported) = (&record.id, ours.is_some_and(|ours| ours.stage == Stage::Exported));
    let in_brex = record.standing;
    match (ours, documents) {
        (_, [_, _, ..]) => Some(several(id, documents)),
        (None, [_]) => because(Reason::DocumentUnexpected, format!("{id} has a document that is not in the database")),
        (None, []) if record.is_spend && in_brex == Standing::Exported => {
            because(Reason::ExportedByOthers, format!("Brex says that {id} is exported; the connector never saw it"))
        }
        (None, []) if record.is_spend && in_brex == Standing::Ready => {
            because(Reason::NeverSeen, format!("{id} is released in Brex, and the connector never saw it"))
        }
        (Some(_), []) if is_exported => {
            because(Reason::DocumentMissing, format!("the document of {id} is not in Business Central"))
        }
        (Some(ours), []) if ours.stage == Stage::Elsewhere => None,
        (Some(ours), []) if record.is_spend && in_brex == Standing::Exported && ours.hold.is_none() => because(
            Reason::ExportedByOthers,
            format!("Brex says that {id} is exported; the connector has it at {}", ours.stage),
        ),
        (Some(ours), [document]) if ours.stage.is_before_document() => because(
            Reason::DocumentUnexpected,
            format!("{id} is {} and has the document {}", ours.stage, document.number),
        ),
        (Some(_), [document]) if document.money != record.money => because(
            Reason::AmountDiffers,
            format!("{id} is {}, its document {} is {}", record.money, document.number, document.money),
        ),
        (Some(_), [document]) if is_exported && record.has_status && in_brex != Standing::Exported => because(
            Reason::NotExportedInBrex,
            format!("{id} was reported with {}, and Brex does not say exported", document.number),
        ),
        (_, [] | [_]) => None,
    }
}
