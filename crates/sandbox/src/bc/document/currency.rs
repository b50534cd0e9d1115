//! The currency rule: the company's own currency is stored blank and shown by its code; others need a rate.

use jiff::civil::Date;
use rust_decimal::{Decimal, RoundingStrategy};
use uuid::Uuid;

use crate::bc::error::Refusal;
use crate::bc::table::Tables;
use crate::company::ExchangeRate;

/// What is stored for a code that was sent.
pub(crate) fn by_code(tables: &Tables, code: &str) -> Result<String, Refusal> {
    let code = code.trim().to_uppercase();
    if code.is_empty() || code == tables.setup().local_currency {
        return Ok(String::new());
    }
    match tables.currencies.find(|currency| currency.code == code) {
        Some(_) => Ok(code),
        None => Err(Refusal::dialog("The \"currencyCode\" does not match to a Currency.")),
    }
}

/// What is stored for an id that was sent.
pub(crate) fn by_id(tables: &Tables, id: Uuid) -> Result<String, Refusal> {
    if id.is_nil() {
        return Ok(String::new());
    }
    match tables.currencies.get(id) {
        Some(currency) => Ok(currency.code.clone()),
        None => Err(Refusal::dialog("The \"currencyId\" does not match to a Currency.")),
    }
}

/// Refuses a currency without a rate on or before a date.
pub(crate) fn check_rate(tables: &Tables, code: &str, date: Date) -> Result<(), Refusal> {
    if code.is_empty() || rate(tables, code, date).is_some() {
        return Ok(());
    }
    let filters = format!("Currency Code: {code}, Starting Date: ..{}", date.strftime("%m/%d/%y"));
    Err(Refusal::nothing_within("Currency Exchange Rate", &filters))
}

fn rate<'a>(tables: &'a Tables, code: &str, date: Date) -> Option<&'a ExchangeRate> {
    tables
        .exchange_rates
        .iter()
        .map(|(_, rate)| rate)
        .filter(|rate| rate.currency == code && rate.starting_date <= date)
        .max_by_key(|rate| rate.starting_date)
}

/// An amount in the company's own currency.
pub(crate) fn to_local(tables: &Tables, amount: Decimal, code: &str, date: Date) -> Decimal {
    let local = rate(tables, code, date).map_or(amount, |rate| share(amount, rate.relational_amount, rate.amount));
    round(local, Decimal::new(1, 2))
}

/// What amounts of a currency are rounded to.
pub(crate) fn precision(tables: &Tables, code: &str) -> Decimal {
    tables
        .currencies
        .find(|currency| currency.code == code)
        .map_or(Decimal::new(1, 2), |(_, currency)| currency.amount_precision)
}

/// Rounds to a multiple of `precision`, halves away from zero. A precision too fine to count its steps changes nothing.
pub(crate) fn round(amount: Decimal, precision: Decimal) -> Decimal {
    let steps = amount.checked_div(precision);
    let whole = steps.map(|steps| steps.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero));
    whole.and_then(|whole| whole.checked_mul(precision)).unwrap_or(amount)
}

/// The largest amount of BC's Decimal data type: 999,999,999,999,999.99.
fn largest() -> Decimal {
    Decimal::new(99_999_999_999_999_999, 2)
}

/// An amount that BC's Decimal holds.
pub(crate) fn within(amount: Decimal) -> Result<Decimal, Refusal> {
    if amount.abs() > largest() { Err(Refusal::out_of_range(&amount.normalize().to_string())) } else { Ok(amount) }
}

/// The product of two amounts, if BC's Decimal holds it.
pub(crate) fn product(left: Decimal, right: Decimal) -> Result<Decimal, Refusal> {
    left.checked_mul(right).ok_or_else(Refusal::overflow).and_then(within)
}

/// `amount * part / whole`, never more than the largest amount; zero of nothing.
pub(crate) fn share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal {
    let exact = amount.checked_mul(part).and_then(|product| product.checked_div(whole));
    let found = exact.or_else(|| part.checked_div(whole).and_then(|factor| factor.checked_mul(amount)));
    found.unwrap_or_default().clamp(-largest(), largest())
}
