//! What goes out comes back: codes of Business Central through the coding in Brex, days through every time zone, and sums through
//! every way of taxing them.

use std::collections::BTreeMap;

use domain::calendar::day_of;
use domain::directory::Account;
use domain::document::DocumentKind;
use domain::hold::HoldCode;
use domain::record::{CodedField, Record};
use domain::rules::FieldRules;
use domain::tax::{TaxCode, TaxSetup, TaxSystem};
use domain::why::{By, Source};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use proptest::prelude::*;
use proptest::sample::select;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::generators::{currency_rule, sound_record};
use crate::made::{Company, account, card, company, company_that_books, gl, line, simple_card, value};

/// A code as Business Central stores it: `Code[20]`, upper case, without blanks around it.
fn code() -> impl Strategy<Value = String> {
    let plain = "[A-Z0-9][A-Z0-9 .,'\"&/_-]{0,18}[A-Z0-9]";
    let odd =
        select(vec!["ÄÖÜ", "🎪", "O'BRIEN \"Q\"", "A", "0", "DIM_X", "12345678901234567890", "%2F", "日本", "<B>"]);
    prop_oneof![3 => plain.prop_map(|code: String| code), 1 => odd.prop_map(str::to_owned)]
}

/// A name that nobody mistakes for a code, and that differs by its number.
fn name(number: usize) -> String {
    format!("Ärger & Söhne {} 🎪", ["eins", "zwei", "drei", "vier"][number % 4])
}

/// How a value comes back from Brex.
#[derive(Clone, Copy, Debug)]
enum Form {
    Id,
    UpperId,
    Code,
    LowerCode,
    Padded,
    CodeAsName,
    Name,
    ShoutedName,
}

const FORMS: [Form; 8] = [
    Form::Id,
    Form::UpperId,
    Form::Code,
    Form::LowerCode,
    Form::Padded,
    Form::CodeAsName,
    Form::Name,
    Form::ShoutedName,
];

fn coded_as(field: &str, form: Form, id: Uuid, code: &str, name: &str) -> (CodedField, By) {
    let (value, value_name, by) = match form {
        Form::Id => (Some(id.to_string()), None, By::Id),
        Form::UpperId => (Some(id.to_string().to_uppercase()), Some("whatever".to_owned()), By::Id),
        Form::Code => (Some(code.to_owned()), Some("whatever".to_owned()), By::Number),
        Form::LowerCode => (Some(code.to_lowercase()), None, By::Number),
        Form::Padded => (Some(format!("  {code}\t")), None, By::Number),
        Form::CodeAsName => (None, Some(code.to_owned()), By::Number),
        Form::Name => (None, Some(name.to_owned()), By::Name),
        Form::ShoutedName => (Some(" ".to_owned()), Some(format!(" {} ", name.to_uppercase())), By::Name),
    };
    (CodedField { field: Some(field.to_owned()), field_name: None, value, value_name }, by)
}

/// Two to four different codes.
fn codes() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::btree_set(code(), 2..=4)
        .prop_map(|codes| codes.into_iter().collect::<Vec<_>>())
        .prop_shuffle()
}

/// A company whose accounts, departments and tax codes have these codes.
fn company_of(codes: &[String]) -> Company {
    let numbered = || (1_u128..).zip(codes).enumerate();
    let mut company = company();
    company.accounts = numbered().map(|(at, (id, code))| account(id, code, &name(at))).collect();
    company.values = numbered().map(|(at, (id, code))| value(0x100 + id, "DEPARTMENT", code, &name(at))).collect();
    let tax = |(at, (id, code)): (usize, (u128, &String))| TaxCode {
        id: Uuid::from_u128(0x200 + id),
        code: code.clone(),
        name: name(at),
    };
    company.setup.tax = TaxSetup { system: Some(TaxSystem::SalesTax), codes: numbered().map(tax).collect() };
    company
}

fn zones() -> Vec<TimeZone> {
    jiff::tz::db().available().filter_map(|name| TimeZone::get(name.as_str()).ok()).collect()
}

fn day() -> impl Strategy<Value = Date> {
    (0..36_500_i32).prop_map(|days| jiff::civil::date(2000, 1, 1).checked_add(days.days()).unwrap())
}

/// No tax at all, a code for every line, or VAT inside the prices.
#[derive(Clone, Copy, Debug)]
enum Taxed {
    No,
    Code(TaxSystem),
    Inside,
}

fn tax_in(company: &mut Company, taxed: Taxed) {
    let system = match taxed {
        Taxed::No => return,
        Taxed::Code(system) => system,
        Taxed::Inside => TaxSystem::Vat,
    };
    let code = TaxCode { id: Uuid::from_u128(0xa1), code: "STANDARD".to_owned(), name: "Standard rate".to_owned() };
    company.setup.tax = TaxSetup { system: Some(system), codes: vec![code] };
    company.rules.tax.default = Some("standard".to_owned());
    company.rules.tax.prices_include_tax = matches!(taxed, Taxed::Inside);
}

proptest! {
    #[test]
    fn every_code_comes_back_as_itself_however_it_is_coded(
        codes in codes(),
        at in any::<prop::sample::Index>(),
        forms in proptest::array::uniform3(select(&FORMS[..])),
    ) {
        let (company, at) = (company_of(&codes), at.index(codes.len()));
        let (code, id) = (&codes[at], 1 + at as u128);
        let coded = |field: &str, form, offset: u128| coded_as(field, form, Uuid::from_u128(offset + id), code, &name(at));
        let (account, by_account) = coded("GL_ACCOUNT", forms[0], 0);
        let (department, by_department) = coded("DIM_DEPARTMENT", forms[1], 0x100);
        let (tax, by_tax) = coded("TAX_CODE", forms[2], 0x200);
        let record = card("1.00 USD", vec![line("1.00 USD", vec![account, department, tax])]);
        let planned = company.plan_with_reasons(&record).map_err(|hold| TestCaseError::fail(hold.sentence))?;
        let line = &planned.document.lines[0];
        prop_assert_eq!(&line.account, code);
        prop_assert_eq!(line.tax_code.as_ref(), Some(code));
        prop_assert_eq!(&line.dimensions, &BTreeMap::from([("DEPARTMENT".to_owned(), code.clone())]));
        let source = |field: &str, by| Source::Coded { field: field.to_owned(), by };
        let why = &planned.reasons.lines[0];
        prop_assert_eq!(&why.account, &source("GL_ACCOUNT", by_account));
        prop_assert_eq!(&why.dimensions["DEPARTMENT"], &source("DIM_DEPARTMENT", by_department));
        prop_assert_eq!(why.tax.as_ref(), Some(&source("TAX_CODE", by_tax)));
    }

    #[test]
    fn a_name_that_is_none_of_theirs_is_never_taken_for_one(codes in codes(), other in "[🎉✨★!?#]{1,5}") {
        let mut company = company_of(&codes);
        company.accounts.push(Account { name: "🎪 !!".to_owned(), ..account(0x50, "50", "") });
        company.accounts.push(Account { name: String::new(), ..account(0x51, "51", "") });
        let field = CodedField { field: Some("GL_ACCOUNT".to_owned()), value_name: Some(other), ..CodedField::default() };
        let record = card("1.00 USD", vec![line("1.00 USD", vec![field])]);
        prop_assert_eq!(company.plan(&record).map_err(|hold| hold.code), Err(HoldCode::AccountUnknown));
    }

    #[test]
    fn a_dimension_is_told_from_its_field_whatever_its_code(code in "[A-Z0-9][A-Z0-9 '\"ÄÖ🎪_-]{0,19}") {
        let rules = FieldRules::default();
        let field = format!("{}{}", rules.dimension_prefix, code.trim());
        prop_assert_eq!(rules.axis(Some(&field), None), domain::rules::Axis::Dimension(code.trim().to_owned()));
    }

    #[test]
    fn a_date_that_brex_wrote_as_midnight_comes_back_as_itself_everywhere(day in day(), zone in select(zones())) {
        let midnight = day.to_zoned_datetime(TimeZone::UTC).unwrap().timestamp();
        prop_assert_eq!(day_of(midnight, &zone), day);
    }

    #[test]
    fn an_instant_comes_back_as_the_day_that_the_clock_on_the_wall_showed(
        day in day(),
        second in 0..86_400_i32,
        zone in select(zones()),
    ) {
        let time = Time::midnight().checked_add(second.seconds()).unwrap_or(Time::midnight());
        let wall = day.to_datetime(time).to_zoned_datetime(zone.clone()).unwrap();
        let instant: Timestamp = wall.timestamp();
        let is_midnight = instant.as_second() % 86_400 == 0;
        prop_assert_eq!(day_of(instant, &zone), if is_midnight { instant.to_zoned_datetime(TimeZone::UTC).date() } else { wall.date() });
        let mut company = company();
        company.rules.zone = zone.clone();
        let record = Record { posting_at: instant, ..simple_card("1.00 USD") };
        let plan = company.plan(&record).unwrap();
        prop_assert_eq!(plan.document_date, day_of(instant, &zone));
        let stored = serde_json::to_string(&plan.document_date).unwrap();
        prop_assert_eq!(serde_json::from_str::<Date>(&stored).unwrap(), plan.document_date);
    }

    #[test]
    fn no_way_of_taxing_changes_a_sum(
        record in sound_record(),
        rule in currency_rule(),
        taxed in select(vec![
            Taxed::No, Taxed::Code(TaxSystem::SalesTax), Taxed::Code(TaxSystem::Vat), Taxed::Inside,
        ]),
    ) {
        let mut company = company_that_books(rule);
        let plain = company.plan(&record).unwrap();
        tax_in(&mut company, taxed);
        let plan = company.plan(&record).unwrap();
        prop_assert_eq!(plan.lines.iter().map(|line| line.amount).sum::<Decimal>(), plain.total);
        prop_assert_eq!((plan.total, &plan.currency), (plain.total, &plain.currency));
        let code = (!matches!(taxed, Taxed::No)).then(|| "STANDARD".to_owned());
        prop_assert!(plan.lines.iter().all(|line| line.tax_code == code));
        let inside = matches!(taxed, Taxed::Inside) && plan.kind == DocumentKind::Invoice;
        prop_assert_eq!(plan.tax.map(|tax| tax.prices_include_tax), code.map(|_| inside));
    }

    #[test]
    fn nothing_to_book_is_held_and_a_line_of_nothing_changes_no_sum(record in sound_record(), rule in currency_rule()) {
        let company = company_that_books(rule);
        let mut empty = record.clone();
        for money in [Some(&mut empty.amount), empty.original_amount.as_mut()].into_iter().flatten() {
            money.amount = Decimal::ZERO;
        }
        prop_assert_eq!(company.plan(&empty).map_err(|hold| hold.code), Err(HoldCode::AmountZero));
        let mut more = record.clone();
        let mut nothing = record.expense_lines().next().unwrap().clone();
        nothing.coding = vec![gl("61300")];
        for money in [Some(&mut nothing.amount), nothing.original_amount.as_mut()].into_iter().flatten() {
            money.amount = Decimal::ZERO;
        }
        more.lines.push(nothing);
        let (plan, with_nothing) = (company.plan(&record).unwrap(), company.plan(&more).unwrap());
        prop_assert_eq!(with_nothing.total, plan.total);
        prop_assert_eq!(with_nothing.lines.len(), plan.lines.len() + 1);
    }
}

#[test]
fn the_time_zones_of_the_world_are_at_hand() {
    let zones = zones();
    assert!(zones.len() > 300, "{} zones", zones.len());
    assert!(zones.iter().any(|zone| zone.iana_name() == Some("Pacific/Kiritimati")));
}
