//! What the connector asks Brex for, held against Brex's OpenAPI files where they are at hand
//! (`../shared/reference/brex-openapi` beside the project).

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use sandbox::Options;
use sandbox::bc::VendorChange;
use serde_json::Value;

use crate::app::TestApp;
use crate::database::Db;
use crate::openapi::Api;

/// The files by the start of the paths that they describe.
const FILES: &[(&str, &str)] = &[
    ("/v3/accounting/", "accounting-1.0.0-alpha.json"),
    ("/v1/expenses", "expenses-0.1.json"),
    ("/v1/vendors", "payments-1.0.json"),
    ("/v1/webhooks", "webhooks-0.1.json"),
    ("/v2/", "team-1.0.json"),
];

/// What the checker says, and the section of the reference that makes it right.
const NEWER: &[(&str, &str)] = &[
    (
        "WebhookEventType is \"ACCOUNTING_RECORD_READY_FOR_EXPORT\", which is not in the enum",
        "6 the event is newer than the file",
    ),
    ("queryAccountingRecords has no parameter source_type", "2.3 newer than the file"),
    ("queryAccountingRecords has no parameter updated_at[gte]", "2.3 newer than the file"),
];

#[derive(Debug)]
struct Asked {
    method: String,
    target: String,
    headers: Vec<String>,
    body: Option<Value>,
}

type Log = Arc<Mutex<Vec<Asked>>>;

async fn note(State(log): State<Log>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, 1 << 24).await.unwrap();
    log.lock().unwrap().push(Asked {
        method: parts.method.to_string(),
        target: parts.uri.to_string(),
        headers: parts.headers.keys().map(ToString::to_string).collect(),
        body: (!bytes.is_empty()).then(|| serde_json::from_slice(&bytes).unwrap()),
    });
    next.run(Request::from_parts(parts, Body::from(bytes))).await
}

/// Brex once more on a port of its own that notes every request.
async fn noting(app: &mut TestApp) -> Log {
    let log = Log::default();
    let brex = sandbox::routers(&app.world()).brex.layer(from_fn_with_state(Arc::clone(&log), note));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, brex).await });
    app.move_brex(&format!("http://{address}")).await;
    log
}

#[tokio::test]
async fn every_request_to_brex_is_one_that_its_openapi_files_describe() {
    let options = Options { records: 120, ..Options::default() };
    let settings = "[connection.directory]\nenabled = true\non_delete = \"delete\"\n";
    let mut app = TestApp::start_with(Db::Sqlite, options, settings).await.unwrap();
    let log = noting(&mut app).await;
    app.run_until_idle().await;
    let world = app.world();
    let renamed = VendorChange { name: Some("Wholly Other Name Ltd".to_owned()), ..VendorChange::default() };
    world.bc.change_vendor("V00001", renamed, world.clock.now()).unwrap();
    app.request(connector::vendors::directory::DIRECTORY).await;
    app.run_until_idle().await;
    app.assert_sound().await;

    let asked = std::mem::take(&mut *log.lock().unwrap());
    let mut seen = BTreeSet::new();
    // Receipts lie on a store of files that is no part of the API.
    for asked in asked.iter().filter(|asked| !asked.target.starts_with("/receipts/")) {
        let path = asked.target.split('?').next().unwrap();
        seen.insert(format!("{} {}", asked.method, template(path)));
        let file = FILES.iter().find(|(start, _)| path.starts_with(start));
        let (_, file) = file.unwrap_or_else(|| panic!("no file describes {path}"));
        let Some(api) = Api::brex(file) else { continue };
        let headers: Vec<&str> = asked.headers.iter().map(String::as_str).collect();
        let mut wrong = api.request(&asked.method, &asked.target, &headers, asked.body.as_ref());
        wrong.retain(|wrong| !NEWER.iter().any(|(known, _)| known == wrong));
        assert!(wrong.is_empty(), "{wrong:?} in {asked:?}");
    }
    let all = [
        "GET /v1/expenses/{}",
        "GET /v1/vendors",
        "GET /v1/vendors/{}",
        "GET /v1/webhooks",
        "GET /v1/webhooks/secrets",
        "GET /v2/company",
        "GET /v3/accounting/records",
        "GET /v3/accounting/records/{}",
        "POST /v1/vendors",
        "POST /v1/webhooks",
        "POST /v3/accounting/records/export-results",
        "PUT /v1/vendors/{}",
    ];
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), all);
}

/// A path with its ids taken out.
fn template(path: &str) -> String {
    let id = |part: &&str| part.contains('_') || part.chars().any(|c| c.is_ascii_digit()) && part.len() > 3;
    let parts: Vec<&str> = path.split('/').map(|part| if id(&part) { "{}" } else { part }).collect();
    parts.join("/")
}
