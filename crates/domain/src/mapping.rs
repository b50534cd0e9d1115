//! From a coded record and its vendor to the planned document with its reasons, or to the hold that says what is missing.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use crate::calendar::{day_of, decide_posting_date};
use crate::coding::{Coding, decide_coding};
pub use crate::coding::{NotUnderstood, not_understood};
use crate::directory::Directory;
use crate::document::{DocumentKind, PlannedDocument, PlannedLine};
use crate::hold::{Hold, HoldCode};
use crate::id::{DocumentNumber, InvalidDocumentNumber, JobId};
use crate::money::{Money, sum};
use crate::record::{Line, Record, Treatment};
use crate::rules::{ClosedYears, CurrencyRule, Rules};
use crate::tax::{PlannedTax, TaxSystem};
use crate::why::{self, LineReasons, Planned, Reasons};

/// Plans the document of a record for a vendor, with its reasons.
pub fn decide_document(
    record: &Record,
    vendor_number: &str,
    job: JobId,
    rules: &Rules,
    directory: &Directory,
) -> Result<Planned, Hold> {
    let kind = record.treatment().document().ok_or_else(|| record.without_rule())?;
    let total = check_sums(record, rules)?;
    let document_date = day_of(record.posting_at, &rules.zone);
    let closed = match rules.closed_years {
        ClosedYears::Closed => directory.setup.closed.as_slice(),
        ClosedYears::Allow => &[],
    };
    let posting_date = decide_posting_date(document_date, directory.setup.posting, closed, rules.period)?;
    let planned = record.expense_lines().map(|line| plan_line(line, record, rules, directory));
    let (lines, of_lines): (Vec<_>, Vec<_>) = planned.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
    let tax = decide_tax(kind, &lines, rules, directory)?;
    let currency = document_currency(&total, directory)?;
    let reasons = Reasons {
        dates: why::dates(record, document_date, posting_date, rules),
        currency: why::currency(record, currency.as_deref(), &total, rules),
        tax: why::tax(kind, tax, &lines, rules),
        refund: None,
        lines: of_lines,
    };
    let document = PlannedDocument {
        kind,
        record: record.id.clone(),
        record_version: record.version,
        job,
        number: document_number(record, job)?,
        vendor_number: vendor_number.to_owned(),
        posting_date,
        document_date,
        due_date: due_date(record, rules, kind),
        currency,
        total: total.amount,
        dimensions: if rules.header_dimensions { shared_dimensions(&lines) } else { BTreeMap::new() },
        lines,
        tax,
        applies_to: None,
        rules: rules.version.clone(),
        late: BTreeSet::new(),
    };
    Ok(Planned { document, reasons })
}

/// Nothing is planned about tax unless a line carries a code or prices include it. Business Central forces prices without
/// tax in a sales tax company, and lets nobody set them on credit memos (business-central.md §5.1, §5.6).
fn decide_tax(
    kind: DocumentKind,
    lines: &[PlannedLine],
    rules: &Rules,
    directory: &Directory,
) -> Result<Option<PlannedTax>, Hold> {
    let wanted = rules.tax.prices_include_tax;
    let system = directory.setup.tax.system;
    if wanted && system != Some(TaxSystem::Vat) {
        let is = system.map_or("no tax code at all", TaxSystem::words);
        let text = format!(
            "the connection says that prices include tax, which is possible with VAT only: the company has {is}"
        );
        return Err(Hold::new(HoldCode::PricesExcludeTax, text));
    }
    let prices_include_tax = wanted && kind == DocumentKind::Invoice;
    let is_planned = prices_include_tax || lines.iter().any(|line| line.tax_code.is_some());
    Ok(system.filter(|_| is_planned).map(|system| PlannedTax { system, prices_include_tax }))
}

/// The dimensions that all lines have with the same value.
pub(crate) fn shared_dimensions(lines: &[PlannedLine]) -> BTreeMap<String, String> {
    let Some((first, others)) = lines.split_first() else { return BTreeMap::new() };
    let is_shared = |(code, value): &(&String, &String)| {
        others.iter().all(|line| line.dimensions.get(*code).is_some_and(|other| other == *value))
    };
    first.dimensions.iter().filter(is_shared).map(|(code, value)| (code.clone(), value.clone())).collect()
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
pub fn booked<'a>(amount: &'a Money, original: Option<&'a Money>, rules: &Rules) -> &'a Money {
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

fn plan_line(
    line: &Line,
    record: &Record,
    rules: &Rules,
    directory: &Directory,
) -> Result<(PlannedLine, LineReasons), Hold> {
    let amount = booked(&line.amount, line.original_amount.as_ref(), rules);
    let Coding { account, dimensions, tax_code, reasons } = decide_coding(line, record, amount, rules, directory)?;
    let description = rules.descriptions.text(line, record);
    Ok((PlannedLine { account, description, amount: amount.amount, tax_code, dimensions }, reasons))
}
