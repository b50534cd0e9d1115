//! A canary in the place of each secret appears in no log, however talkative, in no output, error or page, and in no file or table.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use clients::entra::{Certificate, ClientSecret, TokenSource};
use clients::{Http, Pace, bc, brex};
use connector::console::{self, Gate};
use connector::secrets::Secrets;
use data_encoding::BASE64URL_NOPAD;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::header::{COOKIE, ORIGIN, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Method};
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use sqlx::{Connection as _, PgConnection, Row as _};
use store::KeyRing;
use tokio::process::Child;

use crate::canaries::Canaries;
use crate::database::{Database, Db};
use crate::identity::pem;
use crate::ports;
use crate::setting::{Setting, said};

const TALKATIVE: &str = "trace,hyper=trace,h2=trace,reqwest=trace,rustls=trace,sqlx=trace,axum=trace";
const PASSWORD: &str = "Canary-horse battery/staple";
/// In an address it needs escapes.
const DATABASE_PASSWORD: [&str; 2] = ["Canary/of#the database", "Canary%2Fof%23the%20database"];
/// What somebody outside sends who should not be quoted: perhaps a secret of another system.
const FORGED: &str = "Canary-of-somebody-else-0123456789";

/// A setting that is joined by `connect`, and what must be seen nowhere.
struct Watched {
    setting: Setting,
    canaries: Canaries,
}

impl Watched {
    async fn connect(prepare: impl Fn(&Setting) -> String) -> Self {
        let setting = crate::connect::unconnected().await;
        let answers = prepare(&setting);
        setting.write_secret("answers.toml", &answers);
        let ready = setting.sandbox.ready();
        let mut canaries = Canaries::default();
        canaries.add("Brex token", &ready.brex.token);
        canaries.add("client secret", &ready.entra.client_secret);
        canaries.add("webhook secret", ready.brex.webhook_secret.trim_start_matches("whsec_"));
        canaries.add("password", PASSWORD);
        canaries.add("text of somebody else", FORGED);
        let mut watched = Self { setting, canaries };
        let from = watched.setting.folder.path().join("answers.toml");
        watched.runs(&["connect", "--json", "--from", from.to_str().unwrap()]).await;
        watched.watch_key();
        watched
    }

    /// The key of the vault, as it is now.
    fn watch_key(&mut self) {
        let text = std::fs::read_to_string(self.setting.folder.path().join("ml-connector.key")).unwrap();
        for key in text.lines().filter_map(|line| line.strip_prefix("mlk1_")) {
            self.canaries.add("key", key);
            self.canaries.add_bytes("bytes of the key", &BASE64URL_NOPAD.decode(key.as_bytes()).unwrap());
        }
    }

    fn look_at(&self, place: &str, output: &Output) {
        self.canaries.assert_absent(place, &output.stdout);
        self.canaries.assert_absent(place, &output.stderr);
        assert!(!said(output).contains("Bearer "), "an authorization header was logged by {place}");
    }

    /// Runs a command however it ends, as talkative as it can be.
    async fn tries(&self, args: &[&str]) -> Output {
        let mut all = args.to_vec();
        all.extend(["--log", TALKATIVE]);
        let output = self.setting.run(&all).await;
        self.look_at(&format!("{args:?}"), &output);
        output
    }

    async fn runs(&self, args: &[&str]) -> Output {
        let output = self.tries(args).await;
        assert!(output.status.success(), "{args:?}: {}", said(&output));
        output
    }

    /// Every file in the folder but those that are there to hold a secret.
    fn look_at_files(&self) {
        for entry in std::fs::read_dir(self.setting.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if !["ml-connector.key", "answers.toml", "brex", "bc"].contains(&name.as_str()) {
                self.canaries.assert_absent(&name, &std::fs::read(path).unwrap());
            }
        }
    }

    /// Systems that say back what they were sent.
    fn echo(&self) {
        let world = self.setting.sandbox.world();
        let ready = self.setting.sandbox.ready();
        let body = json!({ "message": format!("not this: Bearer {}", ready.brex.token) });
        let brex = |status| FaultKind::Status { status, body: Some(body.clone()), retry_after: None };
        world.faults.add(Fault::new(Side::Brex, brex(500)).times(3));
        world.faults.add(Fault::new(Side::Brex, brex(400)).times(2));
        let text = format!("AADSTS7000215: Invalid client secret {} in the request.", ready.entra.client_secret);
        let body = json!({ "error": "invalid_client", "error_description": text, "error_codes": [7_000_215] });
        world
            .faults
            .add(Fault::new(Side::Entra, FaultKind::Status { status: 401, body: Some(body), retry_after: None }));
    }
}

/// Lets webhooks and the console have addresses.
fn with_addresses(setting: &Setting, hooks: &str, pages: &str) {
    setting.edit("listen = \"127.0.0.1:8461\"", &format!("listen = \"{pages}\""));
    let text = std::fs::read_to_string(setting.config()).unwrap();
    let text = format!("listen = \"{hooks}\"\npublic_url = \"http://{hooks}\"\n{text}");
    std::fs::write(setting.config(), text).unwrap();
}

/// `run` with its log in a file, and the link that it printed for the first admin.
async fn start(watched: &Watched) -> (Child, String) {
    let path = watched.setting.folder.path().join("log");
    let log = std::fs::File::create(&path).unwrap();
    let mut command = tokio::process::Command::from(watched.setting.command(&["run", "--log", TALKATIVE]));
    let mut child = command.stdout(Stdio::null()).stderr(log).kill_on_drop(true).spawn().unwrap();
    let token = loop {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let token = text.split_once("/welcome?token=").and_then(|(_, rest)| rest.split_once('\n'));
        if let Some((token, _)) = token {
            break token.trim().to_owned();
        }
        assert!(child.try_wait().unwrap().is_none(), "it ended: {text}");
        tokio::task::yield_now().await;
    };
    (child, token)
}

/// Signs in, looks at every page of the table, and gives the cookie.
async fn look_at_pages(watched: &Watched, pages: &str, token: &str) -> String {
    let http = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
    let base = format!("http://{pages}");
    let post = |path: &str, fields: Vec<(&'static str, String)>| {
        http.post(format!("{base}{path}")).header(ORIGIN, &base).form(&fields).send()
    };
    let password = || PASSWORD.to_owned();
    let set = vec![("token", token.to_owned()), ("password", password()), ("again", password())];
    assert_eq!(post("/welcome", set).await.unwrap().status(), 303);
    let wrong = post("/sign-in", vec![("name", password()), ("password", FORGED.to_owned())]).await.unwrap();
    watched.canaries.assert_absent("a refused sign-in", &wrong.bytes().await.unwrap());
    let answer = post("/sign-in", vec![("name", "admin".to_owned()), ("password", password())]).await.unwrap();
    let cookie = answer.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let mut session = Canaries::default();
    session.add("session", cookie.split_once('=').unwrap().1);
    let record = watched.setting.sandbox.world().brex.records()[0].id.clone();
    let paths = console::table().into_iter().filter(|(method, path, _)| *method == Method::GET && *path != "/welcome");
    let mut shown = 0;
    for (_, path, gate) in paths {
        let path = path.replace("{connection}", "joined").replace("{record}", &record).replace("{name}", "console.css");
        let page = http.get(format!("{base}{path}")).header(COOKIE, &cookie).send().await.unwrap();
        shown += usize::from(page.status().is_success() && gate != Gate::Anyone);
        let bytes = page.bytes().await.unwrap();
        watched.canaries.assert_absent(&path, &bytes);
        session.assert_absent(&path, &bytes);
    }
    assert!(shown >= 10, "{shown} pages");
    cookie
}

/// Knocks at both receivers with what must not be quoted.
async fn knock(watched: &Watched, hooks: &str) {
    let http = Client::builder().no_proxy().build().unwrap();
    let world = watched.setting.sandbox.world();
    let own = world.bc.webhooks().subscriptions[0].clone();
    let notification = json!({ "value": [{
        "subscriptionId": own.id, "clientState": FORGED, "expirationDateTime": "2030-01-01T00:00:00Z", "resource": own.resource,
        "changeType": "updated", "lastModifiedDateTime": "2026-01-01T00:00:00Z",
    }] });
    let sent = http.post(&own.notification_url).json(&notification).send().await.unwrap();
    assert_eq!(sent.status(), 202);
    for path in ["brex/unknown", "bc/unknown"] {
        let url = format!("http://{hooks}/hooks/{path}");
        let sent =
            http.post(url).bearer_auth(FORGED).header("webhook-signature", FORGED).body(FORGED).send().await.unwrap();
        watched.canaries.assert_absent(path, &sent.bytes().await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_canary_is_in_a_log_an_output_a_page_or_a_file() {
    let mut watched = Watched::connect(|setting| crate::connect::answers(setting, "")).await;
    let (hooks, pages) = (ports::free().to_string(), ports::free().to_string());
    with_addresses(&watched.setting, &hooks, &pages);
    let (mut child, token) = start(&watched).await;
    let world = watched.setting.sandbox.world();
    let is_done = || world.brex.records().iter().any(|record| record.review_status == "EXPORTED");
    while world.bc.webhooks().subscriptions.is_empty() || !is_done() {
        assert!(child.try_wait().unwrap().is_none());
        tokio::task::yield_now().await;
    }
    for subscription in world.bc.webhooks().subscriptions {
        watched.canaries.add("client state", &subscription.client_state);
    }
    let cookie = look_at_pages(&watched, &pages, &token).await;
    knock(&watched, &hooks).await;
    kill(Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()), Signal::SIGTERM).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(30), child.wait()).await.unwrap().unwrap();
    assert!(ended.success());
    watched.canaries.add("session", cookie.split_once('=').unwrap().1);
    // The link of the first admin is printed for whoever sees the terminal, and it was used.
    let log = watched.setting.folder.path().join("log");
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(text.len() > 100_000, "the log was talkative");
    std::fs::write(&log, text.replacen(&token, "", 1)).unwrap();
    watched.canaries.add("one-time token", &token);
    watched.look_at_files();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_canary_is_in_what_a_command_says_or_leaves_behind_also_when_systems_say_secrets_back() {
    let mut watched = Watched::connect(|setting| crate::connect::answers(setting, "")).await;
    watched.echo();
    for _ in 0..3 {
        watched.tries(&["run", "--once"]).await;
    }
    watched.echo();
    watched.tries(&["doctor", "--json"]).await;
    watched.setting.sandbox.world().faults.clear();
    watched.runs(&["run", "--once"]).await;
    watched.runs(&["keys", "rotate", "--key", "--data"]).await;
    watched.watch_key();
    let record = watched.setting.sandbox.world().brex.records()[0].id.clone();
    let folder = watched.setting.folder.path().to_owned();
    let (plan, backup) = (folder.join("plan.json"), folder.join("backup.db"));
    let (config, plan, backup) = (watched.setting.config(), plan.to_str().unwrap(), backup.to_str().unwrap());
    for args in [
        &["status"][..],
        &["attention"],
        &["explain", &record],
        &["plan", "--out", plan],
        &["tieout", "--from", "2020-01-01", "--to", "2030-12-31"],
        &["audit", "verify"],
        &["audit", "export"],
        &["config", "check"],
        &["config", "test"],
        &["config", "diff", config.to_str().unwrap()],
        &["keys", "status"],
        &["users", "list"],
        &["vendors", "review"],
        &["transfers", "list"],
        &["store", "backup", backup],
        &["store", "show"],
        &["doctor"],
    ] {
        watched.tries(args).await;
        let mut json = args.to_vec();
        json.push("--json");
        watched.tries(&json).await;
    }
    watched.look_at_files();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_line_of_a_certificates_key_is_in_what_is_said_or_left_behind() {
    let pem = pem();
    let key = pem.split_once("-----BEGIN PRIVATE KEY-----").unwrap().1.to_owned();
    let mut watched = Watched::connect(|setting| {
        setting.sandbox.world().entra.register_certificate(&pem).unwrap();
        crate::connect::with_certificate(setting, &pem)
    })
    .await;
    watched.canaries.add("certificate's key", &key);
    watched.runs(&["doctor", "--json"]).await;
    watched.runs(&["run", "--once"]).await;
    watched.look_at_files();
}

/// All rows of all tables, bytes in hex.
async fn dump(url: &str) -> String {
    let mut database = PgConnection::connect(url).await.unwrap();
    let tables = "SELECT quote_ident(table_name)::text FROM information_schema.tables WHERE table_schema = 'public'";
    let mut text = String::new();
    for table in sqlx::query(tables).fetch_all(&mut database).await.unwrap() {
        let table: String = table.get(0);
        let rows = sqlx::AssertSqlSafe(format!("SELECT t::text FROM {table} t"));
        for row in sqlx::query(rows).fetch_all(&mut database).await.unwrap() {
            text.push_str(&row.get::<String, _>(0));
            text.push('\n');
        }
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_canary_is_in_a_dump_of_postgresql_and_its_password_is_said_by_nobody() {
    let Some(database) = Database::fresh(Db::Postgres).await else { return };
    let [password, escaped] = DATABASE_PASSWORD;
    let with_password = database.url.replacen("postgres@", &format!("postgres:{escaped}@"), 1);
    assert_ne!(with_password, database.url);
    let mut watched = Watched::connect(|setting| {
        // The connection is in the file already, so that connect only seals.
        std::fs::write(setting.config(), format!("database = \"{with_password}\"\n{}", setting.text())).unwrap();
        crate::connect::answers(setting, "").replace("\"joined\"", "\"main\"")
    })
    .await;
    watched.canaries.add("database's password", password);
    watched.canaries.add("database's password", escaped);
    for args in [
        &["run", "--once"][..],
        &["status"],
        &["status", "--json"],
        &["config", "check", "--json"],
        &["audit", "verify"],
    ] {
        watched.tries(args).await;
    }
    let text = dump(&database.url).await;
    assert!(text.contains("accr_"), "{} bytes", text.len());
    watched.canaries.assert_absent("the dump", text.as_bytes());
    let (_, name) = database.url.rsplit_once('/').unwrap();
    watched.setting.edit(name, "there_is_no_such_database");
    let refused = watched.tries(&["status"]).await;
    assert_eq!(refused.status.code(), Some(4), "{}", said(&refused));
    watched.setting.edit("postgres", "mysql");
    assert_eq!(watched.tries(&["status"]).await.status.code(), Some(3));
}

/// A panic prints what the code formats, so nothing that holds a secret may show it when it is formatted. The types that cannot
/// be formatted at all need no test.
#[test]
fn what_holds_a_secret_does_not_show_it_in_a_panic() {
    let secret = || SecretString::from(FORGED);
    let mut canaries = Canaries::default();
    canaries.add("secret", FORGED);
    let url = || "https://example.com/".parse().unwrap();
    let http = Http::new(Pace::BREX).unwrap();
    let tokens = TokenSource::new(http.clone(), url(), "t", "c", ClientSecret::new(secret()));
    let ring = KeyRing::generate().unwrap();
    canaries.add("key", &ring.to_text().expose_secret()["mlk1_".len()..]);
    let pem = pem();
    canaries.add("certificate's key", pem.split_once("-----BEGIN PRIVATE KEY-----").unwrap().1);
    let now = Arc::new(|| jiff::Timestamp::UNIX_EPOCH);
    let shown: [&dyn Debug; 8] = [
        &Secrets { brex: secret(), entra: ClientSecret::new(secret()).into() },
        &Certificate::read(SecretString::from(pem.as_str()), now).unwrap(),
        &bc::Client::new(http.clone(), url(), "t", "e", tokens.clone()),
        &tokens,
        &brex::Client::new(http, url(), secret()),
        &bc::NewSubscription { notification_url: url(), set: "vendors", client_state: secret() },
        &serde_json::from_value::<brex::WebhookSecret>(json!({ "secret": FORGED, "status": "ACTIVE" })).unwrap(),
        &ring,
    ];
    for value in shown {
        let panic = catch_unwind(AssertUnwindSafe(|| panic!("{value:?} {value:#?}"))).unwrap_err();
        let text = panic.downcast_ref::<String>().unwrap();
        canaries.assert_absent(text, text.as_bytes());
    }
}
