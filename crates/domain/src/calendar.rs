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

/// The Posting Date for a document of this day.
pub fn decide_posting_date(day: Date, range: PostingRange, policy: PeriodPolicy) -> Result<Date, Hold> {
    let too_early = range.from.filter(|from| day < *from);
    let too_late = range.to.filter(|to| day > *to);
    let closed = |text: String| Err(Hold::new(HoldCode::PostingPeriodClosed, text));
    match (policy, too_early, too_late) {
        (PeriodPolicy::AsIs, _, _) | (_, None, None) => Ok(day),
        (PeriodPolicy::NextOpen { max_shift_days }, Some(from), _) => {
            let limit = day.checked_add(Span::new().days(max_shift_days)).unwrap_or(day);
            if from <= limit {
                Ok(from)
            } else {
                closed(format!(
                    "{day} is before {from}, the first allowed posting date, by more than {max_shift_days} days"
                ))
            }
        }
        (PeriodPolicy::Hold, Some(from), _) => {
            closed(format!("{day} is before {from}, the first allowed posting date"))
        }
        (_, None, Some(to)) => closed(format!("{day} is after {to}, the last allowed posting date")),
    }
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
        assert_eq!(decide_posting_date(date(2026, 6, 30), JUNE, PeriodPolicy::Hold), Ok(date(2026, 6, 30)));
        let hold = decide_posting_date(date(2026, 5, 31), JUNE, PeriodPolicy::Hold).expect_err("held");
        assert_eq!(hold.code, HoldCode::PostingPeriodClosed);
        assert!(decide_posting_date(date(2026, 7, 1), JUNE, PeriodPolicy::Hold).is_err());
    }

    #[test]
    fn the_next_open_day_is_taken_only_within_the_shift() {
        let near = PeriodPolicy::NextOpen { max_shift_days: 31 };
        assert_eq!(decide_posting_date(date(2026, 5, 31), JUNE, near), Ok(date(2026, 6, 1)));
        assert!(decide_posting_date(date(2026, 4, 1), JUNE, near).is_err());
        assert!(decide_posting_date(date(2026, 7, 1), JUNE, near).is_err(), "never back in time");
    }

    #[test]
    fn as_is_never_holds() {
        assert_eq!(decide_posting_date(date(1999, 1, 1), JUNE, PeriodPolicy::AsIs), Ok(date(1999, 1, 1)));
    }
}
