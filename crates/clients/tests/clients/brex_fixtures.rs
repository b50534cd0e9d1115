//! The published example payloads of Brex decode, and so do records with values nobody has seen yet.

use clients::brex::webhook_event::WebhookEvent;
use clients::brex::{AccountingRecord, LineItemType, RecordType, ReviewStatus, SourceType};
use rust_decimal::Decimal;

fn amount(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn a_card_record_keeps_both_splits_and_their_coding() {
    let record = AccountingRecord::from_json(include_str!("../fixtures/brex/record_card.json")).unwrap();
    assert_eq!((&record.record_type, &record.source_type), (&RecordType::CardExpensePost, &SourceType::Card));
    assert_eq!(record.review_status, ReviewStatus::ReadyForExport);
    assert_eq!((record.amount.amount, record.amount.currency.as_str()), (amount("248.37"), "USD"));
    assert_eq!(record.original_amount.as_ref().map(|amount| amount.currency.as_str()), Some("EUR"));
    assert_eq!(record.erp_posting_date.to_string(), "2026-06-11T09:09:05.840865Z");
    assert_eq!((record.version, record.receipts.len()), (4, 1));
    let debit: Decimal = record
        .line_items
        .iter()
        .filter(|line| line.line_type == LineItemType::Debit)
        .map(|line| line.amount.amount)
        .sum();
    assert_eq!(debit, record.amount.amount);
    let coding = &record.line_items[0].accounting_field_values[1];
    assert_eq!(
        (coding.remote_field_id.as_deref(), coding.remote_field_value_id.as_deref()),
        (Some("VENDOR"), Some("V10000"))
    );
    assert_eq!(record.line_items[1].accounting_field_values[1].brex_field_value_id, None);
    assert_eq!(record.line_items[1].memo, None);
    assert!(!format!("{record:?}").contains("X-Amz"), "a download address is a credential");
}

#[test]
fn a_reimbursement_a_bill_and_a_refund_are_read() {
    let record = AccountingRecord::from_json(include_str!("../fixtures/brex/record_reimbursement.json")).unwrap();
    assert_eq!(record.record_type, RecordType::ReimbursementExpenseApproval);
    assert_eq!((record.amount.amount, record.vendor), (amount("86.5"), None));
    assert_eq!(record.user.unwrap().email, "sam.lee@example.com");

    let record = AccountingRecord::from_json(include_str!("../fixtures/brex/record_bill.json")).unwrap();
    assert_eq!((record.invoice_number.as_deref(), record.amount.amount), (Some("INV-2026-0612"), amount("12500")));
    assert_eq!(record.due_at.unwrap().to_string(), "2026-07-01T00:00:00Z");
    assert!(record.receipts[0].download_uris.is_empty());

    for (from, to) in [("40.0,", "40.00,"), ("40.0,", "-40.00,")] {
        let text = include_str!("../fixtures/brex/record_refund.json").replacen(from, to, 1);
        let record = AccountingRecord::from_json(&text).unwrap();
        assert_eq!(record.line_items[0].line_type, LineItemType::Credit);
        assert_eq!(record.amount.amount.abs(), amount("40"));
    }
}

#[test]
fn values_and_fields_that_are_not_known_are_kept_or_skipped() {
    let text = include_str!("../fixtures/brex/record_card.json")
        .replace("CARD_EXPENSE_POST", "CARD_EXPENSE_DREAMT")
        .replace("READY_FOR_EXPORT", "ASLEEP")
        .replace(r#""memo": "Conference booth and travel","#, r#""mood": {"a": [1.5]}, "receipts_v2": null,"#);
    let record = AccountingRecord::from_json(&text).unwrap();
    assert_eq!(record.record_type, RecordType::Other("CARD_EXPENSE_DREAMT".to_owned()));
    assert_eq!(record.review_status.as_str(), "ASLEEP");
    assert_eq!(record.memo, None);
}

#[test]
fn a_record_that_cannot_be_read_still_tells_its_id() {
    let text = include_str!("../fixtures/brex/record_card.json").replacen("248.37", "\"a lot\"", 1);
    let error = AccountingRecord::from_json(&text).unwrap_err();
    assert_eq!(error.id.as_deref(), Some("accr_cm9x1card00000000000001"));
    assert_eq!(error.to_string(), "the accounting record accr_cm9x1card00000000000001 cannot be read");
    assert_eq!(AccountingRecord::from_json("[1]").unwrap_err().id, None);
}

#[test]
fn webhook_payloads_are_read_in_both_casings() {
    let ready = WebhookEvent::RecordsReady {
        record_ids: vec!["accr_cm9x1card00000000000001".to_owned(), "accr_cm9x1refd00000000000001".to_owned()],
        company_id: "cuacc_cm0000000000000000000001".to_owned(),
    };
    let text = include_str!("../fixtures/brex/webhook_records_ready.json");
    assert_eq!(WebhookEvent::from_json(text.as_bytes()).unwrap(), ready);
    let snake = text.replace("accountingRecordIds", "accounting_record_ids").replace("companyId", "company_id");
    assert_eq!(WebhookEvent::from_json(snake.as_bytes()).unwrap(), ready);

    let event = WebhookEvent::from_json(include_bytes!("../fixtures/brex/webhook_transfer_processed.json")).unwrap();
    assert!(matches!(&event, WebhookEvent::Transfer { processed: true, return_for_id: None, .. }));
    assert_eq!(event.company_id(), Some("cuacc_cm0000000000000000000001"));
    let event = WebhookEvent::from_json(include_bytes!("../fixtures/brex/webhook_transfer_failed.json")).unwrap();
    assert!(matches!(event, WebhookEvent::Transfer { processed: false, return_for_id: Some(_), .. }));

    let other = WebhookEvent::from_json(br#"{"event_type":"USER_UPDATED","user_id":"u","company_id":"c"}"#).unwrap();
    assert!(matches!(&other, WebhookEvent::Other { event_type, .. } if event_type == "USER_UPDATED"));
    for unreadable in [&b""[..], b"null", b"{}", b"{\"a\":\"\0\"}", b"\xef\xbb\xbf{}"] {
        assert!(WebhookEvent::from_json(unreadable).is_err());
    }
}
