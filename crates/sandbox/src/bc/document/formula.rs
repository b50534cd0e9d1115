//! Date formulas of payment terms: `30D`, `CM`, `CM+1M`, `1M-1D`.

use jiff::civil::Date;
use jiff::{Span, ToSpan as _};

/// The date that a formula gives from `start`; none if the formula is malformed or leaves the calendar.
pub(crate) fn apply(formula: &str, start: Date) -> Option<Date> {
    let mut date = start;
    for (negative, part) in parts(formula) {
        date = match part.as_str() {
            "CD" => date,
            "CW" => date.checked_add((7 - i64::from(date.weekday().to_monday_one_offset())).days()).ok()?,
            "CM" => date.last_of_month(),
            "CY" => date.last_of_year(),
            _ => {
                let split = part.find(|character: char| character.is_ascii_alphabetic())?;
                let (count, unit) = part.split_at(split);
                let count: i64 = count.parse().ok()?;
                let span = span(if negative { -count } else { count }, unit)?;
                date.checked_add(span).ok()?
            }
        };
    }
    Some(date)
}

fn span(count: i64, unit: &str) -> Option<Span> {
    match unit {
        "D" => Span::new().try_days(count).ok(),
        "W" => Span::new().try_weeks(count).ok(),
        "M" => Span::new().try_months(count).ok(),
        "Q" => Span::new().try_months(count.checked_mul(3)?).ok(),
        "Y" => Span::new().try_years(count).ok(),
        _ => None,
    }
}

fn parts(formula: &str) -> Vec<(bool, String)> {
    let mut parts: Vec<(bool, String)> = Vec::new();
    let mut negative = false;
    let mut part = String::new();
    for character in formula.chars().chain(['+']) {
        if matches!(character, '+' | '-') {
            if !part.is_empty() {
                parts.push((negative, std::mem::take(&mut part)));
            }
            negative = character == '-';
        } else if !character.is_whitespace() {
            part.push(character.to_ascii_uppercase());
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::apply;

    #[test]
    fn formulas_count_days_months_and_month_ends() {
        let start = date(2026, 1, 20);
        assert_eq!(apply("30D", start), Some(date(2026, 2, 19)));
        assert_eq!(apply("CM", start), Some(date(2026, 1, 31)));
        assert_eq!(apply("CM+1M", start), Some(date(2026, 2, 28)));
        assert_eq!(apply("1M-1D", start), Some(date(2026, 2, 19)));
        assert_eq!(apply("soon", start), None);
    }
}
