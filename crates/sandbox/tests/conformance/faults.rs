//! The fault plan, the control port, the meter, and the state file.

use crate::bc::caller::{Caller, START, answer, invoice};
use reqwest::{Method, StatusCode};
use sandbox::Options;
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;
use serde_json::{Value, json};

async fn control(caller: &Caller, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
    let url = format!("{}/_sandbox/{path}", caller.sandbox.ready().control.base_url);
    let request = caller.client.request(method, url);
    answer(match body {
        Some(body) => request.json(&body),
        None => request,
    })
    .await
}

#[tokio::test]
async fn a_connection_dropped_before_acting_leaves_nothing() {
    let caller = Caller::start().await;
    let world = caller.sandbox.world();
    world.faults.add(Fault::new(Side::Bc, FaultKind::DropBefore).method("POST"));
    let request = caller.request(Method::POST, &caller.url("purchaseInvoices")).json(&invoice("A-1"));
    let lost = request.send().await.unwrap_err();
    assert!(lost.is_request(), "{lost:?}");
    assert!(world.bc.ledger().is_empty());
    assert_eq!(world.meter.tally(Side::Bc).statuses["none"], 1);
}

#[tokio::test]
async fn a_connection_dropped_after_acting_leaves_the_document() {
    let caller = Caller::start().await;
    let world = caller.sandbox.world();
    world.faults.add(Fault::new(Side::Bc, FaultKind::DropAfter).path_contains("purchaseInvoices"));
    let request = caller.request(Method::POST, &caller.url("purchaseInvoices")).json(&invoice("A-1"));
    assert!(request.send().await.is_err());
    assert_eq!(world.bc.documents_by_number("a-1").len(), 1);
    assert_eq!(world.bc.documents_by_marker("accr_1").len(), 1);
    caller.draft("A-2").await;
}

#[tokio::test]
async fn a_planned_status_is_answered_as_often_as_planned() {
    let caller = Caller::start().await;
    let plan = json!({
        "side": "bc", "method": "GET", "path_contains": "vendors", "skip": 1, "times": 2,
        "kind": {"status": {"status": 503, "body": {"error": {"code": "x"}}, "retry_after": 7}},
    });
    assert_eq!(control(&caller, Method::POST, "faults", Some(plan)).await.0, 200);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        let response = caller.request(Method::GET, &caller.url("vendors?$top=1")).send().await.unwrap();
        if response.status() == 503 {
            assert_eq!(response.headers()["retry-after"], "7");
        }
        statuses.push(response.status().as_u16());
    }
    assert_eq!(statuses, [200, 503, 503, 200]);
}

#[tokio::test]
async fn a_revoked_token_is_rejected_from_then_on() {
    let caller = Caller::start().await;
    caller.sandbox.world().faults.add(Fault::new(Side::Bc, FaultKind::RevokeToken));
    assert_eq!(caller.get("vendors?$top=1").await.0, 401);
    assert_eq!(caller.get("vendors?$top=1").await.0, 401);
}

#[tokio::test]
async fn a_plan_can_be_cleared_and_a_bad_one_is_refused() {
    let caller = Caller::start().await;
    let plan = json!([{"kind": "drop_before"}, {"kind": {"delay": {"ms": 1}}}]);
    assert_eq!(control(&caller, Method::POST, "faults", Some(plan)).await.1.as_array().unwrap().len(), 2);
    assert_eq!(control(&caller, Method::POST, "faults", Some(json!({"kind": "explode"}))).await.0, 400);
    assert_eq!(control(&caller, Method::DELETE, "faults", None).await.0, 204);
    assert_eq!(caller.get("vendors?$top=1").await.0, 200);
}

#[tokio::test]
async fn the_clock_moves_by_hand() {
    let caller = Caller::start().await;
    let (_, moved) = control(&caller, Method::POST, "clock", Some(json!({"advance_seconds": 86400}))).await;
    assert_eq!(moved["now"], "2026-03-03T10:00:00Z");
    let (_, moved) = control(&caller, Method::POST, "clock", Some(json!({"set": "2026-04-01T00:00:00Z"}))).await;
    assert_eq!((&moved["now"], &moved["frozen"]), (&json!("2026-04-01T00:00:00Z"), &json!(true)));
    assert_eq!(control(&caller, Method::POST, "clock", Some(json!({}))).await.0, 400);
}

#[tokio::test]
async fn the_meter_counts_routes_without_their_keys() {
    let caller = Caller::start().await;
    let draft = caller.draft("A-1").await;
    let id = draft["id"].as_str().unwrap();
    caller.get(&format!("purchaseInvoices({id})")).await;
    caller.get(&format!("purchaseInvoices({id})")).await;
    let (_, requests) = control(&caller, Method::GET, "requests", None).await;
    let routes = requests["bc"]["routes"].as_object().unwrap();
    let found = routes.iter().find(|(route, _)| route.ends_with("/purchaseInvoices({id})")).unwrap();
    assert_eq!(found.1, 2);
    assert_eq!(requests["bc"]["most_at_once"], 1);
}

#[tokio::test]
async fn the_ledger_and_changes_by_hand_are_reachable_over_http() {
    let caller = Caller::start().await;
    let draft = caller.draft("A-1").await;
    let id = draft["id"].as_str().unwrap();
    let (_, ledger) = control(&caller, Method::GET, "ledger", None).await;
    assert_eq!(ledger[0]["total"].to_string(), "125.40");
    assert_eq!(ledger[0]["lines"][0]["number"], "60500");
    let (_, found) = control(&caller, Method::GET, "ledger/documents?marker=accr_1", None).await;
    assert_eq!(found.as_array().unwrap().len(), 1);
    let blocked = control(&caller, Method::POST, "bc/vendors/V00001", Some(json!({"blocked": "all"}))).await;
    assert_eq!(blocked.0, 200);
    let refused = control(&caller, Method::POST, &format!("bc/documents/{id}"), Some(json!({"action": "post"}))).await;
    assert_eq!(refused.0, 409);
    let setup = json!({"allowPostingFrom": "2026-03-01", "allowPostingTo": "2026-03-31"});
    assert_eq!(control(&caller, Method::POST, "bc/setup", Some(setup)).await.0, 204);
    assert_eq!(caller.rows("generalLedgerSetup").await[0]["allowPostingTo"], "2026-03-31");
    let account = control(&caller, Method::POST, "bc/accounts/60500", Some(json!({"blocked": true}))).await;
    assert_eq!(account.0, 204);
    let deleted =
        control(&caller, Method::POST, &format!("bc/documents/{id}"), Some(json!({"action": "delete"}))).await;
    assert_eq!(deleted.0, 204);
    assert!(caller.rows("purchaseInvoices").await.is_empty());
}

#[tokio::test]
async fn a_lagging_replica_misses_the_last_write() {
    let caller = Caller::start().await;
    let world = caller.sandbox.world();
    let change = sandbox::bc::SetupChange { replica_lags: Some(true), ..Default::default() };
    world.bc.change_setup(&change, world.clock.now());
    caller.draft("A-1").await;
    let request = caller.request(Method::GET, &caller.url("purchaseInvoices"));
    let (_, stale) = answer(request.header("Data-Access-Intent", "ReadOnly")).await;
    assert_eq!(stale["value"], json!([]));
    let request = caller.request(Method::GET, &caller.url("purchaseInvoices"));
    let (_, fresh) = answer(request.header("Data-Access-Intent", "ReadWrite")).await;
    assert_eq!(fresh["value"].as_array().unwrap().len(), 1);
    let other = Caller::start().await;
    other.sandbox.world().bc.restore(world.bc.snapshot(world.clock.now()).unwrap()).unwrap();
    other.draft("A-2").await;
    let request = other.request(Method::GET, &other.url("purchaseInvoices")).header("Data-Access-Intent", "ReadOnly");
    assert_eq!(answer(request).await.1["value"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_page_shows_documents_and_escapes_them() {
    let caller = Caller::start().await;
    let mut body = invoice("A-1");
    body["purchaseInvoiceLines"][0]["description"] = json!("<script>alert('x')</script>");
    caller.post("purchaseInvoices", body).await;
    let page = caller.client.get(&caller.sandbox.ready().bc.base_url).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Amazon Web Services, Inc."));
    assert!(page.contains("&lt;script&gt;"));
    assert!(!page.contains("<script"));
}

#[tokio::test]
async fn the_state_survives_a_stop_and_a_start() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options {
        records: 5,
        state: Some(directory.path().join("state.json")),
        start: Some(START.parse().unwrap()),
        ..Options::default()
    };
    let caller = Caller::start_with(options.clone()).await;
    let draft = caller.draft("A-1").await;
    let before = caller.sandbox.world().bc.ledger();
    caller.sandbox.stop().await.unwrap();
    let caller = Caller::start_with(options).await;
    assert_eq!(caller.sandbox.world().bc.ledger(), before);
    let next = caller.draft("A-2").await;
    assert_ne!(next["id"], draft["id"]);
    assert_ne!(next["number"], draft["number"]);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_world() {
    let first = Caller::start().await;
    let second = Caller::start().await;
    assert_eq!(first.rows("vendors").await, second.rows("vendors").await);
    assert_eq!(first.sandbox.ready().entra.client_secret, second.sandbox.ready().entra.client_secret);
}
