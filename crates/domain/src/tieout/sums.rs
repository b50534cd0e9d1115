//! The counts and sums of a tie-out: by end, by currency, by account and by dimension, and the bridge from the records of
//! a period to the documents of a period.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;

use super::{BcDocument, End, Item, Period, Sides};

/// Sums by currency.
pub type ByCurrency = BTreeMap<String, Decimal>;

/// A number of things and what they come to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// How many.
    pub count: usize,
    /// What they come to.
    pub sums: ByCurrency,
}

impl Totals {
    fn add(&mut self, currency: &str, amount: Decimal) {
        self.count = self.count.saturating_add(1);
        let sum = self.sums.entry(currency.to_owned()).or_default();
        *sum = sum.saturating_add(amount);
    }
}

/// The counts and sums of a period.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// All records of the period that are spend.
    pub spend: Totals,
    /// The records by what they end as.
    pub ends: BTreeMap<&'static str, Totals>,
    /// The held records by the code of the hold.
    pub held: BTreeMap<String, Totals>,
    /// The documents of the records of the period.
    pub documents: Totals,
    /// Of these, the documents whose Posting Date lies outside the period.
    pub posted_outside: Totals,
    /// Documents with a Posting Date in the period whose record belongs to another day.
    pub from_outside: Totals,
    /// The documents with a Posting Date in the period: documents − posted outside + from outside.
    pub posted_inside: Totals,
    /// The documents of the records of the period by G/L account.
    pub accounts: BTreeMap<String, ByCurrency>,
    /// The same by dimension and value; lines without a value of a dimension are not in it.
    pub dimensions: BTreeMap<String, BTreeMap<String, ByCurrency>>,
}

pub(super) fn add_up(period: Period, sides: &Sides, items: &[Item]) -> Sums {
    let mut sums = Sums::default();
    for item in items {
        let (currency, amount) = (item.money.currency.as_str(), item.money.amount);
        if sides.brex.get(&item.record).is_some_and(|record| record.is_spend) {
            sums.spend.add(currency, amount);
        }
        sums.ends.entry(item.end.as_str()).or_default().add(currency, amount);
        if let End::Held(code) = &item.end {
            sums.held.entry(code.as_str().to_owned()).or_default().add(currency, amount);
        }
    }
    for (record, documents) in &sides.documents {
        let is_of_period = sides.brex.get(record).is_some_and(|record| period.contains(record.day));
        for document in documents {
            let is_inside = document.posting_date.is_some_and(|day| period.contains(day));
            let (currency, amount) = (document.money.currency.as_str(), document.money.amount);
            let add = |totals: &mut Totals| totals.add(currency, amount);
            match (is_of_period, is_inside) {
                (true, false) => add(&mut sums.posted_outside),
                (false, true) => add(&mut sums.from_outside),
                (true, true) | (false, false) => {}
            }
            if is_inside {
                add(&mut sums.posted_inside);
            }
            if is_of_period {
                add(&mut sums.documents);
                add_lines(&mut sums, document);
            }
        }
    }
    sums
}

fn add_lines(sums: &mut Sums, document: &BcDocument) {
    for line in &document.lines {
        let currency = line.money.currency.as_str();
        let add = |sums: &mut ByCurrency| {
            let sum = sums.entry(currency.to_owned()).or_default();
            *sum = sum.saturating_add(line.money.amount);
        };
        add(sums.accounts.entry(line.account.clone()).or_default());
        for (dimension, value) in &line.dimensions {
            add(sums.dimensions.entry(dimension.clone()).or_default().entry(value.clone()).or_default());
        }
    }
}
