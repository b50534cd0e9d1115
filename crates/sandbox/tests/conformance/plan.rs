//! The kinds of faults, each on the wire, and the weather.

use jiff::SignedDuration;
use reqwest::Method;
use sandbox::fault::{Fault, FaultKind, WebhookFault};
use sandbox::meter::Side;
use serde_json::{Value, json};

use crate::bc::caller::{Caller, answer, error, invoice};

fn on_create(kind: FaultKind) -> Fault {
    Fault::new(Side::Bc, kind).method("POST").path_contains("purchaseInvoices")
}

async fn plan(caller: &Caller, body: &Value) -> (u16, Value) {
    let url = format!("{}/_sandbox/faults", caller.sandbox.ready().control.base_url);
    let (status, body) = answer(caller.client.post(url).json(body)).await;
    (status.as_u16(), body)
}

async fn ask(caller: &Caller, path: &str) -> Value {
    let url = format!("{}/_sandbox/{path}", caller.sandbox.ready().control.base_url);
    answer(caller.client.get(url)).await.1
}

fn create(caller: &Caller, number: &str) -> reqwest::RequestBuilder {
    caller.request(Method::POST, &caller.url("purchaseInvoices")).json(&invoice(number))
}

#[tokio::test]
async fn a_late_commit_takes_effect_when_the_clock_has_moved_on() {
    let caller = Caller::start().await;
    let world = caller.sandbox.world();
    world.faults.add(on_create(FaultKind::LateCommit { seconds: 540, status: Some(504) }));
    assert_eq!(create(&caller, "A-1").send().await.unwrap().status(), 504);
    assert!(world.bc.ledger().is_empty());
    world.clock.advance(SignedDuration::from_secs(539));
    assert!(world.bc.ledger().is_empty());
    assert_eq!(ask(&caller, "faults/held").await[0]["method"], "POST");
    world.clock.advance(SignedDuration::from_secs(100));
    assert_eq!(world.bc.documents_by_number("A-1").len(), 1);
    let rows = caller.rows("purchaseInvoices?$select=lastModifiedDateTime").await;
    assert_eq!(rows[0]["lastModifiedDateTime"], "2026-03-02T10:09:00.000Z");
    assert!(world.held_requests().is_empty());
}

#[tokio::test]
async fn late_commits_take_effect_in_the_order_of_their_moments() {
    let caller = Caller::start().await;
    let world = caller.sandbox.world();
    for seconds in [600, 300] {
        world.faults.add(on_create(FaultKind::LateCommit { seconds, status: None }));
    }
    assert!(create(&caller, "LATER").send().await.is_err());
    assert!(create(&caller, "SOONER").send().await.is_err());
    world.clock.advance(SignedDuration::from_hours(1));
    let numbers: Vec<String> = world.bc.ledger().into_iter().map(|document| document.external_number).collect();
    assert_eq!(numbers, ["SOONER", "LATER"]);
}

#[tokio::test]
async fn a_late_commit_outlives_its_token_but_needs_one() {
    let mut caller = Caller::start().await;
    let world = caller.sandbox.world();
    world.faults.add(on_create(FaultKind::LateCommit { seconds: 7_200, status: None }).times(2));
    assert!(create(&caller, "A-1").send().await.is_err());
    caller.token = "nonsense".to_owned();
    assert_eq!(create(&caller, "A-2").send().await.unwrap().status(), 401);
    world.clock.advance(SignedDuration::from_hours(3));
    assert_eq!(world.bc.ledger().len(), 1);
}

#[tokio::test]
async fn a_refusal_after_the_commit_leaves_the_document() {
    let caller = Caller::start().await;
    caller.sandbox.world().faults.add(on_create(FaultKind::CommitThen400 { message: "Stopped.".to_owned() }));
    let (status, body) = answer(create(&caller, "A-1")).await;
    assert_eq!(
        (status.as_u16(), error(&body)),
        (400, ("Application_DialogException".to_owned(), "Stopped.".to_owned()))
    );
    assert_eq!(caller.sandbox.world().bc.documents_by_number("A-1").len(), 1);
}

#[tokio::test]
async fn a_truncated_body_announces_more_than_it_sends() {
    let caller = Caller::start().await;
    caller.sandbox.world().faults.add(on_create(FaultKind::TruncatedBody { keep: Some(20) }));
    let mut response = create(&caller, "A-1").send().await.unwrap();
    assert_eq!(response.status(), 201);
    assert!(response.content_length().unwrap() > 20);
    assert_eq!(response.chunk().await.unwrap().unwrap().len(), 20);
    assert!(response.chunk().await.is_err());
    assert_eq!(caller.sandbox.world().bc.ledger().len(), 1);
}

#[tokio::test]
async fn bodies_can_be_html_empty_huge_or_slow() {
    let caller = Caller::start().await;
    let world = caller.sandbox.world();
    let kinds = [
        FaultKind::NotJson,
        FaultKind::EmptyBody,
        FaultKind::HugeBody { bytes: 3_000_000 },
        FaultKind::SlowDrip { bytes: 100, every_ms: 1 },
    ];
    let mut bodies = Vec::new();
    for (number, kind) in kinds.into_iter().enumerate() {
        world.faults.add(on_create(kind));
        let response = create(&caller, &format!("A-{number}")).send().await.unwrap();
        assert_eq!(response.status(), 201);
        bodies.push(response.text().await.unwrap());
    }
    assert!(bodies[0].starts_with("<!DOCTYPE html>"));
    assert_eq!(bodies[1], "");
    assert_eq!(bodies[2].len(), 3_000_000);
    assert!(serde_json::from_str::<Value>(&bodies[2]).is_ok());
    let dripped: Value = serde_json::from_str(&bodies[3]).unwrap();
    assert_eq!(dripped["vendorInvoiceNumber"], "A-3");
    assert_eq!(world.bc.ledger().len(), 4);
}

#[tokio::test]
async fn a_stale_connection_fails_the_next_request_on_it_and_only_that() {
    let caller = Caller::start().await;
    let world = caller.sandbox.world();
    world.faults.add(Fault::new(Side::Bc, FaultKind::StaleConnection));
    assert_eq!(caller.get("vendors?$top=1").await.0, 200);
    assert!(create(&caller, "A-1").send().await.is_err());
    assert!(world.bc.ledger().is_empty());
    caller.draft("A-1").await;
}

#[tokio::test]
async fn redirects_and_any_other_answer_can_be_planned() {
    let caller = Caller::start().await;
    let kinds = json!([
        {"side": "bc", "kind": {"redirect": {"status": 307, "location": "http://127.0.0.1:9/elsewhere"}}},
        {"side": "bc", "kind": {"answer": {"status": 418, "headers": {"X-Mood": "bad"}, "text": "no"}}},
    ]);
    assert_eq!(plan(&caller, &kinds).await.0, 200);
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
    let away = client.get(caller.url("vendors")).send().await.unwrap();
    assert_eq!(
        (away.status().as_u16(), away.headers()["location"].to_str().unwrap()),
        (307, "http://127.0.0.1:9/elsewhere")
    );
    let odd = client.get(caller.url("vendors")).send().await.unwrap();
    assert_eq!((odd.status().as_u16(), odd.headers()["x-mood"].to_str().unwrap()), (418, "bad"));
    assert_eq!(odd.text().await.unwrap(), "no");
}

#[tokio::test]
async fn the_clock_can_jump_in_the_middle_of_a_run() {
    let caller = Caller::start().await;
    let world = caller.sandbox.world();
    world.faults.add(Fault::new(Side::Bc, FaultKind::MoveClock { seconds: 7_200 }));
    assert_eq!(caller.get("vendors?$top=1").await.0, 401);
    assert_eq!(world.clock.now().to_string(), "2026-03-02T12:00:00Z");
}

#[tokio::test]
async fn impossible_faults_are_refused_with_a_sentence() {
    let caller = Caller::start().await;
    for (body, why) in [
        (json!({"kind": {"status": {"status": 9}}}), "9 is no HTTP status of an answer"),
        (json!({"kind": {"redirect": {"status": 200, "location": "/"}}}), "a redirect is 301, 302, 307 or 308"),
        (json!({"percent": 101, "kind": "drop_before"}), "percent is at most 100"),
        (json!({"weather": {"percent": 5, "kinds": []}}), "kinds is empty"),
        (json!({"kind": {"slow_drip": {"bytes": 0, "every_ms": 1}}}), "a piece has at least one byte"),
    ] {
        assert_eq!(plan(&caller, &body).await, (400, json!({"error": why})));
    }
    assert_eq!(ask(&caller, "faults").await, json!([]));
}

#[tokio::test]
async fn the_same_weather_hits_the_same_requests() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let caller = Caller::start().await;
        let weather =
            json!({"weather": {"seed": 7, "percent": 30, "kinds": [{"status": {"status": 503}}, "not_json"]}});
        assert_eq!(plan(&caller, &weather).await.0, 200);
        for _ in 0..40 {
            caller.get("vendors?$top=1").await;
        }
        runs.push(ask(&caller, "faults/fired").await);
    }
    assert_eq!(runs[0]["count"], runs[1]["count"]);
    let hits = runs[0]["last"].as_array().unwrap().len();
    assert!((4..25).contains(&hits), "{hits} of 40");
    assert_eq!(runs[0]["last"][0]["from"], "weather");
}

#[tokio::test]
async fn a_share_of_requests_is_hit_as_the_seed_decides() {
    let mut runs = Vec::new();
    for seed in [1, 1, 2] {
        let caller = Caller::start().await;
        let away = FaultKind::Status { status: 503, body: None, retry_after: None };
        caller.sandbox.world().faults.add(Fault::new(Side::Bc, away).times(1_000).percent(40, seed));
        let mut statuses = Vec::new();
        for _ in 0..30 {
            statuses.push(caller.get("vendors?$top=1").await.0.as_u16());
        }
        runs.push(statuses);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
    assert!(runs[0].contains(&200) && runs[0].contains(&503));
}

#[tokio::test]
async fn webhooks_are_disturbed_by_the_plan_like_requests() {
    let caller = Caller::start().await;
    let world = caller.sandbox.world();
    world.brex.pause_deliveries(true);
    let ready = caller.sandbox.ready();
    let receiver = format!("{}/_sandbox/receiver/here", ready.control.base_url);
    let subscription = json!({"url": receiver, "event_types": ["ACCOUNTING_RECORD_READY_FOR_EXPORT"]});
    let subscribe = caller.client.post(format!("{}/v1/webhooks", ready.brex.base_url)).bearer_auth(&ready.brex.token);
    let subscribe = subscribe.header("Idempotency-Key", "one").json(&subscription);
    assert_eq!(answer(subscribe).await.0, 200);
    let id = &world.brex.records()[0].id;
    let mut came = Vec::new();
    let kinds = [
        WebhookFault::Drop,
        WebhookFault::Double,
        WebhookFault::Forge,
        WebhookFault::Late { seconds: 60 },
        WebhookFault::Reorder,
    ];
    for kind in kinds {
        world.faults.add(Fault::new(Side::Brex, FaultKind::Webhook(kind)));
        world.brex.announce(std::slice::from_ref(id), world.clock.now());
        world.brex.deliver_due(&world.clock).await;
        came.push(world.receivers.receipts("here").len());
    }
    assert_eq!(came, [0, 2, 3, 3, 4]);
    let receipts = world.receivers.receipts("here");
    assert_eq!(receipts[0].headers["webhook-id"], receipts[1].headers["webhook-id"]);
    world.clock.advance(SignedDuration::from_secs(60));
    world.brex.deliver_due(&world.clock).await;
    assert_eq!(world.receivers.receipts("here").len(), 5);
    assert_eq!(world.faults.fired().count["webhook_forge"], 1);
}
