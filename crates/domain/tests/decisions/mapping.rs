//! What each type of record becomes, shown as whole plans.

use domain::document::DocumentKind;
use domain::id::{JobId, RecordId};
use domain::mapping::decide_document;
use domain::record::{Line, Record, Side, Treatment, TypePolicy};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::made::{card, coded, company, gl, held, line, record, refund, reimbursement, simple_card, supplier_bill};

#[test]
fn a_split_card_expense_becomes_a_purchase_invoice_with_a_line_per_split() {
    let booth = vec![gl("61300"), coded("VENDOR", "V10000"), coded("DIM_DEPARTMENT", "MKT")];
    let lines = vec![
        Line { memo: Some("Booth deposit".to_owned()), ..line("200.00 USD", booth) },
        line("48.37 USD", vec![gl("64100")]),
    ];
    let plan = company().plan(&card("248.37 USD", lines)).unwrap();
    insta::assert_json_snapshot!(plan, @r#"
    {
      "kind": "invoice",
      "record": "accr_1",
      "record_version": 4,
      "job": "fca6e8e3-8e2c-59a5-a8e0-c3106eb14b66",
      "number": "BRX-77STDQAXOD63YJTB",
      "vendor_number": "V10000",
      "posting_date": "2026-06-11",
      "document_date": "2026-06-11",
      "due_date": null,
      "currency": null,
      "total": "248.37",
      "lines": [
        {
          "account": "61300",
          "description": "Booth deposit",
          "amount": "200.00",
          "dimensions": {
            "DEPARTMENT": "MKT"
          }
        },
        {
          "account": "64100",
          "description": "Messe Berlin GmbH",
          "amount": "48.37",
          "dimensions": {}
        }
      ],
      "rules": "r1"
    }
    "#);
}

#[test]
fn a_refund_becomes_a_credit_memo_whichever_sign_the_record_carries() {
    let plan = company().plan(&refund("40.00 USD")).unwrap();
    assert_eq!(company().plan(&refund("-40.00 USD")).unwrap(), plan);
    insta::assert_json_snapshot!(plan, @r#"
    {
      "kind": "credit_memo",
      "record": "accr_1",
      "record_version": 4,
      "job": "fca6e8e3-8e2c-59a5-a8e0-c3106eb14b66",
      "number": "BRX-77STDQAXOD63YJTB",
      "vendor_number": "V10000",
      "posting_date": "2026-06-11",
      "document_date": "2026-06-11",
      "due_date": null,
      "currency": null,
      "total": "40.00",
      "lines": [
        {
          "account": "61300",
          "description": "Messe Berlin GmbH",
          "amount": "40.00",
          "dimensions": {}
        }
      ],
      "rules": "r1"
    }
    "#);
}

#[test]
fn a_repayment_becomes_a_credit_memo() {
    let lines = vec![line("12.00 USD", vec![gl("61300")])];
    let plan = company().plan(&record("CARD_EXPENSE_REPAYMENT", Side::Credit, "12.00 USD", lines)).unwrap();
    assert_eq!((plan.kind, plan.total), (DocumentKind::CreditMemo, Decimal::new(1200, 2)));
}

#[test]
fn a_refund_whose_lines_stand_on_the_sides_of_a_purchase_is_held_for_its_coding() {
    let lines = vec![line("40.00 USD", vec![gl("61300")])];
    let record = record("CARD_EXPENSE_REFUND", Side::Debit, "40.00 USD", lines);
    assert_eq!(
        held(company().plan(&record)),
        "account_not_coded: the line over 40.00 USD carries no G/L account",
        "direction comes from the sides, and the credit side here is the card's"
    );
}

#[test]
fn a_reimbursement_becomes_a_purchase_invoice_before_and_after_payout() {
    let approval = reimbursement("86.5 USD");
    let mut post = approval.clone();
    post.type_name = "REIMBURSEMENT_EXPENSE_POST".to_owned();
    let plan = company().plan(&approval).unwrap();
    assert_eq!(company().plan(&post).unwrap(), plan);
    insta::assert_json_snapshot!(plan, @r#"
    {
      "kind": "invoice",
      "record": "accr_1",
      "record_version": 4,
      "job": "fca6e8e3-8e2c-59a5-a8e0-c3106eb14b66",
      "number": "BRX-77STDQAXOD63YJTB",
      "vendor_number": "V10000",
      "posting_date": "2026-06-11",
      "document_date": "2026-06-11",
      "due_date": null,
      "currency": null,
      "total": "86.5",
      "lines": [
        {
          "account": "64100",
          "description": "Sam Lee",
          "amount": "86.5",
          "dimensions": {}
        }
      ],
      "rules": "r1"
    }
    "#);
}

#[test]
fn a_bill_becomes_a_purchase_invoice_with_the_suppliers_number_and_its_due_date() {
    let plan = company().plan(&supplier_bill("12500 USD", Some(" inv-2026-0612 "))).unwrap();
    insta::assert_json_snapshot!(plan, @r#"
    {
      "kind": "invoice",
      "record": "accr_1",
      "record_version": 4,
      "job": "fca6e8e3-8e2c-59a5-a8e0-c3106eb14b66",
      "number": "INV-2026-0612",
      "vendor_number": "V10000",
      "posting_date": "2026-06-11",
      "document_date": "2026-06-11",
      "due_date": "2026-07-01",
      "currency": null,
      "total": "12500",
      "lines": [
        {
          "account": "61300",
          "description": "Schrute Farms LLC",
          "amount": "12500",
          "dimensions": {}
        }
      ],
      "rules": "r1"
    }
    "#);
}

#[test]
fn a_type_that_is_no_spend_or_not_known_is_held_with_its_name() {
    for name in ["CARD_PAYMENT", "REWARD_REDEMPTION", "BILL_EXPENSE_PAYMENT", "CARD_EXPENSE_DISPUTE", ""] {
        let record = record(name, Side::Debit, "10.00 USD", vec![line("10.00 USD", vec![gl("61300")])]);
        let expected =
            format!("record_type_unknown: this version of the connector has no rule for the record type {name}");
        assert_eq!(held(company().plan(&record)), expected);
    }
}

#[test]
fn the_plan_goes_to_the_vendor_that_was_found_and_names_the_rules_that_made_it() {
    let mut company = company();
    company.rules.version = "r2".to_owned();
    let record = simple_card("10.00 USD");
    let job = JobId::new("cuacc_2", &RecordId::new("accr_9"), Uuid::from_u128(1));
    let plan = decide_document(&record, "V20000", job, &company.rules, &company.directory()).unwrap().document;
    assert_eq!((plan.vendor_number.as_str(), plan.rules.as_str(), plan.job), ("V20000", "r2", job));
    assert_eq!((plan.record, plan.record_version), (record.id, 4));
}

#[test]
fn lines_keep_their_order_and_equal_lines_are_not_merged() {
    let lines: Vec<Line> =
        ["3.00 USD", "1.00 USD", "3.00 USD"].into_iter().map(|amount| line(amount, vec![gl("61300")])).collect();
    let plan = company().plan(&card("7.00 USD", lines)).unwrap();
    let amounts: Vec<String> = plan.lines.iter().map(|line| line.amount.to_string()).collect();
    assert_eq!(amounts, ["3.00", "1.00", "3.00"]);
}

#[test]
fn the_lines_of_both_sides_may_be_mixed() {
    let mut record = card("10.00 USD", vec![line("4.00 USD", vec![gl("61300")]), line("6.00 USD", vec![gl("64100")])]);
    let plan = company().plan(&record).unwrap();
    record.lines.swap(1, 2);
    assert_eq!(company().plan(&record).unwrap(), plan);
}

#[test]
fn a_type_becomes_what_the_connection_says_on_the_vendor_and_number_of_its_source() {
    let treated = |record: Record, policy| {
        let types = [(record.type_name.clone(), policy)].into();
        record.under(&types)
    };
    let dispute = Record { type_name: "CARD_EXPENSE_DISPUTE".to_owned(), ..refund("10.00 USD") };
    assert!(company().plan(&dispute).is_err(), "a type that Brex does not describe");
    let plan = company().plan(&treated(dispute.clone(), TypePolicy::CreditMemo)).unwrap();
    assert_eq!((plan.kind, plan.lines.len()), (DocumentKind::CreditMemo, 1));
    for policy in [TypePolicy::Hold, TypePolicy::NotSpend] {
        assert_eq!(
            held(company().plan(&treated(dispute.clone(), policy))),
            "record_type_unknown: the connection makes no document of the record type CARD_EXPENSE_DISPUTE"
        );
    }
    let repaid = Record { type_name: "REIMBURSEMENT_EXPENSE_REPAYMENT".to_owned(), ..reimbursement("10.00 USD") };
    let repaid = treated(repaid, TypePolicy::CreditMemo);
    assert_eq!(repaid.treatment(), Treatment::Reimbursement(DocumentKind::CreditMemo));
    assert_eq!(company().vendor(&repaid, &[]).unwrap().number, "V30000", "the employee's");
    let bill = treated(supplier_bill("10.00 USD", Some("A-1")), TypePolicy::Invoice);
    assert_eq!(company().plan(&bill).unwrap().number.as_str(), "A-1");
    let spend = treated(simple_card("10.00 USD"), TypePolicy::Invoice);
    assert_eq!(company().plan(&spend), company().plan(&simple_card("10.00 USD")));
}
