//! The switches of the platform: what is not known for sure, and what an administrator can set.

use crate::bc::caller::{Caller, answer, error};
use reqwest::Method;
use sandbox::bc::{AppState, MissingRow};
use serde_json::json;

#[tokio::test]
async fn an_app_that_is_not_enabled_in_the_environment_is_rejected() {
    let caller = Caller::start().await;
    for state in [AppState::Disabled, AppState::Missing] {
        caller.sandbox.world().bc.configure(|settings| settings.app_state = state);
        let (status, body) = caller.get("vendors?$top=1").await;
        assert_eq!((status.as_u16(), error(&body).0.as_str()), (401, "Authentication_InvalidCredentials"));
    }
    caller.sandbox.world().bc.configure(|settings| settings.app_state = AppState::Enabled);
    assert_eq!(caller.get("vendors?$top=1").await.0, 200);
}

#[tokio::test]
async fn a_key_without_a_row_is_answered_as_switched() {
    let caller = Caller::start().await;
    let path = "vendors(00000000-0000-0000-0000-00000000ffff)";
    assert_eq!(error(&caller.get(path).await.1).0, "BadRequest_ResourceNotFound");
    caller.sandbox.world().bc.configure(|settings| {
        settings.missing_row = MissingRow::RecordNotFound;
        settings.record_not_found_status = 400;
    });
    let (status, body) = caller.get(path).await;
    assert_eq!((status.as_u16(), error(&body).0.as_str()), (400, "Internal_RecordNotFound"));
    assert_eq!(error(&caller.get("vendor").await.1).0, "BadRequest_ResourceNotFound");
}

#[tokio::test]
async fn a_duplicate_key_may_be_a_conflict() {
    let caller = Caller::start().await;
    let body = json!({"number": "V00001", "displayName": "Again"});
    let (status, answered) = caller.post("vendors", body.clone()).await;
    assert_eq!((status.as_u16(), error(&answered).0.as_str()), (400, "Internal_EntityWithSameKeyExists"));
    caller.sandbox.world().bc.configure(|settings| settings.same_key_status = 409);
    assert_eq!(caller.post("vendors", body).await.0, 409);
}

#[tokio::test]
async fn the_rate_can_be_lowered_and_a_429_may_say_when_to_come_again() {
    let caller = Caller::start().await;
    caller.sandbox.world().bc.configure(|settings| settings.limits.requests_per_window = 1);
    assert_eq!(caller.get("vendors?$top=1").await.0, 200);
    let get = || caller.request(Method::GET, &caller.url("vendors?$top=1")).send();
    let refused = get().await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers().get("retry-after")), (429, None));
    let text = "Too many requests reached. Actual (2). Maximum (1).";
    let body = refused.json().await.unwrap();
    assert_eq!(error(&body), ("Application_TooManyRequests".to_owned(), text.to_owned()));
    caller.sandbox.world().bc.configure(|settings| settings.limits.retry_after_seconds = Some(7));
    assert_eq!(get().await.unwrap().headers()["retry-after"], "7");
}

#[tokio::test]
async fn a_request_without_a_slot_waits_and_is_then_unavailable() {
    let caller = Caller::start().await;
    caller.sandbox.world().bc.configure(|settings| {
        settings.limits.at_once = 0;
        settings.limits.longest_wait_ms = 1;
    });
    assert_eq!(caller.get("vendors?$top=1").await.0, 503);
    caller.sandbox.world().bc.configure(|settings| settings.limits.waiting = 0);
    let (status, body) = caller.get("vendors?$top=1").await;
    assert_eq!(
        (status.as_u16(), error(&body).1.as_str()),
        (429, "Too many requests reached. Actual (1). Maximum (0).")
    );
}

#[tokio::test]
async fn a_batch_counts_as_its_parts_unless_switched() {
    let caller = Caller::start().await;
    caller.sandbox.world().bc.configure(|settings| settings.limits.requests_per_window = 3);
    let parts = vec![json!({"id": "1", "method": "GET", "url": "companies"}); 4];
    let url = format!("{}/$batch", caller.service());
    let batch = || {
        let request = caller.request(Method::POST, &url).header("Accept", "application/json");
        answer(request.json(&json!({"requests": parts})))
    };
    assert_eq!(batch().await.0, 429);
    caller.sandbox.world().bc.configure(|settings| settings.batch_counts_parts = false);
    assert_eq!(batch().await.0, 200);
}
