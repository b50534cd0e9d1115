//! The refusals of the Accounting API, whole: code, text and details of the reference.

use serde_json::{Value, json};

use super::caller::Caller;

const INTEGRATION: &str = "/v3/accounting/integration";

async fn create(caller: &Caller, vendor: &str, account: &str) -> (u16, Value) {
    caller.post(INTEGRATION, &json!({ "vendor": vendor, "vendor_account_id": account })).await
}

async fn act(caller: &Caller, integration: &Value, action: &str) -> (u16, Value) {
    let id = integration["integration_id"].as_str().unwrap();
    caller.send(caller.request("POST", &format!("{INTEGRATION}/{id}/{action}"))).await
}

#[tokio::test]
async fn an_integration_of_another_vendor_is_a_conflict_with_both_vendors_named() {
    let caller = Caller::start().await;
    let (status, first) = create(&caller, "ERP_A", "a").await;
    assert_eq!((status, &first["status"]), (200, &json!("ACTIVE")));
    let conflict = |existing: &Value| {
        json!({
            "error_code": "ACTIVE_INTEGRATION_EXISTS",
            "message": "An active integration with a different vendor already exists.",
            "details": { "existing_integration_id": existing["integration_id"], "existing_vendor": existing["vendor"],
                "requested_vendor": if existing["vendor"] == "ERP_A" { "ERP_B" } else { "ERP_A" } },
        })
    };
    assert_eq!(create(&caller, "ERP_B", "b").await, (409, conflict(&first)));
    assert_eq!(act(&caller, &first, "disconnect").await.1["status"], "DISABLED");
    let (_, second) = create(&caller, "ERP_B", "b").await;
    assert_eq!(act(&caller, &first, "reactivate").await, (409, conflict(&second)));
    act(&caller, &second, "disconnect").await;
    let (status, again) = act(&caller, &first, "reactivate").await;
    assert_eq!((status, again), (200, first));
}

#[tokio::test]
async fn another_account_of_the_same_vendor_is_a_conflict_with_both_accounts_named() {
    let caller = Caller::start().await;
    let (_, first) = create(&caller, "ERP_A", "a").await;
    let expected = json!({
        "error_code": "VENDOR_ACCOUNT_ID_MISMATCH",
        "message": "An active integration for this vendor exists with another account id.",
        "details": { "existing_integration_id": first["integration_id"], "existing_vendor_account_id": "a",
            "requested_vendor_account_id": "b" },
    });
    assert_eq!(create(&caller, "ERP_A", "b").await, (409, expected));
    assert_eq!(create(&caller, "ERP_A", "a").await, (200, first));
}

#[tokio::test]
async fn disconnecting_twice_is_a_conflict_that_tells_the_status() {
    let caller = Caller::start().await;
    let (_, made) = create(&caller, "ERP_A", "a").await;
    act(&caller, &made, "disconnect").await;
    let expected = json!({
        "error_code": "INTEGRATION_NOT_ACTIVE",
        "message": "Integration is not active.",
        "details": { "integration_id": made["integration_id"], "current_status": "DISABLED" },
    });
    assert_eq!(act(&caller, &made, "disconnect").await, (409, expected));
    for action in ["disconnect", "reactivate"] {
        let (status, body) = act(&caller, &json!({ "integration_id": "int_x" }), action).await;
        assert_eq!((status, &body["error_code"]), (404, &json!("NOT_FOUND")));
    }
}

#[tokio::test]
async fn each_refusal_of_export_results_names_the_records() {
    let caller = Caller::start().await;
    let [good, other] = caller.two_ready();
    let entry = |id: &str| json!({ "accounting_record_id": id, "success": {} });
    let refusal = |code: &str, message: &str, key: &str, ids: Value| {
        let mut details = json!({});
        details[key] = ids;
        json!({ "error_code": code, "message": message, "details": details })
    };
    let unknown = refusal(
        "NOT_FOUND",
        "Record ids not found.",
        "not_found_export_entry_source_ids",
        json!(["accr_ghi789", "accr_x"]),
    );
    let results = json!([entry("accr_ghi789"), entry(&good), entry("accr_x")]);
    assert_eq!(caller.export(&results).await, (404, unknown));
    let twice = refusal(
        "DUPLICATE_ACCOUNTING_RECORD_IDS",
        "Duplicate record ids.",
        "duplicate_accounting_record_ids",
        json!([good]),
    );
    assert_eq!(caller.export(&json!([entry(&good), entry(&other), entry(&good)])).await, (422, twice));
    assert_eq!(caller.export(&json!([entry(&good)])).await.0, 200);
    let waiting = caller.first(|record| record["review_status"] == "PREPARE");
    let not_ready = refusal(
        "ACCOUNTING_RECORD_NOT_READY_FOR_EXPORT",
        "Record is not READY_FOR_EXPORT.",
        "not_ready_for_export_accounting_record_ids",
        json!([good, waiting]),
    );
    assert_eq!(caller.export(&json!([entry(&good), entry(&other), entry(&waiting)])).await, (422, not_ready));
}
