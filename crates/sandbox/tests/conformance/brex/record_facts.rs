//! Facts about Brex's records and about what its API does not have, row by row of the reference.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::caller::Caller;

const EVERYTHING: &str = "updated_at[gt]=2000-01-01";

#[tokio::test]
async fn every_record_type_of_the_reference_occurs_with_its_source() {
    let caller = Caller::start().await;
    let seen: BTreeSet<(String, String)> = caller
        .all(EVERYTHING)
        .await
        .iter()
        .map(|record| (record["type"].as_str().unwrap().to_owned(), record["source_type"].as_str().unwrap().to_owned()))
        .collect();
    for (kind, source) in [
        ("CARD_EXPENSE_POST", "CARD"),
        ("CARD_EXPENSE_REFUND", "CARD"),
        ("CARD_EXPENSE_REPAYMENT", "CARD"),
        ("CARD_PAYMENT", "CARD"),
        ("CARD_PAYMENT_REFUND", "CARD"),
        ("REWARD_REDEMPTION", "CARD"),
        ("REIMBURSEMENT_EXPENSE_APPROVAL", "REIMBURSEMENT"),
        ("REIMBURSEMENT_EXPENSE_POST", "REIMBURSEMENT"),
        ("REIMBURSEMENT_EXPENSE_REPAYMENT", "REIMBURSEMENT"),
        ("REIMBURSEMENT_EXPENSE_MONEY_MOVEMENT_PAYOUT", "REIMBURSEMENT"),
        ("REIMBURSEMENT_EXPENSE_MONEY_MOVEMENT_PAYOUT_REVERSAL", "REIMBURSEMENT"),
        ("REIMBURSEMENT_EXPENSE_MONEY_MOVEMENT_PAYIN", "REIMBURSEMENT"),
        ("REIMBURSEMENT_EXPENSE_MONEY_MOVEMENT_REFUND", "REIMBURSEMENT"),
        ("BILL_EXPENSE", "BILL"),
        ("BILL_EXPENSE_PAYMENT", "BILL"),
        ("BILL_EXPENSE_CARD_PAYMENT", "BILL"),
        ("BILL_MONEY_MOVEMENT_PAYIN", "BILL"),
    ] {
        assert!(seen.contains(&(kind.to_owned(), source.to_owned())), "{kind} of {source}");
    }
    for undescribed in ["INVOICE", "INVOICE_PAYMENT"] {
        assert!(seen.iter().any(|(kind, _)| kind == undescribed), "{undescribed}");
    }
}

#[tokio::test]
async fn ids_have_the_prefixes_of_real_ones() {
    let caller = Caller::start().await;
    let starts =
        |value: &Value, prefix: &str| assert!(value.as_str().unwrap().starts_with(prefix), "{value}: {prefix}");
    for record in caller.all(EVERYTHING).await {
        starts(&record["id"], "accr_");
        record["line_items"].as_array().unwrap().iter().for_each(|line| starts(&line["id"], "accrli_"));
        match (record["type"].as_str().unwrap(), record["vendor"].is_null()) {
            (_, true) => {}
            ("BILL_EXPENSE", _) => starts(&record["vendor"]["id"], "pdcont_"),
            (kind, _) if kind.starts_with("CARD_EXPENSE") => starts(&record["vendor"]["id"], "pmch_"),
            _ => {}
        }
        if !record["user"].is_null() {
            starts(&record["user"]["id"], "cuuser_");
            starts(&record["user"]["account_id"], "cuacc_");
        }
    }
    let example = caller.world().brex.record(&caller.first(|record| record["type"] == "CARD_EXPENSE_POST")).unwrap();
    starts(&example.record["source_id"], "expense_");
    let coding = &example.record["line_items"][0]["accounting_field_values"][0];
    starts(&coding["brex_field_id"], "extended_field_");
    starts(&coding["brex_field_value_id"], "efo_");
    let body = json!({ "vendor": "ERP_A", "vendor_account_id": "a" });
    starts(&caller.post("/v3/accounting/integration", &body).await.1["integration_id"], "int_");
    let (_, transfers) = caller.get("/v1/transfers").await;
    starts(&transfers["items"][0]["id"], "dptx_");
    starts(&transfers["items"][0]["originating_account"]["id"], "dpacc_");
    starts(&caller.get("/v1/webhooks/secrets").await.1[0]["secret"], "whsec_");
    assert!(caller.world().brex.token().starts_with("bxt_"));
}

#[tokio::test]
async fn records_have_major_units_and_not_what_only_expenses_tell() {
    let caller = Caller::start().await;
    let records = caller.all(EVERYTHING).await;
    assert!(records.iter().any(|record| record["amount"]["amount"].to_string().contains('.')));
    for record in &records {
        for absent in [
            "purchased_at",
            "merchant",
            "mcc",
            "tax",
            "tax_amount",
            "spending_entity_id",
            "department",
            "location",
            "export_status",
        ] {
            assert!(record.get(absent).is_none(), "{absent} of {record}");
        }
        assert_eq!(record["amount"]["currency"].as_str().unwrap().len(), 3);
    }
    let named = records.iter().filter_map(|record| record["user"]["first_name"].as_str());
    assert!(named.clone().count() > 0 && named.clone().all(|name| name.ends_with(' ')), "names carry trailing spaces");
    let uncoded = |record: &&Value| {
        let lines = record["line_items"].as_array().unwrap().iter();
        let mut values = lines.flat_map(|line| line["accounting_field_values"].as_array().unwrap());
        values.any(|value| value["brex_field_value_id"].is_null())
    };
    assert!(records.iter().any(|record| uncoded(&record)), "a field without a value is there with null");
}

#[tokio::test]
async fn each_bound_of_updated_at_is_kept_to_the_instant() {
    let caller = Caller::start().await;
    let all = caller.all(EVERYTHING).await;
    let instant = |record: &Value| record["updated_at"].as_str().unwrap().parse::<Timestamp>().unwrap();
    let middle = instant(&all[60]);
    let text = all[60]["updated_at"].as_str().unwrap();
    for (bound, keeps) in [
        ("gt", (|at, middle| at > middle) as fn(Timestamp, Timestamp) -> bool),
        ("gte", |at, middle| at >= middle),
        ("lt", |at, middle| at < middle),
        ("lte", |at, middle| at <= middle),
    ] {
        let found = caller.all(&format!("updated_at[{bound}]={text}")).await;
        let expected: Vec<&Value> = all.iter().filter(|record| keeps(instant(record), middle)).collect();
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{bound}");
    }
    let day = &text[..10];
    let midnight: Timestamp = format!("{day}T00:00:00Z").parse().unwrap();
    let next = midnight + SignedDuration::from_hours(24);
    let of_day = caller.all(&format!("updated_at[gte]={day}&updated_at[lt]={next}")).await;
    assert!(!of_day.is_empty() && of_day.iter().all(|record| instant(record) >= midnight && instant(record) < next));
    let ids: Vec<&str> = all[..3].iter().map(|record| record["id"].as_str().unwrap()).collect();
    assert_eq!(caller.all(&format!("ids={}&ids={}&ids={}", ids[0], ids[1], ids[2])).await, all[..3]);
}

#[tokio::test]
async fn what_the_api_does_not_have_is_not_found_in_its_own_shape() {
    let caller = Caller::start().await;
    let [id, _] = caller.two_ready();
    let record = format!("/v3/accounting/records/{id}");
    for (method, path) in [
        ("GET", "/v3/accounting/integration"),
        ("GET", "/v3/accounting/integration/int_1"),
        ("POST", "/v3/accounting/records"),
        ("PATCH", record.as_str()),
        ("PUT", record.as_str()),
        ("DELETE", record.as_str()),
        ("GET", "/v3/accounting/bills"),
        ("GET", "/v3/accounting/gl_accounts"),
    ] {
        let expected = json!({ "error_code": "NOT_FOUND", "message": "Resource not found." });
        assert_eq!(
            caller.send(caller.request(method, path).json(&json!({}))).await,
            (404, expected),
            "{method} {path}"
        );
    }
    for (method, path) in [
        ("GET", "/v1/bills"),
        ("GET", "/v1/accounting/journal_entries"),
        ("PUT", "/v2/departments/department_cm01"),
        ("DELETE", "/v2/locations/location_cm01"),
        ("GET", "/v1/webhooks/deliveries"),
    ] {
        let (status, body) = caller.send(caller.request(method, path).json(&json!({}))).await;
        assert_eq!((status, &body["type"]), (404, &json!("NOT_FOUND")), "{method} {path}");
    }
}

#[tokio::test]
async fn a_token_that_is_not_used_expires() {
    let caller = Caller::start().await;
    let company = async || {
        let (status, body) = caller.get("/v2/company").await;
        (status, body["message"].clone())
    };
    let wait = |days: i64| caller.world().clock.advance(SignedDuration::from_hours(24 * days));
    for _ in 0..4 {
        assert_eq!(company().await.0, 200);
        wait(89);
    }
    assert_eq!(company().await.0, 200, "each use counts");
    caller.world().brex.configure(|settings| settings.token_idle_days = 30);
    wait(31);
    assert_eq!(company().await, (403, json!("Expired token")));
    assert_eq!(company().await, (403, json!("Expired token")));
}
