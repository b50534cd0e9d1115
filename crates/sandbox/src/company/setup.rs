//! Address, currencies, rates, terms, tax groups, periods and the allowed posting range.

use jiff::ToSpan as _;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::{AccountingPeriod, Address, Currency, ExchangeRate, PaymentTerm, TaxGroup};
use crate::ids::Ids;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) fn address() -> Address {
    Address {
        line1: "7122 South Ashford Street".to_owned(),
        line2: "Westminster".to_owned(),
        city: "Atlanta".to_owned(),
        state: "GA".to_owned(),
        country: "US".to_owned(),
        postal_code: "31772".to_owned(),
    }
}

/// The last twelve months and the next four.
pub(super) fn posting_range(today: Date) -> (Date, Date) {
    let first = today.first_of_month();
    (first.saturating_sub(12.months()), first.saturating_add(4.months()).last_of_month())
}

pub(super) fn currencies(ids: &Ids) -> Vec<Currency> {
    [
        ("CAD", "Canadian dollar", "$", Decimal::new(1, 2)),
        ("EUR", "Euro", "€", Decimal::new(1, 2)),
        ("GBP", "Pound Sterling", "£", Decimal::new(1, 2)),
        ("JPY", "Japanese yen", "¥", Decimal::ONE),
    ]
    .into_iter()
    .map(|(code, name, symbol, amount_precision)| Currency {
        id: ids.guid(),
        code: code.to_owned(),
        name: name.to_owned(),
        symbol: symbol.to_owned(),
        amount_precision,
        decimal_places: if amount_precision == Decimal::ONE { "0:0" } else { "2:2" }.to_owned(),
    })
    .collect()
}

/// Two rates for each currency but CAD, the newer one from this month on.
pub(super) fn exchange_rates(ids: &Ids, today: Date) -> Vec<ExchangeRate> {
    let newer = today.first_of_month();
    let older = newer.saturating_sub(14.months());
    [
        ("EUR", Decimal::new(1, 0), Decimal::new(10_812, 4), Decimal::new(10_935, 4)),
        ("GBP", Decimal::new(1, 0), Decimal::new(12_654, 4), Decimal::new(12_781, 4)),
        ("JPY", Decimal::new(100, 0), Decimal::new(6_643, 4), Decimal::new(6_702, 4)),
    ]
    .into_iter()
    .flat_map(|(code, amount, old, new)| {
        [(older, old), (newer, new)].map(|(starting_date, relational_amount)| ExchangeRate {
            id: ids.guid(),
            currency: code.to_owned(),
            starting_date,
            amount,
            relational_amount,
        })
    })
    .collect()
}

pub(super) fn payment_terms(ids: &Ids) -> Vec<PaymentTerm> {
    [
        ("10 DAYS", "Net 10 days", "10D"),
        ("30 DAYS", "Net 30 days", "30D"),
        ("60 DAYS", "Net 60 days", "60D"),
        ("CM", "Current Month", "CM"),
        ("COD", "Cash on delivery", "0D"),
        ("NEXT M", "End of next month", "CM+1M"),
    ]
    .into_iter()
    .map(|(code, name, formula)| PaymentTerm {
        id: ids.guid(),
        code: code.to_owned(),
        name: name.to_owned(),
        due_date_formula: formula.to_owned(),
        discount_formula: String::new(),
        discount_percent: Decimal::ZERO,
        discount_on_credit_memos: false,
    })
    .collect()
}

pub(super) fn tax_groups(ids: &Ids) -> Vec<TaxGroup> {
    [
        ("FURNITURE", "Taxable office furniture"),
        ("LABOR", "Labor on job"),
        ("MATERIALS", "Taxable raw materials"),
        ("NONTAXABLE", "Nontaxable"),
        ("SUPPLIES", "Taxable supplies"),
    ]
    .into_iter()
    .map(|(code, name)| TaxGroup { id: ids.guid(), code: code.to_owned(), name: name.to_owned() })
    .collect()
}

/// Last year, this year and the next. Last year is closed once a quarter has passed, as books are.
pub(super) fn periods(ids: &Ids, today: Date) -> Vec<AccountingPeriod> {
    let january = today.first_of_year().saturating_sub(1.year());
    let closed_until = if today.month() > 3 { 12 } else { 0 };
    (0..36_i32)
        .map(|index| {
            let starting_date = january.saturating_add(index.months());
            let month = usize::try_from(starting_date.month()).unwrap_or(1);
            AccountingPeriod {
                id: ids.guid(),
                starting_date,
                name: MONTHS[(month + 11) % 12].to_owned(),
                new_fiscal_year: month == 1,
                closed: index < closed_until,
            }
        })
        .collect()
}
