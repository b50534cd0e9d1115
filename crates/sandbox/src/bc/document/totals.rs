//! Amounts of lines and documents, with and without tax.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::currency::{precision, round, share, within};
use super::{Document, Line};
use crate::bc::error::Refusal;
use crate::bc::rules::TaxSystem;
use crate::bc::table::Tables;

/// Quantity times unit cost, less the line's own discount: gross or net as the document's prices are.
pub(crate) fn line_amount(line: &Line, precision: Decimal) -> Decimal {
    // Checked when quantity and cost were set.
    let gross = line.quantity.checked_mul(line.unit_cost).unwrap_or_default();
    round(gross, precision) - line.discount_amount
}

/// Refuses lines whose amounts are too large to be added.
pub(crate) fn check(tables: &Tables, document: &Document) -> Result<(), Refusal> {
    let precision = precision(tables, &document.currency);
    let mut sum = Decimal::ZERO;
    for line in &document.lines {
        sum = within(sum + within(line_amount(line, precision))?.abs())?;
    }
    Ok(())
}

/// What a line amounts to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Amounts {
    /// Before the document's discount.
    pub(crate) excluding: Decimal,
    /// Before the document's discount.
    pub(crate) including: Decimal,
    /// The part of the document's discount.
    pub(crate) allocated: Decimal,
    /// After the document's discount, without tax.
    pub(crate) net: Decimal,
    /// The tax on that.
    pub(crate) net_tax: Decimal,
}

/// The percentage that a tax code stands for on a document.
pub(crate) fn percent(tables: &Tables, document: &Document, code: &str) -> Decimal {
    let rules = &tables.rules;
    let taxed = rules.tax == TaxSystem::Vat || (document.tax_liable && !rules.tax_area.is_empty());
    rules.tax_codes.get(code).filter(|_| taxed).map_or(Decimal::ZERO, |code| code.percent)
}

/// The amounts of every line, in the order of the lines.
pub(crate) fn amounts(tables: &Tables, document: &Document) -> Vec<Amounts> {
    let precision = precision(tables, &document.currency);
    let tax_of = |amount: Decimal, percent: Decimal| {
        let inside = if document.prices_include_tax { percent } else { Decimal::ZERO };
        round(share(amount, percent, Decimal::ONE_HUNDRED.saturating_add(inside)), precision)
    };
    let without = |amount: Decimal, tax: Decimal| if document.prices_include_tax { amount - tax } else { amount };
    // Each percentage is rounded on its running total, so that the lines add up to the tax of the document.
    let mut running: BTreeMap<Decimal, (Decimal, Decimal)> = BTreeMap::new();
    let allocations = discount_allocations(document, precision);
    let lines = document.lines.iter().zip(allocations);
    lines
        .map(|(line, allocated)| {
            let amount = line_amount(line, precision);
            let tax = tax_of(amount, line.tax_percent);
            let (sum, given) = running.entry(line.tax_percent).or_default();
            *sum += amount - allocated;
            let net_tax = tax_of(*sum, line.tax_percent) - *given;
            *given += net_tax;
            let excluding = without(amount, tax);
            let net = without(amount - allocated, net_tax);
            Amounts { excluding, including: excluding + tax, allocated, net, net_tax }
        })
        .collect()
}

/// Computes the document's discount from the vendor's terms, unless it was set by hand.
pub(crate) fn discount_by_terms(tables: &Tables, document: &mut Document) {
    let vendor = tables.vendors.get(document.pay_to);
    let Some(terms) = vendor.and_then(|vendor| vendor.invoice_discount.clone()).filter(|_| !document.discount_by_hand)
    else {
        return;
    };
    let sum = before_discount(tables, document);
    let discount = if sum >= terms.minimum { share(sum, terms.percent, Decimal::ONE_HUNDRED) } else { Decimal::ZERO };
    document.invoice_discount = round(discount, precision(tables, &document.currency));
}

/// The part of the document's discount that falls on each line, in the order of the lines.
fn discount_allocations(document: &Document, precision: Decimal) -> Vec<Decimal> {
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
            let until_here = round(share(discount, gross, sum), precision);
            let part = until_here - shared;
            shared = until_here;
            part
        })
        .collect()
}

/// The sum of the lines before the document's discount.
pub(crate) fn before_discount(tables: &Tables, document: &Document) -> Decimal {
    let precision = precision(tables, &document.currency);
    document.lines.iter().map(|line| line_amount(line, precision)).sum()
}
