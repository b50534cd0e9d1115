//! Rules for what the coding leaves open: tables of values, defaults, and templates of line texts.

use std::collections::BTreeMap;

use domain::defaults::DefaultRule;
use domain::record::{CodedField, Line, Record};
use domain::template::{Descriptions, InvalidTemplate};

use crate::made::{Company, card, coded, company, from_merchant, gl, held, line, named, simple_card};

fn table(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn with_values(field: &str, pairs: &[(&str, &str)]) -> Company {
    let mut company = company();
    company.rules.values.insert(field.to_owned(), table(pairs));
    company
}

fn with_defaults(defaults: Vec<DefaultRule>) -> Company {
    let mut company = company();
    company.rules.defaults = defaults;
    company
}

fn spent(coding: Vec<CodedField>) -> Record {
    from_merchant("UBER  *TRIP", card("10.00 USD", vec![line("10.00 USD", coding)]))
}

/// Account and dimensions of the only line, or the hold.
fn booked(company: &Company, record: &Record) -> Result<(String, BTreeMap<String, String>), String> {
    match company.plan(record) {
        Ok(mut plan) => Ok((plan.lines[0].account.clone(), std::mem::take(&mut plan.lines[0].dimensions))),
        Err(hold) => Err(held::<()>(Err(hold))),
    }
}

fn account(company: &Company, coding: Vec<CodedField>) -> Result<String, String> {
    booked(company, &spent(coding)).map(|(account, _)| account)
}

fn to_account(number: &str) -> DefaultRule {
    DefaultRule { account: Some(number.to_owned()), ..DefaultRule::default() }
}

#[test]
fn a_value_is_found_by_code_then_by_name_then_in_the_table() {
    let company = with_values("gl_account", &[("Ads", "61300"), ("64100", "61300"), ("X-1", "64100")]);
    assert_eq!(account(&company, vec![gl("64100")]).unwrap(), "64100", "by code");
    assert_eq!(account(&company, vec![named("GL_ACCOUNT", "travel")]).unwrap(), "64100", "by name");
    assert_eq!(account(&company, vec![named("GL_ACCOUNT", " ads ")]).unwrap(), "61300", "by the table, by name");
    assert_eq!(account(&company, vec![gl("x-1")]).unwrap(), "64100", "by the table, by id");
    let unknown = account(&company, vec![gl("X-2")]).unwrap_err();
    assert_eq!(unknown, "account_unknown: the G/L account X-2 is not in Business Central");
}

#[test]
fn a_table_speaks_about_its_own_field_and_about_dimensions_too() {
    let company = with_values("DIM_DEPARTMENT", &[("Vertrieb", "SALES")]);
    let coding = vec![gl("61300"), named("DIM_DEPARTMENT", "Vertrieb")];
    assert_eq!(booked(&company, &spent(coding)).unwrap().1, table(&[("DEPARTMENT", "SALES")]));
    let other = account(&company, vec![gl("61300"), named("DIM_PROJECT", "Vertrieb")]).unwrap_err();
    assert!(other.starts_with("dimension_unknown: "), "{other}");
}

#[test]
fn a_table_that_names_what_is_not_there_holds() {
    let company = with_values("GL_ACCOUNT", &[("Ads", "99999")]);
    assert!(account(&company, vec![named("GL_ACCOUNT", "Ads")]).unwrap_err().starts_with("account_unknown: "));
}

#[test]
fn a_heading_of_the_same_name_does_not_hide_the_account() {
    let mut company = company();
    company.accounts[2].name = "Travel".to_owned();
    assert_eq!(account(&company, vec![named("GL_ACCOUNT", "Travel")]).unwrap(), "64100");
    company.accounts[0].name = "Travel".to_owned();
    assert!(account(&company, vec![named("GL_ACCOUNT", "Travel")]).is_err(), "two accounts of one name");
}

#[test]
fn what_is_coded_is_never_overruled_by_a_default() {
    let rule = DefaultRule { dimensions: table(&[("department", "MKT"), ("PROJECT", "P1")]), ..to_account("61300") };
    let company = with_defaults(vec![rule]);
    let (account, dimensions) = booked(&company, &spent(vec![gl("64100"), coded("DIM_DEPARTMENT", "SALES")])).unwrap();
    assert_eq!(account, "64100");
    assert_eq!(dimensions, table(&[("DEPARTMENT", "SALES"), ("PROJECT", "P1")]));
}

#[test]
fn each_condition_decides_and_all_must_hold() {
    let some = |text: &str| Some(text.to_owned());
    let by_category = || DefaultRule { fields: table(&[("Category", "Travel*")]), ..to_account("64100") };
    let category = CodedField {
        field_name: Some("category".to_owned()),
        value_name: Some("Travel - Taxi".to_owned()),
        ..CodedField::default()
    };
    let cases = [
        (to_account("64100"), true),
        (DefaultRule { merchant: some("uber*"), ..to_account("64100") }, true),
        (DefaultRule { merchant: some("*TRIP"), ..to_account("64100") }, true),
        (DefaultRule { merchant: some("u*er*tr*"), ..to_account("64100") }, true),
        (DefaultRule { merchant: some("uber"), ..to_account("64100") }, false),
        (DefaultRule { merchant: some("*lyft*"), ..to_account("64100") }, false),
        (DefaultRule { user: some("Dana.Okafor@example.com"), ..to_account("64100") }, true),
        (DefaultRule { user: some("*@example.org"), ..to_account("64100") }, false),
        (DefaultRule { record_type: some("CARD_*"), ..to_account("64100") }, true),
        (DefaultRule { record_type: some("BILL_EXPENSE"), ..to_account("64100") }, false),
        (by_category(), true),
        (DefaultRule { fields: table(&[("Category", "Meals")]), ..to_account("64100") }, false),
        (DefaultRule { merchant: some("uber*"), ..by_category() }, true),
        (DefaultRule { merchant: some("lyft*"), ..by_category() }, false),
    ];
    for (rule, fits) in cases {
        let found = account(&with_defaults(vec![rule.clone()]), vec![category.clone()]);
        assert_eq!(found.is_ok(), fits, "{rule:?}");
    }
}

#[test]
fn a_record_without_merchant_or_employee_fits_no_rule_about_them() {
    let rules = vec![
        DefaultRule { merchant: Some("*".to_owned()), ..to_account("64100") },
        DefaultRule { user: Some("*".to_owned()), ..to_account("64100") },
    ];
    let record = Record { merchant: None, person: None, ..spent(vec![]) };
    assert!(booked(&with_defaults(rules), &record).unwrap_err().starts_with("account_not_coded: "));
}

#[test]
fn the_first_rule_that_speaks_about_an_axis_counts() {
    let company = with_defaults(vec![
        DefaultRule { dimensions: table(&[("DEPARTMENT", "Marketing")]), ..DefaultRule::default() },
        DefaultRule { dimensions: table(&[("DEPARTMENT", "SALES")]), ..to_account("Advertising") },
        to_account("64100"),
    ]);
    let found = booked(&company, &spent(vec![])).unwrap();
    assert_eq!(found, ("61300".to_owned(), table(&[("DEPARTMENT", "MKT")])));
}

#[test]
fn a_default_that_is_not_in_the_company_holds() {
    let unknown = DefaultRule { dimensions: table(&[("REGION", "WEST")]), ..to_account("61300") };
    let cases = [
        (to_account("99999"), "account_unknown: "),
        (to_account("61400"), "account_unusable: "),
        (unknown, "dimension_unknown: the dimension REGION is not in Business Central"),
    ];
    for (rule, start) in cases {
        let found = account(&with_defaults(vec![rule]), vec![]).unwrap_err();
        assert!(found.starts_with(start), "{found}");
    }
}

fn described(templates: &[&str], record: &Record) -> String {
    let mut company = company();
    company.rules.descriptions = Descriptions::read(templates).unwrap();
    company.plan(record).unwrap().lines.remove(0).description
}

#[test]
fn the_first_template_whose_words_are_all_there_makes_the_text() {
    let templates = ["{merchant}: {memo}", "{merchant} ({user}, {type})", "{record}"];
    let record = simple_card("10.00 USD");
    let with_memo = Record { memo: Some(" Booth\n rent ".to_owned()), ..record.clone() };
    assert_eq!(described(&templates, &with_memo), "Messe Berlin GmbH: Booth rent");
    assert_eq!(described(&templates, &record), "Messe Berlin GmbH (Dana Okafor, CARD_EXPENSE_POST)");
    assert_eq!(described(&templates, &Record { merchant: None, ..record.clone() }), "accr_1");
    assert_eq!(described(&["{invoice_number}"], &record), "Brex accr_1", "no template can be filled");
    assert_eq!(described(&["card spend"], &record), "card spend");
}

#[test]
fn a_memo_of_two_megabytes_is_cut() {
    let line = Line { memo: Some("🎪 ".repeat(400_000)), ..line("10.00 USD", vec![gl("61300")]) };
    let text = described(&["{memo}"], &card("10.00 USD", vec![line]));
    assert_eq!(domain::text::length(&text), 99, "an emoji counts twice, and only half of the next would fit");
}

#[test]
fn a_template_that_cannot_be_filled_is_refused_when_it_is_read() {
    assert_eq!(Descriptions::read(&["{color}"]), Err(InvalidTemplate::Word("color".to_owned())));
    for text in ["{memo", "memo}", "{memo} }"] {
        assert_eq!(Descriptions::read(&[text]), Err(InvalidTemplate::Brace(text.to_owned())), "{text}");
    }
}
