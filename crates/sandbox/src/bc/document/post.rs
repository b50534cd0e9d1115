//! Posting and cancelling. Every refusal arrives as a dialog error, and the draft stays.

use uuid::Uuid;

use super::{DocumentKind, DocumentStatus, checks};
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
    let mut document = found.cloned().ok_or_else(|| Refusal::dialog("The credit memo cannot be found."))?;
    match document.status {
        DocumentStatus::Draft => Err(Refusal::dialog("The action can be applied to a posted credit memo only.")),
        DocumentStatus::Canceled => {
            Err(Refusal::dialog("The credit memo cannot be cancelled because it has already been canceled."))
        }
        DocumentStatus::Open | DocumentStatus::Paid | DocumentStatus::Corrective => {
            document.status = DocumentStatus::Canceled;
            work.tables.put(|tables| &mut tables.documents, id, document, work.now);
            purchase::cancel(work, id);
            Ok(())
        }
    }
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
