//! Posting and cancelling. Every refusal arrives as a dialog error, and the draft stays.

use rust_decimal::Decimal;
use uuid::Uuid;

use super::{Document, DocumentKind, DocumentStatus, LineKind, dimensions, line, totals};
use crate::bc::error::Refusal;
use crate::bc::ledger::purchase;
use crate::bc::sets::Work;
use crate::bc::table::Tables;
use crate::company::Blocked;

/// `Microsoft.NAV.post`
pub(crate) fn post(work: &mut Work<'_>, kind: DocumentKind, id: Uuid) -> Result<(), Refusal> {
    let noun = kind.noun();
    let found = work.tables.documents.get(id).filter(|document| document.kind == kind);
    let mut document = found.cloned().ok_or_else(|| Refusal::dialog(format!("The {noun} cannot be found.")))?;
    if document.is_posted() {
        return Err(Refusal::dialog(format!("The action can be applied to a draft {noun} only.")));
    }
    check(work.tables, &document).map_err(Refusal::at_posting)?;
    document.number = take_number(work.tables, kind);
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

fn check(tables: &Tables, document: &Document) -> Result<(), Refusal> {
    if document.kind == DocumentKind::CreditMemo && document.lines.is_empty() {
        return Err(Refusal::dialog("Please add at least one line item to the credit memo."));
    }
    let nothing = document.lines.iter().all(|line| line.kind == LineKind::Comment || line.quantity.is_zero());
    if nothing {
        return Err(Refusal::dialog(
            "There is nothing to post because the document does not contain a quantity or amount.",
        ));
    }
    check_external_number(tables, document)?;
    let setup = tables.setup();
    let early = setup.allow_posting_from.is_some_and(|first| document.posting_date < first);
    let late = setup.allow_posting_to.is_some_and(|last| document.posting_date > last);
    if early || late {
        return Err(Refusal::dialog("Posting Date is not within your range of allowed posting dates."));
    }
    for vendor in [document.vendor, document.pay_to] {
        let vendor = tables.vendors.get(vendor).ok_or_else(|| Refusal::dialog("The vendor cannot be found."))?;
        if vendor.base.blocked == Blocked::All {
            return Err(Refusal::dialog(format!(
                "You cannot post this type of document when Vendor {} is blocked with type All",
                vendor.base.number
            )));
        }
    }
    dimensions::check_mandatory(tables, document)?;
    for row in document.lines.iter().filter(|line| line.kind == LineKind::Account) {
        line::check_account(
            tables.accounts.get(row.account).ok_or_else(|| Refusal::dialog("Account does not exist."))?,
        )?;
    }
    if totals::total(tables, document) < Decimal::ZERO {
        return Err(Refusal::dialog(
            "Amount must be negative in Gen. Journal Line Journal Template Name='',Journal Batch Name='',Line No.='0'.",
        ));
    }
    Ok(())
}

/// Blank, or used before for this vendor on a document that was not cancelled. No date limits the search.
fn check_external_number(tables: &Tables, document: &Document) -> Result<(), Refusal> {
    let caption = document.kind.caption();
    let number = &document.external_number;
    if number.is_empty() {
        let field = match document.kind {
            DocumentKind::Invoice => "Vendor Invoice No.",
            DocumentKind::CreditMemo => "Vendor Cr. Memo No.",
        };
        return Err(Refusal::dialog(format!(
            "You need to enter the document number of the document from the vendor in the {field} field, so that this document stays linked to the original."
        )));
    }
    let used = tables.documents.find(|other| {
        other.kind == document.kind
            && other.is_posted()
            && other.status != DocumentStatus::Canceled
            && other.pay_to == document.pay_to
            && other.external_number == *number
    });
    match used {
        None => Ok(()),
        Some(_) => Err(Refusal::dialog(format!("Purchase {caption} {number} already exists for this vendor."))),
    }
}

fn take_number(tables: &mut Tables, kind: DocumentKind) -> String {
    let series = match kind {
        DocumentKind::Invoice => &mut tables.series.posted_invoice,
        DocumentKind::CreditMemo => &mut tables.series.posted_credit_memo,
    };
    *series += 1;
    (*series - 1).to_string()
}
