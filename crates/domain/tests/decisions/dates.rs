//! Posting, document and due dates: the company's day of Brex's instant, moved only as the period policy says.

use domain::calendar::{ClosedDays, PeriodPolicy, PostingRange, closed_days};
use domain::record::Record;
use domain::rules::ClosedYears;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

use crate::made::{Company, company, held, simple_card, supplier_bill};

const JUNE: PostingRange = PostingRange { from: Some(date(2026, 6, 1)), to: Some(date(2026, 6, 30)) };

fn company_in(zone: &str) -> Company {
    let mut company = company();
    company.rules.zone = TimeZone::get(zone).unwrap();
    company
}

fn company_with(posting: PostingRange, period: PeriodPolicy) -> Company {
    let mut company = company();
    company.setup.posting = posting;
    company.rules.period = period;
    company
}

fn at(instant: &str) -> Record {
    Record { posting_at: instant.parse().unwrap(), ..simple_card("10.00 USD") }
}

/// Posting Date and Document Date.
fn dates(company: &Company, record: &Record) -> (Date, Date) {
    let plan = company.plan(record).unwrap();
    (plan.posting_date, plan.document_date)
}

#[test]
fn the_day_is_the_companys_day() {
    let cases = [
        ("2026-06-01T00:00:01Z", "America/New_York", date(2026, 5, 31)),
        ("2026-06-01T00:00:00.000001Z", "Pacific/Niue", date(2026, 5, 31)),
        ("2026-06-01T10:59:59Z", "Pacific/Niue", date(2026, 5, 31)),
        ("2026-06-01T11:00:00Z", "Pacific/Niue", date(2026, 6, 1)),
        ("2026-06-01T03:59:59Z", "America/New_York", date(2026, 5, 31)),
        ("2026-06-01T04:00:00Z", "America/New_York", date(2026, 6, 1)),
        ("2026-12-31T09:59:59Z", "Pacific/Kiritimati", date(2026, 12, 31)),
        ("2026-12-31T10:00:00Z", "Pacific/Kiritimati", date(2027, 1, 1)),
        ("2026-06-18T06:59:59Z", "America/Los_Angeles", date(2026, 6, 17)),
        ("2026-06-18T07:00:00Z", "America/Los_Angeles", date(2026, 6, 18)),
        ("2026-03-08T06:59:59Z", "America/New_York", date(2026, 3, 8)),
        ("2028-02-29T23:59:59.999999Z", "UTC", date(2028, 2, 29)),
    ];
    for (instant, zone, day) in cases {
        assert_eq!(dates(&company_in(zone), &at(instant)), (day, day), "{instant} in {zone}");
    }
}

/// brex.md §9.2 and §9.3: accruals and bills carry dates in the form of midnight in UTC.
#[test]
fn a_date_that_brex_wrote_as_midnight_is_that_date_in_every_zone() {
    for zone in ["UTC", "Pacific/Kiritimati", "America/Los_Angeles", "Pacific/Niue", "America/New_York"] {
        for (instant, day) in [
            ("2026-06-01T00:00:00Z", date(2026, 6, 1)),
            ("2026-01-01T00:00:00.000000Z", date(2026, 1, 1)),
            ("2028-02-29T00:00:00+00:00", date(2028, 2, 29)),
        ] {
            assert_eq!(dates(&company_in(zone), &at(instant)), (day, day), "{instant} in {zone}");
        }
        let mut bill = supplier_bill("10.00 USD", Some("1"));
        bill.due_at = Some("2026-07-01T00:00:00Z".parse().unwrap());
        assert_eq!(company_in(zone).plan(&bill).unwrap().due_date, Some(date(2026, 7, 1)), "{zone}");
    }
}

/// Midnight of the company is an instant: its day begins, whatever the hour in UTC.
#[test]
fn midnight_of_the_company_is_the_day_that_begins() {
    for (zone, instant) in [
        ("Pacific/Kiritimati", "2026-06-09T10:00:00Z"),
        ("America/Los_Angeles", "2026-06-10T07:00:00Z"),
        ("Pacific/Niue", "2026-06-10T11:00:00Z"),
    ] {
        assert_eq!(dates(&company_in(zone), &at(instant)).1, date(2026, 6, 10), "{zone}");
    }
}

#[test]
fn a_due_date_is_the_companys_day_too() {
    let mut bill = supplier_bill("10.00 USD", Some("1"));
    bill.due_at = Some("2026-07-01T11:00:00Z".parse().unwrap());
    for (zone, day) in [("America/New_York", date(2026, 7, 1)), ("Pacific/Kiritimati", date(2026, 7, 2))] {
        assert_eq!(company_in(zone).plan(&bill).unwrap().due_date, Some(day), "{zone}");
    }
}

#[test]
fn a_due_date_is_never_moved_into_an_open_period() {
    let company = company_with(JUNE, PeriodPolicy::NextOpen { max_shift_days: 31 });
    let plan = company.plan(&supplier_bill("10.00 USD", Some("1"))).unwrap();
    assert_eq!(plan.due_date, Some(date(2026, 7, 1)), "due after the last allowed posting date");
}

#[test]
fn a_day_within_the_range_is_kept_under_every_policy() {
    for policy in [PeriodPolicy::Hold, PeriodPolicy::NextOpen { max_shift_days: 5 }, PeriodPolicy::AsIs] {
        for (instant, day) in [("2026-06-01T00:00:00Z", 1), ("2026-06-30T23:59:59Z", 30)] {
            let expected = (date(2026, 6, day), date(2026, 6, day));
            assert_eq!(dates(&company_with(JUNE, policy), &at(instant)), expected, "{policy:?}");
        }
    }
}

#[test]
fn a_closed_day_is_held_with_the_first_or_last_allowed_one() {
    let company = company_with(JUNE, PeriodPolicy::Hold);
    assert_eq!(
        held(company.plan(&at("2026-05-31T12:00:00Z"))),
        "posting_period_closed: 2026-05-31 is before 2026-06-01, the first allowed posting date"
    );
    assert_eq!(
        held(company.plan(&at("2026-07-01T12:00:00Z"))),
        "posting_period_closed: 2026-07-01 is after 2026-06-30, the last allowed posting date"
    );
}

#[test]
fn the_time_zone_decides_whether_the_period_is_open() {
    let mut company = company_with(JUNE, PeriodPolicy::Hold);
    assert!(company.plan(&at("2026-06-01T02:00:00Z")).is_ok());
    company.rules.zone = TimeZone::get("America/New_York").unwrap();
    assert!(company.plan(&at("2026-06-01T02:00:00Z")).is_err(), "still May in New York");
}

#[test]
fn the_next_open_day_keeps_the_original_as_document_date() {
    let company = company_with(JUNE, PeriodPolicy::NextOpen { max_shift_days: 31 });
    assert_eq!(dates(&company, &at("2026-05-01T12:00:00Z")), (date(2026, 6, 1), date(2026, 5, 1)));
}

#[test]
fn a_day_too_far_from_the_next_open_one_is_held() {
    let company = company_with(JUNE, PeriodPolicy::NextOpen { max_shift_days: 30 });
    assert_eq!(
        held(company.plan(&at("2026-05-01T12:00:00Z"))),
        "posting_period_closed: 2026-05-01 is before 2026-06-01, the first allowed posting date, by more than 30 days"
    );
    assert_eq!(
        held(company.plan(&at("2026-07-01T12:00:00Z"))),
        "posting_period_closed: 2026-07-01 is after 2026-06-30, the last allowed posting date",
        "there is no next open day after the last"
    );
}

#[test]
fn as_is_leaves_the_refusal_to_business_central() {
    let company = company_with(JUNE, PeriodPolicy::AsIs);
    for (instant, day) in [("1999-01-01T12:00:00Z", date(1999, 1, 1)), ("2026-07-01T12:00:00Z", date(2026, 7, 1))] {
        assert_eq!(dates(&company, &at(instant)), (day, day));
    }
}

#[test]
fn a_range_with_one_end_is_open_on_the_other() {
    let from = PostingRange { to: None, ..JUNE };
    let to = PostingRange { from: None, ..JUNE };
    assert!(company_with(from, PeriodPolicy::Hold).plan(&at("2099-01-01T12:00:00Z")).is_ok());
    assert!(company_with(from, PeriodPolicy::Hold).plan(&at("2026-05-31T12:00:00Z")).is_err());
    assert!(company_with(to, PeriodPolicy::Hold).plan(&at("1999-01-01T12:00:00Z")).is_ok());
    assert!(company_with(to, PeriodPolicy::Hold).plan(&at("2026-07-01T12:00:00Z")).is_err());
}

/// Two closed years, the second of two periods, and an open one.
fn two_closed_years() -> Vec<ClosedDays> {
    let periods = [
        (date(2026, 1, 1), false),
        (date(2025, 7, 1), true),
        (date(2025, 1, 1), true),
        (date(2024, 1, 1), true),
        (date(2026, 7, 1), false),
    ];
    closed_days(periods)
}

fn company_that_closed(period: PeriodPolicy) -> Company {
    let mut company = company_with(PostingRange::default(), period);
    company.setup.closed = two_closed_years();
    company
}

#[test]
fn a_closed_fiscal_year_is_held_with_the_first_open_day() {
    assert_eq!(two_closed_years(), [ClosedDays { from: date(2024, 1, 1), open: Some(date(2026, 1, 1)) }]);
    let company = company_that_closed(PeriodPolicy::Hold);
    for day in ["2024-01-01T00:00:00Z", "2025-12-31T23:59:59Z"] {
        let shown = &day[..10];
        assert_eq!(
            held(company.plan(&at(day))),
            format!("fiscal_year_closed: {shown} is in a closed fiscal year, before 2026-01-01, the first open day")
        );
    }
    for (day, open) in [("2023-12-31T12:00:00Z", date(2023, 12, 31)), ("2026-01-01T00:00:00Z", date(2026, 1, 1))] {
        assert_eq!(dates(&company, &at(day)), (open, open), "before the first period, and after the closed ones");
    }
}

#[test]
fn closed_years_are_passed_over_moved_out_of_or_allowed_as_the_rules_say() {
    let december = at("2025-12-15T12:00:00Z");
    let moved = dates(&company_that_closed(PeriodPolicy::NextOpen { max_shift_days: 17 }), &december);
    assert_eq!(moved, (date(2026, 1, 1), date(2025, 12, 15)));
    assert_eq!(
        held(company_that_closed(PeriodPolicy::NextOpen { max_shift_days: 16 }).plan(&december)),
        "fiscal_year_closed: 2025-12-15 is in a closed fiscal year, before 2026-01-01, the first open day, by more than 16 days"
    );
    let mut company = company_that_closed(PeriodPolicy::Hold);
    company.rules.closed_years = ClosedYears::Allow;
    let day = date(2025, 12, 15);
    assert_eq!(dates(&company, &december), (day, day));
    assert_eq!(dates(&company_that_closed(PeriodPolicy::AsIs), &december), (day, day));
}

#[test]
fn range_and_closed_years_count_together() {
    let mut company = company_that_closed(PeriodPolicy::NextOpen { max_shift_days: 1000 });
    // The range begins in the closed year.
    company.setup.posting = PostingRange { from: Some(date(2025, 6, 1)), to: Some(date(2026, 12, 31)) };
    assert_eq!(dates(&company, &at("2025-05-01T12:00:00Z")).0, date(2026, 1, 1));
    company.setup.posting.to = Some(date(2025, 12, 31));
    assert_eq!(
        held(company.plan(&at("2025-11-01T12:00:00Z"))),
        "fiscal_year_closed: 2025-11-01 is in a closed fiscal year, and no allowed posting date follows it"
    );
    company.setup.closed = closed_days([(date(2025, 1, 1), true)]);
    company.setup.posting = PostingRange::default();
    assert_eq!(
        held(company.plan(&at("2030-01-01T12:00:00Z"))),
        "fiscal_year_closed: 2030-01-01 is in a closed fiscal year, and no allowed posting date follows it"
    );
}
