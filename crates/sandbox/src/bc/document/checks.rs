//! What must hold before a document is posted. The first thing that does not is the answer.

use rust_decimal::Decimal;

use super::{BLANK_POSTING_DATE, Document, DocumentKind, LineKind, dimensions, item, line};
use crate::bc::error::Refusal;
use crate::bc::ledger::EntryType;
use crate::bc::rules::PostingSetup;
use crate::bc::sets::vendor::Vendor;
use crate::bc::table::Tables;
use crate::company::Blocked;

/// All checks of posting, in the order of the posting codeunit.
pub(crate) fn check(tables: &Tables, document: &Document) -> Result<(), Refusal> {
    check_approval(tables, document)?;
    if document.kind == DocumentKind::CreditMemo && document.lines.is_empty() {
        return Err(Refusal::dialog("Please add at least one line item to the credit memo."));
    }
    if document.lines.iter().all(|line| line.kind == LineKind::Comment || line.quantity.is_zero()) {
        return Err(Refusal::dialog(
            "There is nothing to post because the document does not contain a quantity or amount.",
        ));
    }
    check_external_number(tables, document)?;
    check_date(tables, document)?;
    for vendor in [document.vendor, document.pay_to] {
        let vendor = tables.vendors.get(vendor).ok_or_else(|| Refusal::dialog("The vendor cannot be found."))?;
        check_vendor(vendor, "post")?;
    }
    dimensions::check(tables, document)?;
    for row in document.lines.iter().filter(|line| line.kind == LineKind::Account) {
        let account = tables.accounts.get(row.account).ok_or_else(|| Refusal::dialog("Account does not exist."))?;
        line::check_account(account)?;
        if tables.rules.accounts_without_group.contains(&account.number) {
            return Err(Refusal::field(format!(
                "Gen. Prod. Posting Group must have a value in Purchase Line: {}, Line No.={}. It cannot be zero or empty.",
                document.key().replace("No.=", "Document No.="),
                row.sequence
            )));
        }
    }
    for row in document.lines.iter().filter(|line| line.kind == LineKind::Item) {
        item::check(tables, row.item)?;
    }
    check_setups(tables)?;
    check_total(tables, document)
}

fn check_approval(tables: &Tables, document: &Document) -> Result<(), Refusal> {
    if !tables.rules.approval_workflow || document.released {
        return Ok(());
    }
    Err(Refusal::dialog(format!(
        "Purchase {} {} must be approved and released before you can perform this action.",
        document.kind.caption(),
        document.number
    )))
}

/// Blank, or used before for this vendor on a document that was not cancelled. No date limits the search.
fn check_external_number(tables: &Tables, document: &Document) -> Result<(), Refusal> {
    let caption = document.kind.caption();
    let number = &document.external_number;
    if number.is_empty() && !tables.rules.external_number_mandatory {
        return Ok(());
    }
    if number.is_empty() {
        let field = match document.kind {
            DocumentKind::Invoice => "Vendor Invoice No.",
            DocumentKind::CreditMemo => "Vendor Cr. Memo No.",
        };
        return Err(Refusal::dialog(format!(
            "You need to enter the document number of the document from the vendor in the {field} field, so that this document stays linked to the original."
        )));
    }
    let entry = match document.kind {
        DocumentKind::Invoice => EntryType::Invoice,
        DocumentKind::CreditMemo => EntryType::CreditMemo,
    };
    if tables.ledger.is_used(entry, document.pay_to, number) {
        return Err(Refusal::dialog(format!("Purchase {caption} {number} already exists for this vendor.")));
    }
    Ok(())
}

fn check_date(tables: &Tables, document: &Document) -> Result<(), Refusal> {
    if document.posting_date == BLANK_POSTING_DATE {
        return Err(Refusal::field(format!(
            "Posting Date must have a value in Purchase Header: {}. It cannot be zero or empty.",
            document.key()
        )));
    }
    let setup = tables.setup();
    let early = setup.allow_posting_from.is_some_and(|first| document.posting_date < first);
    let late = setup.allow_posting_to.is_some_and(|last| document.posting_date > last);
    if early || late {
        return Err(Refusal::dialog("Posting Date is not within your range of allowed posting dates."));
    }
    Ok(())
}

/// Blocked vendors get no documents, and vendors without posting groups cannot be used. `verb`: create or post.
pub(crate) fn check_vendor(vendor: &Vendor, verb: &str) -> Result<(), Refusal> {
    let number = &vendor.base.number;
    if vendor.privacy_blocked {
        return Err(Refusal::dialog(format!(
            "You cannot {verb} this type of document when Vendor {number} is blocked for privacy."
        )));
    }
    if vendor.base.blocked == Blocked::All {
        return Err(Refusal::dialog(format!(
            "You cannot {verb} this type of document when Vendor {number} is blocked with type All"
        )));
    }
    let groups = [("Gen. Bus. Posting Group", &vendor.business_group), ("Vendor Posting Group", &vendor.posting_group)];
    match groups.iter().find(|(_, group)| group.is_empty()) {
        None => Ok(()),
        Some((caption, _)) => Err(Refusal::field(format!(
            "{caption} must have a value in Vendor: No.={number}. It cannot be zero or empty."
        ))),
    }
}

fn check_setups(tables: &Tables) -> Result<(), Refusal> {
    let setups =
        [("General", "Gen.", tables.rules.general_posting_setup), ("VAT", "VAT", tables.rules.vat_posting_setup)];
    for (name, prefix, state) in setups {
        let (business, product) = (format!("{prefix} Bus. Posting Group"), format!("{prefix} Prod. Posting Group"));
        match state {
            PostingSetup::Complete => {}
            PostingSetup::Missing => {
                return Err(Refusal::dialog(format!(
                    "The {name} Posting Setup does not exist. Identification fields and values: {business}='DOMESTIC',{product}='MISC'"
                )));
            }
            PostingSetup::Blocked => {
                return Err(Refusal::dialog(format!(
                    "Setup is blocked in {name} Posting Setup for {business} DOMESTIC and {product} MISC."
                )));
            }
        }
    }
    Ok(())
}

fn check_total(tables: &Tables, document: &Document) -> Result<(), Refusal> {
    let total = document.figures(tables).total;
    if total < Decimal::ZERO {
        return Err(Refusal::dialog(
            "Amount must be negative in Gen. Journal Line Journal Template Name='',Journal Batch Name='',Line No.='0'.",
        ));
    }
    if tables.rules.check_totals {
        return Err(Refusal::dialog(format!(
            "Doc. Amount Incl. VAT (0) is not equal to total of lines ({})",
            total.normalize()
        )));
    }
    Ok(())
}
