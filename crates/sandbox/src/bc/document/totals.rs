//! Amounts of lines and documents. US sales tax with no tax area: nothing is taxed.

use rust_decimal::Decimal;

use super::currency::{precision, round};
use super::{Document, Line};
use crate::bc::table::Tables;

/// Quantity times unit cost, less the line's own discount.
pub(crate) fn line_amount(line: &Line, precision: Decimal) -> Decimal {
    round(line.quantity * line.unit_cost, precision) - line.discount_amount
}

/// The part of the document's discount that falls on each line, in the order of the lines.
pub(crate) fn discount_allocations(document: &Document, precision: Decimal) -> Vec<Decimal> {
    let amounts: Vec<Decimal> = document.lines.iter().map(|line| line_amount(line, precision)).collect();
    let sum: Decimal = amounts.iter().copied().sum();
    let discount = if sum.is_zero() { Decimal::ZERO } else { document.invoice_discount };
    let mut shared = Decimal::ZERO;
    let mut gross = Decimal::ZERO;
    // Each line gets what is missing from the running share, so that cents are never lost.
    amounts
        .into_iter()
        .map(|amount| {
            gross += amount;
            let until_here = round((discount * gross).checked_div(sum).unwrap_or_default(), precision);
            let part = until_here - shared;
            shared = until_here;
            part
        })
        .collect()
}

/// The document's total, with and without tax.
pub(crate) fn total(tables: &Tables, document: &Document) -> Decimal {
    let precision = precision(tables, &document.currency);
    let sum: Decimal = document.lines.iter().map(|line| line_amount(line, precision)).sum();
    if sum.is_zero() { sum } else { sum - document.invoice_discount }
}
