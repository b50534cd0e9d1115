//! The control port given what makes no sense: it refuses or takes it, and both sides go on answering.

use reqwest::Method;
use serde_json::{Value, json};

use crate::bc::caller::{Caller, answer};

async fn order(caller: &Caller, method: Method, path: &str, body: &Value) -> u16 {
    let url = format!("{}/_sandbox/{path}", caller.sandbox.ready().control.base_url);
    answer(caller.client.request(method, url).json(body)).await.0.as_u16()
}

/// The status of a list on each side.
async fn both_sides(caller: &Caller) -> (u16, u16) {
    let url = format!("{}/v3/accounting/records", caller.sandbox.ready().brex.base_url);
    let records = answer(caller.client.get(url).bearer_auth(&caller.sandbox.ready().brex.token));
    (caller.get("vendors?$top=1").await.0.as_u16(), records.await.0.as_u16())
}

#[tokio::test]
async fn settings_beyond_all_time_break_nothing() {
    let caller = Caller::start().await;
    for (path, body) in [
        ("brex/settings", json!({"token_idle_days": i64::MAX, "default_window_days": i64::MAX})),
        ("brex/settings", json!({"payments": {"same_day_hours": i64::MAX}, "idempotency": {"hours": i64::MAX}})),
        ("bc/settings", json!({"webhooks": {"expiry_hours": i64::MAX, "delay_seconds": i64::MAX}})),
        ("bc/settings", json!({"limits": {"window_seconds": i64::MAX, "longest_wait_ms": u64::MAX}})),
    ] {
        assert_eq!(order(&caller, Method::PATCH, path, &body).await, 200, "{body}");
        assert_eq!(both_sides(&caller).await, (200, 200), "{body}");
    }
}

#[tokio::test]
async fn a_clock_at_either_end_of_time_breaks_nothing() {
    let caller = Caller::start().await;
    for moment in ["-009999-01-02T01:59:59Z", "9999-12-30T22:00:00Z", crate::bc::caller::START] {
        assert_eq!(order(&caller, Method::POST, "clock", &json!({"set": moment})).await, 200);
        for side in [both_sides(&caller).await.0, both_sides(&caller).await.1] {
            assert!(side < 500, "{moment}: {side}");
        }
        let (status, body) = caller.post("purchaseInvoices", crate::bc::caller::invoice("A-1")).await;
        assert!(status.as_u16() < 500, "{moment}: {body}");
    }
}

#[tokio::test]
async fn statuses_that_no_answer_has_are_refused_or_have_no_effect() {
    let caller = Caller::start().await;
    let informational = json!({"kind": {"status": {"status": 100}}});
    assert_eq!(order(&caller, Method::POST, "faults", &informational).await, 400);
    let script = json!({"status": 100, "handshake": "echo"});
    assert_eq!(order(&caller, Method::PUT, "receivers/odd", &script).await, 400);
    let settings = json!({"method_not_allowed_status": 100});
    assert_eq!(order(&caller, Method::PATCH, "bc/settings", &settings).await, 200);
    assert_eq!(caller.patch("vendors", "*", json!({})).await.0, 405);
}

#[tokio::test]
async fn a_record_that_is_hardly_one_is_edited_coded_and_split_without_breaking() {
    let caller = Caller::start().await;
    let records = caller.sandbox.world().brex.records();
    let id = records[0].id.as_str();
    let path = |rest: &str| format!("brex/records/{id}/{rest}");
    let edit = path("edit");
    let huge: Value = "79228162514264337593543950335".parse().unwrap();
    assert_eq!(order(&caller, Method::POST, &path("split"), &json!({"amounts": [huge, huge]})).await, 400);
    for odd in [json!({"amount": "5"}), json!({"line_items": ["x", 7]}), json!({"amount": {}, "line_items": [{}, {}]})]
    {
        assert_eq!(order(&caller, Method::POST, &edit, &odd).await, 204, "{odd}");
        assert!(order(&caller, Method::POST, &edit, &json!({"amount": 5})).await < 500, "{odd}");
        assert!(order(&caller, Method::POST, &path("split"), &json!({"amounts": [2, 3]})).await < 500, "{odd}");
        let coding = json!({"values": [{"remote_field_id": "GL_ACCOUNT"}]});
        assert!(order(&caller, Method::POST, &path("code"), &coding).await < 500, "{odd}");
        assert_eq!(both_sides(&caller).await.1, 200, "{odd}");
    }
}
