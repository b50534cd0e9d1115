//! Lines of a draft: added, changed and removed. Accounts are checked when their number is set, not only at posting.

use rust_decimal::Decimal;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Document, DocumentKind, Line, LineKind, currency, dimensions, header, item, totals};
use crate::bc::client_id;
use crate::bc::error::Refusal;
use crate::bc::input::{Input, Scalar};
use crate::bc::rules::TaxSystem;
use crate::bc::sets::Work;
use crate::bc::sets::lines;
use crate::bc::table::Tables;
use crate::company::{Account, AccountKind};

/// Adds a line with its dimensions to a draft.
pub(crate) fn add(
    work: &Work<'_>,
    kind: DocumentKind,
    document: &mut Document,
    body: &Map<String, Value>,
) -> Result<Uuid, Refusal> {
    let id = append(work, kind, document, body)?;
    total_up(work.tables, document)?;
    Ok(id)
}

/// What follows for a document from its lines.
pub(super) fn total_up(tables: &Tables, document: &mut Document) -> Result<(), Refusal> {
    totals::check(tables, document)?;
    totals::discount_by_terms(tables, document);
    Ok(())
}

/// Adds a line with its dimensions to a document in the making, which is totalled up afterwards.
pub(super) fn append(
    work: &Work<'_>,
    kind: DocumentKind,
    document: &mut Document,
    body: &Map<String, Value>,
) -> Result<Uuid, Refusal> {
    let (id, body) = client_id::new_id(work, body)?;
    let input = Input::read(lines::of(kind), &body, true)?;
    let (place, sequence) = sequence(document, &input)?;
    let mut line = Line {
        id,
        sequence,
        kind: first_kind(&input)?,
        account: Uuid::nil(),
        item: Uuid::nil(),
        variant: Uuid::nil(),
        unit: String::new(),
        number: String::new(),
        description: String::new(),
        description2: String::new(),
        unit_cost: Decimal::ZERO,
        quantity: Decimal::ZERO,
        discount_amount: Decimal::ZERO,
        discount_percent: Decimal::ZERO,
        tax_code: String::new(),
        tax_percent: totals::percent(work.tables, document, ""),
        expected_receipt_date: None,
        dimensions: document.dimensions.clone(),
    };
    change(work.tables, document, &mut line, &input, true)?;
    let wants_object = line.kind != LineKind::Comment;
    if wants_object && line.number.is_empty() {
        return Err(missing(line.kind));
    }
    for row in input.rows("dimensionSetLines") {
        dimensions::add(work.tables, &mut line.dimensions, row)?;
    }
    document.lines.insert(place, line);
    Ok(id)
}

/// Changes a line of a draft.
pub(crate) fn update(
    work: &mut Work<'_>,
    kind: DocumentKind,
    id: Uuid,
    body: &Map<String, Value>,
) -> Result<(), Refusal> {
    let input = Input::read(lines::of(kind), body, false)?;
    let (document_id, _) =
        lines::find(work.tables, kind, id).ok_or_else(|| Refusal::no_segment(lines::of(kind).name()))?;
    let mut document = header::draft(work.tables, kind, document_id)?;
    if input.fields.is_empty() {
        return Ok(());
    }
    let Some(mut line) = document.line(id).cloned() else {
        return Err(Refusal::no_segment(lines::of(kind).name()));
    };
    if input.guid("documentId").is_some_and(|sent| sent != document_id) {
        return Err(Refusal::dialog("The value for \"documentId\" cannot be modified."));
    }
    if input.get("sequence").is_some_and(|sent| *sent != Scalar::Int(line.sequence)) {
        return Err(Refusal::dialog("The value for sequence cannot be modified. Delete and insert the line again."));
    }
    change(work.tables, &document, &mut line, &input, false)?;
    for slot in &mut document.lines {
        if slot.id == id {
            *slot = line.clone();
        }
    }
    total_up(work.tables, &mut document)?;
    work.tables.put(|tables| &mut tables.documents, document_id, document, work.now);
    Ok(())
}

/// Removes a line of a draft.
pub(crate) fn delete(work: &mut Work<'_>, kind: DocumentKind, id: Uuid) -> Result<(), Refusal> {
    let (document_id, _) =
        lines::find(work.tables, kind, id).ok_or_else(|| Refusal::no_segment(lines::of(kind).name()))?;
    let mut document = header::draft(work.tables, kind, document_id)?;
    document.lines.retain(|line| line.id != id);
    totals::discount_by_terms(work.tables, &mut document);
    work.tables.put(|tables| &mut tables.documents, document_id, document, work.now);
    Ok(())
}

/// Where a new line goes, and its number; lines stand in the order of their numbers.
fn sequence(document: &Document, input: &Input) -> Result<(usize, i64), Refusal> {
    let lines = &document.lines;
    match input.get("sequence") {
        Some(Scalar::Int(sent)) if *sent != 0 => match lines.binary_search_by_key(sent, |line| line.sequence) {
            Ok(_) => Err(Refusal::dialog("You cannot insert a line with a duplicate sequence number.")),
            Err(place) => Ok((place, *sent)),
        },
        _ => match i32::try_from(lines.last().map_or(0, |line| line.sequence).max(0) + 10_000) {
            Ok(next) => Ok((lines.len(), next.into())),
            Err(_) => Err(Refusal::overflow()),
        },
    }
}

/// The type before the first field: from the ids that were sent, else Comment.
fn first_kind(input: &Input) -> Result<LineKind, Refusal> {
    let given = |name| input.guid(name).is_some_and(|id: Uuid| !id.is_nil());
    match (given("itemId"), given("accountId")) {
        (true, true) => {
            Err(Refusal::dialog("Both \"itemId\" and \"accountId\" are specified. Specify only one of them."))
        }
        (true, false) => Ok(LineKind::Item),
        (false, true) => Ok(LineKind::Account),
        (false, false) => Ok(LineKind::Comment),
    }
}

pub(super) fn missing(kind: LineKind) -> Refusal {
    Refusal::dialog(match kind {
        LineKind::Item => "Item does not exist.",
        _ => "Account does not exist.",
    })
}

/// Validates the fields one by one, in the order received.
fn change(tables: &Tables, document: &Document, line: &mut Line, input: &Input, new: bool) -> Result<(), Refusal> {
    first_kind(input)?;
    for (name, value) in &input.fields {
        match (*name, value) {
            ("lineType", Scalar::Text(kind)) => set_kind(line, LineKind::of(kind), new),
            ("accountId", Scalar::Guid(id)) if !id.is_nil() => {
                let account = tables.accounts.get(*id).ok_or_else(|| missing(LineKind::Account))?;
                line.kind = LineKind::Account;
                set_account(tables, document, line, account)?;
            }
            ("itemId", Scalar::Guid(id)) if !id.is_nil() => {
                line.kind = LineKind::Item;
                item::set(tables, document, line, *id)?;
            }
            ("lineObjectNumber", Scalar::Text(number)) => set_number(tables, document, line, number, new)?,
            ("unitOfMeasureId" | "locationId" | "itemVariantId", Scalar::Guid(id)) if id.is_nil() => {}
            ("unitOfMeasureCode", Scalar::Text(code)) if code.is_empty() => {}
            ("unitOfMeasureId", Scalar::Guid(id)) => item::set_unit(tables, line, |found, _| found == *id)?,
            ("unitOfMeasureCode", Scalar::Text(code)) => item::set_unit(tables, line, |_, unit| unit.code == *code)?,
            ("itemVariantId", Scalar::Guid(id)) => item::set_variant(tables, line, *id)?,
            ("locationId", Scalar::Guid(id)) => {
                return Err(Refusal::relation("Location Code", "Purchase Line", &id.to_string(), "Location"));
            }
            (name, Scalar::Text(text)) => set_text(tables, document, line, name, text)?,
            (name, Scalar::Decimal(amount)) => set_amount(tables, document, line, name, *amount)?,
            ("expectedReceiptDate", Scalar::Date(date)) => line.expected_receipt_date = *date,
            _ => {}
        }
    }
    Ok(())
}

fn set_kind(line: &mut Line, kind: LineKind, new: bool) {
    // Naming the type a second time, after an id or a number, blanks both.
    if kind != line.kind || !new {
        item::clear(line);
        line.account = Uuid::nil();
        line.number.clear();
    }
    line.kind = kind;
}

fn set_number(tables: &Tables, document: &Document, line: &mut Line, number: &str, new: bool) -> Result<(), Refusal> {
    if !new && !line.number.is_empty() && line.number != number {
        return Err(Refusal::dialog("The value for \"lineObjectNumber\" cannot be modified."));
    }
    match line.kind {
        LineKind::Account => {
            let found = tables.accounts.find(|account| account.number == number);
            let (_, account) = found.ok_or_else(|| missing(LineKind::Account))?;
            set_account(tables, document, line, account)
        }
        LineKind::Item => {
            let found = tables.items.find(|item| item.number == number);
            let (id, _) = found.ok_or_else(|| missing(LineKind::Item))?;
            item::set(tables, document, line, id)
        }
        LineKind::Comment => Err(Refusal::relation("No.", "Purchase Line", number, "Standard Text")),
        LineKind::Resource => Err(Refusal::relation("No.", "Purchase Line", number, "Resource")),
        LineKind::FixedAsset => Err(Refusal::relation("No.", "Purchase Line", number, "Fixed Asset")),
        LineKind::Charge => Err(Refusal::relation("No.", "Purchase Line", number, "Item Charge")),
        LineKind::AllocationAccount => Err(Refusal::relation("No.", "Purchase Line", number, "Allocation Account")),
    }
}

fn set_account(tables: &Tables, document: &Document, line: &mut Line, account: &Account) -> Result<(), Refusal> {
    check_account(account)?;
    item::clear(line);
    line.account = account.id;
    line.number.clone_from(&account.number);
    line.description.clone_from(&account.name);
    line.dimensions = document.dimensions.clone();
    let wins = tables.rules.account_dimensions_win;
    dimensions::apply_defaults(tables, &mut line.dimensions, account.id, wins);
    if tables.rules.account_quantity_one && line.quantity.is_zero() {
        line.quantity = Decimal::ONE;
    }
    Ok(())
}

/// Only posting accounts that allow direct posting and are not blocked can be used.
pub(crate) fn check_account(account: &Account) -> Result<(), Refusal> {
    let number = &account.number;
    let kind = match account.kind {
        AccountKind::Posting => None,
        AccountKind::Heading => Some("Heading"),
        AccountKind::Total => Some("Total"),
        AccountKind::BeginTotal => Some("Begin-Total"),
        AccountKind::EndTotal => Some("End-Total"),
    };
    if let Some(kind) = kind {
        return Err(Refusal::field(format!(
            "Account Type must be equal to 'Posting'  in G/L Account: No.={number}. Current value is '{kind}'."
        )));
    }
    if account.blocked {
        return Err(Refusal::field(format!(
            "Blocked must be equal to 'No'  in G/L Account: No.={number}. Current value is 'Yes'."
        )));
    }
    if !account.direct_posting {
        return Err(Refusal::field(format!(
            "Direct Posting must be equal to 'Yes'  in G/L Account: No.={number}. Current value is 'No'."
        )));
    }
    Ok(())
}

pub(super) fn set_text(
    tables: &Tables,
    document: &Document,
    line: &mut Line,
    name: &str,
    text: &str,
) -> Result<(), Refusal> {
    match name {
        "description" => text.clone_into(&mut line.description),
        "description2" => text.clone_into(&mut line.description2),
        "taxCode" => {
            let (field, table) = match tables.rules.tax {
                TaxSystem::SalesTax => ("Tax Group Code", "Tax Group"),
                TaxSystem::Vat => ("VAT Prod. Posting Group", "VAT Product Posting Group"),
            };
            // The control is longer than the field.
            let code: String = text.chars().take(20).collect();
            if !code.is_empty() && tables.tax_groups.find(|group| group.code == code).is_none() {
                return Err(Refusal::relation(field, "Purchase Line", &code, table));
            }
            line.tax_percent = totals::percent(tables, document, &code);
            line.tax_code = code;
        }
        _ => {}
    }
    Ok(())
}

fn set_amount(
    tables: &Tables,
    document: &Document,
    line: &mut Line,
    name: &str,
    amount: Decimal,
) -> Result<(), Refusal> {
    let precision = currency::precision(tables, &document.currency);
    if line.kind == LineKind::Comment && !amount.is_zero() && matches!(name, "quantity" | "unitCost") {
        return Err(Refusal::field("Type must not be equal to ' '  in Purchase Line. Current value is ' '."));
    }
    match name {
        "quantity" => line.quantity = amount.round_dp(5),
        "unitCost" => line.unit_cost = currency::round(amount, Decimal::new(1, 5)),
        "discountAmount" => {
            line.discount_amount = currency::round(amount, precision);
            let gross = currency::round(currency::product(line.quantity, line.unit_cost)?, precision);
            line.discount_percent = currency::share(line.discount_amount, Decimal::ONE_HUNDRED, gross).round_dp(5);
            return Ok(());
        }
        "discountPercent" if amount < Decimal::ZERO || amount > Decimal::ONE_HUNDRED => {
            return Err(Refusal::dialog("The discount percent must be between 0 and 100."));
        }
        "discountPercent" => line.discount_percent = amount,
        // Derived amounts can be sent; BC computes them again from quantity and cost.
        _ => return Ok(()),
    }
    let gross = currency::round(currency::product(line.quantity, line.unit_cost)?, precision);
    let discount = currency::share(gross, line.discount_percent, Decimal::ONE_HUNDRED);
    line.discount_amount = currency::round(discount, precision);
    Ok(())
}
