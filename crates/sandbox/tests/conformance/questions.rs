//! Questions about both sides, receivers, use without sockets, and the state file.

use axum::body::{Body, to_bytes};
use axum::http::Request;
use reqwest::Method;
use sandbox::{Error, Options, World, routers};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::bc::caller::{Caller, START, answer, invoice};

async fn ask(caller: &Caller, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
    let url = format!("{}/_sandbox/{path}", caller.sandbox.ready().control.base_url);
    let request = caller.client.request(method, url);
    let (status, body) = answer(body.iter().fold(request, reqwest::RequestBuilder::json)).await;
    (status.as_u16(), body)
}

async fn get(caller: &Caller, path: &str) -> Value {
    ask(caller, Method::GET, path, None).await.1
}

#[tokio::test]
async fn sums_are_told_by_currency_account_and_dimension() {
    let caller = Caller::start().await;
    caller.draft("A-1").await;
    let mut foreign = invoice("A-2");
    foreign["currencyCode"] = json!("EUR");
    assert_eq!(caller.post("purchaseInvoices", foreign).await.0, 201);
    let sums = get(&caller, "ledger/sums?by=currency").await;
    assert_eq!(
        sums.to_string(),
        r#"[{"key":"EUR","currency":"EUR","count":1,"amount":125.40},{"key":"USD","currency":"USD","count":1,"amount":125.40}]"#
    );
    let sums = get(&caller, "ledger/sums?by=account").await;
    assert_eq!((&sums[0]["key"], sums[0]["count"].as_u64()), (&json!("60500"), Some(1)));
    assert_eq!(get(&caller, "ledger/sums?by=dimension:DEPARTMENT").await[0]["currency"], "EUR");
    assert_eq!(ask(&caller, Method::GET, "ledger/sums?by=mood", None).await.0, 400);
}

#[tokio::test]
async fn the_agreement_names_what_differs_record_by_record() {
    let caller =
        Caller::start_with(Options { records: 3, start: Some(START.parse().unwrap()), ..Options::default() }).await;
    let world = caller.sandbox.world();
    assert_eq!(get(&caller, "agreement").await["holds"], true);
    let record = world.brex.records().into_iter().find(|report| report.review_status == "READY_FOR_EXPORT").unwrap();
    let mut body = invoice("A-1");
    body["purchaseInvoiceLines"][1]["description"] = json!(format!("Brex record {}.", record.id));
    let mut stray = invoice("A-3");
    stray["purchaseInvoiceLines"][1]["description"] = json!("accr_unknown");
    for draft in [body.clone(), body, stray] {
        assert_eq!(caller.post("purchaseInvoices", draft).await.0, 201);
    }
    let result = json!({"results": [{"accounting_record_id": record.id, "success": {"reference_id": "nothing"}}]});
    let ready = caller.sandbox.ready();
    let export = format!("{}/v3/accounting/records/export-results", ready.brex.base_url);
    assert_eq!(answer(caller.client.post(export).bearer_auth(&ready.brex.token).json(&result)).await.0, 200);
    let agreement = world.agreement();
    assert!(!agreement.holds);
    assert_eq!(agreement.duplicates, std::slice::from_ref(&record.id));
    assert_eq!(agreement.amounts_differ, std::slice::from_ref(&record.id));
    assert_eq!(agreement.references_differ, std::slice::from_ref(&record.id));
    assert_eq!(agreement.document_without_record.len(), 1);
    let records = get(&caller, "agreement/records").await;
    let found = records.as_array().unwrap().iter().find(|found| found["record_id"] == record.id.as_str()).unwrap();
    assert_eq!((found["reported"].as_u64(), &found["reference"]), (Some(1), &json!("nothing")));
    for document in world.bc.ledger() {
        let delete =
            sandbox::bc::DocumentChange { action: Some(sandbox::bc::DocumentAction::Delete), ..Default::default() };
        world.bc.change_document(document.id, delete, world.clock.now()).unwrap();
    }
    assert_eq!(world.agreement().exported_without_document, [record.id]);
}

#[tokio::test]
async fn a_receiver_echoes_handshakes_and_answers_as_told() {
    let caller = Caller::start().await;
    let url = format!("{}/_sandbox/receiver/mine?validationToken=a%20b", caller.sandbox.ready().control.base_url);
    let shake = async || caller.client.post(&url).send().await.unwrap();
    assert_eq!(shake().await.text().await.unwrap(), "a b");
    for (handshake, status, text) in [("wrong", 200, "not-a b"), ("empty", 200, ""), ("fail", 500, "")] {
        assert_eq!(
            ask(&caller, Method::PUT, "receivers/mine", Some(json!({"handshake": handshake, "status": 503}))).await.0,
            204
        );
        let answer = shake().await;
        assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (status, text));
    }
    assert_eq!(ask(&caller, Method::POST, "receiver/mine", Some(json!({"a": 1}))).await.0, 503);
    assert_eq!(get(&caller, "receivers/mine/last/body").await, json!({"a": 1}));
    assert_eq!(get(&caller, "receivers/mine").await.as_array().unwrap().len(), 5);
    assert_eq!(ask(&caller, Method::DELETE, "receivers/mine", None).await.0, 204);
    assert_eq!(get(&caller, "receivers/mine").await, json!([]));
}

#[tokio::test]
async fn the_sandbox_can_be_called_without_sockets() {
    let world = World::open(Options { records: 3, ..Options::default() }).unwrap();
    let routers = routers(&world);
    let token = &routers.ready.brex.token;
    let request = Request::get("/v3/accounting/records").header("Authorization", format!("Bearer {token}"));
    let answer = routers.brex.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 200);
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}&scope=https%3A%2F%2Fapi.businesscentral.dynamics.com%2F.default",
        routers.ready.entra.client_id, routers.ready.entra.client_secret
    );
    let request = Request::post(format!("/{}/oauth2/v2.0/token", routers.ready.entra.tenant_id));
    let answer = routers.entra.oneshot(request.body(Body::from(form)).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 200);
    let request = Request::get("/_sandbox/requests").body(Body::empty()).unwrap();
    let answer = routers.control.oneshot(request).await.unwrap();
    let requests: Value = serde_json::from_slice(&to_bytes(answer.into_body(), 100_000).await.unwrap()).unwrap();
    assert_eq!((&requests["brex"]["requests"], &requests["entra"]["requests"]), (&json!(1), &json!(1)));
}

/// Every GET route of Brex's source, with the first id of the list above it where it takes one.
fn brex_routes(folder: &std::path::Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            brex_routes(&path, found);
        } else {
            let text: String = std::fs::read_to_string(&path).unwrap().split_whitespace().collect();
            for part in text.split(".route(\"").skip(1) {
                let (route, rest) = part.split_once('"').unwrap();
                let handlers = rest.split(".route(").next().unwrap();
                if route.starts_with("/v") && handlers.contains("get(") {
                    found.push(route.to_owned());
                }
            }
        }
    }
}

/// Every set that is named in Business Central's list of sets.
fn bc_sets() -> Vec<String> {
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bc/sets/mod.rs");
    let text = std::fs::read_to_string(source).unwrap();
    let arms = text.split("fn top_level").nth(1).unwrap();
    arms.lines().filter(|line| line.contains("\" =>")).map(|line| line.split('"').nth(1).unwrap().to_owned()).collect()
}

async fn all_answers(caller: &Caller) -> Vec<(String, u16, String)> {
    let ready = caller.sandbox.ready();
    let mut answers = Vec::new();
    let mut routes = Vec::new();
    brex_routes(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/brex"), &mut routes);
    routes.sort();
    let urls = routes.iter().map(|route| (ready.brex.base_url.clone() + route, &ready.brex.token));
    let sets = bc_sets().into_iter().map(|set| (caller.url(&set), &caller.token));
    for (url, token) in urls.chain(sets) {
        let mut path = url;
        if let Some((list, rest)) = path.clone().split_once("/{") {
            let (_, items) = answer(caller.client.get(list).bearer_auth(token)).await;
            let id = items["items"][0]["id"].as_str().unwrap_or("none").to_owned();
            path = format!("{list}/{id}{}", rest.split_once('}').unwrap().1);
        }
        let response = caller.client.get(&path).bearer_auth(token).send().await.unwrap();
        let (status, text) = (response.status().as_u16(), response.text().await.unwrap());
        // Each error has its own correlation id, and a base URL has another port after a restart.
        let text = text.split("  CorrelationId:").next().unwrap_or_default().to_owned();
        answers.push((path, status, text));
    }
    answers
}

#[tokio::test]
async fn a_saved_and_loaded_world_answers_the_same_on_every_route() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options {
        records: 30,
        state: Some(directory.path().join("state.json")),
        start: Some(START.parse().unwrap()),
        ..Options::default()
    };
    let caller = Caller::start_with(options.clone()).await;
    caller.draft("A-1").await;
    let token = caller.token.clone();
    let ports = |text: &str, caller: &Caller| {
        let ready = caller.sandbox.ready();
        text.replace(&ready.bc.base_url, "BC").replace(&ready.brex.base_url, "BREX")
    };
    let normal = |answers: Vec<(String, u16, String)>, caller: &Caller| -> Vec<String> {
        answers.iter().map(|(path, status, text)| ports(&format!("{path} {status} {text}"), caller)).collect()
    };
    let before = normal(all_answers(&caller).await, &caller);
    assert!(before.len() > 20, "{} routes", before.len());
    caller.sandbox.stop().await.unwrap();
    // The token of before is still good: tokens survive.
    let caller = Caller { token, ..Caller::start_with(options).await };
    let after = normal(all_answers(&caller).await, &caller);
    assert_eq!(before, after);
}

#[tokio::test]
async fn planned_faults_and_held_requests_survive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options {
        records: 1,
        state: Some(directory.path().join("state.json")),
        start: Some(START.parse().unwrap()),
        ..Options::default()
    };
    let caller = Caller::start_with(options.clone()).await;
    let plan = json!([
        {"method": "POST", "kind": {"late_commit": {"seconds": 60, "status": 504}}},
        {"side": "bc", "skip": 5, "kind": "drop_before"},
    ]);
    assert_eq!(ask(&caller, Method::POST, "faults", Some(plan)).await.0, 200);
    assert_eq!(caller.post("purchaseInvoices", invoice("A-1")).await.0, 504);
    assert_eq!(ask(&caller, Method::POST, "state/save", None).await.0, 204);
    drop(caller);
    let caller = Caller::start_with(options).await;
    let world = caller.sandbox.world();
    assert_eq!(world.faults.pending().len(), 1);
    world.clock.advance(jiff::SignedDuration::from_secs(60));
    assert_eq!(world.bc.documents_by_number("A-1").len(), 1);
}

#[tokio::test]
async fn a_state_file_of_another_version_is_refused_with_a_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.json");
    std::fs::write(&path, r#"{"version": 1, "brex": {}}"#).unwrap();
    let refused = World::open(Options { records: 1, state: Some(path), ..Options::default() }).err().unwrap();
    assert!(matches!(refused, Error::StateVersion { found: 1, .. }));
    assert!(refused.to_string().contains("has version 1, and this sandbox reads version"), "{refused}");
    let caller = Caller::start().await;
    assert_eq!(ask(&caller, Method::POST, "state/save", None).await.0, 409);
}

#[tokio::test]
async fn ten_thousand_records_and_five_thousand_vendors_are_walked_once() {
    let options = Options {
        records: 10_000,
        vendors: 5_000,
        bc_limits: false,
        start: Some(START.parse().unwrap()),
        ..Options::default()
    };
    let caller = Caller::start_with(options).await;
    let world = caller.sandbox.world();
    let ready = caller.sandbox.ready();
    let mut ids = std::collections::BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let url =
            format!("{}/v3/accounting/records?limit=1000&updated_at[gte]=2025-01-01{cursor}", ready.brex.base_url);
        let (_, page) = answer(caller.client.get(url).bearer_auth(&ready.brex.token)).await;
        ids.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(ids.len(), 10_000);
    assert!(caller.rows("vendors?$select=number").await.len() >= 5_000);
    let brex = world.meter.tally(sandbox::meter::Side::Brex);
    assert_eq!((brex.requests, brex.routes.len()), (10, 1));
    assert_eq!(world.meter.tally(sandbox::meter::Side::Bc).requests, 1);
}
