//! Deliveries and notifications with the verdict that each must get, over a socket and through the real receivers: the
//! project's own, and the shared ones where they are at hand (the file named in `WEBHOOK_VECTORS`, else the one beside the
//! workspace).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connector::alone::Alone;
use connector::app::{App, Identity};
use connector::clock::{Chance, Clock};
use connector::config::Config;
use connector::subscriptions::bc::hash_of;
use connector::web;
use domain::id::ConnectionId;
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _};
use reqwest::header::{HeaderName, HeaderValue};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use sqlx::Executor as _;
use store::Store;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Receivers at once: each waits for secrets that nobody sends.
const AT_ONCE: usize = 32;

const OWN: &str = include_str!("../data/webhook-vectors.json");

#[derive(Deserialize)]
struct Vectors {
    about: About,
    verify: Vec<Delivery>,
    sequences: Vec<Sequence>,
    bc_notifications: Vec<Notification>,
}

#[derive(Deserialize)]
struct About {
    tolerance_seconds: u64,
}

#[derive(Deserialize)]
struct Delivery {
    #[serde(default)]
    name: String,
    #[serde(default)]
    secrets: Vec<String>,
    #[serde(default)]
    endpoint: String,
    now: i64,
    headers: Vec<(String, String)>,
    body: Option<String>,
    body_b64: Option<String>,
    body_repeat: Option<Repeat>,
    expect: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Repeat {
    unit: String,
    count: usize,
}

#[derive(Deserialize)]
struct Sequence {
    name: String,
    #[serde(default)]
    config: BTreeMap<String, Vec<String>>,
    inject: Option<String>,
    steps: Vec<Delivery>,
}

#[derive(Deserialize)]
struct Notification {
    name: String,
    #[serde(default)]
    client_states: Vec<String>,
    inject: Option<String>,
    request: Request,
    expect: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Request {
    #[serde(default)]
    query: String,
    body: String,
}

impl Delivery {
    fn body(&self) -> Vec<u8> {
        match (&self.body, &self.body_b64, &self.body_repeat) {
            (Some(text), None, None) => text.clone().into_bytes(),
            (None, Some(text), None) => STANDARD.decode(text).unwrap(),
            (None, None, Some(repeat)) => repeat.unit.repeat(repeat.count).into_bytes(),
            _ => panic!("{}: exactly one form of the body is expected", self.name),
        }
    }
}

fn text<'a>(expect: &'a BTreeMap<String, Value>, key: &str) -> Option<&'a str> {
    expect.get(key).map(|value| value.as_str().unwrap())
}

fn is_status(expected: &str, status: u16) -> bool {
    expected.split("-or-").any(|form| match form.strip_suffix("xx") {
        Some(first) => status.to_string().starts_with(first),
        None => status.to_string() == form,
    })
}

struct Still(AtomicI64);

impl Clock for Still {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    fn steady_ms(&self) -> i64 {
        self.now_ms()
    }
}

/// The web server of a process with some connections. Nobody answers at either end of them.
pub(crate) struct Receiver {
    pub(crate) app: Arc<App>,
    clock: Arc<Still>,
    pub(crate) base_url: String,
    database: PathBuf,
    _folder: TempDir,
    stop: CancellationToken,
}

/// What a delivery did.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    status: u16,
    content_type: Option<String>,
    body: String,
    /// New in the inbox.
    kept: Vec<String>,
    /// New in the trail: action and reason.
    noted: Vec<(String, String)>,
}

impl Receiver {
    pub(crate) async fn start(connections: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["brex", "bc"] {
            use std::os::unix::fs::PermissionsExt;
            let path = folder.path().join(name);
            std::fs::write(&path, "secret").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        let database = folder.path().join("test.db");
        let connection = |name: &&str| {
            format!(
                r#"
[[connection]]
name = "{name}"
start_date = "2025-06-01"
time_zone = "UTC"
[connection.brex]
base_url = "http://127.0.0.1:9"
token = {{ file = "brex" }}
[connection.entra]
base_url = "http://127.0.0.1:9"
tenant = "t"
client_id = "c"
client_secret = {{ file = "bc" }}
[connection.bc]
base_url = "http://127.0.0.1:9"
environment = "e"
company = "x"
"#
            )
        };
        let text = format!(
            "database = \"sqlite:{}\"\nallow_hosts = [\"127.0.0.1\"]\n{}",
            database.display(),
            connections.iter().map(connection).collect::<String>()
        );
        let config = Config::parse(&text, folder.path()).unwrap();
        let store = Store::open(&config.database_url()).await.unwrap();
        let clock = Arc::new(Still(AtomicI64::new(0)));
        let app = App::build(&config, store, clock.clone(), Chance::seeded(1), Alone::Shared).await.unwrap();
        for connection in &app.connections {
            app.store.connections().ensure(&connection.id, 0).await.unwrap();
            let name = connection.id.as_str().to_uppercase();
            connection.set_hook(|hook| {
                hook.token = Some(name.clone());
                hook.bc_token = Some(name);
            });
        }
        let listener = web::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(web::serve(listener, Arc::clone(&app), stop.clone()));
        Self { app, clock, base_url, database, _folder: folder, stop }
    }

    fn set_secrets(&self, endpoint: &str, secrets: &[String]) {
        let connection = self.app.connection(&id(endpoint)).unwrap();
        let secrets = secrets.iter().cloned().map(SecretString::from).collect();
        connection.set_hook(|hook| hook.secrets = secrets);
    }

    /// The table of the inbox is away, or back.
    async fn break_inbox(&self, broken: bool) {
        let names = if broken { "inbox RENAME TO away" } else { "away RENAME TO inbox" };
        let url = format!("sqlite:{}", self.database.display());
        sqlx::any::install_default_drivers();
        let mut other = <sqlx::AnyConnection as sqlx::Connection>::connect(&url).await.unwrap();
        other.execute(sqlx::AssertSqlSafe(format!("ALTER TABLE {names}"))).await.unwrap();
    }

    async fn inbox(&self, endpoint: &str, source: &str) -> Vec<String> {
        match self.app.store.inbox().list_unhandled(&id(endpoint), source, 1_000).await {
            Ok(events) => events.into_iter().map(|event| event.payload).collect(),
            // Its table is away.
            Err(_) => Vec::new(),
        }
    }

    async fn trail(&self, endpoint: &str) -> Vec<(String, String)> {
        let entries = self.app.store.audit().list(&id(endpoint), 0, 1_000).await.unwrap();
        let why = |detail: &str| serde_json::from_str::<Value>(detail).unwrap()["why"].as_str().unwrap().to_owned();
        entries.into_iter().map(|entry| (entry.action, why(&entry.detail))).collect()
    }

    async fn send(&self, request: reqwest::RequestBuilder, endpoint: &str, source: &str) -> Outcome {
        let (kept, noted) = (self.inbox(endpoint, source).await.len(), self.trail(endpoint).await.len());
        let answer = request.send().await.unwrap();
        let header = answer.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
        Outcome {
            status: answer.status().as_u16(),
            content_type: header,
            body: answer.text().await.unwrap(),
            kept: self.inbox(endpoint, source).await.split_off(kept.min(self.inbox(endpoint, source).await.len())),
            noted: self.trail(endpoint).await.split_off(noted),
        }
    }

    async fn deliver(&self, delivery: &Delivery, endpoint: &str) -> Outcome {
        self.clock.0.store(delivery.now * 1_000, Ordering::SeqCst);
        let mut request = client().post(format!("{}/hooks/brex/{endpoint}", self.base_url)).body(delivery.body());
        for (name, value) in &delivery.headers {
            request = request.header(
                HeaderName::try_from(name.as_str()).unwrap(),
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        self.send(request, endpoint, "brex").await
    }

    async fn notify(&self, request: &Request) -> Outcome {
        let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
        let url = format!("{}/hooks/bc/A{query}", self.base_url);
        self.send(client().post(url).body(request.body.clone()), "A", "bc").await
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn client() -> reqwest::Client {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    CLIENT.get_or_init(|| reqwest::Client::builder().no_proxy().build().unwrap()).clone()
}

fn id(endpoint: &str) -> ConnectionId {
    ConnectionId::new(&endpoint.to_lowercase()).unwrap()
}

/// Whether one delivery gets the verdict that is expected, and nothing else happens.
async fn verified(delivery: &Delivery) -> Result<(), String> {
    let receiver = Receiver::start(&["a"]).await;
    receiver.set_secrets("A", &delivery.secrets);
    let outcome = receiver.deliver(delivery, "A").await;
    let reason = text(&delivery.expect, "reason").unwrap();
    let as_expected = match text(&delivery.expect, "verdict").unwrap() {
        "accept" => outcome.status == 204 && outcome.kept.len() == 1 && outcome.noted.is_empty(),
        "reject" => {
            let status = if reason == "body_too_large" { 413 } else { 401 };
            let noted = [("webhook_refused".to_owned(), reason.to_owned())];
            outcome.status == status && outcome.body.is_empty() && outcome.kept.is_empty() && outcome.noted == noted
        }
        other => panic!("{}: unknown verdict {other}", delivery.name),
    };
    if as_expected { Ok(()) } else { Err(format!("{}: {outcome:?}", delivery.name)) }
}

/// Whether each step of a sequence has the effect that is expected.
async fn followed(sequence: &Sequence, default: &[String]) -> Result<(), String> {
    let receiver = Receiver::start(&["a", "b"]).await;
    receiver.set_secrets("A", default);
    for (endpoint, secrets) in &sequence.config {
        receiver.set_secrets(endpoint, secrets);
    }
    for (place, step) in sequence.steps.iter().enumerate() {
        let is_broken = place == 0 && sequence.inject.is_some();
        if is_broken {
            receiver.break_inbox(true).await;
        }
        let outcome = receiver.deliver(step, &step.endpoint).await;
        if is_broken {
            receiver.break_inbox(false).await;
        }
        let noted: Vec<&str> = outcome.noted.iter().map(|(action, _)| action.as_str()).collect();
        let effect = match (outcome.status, outcome.kept.len(), noted.as_slice()) {
            (204, 1, []) => "enqueued",
            (204, 0, []) => "duplicate",
            (204, 0, ["webhook_conflict"]) => "duplicate_mismatch",
            (401, 0, ["webhook_refused"]) => "rejected",
            (503, 0, []) => "not_stored",
            _ => "another",
        };
        let expected = (text(&step.expect, "effect").unwrap(), text(&step.expect, "status").unwrap());
        if effect != expected.0 || !is_status(expected.1, outcome.status) {
            return Err(format!("{} step {place}: {effect} {outcome:?}", sequence.name));
        }
    }
    Ok(())
}

/// Whether a notification has the effect that is expected.
async fn taken(notification: &Notification, company: Uuid) -> Result<(), String> {
    let receiver = Receiver::start(&["a"]).await;
    let (brex_company, bc_company_name) = ("c".to_owned(), "x".to_owned());
    let connection = &receiver.app.connections[0];
    connection.set_identity(Identity { brex_company, bc_company: company, bc_company_name });
    let states = notification.client_states.iter().map(|state| hash_of(state)).collect();
    connection.set_hook(|hook| hook.client_states = states);
    if notification.inject.is_some() {
        receiver.break_inbox(true).await;
    }
    let outcome = receiver.notify(&notification.request).await;
    let expect = &notification.expect;
    let kept: Vec<Value> = outcome.kept.iter().map(|payload| serde_json::from_str(payload).unwrap()).collect();
    let effect = match kept.as_slice() {
        [] => "none".to_owned(),
        [set] if set["row"].is_null() => format!("resync:{}", set["set"].as_str().unwrap()),
        rows => format!("enqueued:{}", rows.len()),
    };
    let is_type =
        |wanted: &str| outcome.content_type.as_deref().is_some_and(|found| found.split(';').next() == Some(wanted));
    let as_expected = is_status(text(expect, "status").unwrap(), outcome.status)
        && text(expect, "effect").unwrap() == effect
        && text(expect, "body").is_none_or(|body| outcome.body == body)
        && text(expect, "content_type").is_none_or(is_type);
    // What is kept and told names no client state.
    let told = format!("{:?}{:?}", outcome.kept, outcome.noted);
    let tells = notification.client_states.iter().any(|state| !state.is_empty() && told.contains(state.as_str()));
    if as_expected && !tells { Ok(()) } else { Err(format!("{}: {effect} {outcome:?}", notification.name)) }
}

/// The company that most notifications are about.
fn company_of(vectors: &Vectors) -> Uuid {
    let mut counts: BTreeMap<Uuid, usize> = BTreeMap::new();
    for notification in &vectors.bc_notifications {
        for (_, after) in notification
            .request
            .body
            .match_indices("companies(")
            .map(|(at, _)| notification.request.body.split_at(at + 10))
        {
            *counts.entry(after.get(..36).and_then(|id| id.parse().ok()).unwrap_or_default()).or_default() += 1;
        }
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(company, _)| company).unwrap_or_default()
}

async fn all_wrong(vectors: &Vectors) -> Vec<String> {
    assert_eq!(vectors.about.tolerance_seconds, 300);
    let company = company_of(vectors);
    let verdicts: Vec<BoxFuture<'_, Result<(), String>>> = std::iter::empty()
        .chain(vectors.verify.iter().map(|delivery| verified(delivery).boxed()))
        // Where a sequence names no secrets, they are those of the first delivery.
        .chain(vectors.sequences.iter().map(|sequence| followed(sequence, &vectors.verify[0].secrets).boxed()))
        .chain(vectors.bc_notifications.iter().map(|notification| taken(notification, company).boxed()))
        .collect();
    assert!(verdicts.len() > 20);
    let verdicts: Vec<_> = futures::stream::iter(verdicts).buffered(AT_ONCE).collect().await;
    verdicts.into_iter().filter_map(Result::err).collect()
}

/// The file, or nothing if none was named and there is none in the usual place.
#[expect(clippy::disallowed_methods, reason = "a test that is told by the environment where its data lies")]
fn shared() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("WEBHOOK_VECTORS") {
        return Some(path.into());
    }
    let usual = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference/webhook-vectors.json");
    usual.exists().then_some(usual)
}

#[tokio::test]
async fn webhook_vectors() {
    let Some(path) = shared() else {
        eprintln!("skipped: no webhook vectors at hand (set WEBHOOK_VECTORS)");
        return;
    };
    let vectors: Vectors = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(all_wrong(&vectors).await, Vec::<String>::new());
}

#[tokio::test]
async fn each_of_our_own_webhook_vectors_gets_its_verdict() {
    let vectors: Vectors = serde_json::from_str(OWN).unwrap();
    assert_eq!(all_wrong(&vectors).await, Vec::<String>::new());
}
