//! The header of a document: created and changed field by field, in the order received.

use rust_decimal::Decimal;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    BLANK_POSTING_DATE, DimensionSet, Document, DocumentKind, DocumentStatus, checks, currency, dimensions,
    figures::Kept, formula, line, totals,
};
use crate::bc::client_id;
use crate::bc::error::Refusal;
use crate::bc::input::{Input, Scalar};
use crate::bc::rules::TaxSystem;
use crate::bc::sets::Work;
use crate::bc::sets::documents::Documents;
use crate::bc::table::Tables;
use crate::company::Address;

/// Creates a document with its lines and dimensions, all or nothing.
pub(crate) fn insert(work: &mut Work<'_>, set: &'static Documents, body: &Map<String, Value>) -> Result<Uuid, Refusal> {
    let (id, body) = client_id::new_id(work, body)?;
    let input = Input::read(set, &body, true)?;
    let vendor = vendor_of(work.tables, set.kind, &input, "vendorId", "vendorNumber")?.ok_or_else(|| {
        // The two pages spell it differently.
        let id = if set.kind == DocumentKind::Invoice { "vendorID" } else { "vendorId" };
        Refusal::dialog(format!("A \"vendorNumber\" or a \"{id}\" must be provided."))
    })?;
    let mut document = blank(work, set.kind, vendor)?;
    let sent_posting_date = input.get("postingDate").is_some();
    if let (Some(Scalar::Date(Some(date))), false) = (input.get(set.date_field()), sent_posting_date) {
        document.posting_date = *date;
    }
    if !work.tables.rules.default_posting_date {
        document.posting_date = BLANK_POSTING_DATE;
    }
    change(work.tables, &mut document, &input)?;
    for row in input.rows("dimensionSetLines") {
        dimensions::add(work.tables, &mut document.dimensions, row)?;
    }
    for row in input.rows(set.lines_set()) {
        line::append(work, set.kind, &mut document, row)?;
    }
    line::total_up(work.tables, &mut document)?;
    document.number = take_number(work.tables, set.kind);
    work.tables.put(|tables| &mut tables.documents, id, document, work.now);
    Ok(id)
}

/// Changes the header of a draft.
pub(crate) fn update(
    work: &mut Work<'_>,
    set: &'static Documents,
    id: Uuid,
    body: &Map<String, Value>,
) -> Result<(), Refusal> {
    let input = Input::read(set, body, false)?;
    let mut document = draft(work.tables, set.kind, id)?;
    if input.fields.is_empty() {
        return Ok(());
    }
    let vendor = vendor_of(work.tables, set.kind, &input, "vendorId", "vendorNumber")?;
    if let Some(vendor) = vendor.filter(|vendor| *vendor != document.vendor) {
        // Another vendor starts the document anew; the question about its lines is answered with yes.
        let number = document.number;
        let external_number = document.external_number;
        document = Document { number, external_number, ..blank(work, set.kind, vendor)? };
    }
    change(work.tables, &mut document, &input)?;
    work.tables.put(|tables| &mut tables.documents, id, document, work.now);
    Ok(())
}

/// Deletes a draft with its lines.
pub(crate) fn delete(work: &mut Work<'_>, kind: DocumentKind, id: Uuid) -> Result<(), Refusal> {
    if let Some(posted) = work.tables.documents.get(id).filter(|document| document.is_posted()) {
        let before = work.tables.rules.deletion_before.ok_or_else(|| {
            Refusal::dialog(
                "The date Allow Document Deletion Before must be set on the page Purchases & Payables Setup before deleting purchase documents.",
            )
        })?;
        if posted.posting_date >= before {
            let before = before.strftime("%m/%d/%y");
            return Err(Refusal::dialog(format!(
                "You cannot delete posted purchase documents that are posted after {before}."
            )));
        }
    } else {
        draft(work.tables, kind, id)?;
    }
    work.tables.remove_document(id);
    Ok(())
}

/// A copy of a draft to change.
pub(crate) fn draft(tables: &Tables, kind: DocumentKind, id: Uuid) -> Result<Document, Refusal> {
    let noun = kind.noun();
    let document = tables.documents.get(id).filter(|document| document.kind == kind);
    let document = document.ok_or_else(|| Refusal::dialog(format!("The {noun} cannot be found.")))?;
    if document.is_posted() {
        return Err(Refusal::dialog(format!("The {noun} has been posted and can no longer be modified.")));
    }
    if document.released {
        return Err(Refusal::field(format!(
            "Status must be equal to 'Open'  in Purchase Header: {}. Current value is 'Released'.",
            document.key()
        )));
    }
    Ok(document.clone())
}

fn take_number(tables: &mut Tables, kind: DocumentKind) -> String {
    let series = match kind {
        DocumentKind::Invoice => &mut tables.series.invoice,
        DocumentKind::CreditMemo => &mut tables.series.credit_memo,
    };
    *series += 1;
    (*series - 1).to_string()
}

/// The vendor that was sent, by id or by number.
fn vendor_of(
    tables: &Tables,
    kind: DocumentKind,
    input: &Input,
    id: &str,
    number: &str,
) -> Result<Option<Uuid>, Refusal> {
    let (pay_to, row) = match (id.starts_with("payTo"), kind) {
        (true, DocumentKind::Invoice) => ("pay-to ", "specific Vendor"),
        (false, DocumentKind::Invoice) => ("", "specific Vendor"),
        (true, DocumentKind::CreditMemo) => ("pay-to ", "Vendor"),
        (false, DocumentKind::CreditMemo) => ("buy-from ", "Vendor"),
    };
    let missing = || Refusal::dialog(format!("The {pay_to}vendor cannot be found."));
    let by_id = match input.guid(id).filter(|id| !id.is_nil()) {
        Some(id) => Some(tables.vendors.get(id).map(|_| id).ok_or_else(missing)?),
        None => None,
    };
    let by_number = match input.text(number).filter(|number| !number.is_empty()) {
        Some(number) => {
            let found = tables.vendor_by_number(number);
            Some(found.map(|(id, _)| id).ok_or_else(missing)?)
        }
        None => None,
    };
    match (by_id, by_number) {
        (Some(left), Some(right)) if left != right => {
            Err(Refusal::dialog(format!("The {pay_to}vendor values do not match to a {row}.")))
        }
        (left, right) => Ok(left.or(right)),
    }
}

/// A document with what the vendor brings along.
fn blank(work: &Work<'_>, kind: DocumentKind, vendor: Uuid) -> Result<Document, Refusal> {
    let tables = &work.tables;
    let row = tables.vendors.get(vendor).ok_or_else(|| Refusal::dialog("The vendor cannot be found."))?;
    checks::check_vendor(row, "create")?;
    let tax_liable = row.tax_liable;
    let row = &row.base;
    let today = work.today();
    currency::check_rate(tables, &row.currency, today)?;
    let mut set = DimensionSet::new();
    dimensions::apply_defaults(tables, &mut set, vendor, true);
    let information = tables.information();
    Ok(Document {
        kind,
        number: String::new(),
        posting_date: today,
        dated: today,
        due_date: due_date(tables, &row.payment_terms, today),
        external_number: String::new(),
        vendor,
        vendor_name: row.name.clone(),
        buy_from: row.address.clone(),
        pay_to: vendor,
        pay_to_name: row.name.clone(),
        pay_to_address: row.address.clone(),
        ship_to_name: information.name.clone(),
        ship_to_contact: String::new(),
        ship_to: information.address.clone(),
        currency: row.currency.clone(),
        purchaser: String::new(),
        payment_terms: row.payment_terms.clone(),
        invoice_discount: Decimal::ZERO,
        dimensions: set,
        lines: Vec::new(),
        status: DocumentStatus::Draft,
        applies_to: None,
        released: false,
        prices_include_tax: false,
        discount_by_hand: false,
        tax_liable,
        kept: Kept::default(),
    })
}

fn due_date(tables: &Tables, terms: &str, from: jiff::civil::Date) -> Option<jiff::civil::Date> {
    let formula = tables.payment_terms.find(|term| term.code == terms).map(|(_, term)| term.due_date_formula.clone());
    formula::apply(&formula.unwrap_or_default(), from)
}

/// Validates the fields one by one, in the order received. A due date that was sent wins in the end.
fn change(tables: &Tables, document: &mut Document, input: &Input) -> Result<(), Refusal> {
    if let Some(pay_to) = vendor_of(tables, document.kind, input, "payToVendorId", "payToVendorNumber")?
        && let Some(row) = tables.vendors.get(pay_to)
    {
        document.pay_to = pay_to;
        document.pay_to_name.clone_from(&row.base.name);
        document.pay_to_address = row.base.address.clone();
    }
    for (name, value) in &input.fields {
        match value {
            Scalar::Date(date) => date_field(tables, document, name, *date)?,
            Scalar::Text(text) => text_field(tables, document, name, text)?,
            Scalar::Guid(id) => reference(tables, document, name, *id)?,
            Scalar::Decimal(amount) => discount(tables, document, *amount)?,
            // `pricesIncludeTax`. US sales tax: prices never include it, whatever was sent.
            Scalar::Bool(gross) => document.prices_include_tax = *gross && tables.rules.tax == TaxSystem::Vat,
            Scalar::Int(_) => return Err(Refusal::read_only(name)),
        }
    }
    if let Some(Scalar::Date(due_date)) = input.get("dueDate") {
        document.due_date = *due_date;
    }
    Ok(())
}

fn date_field(
    tables: &Tables,
    document: &mut Document,
    name: &str,
    date: Option<jiff::civil::Date>,
) -> Result<(), Refusal> {
    let missing = |caption: &str| Refusal::field(format!("{caption} must have a value in Purchase Header."));
    match name {
        "postingDate" => {
            let date = date.ok_or_else(|| missing("Posting Date"))?;
            currency::check_rate(tables, &document.currency, date)?;
            document.posting_date = date;
            // Whoever wants two dates has to send the document date after this one.
            if tables.rules.link_document_date {
                document.dated = date;
            }
        }
        "invoiceDate" | "creditMemoDate" => document.dated = date.ok_or_else(|| missing("Document Date"))?,
        _ => return Ok(()),
    }
    document.due_date = due_date(tables, &document.payment_terms, document.dated);
    Ok(())
}

fn text_field(tables: &Tables, document: &mut Document, name: &str, text: &str) -> Result<(), Refusal> {
    if let Some(part) = address_field(document, name) {
        text.clone_into(part);
        return Ok(());
    }
    match name {
        "vendorInvoiceNumber" | "vendorCreditMemoNumber" => text.clone_into(&mut document.external_number),
        "shipToName" => text.clone_into(&mut document.ship_to_name),
        "shipToContact" => text.clone_into(&mut document.ship_to_contact),
        "purchaser" if text.is_empty() => document.purchaser.clear(),
        "purchaser" => {
            return Err(Refusal::relation("Purchaser Code", "Purchase Header", text, "Salesperson/Purchaser"));
        }
        "currencyCode" => {
            let code = currency::by_code(tables, text)?;
            set_currency(tables, document, code)?;
        }
        "shortcutDimension1Code" => shortcut(tables, document, 0, text)?,
        "shortcutDimension2Code" => shortcut(tables, document, 1, text)?,
        "invoiceNumber" if text.is_empty() => document.applies_to = None,
        "invoiceNumber" => {
            let found = tables
                .documents
                .find(|other| other.kind == DocumentKind::Invoice && other.is_posted() && other.number == text);
            let missing =
                || Refusal::dialog("The \"invoiceId\" and \"invoiceNumber\" do not match to a specific Invoice.");
            document.applies_to = Some(found.map(|(id, _)| id).ok_or_else(missing)?);
        }
        _ => {}
    }
    Ok(())
}

fn address_field<'a>(document: &'a mut Document, name: &str) -> Option<&'a mut String> {
    let (address, field): (&mut Address, &str) = if let Some(field) = name.strip_prefix("buyFrom") {
        (&mut document.buy_from, field)
    } else if let Some(field) = name.strip_prefix("shipTo") {
        (&mut document.ship_to, field)
    } else {
        (&mut document.pay_to_address, name.strip_prefix("payTo")?)
    };
    match field {
        "AddressLine1" => Some(&mut address.line1),
        "AddressLine2" => Some(&mut address.line2),
        "City" => Some(&mut address.city),
        "Country" => Some(&mut address.country),
        "State" => Some(&mut address.state),
        "PostCode" => Some(&mut address.postal_code),
        _ => None,
    }
}

fn reference(tables: &Tables, document: &mut Document, name: &str, id: Uuid) -> Result<(), Refusal> {
    match name {
        "currencyId" => {
            let code = currency::by_id(tables, id)?;
            set_currency(tables, document, code)?;
        }
        "paymentTermsId" => {
            let code = match tables.payment_terms.get(id) {
                Some(term) => term.code.clone(),
                None if id.is_nil() => String::new(),
                None => return Err(Refusal::dialog("The \"paymentTermsId\" does not match to a Payment Terms.")),
            };
            document.due_date = due_date(tables, &code, document.dated);
            document.payment_terms = code;
        }
        "invoiceId" => {
            let found =
                tables.documents.get(id).filter(|other| other.kind == DocumentKind::Invoice && other.is_posted());
            if found.is_none() && !id.is_nil() {
                return Err(Refusal::dialog("The \"invoiceId\" does not match to an Invoice."));
            }
            document.applies_to = found.map(|_| id);
        }
        "shipmentMethodId" if !id.is_nil() => {
            return Err(Refusal::dialog("The \"shipmentMethodId\" does not match to a Shipment Method."));
        }
        "vendorReturnReasonId" if !id.is_nil() => {
            return Err(Refusal::dialog("The \"vendorReturnReasonId\" does not match to a Reason Code."));
        }
        _ => {}
    }
    Ok(())
}

fn set_currency(tables: &Tables, document: &mut Document, code: String) -> Result<(), Refusal> {
    currency::check_rate(tables, &code, document.posting_date)?;
    document.currency = code;
    Ok(())
}

/// A changed shortcut dimension reaches the lines too.
fn shortcut(tables: &Tables, document: &mut Document, index: usize, value: &str) -> Result<(), Refusal> {
    let code = tables.setup().global_dimensions[index].clone();
    dimensions::set_shortcut(tables, &mut document.dimensions, &code, value)?;
    for line in &mut document.lines {
        dimensions::set_shortcut(tables, &mut line.dimensions, &code, value)?;
    }
    Ok(())
}

fn discount(tables: &Tables, document: &mut Document, amount: Decimal) -> Result<(), Refusal> {
    let gross = totals::before_discount(tables, document);
    if amount.is_sign_negative() && !amount.is_zero() || (!document.lines.is_empty() && amount > gross) {
        return Err(Refusal::dialog("The invoice discount amount must be between 0 and the total of the lines."));
    }
    document.invoice_discount = amount;
    document.discount_by_hand = true;
    Ok(())
}
