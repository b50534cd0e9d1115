//! Dates: from Brex's time to the company's day, and into an open period.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};

use crate::hold::{Hold, HoldCode};

/// What to do with a date outside the allowed posting range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodPolicy {
    /// Hold the record.
    Hold,
    /// Move to the first open day, if it is near enough.
    NextOpen {
        /// Largest shift in days.
        max_shift_days: i32,
    },
    /// Use the date as it is; Business Central will refuse when somebody posts.
    AsIs,
}

/// The allowed posting range of the company (General Ledger Setup); a missing end is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostingRange {
    /// First allowed day.
    pub from: Option<Date>,
    /// Last allowed day.
    pub to: Option<Date>,
}

/// The day that a time of Brex means: midnight in UTC to the last digit is a date that Brex wrote as a time (the accrual
/// and bill records of brex.md §9) and is that date everywhere; anything else is an instant and falls on the company's
/// day (docs/adr/0009).
pub fn day_of(instant: Timestamp, zone: &TimeZone) -> Date {
    let zone = if is_date(instant) { TimeZone::UTC } else { zone.clone() };
    instant.to_zoned_datetime(zone).date()
}

/// Whether Brex wrote a date as this time.
pub fn is_date(instant: Timestamp) -> bool {
    instant.to_zoned_datetime(TimeZone::UTC).time() == Time::midnight()
}

/// Days of closed fiscal years.
///
/// Business Central lets anybody post into a closed year while the posting range allows it, and marks the entries as those of
/// a prior year; so the range alone does not keep a late record out of it. `dateLocked` says only that the first day of
/// a period is fixed, and stands on the first period of an open year, too
/// (<https://learn.microsoft.com/dynamics365/business-central/finance-accounting-periods-and-fiscal-years>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedDays {
    /// First closed day.
    pub from: Date,
    /// First open day after them; none if no period follows.
    pub open: Option<Date>,
}

/// The closed days among accounting periods, each given by its first day and whether its year is closed.
pub fn closed_days(periods: impl IntoIterator<Item = (Date, bool)>) -> Vec<ClosedDays> {
    let mut periods: Vec<(Date, bool)> = periods.into_iter().collect();
    periods.sort_unstable();
    let mut days: Vec<ClosedDays> = Vec::new();
    for (from, is_closed) in periods {
        match days.last_mut().filter(|last| last.open.is_none()) {
            Some(last) if !is_closed => last.open = Some(from),
            None if is_closed => days.push(ClosedDays { from, open: None }),
            Some(_) | None => {}
        }
    }
    days
}

/// The Posting Date for a document of this day.
pub fn decide_posting_date(
    day: Date,
    range: PostingRange,
    closed: &[ClosedDays],
    policy: PeriodPolicy,
) -> Result<Date, Hold> {
    if policy == PeriodPolicy::AsIs {
        return Ok(day);
    }
    let allowed = range.from.map_or(day, |from| day.max(from));
    if let Some(to) = range.to.filter(|to| day > *to && allowed == day) {
        let text = format!("{day} is after {to}, the last allowed posting date");
        return Err(Hold::new(HoldCode::PostingPeriodClosed, text));
    }
    let within = closed.iter().find(|days| days.from <= allowed && days.open.is_none_or(|open| allowed < open));
    let open = within.map_or(Some(allowed), |days| days.open);
    let open = open.filter(|open| range.to.is_none_or(|to| *open <= to));
    let limit = match policy {
        PeriodPolicy::NextOpen { max_shift_days } => day.checked_add(Span::new().days(max_shift_days)).unwrap_or(day),
        PeriodPolicy::Hold | PeriodPolicy::AsIs => day,
    };
    if let Some(open) = open.filter(|open| *open <= limit) {
        return Ok(open);
    }
    let by = match policy {
        PeriodPolicy::NextOpen { max_shift_days } => format!(", by more than {max_shift_days} days"),
        PeriodPolicy::Hold | PeriodPolicy::AsIs => String::new(),
    };
    Err(match (within, open) {
        (None, _) => {
            let text = format!("{day} is before {allowed}, the first allowed posting date{by}");
            Hold::new(HoldCode::PostingPeriodClosed, text)
        }
        (Some(_), Some(open)) => {
            let text = format!("{day} is in a closed fiscal year, before {open}, the first open day{by}");
            Hold::new(HoldCode::FiscalYearClosed, text)
        }
        (Some(_), None) => {
            let text = format!("{day} is in a closed fiscal year, and no allowed posting date follows it");
            Hold::new(HoldCode::FiscalYearClosed, text)
        }
    })
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "tests")]
mod tests {
    use jiff::civil::date;

    use super::*;

    const JUNE: PostingRange = PostingRange { from: Some(date(2026, 6, 1)), to: Some(date(2026, 6, 30)) };

    #[test]
    fn the_last_minutes_of_may_in_new_york_are_may_although_utc_says_june() {
        let instant: Timestamp = "2026-06-01T03:30:00Z".parse().expect("timestamp");
        let new_york = TimeZone::get("America/New_York").expect("zone");
        assert_eq!(day_of(instant, &new_york), date(2026, 5, 31));
        assert_eq!(day_of(instant, &TimeZone::UTC), date(2026, 6, 1));
    }

    #[test]
    fn an_open_day_is_kept_and_a_closed_one_is_held() {
        assert_eq!(decide_posting_date(date(2026, 6, 30), JUNE, &[], PeriodPolicy::Hold), Ok(date(2026, 6, 30)));
        let hold = decide_posting_date(date(2026, 5, 31), JUNE, &[], PeriodPolicy::Hold).expect_err("held");
        assert_eq!(hold.code, HoldCode::PostingPeriodClosed);
        assert!(decide_posting_date(date(2026, 7, 1), JUNE, &[], PeriodPolicy::Hold).is_err());
    }

    #[test]
    fn the_next_open_day_is_taken_only_within_the_shift() {
        let near = PeriodPolicy::NextOpen { max_shift_days: 31 };
        assert_eq!(decide_posting_date(date(2026, 5, 31), JUNE, &[], near), Ok(date(2026, 6, 1)));
        assert!(decide_posting_date(date(2026, 4, 1), JUNE, &[], near).is_err());
        assert!(decide_posting_date(date(2026, 7, 1), JUNE, &[], near).is_err(), "never back in time");
    }

    #[test]
    fn as_is_never_holds() {
        assert_eq!(decide_posting_date(date(1999, 1, 1), JUNE, &[], PeriodPolicy::AsIs), Ok(date(1999, 1, 1)));
    }
}
