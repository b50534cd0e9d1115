//! What holds for every record, however it looks: exact or held, and the same answer each time.

use domain::directory::Vendor;
use domain::document::{DESCRIPTION_MAX, DocumentKind, PlannedDocument};
use domain::edit::booked_differences;
use domain::hold::{Hold, HoldCode};
use domain::id::{DocumentNumber, JobId};
use domain::mapping::decide_document;
use domain::money::Money;
use domain::record::{Record, Side, Treatment};
use domain::rules::CurrencyRule;
use domain::vendor::{Link, decide_vendor};
use jiff::ToSpan;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestCaseError;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::generators::{currency_rule, sound_record, spoilt_record};
use crate::made::{Company, company, company_that_books, from_merchant, job_of, simple_card, vendor};

/// The amount that the rule books, read from the record without the code under test.
fn booked<'a>(rule: CurrencyRule, billed: &'a Money, original: Option<&'a Money>) -> &'a Money {
    if rule == CurrencyRule::Original { original.unwrap_or(billed) } else { billed }
}

/// The plan equals the record to the last digit, or there is a hold with a sentence.
fn is_exact_or_held(
    record: &Record,
    rule: CurrencyRule,
    outcome: Result<PlannedDocument, Hold>,
) -> Result<(), TestCaseError> {
    let plan = match outcome {
        Ok(plan) => plan,
        Err(hold) => {
            prop_assert!(!hold.sentence.is_empty());
            return Ok(());
        }
    };
    let side = if plan.kind == DocumentKind::CreditMemo { Side::Credit } else { Side::Debit };
    let expected: Vec<&Money> = record
        .lines
        .iter()
        .filter(|line| line.side == side)
        .map(|line| booked(rule, &line.amount, line.original_amount.as_ref()))
        .collect();
    let amounts: Vec<Decimal> = plan.lines.iter().map(|line| line.amount).collect();
    prop_assert_eq!(amounts.clone(), expected.iter().map(|money| money.amount).collect::<Vec<_>>());
    let total = booked(rule, &record.amount, record.original_amount.as_ref());
    prop_assert_eq!(plan.total, total.amount.abs());
    prop_assert_eq!(amounts.into_iter().sum::<Decimal>(), plan.total);
    let currency = plan.currency.as_deref().unwrap_or("USD");
    prop_assert!(expected.iter().all(|money| money.currency.as_str() == currency));
    prop_assert_eq!(total.currency.as_str(), currency);
    Ok(())
}

/// A bill stands on the same sides as card spend.
fn not_a_bill(record: Record) -> Record {
    match record.treatment() {
        Treatment::Bill => Record { type_name: "CARD_EXPENSE_POST".to_owned(), ..record },
        _ => record,
    }
}

/// Vendors whose names collide often, none more often than a sentence can list.
fn crowd() -> impl Strategy<Value = Vec<Vendor>> {
    let name = select(vec!["Messe Berlin", "MESSE BERLIN", "Messe Berlin GmbH", "Messe-Berlin", "Other"]);
    proptest::collection::vec((name, any::<bool>()), 0..6).prop_map(|rows| {
        let numbered = rows.into_iter().zip(1_u128..);
        numbered
            .map(|((name, with_email), n)| {
                let email = if with_email { "sam.lee@example.com".to_owned() } else { String::new() };
                Vendor { email, ..vendor(n, &format!("V{n}0000"), name) }
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn a_sound_record_is_planned_exactly(record in sound_record(), rule in currency_rule()) {
        let outcome = company_that_books(rule).plan(&record);
        prop_assert!(outcome.is_ok(), "{outcome:?}");
        is_exact_or_held(&record, rule, outcome)?;
    }

    #[test]
    fn a_spoilt_record_is_planned_exactly_or_held(record in spoilt_record(), rule in currency_rule()) {
        is_exact_or_held(&record, rule, company_that_books(rule).plan(&record))?;
    }

    #[test]
    fn an_amount_that_is_off_is_held(record in sound_record(), off in 1_i64..1000, at in any::<Index>()) {
        let mut record = record;
        let at = at.index(record.lines.len());
        let line = &mut record.lines[at];
        line.amount.amount += Decimal::new(off, line.amount.currency.decimals());
        prop_assert_eq!(company().plan(&record).map_err(|hold| hold.code), Err(HoldCode::LineSumMismatch));
    }

    #[test]
    fn the_order_of_the_directory_changes_no_plan(
        record in prop_oneof![sound_record(), spoilt_record()],
        accounts in Just(company().accounts).prop_shuffle(),
        values in Just(company().values).prop_shuffle(),
    ) {
        let shuffled = Company { accounts, values, ..company() };
        prop_assert_eq!(shuffled.plan(&record), company().plan(&record));
        prop_assert_eq!(company().plan(&record), company().plan(&record));
    }

    #[test]
    fn the_order_of_the_vendors_changes_no_choice(
        (vendors, shuffled) in crowd().prop_flat_map(|vendors| (Just(vendors.clone()), Just(vendors).prop_shuffle())),
        merchant in select(vec!["Messe Berlin", "messe berlin", "Messe Berlin AG", "Nobody", ""]),
        record in sound_record(),
        linked in proptest::collection::vec(1_u128..7, 0..3),
        default_vendor in proptest::option::of(select(vec!["V10000", "V60000"])),
    ) {
        let mut company = company();
        company.rules.default_vendor = default_vendor.map(str::to_owned);
        let record = from_merchant(merchant, record);
        let links: Vec<Link> =
            linked.into_iter().map(|id| Link { vendor: Uuid::from_u128(id), origin: "confirmed".to_owned() }).collect();
        let in_order = Company { vendors, ..company.clone() }.vendor(&record, &links);
        let out_of_order = Company { vendors: shuffled, ..company }.vendor(&record, &links);
        prop_assert_eq!(in_order, out_of_order);
    }

    #[test]
    fn our_document_number_depends_only_on_the_job(
        one in sound_record().prop_map(not_a_bill),
        other in sound_record().prop_map(not_a_bill),
        company_id in any::<u128>(),
    ) {
        let (company, elsewhere) = (company(), Uuid::from_u128(company_id));
        let directory = company.directory();
        let number = |record: &Record, job| {
            decide_document(record, "V10000", job, &company.rules, &directory).map(|planned| planned.document.number)
        };
        let job = job_of(&one);
        prop_assert_eq!(number(&one, job), number(&other, job));
        prop_assert_eq!(number(&one, job), Ok(DocumentNumber::of_job(job)));
        let other_job = JobId::new("cuacc_1", &one.id, elsewhere);
        prop_assert_eq!(number(&one, job) == number(&one, other_job), job == other_job);
    }

    #[test]
    fn a_plan_survives_the_store(record in sound_record(), rule in currency_rule()) {
        let plan = company_that_books(rule).plan(&record).unwrap();
        let stored = serde_json::to_string(&plan).unwrap();
        let read: PlannedDocument = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(serde_json::to_string(&read).unwrap(), stored, "the same text, so the same trailing zeros");
        prop_assert_eq!(read.hash(), plan.hash());
        prop_assert_eq!(read, plan);
    }

    #[test]
    fn the_document_date_is_the_utc_day_or_its_neighbour(
        record in sound_record(),
        zone in select(vec!["UTC", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati", "Pacific/Pago_Pago"]),
    ) {
        let mut company = company();
        company.rules.zone = jiff::tz::TimeZone::get(zone).unwrap();
        let plan = company.plan(&record).unwrap();
        let utc = record.posting_at.to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
        let days = utc.until(plan.document_date).unwrap().get_days();
        prop_assert!((-1..=1).contains(&days), "{} days", days);
        prop_assert_eq!(plan.posting_date, plan.document_date);
    }

    #[test]
    fn a_description_is_printable_and_fits(memo in any::<String>(), merchant in any::<String>()) {
        let mut record = from_merchant(&merchant, simple_card("10.00 USD"));
        record.lines[0].memo = Some(memo);
        let description = company().plan(&record).unwrap().lines.remove(0).description;
        prop_assert!(description.chars().count() <= DESCRIPTION_MAX);
        prop_assert!(!description.chars().any(char::is_control));
        prop_assert!(!description.starts_with(' ') && !description.contains("  "));
    }

    #[test]
    fn an_unchanged_record_has_no_booked_difference_and_a_changed_amount_or_date_has(
        record in sound_record(),
        at in any::<Index>(),
    ) {
        prop_assert_eq!(booked_differences(&record, &record), vec![]);
        let mut amount = record.clone();
        let at = at.index(record.lines.len());
        amount.lines[at].amount.amount += Decimal::ONE;
        prop_assert_eq!(booked_differences(&record, &amount).len(), 1);
        let mut day = record.clone();
        day.posting_at += 24.hours();
        prop_assert_eq!(booked_differences(&record, &day).len(), 1);
    }

    #[test]
    fn a_vendor_is_always_one_of_the_directory(record in sound_record(), vendors in crowd()) {
        let company = Company { vendors, ..company() };
        if let Ok(found) = decide_vendor(&record, &[], &company.rules, &company.directory()) {
            let found = (found.id, &found.number, &found.name);
            prop_assert!(company.vendors.iter().any(|v| (v.id, &v.number, &v.name) == found));
        }
    }
}
