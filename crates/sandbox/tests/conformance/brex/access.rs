//! Who may call Brex, how a refusal looks in each API, and the accounting integration.

use crate::brex::caller::Caller;
use jiff::SignedDuration;
use sandbox::brex::{IdKey, TooManyBody};
use serde_json::{Value, json};

const RECORDS: &str = "/v3/accounting/records";
const COMPANY: &str = "/v2/company";

#[tokio::test]
async fn the_company_is_the_one_of_the_ready_line() {
    let caller = Caller::start().await;
    let (status, company) = caller.get(COMPANY).await;
    assert_eq!((status, &company["id"]), (200, &json!(caller.world().brex.company_id())));
    for field in ["legal_name", "mailing_address", "accountType"] {
        assert!(!company[field].is_null());
    }
    let (_, me) = caller.get("/v2/users/me").await;
    assert!(me["email"].is_string() && me["id"].as_str().unwrap().starts_with("cuuser_"));
}

#[tokio::test]
async fn each_api_refuses_a_missing_token_in_its_own_shape() {
    let caller = Caller::start().await;
    let client = crate::brex::caller::client();
    let anonymous = |path: &str| caller.send(client.get(caller.url(path)));
    let (status, body) = anonymous(RECORDS).await;
    assert_eq!((status, &body["error_code"]), (401, &json!("UNAUTHORIZED")));
    let (status, body) = anonymous("/v1/webhooks").await;
    assert_eq!((status, &body["type"]), (401, &json!("UNAUTHORIZED")));
    assert_eq!(anonymous("/v9/nowhere").await.0, 401);
    assert_eq!(caller.get("/v9/nowhere").await, (404, json!({ "type": "NOT_FOUND", "message": "Not Found" })));
}

#[tokio::test]
async fn every_answer_has_a_trace_id() {
    let caller = Caller::start().await;
    for path in [RECORDS, COMPANY, "/v9/nowhere"] {
        let answer = caller.request("GET", path).send().await.unwrap();
        assert!(answer.headers().contains_key("x-brex-trace-id"), "{path}");
    }
}

#[tokio::test]
async fn a_revoked_token_is_401_and_an_expired_one_403() {
    let caller = Caller::start().await;
    caller.world().brex.revoke_token();
    let (status, body) = caller.get(COMPANY).await;
    assert_eq!(status, 401);
    assert_eq!(body["message"], "PERMISSION_DENIED: Invalid or Revoked Token");
    let fresh = caller.world().brex.issue_token();
    assert_eq!(caller.world().brex.token(), fresh);
    let client = crate::brex::caller::client();
    let with_fresh = || caller.send(client.get(caller.url(RECORDS)).bearer_auth(&fresh));
    assert_eq!(with_fresh().await.0, 200);
    caller.world().brex.expire_token();
    let (status, body) = with_fresh().await;
    assert_eq!((status, &body["message"]), (403, &json!("Expired token")));
}

#[tokio::test]
async fn a_missing_scope_is_forbidden() {
    let caller = Caller::start().await;
    caller.world().brex.set_scopes(&["accounting.record.read"]);
    assert_eq!(caller.get(RECORDS).await.0, 200);
    assert_eq!(caller.get(COMPANY).await.0, 403);
    let (status, body) = caller.export(&json!([])).await;
    assert_eq!((status, &body["error_code"]), (403, &json!("FORBIDDEN")));
}

#[tokio::test]
async fn too_many_requests_of_a_minute_are_refused() {
    let caller = Caller::start().await;
    caller.world().brex.configure(|settings| settings.requests_per_minute = 2);
    assert_eq!(caller.get(COMPANY).await.0, 200);
    assert_eq!(caller.get(COMPANY).await.0, 200);
    assert_eq!(caller.get(COMPANY).await, (429, Value::Null));
    caller.world().brex.configure(|settings| {
        settings.too_many_body = TooManyBody::Json;
        settings.retry_after_seconds = Some(30);
    });
    let answer = caller.request("GET", COMPANY).send().await.unwrap();
    assert_eq!(answer.headers()["retry-after"], "30");
    caller.world().clock.advance(SignedDuration::from_secs(60));
    assert_eq!(caller.get(COMPANY).await.0, 200);
}

async fn connect(caller: &Caller, vendor: &str, account: &str) -> (u16, Value) {
    let body = json!({ "vendor": vendor, "vendor_account_id": account });
    caller.post("/v3/accounting/integration", &body).await
}

#[tokio::test]
async fn creating_an_integration_again_gives_the_same_one() {
    let caller = Caller::start().await;
    let (status, first) = connect(&caller, "ERP_A", "company-1").await;
    assert_eq!((status, &first["status"]), (200, &json!("ACTIVE")));
    assert_eq!(connect(&caller, "ERP_A", "company-1").await.1, first);
    caller.world().brex.configure(|settings| settings.integration_id_key = IdKey::Id);
    assert_eq!(connect(&caller, "ERP_A", "company-1").await.1["id"], first["integration_id"]);
    assert_eq!(caller.post("/v3/accounting/integration", &json!({ "vendor": "ERP_A" })).await.0, 400);
}

#[tokio::test]
async fn only_one_integration_is_active() {
    let caller = Caller::start().await;
    let native = caller.world().brex.connect_other("DYNAMICS_BC", "native", caller.world().clock.now());
    let (status, body) = connect(&caller, "ERP_A", "company-1").await;
    assert_eq!((status, &body["error_code"]), (409, &json!("ACTIVE_INTEGRATION_EXISTS")));
    assert_eq!(body["details"]["existing_vendor"], "DYNAMICS_BC");
    let path = format!("/v3/accounting/integration/{}", native.integration_id);
    assert_eq!(caller.post(&format!("{path}/disconnect"), &json!({})).await.0, 200);
    let (status, body) = caller.post(&format!("{path}/disconnect"), &json!({})).await;
    assert_eq!((status, &body["details"]["current_status"]), (409, &json!("DISABLED")));
    assert_eq!(connect(&caller, "ERP_A", "company-1").await.0, 200);
    let (status, body) = connect(&caller, "ERP_A", "company-2").await;
    assert_eq!((status, &body["error_code"]), (409, &json!("VENDOR_ACCOUNT_ID_MISMATCH")));
    let (status, body) = caller.post(&format!("{path}/reactivate"), &json!({})).await;
    assert_eq!((status, &body["error_code"]), (409, &json!("ACTIVE_INTEGRATION_EXISTS")));
    assert_eq!(caller.post("/v3/accounting/integration/int_x/reactivate", &json!({})).await.0, 404);
}

#[tokio::test]
async fn the_control_port_does_what_people_do_in_brex() {
    let caller = Caller::start().await;
    let client = crate::brex::caller::client();
    let id = caller.first(|record| record["review_status"] == "PREPARE");
    let post = |path: String, body: Value| {
        let url = caller.control(&path);
        let request = client.post(url).json(&body);
        async move { request.send().await.unwrap().status().as_u16() }
    };
    let values = json!({ "values": [{ "remote_field_id": "GL_ACCOUNT", "remote_field_value_id": "60500" }] });
    assert_eq!(post(format!("/_sandbox/brex/records/{id}/code"), values).await, 204);
    assert_eq!(post(format!("/_sandbox/brex/records/{id}/edit"), json!({ "amount": 12.50 })).await, 204);
    assert_eq!(post(format!("/_sandbox/brex/records/{id}/ready"), json!({})).await, 204);
    assert_eq!(post("/_sandbox/brex/records/accr_x/ready".to_owned(), json!({})).await, 404);
    let report = caller.world().brex.record(&id).unwrap();
    assert_eq!(report.review_status, "READY_FOR_EXPORT");
    assert_eq!(report.record["amount"]["amount"].to_string(), "12.5");
    let line = &report.record["line_items"][0];
    assert_eq!(line["accounting_field_values"][0]["remote_field_value_id"], "60500");
    let raw = r#"{"id":"accr_1","type":"CARD_EXPENSE_POST","review_status":"REVIEW","source_type":"CARD",
        "posted_at":"2026-06-01T00:00:00Z","updated_at":"2026-06-01T00:00:00Z","version":1}"#;
    for (body, expected) in [(raw, 200), ("{}", 400)] {
        let request = client.post(caller.control("/_sandbox/brex/records")).body(body);
        assert_eq!(caller.send(request).await.0, expected);
    }
    let settings = client.patch(caller.control("/_sandbox/brex/settings"));
    let (_, changed) = caller.send(settings.json(&json!({ "default_window_days": 7 }))).await;
    assert_eq!(changed["default_window_days"], 7);
}

#[tokio::test]
async fn the_page_shows_records_escaped_and_exports_one() {
    let caller = Caller::start().await;
    let client = crate::brex::caller::client();
    let page = client.get(caller.url("/")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script>"));
    let id = caller.first(|record| record["review_status"] == "REVIEW" && record["source_type"] == "CARD");
    let button = client.post(caller.url(&format!("/page/export/{id}?page=0")));
    assert_eq!(button.send().await.unwrap().status(), 303);
    assert_eq!(caller.world().brex.record(&id).unwrap().review_status, "READY_FOR_EXPORT");
}
