//! Coding of lines: G/L accounts and dimension values, by every way in which Brex can name them.

use std::collections::BTreeMap;

use domain::document::PlannedLine;
use domain::record::CodedField;

use crate::made::{Company, card, coded, company, gl, guid, held, line, named, value};

fn planned(company: &Company, coding: Vec<CodedField>) -> PlannedLine {
    company.plan(&card("10.00 USD", vec![line("10.00 USD", coding)])).unwrap().lines.remove(0)
}

fn refused(coding: Vec<CodedField>) -> String {
    held(company().plan(&card("10.00 USD", vec![line("10.00 USD", coding)])))
}

/// The dimensions of a line on account 61300 with this further coding.
fn dimensions(company: &Company, coding: Vec<CodedField>) -> BTreeMap<String, String> {
    planned(company, [vec![gl("61300")], coding].concat()).dimensions
}

fn only(dimension: &str, code: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(dimension.to_owned(), code.to_owned())])
}

fn by_name(field_name: &str, value: &str) -> CodedField {
    CodedField { field_name: Some(field_name.to_owned()), value: Some(value.to_owned()), ..CodedField::default() }
}

#[test]
fn an_account_is_understood_by_id_by_number_and_by_the_number_its_name_starts_with() {
    let fields = [
        gl(&guid(0x613)),
        gl(&guid(0x613).to_uppercase()),
        gl("61300"),
        gl(" 61300 "),
        named("GL_ACCOUNT", "61300 Advertising"),
        named("GL_ACCOUNT", "  61300"),
        by_name("G/L Account", "61300"),
        by_name("gl account", "61300"),
        CodedField { value_name: Some("64100 Travel".to_owned()), ..gl("61300") },
    ];
    for field in fields {
        assert_eq!(planned(&company(), vec![field.clone()]).account, "61300", "{field:?}");
    }
}

#[test]
fn an_account_that_is_not_in_the_company_is_held_as_brex_showed_it() {
    let cases = [
        (gl("7500"), "7500"),
        (named("GL_ACCOUNT", "7500 Other G&A"), "7500 Other G&A"),
        (named("GL_ACCOUNT", "7500 Advertising"), "7500 Advertising"),
        (CodedField { value_name: Some("61300 Advertising".to_owned()), ..gl("7500") }, "7500 / 61300 Advertising"),
    ];
    for (field, shown) in cases {
        let expected = format!("account_unknown: the G/L account {shown} is not in Business Central");
        assert_eq!(refused(vec![field]), expected);
    }
    let unknown = guid(0xdead);
    assert_eq!(
        refused(vec![gl(&unknown)]),
        format!("account_unknown: the G/L account {unknown} is not in Business Central")
    );
}

#[test]
fn an_account_that_cannot_stand_on_a_line_is_held_with_the_reason() {
    let cases = [
        ("60000", "60000 Expenses cannot be used: its account type is Heading, not Posting"),
        ("61400", "61400 Old Advertising cannot be used: it is blocked"),
        ("22100", "22100 Payables cannot be used: it does not allow direct posting"),
    ];
    for (number, sentence) in cases {
        assert_eq!(refused(vec![gl(number)]), format!("account_unusable: the G/L account {sentence}"));
    }
}

#[test]
fn a_line_without_an_account_is_held_with_its_amount() {
    let sentence = "account_not_coded: the line over 10.00 USD carries no G/L account";
    let empty = CodedField { field: Some("GL_ACCOUNT".to_owned()), ..CodedField::default() };
    let blank = CodedField { value: Some(" ".to_owned()), value_name: Some(String::new()), ..empty.clone() };
    for coding in [vec![], vec![empty], vec![blank], vec![coded("DIM_DEPARTMENT", "MKT")], vec![by_name("?", "61300")]]
    {
        assert_eq!(refused(coding), sentence);
    }
    let lines = vec![line("4.00 USD", vec![gl("61300")]), line("6.00 USD", vec![])];
    assert_eq!(
        held(company().plan(&card("10.00 USD", lines))),
        "account_not_coded: the line over 6.00 USD carries no G/L account",
        "every line needs its own"
    );
}

#[test]
fn coding_on_the_cards_side_is_not_booked() {
    let mut record = card("10.00 USD", vec![line("10.00 USD", vec![gl("61300")])]);
    record.lines[1].coding = vec![gl("7500"), coded("DIM_NOWHERE", "X")];
    assert!(company().plan(&record).is_ok());
}

#[test]
fn a_dimension_value_is_understood_by_id_by_code_and_by_name() {
    let fields = [
        coded("DIM_DEPARTMENT", &guid(0xd1)),
        coded("DIM_DEPARTMENT", "MKT"),
        coded("DIM_DEPARTMENT", " mkt "),
        coded("DIM_department", "MKT"),
        named("DIM_DEPARTMENT", "Marketing"),
        named("DIM_DEPARTMENT", "MARKETING"),
        named("DIM_DEPARTMENT", "mkt"),
    ];
    for field in fields {
        assert_eq!(dimensions(&company(), vec![field.clone()]), only("DEPARTMENT", "MKT"), "{field:?}");
    }
}

#[test]
fn a_field_of_another_name_is_a_dimension_if_the_rules_say_so() {
    let mut company = company();
    let field = by_name("Cost Center", "MKT");
    assert_eq!(dimensions(&company, vec![field.clone()]), BTreeMap::new(), "a field without a rule is not booked");
    company.rules.fields.dimensions.insert("cost center".to_owned(), "DEPARTMENT".to_owned());
    assert_eq!(dimensions(&company, vec![field]), only("DEPARTMENT", "MKT"));
}

#[test]
fn the_id_of_a_field_wins_over_its_name() {
    let field = CodedField { field_name: Some("G/L Account".to_owned()), ..coded("DIM_PROJECT", "P1") };
    assert_eq!(dimensions(&company(), vec![field]), only("PROJECT", "P1"));
}

#[test]
fn several_dimensions_stand_on_one_line_under_business_centrals_own_codes() {
    let coding = vec![coded("DIM_department", "sales"), coded("DIM_PROJECT", "P1")];
    let expected = [("DEPARTMENT", "SALES"), ("PROJECT", "P1")];
    let expected: BTreeMap<_, _> = expected.into_iter().map(|(d, v)| (d.to_owned(), v.to_owned())).collect();
    assert_eq!(dimensions(&company(), coding), expected);
}

#[test]
fn a_dimension_that_was_left_open_is_left_out() {
    let open = CodedField { field: Some("DIM_PROJECT".to_owned()), ..CodedField::default() };
    let blank = CodedField { value: Some(String::new()), ..open.clone() };
    let elsewhere = CodedField { field: Some("DIM_REGION".to_owned()), ..CodedField::default() };
    assert_eq!(dimensions(&company(), vec![open, blank, elsewhere]), BTreeMap::new());
}

#[test]
fn a_dimension_or_value_that_is_not_in_the_company_is_held() {
    let cases = [
        (coded("DIM_REGION", "WEST"), "the dimension REGION is not in Business Central"),
        (coded("DIM_DEPARTMENT", "HR"), "the value HR of dimension DEPARTMENT is not in Business Central"),
        (named("DIM_DEPARTMENT", "People"), "the value People of dimension DEPARTMENT is not in Business Central"),
        (coded("DIM_PROJECT", "MKT"), "the value MKT of dimension PROJECT is not in Business Central"),
        (named("DIM_PROJECT", "Trade Fair"), "the value Trade Fair of dimension PROJECT is not in Business Central"),
        (
            CodedField { value_name: Some("Marketing".to_owned()), ..coded("DIM_DEPARTMENT", "HR") },
            "the value HR / Marketing of dimension DEPARTMENT is not in Business Central",
        ),
    ];
    for (field, sentence) in cases {
        assert_eq!(refused(vec![gl("61300"), field]), format!("dimension_unknown: {sentence}"));
    }
    let of_project = guid(0xe1);
    assert_eq!(
        refused(vec![gl("61300"), coded("DIM_DEPARTMENT", &of_project)]),
        format!("dimension_unknown: the value {of_project} of dimension DEPARTMENT is not in Business Central"),
        "an id of another dimension's value"
    );
}

#[test]
fn a_code_wins_over_another_value_of_that_name() {
    let mut company = company();
    company.values.push(value(0xd9, "DEPARTMENT", "MARKETING", "Sales"));
    let field = named("DIM_DEPARTMENT", "Marketing");
    assert_eq!(dimensions(&company, vec![field]), only("DEPARTMENT", "MARKETING"));
}

#[test]
fn one_code_in_two_dimensions_is_two_values() {
    let mut company = company();
    company.values.push(value(0xe9, "PROJECT", "MKT", "Marketing Plan"));
    assert_eq!(dimensions(&company, vec![coded("DIM_PROJECT", "MKT")]), only("PROJECT", "MKT"));
    assert_eq!(dimensions(&company, vec![coded("DIM_DEPARTMENT", "MKT")]), only("DEPARTMENT", "MKT"));
}

#[test]
fn a_blank_account_value_beside_a_name_counts_as_no_value() {
    let account = CodedField { value: Some(String::new()), ..named("GL_ACCOUNT", "61300 Advertising") };
    assert_eq!(planned(&company(), vec![account]).account, "61300");
}

#[test]
fn a_blank_dimension_value_beside_a_name_counts_as_no_value() {
    let department = CodedField { value: Some(" ".to_owned()), ..named("DIM_DEPARTMENT", "Marketing") };
    assert_eq!(dimensions(&company(), vec![department]), only("DEPARTMENT", "MKT"));
}

#[test]
fn a_line_coded_twice_in_the_same_way_is_coded() {
    let coding =
        vec![gl("61300"), by_name("GL Account", "61300"), coded("DIM_PROJECT", "P1"), coded("DIM_PROJECT", "p1")];
    let planned = planned(&company(), coding);
    assert_eq!((planned.account.as_str(), planned.dimensions), ("61300", only("PROJECT", "P1")));
}

#[test]
fn a_line_coded_to_two_accounts_is_held() {
    let line = line("10.00 USD", vec![gl("61300"), by_name("GL Account", "64100")]);
    assert!(company().plan(&card("10.00 USD", vec![line])).is_err());
}

#[test]
fn a_line_coded_to_two_values_of_a_dimension_is_held() {
    let line = line("10.00 USD", vec![gl("61300"), coded("DIM_PROJECT", "P1"), coded("DIM_PROJECT", "P2")]);
    assert!(company().plan(&card("10.00 USD", vec![line])).is_err());
}
