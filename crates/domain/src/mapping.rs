//! From a coded record and its vendor to the planned document, or to the hold that says what is missing.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::calendar::{day_of, decide_posting_date};
use crate::directory::Directory;
use crate::document::{DESCRIPTION_MAX, DocumentKind, PlannedDocument, PlannedLine};
use crate::hold::{Hold, HoldCode};
use crate::id::{DocumentNumber, InvalidDocumentNumber, JobId};
use crate::money::{Money, sum};
use crate::record::{CodedField, Line, Record, Treatment};
use crate::rules::{Axis, CurrencyRule, Rules};

/// Plans the document of a record for a vendor.
pub fn decide_document(
    record: &Record,
    vendor_number: &str,
    job: JobId,
    rules: &Rules,
    directory: &Directory,
) -> Result<PlannedDocument, Hold> {
    let kind = record.treatment().document().ok_or_else(|| {
        Hold::new(
            HoldCode::RecordTypeUnknown,
            format!("this version does not know the record type {}", record.type_name),
        )
    })?;
    let total = check_sums(record, rules)?;
    let document_date = day_of(record.posting_at, &rules.zone);
    let lines =
        record.expense_lines().map(|line| plan_line(line, record, rules, directory)).collect::<Result<Vec<_>, _>>()?;
    Ok(PlannedDocument {
        kind,
        record: record.id.clone(),
        record_version: record.version,
        job,
        number: document_number(record, job)?,
        vendor_number: vendor_number.to_owned(),
        posting_date: decide_posting_date(document_date, directory.setup.posting, rules.period)?,
        document_date,
        due_date: due_date(record, rules, kind),
        currency: document_currency(&total, directory)?,
        total: total.amount,
        lines,
        rules: rules.version.clone(),
    })
}

fn due_date(record: &Record, rules: &Rules, kind: DocumentKind) -> Option<jiff::civil::Date> {
    match kind {
        DocumentKind::Invoice => record.due_at.map(|due| day_of(due, &rules.zone)),
        DocumentKind::CreditMemo => None,
    }
}

fn document_number(record: &Record, job: JobId) -> Result<DocumentNumber, Hold> {
    if record.treatment() != Treatment::Bill {
        return Ok(DocumentNumber::of_job(job));
    }
    let number = record.invoice_number.as_deref().unwrap_or_default();
    DocumentNumber::of_supplier(number).map_err(|problem| match problem {
        InvalidDocumentNumber::Empty => Hold::new(HoldCode::InvoiceNumberMissing, "the bill carries no invoice number"),
        InvalidDocumentNumber::TooLong(_) => {
            Hold::new(HoldCode::InvoiceNumberTooLong, format!("the bill's invoice number cannot be used: {problem}"))
        }
    })
}

/// The amount of a line that is booked.
fn booked<'a>(amount: &'a Money, original: Option<&'a Money>, rules: &Rules) -> &'a Money {
    match rules.currency {
        CurrencyRule::Billing => amount,
        CurrencyRule::Original => original.unwrap_or(amount),
    }
}

/// The record's total, once every side of it has been found to add up to it in one currency.
fn check_sums(record: &Record, rules: &Rules) -> Result<Money, Hold> {
    let total = booked(&record.amount, record.original_amount.as_ref(), rules);
    let total = Money::new(total.abs(), total.currency.clone());
    if total.amount.is_zero() {
        return Err(Hold::new(HoldCode::AmountZero, "the amount of the record is zero"));
    }
    let expense: Vec<&Line> = record.expense_lines().collect();
    let balancing: Vec<&Line> = record.balancing_lines().collect();
    check_side(&expense, "expense", &total, rules)?;
    if !balancing.is_empty() {
        check_side(&balancing, "balancing", &total, rules)?;
    }
    Ok(total)
}

fn check_side(lines: &[&Line], side: &str, total: &Money, rules: &Rules) -> Result<(), Hold> {
    let amounts: Vec<&Money> = lines.iter().map(|l| booked(&l.amount, l.original_amount.as_ref(), rules)).collect();
    for amount in amounts.iter().copied().chain([total]) {
        if !amount.has_valid_precision() {
            let text = format!("{} {} has more decimals than the currency allows", amount.amount, amount.currency);
            return Err(Hold::new(HoldCode::AmountPrecision, text));
        }
        if amount.currency != total.currency {
            let text = format!("a line is in {} and the record in {}", amount.currency, total.currency);
            return Err(Hold::new(HoldCode::LineSumMismatch, text));
        }
    }
    let found = sum(amounts.iter().map(|a| a.amount)).unwrap_or(Decimal::MAX);
    if found == total.amount {
        return Ok(());
    }
    let found = Money::new(found, total.currency.clone());
    Err(Hold::new(HoldCode::LineSumMismatch, format!("the {side} lines add up to {found}, the record says {total}")))
}

/// Blank for the company's own currency; a foreign one must be known to BC.
fn document_currency(total: &Money, directory: &Directory) -> Result<Option<String>, Hold> {
    let code = total.currency.as_str();
    if code == directory.setup.local_currency {
        Ok(None)
    } else if directory.setup.currencies.contains(code) {
        Ok(Some(code.to_owned()))
    } else {
        Err(Hold::new(HoldCode::CurrencyUnknown, format!("Business Central does not know the currency {code}")))
    }
}

fn plan_line(line: &Line, record: &Record, rules: &Rules, directory: &Directory) -> Result<PlannedLine, Hold> {
    let mut account = None;
    let mut dimensions = BTreeMap::new();
    for field in line.coding.iter().filter(|field| !field.is_empty()) {
        match rules.fields.axis(field.field.as_deref(), field.field_name.as_deref()) {
            Axis::Account => {
                let number = account_number(field, directory)?;
                let earlier = account.replace(number.clone());
                agree("G/L accounts", earlier, &number, line)?;
            }
            Axis::Dimension(code) => {
                let (code, value) = dimension_value(&code, field, directory)?;
                let earlier = dimensions.insert(code.clone(), value.clone());
                agree(&format!("values of dimension {code}"), earlier, &value, line)?;
            }
            Axis::Vendor | Axis::Other => {}
        }
    }
    let amount = booked(&line.amount, line.original_amount.as_ref(), rules);
    let account = account.ok_or_else(|| {
        Hold::new(HoldCode::AccountNotCoded, format!("the line over {amount} carries no G/L account"))
    })?;
    Ok(PlannedLine { account, description: description(line, record), amount: amount.amount, dimensions })
}

/// Two fields of one line may say the same, but not two different things.
fn agree(what: &str, earlier: Option<String>, now: &str, line: &Line) -> Result<(), Hold> {
    match earlier {
        Some(earlier) if earlier != now => {
            let text = format!("the line over {} is coded to two {what}: {earlier} and {now}", line.amount);
            Err(Hold::new(HoldCode::CodingContradicts, text))
        }
        Some(_) | None => Ok(()),
    }
}

/// The account's number: by BC's id or number, else by the number that the value's name starts with.
fn account_number(field: &CodedField, directory: &Directory) -> Result<String, Hold> {
    let account = field.find(|text| directory.account(text)).ok_or_else(|| {
        let text = format!("the G/L account {} is not in Business Central", field.shown());
        Hold::new(HoldCode::AccountUnknown, text)
    })?;
    match account.unusable_because() {
        None => Ok(account.number.clone()),
        Some(reason) => {
            let text = format!("the G/L account {} {} cannot be used: {reason}", account.number, account.name);
            Err(Hold::new(HoldCode::AccountUnusable, text))
        }
    }
}

fn dimension_value(dimension: &str, field: &CodedField, directory: &Directory) -> Result<(String, String), Hold> {
    if !directory.has_dimension(dimension) {
        let text = format!("the dimension {dimension} is not in Business Central");
        return Err(Hold::new(HoldCode::DimensionUnknown, text));
    }
    let found = match field.value() {
        Some(value) => directory.value(dimension, value),
        None => field
            .value_name()
            .and_then(|name| directory.value(dimension, name).or_else(|| directory.value_named(dimension, name))),
    };
    found.map(|value| (value.dimension.clone(), value.code.clone())).ok_or_else(|| {
        let text = format!("the value {} of dimension {dimension} is not in Business Central", field.shown());
        Hold::new(HoldCode::DimensionUnknown, text)
    })
}

/// Memo of the line, else of the record, else the merchant; printable and cut to what BC takes.
fn description(line: &Line, record: &Record) -> String {
    let candidates = [
        line.memo.as_deref(),
        record.memo.as_deref(),
        record.merchant.as_ref().map(|m| m.name.as_str()),
        record.person.as_ref().map(|p| p.name.as_str()),
    ];
    let text = candidates.into_iter().flatten().map(printable).find(|text| !text.is_empty());
    text.unwrap_or_else(|| format!("Brex {}", record.id)).chars().take(DESCRIPTION_MAX).collect()
}

/// One line of printable words.
fn printable(text: &str) -> String {
    let words = text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}
