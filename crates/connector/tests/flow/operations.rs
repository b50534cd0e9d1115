//! Health, readiness and metrics as whoever watches over the process sees them, and what is written and drawn about them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use connector::{operations, web};
use rstest::rstest;
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;
use secrecy::SecretString;
use store::{KeyRing, Slot};
use tokio_util::sync::CancellationToken;

use crate::app::TestApp;
use crate::database::Db;

/// The address for health and metrics of an app.
struct Watch {
    url: String,
    http: reqwest::Client,
    token: Option<&'static str>,
    stop: CancellationToken,
}

impl Watch {
    async fn over(app: &TestApp, token: Option<&'static str>) -> Self {
        let listener = web::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let secret = token.map(SecretString::from);
        tokio::spawn(operations::serve(listener, Arc::clone(&app.app), secret, stop.clone()));
        Self { url, http: reqwest::Client::builder().no_proxy().build().unwrap(), token, stop }
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let mut request = self.http.get(format!("{}{path}", self.url));
        if let Some(token) = self.token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn metrics(&self) -> Metrics {
        let (status, text) = self.get("/metrics").await;
        assert_eq!(status, 200);
        Metrics(text)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

struct Metrics(String);

impl Metrics {
    /// Name, labels and number of each sample, without what is behind the point.
    fn samples(&self) -> impl Iterator<Item = (&str, &str, i64)> {
        self.0.lines().filter(|line| !line.starts_with('#')).map(|line| {
            let (series, number) = line.rsplit_once(' ').unwrap();
            let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
            (name, labels.strip_suffix('}').unwrap(), number.split('.').next().unwrap().parse().unwrap())
        })
    }

    fn sum(&self, name: &str, label: &str) -> i64 {
        self.samples().filter(|(known, labels, _)| *known == name && labels.contains(label)).map(|(_, _, n)| n).sum()
    }

    fn names(&self) -> BTreeSet<&str> {
        self.0.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect()
    }

    /// Each name with its kind and the names of its labels, or none where there is no number.
    fn outline(&self) -> String {
        let mut labels: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for (name, of_sample, _) in self.samples() {
            let keys: Vec<&str> = of_sample.split("\",").filter_map(|pair| Some(pair.split_once('=')?.0)).collect();
            labels.entry(name).or_default().insert(keys.join(" "));
        }
        let types = self.0.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        let outline = types.map(|line| {
            let name = line.split(' ').next().unwrap();
            let labels = labels.get(name).map(|of| format!("[{}]", Vec::from_iter(of.clone()).join(" | ")));
            format!("{line} {}", labels.as_deref().unwrap_or("none"))
        });
        outline.collect::<Vec<_>>().join("\n")
    }
}

#[rstest]
#[tokio::test]
async fn ready_is_whoever_can_work_and_otherwise_one_word_says_why(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = TestApp::start(db, 1).await else { return };
    let watch = Watch::over(&app, None).await;
    let not_ready = |why: &str| (503, format!("not ready: {why}\n"));
    assert_eq!(watch.get("/healthz").await, (200, "ok\n".to_owned()));
    assert_eq!(watch.get("/readyz").await, not_ready("worker"), "nobody has asked for a lane");
    app.tick().await;
    app.advance(2);
    assert_eq!(watch.get("/readyz").await, (200, "ok\n".to_owned()));
    app.advance(61);
    assert_eq!(watch.get("/readyz").await, not_ready("worker"), "it no longer asks");
    app.tick().await;

    let (other, slot) = (KeyRing::generate().unwrap(), Slot { system: "brex", purpose: "token", host: "h" });
    let vault = app.app.store.vault(&other);
    let secret = SecretString::from("sealed by another");
    let sealed = connector_id("elsewhere");
    vault.seal(&sealed, &slot, &secret, None, app.app.now_ms()).await.unwrap();
    app.advance(2);
    assert_eq!(watch.get("/readyz").await, not_ready("key"));

    app.app.store.close().await;
    app.advance(2);
    assert_eq!(watch.get("/readyz").await, not_ready("database"));
    assert_eq!(watch.get("/healthz").await.0, 200);
    app.advance(11);
    let left = watch.metrics().await;
    assert_eq!((left.sum("ml_connector_database_up", ""), left.sum("ml_connector_build_info", "")), (0, 1));
    assert_eq!(left.sum("ml_connector_lane_held", ""), 1);
    app.advance(30);
    assert_eq!(watch.metrics().await.sum("ml_connector_lane_held", ""), 0, "the lease ran out");
}

fn connector_id(name: &str) -> domain::id::ConnectionId {
    domain::id::ConnectionId::new(name).unwrap()
}

#[rstest]
#[tokio::test]
async fn the_metrics_count_what_the_database_holds_and_what_the_process_did(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(mut app) = TestApp::start(db, 30).await else { return };
    let refused = FaultKind::Status { status: 429, body: None, retry_after: Some(1) };
    app.world().faults.add(Fault::new(Side::Bc, refused).times(2));
    let watch = Watch::over(&app, None).await;
    app.run_until_idle().await;
    let hook = app.app.connections[0].hook().token.unwrap();
    let forged = watch.http.post(format!("{}/hooks/brex/{hook}", app.base_url)).body("{}").send().await.unwrap();
    assert_eq!(forged.status(), 401);
    let slot = Slot { system: "entra", purpose: "client_secret", host: "h" };
    let (secret, end_ms) = (SecretString::from("unseen"), app.app.now_ms() + 1);
    app.app.vault().seal(&app.connection(), &slot, &secret, Some(end_ms), app.app.now_ms()).await.unwrap();

    let metrics = watch.metrics().await;
    let rows = app.rows().await;
    let held = rows.iter().filter(|row| row.hold.is_some()).count();
    let sum = |name: &str, label: &str| metrics.sum(&format!("ml_connector_{name}"), label);
    let number = |number: usize| i64::try_from(number).unwrap();
    assert_eq!(sum("records_held", ""), number(held));
    assert_eq!(sum("records", "connection=\"main\""), number(rows.len() - held));
    let exported = rows.iter().filter(|row| row.exported_ms.is_some()).count();
    assert_eq!(sum("records", "stage=\"exported\""), number(exported));
    assert_eq!(sum("requests_total", "outcome=\"throttled\""), 2);
    let sent: u64 = app.app.connections[0].traffic.requests().values().sum();
    assert_eq!(sum("requests_total", ""), i64::try_from(sent).unwrap());
    assert_eq!(sum("deliveries_total", "source=\"brex\",outcome=\"refused\""), 1);
    assert_eq!((sum("lane_held", ""), sum("intents_open", ""), sum("database_up", "")), (1, 0, 1));
    assert!(sum("database_bytes", "") > 4_096 && sum("audit_entries", "") > 0);
    let words = ["unseen", hook.as_str(), "accr_"];
    assert!(words.iter().all(|word| !metrics.0.contains(word)), "{}", metrics.0);
    assert_eq!(metrics.0, watch.metrics().await.0, "the page is kept for a while");
    // Where all tests are one process, both databases come here.
    insta::allow_duplicates!(insta::assert_snapshot!(metrics.outline(), @r"
    process_start_time_seconds gauge []
    ml_connector_build_info gauge [version]
    ml_connector_database_up gauge []
    ml_connector_database_bytes gauge []
    ml_connector_lane_held gauge [connection]
    ml_connector_lane_seen_timestamp_seconds gauge [connection]
    ml_connector_connection_problem gauge none
    ml_connector_records gauge [connection stage]
    ml_connector_records_held gauge [connection code]
    ml_connector_records_due_timestamp_seconds gauge none
    ml_connector_job_due_timestamp_seconds gauge [connection kind]
    ml_connector_job_finished_timestamp_seconds gauge [connection kind]
    ml_connector_job_failures gauge [connection kind]
    ml_connector_intents_open gauge [connection]
    ml_connector_intents_oldest_timestamp_seconds gauge none
    ml_connector_inbox_unhandled gauge [connection source]
    ml_connector_inbox_oldest_timestamp_seconds gauge none
    ml_connector_subscription_expires_timestamp_seconds gauge [connection set]
    ml_connector_secret_expires_timestamp_seconds gauge [connection system purpose]
    ml_connector_audit_entries gauge [connection]
    ml_connector_checkpoint_timestamp_seconds gauge none
    ml_connector_requests_total counter [system operation outcome]
    ml_connector_request_slots gauge [connection system]
    ml_connector_deliveries_total counter [connection source outcome]
    "));
}

#[tokio::test]
async fn the_metrics_are_for_whoever_has_the_token_and_without_one_for_no_page_of_a_browser() {
    let Some(app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let closed = Watch::over(&app, Some("Canary-token-of-the-metrics")).await;
    assert_eq!(closed.get("/metrics").await.0, 200);
    for header in ["Bearer Canary-token-of-the-metric", "Bearer ", "Canary-token-of-the-metrics"] {
        let request = closed.http.get(format!("{}/metrics", closed.url)).header("authorization", header);
        let answer = request.send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.text().await.unwrap()), (401, String::new()));
    }
    let open = Watch::over(&app, None).await;
    let request = open.http.get(format!("{}/metrics", open.url)).header("host", "evil.example");
    assert_eq!(request.send().await.unwrap().status(), 421);
    assert_eq!(open.get("/hooks/brex/x").await.0, 404);
    let webhooks = open.http.get(format!("{}/metrics", app.base_url)).send().await.unwrap();
    assert_eq!(webhooks.status(), 404, "nothing of it is where webhooks come in");
}

/// Every word that looks like a metric's name.
fn mentioned(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
    words.filter(|word| word.starts_with("ml_connector_") || *word == "process_start_time_seconds").collect()
}

#[tokio::test]
async fn the_table_the_alerts_and_the_dashboard_know_the_names_that_are_exported() {
    let Some(app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let watch = Watch::over(&app, None).await;
    let metrics = watch.metrics().await;
    let read = |path: &str| std::fs::read_to_string(format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let docs = read("docs/operations.md");
    let rows = docs.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let table: BTreeSet<&str> = rows.filter(|name| !mentioned(name).is_empty()).collect();
    assert_eq!(table, metrics.names(), "the table in docs/operations.md");
    for path in ["deploy/prometheus/alerts.yml", "deploy/grafana/ml-connector.json"] {
        let text = read(path);
        let unknown: Vec<_> = mentioned(&text).into_iter().filter(|name| !metrics.names().contains(name)).collect();
        assert!(unknown.is_empty(), "{path} asks for {unknown:?}");
    }
    let board: serde_json::Value = serde_json::from_str(&read("deploy/grafana/ml-connector.json")).unwrap();
    assert!(board["panels"].as_array().unwrap().len() > 5);
    let alerts = read("deploy/prometheus/alerts.yml");
    for alert in alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(docs.contains(&format!("### {alert}\n")), "docs/operations.md does not say what to do about {alert}");
    }
}
