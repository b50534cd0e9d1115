//! Each way in which a vendor is found, and which way wins when several would find one.

use domain::directory::{Blocked, Vendor};
use domain::record::{CodedField, Line, Record};
use domain::vendor::{Link, Why, merchant_key};
use uuid::Uuid;

use crate::made::{
    Company, card, coded, company, from_merchant, gl, guid, line, named, reimbursement, simple_card, supplier_bill,
    vendor,
};

/// The number of the vendor that was found, and how.
fn found(company: &Company, record: &Record, links: &[Link]) -> (String, Why) {
    let resolved = company.vendor(record, links).unwrap();
    let known = company.vendors.iter().find(|v| v.number == resolved.number).unwrap();
    assert_eq!((resolved.id, &resolved.name), (known.id, &known.name), "the number, id and name are of one vendor");
    (resolved.number, resolved.why)
}

fn link(vendor: u128, origin: &str) -> Link {
    Link { vendor: Uuid::from_u128(vendor), origin: origin.to_owned() }
}

fn coded_as(field: CodedField) -> Record {
    from_merchant("Nobody", card("10.00 USD", vec![line("10.00 USD", vec![gl("61300"), field])]))
}

fn with_default() -> Company {
    let mut company = company();
    company.vendors.push(vendor(0x90, "V90000", "Card Merchants"));
    company.rules.default_vendor = Some("V90000".to_owned());
    company
}

#[test]
fn a_coded_vendor_is_understood_by_id_by_number_and_by_a_name_that_is_its_number() {
    let fields = [
        coded("VENDOR", &guid(0x20)),
        coded("VENDOR", &guid(0x20).to_uppercase()),
        coded("VENDOR", "V20000"),
        coded("VENDOR", " v20000 "),
        coded("vendor", "V20000"),
        named("VENDOR", "V20000"),
        CodedField { field_name: Some("Vendor".to_owned()), value: Some("V20000".to_owned()), ..CodedField::default() },
        CodedField { field_name: Some("vendor".to_owned()), ..coded("extended_field_9", "V20000") },
    ];
    for field in fields {
        let value = field.value.clone().or(field.value_name.clone()).unwrap().trim().to_owned();
        assert_eq!(found(&company(), &coded_as(field), &[]), ("V20000".to_owned(), Why::Coded { value }));
    }
}

#[test]
fn one_coded_line_speaks_for_the_record_and_equal_codings_agree() {
    let vendor_field = |text: &str| vec![gl("61300"), coded("VENDOR", text)];
    for lines in [
        vec![line("4.00 USD", vec![gl("61300")]), line("6.00 USD", vendor_field("V20000"))],
        vec![line("4.00 USD", vendor_field("V20000")), line("6.00 USD", vendor_field("v20000"))],
    ] {
        assert_eq!(found(&company(), &card("10.00 USD", lines), &[]).0, "V20000");
    }
}

#[test]
fn an_uncoded_vendor_field_and_coding_on_the_cards_side_say_nothing() {
    let empty = CodedField { field: Some("VENDOR".to_owned()), value: Some(" ".to_owned()), ..CodedField::default() };
    let mut record = card("10.00 USD", vec![line("10.00 USD", vec![gl("61300"), empty])]);
    record.lines[1].coding = vec![coded("VENDOR", "V20000")];
    assert_eq!(found(&company(), &record, &[]).0, "V10000", "found by the merchant's name");
}

#[test]
fn a_coded_vendor_wins_over_memory_name_employee_and_default() {
    let company = with_default();
    let mut record = from_merchant("Messe Berlin", coded_as(coded("VENDOR", "V20000")));
    assert_eq!(found(&company, &record, &[link(0x10, "confirmed")]).0, "V20000");

    record = reimbursement("10.00 USD");
    record.lines[0].coding.push(coded("VENDOR", "V20000"));
    assert_eq!(found(&company, &record, &[]).0, "V20000");
}

#[test]
fn a_link_wins_over_the_name() {
    let record = from_merchant("Messe Berlin", simple_card("10.00 USD"));
    let why = Why::Remembered { merchant: "Messe Berlin".to_owned(), origin: "coded in Brex on accr_7".to_owned() };
    let links = [link(0x20, "coded in Brex on accr_7"), link(0x20, "coded in Brex on accr_9")];
    assert_eq!(found(&company(), &record, &links), ("V20000".to_owned(), why));
}

#[test]
fn links_that_contradict_each_other_or_lead_nowhere_are_set_aside() {
    let record = from_merchant("Messe Berlin", simple_card("10.00 USD"));
    let by_name = ("V10000".to_owned(), Why::ExactName { merchant: "Messe Berlin".to_owned() });
    assert_eq!(found(&company(), &record, &[link(0x20, "a"), link(0x30, "b")]), by_name);
    assert_eq!(found(&company(), &record, &[link(0x20, "a"), link(0x20, "b"), link(0x30, "c")]), by_name);
    assert_eq!(found(&company(), &record, &[link(0xdead, "a deleted vendor")]), by_name);
}

#[test]
fn a_name_is_exact_although_a_card_network_shouts_it() {
    for name in ["Messe Berlin", "MESSE BERLIN", "  messe   berlin "] {
        let (number, why) = found(&company(), &from_merchant(name, simple_card("10.00 USD")), &[]);
        assert_eq!((number.as_str(), why), ("V10000", Why::ExactName { merchant: name.trim().to_owned() }));
    }
}

#[test]
fn a_name_is_the_same_without_legal_form_accents_and_punctuation() {
    for name in ["Messe Berlin GmbH", "Messe-Berlin", "Méssé Berlin, Inc."] {
        let (number, why) = found(&company(), &from_merchant(name, simple_card("10.00 USD")), &[]);
        let common = "messe berlin".to_owned();
        assert_eq!((number.as_str(), why), ("V10000", Why::SameName { merchant: name.to_owned(), common }));
    }
}

#[test]
fn the_exact_name_wins_over_names_that_only_mean_the_same() {
    let mut company = company();
    company.vendors.push(vendor(0x11, "V11000", "Messe Berlin GmbH"));
    let number = |name: &str| found(&company, &from_merchant(name, simple_card("10.00 USD")), &[]).0;
    assert_eq!(number("Messe Berlin"), "V10000");
    assert_eq!(number("Messe Berlin GmbH"), "V11000");
}

#[test]
fn a_bill_finds_its_supplier_by_name() {
    let (number, why) = found(&company(), &supplier_bill("10.00 USD", Some("1")), &[]);
    let common = "schrute farms".to_owned();
    assert_eq!((number.as_str(), why), ("V20000", Why::SameName { merchant: "Schrute Farms LLC".to_owned(), common }));
}

#[test]
fn an_employee_is_found_by_the_table_first_and_then_by_any_of_the_vendors_addresses() {
    let mut company = with_default();
    let email = "sam.lee@example.com".to_owned();
    let record = reimbursement("10.00 USD");
    let by_address = ("V30000".to_owned(), Why::EmployeeEmail { email: email.clone() });
    assert_eq!(found(&company, &record, &[link(0x20, "links are for merchants")]), by_address);

    let mut other = record.clone();
    other.person.as_mut().unwrap().email = "SAM@example.org".to_owned();
    assert_eq!(found(&company, &other, &[]).0, "V30000");

    company.rules.employees.insert(email.clone(), "v20000".to_owned());
    assert_eq!(found(&company, &record, &[]), ("V20000".to_owned(), Why::EmployeeTable { email }));
}

#[test]
fn an_employees_vendor_is_not_the_merchant_where_the_money_was_spent() {
    let record = from_merchant("Messe Berlin", reimbursement("10.00 USD"));
    assert_eq!(found(&company(), &record, &[]).0, "V30000");
}

#[test]
fn the_default_vendor_is_the_last_resort_and_says_which_merchant_it_stands_for() {
    let company = with_default();
    let merchant = Some("Nobody".to_owned());
    let record = from_merchant("Nobody", simple_card("10.00 USD"));
    assert_eq!(found(&company, &record, &[]), ("V90000".to_owned(), Why::DefaultVendor { merchant }));

    let nameless = Record { merchant: None, ..record.clone() };
    assert_eq!(found(&company, &nameless, &[]), ("V90000".to_owned(), Why::DefaultVendor { merchant: None }));
    let blank = from_merchant("  ", record);
    assert_eq!(found(&company, &blank, &[]), ("V90000".to_owned(), Why::DefaultVendor { merchant: None }));
    assert_eq!(found(&company, &simple_card("10.00 USD"), &[]).0, "V10000", "a name that fits wins");
}

#[test]
fn a_vendor_blocked_for_payment_still_receives_documents() {
    let mut company = company();
    company.vendors[0].blocked = Blocked::Payment;
    assert_eq!(found(&company, &simple_card("10.00 USD"), &[]).0, "V10000");
}

#[test]
fn only_an_open_vendor_of_two_with_one_name_can_be_named_by_its_number() {
    let mut company = company();
    company.vendors.push(Vendor { blocked: Blocked::All, ..vendor(0x11, "V11000", "Messe Berlin") });
    assert_eq!(found(&company, &coded_as(coded("VENDOR", "V10000")), &[]).0, "V10000");
    assert!(company.vendor(&from_merchant("Messe Berlin", simple_card("10.00 USD")), &[]).is_err());
}

#[test]
fn a_merchant_is_remembered_by_what_its_name_means() {
    assert_eq!(merchant_key("Café Zoë, L.L.C."), Some("cafe zoe".to_owned()));
    assert_eq!(merchant_key("CAFE ZOE"), merchant_key("Café Zoë, L.L.C."));
    assert_eq!(merchant_key(" *** "), None, "a name without letters or digits is no key");
}

#[test]
fn every_reason_reads_as_a_sentence_fragment() {
    let text = |text: &str| text.to_owned();
    let merchant = text("Cafe");
    let cases = [
        (Why::Coded { value: text("V1") }, "coded on the record in Brex (V1)"),
        (Why::EmployeeTable { email: text("a@b.c") }, "the employees table names it for a@b.c"),
        (Why::EmployeeEmail { email: text("a@b.c") }, "the vendor in Business Central has the e-mail address a@b.c"),
        (
            Why::Remembered { merchant: merchant.clone(), origin: text("coded in Brex on accr_1") },
            "remembered for \"Cafe\" (coded in Brex on accr_1)",
        ),
        (Why::ExactName { merchant: merchant.clone() }, "the merchant has exactly this name (\"Cafe\")"),
        (
            Why::SameName { merchant: merchant.clone(), common: text("cafe") },
            "merchant \"Cafe\" has the same name (cafe)",
        ),
        (Why::DefaultVendor { merchant: Some(merchant) }, "no vendor fits, the connection's default vendor is used"),
    ];
    for (why, words) in cases {
        assert_eq!(why.words(), words);
        let stored = serde_json::to_string(&why).unwrap();
        assert_eq!(serde_json::from_str::<Why>(&stored).unwrap(), why, "{stored} reads back");
    }
}

#[test]
fn two_codings_of_one_vendor_agree_although_one_is_its_id_and_the_other_its_number() {
    let lines: Vec<Line> = [guid(0x20).as_str(), "V20000"]
        .into_iter()
        .map(|text| line("5.00 USD", vec![gl("61300"), coded("VENDOR", text)]))
        .collect();
    assert_eq!(found(&company(), &card("10.00 USD", lines), &[]).0, "V20000");
}

#[test]
fn a_coded_vendor_with_only_a_name_is_understood_by_the_number_that_the_name_starts_with() {
    assert_eq!(found(&company(), &coded_as(named("VENDOR", "V20000 Schrute Farms, LLC")), &[]).0, "V20000");
}

#[test]
fn a_blank_value_beside_a_name_counts_as_no_value() {
    let field = CodedField { value: Some(String::new()), ..named("VENDOR", "V20000") };
    assert_eq!(found(&company(), &coded_as(field), &[]).0, "V20000");
}
