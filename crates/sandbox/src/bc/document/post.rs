//! Posting and cancelling. Every refusal arrives as a dialog error, and the draft stays.

use uuid::Uuid;

use super::{Document, DocumentKind, DocumentStatus, checks};
use crate::bc::error::Refusal;
use crate::bc::ledger::purchase;
use crate::bc::sets::Work;
use crate::bc::table::Tables;

/// `Microsoft.NAV.post`
pub(crate) fn post(work: &mut Work<'_>, kind: DocumentKind, id: Uuid) -> Result<(), Refusal> {
    let noun = kind.noun();
    let found = work.tables.documents.get(id).filter(|document| document.kind == kind);
    let mut document = found.cloned().ok_or_else(|| Refusal::dialog(format!("The {noun} cannot be found.")))?;
    if document.is_posted() {
        return Err(Refusal::dialog(format!("The action can be applied to a draft {noun} only.")));
    }
    checks::check(work.tables, &document).map_err(Refusal::at_posting)?;
    document.number = take_number(work.tables, kind)?;
    document.status = DocumentStatus::Open;
    work.tables.put(|tables| &mut tables.documents, id, document, work.now);
    purchase::post(work, id);
    Ok(())
}

/// `Microsoft.NAV.cancel`, on posted credit memos.
pub(crate) fn cancel(work: &mut Work<'_>, kind: DocumentKind, id: Uuid) -> Result<(), Refusal> {
    let found = work.tables.documents.get(id).filter(|document| document.kind == kind);
    let document = found.cloned().ok_or_else(|| Refusal::dialog("The credit memo cannot be found."))?;
    match document.status {
        DocumentStatus::Draft => Err(Refusal::dialog("The action can be applied to a posted credit memo only.")),
        DocumentStatus::Canceled => {
            Err(Refusal::dialog("The credit memo cannot be cancelled because it has already been canceled."))
        }
        DocumentStatus::Open | DocumentStatus::Paid => Err(Refusal::dialog(
            "You cannot cancel this posted purchase credit memo because it is not a corrective document.",
        )),
        DocumentStatus::Corrective => take_back(work, id, document),
    }
}

/// "Correct" on the page of a posted invoice: a corrective credit memo takes it back.
pub(crate) fn correct(work: &mut Work<'_>, id: Uuid) -> Result<(), Refusal> {
    let document = work.tables.documents.get(id).filter(|document| document.status == DocumentStatus::Open).cloned();
    let document = document.filter(|document| document.kind == DocumentKind::Invoice);
    let entry = work.tables.ledger.of_document(id);
    let untouched = entry.is_some_and(|(_, entry)| entry.remaining == entry.amount);
    match document.filter(|_| untouched) {
        Some(document) => take_back(work, id, document),
        None => Err(Refusal::dialog(
            "You cannot correct this posted purchase invoice because it is not an open one without payments.",
        )),
    }
}

/// Posts the opposite of a document and applies it to it.
fn take_back(work: &mut Work<'_>, id: Uuid, mut document: Document) -> Result<(), Refusal> {
    let mut opposite = document.clone();
    opposite.kind = document.kind.opposite();
    opposite.number = take_number(work.tables, opposite.kind)?;
    opposite.external_number.clone_from(&document.number);
    opposite.applies_to = Some(id);
    opposite.status = DocumentStatus::Corrective;
    for line in &mut opposite.lines {
        line.id = work.ids.guid();
    }
    document.status = DocumentStatus::Canceled;
    let opposite_id = work.ids.guid();
    for (id, document) in [(id, document), (opposite_id, opposite)] {
        work.tables.put(|tables| &mut tables.documents, id, document, work.now);
    }
    purchase::release(work, id);
    purchase::post(work, opposite_id);
    Ok(())
}

fn take_number(tables: &mut Tables, kind: DocumentKind) -> Result<String, Refusal> {
    let series = match kind {
        DocumentKind::Invoice => tables.series.posted_invoice,
        DocumentKind::CreditMemo => tables.series.posted_credit_memo,
    };
    let next = tables.rules.posted_number.unwrap_or(series);
    let number = next.to_string();
    if tables.documents.find(|other| other.kind == kind && other.is_posted() && other.number == number).is_some() {
        return Err(Refusal::dialog(format!(
            "Cannot post the purchase {} because its ID, {number}, is already assigned to a record. Update the number series and try again.",
            kind.noun()
        )));
    }
    tables.rules.posted_number = None;
    match kind {
        DocumentKind::Invoice => tables.series.posted_invoice = next.saturating_add(1),
        DocumentKind::CreditMemo => tables.series.posted_credit_memo = next.saturating_add(1),
    }
    Ok(number)
}
