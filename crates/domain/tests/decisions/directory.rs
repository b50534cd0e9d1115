//! Look-ups in the mirrored master data: what is found by id, number, code, name and address, and what is not.

use domain::directory::{Blocked, CompanySetup, Directory, normal_name};

use crate::made::{company, guid, value, vendor};

#[test]
fn an_empty_directory_finds_nothing() {
    let directory = Directory::new(vec![], vec![], vec![], CompanySetup::default());
    assert_eq!((directory.vendor("V1"), directory.account("1"), directory.value("D", "1")), (None, None, None));
    assert!(directory.vendors_named("a").is_empty() && directory.vendors_like("a").is_empty());
    assert!(directory.vendors_with_email("a@example.com").is_empty() && !directory.has_dimension("D"));
}

#[test]
fn blank_text_finds_nothing() {
    let mut company = company();
    company.vendors.push(vendor(0x70, "V70000", "***"));
    let directory = company.directory();
    assert_eq!((directory.vendor(" "), directory.account(""), directory.value("DEPARTMENT", " ")), (None, None, None));
    assert!(directory.vendors_like("!!").is_empty(), "a name without letters is like no other");
    assert!(directory.vendors_with_email(" ").is_empty(), "most vendors have no address");
    assert_eq!(directory.vendors_named("***").len(), 1, "but it can be the exact name");
}

#[test]
fn an_id_is_read_in_every_form_of_a_guid() {
    let directory = company().directory();
    let plain = guid(0x613);
    for text in
        [plain.clone(), plain.to_uppercase(), format!("{{{plain}}}"), plain.replace('-', ""), format!(" {plain}\n")]
    {
        assert_eq!(directory.account(&text).map(|a| a.number.as_str()), Some("61300"), "{text}");
    }
}

#[test]
fn a_number_that_looks_like_a_guid_is_still_a_number() {
    let mut company = company();
    let number = "00000000000000000000000000000613".to_owned();
    company.accounts.remove(0);
    company.accounts[0].number.clone_from(&number);
    assert_eq!(company.directory().account(&number).map(|a| a.name.as_str()), Some("Travel"));
}

#[test]
fn exact_names_keep_legal_form_and_punctuation_and_like_names_do_not() {
    let directory = company().directory();
    assert_eq!(directory.vendors_named("schrute farms, llc").len(), 1);
    assert!(directory.vendors_named("Schrute Farms LLC").is_empty());
    assert_eq!(directory.vendors_like("Schrute Farms LLC").len(), 1);
    assert!(directory.vendors_like("Schrute").is_empty(), "a part of a name is not the name");
}

#[test]
fn a_value_belongs_to_its_dimension_whatever_names_it() {
    let mut company = company();
    company.values.push(value(0xe9, "PROJECT", "MKT", "Marketing"));
    let directory = company.directory();
    let code = |dimension: &str, text: &str| directory.value(dimension, text).map(|v| (v.dimension.as_str(), v.id));
    assert_eq!(code("department", "mkt").map(|(d, _)| d), Some("DEPARTMENT"));
    assert_eq!(code("PROJECT", "MKT").map(|(d, _)| d), Some("PROJECT"));
    assert_eq!(code("PROJECT", &guid(0xd1)), None);
    assert_eq!(directory.value_named("Project", "MARKETING").map(|v| v.code.as_str()), Some("MKT"));
    assert_eq!(directory.value_named("PROJECT", "Trade Fair"), None, "two values have this name");
}

#[test]
fn a_name_comes_down_to_its_words() {
    let cases = [
        ("AT&T Inc.", "at t"),
        ("O'Reilly Media", "oreilly media"),
        ("O\u{2019}Reilly Media", "oreilly media"),
        ("A.B.C. Corp", "abc"),
        ("Smith and Sons Co. Ltd.", "smith sons"),
        ("Straße", "straße"),
        ("ÅNGSTRÖM AB", "angstrom"),
        ("ＦＵＬＬ Ｗidth", "full width"),
        ("Co", "co"),
        ("Limited Brands", "limited brands"),
        ("东京", "东京"),
        ("", ""),
    ];
    for (name, expected) in cases {
        assert_eq!(normal_name(name), expected, "{name:?}");
    }
}

#[test]
fn the_mirrored_rows_survive_the_store() {
    let mut company = company();
    company.vendors[0].blocked = Blocked::Payment;
    let stored =
        serde_json::to_string(&(&company.vendors, &company.accounts, &company.values, &company.setup)).unwrap();
    let (vendors, accounts, values, setup) = serde_json::from_str(&stored).unwrap();
    assert_eq!((company.vendors, company.accounts, company.values, company.setup), (vendors, accounts, values, setup));
}
