//! Each hold that the choice of a vendor can end in, with its sentence.

use domain::directory::{Blocked, Vendor};
use domain::record::{Person, Record};
use domain::vendor::Link;
use uuid::Uuid;

use crate::made::{
    Company, card, coded, company, from_merchant, gl, guid, held, line, named, reimbursement, simple_card, vendor,
};

fn coded_to(values: &[&str]) -> Record {
    let lines = values.iter().map(|v| line("5.00 USD", vec![gl("61300"), coded("VENDOR", v)])).collect();
    card("10.00 USD", lines)
}

fn of_employee(email: &str) -> Record {
    Record { person: Some(Person { name: "Kim".to_owned(), email: email.to_owned() }), ..reimbursement("10.00 USD") }
}

fn said(company: &Company, record: &Record) -> String {
    held(company.vendor(record, &[]))
}

#[test]
fn a_coded_vendor_that_is_not_in_the_company_is_named_and_nothing_else_is_tried() {
    let mut company = company();
    company.rules.default_vendor = Some("V10000".to_owned());
    for value in ["V1", "V10000 and more", guid(0xdead).as_str()] {
        let expected = format!("vendor_not_found: the coded vendor {value} is not in Business Central");
        assert_eq!(said(&company, &coded_to(&[value])), expected);
        let links = [Link { vendor: Uuid::from_u128(0x10), origin: "confirmed".to_owned() }];
        assert_eq!(held(company.vendor(&coded_to(&[value]), &links)), expected);
    }
}

#[test]
fn lines_coded_to_different_vendors_are_held_with_both() {
    assert_eq!(
        said(&company(), &coded_to(&["V10000", "V20000"])),
        "vendor_ambiguous: the lines are coded to different vendors: V10000 and V20000"
    );
}

#[test]
fn a_merchant_like_nobody_is_held_with_its_name() {
    for name in ["Messe Köln", "Berlin", "Messe", "Inc.", "***"] {
        assert_eq!(
            said(&company(), &from_merchant(name, simple_card("10.00 USD"))),
            format!("vendor_not_found: no vendor in Business Central is named like the merchant {name:?}")
        );
    }
}

#[test]
fn a_record_without_any_name_is_held() {
    let sentence = "vendor_missing: the record names neither a merchant nor a vendor";
    let record = simple_card("10.00 USD");
    assert_eq!(said(&company(), &Record { merchant: None, ..record.clone() }), sentence);
    assert_eq!(said(&company(), &from_merchant(" ", record)), sentence);
}

#[test]
fn vendors_that_share_the_exact_name_are_all_named() {
    let mut company = company();
    company.vendors.insert(0, vendor(0x12, "V12000", "MESSE BERLIN"));
    assert_eq!(
        said(&company, &from_merchant("Messe Berlin", simple_card("10.00 USD"))),
        "vendor_ambiguous: several vendors are named \"Messe Berlin\": V10000 Messe Berlin, V12000 MESSE BERLIN"
    );
}

#[test]
fn vendors_whose_names_mean_the_same_are_all_named() {
    let mut company = company();
    company.vendors.push(vendor(0x12, "V12000", "Messe Berlin AG"));
    assert_eq!(
        said(&company, &from_merchant("Messe Berlin Inc", simple_card("10.00 USD"))),
        "vendor_ambiguous: several vendors have the name of the merchant \"Messe Berlin Inc\": V10000 Messe Berlin, \
         V12000 Messe Berlin AG"
    );
}

#[test]
fn an_ambiguous_name_is_not_decided_by_the_default_vendor() {
    let mut company = company();
    company.vendors.push(vendor(0x12, "V12000", "Messe Berlin"));
    company.rules.default_vendor = Some("V20000".to_owned());
    let sentence = said(&company, &simple_card("10.00 USD"));
    assert!(sentence.starts_with("vendor_ambiguous: "), "{sentence}");
}

#[test]
fn an_employee_without_a_vendor_is_held_with_the_address() {
    let mut company = company();
    company.rules.default_vendor = Some("V10000".to_owned());
    company.rules.employees.insert("gone@example.com".to_owned(), "V77000".to_owned());
    let cases = [
        (of_employee("kim@example.com"), "no vendor in Business Central has the e-mail address kim@example.com"),
        (of_employee(" "), "the reimbursement names no employee"),
        (Record { person: None, ..reimbursement("10.00 USD") }, "the reimbursement names no employee"),
        (
            of_employee("Gone@example.com"),
            "the employees table names vendor V77000 for gone@example.com, which is not in Business Central",
        ),
    ];
    for (record, sentence) in cases {
        assert_eq!(said(&company, &record), format!("employee_vendor_missing: {sentence}"));
    }
}

#[test]
fn vendors_that_share_an_address_are_all_named() {
    let mut company = company();
    company.vendors.push(Vendor { email: "SAM.LEE@example.com".to_owned(), ..vendor(0x31, "V31000", "Samuel Lee") });
    assert_eq!(
        said(&company, &reimbursement("10.00 USD")),
        "vendor_ambiguous: several vendors have the e-mail address sam.lee@example.com: V30000 Sam Lee, \
         V31000 Samuel Lee"
    );
}

#[test]
fn a_default_vendor_that_is_not_in_the_company_is_named() {
    let mut company = company();
    company.rules.default_vendor = Some("V90000".to_owned());
    let sentence = "vendor_not_found: the default vendor V90000 is not in Business Central";
    let record = from_merchant("Nobody", simple_card("10.00 USD"));
    assert_eq!(said(&company, &record), sentence);
    assert_eq!(said(&company, &Record { merchant: None, ..record }), sentence);
}

#[test]
fn a_blocked_vendor_is_held_however_it_was_found() {
    let mut company = company();
    company.vendors[0].blocked = Blocked::All;
    company.vendors[0].email = "kim@example.com".to_owned();
    company.rules.default_vendor = Some("V10000".to_owned());
    company.rules.employees.insert("lou@example.com".to_owned(), "V10000".to_owned());
    let link = [Link { vendor: Uuid::from_u128(0x10), origin: "confirmed".to_owned() }];
    let nobody = from_merchant("Nobody", simple_card("10.00 USD"));
    let cases: [(&str, Record, &[Link]); 8] = [
        ("coded by number", coded_to(&["V10000"]), &[]),
        ("coded by id", coded_to(&[guid(0x10).as_str()]), &[]),
        ("employees table", of_employee("lou@example.com"), &[]),
        ("employee's address", of_employee("kim@example.com"), &[]),
        ("link", nobody.clone(), &link),
        ("exact name", from_merchant("Messe Berlin", simple_card("10.00 USD")), &[]),
        ("same name", from_merchant("Messe Berlin GmbH", simple_card("10.00 USD")), &[]),
        ("default vendor", nobody, &[]),
    ];
    for (way, record, links) in cases {
        let sentence = held(company.vendor(&record, links));
        assert_eq!(sentence, "vendor_blocked: vendor V10000 Messe Berlin is blocked with type All", "{way}");
    }
}

#[test]
fn an_open_vendor_of_the_same_name_does_not_step_in_for_the_blocked_one_a_person_coded() {
    let mut company = company();
    company.vendors.push(Vendor { blocked: Blocked::All, ..vendor(0x12, "V12000", "Messe Berlin GmbH") });
    assert_eq!(
        said(&company, &coded_to(&["V12000"])),
        "vendor_blocked: vendor V12000 Messe Berlin GmbH is blocked with type All"
    );
}

#[test]
fn a_vendor_name_that_is_not_a_number_is_shown_as_it_was_coded() {
    let record = card("10.00 USD", vec![line("10.00 USD", vec![named("VENDOR", "Somebody Else")])]);
    assert_eq!(
        said(&company(), &record),
        "vendor_not_found: the coded vendor Somebody Else is not in Business Central"
    );
}

#[test]
fn six_vendors_of_one_name_give_the_same_sentence_in_any_order() {
    let mut company = company();
    company.vendors = (1..=6).map(|n| vendor(n, &format!("V{n}0000"), "Messe Berlin")).collect();
    let sentence = said(&company, &simple_card("10.00 USD"));
    company.vendors.reverse();
    assert_eq!(said(&company, &simple_card("10.00 USD")), sentence);
}
