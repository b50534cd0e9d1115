//! Brex's accounting records over the wire: reading, filtering, paging, and reporting export results.

use std::collections::{BTreeMap, HashSet};

use crate::brex::caller::{Caller, NOW};
use jiff::SignedDuration;
use rust_decimal::Decimal;
use sandbox::brex::{Expectation, Outcome};
use sandbox::{Options, Sandbox};
use serde_json::{Value, json};

const RAW: &str = r#"{"id":"accr_by_hand","amount":{"amount":200.00,"currency":"USD"},"type":"CARD_EXPENSE_POST",
"review_status":"READY_FOR_EXPORT","source_type":"CARD","erp_posting_date":"2026-05-30T23:30:00.000001Z",
"posted_at":"2026-05-30T23:30:00Z","updated_at":"2026-06-01T00:00:00Z","version":1,"surprise":{"a":1.50},"line_items":[]}"#;

#[tokio::test]
async fn records_have_every_field_that_the_schema_requires() {
    let caller = Caller::start().await;
    let required = [
        "id",
        "amount",
        "type",
        "review_status",
        "source_type",
        "erp_posting_date",
        "posted_at",
        "updated_at",
        "version",
        "line_items",
    ];
    for record in caller.all("updated_at[gte]=2000-01-01").await {
        for field in required {
            assert!(!record[field].is_null(), "{field} of {record}");
        }
        for line in record["line_items"].as_array().unwrap() {
            assert!(["DEBIT", "CREDIT"].contains(&line["type"].as_str().unwrap()));
            assert!(line["amount"]["amount"].is_number());
            assert!(line["accounting_field_values"].is_array());
            assert!(!line["amount"]["amount"].to_string().starts_with('-'));
        }
    }
}

#[tokio::test]
async fn without_updated_at_older_records_are_silently_hidden() {
    let caller = Caller::start().await;
    let everything = caller.all("updated_at[gt]=2000-01-01").await;
    let window = caller.all("limit=100").await;
    assert_eq!(everything.len(), 120);
    assert!(window.len() < everything.len());
    let hidden = everything.iter().find(|record| !window.contains(record)).unwrap();
    let id = hidden["id"].as_str().unwrap();
    assert_eq!(caller.all(&format!("ids={id}")).await.len(), 1);
    caller.world().brex.configure(|settings| settings.window_applies_to_ids = true);
    assert_eq!(caller.all(&format!("ids={id}")).await.len(), 0);
}

#[tokio::test]
async fn pages_are_chronological_and_complete() {
    let caller = Caller::start().await;
    let all = caller.all("updated_at[gt]=2000-01-01&limit=7").await;
    let ids: HashSet<&str> = all.iter().map(|record| record["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 120);
    assert!(all.is_sorted_by_key(|record| record["posted_at"].as_str().unwrap().to_owned()));
    let (_, first) = caller.get("/v3/accounting/records?updated_at[gt]=2000-01-01&limit=7").await;
    assert_eq!(first["total_count"], 120);
    assert_eq!(first["has_next_page"], true);
}

#[tokio::test]
async fn the_review_status_filter_never_returns_a_bill() {
    let caller = Caller::start().await;
    let bills = caller.all("source_type=BILL&updated_at[gt]=2000-01-01").await;
    assert!(bills.iter().any(|bill| bill["review_status"] == "READY_FOR_EXPORT"));
    let ready = caller.all("review_status=READY_FOR_EXPORT&updated_at[gt]=2000-01-01").await;
    assert!(ready.iter().all(|record| record["source_type"] != "BILL"));
    let (status, _) = caller.get("/v3/accounting/records?review_status=REVIEW&source_type=BILL").await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_bad_parameter_is_refused() {
    let caller = Caller::start().await;
    let many = "ids=a&".repeat(501);
    for query in [
        "limit=0",
        "limit=1001",
        "limit=ten",
        "limit=1&limit=2",
        "cursor=nonsense",
        "review_status=DONE",
        "source_type=CASH",
        "single_entry=yes",
        "updated_at[gt]=yesterday",
        "updated_at[since]=2026-01-01",
        "updated_at=2026-01-01",
        many.as_str(),
    ] {
        let (status, body) = caller.get(&format!("/v3/accounting/records?{query}")).await;
        assert_eq!(status, 400, "{query}");
        assert_eq!(body["error_code"], "INVALID_REQUEST");
    }
}

#[tokio::test]
async fn a_single_entry_record_keeps_the_coded_side_only() {
    let caller = Caller::start().await;
    for (kind, side) in [("CARD_EXPENSE_POST", "DEBIT"), ("CARD_EXPENSE_REFUND", "CREDIT")] {
        let id = caller.first(|record| record["type"] == kind && record["review_status"] == "READY_FOR_EXPORT");
        let (_, record) = caller.get(&format!("/v3/accounting/records/{id}?single_entry=true")).await;
        let lines = record["line_items"].as_array().unwrap();
        assert!(!lines.is_empty() && lines.iter().all(|line| line["type"] == side));
    }
}

#[tokio::test]
async fn an_inserted_record_is_served_verbatim() {
    let caller = Caller::start().await;
    caller.world().brex.insert(RAW, Expectation::Held, "test").unwrap();
    assert_eq!(caller.text("/v3/accounting/records/accr_by_hand").await, RAW);
    let page = caller.text("/v3/accounting/records?ids=accr_by_hand").await;
    assert!(page.contains(RAW));
}

#[tokio::test]
async fn success_exports_a_record_and_failure_sends_it_back_to_review() {
    let caller = Caller::start().await;
    let [first, second] = caller.two_ready();
    let (status, answer) = caller
        .export(&json!([
            { "accounting_record_id": first, "success": { "reference_id": "108001" } },
            { "accounting_record_id": second, "failure": { "error_message": "G/L account 64200 is blocked" } },
        ]))
        .await;
    assert_eq!((status, &answer["updated_accounting_record_ids"]), (200, &json!([first, second])));
    let exported = caller.world().brex.record(&first).unwrap();
    assert_eq!(exported.review_status, "EXPORTED");
    assert_eq!(exported.record["updated_at"], format!("{:.6}", caller.world().clock.now()));
    let failed = caller.world().brex.record(&second).unwrap();
    assert_eq!(failed.review_status, "REVIEW");
    assert!(
        matches!(&failed.exports[0].outcome, Outcome::Failure { error_message } if error_message.contains("64200"))
    );
}

#[tokio::test]
async fn a_batch_with_one_bad_entry_changes_nothing() {
    let caller = Caller::start().await;
    let [good, other] = caller.two_ready();
    let entry = |id: &str| json!({ "accounting_record_id": id, "success": {} });
    let (status, body) = caller.export(&json!([entry(&good), entry("accr_unknown")])).await;
    assert_eq!((status, &body["details"]["not_found_export_entry_source_ids"]), (404, &json!(["accr_unknown"])));
    let (status, body) = caller.export(&json!([entry(&good), entry(&good)])).await;
    assert_eq!((status, &body["error_code"]), (422, &json!("DUPLICATE_ACCOUNTING_RECORD_IDS")));
    assert_eq!(caller.export(&json!([entry(&other)])).await.0, 200);
    let (status, body) = caller.export(&json!([entry(&good), entry(&other)])).await;
    assert_eq!((status, &body["error_code"]), (422, &json!("ACCOUNTING_RECORD_NOT_READY_FOR_EXPORT")));
    assert_eq!(body["details"]["not_ready_for_export_accounting_record_ids"], json!([other]));
    assert_eq!(caller.world().brex.record(&good).unwrap().review_status, "READY_FOR_EXPORT");
}

#[tokio::test]
async fn malformed_export_results_are_refused() {
    let caller = Caller::start().await;
    let [id, _] = caller.two_ready();
    for results in [
        json!([]),
        json!({}),
        json!([{ "success": {} }]),
        json!([{ "accounting_record_id": id }]),
        json!([{ "accounting_record_id": id, "success": {}, "failure": { "error_message": "x" } }]),
        json!([{ "accounting_record_id": id, "success": { "deep_link_url": null } }]),
        json!([{ "accounting_record_id": id, "failure": {} }]),
        json!([{ "accounting_record_id": id, "failure": { "error_message": "vendor Müller is blocked" } }]),
    ] {
        let (status, body) = caller.export(&results).await;
        assert_eq!((status, &body["error_code"]), (400, &json!("INVALID_REQUEST")), "{results}");
    }
}

#[tokio::test]
async fn an_edited_bill_has_a_later_version_and_shows_up_again() {
    let caller = Caller::start().await;
    let id = caller.first(|record| record["type"] == "BILL_EXPENSE");
    let before = caller.world().brex.record(&id).unwrap().record;
    caller.world().clock.advance(SignedDuration::from_hours(1));
    let patch = json!({ "memo": "changed", "invoice_number": "INV-9" });
    let now = caller.world().clock.now();
    caller.world().brex.edit(&id, patch.as_object().unwrap(), now).unwrap();
    let seen = caller.all(&format!("source_type=BILL&updated_at[gt]={NOW}")).await;
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0]["invoice_number"], "INV-9");
    assert_eq!(seen[0]["version"].as_i64().unwrap(), before["version"].as_i64().unwrap() + 1);
    assert_eq!(seen[0]["amount"].to_string(), before["amount"].to_string());
}

#[tokio::test]
async fn an_expense_tells_the_purchase_in_minor_units() {
    let caller = Caller::start().await;
    let id = caller.first(|record| record["type"] == "CARD_EXPENSE_POST");
    let record = caller.world().brex.record(&id).unwrap().record;
    let path = format!("/v1/expenses/{}", record["source_id"].as_str().unwrap());
    let (status, plain) = caller.get(&path).await;
    assert_eq!((status, &plain["merchant"]), (200, &Value::Null));
    let (_, expense) = caller.get(&format!("{path}?expand[]=merchant")).await;
    assert!(expense["merchant"]["raw_descriptor"].is_string());
    assert!(expense["purchased_at"].as_str() < record["posted_at"].as_str());
    let cents = record["amount"]["amount"].to_string().replace('.', "");
    assert_eq!(expense["billing_amount"]["amount"].to_string(), cents);
    assert_eq!(caller.get("/v1/expenses?limit=101").await.0, 400);
    let (_, page) = caller.get("/v1/expenses?limit=100&expense_type[]=CARD").await;
    assert!(page["items"].as_array().unwrap().iter().all(|item| item["expense_type"] == "CARD"));
}

#[tokio::test]
async fn a_receipt_link_works_for_fifteen_minutes_and_without_a_token() {
    let caller = Caller::start().await;
    let id = caller.first(|record| record["receipts"].as_array().is_some_and(|receipts| !receipts.is_empty()));
    let (_, record) = caller.get(&format!("/v3/accounting/records/{id}")).await;
    let link = record["receipts"][0]["download_uris"][0].as_str().unwrap();
    let client = crate::brex::caller::client();
    let answer = client.get(link).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/pdf");
    assert!(answer.text().await.unwrap().starts_with("%PDF-"));
    assert_eq!(client.get(link).bearer_auth("x").send().await.unwrap().status(), 400);
    caller.world().clock.advance(SignedDuration::from_mins(16));
    assert_eq!(client.get(link).send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_records_and_most_can_simply_be_booked() {
    let first = Caller::start().await.world().brex.records();
    let second = Caller::start().await.world().brex.records();
    let json = |reports: &[sandbox::brex::RecordReport]| serde_json::to_string(reports).unwrap();
    assert_eq!(json(&first), json(&second));
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for report in &first {
        *counts.entry(format!("{:?}", report.expect)).or_default() += 1;
        assert!(!report.why.is_empty());
    }
    assert_eq!(counts["Document"], 87);
    assert_eq!((counts["Held"], counts["NotSpend"], counts["NotReady"]), (17, 11, 5));
}

#[tokio::test]
async fn any_number_of_records_can_be_had_even_in_a_company_without_vendors() {
    for (records, vendors) in [(1, 0), (0, 60), (500, 60)] {
        let sandbox =
            Sandbox::start(Options { records, vendors, start: Some(NOW.parse().unwrap()), ..Options::default() })
                .await
                .unwrap();
        assert_eq!(sandbox.world().brex.records().len(), records);
    }
}

#[tokio::test]
async fn a_restored_state_goes_on_where_it_was() {
    let caller = Caller::start().await;
    let [id, _] = caller.two_ready();
    caller.export(&json!([{ "accounting_record_id": id, "success": { "reference_id": "108001" } }])).await;
    let other = Caller::start().await;
    other.world().brex.restore(caller.world().brex.snapshot()).unwrap();
    assert_eq!(other.world().brex.record(&id).unwrap().review_status, "EXPORTED");
    assert_eq!(other.world().brex.snapshot(), caller.world().brex.snapshot());
}

#[tokio::test]
async fn lines_balance_and_sum_to_the_total_but_where_they_are_meant_not_to() {
    let caller = Caller::start().await;
    for report in caller.world().brex.records() {
        let record = &report.record;
        let total = decimal(&record["amount"]).abs();
        for side in ["DEBIT", "CREDIT"] {
            let lines = record["line_items"].as_array().unwrap().iter().filter(|line| line["type"] == side);
            let sum: Decimal = lines.map(|line| decimal(&line["amount"])).sum();
            let meant = report.why == "the lines do not sum to the total" && side == "DEBIT";
            assert_eq!(sum == total, !meant, "{side} of {record}");
        }
        assert!(record["updated_at"].as_str().unwrap() < NOW);
        assert!(record["updated_at"].as_str() > Some("2026-05-06"));
    }
}

fn decimal(money: &Value) -> Decimal {
    money["amount"].to_string().parse().unwrap()
}

#[tokio::test]
async fn a_walk_over_ten_thousand_records_looks_at_each_a_few_times() {
    let caller =
        Caller::start_with(Options { records: 10_000, start: Some(NOW.parse().unwrap()), ..Options::default() }).await;
    let brex = &caller.sandbox.world().brex;
    let (mut seen, mut cursor) = (HashSet::new(), String::new());
    loop {
        let (status, page) =
            caller.get(&format!("/v3/accounting/records?updated_at[gte]=2000-01-01&limit=100{cursor}")).await;
        assert_eq!(status, 200, "{page}");
        assert_eq!(page["total_count"], 10_000);
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 10_000);
    let walked = brex.records_visited();
    assert!(walked <= 20_200, "one count, and each page with one more: {walked}");
    let id = seen.iter().next().unwrap();
    caller.get(&format!("/v3/accounting/records?ids={id}&updated_at[gte]=2000-01-01")).await;
    assert!(brex.records_visited() - walked <= 2);
}
