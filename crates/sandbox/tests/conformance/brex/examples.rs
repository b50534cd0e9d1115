//! The request examples of the reference, section 9, are accepted as they are printed, and its records are served as inserted.

use sandbox::brex::Expectation;
use serde_json::{Value, json};

use super::caller::Caller;

async fn keyed(caller: &Caller, path: &str, body: &Value) -> Value {
    let request = caller.request("POST", path).header("Idempotency-Key", format!("{path} 1")).json(body);
    let (status, answer) = caller.send(request).await;
    assert_eq!(status, 200, "{path}: {answer}");
    answer
}

/// A record of the reference with just what differs between its examples.
fn record(id: &str, kind: &str, source: &str, status: &str, total: &str, spend: &str) -> String {
    let balance = if spend == "DEBIT" { "CREDIT" } else { "DEBIT" };
    let lines = total.trim_start_matches('-');
    let line = |number: u8, side: &str, coding: &str| {
        format!(
            r#"{{"id":"accrli_{id}_{number}","type":"{side}","amount":{{"amount":{lines},"currency":"USD"}},"original_amount":null,
            "memo":null,"amortization":null,"accounting_field_values":[{coding}]}}"#
        )
    };
    let coding = r#"{"brex_field_id":"extended_field_gl","remote_field_id":"GL_ACCOUNT","field_name":"G/L Account",
        "brex_field_value_id":"efo_gl_61300","remote_field_value_id":"61300","field_value_name":"61300 Advertising","type":"IDENTIFIER"}"#;
    format!(
        r#"{{"id":"{id}","amount":{{"amount":{total},"currency":"USD"}},"original_amount":null,"type":"{kind}","review_status":"{status}",
        "source_id":"expense_{id}","source_type":"{source}","erp_posting_date":"2026-06-15T00:00:00Z","posted_at":"2026-06-15T18:02:11.004Z",
        "updated_at":"2026-06-16T08:00:00Z","due_at":null,"invoice_number":null,"version":2,"memo":"Client dinner","receipts":[],
        "user":null,"vendor":null,"line_items":[{},{}]}}"#,
        line(1, spend, coding),
        line(2, balance, "")
    )
}

#[tokio::test]
async fn records_of_the_reference_are_served_as_printed_and_exported_as_printed() {
    let caller = Caller::start().await;
    let card = "accr_cm9x1card00000000000001";
    let reimbursement = "accr_cm9x1reim00000000000001";
    for (id, kind, source, status, total, spend) in [
        (card, "CARD_EXPENSE_POST", "CARD", "READY_FOR_EXPORT", "248.37", "DEBIT"),
        (reimbursement, "REIMBURSEMENT_EXPENSE_APPROVAL", "REIMBURSEMENT", "READY_FOR_EXPORT", "86.5", "DEBIT"),
        ("accr_cm9x1bill00000000000001", "BILL_EXPENSE", "BILL", "REVIEW", "12500", "DEBIT"),
        ("accr_cm9x1refd00000000000001", "CARD_EXPENSE_REFUND", "CARD", "READY_FOR_EXPORT", "40.0", "CREDIT"),
        ("accr_cm9x1refd00000000000002", "CARD_EXPENSE_REFUND", "CARD", "READY_FOR_EXPORT", "-40.00", "CREDIT"),
    ] {
        let text = record(id, kind, source, status, total, spend);
        caller.world().brex.insert(&text, Expectation::Held, "printed").unwrap();
        assert_eq!(caller.text(&format!("/v3/accounting/records/{id}")).await, text);
    }
    let results = json!([
        { "accounting_record_id": card, "success": { "reference_id": "PINV-103021", "deep_link_url":
            "https://businesscentral.dynamics.com/tenant/production?company=CRONUS&page=138&bookmark=x" } },
        { "accounting_record_id": reimbursement, "failure": { "error_message": "G/L account 64200 is blocked in Business Central" } },
    ]);
    let answer = json!({ "updated_accounting_record_ids": [card, reimbursement] });
    assert_eq!(caller.export(&results).await, (200, answer));
}

#[tokio::test]
async fn an_empty_page_of_records_looks_as_printed() {
    let caller = Caller::start().await;
    let expected = json!({ "items": [], "next_cursor": null, "has_next_page": false, "total_count": 0 });
    assert_eq!(caller.get("/v3/accounting/records?updated_at[gt]=2100-01-01").await, (200, expected));
}

#[tokio::test]
async fn a_field_and_its_values_are_taken_and_answered_as_printed() {
    let caller = Caller::start().await;
    let (_, integration) =
        caller.post("/v3/accounting/integration", &json!({ "vendor": "ERP_A", "vendor_account_id": "a" })).await;
    let field = keyed(
        &caller,
        "/v1/fields",
        &json!({ "name": "G/L Account", "group": "ERP", "remote_id": "GL_ACCOUNT",
        "integration_id": integration["integration_id"], "is_disabled": false }),
    )
    .await;
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&field), ["brex_id", "name", "remote_id", "updated_at", "is_disabled", "group"]);
    let path = format!("/v1/fields/{}/values", field["brex_id"].as_str().unwrap());
    let items = json!({ "items": [
        { "value": "61300 Advertising", "value_id": "61300", "remote_id": "61300" },
        { "value": "64100 Travel", "value_id": "64100", "remote_id": "64100", "is_disabled": false },
    ] });
    let made = keyed(&caller, &path, &items).await;
    let mut expected = ["brex_id", "remote_id", "value_id", "value", "field_id", "updated_at", "is_disabled"];
    let mut shown = keys(&made["items"][0]);
    expected.sort_unstable();
    shown.sort_unstable();
    assert_eq!(shown, expected);
    let change =
        json!({ "items": [{ "remote_id": "64100", "data": { "value": "64100 Travel (old)", "is_disabled": true } }] });
    let (status, changed) = caller.send(caller.request("PUT", &path).json(&change)).await;
    assert_eq!((status, &changed["items"][0]["value"]), (200, &json!("64100 Travel (old)")));
    let (_, page) = caller.get(&format!("{path}?remote_id[]=64100")).await;
    assert_eq!((&page["items"][0]["is_disabled"], &page["next_cursor"]), (&json!(true), &Value::Null));
}

#[tokio::test]
async fn a_vendor_and_a_transfer_are_taken_as_printed() {
    let caller = Caller::start().await;
    let vendor = keyed(&caller, "/v1/vendors", &json!({ "company_name": "Schrute Farms", "email": "ap@example.com", "phone": null,
        "payment_accounts": [{ "details": { "type": "ACH", "routing_number": "021000021", "account_number": "3818193555",
            "account_type": "CHECKING", "account_class": "BUSINESS" } }] })).await;
    let (_, cash) = caller.get("/v2/accounts/cash/primary").await;
    let instrument = &vendor["payment_accounts"][0]["details"]["payment_instrument_id"];
    let transfer = keyed(
        &caller,
        "/v1/transfers",
        &json!({
        "counterparty": { "type": "VENDOR", "payment_instrument_id": instrument },
        "amount": { "amount": 100_000, "currency": "USD" },
        "description": "BC payment 2026-000123", "external_memo": "INV-2026-0612",
        "originating_account": { "type": "BREX_CASH", "id": cash["id"] }, "approval_type": "MANUAL" }),
    )
    .await;
    assert_eq!((&transfer["status"], &transfer["payment_type"]), (&json!("PENDING_APPROVAL"), &json!("ACH")));
    assert_eq!((&transfer["counterparty"]["id"], &transfer["display_name"]), (&vendor["id"], &json!("Schrute Farms")));
    for key in [
        "process_date",
        "cancellation_reason",
        "estimated_delivery_date",
        "creator_user_id",
        "created_at",
        "is_ppro_enabled",
    ] {
        assert!(transfer.get(key).is_some(), "{key}");
    }
}
