//! Limits of size and time, the queue, and other sessions that are in the way.

use crate::bc::caller::{Caller, answer, error, invoice};
use futures::future::join_all;
use reqwest::{Method, RequestBuilder, StatusCode};
use sandbox::bc::{Contention, Latency};
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;
use serde_json::json;

fn vendors(caller: &Caller) -> RequestBuilder {
    caller.request(Method::GET, &caller.url("vendors?$top=1"))
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_too_large() {
    let caller = Caller::start().await;
    assert_eq!(caller.sandbox.world().bc.settings().limits.body_bytes, 350 * 1024 * 1024);
    let body = invoice("A-1").to_string();
    let maximum = u64::try_from(body.len()).unwrap();
    let post = || {
        let request = caller.request(Method::POST, &caller.url("purchaseInvoices"));
        answer(request.header("Content-Type", "application/json").body(body.clone()))
    };
    caller.sandbox.world().bc.configure(|settings| settings.limits.body_bytes = maximum - 1);
    let (status, answered) = post().await;
    assert_eq!((status.as_u16(), error(&answered).0.as_str()), (413, "RequestEntityTooLarge"));
    caller.sandbox.world().bc.configure(|settings| settings.limits.body_bytes = maximum);
    assert_eq!(post().await.0, 201);
}

#[tokio::test]
async fn a_url_beyond_the_limit_is_too_long() {
    let caller = Caller::start().await;
    let filter = |length: usize| format!("vendors?$filter=startswith(number,'{}')", "x".repeat(length));
    assert_eq!(caller.get(&filter(7_000)).await.0, 200);
    let (status, body) = caller.get(&filter(8_200)).await;
    assert_eq!((status.as_u16(), error(&body).0.as_str()), (414, "RequestUriTooLong"));
    caller.sandbox.world().bc.configure(|settings| settings.limits.url_bytes = 2_048);
    assert_eq!(caller.get(&filter(2_000)).await.0, 414);
}

#[tokio::test]
async fn an_operation_that_takes_too_long_is_cancelled_and_has_done_nothing() {
    let caller = Caller::start().await;
    caller.sandbox.world().bc.configure(|settings| {
        settings.latency.median_ms = 1_000_000;
        settings.limits.operation_ms = 1;
    });
    let (status, body) = caller.post("purchaseInvoices", invoice("A-1")).await;
    assert_eq!((status.as_u16(), error(&body).0.as_str()), (408, "RequestTimeout"));
    assert!(caller.sandbox.world().bc.ledger().is_empty());
}

#[tokio::test]
async fn after_a_gateway_timeout_the_operation_may_have_been_done() {
    let caller = Caller::start().await;
    caller.sandbox.world().bc.configure(|settings| {
        settings.latency.median_ms = 1_000_000;
        settings.limits.operation_ms = u64::MAX;
        settings.limits.gateway_ms = 1;
    });
    let (status, body) = caller.post("purchaseInvoices", invoice("A-1")).await;
    assert_eq!((status.as_u16(), error(&body).0.as_str()), (504, "GatewayTimeout"));
    assert_eq!(caller.sandbox.world().bc.documents_by_number("A-1").len(), 1);
}

#[tokio::test]
async fn the_same_seed_cancels_the_same_requests() {
    let mut runs = Vec::new();
    for seed in [1, 1, 2] {
        let caller = Caller::start().await;
        caller.sandbox.world().bc.configure(|settings| {
            settings.latency = Latency { median_ms: 1, spread_percent: 2_000, seed, read_median_ms: None };
            settings.limits.operation_ms = 1;
        });
        let mut statuses = Vec::new();
        for _ in 0..40 {
            statuses.push(vendors(&caller).send().await.unwrap().status().as_u16());
        }
        assert!(statuses.contains(&200) && statuses.contains(&408), "{statuses:?}");
        runs.push(statuses);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}

#[tokio::test]
async fn requests_beyond_five_wait_and_beyond_the_queue_are_refused() {
    let caller = Caller::start().await;
    let world = caller.sandbox.world();
    let limits = world.bc.settings().limits;
    assert_eq!((limits.at_once, limits.waiting, limits.connections), (5, 95, 100));
    world.bc.configure(|settings| (settings.limits.at_once, settings.limits.waiting) = (0, 2));
    let waiting: Vec<_> = (0..2).map(|_| tokio::spawn(vendors(&caller).send())).collect();
    while world.meter.tally(Side::Bc).most_at_once < 2 {
        tokio::task::yield_now().await;
    }
    let (status, body) = answer(vendors(&caller)).await;
    let refused = "Too many requests reached. Actual (3). Maximum (2).";
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{body}");
    assert_eq!(error(&body), ("Application_TooManyRequests".to_owned(), refused.to_owned()));
    world.bc.configure(|settings| settings.limits.at_once = 5);
    assert_eq!(answer(vendors(&caller)).await.0, 200);
    for answered in join_all(waiting).await {
        assert_eq!(answered.unwrap().unwrap().status(), 200);
    }
}

#[tokio::test]
async fn connections_may_be_fewer_than_slots_and_queue() {
    let caller = Caller::start().await;
    caller.sandbox.world().bc.configure(|settings| settings.limits.connections = 0);
    let (status, body) = answer(vendors(&caller)).await;
    assert_eq!(
        (status.as_u16(), error(&body).1.as_str()),
        (429, "Too many requests reached. Actual (1). Maximum (0).")
    );
}

#[tokio::test]
async fn an_unavailable_service_says_when_to_come_again() {
    let caller = Caller::start().await;
    caller.sandbox.world().bc.configure(|settings| {
        settings.limits.at_once = 0;
        settings.limits.longest_wait_ms = 1;
    });
    let refused = vendors(&caller).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (503, "30"));
    caller.sandbox.world().bc.configure(|settings| settings.limits.unavailable_retry_after_seconds = None);
    assert!(vendors(&caller).send().await.unwrap().headers().get("retry-after").is_none());
}

#[tokio::test]
async fn another_session_in_the_way_is_a_conflict_or_a_dialog() {
    let caller = Caller::start().await;
    let cases = [
        (
            Contention::LockTimeout,
            "We can't save your changes right now, because a record in table 'Purchase Header' is being updated in a transaction done by another session.",
        ),
        (
            Contention::Deadlock,
            "Your activity was deadlocked with another user who was modifying data in the table 'Purchase Header'. Please retry the activity.",
        ),
        (
            Contention::Modified,
            "Another user has modified the record for this Purchase Header after you retrieved it from the database.",
        ),
    ];
    for (form, text) in cases {
        for (status, code) in [(409, "Internal_ServerError"), (400, "Application_DialogException")] {
            let fault = Fault::new(Side::Bc, FaultKind::Contention { form, status }).method("POST");
            caller.sandbox.world().faults.add(fault);
            let (found, body) = caller.post("purchaseInvoices", invoice("A-1")).await;
            assert_eq!((found.as_u16(), error(&body)), (status, (code.to_owned(), text.to_owned())));
            assert!(body["error"]["message"].as_str().unwrap().contains("  CorrelationId:  "));
        }
    }
    assert!(caller.sandbox.world().bc.ledger().is_empty());
    caller.draft("A-1").await;
}

#[tokio::test]
async fn contention_is_planned_over_http_and_for_business_central_only() {
    let caller = Caller::start().await;
    let url = format!("{}/_sandbox/faults", caller.sandbox.ready().control.base_url);
    let plan = |status: u16| json!({"kind": {"contention": {"form": "deadlock", "status": status}}});
    assert_eq!(answer(caller.client.post(&url).json(&plan(500))).await.0, 400);
    assert_eq!(answer(caller.client.post(&url).json(&plan(409))).await.0, 200);
    let brex = format!("{}/v3/accounting/records", caller.sandbox.ready().brex.base_url);
    assert_eq!(answer(caller.client.get(brex)).await.0, 401);
    assert_eq!(answer(vendors(&caller)).await.0, 409);
    assert_eq!(answer(vendors(&caller)).await.0, 200);
}
