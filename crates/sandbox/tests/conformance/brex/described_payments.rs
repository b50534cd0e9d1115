//! Answers about vendors, transfers and accounts against Brex's own OpenAPI files.

use serde_json::{Value, json};

use super::described::Checked;
use crate::openapi::never_seen;

#[tokio::test]
async fn vendors_are_as_described() {
    let Some(mut checked) = Checked::start("payments-1.0.json").await else { return };
    let address = json!({ "line1": "1 Farm Road", "city": "Scranton", "state": "PA", "country": "US",
        "postal_code": "18503", "phone_number": "+15551234567" });
    let rails = json!([
        { "details": { "type": "ACH", "routing_number": "021000021", "account_number": "1",
            "account_type": "CHECKING", "account_class": "BUSINESS" } },
        { "details": { "type": "DOMESTIC_WIRE", "routing_number": "021000021", "account_number": "1", "address": address } },
        { "details": { "type": "CHEQUE", "mailing_address": address, "recipient_name": "Schrute Farms" } },
    ]);
    let body = json!({ "company_name": "Schrute Farms", "email": "ap@example.com", "payment_accounts": rails });
    let made = checked.ask("POST", "/v1/vendors", Some(&body), 200).await;
    let one = format!("/v1/vendors/{}", made["id"].as_str().unwrap());
    let wire = json!({ "company_name": "Abroad", "payment_accounts": [{ "details": {
        "type": "INTERNATIONAL_WIRE", "swift_code": "DEUTDEFF", "iban": "DE89", "beneficiary_bank_name": "Bank",
        "address": address } }] });
    checked.caller.world().brex.add_vendor(&wire).unwrap();
    checked.ask("GET", "/v1/vendors?limit=1000", None, 200).await;
    checked.ask("GET", &one, None, 200).await;
    checked.ask("PUT", &one, Some(&json!({ "phone": "+15550000000" })), 200).await;
    checked.ask("POST", "/v1/vendors", Some(&json!({})), 400).await;
    checked.ask("PUT", &one, Some(&json!({ "email": 1 })), 400).await;
    checked.ask("GET", "/v1/vendors?limit=0", None, 400).await;
    checked.ask("DELETE", &one, None, 200).await;
    for (method, body) in [("GET", None), ("PUT", Some(&json!({}))), ("DELETE", None)] {
        checked.ask(method, &one, body, 404).await;
    }
    for (method, path) in [("GET", "/v1/vendors"), ("POST", "/v1/vendors"), ("GET", one.as_str())] {
        checked.refused(method, path).await;
    }
}

/// The id of a payment instrument of this kind at a new vendor.
fn instrument(checked: &Checked, name: &str, details: &Value) -> Value {
    let body = json!({ "company_name": name, "payment_accounts": [{ "details": details }] });
    let made = checked.caller.world().brex.add_vendor(&body).unwrap();
    made["payment_accounts"][0]["details"]["payment_instrument_id"].clone()
}

#[tokio::test]
async fn transfers_and_linked_accounts_are_as_described() {
    let Some(mut checked) = Checked::start("payments-1.0.json").await else { return };
    let (_, cash) = checked.caller.get("/v2/accounts/cash/primary").await;
    let account = json!({ "type": "BREX_CASH", "id": cash["id"] });
    let cheque = instrument(&checked, "A", &json!({ "type": "CHEQUE", "mailing_address": {}, "recipient_name": "A" }));
    let ach = instrument(
        &checked,
        "B",
        &json!({ "type": "ACH", "routing_number": "021000021", "account_number": "1",
        "account_type": "CHECKING", "account_class": "BUSINESS" }),
    );
    let mut made = Vec::new();
    for id in [cheque, ach] {
        let body = json!({ "counterparty": { "type": "VENDOR", "payment_instrument_id": id },
            "amount": { "amount": 5, "currency": "USD" }, "description": "d", "external_memo": "m",
            "originating_account": account });
        made.push(checked.ask("POST", "/v1/transfers", Some(&body), 200).await);
    }
    let linked = checked.ask("GET", "/v1/linked_accounts", None, 200).await;
    let top_up = json!({ "counterparty": { "type": "BANK", "id": linked["items"][0]["id"] },
        "receiving_account": account, "amount": { "amount": 700, "currency": "USD" }, "description": "d" });
    made.push(checked.ask("POST", "/v1/incoming_transfers", Some(&top_up), 200).await);
    checked.ask("GET", "/v1/transfers?limit=1000", None, 200).await;
    checked.caller.world().clock.advance(jiff::SignedDuration::from_hours(24 * 9));
    for transfer in &made {
        checked.ask("GET", &format!("/v1/transfers/{}", transfer["id"].as_str().unwrap()), None, 200).await;
    }
    let everything = checked.ask("GET", "/v1/transfers?limit=1000", None, 200).await;
    for status in ["PROCESSED", "PENDING_APPROVAL", "FAILED"] {
        assert!(
            everything["items"].as_array().unwrap().iter().any(|transfer| transfer["status"] == status),
            "{status}"
        );
    }
    checked.ask("GET", "/v1/transfers/dptx_x", None, 404).await;
    checked.ask("GET", "/v1/transfers?limit=1001", None, 400).await;
    for path in ["/v1/transfers", "/v1/incoming_transfers"] {
        checked.ask("POST", path, Some(&json!({})), 400).await;
        checked.refused("POST", path).await;
    }
    for path in ["/v1/transfers", "/v1/linked_accounts"] {
        checked.refused("GET", path).await;
    }
    assert_eq!(never_seen(&checked.seen, &["Transfer", "CounterpartyResponse"]), [""; 0]);
}

#[tokio::test]
async fn accounts_transactions_and_statements_are_as_described() {
    let Some(mut checked) = Checked::start("transactions-1.0.json").await else { return };
    let cash = checked.ask("GET", "/v2/accounts/cash/primary", None, 200).await;
    let id = cash["id"].as_str().unwrap().to_owned();
    let paths = [
        "/v2/accounts/cash".to_owned(),
        format!("/v2/accounts/cash/{id}"),
        format!("/v2/accounts/cash/{id}/statements"),
        format!("/v2/transactions/cash/{id}"),
        "/v2/accounts/card".to_owned(),
        "/v2/accounts/card/primary/statements".to_owned(),
        "/v2/transactions/card/primary".to_owned(),
    ];
    for path in &paths {
        checked.ask("GET", path, None, 200).await;
        checked.refused("GET", path).await;
    }
    checked.ask("GET", &format!("/v2/transactions/cash/{id}?limit=1000"), None, 200).await;
    checked.ask("GET", "/v2/transactions/card/primary?limit=1000&expand[]=expense_id", None, 200).await;
    checked.ask("GET", "/v2/accounts/cash/dpacc_x", None, 404).await;
    checked.ask("GET", "/v2/transactions/card/primary?posted_at_start=x", None, 400).await;
    checked.ask("GET", &format!("/v2/transactions/cash/{id}?limit=0"), None, 400).await;
    checked.caller.world().brex.configure(|settings| settings.payments.cash_account = false);
    checked.ask("GET", "/v2/accounts/cash", None, 401).await;
}
