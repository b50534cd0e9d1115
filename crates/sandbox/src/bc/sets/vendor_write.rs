//! Creating, changing and deleting vendors.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::Work;
use super::vendor::{Vendor, Vendors};
use crate::bc::client_id;
use crate::bc::document::currency;
use crate::bc::error::Refusal;
use crate::bc::index::Key;
use crate::bc::input::{Input, Scalar};
use crate::bc::table::Tables;
use crate::company::{self, Address, Blocked};

pub(super) fn insert(work: &mut Work<'_>, body: &Map<String, Value>) -> Result<Uuid, Refusal> {
    let (id, body) = client_id::new_id(work, body)?;
    let input = Input::read(&Vendors, &body, true)?;
    let mut vendor = Vendor::of(&blank(id));
    if !work.tables.rules.vendor_template {
        vendor.business_group.clear();
        vendor.posting_group.clear();
    }
    change(work.tables, &mut vendor, &input)?;
    if !vendor.base.number.is_empty() && !work.tables.rules.manual_vendor_numbers {
        return Err(Refusal::dialog(
            "You may not enter numbers manually. If you want to enter numbers manually, please activate Manual Nos. in No. Series VEND.",
        ));
    }
    if vendor.base.number.is_empty() {
        if work.tables.rules.vendor_series_end.is_some_and(|end| work.tables.series.vendor > end) {
            return Err(Refusal::dialog("You cannot assign new numbers from the number series VEND."));
        }
        vendor.base.number = format!("V{}", work.tables.series.vendor);
        work.tables.series.vendor += 1;
    }
    work.tables.put(|tables| &mut tables.vendors, id, vendor, work.now);
    Ok(id)
}

pub(super) fn update(work: &mut Work<'_>, id: Uuid, body: &Map<String, Value>) -> Result<(), Refusal> {
    let input = Input::read(&Vendors, body, false)?;
    let mut vendor = work.tables.vendors.get(id).cloned().ok_or_else(|| Refusal::no_segment("vendors"))?;
    if input.fields.is_empty() {
        return Ok(());
    }
    change(work.tables, &mut vendor, &input)?;
    work.tables.put(|tables| &mut tables.vendors, id, vendor, work.now);
    Ok(())
}

pub(super) fn delete(work: &mut Work<'_>, id: Uuid) -> Result<(), Refusal> {
    let number = work.tables.vendors.get(id).map(|vendor| vendor.base.number.clone()).unwrap_or_default();
    let refuse = |why: &str| Err(Refusal::dialog(format!("You cannot delete Vendor {number} because {why}.")));
    let open_year =
        work.tables.periods.iter().filter(|(_, period)| !period.closed).map(|(_, row)| row.starting_date).min();
    let in_open_year = |date| open_year.is_none_or(|first| date >= first);
    let entries = &work.tables.ledger.vendor;
    if entries.iter().any(|(_, entry)| entry.vendor == id && in_open_year(entry.posting_date)) {
        return refuse("it has ledger entries in a fiscal year that has not been closed yet");
    }
    if work.tables.ledger.open(id).next().is_some() {
        return refuse("there are one or more open ledger entries");
    }
    if let Some((_, document)) = work.tables.documents.with(Key::Vendor(id)).find(|(_, document)| !document.is_posted())
    {
        let kind = document.kind.caption();
        return refuse(&format!("there is at least one outstanding Purchase {kind} for this vendor"));
    }
    work.tables.remove_vendor(id);
    Ok(())
}

fn blank(id: Uuid) -> company::Vendor {
    company::Vendor {
        id,
        number: String::new(),
        name: String::new(),
        address: Address::default(),
        phone: String::new(),
        email: String::new(),
        website: String::new(),
        currency: String::new(),
        payment_terms: String::new(),
        blocked: Blocked::No,
        default_dimensions: Vec::new(),
    }
}

/// Validates the fields one by one, in the order received.
fn change(tables: &Tables, vendor: &mut Vendor, input: &Input) -> Result<(), Refusal> {
    for (name, value) in &input.fields {
        match value {
            Scalar::Text(text) => text_field(tables, vendor, name, text)?,
            Scalar::Guid(id) => reference(tables, vendor, name, *id)?,
            Scalar::Bool(value) => vendor.tax_liable = *value,
            Scalar::Decimal(_) | Scalar::Int(_) | Scalar::Date(_) => return Err(Refusal::read_only(name)),
        }
    }
    Ok(())
}

fn text_field(tables: &Tables, vendor: &mut Vendor, name: &str, text: &str) -> Result<(), Refusal> {
    let base = &mut vendor.base;
    let text = text.to_owned();
    match name {
        "number" => {
            if text != base.number && tables.vendor_by_number(&text).is_some() {
                return Err(Refusal::same_key("Vendor", "No.", &text));
            }
            base.number = text;
        }
        "displayName" => base.name = text,
        "addressLine1" => base.address.line1 = text,
        "addressLine2" => base.address.line2 = text,
        "city" => base.address.city = text,
        "state" => base.address.state = text,
        "country" => base.address.country = text,
        "postalCode" => base.address.postal_code = text,
        "phoneNumber" => {
            if text.chars().any(char::is_alphabetic) {
                return Err(Refusal::dialog("Phone No. must not contain letters."));
            }
            base.phone = text;
        }
        "email" => {
            if let Some(wrong) = text.split(';').map(str::trim).find(|part| !part.is_empty() && !is_email(part)) {
                return Err(Refusal::dialog(format!("The email address \"{wrong}\" is not valid.")));
            }
            base.email = text;
        }
        "website" => base.website = text,
        "taxRegistrationNumber" if text.encode_utf16().count() > 20 => return Err(Refusal::too_long(&text, 20)),
        "taxRegistrationNumber" => vendor.tax_number = text,
        "currencyCode" => base.currency = currency::by_code(tables, &text)?,
        "irs1099Code" => vendor.irs1099_code = text,
        "blocked" => {
            base.blocked = match text.as_str() {
                "All" => Blocked::All,
                "Payment" => Blocked::Payment,
                _ => Blocked::No,
            };
        }
        _ => return Err(Refusal::read_only(name)),
    }
    Ok(())
}

fn reference(tables: &Tables, vendor: &mut Vendor, name: &str, id: Uuid) -> Result<(), Refusal> {
    match name {
        "currencyId" => vendor.base.currency = currency::by_id(tables, id)?,
        "paymentTermsId" if id.is_nil() => vendor.base.payment_terms.clear(),
        "paymentTermsId" => match tables.payment_terms.get(id) {
            Some(term) => vendor.base.payment_terms.clone_from(&term.code),
            None => return Err(Refusal::dialog("The \"paymentTermsId\" does not match to a Payment Terms.")),
        },
        "paymentMethodId" if id.is_nil() => vendor.payment_method.clear(),
        "paymentMethodId" => match tables.payment_methods.get(id) {
            Some(method) => vendor.payment_method.clone_from(&method.code),
            None => return Err(Refusal::dialog("The \"paymentMethodId\" does not match to a Payment Method.")),
        },
        _ => return Err(Refusal::read_only(name)),
    }
    Ok(())
}

fn is_email(text: &str) -> bool {
    match text.split_once('@') {
        Some((local, domain)) => {
            !local.is_empty() && domain.contains('.') && !domain.contains('@') && !text.contains(char::is_whitespace)
        }
        None => false,
    }
}
