//! The charts of the overview: exports by day, how long drafts took, and what was spent on what.

use std::collections::BTreeMap;

use domain::directory::Directory;
use domain::money::Currency;
use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use store::{DRAFT_STEPS_MS, Drafts, Exports, Spend};

use crate::clock::DAY_MS;

/// Days of a chart.
pub(super) const DAYS: i64 = 30;
/// Height of a chart's tallest bar.
const TALLEST: i64 = 60;
/// Accounts, or values of a dimension, that are shown each on its own.
const LINES: usize = 6;
/// Dimensions that are shown.
const DIMENSIONS: usize = 3;
/// What the steps of drafts are called.
const STEPS: [&str; DRAFT_STEPS_MS.len() + 1] =
    ["within a minute", "within 10 minutes", "within an hour", "within a day", "later"];

/// A day of a chart, or a part of one.
pub(super) struct Bar {
    pub(super) day: Date,
    pub(super) records: i64,
    pub(super) height: i64,
    pub(super) x: usize,
    pub(super) y: i64,
    /// What part of the day it is; 0 where a day has one bar.
    pub(super) step: usize,
    pub(super) name: &'static str,
}

/// How long drafts took.
pub(super) struct Took {
    pub(super) bars: Vec<Bar>,
    /// Each step with its share of all drafts, where it has any.
    pub(super) shares: Vec<Share>,
    pub(super) drafts: i64,
}

pub(super) struct Share {
    pub(super) step: usize,
    pub(super) name: &'static str,
    pub(super) percent: String,
}

/// What was spent in a currency, by account or by the values of a dimension.
pub(super) struct Spent {
    pub(super) by: String,
    pub(super) currency: String,
    pub(super) lines: Vec<SpentLine>,
}

pub(super) struct SpentLine {
    pub(super) name: String,
    pub(super) amount: String,
    /// Of the longest one, in percent.
    pub(super) width: i64,
}

/// Records exported on each day up to `today` (days since 1970).
pub(super) fn exports(exports: &[Exports], today: i64) -> Vec<Bar> {
    let most = exports.iter().map(|exports| exports.records).max().unwrap_or(0).max(1);
    let of_day = |day| exports.iter().find(|exports| exports.day == day).map_or(0, |exports| exports.records);
    let bar = |(place, day): (usize, i64)| {
        let (records, height) = (of_day(day), height(of_day(day), most));
        Bar { day: date(day), records, height, x: place * 12, y: TALLEST - height, step: 0, name: "" }
    };
    days(today).enumerate().map(bar).collect()
}

/// How long the drafts of each day took, one part of a bar above the other.
pub(super) fn took(drafts: &[Drafts], today: i64) -> Took {
    let mut by_day: BTreeMap<i64, BTreeMap<usize, i64>> = BTreeMap::new();
    let mut by_step: BTreeMap<usize, i64> = BTreeMap::new();
    for one in drafts.iter().filter(|one| days(today).contains(&one.day)) {
        let step = one.step.min(STEPS.len() - 1);
        *by_day.entry(one.day).or_default().entry(step).or_default() += one.records;
        *by_step.entry(step).or_default() += one.records;
    }
    let most = by_day.values().map(|steps| steps.values().sum::<i64>()).max().unwrap_or(0).max(1);
    let mut bars = Vec::new();
    for (place, day) in days(today).enumerate() {
        let mut top = TALLEST;
        for (step, records) in by_day.remove(&day).unwrap_or_default() {
            let height = height(records, most);
            top -= height;
            bars.push(Bar { day: date(day), records, height, x: place * 12, y: top.max(0), step, name: STEPS[step] });
        }
    }
    let drafts: i64 = by_step.values().sum();
    let share = |(step, records): (usize, i64)| Share { step, name: STEPS[step], percent: percent(records, drafts) };
    Took { bars, shares: by_step.into_iter().map(share).collect(), drafts }
}

/// What was spent, by currency: by account, and by the first dimensions.
pub(super) fn spent(spend: &[Spend], directory: &Directory) -> Vec<Spent> {
    let mut sums: BTreeMap<(&str, &str), BTreeMap<&str, Decimal>> = BTreeMap::new();
    for one in spend {
        let of = (one.currency.as_deref().unwrap_or_default(), one.dimension.as_deref().unwrap_or_default());
        *sums.entry(of).or_default().entry(&one.value).or_default() += one.amount;
    }
    let mut shown = Vec::new();
    let mut dimensions: BTreeMap<&str, usize> = BTreeMap::new();
    for ((currency, dimension), values) in &sums {
        // The accounts come first, and the company's own currency before others.
        let place = dimensions.entry(currency).or_default();
        *place += 1;
        if *place <= DIMENSIONS + 1 {
            shown.push(chart(currency, dimension, values, directory));
        }
    }
    shown
}

fn chart(currency: &str, dimension: &str, values: &BTreeMap<&str, Decimal>, directory: &Directory) -> Spent {
    let currency = if currency.is_empty() { &directory.setup.local_currency } else { currency };
    let mut values: Vec<(&str, Decimal)> = values.iter().map(|(value, amount)| (*value, *amount)).collect();
    values.sort_by_key(|(value, amount)| (std::cmp::Reverse(*amount), *value));
    let rest = values.split_off(values.len().min(LINES));
    let largest = values.first().map(|(_, amount)| *amount).filter(|largest| *largest > Decimal::ZERO);
    let width = |amount: Decimal| largest.map_or(0, |largest| share(amount, largest).clamp(0, 100));
    let line = |(value, amount): (&str, Decimal)| SpentLine {
        name: named(dimension, value, directory),
        amount: money(amount, currency),
        width: width(amount),
    };
    let mut lines: Vec<SpentLine> = values.into_iter().map(line).collect();
    if !rest.is_empty() {
        let amount = rest.iter().map(|(_, amount)| *amount).sum();
        let name = format!("{} more", rest.len());
        // Many together say nothing beside each of the others.
        lines.push(SpentLine { name, amount: money(amount, currency), width: 0 });
    }
    let by = if dimension.is_empty() { "account".to_owned() } else { dimension.to_owned() };
    Spent { by, currency: currency.to_owned(), lines }
}

/// The number or code with the name that Business Central has for it.
fn named(dimension: &str, value: &str, directory: &Directory) -> String {
    let name = if dimension.is_empty() {
        directory.account(value).map(|account| account.name.as_str())
    } else {
        directory.value(dimension, value).map(|value| value.name.as_str())
    };
    name.filter(|name| !name.is_empty()).map_or_else(|| value.to_owned(), |name| format!("{value} {name}"))
}

/// An amount with as many decimals as its currency has.
fn money(amount: Decimal, currency: &str) -> String {
    let decimals = Currency::new(currency).map_or(2, |currency| currency.decimals());
    let decimals = usize::try_from(decimals).unwrap_or(2);
    format!("{amount:.decimals$}")
}

fn share(part: Decimal, whole: Decimal) -> i64 {
    (part * Decimal::ONE_HUNDRED).checked_div(whole).and_then(|share| share.round().to_i64()).unwrap_or(0)
}

/// `0 %` is nothing at all, and `100 %` is everything.
fn percent(part: i64, whole: i64) -> String {
    match (part * 100).checked_div(whole).unwrap_or(0) {
        0 if part > 0 => "under 1 %".to_owned(),
        share => format!("{share} %"),
    }
}

/// A day with anything at all is seen.
fn height(records: i64, most: i64) -> i64 {
    (records * TALLEST / most).max(i64::from(records > 0) * 2)
}

fn days(today: i64) -> std::ops::RangeInclusive<i64> {
    today - DAYS + 1..=today
}

fn date(day: i64) -> Date {
    crate::clock::timestamp(day.saturating_mul(DAY_MS)).to_zoned_datetime(jiff::tz::TimeZone::UTC).date()
}

#[cfg(test)]
mod tests {
    use domain::directory::Directory;
    use rust_decimal::Decimal;
    use store::{Drafts, Exports, Spend};

    use super::{exports, spent, took};

    #[test]
    fn the_chart_has_a_bar_for_each_day_and_shows_the_smallest() {
        let days =
            [Exports { day: 99, records: 1, took_ms: 4_000 }, Exports { day: 100, records: 300, took_ms: 600_000 }];
        let bars = exports(&days, 100);
        assert_eq!(bars.len(), 30);
        let last: Vec<_> = bars.iter().rev().take(3).map(|bar| (bar.records, bar.height, bar.y)).collect();
        assert_eq!(last, [(300, 60, 0), (1, 2, 58), (0, 0, 60)]);
        assert_eq!(bars[29].day.to_string(), "1970-04-11");
    }

    #[test]
    fn the_parts_of_a_day_stand_on_each_other_and_what_is_older_counts_nowhere() {
        let of = |day, step, records| Drafts { day, step, records };
        let took = took(&[of(10, 0, 9), of(100, 0, 150), of(100, 4, 50), of(99, 1, 1)], 100);
        let bars: Vec<_> = took.bars.iter().map(|bar| (bar.step, bar.records, bar.height, bar.y)).collect();
        assert_eq!(bars, [(1, 1, 2, 58), (0, 150, 45, 15), (4, 50, 15, 0)]);
        let shares: Vec<_> = took.shares.iter().map(|share| (share.name, share.percent.as_str())).collect();
        assert_eq!(shares, [("within a minute", "74 %"), ("within 10 minutes", "under 1 %"), ("later", "24 %")]);
    }

    #[test]
    fn the_most_expensive_comes_first_and_the_rest_together() {
        let of = |value: &str, cents| Spend {
            month: "2026-06".to_owned(),
            currency: None,
            dimension: None,
            value: value.to_owned(),
            amount: Decimal::new(cents, 2),
        };
        let mut spend: Vec<Spend> = (1..=8).map(|place| of(&format!("6{place}"), place * 100)).collect();
        spend.push(of("69", -500));
        spend.push(Spend { month: "2026-07".to_owned(), ..of("68", 200) });
        let charts = spent(&spend, &Directory::default());
        let lines: Vec<_> =
            charts[0].lines.iter().map(|line| (line.name.as_str(), line.amount.as_str(), line.width)).collect();
        let expected = [
            ("68", "10.00", 100),
            ("67", "7.00", 70),
            ("66", "6.00", 60),
            ("65", "5.00", 50),
            ("64", "4.00", 40),
            ("63", "3.00", 30),
            ("3 more", "-2.00", 0),
        ];
        assert_eq!(lines, expected);
    }
}
