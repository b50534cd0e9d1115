//! The numbers that documents carry: the supplier's on bills, ours on everything else.

use domain::id::{DOCUMENT_NUMBER_MAX, DocumentNumber};
use domain::record::Record;

use crate::made::{company, held, job_of, refund, reimbursement, simple_card, supplier_bill};

fn number(text: &str) -> String {
    company().plan(&supplier_bill("10.00 USD", Some(text))).unwrap().number.to_string()
}

#[test]
fn a_suppliers_number_is_trimmed_and_upper_cased_as_business_central_stores_it() {
    assert_eq!(number(" inv-2026/0612a "), "INV-2026/0612A");
    assert_eq!(number("ré 7"), "RÉ 7");
    assert_eq!(number("0042"), "0042");
}

#[test]
fn a_suppliers_number_may_have_35_characters_and_no_more() {
    let longest = "x".repeat(DOCUMENT_NUMBER_MAX);
    assert_eq!(number(&format!("  {longest}  ")), longest.to_uppercase());
    for (text, length) in [("x".repeat(36), 36), ("ß".repeat(18), 36), ("9".repeat(200), 200)] {
        assert_eq!(
            held(company().plan(&supplier_bill("10.00 USD", Some(&text)))),
            format!(
                "invoice_number_too_long: the bill's invoice number cannot be used: it has {length} characters and \
                 Business Central takes at most 35"
            )
        );
    }
}

#[test]
fn a_bill_without_a_number_is_held() {
    for number in [None, Some(""), Some("  ")] {
        assert_eq!(
            held(company().plan(&supplier_bill("10.00 USD", number))),
            "invoice_number_missing: the bill carries no invoice number"
        );
    }
}

#[test]
fn everything_but_a_bill_carries_our_number_whatever_brex_has_in_the_field() {
    for record in [simple_card("10.00 USD"), refund("10.00 USD"), reimbursement("10.00 USD")] {
        let record = Record { invoice_number: Some("INV-1".to_owned()), ..record };
        assert_eq!(company().plan(&record).unwrap().number, DocumentNumber::of_job(job_of(&record)));
    }
}

#[test]
fn a_bill_without_a_due_date_leaves_it_to_business_central() {
    let bill = Record { due_at: None, ..supplier_bill("10.00 USD", Some("1")) };
    assert_eq!(company().plan(&bill).unwrap().due_date, None);
}

#[test]
fn a_credit_memo_has_no_due_date() {
    let record = Record { due_at: Some("2026-07-01T12:00:00Z".parse().unwrap()), ..refund("10.00 USD") };
    assert_eq!(company().plan(&record).unwrap().due_date, None);
}
