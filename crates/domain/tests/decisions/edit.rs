//! What an edit in Brex means for a document that exists: which changes count, which may be made freely.

use domain::edit::booked_differences;
use domain::record::{CodedField, Merchant, Person, Record, Review, Side};

use crate::made::{card, coded, gl, line, money, reimbursement, supplier_bill};

type Edit = fn(&mut Record);

fn bill() -> Record {
    supplier_bill("10.00 USD", Some("INV-1"))
}

/// The differences of an edit, each as people read it.
fn edited(before: &Record, edit: impl FnOnce(&mut Record)) -> Vec<String> {
    let mut after = before.clone();
    edit(&mut after);
    booked_differences(before, &after).iter().map(ToString::to_string).collect()
}

#[test]
fn every_booked_field_is_named_with_its_old_and_new_value() {
    let instant = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    let cases: [(Edit, &str); 11] = [
        (|r| r.type_name = "BILL_EXPENSE_PAYMENT".to_owned(), "type: planned BILL_EXPENSE, found BILL_EXPENSE_PAYMENT"),
        (|r| r.amount = money("10.01 USD"), "amount: planned 10.00 USD, found 10.01 USD"),
        (|r| r.amount = money("10.00 EUR"), "amount: planned 10.00 USD, found 10.00 EUR"),
        (|r| r.due_at = None, "due date: planned 2026-07-01T12:00:00Z, found none"),
        (|r| r.invoice_number = Some("INV-2".to_owned()), "invoice number: planned INV-1, found INV-2"),
        (|r| r.invoice_number = None, "invoice number: planned INV-1, found none"),
        (|r| r.merchant = None, "merchant: planned Schrute Farms LLC, found none"),
        (|r| r.lines.truncate(1), "number of lines: planned 2, found 1"),
        (|r| r.lines[0].side = Side::Credit, "line 1 side: planned Debit, found Credit"),
        (|r| r.lines[0].amount = money("9.99 USD"), "line 1 amount: planned 10.00 USD, found 9.99 USD"),
        (|r| r.lines[0].coding = vec![gl("64100")], "line 1 coding: planned GL_ACCOUNT=61300, found GL_ACCOUNT=64100"),
    ];
    for (edit, expected) in cases {
        assert_eq!(edited(&bill(), edit), [expected]);
    }
    assert_eq!(
        edited(&bill(), |r| r.posting_at = instant("2026-06-12T09:00:00Z")),
        ["posting date: planned 2026-06-11T09:09:05.840865Z, found 2026-06-12T09:00:00Z"]
    );
    assert_eq!(
        edited(&bill(), |r| r.merchant = Some(Merchant { id: "pdcont_2".to_owned(), name: "Beets".to_owned() })),
        ["merchant: planned Schrute Farms LLC, found Beets"]
    );
}

#[test]
fn what_is_not_booked_may_change_freely() {
    let cases: [(&str, Edit); 6] = [
        ("version", |r| r.version += 1),
        ("memo", |r| r.memo = Some("another".to_owned())),
        ("a line's memo", |r| r.lines[0].memo = Some("another".to_owned())),
        ("the review", |r| r.review = Review::Exported),
        ("the time of the edit", |r| r.updated_at = "2026-08-01T00:00:00Z".parse().unwrap()),
        ("Brex's id of the merchant", |r| r.merchant.as_mut().unwrap().id = "pdcont_9".to_owned()),
    ];
    for (what, edit) in cases {
        assert_eq!(edited(&bill(), edit), Vec::<String>::new(), "{what}");
    }
}

#[test]
fn an_amount_written_with_other_zeros_is_the_same() {
    assert!(edited(&bill(), |r| r.amount = money("10 USD")).is_empty());
    assert!(edited(&bill(), |r| r.lines[0].amount = money("10.000 USD")).is_empty());
}

#[test]
fn the_order_of_fields_and_empty_ones_are_no_change_of_coding() {
    let before = card("10.00 USD", vec![line("10.00 USD", vec![gl("61300"), coded("DIM_DEPARTMENT", "MKT")])]);
    let empty = CodedField { field: Some("DIM_PROJECT".to_owned()), ..CodedField::default() };
    assert!(edited(&before, |r| r.lines[0].coding.reverse()).is_empty());
    assert!(edited(&before, |r| r.lines[0].coding.push(empty)).is_empty());
    assert_eq!(
        edited(&before, |r| r.lines[0].coding.truncate(1)),
        ["line 1 coding: planned DIM_DEPARTMENT=MKT, GL_ACCOUNT=61300, found GL_ACCOUNT=61300"]
    );
}

#[test]
fn a_value_that_only_got_another_name_is_the_same_value() {
    let before = card("10.00 USD", vec![line("10.00 USD", vec![gl("61300")])]);
    let rename = |r: &mut Record| {
        r.lines[0].coding[0].value_name = Some("61300 Marketing".to_owned());
        r.lines[0].coding[0].field_name = Some("Account".to_owned());
    };
    assert!(edited(&before, rename).is_empty());
}

#[test]
fn a_new_split_is_named_by_count_and_by_line() {
    let before = card("10.00 USD", vec![line("10.00 USD", vec![gl("61300")])]);
    let after = card("10.00 USD", vec![line("4.00 USD", vec![gl("61300")]), line("6.00 USD", vec![gl("64100")])]);
    let fields: Vec<String> = booked_differences(&before, &after).into_iter().map(|d| d.field).collect();
    assert_eq!(fields, ["number of lines", "line 1 amount", "line 2 side", "line 2 amount", "line 2 coding"]);
}

#[test]
fn another_employee_is_another_payee() {
    let other = Person { name: "Kim".to_owned(), email: "kim@example.com".to_owned() };
    assert!(!edited(&reimbursement("10.00 USD"), |r| r.person = Some(other)).is_empty());
}

#[test]
fn another_original_amount_is_another_amount() {
    let mut before = card("10.00 USD", vec![line("10.00 USD", vec![gl("61300")])]);
    before.original_amount = Some(money("9.00 EUR"));
    before.lines[0].original_amount = Some(money("9.00 EUR"));
    assert!(!edited(&before, |r| r.original_amount = Some(money("9.01 EUR"))).is_empty(), "the record");
    assert!(!edited(&before, |r| r.lines[0].original_amount = Some(money("9.01 EUR"))).is_empty(), "the line");
}
