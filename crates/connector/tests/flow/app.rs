//! `TestApp`: sandbox, store, web server and worker in one process, on one clock that stands still.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use connector::agreement::{Agreement, check};
use connector::alone::Alone;
use connector::app::App;
use connector::clock::{Chance, Clock};
use connector::config::{Config, ConnectionConfig, DatabaseUrl, SecretSource};
use connector::flow::poll::{Window, poll};
use connector::flow::{Lane, Stop};
use connector::web;
use connector::worker::{LaneWorker, Tick};
use domain::audit::Entry;
use domain::id::{ConnectionId, RecordId};
use domain::stage::Stage;
use jiff::{SignedDuration, Timestamp};
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;
use sandbox::{Options, Sandbox, World};
use serde_json::{Value, json};
use store::{Chain, Lease, RecordRow, Store};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::database::{Database, Db};

/// The sandbox's clock is everybody's clock, unless a test puts the connector's machine forward or back.
struct SharedClock {
    world: Arc<World>,
    off_ms: Arc<AtomicI64>,
}

impl Clock for SharedClock {
    fn now_ms(&self) -> i64 {
        self.steady_ms() + self.off_ms.load(Ordering::SeqCst)
    }

    fn steady_ms(&self) -> i64 {
        self.world.clock.now().as_millisecond()
    }
}

/// The process under test with the other side, which enforces every limit that the real ones have: five requests at once
/// and 6,000 in five minutes in Business Central, 1,000 in a minute in Brex. Beyond them it answers 429.
pub struct TestApp {
    pub sandbox: Sandbox,
    pub app: Arc<App>,
    pub database: Database,
    pub base_url: String,
    config: Config,
    off_ms: Arc<AtomicI64>,
    _secrets: TempDir,
    lanes: Vec<LaneWorker>,
    stop: CancellationToken,
    server: JoinHandle<()>,
}

/// When every test begins.
pub fn start_of_time() -> Timestamp {
    "2026-06-30T12:00:00Z".parse().unwrap()
}

impl TestApp {
    /// A sandbox with `records` records and a connector that has not run yet.
    pub async fn start(db: Db, records: usize) -> Option<Self> {
        Self::start_with(db, Options { records, ..Options::default() }, "").await
    }

    /// The same, with other sandbox options and further settings of the connection.
    pub async fn start_with(db: Db, options: Options, settings: &str) -> Option<Self> {
        let database = Database::fresh(db).await?;
        Some(Self::start_on(database, options, settings).await)
    }

    /// The same on a database that is there.
    pub async fn start_on(database: Database, options: Options, settings: &str) -> Self {
        let sandbox = Sandbox::start(Options { start: Some(start_of_time()), ..options }).await.unwrap();
        sandbox.world().brex.pause_deliveries(true);
        sandbox.world().bc.pause_notifications(true);
        let listener = web::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let secrets = tempfile::tempdir().unwrap();
        let config = configure(&sandbox, &database, &base_url, &secrets, settings);
        let stop = CancellationToken::new();
        let off_ms = Arc::default();
        let (app, lanes) = build(&sandbox, &config, &off_ms, &stop, 1).await;
        let server = tokio::spawn(web::serve(listener, Arc::clone(&app), stop.clone()));
        Self { sandbox, app, database, base_url, config, off_ms, _secrets: secrets, lanes, stop, server }
    }

    pub fn world(&self) -> Arc<World> {
        self.sandbox.world()
    }

    pub fn connection(&self) -> ConnectionId {
        self.app.connections[0].id.clone()
    }

    /// One tick of every lane.
    pub async fn tick(&mut self) -> Tick {
        let mut last = Tick::default();
        for lane in &mut self.lanes {
            last = lane.tick().await.unwrap();
        }
        last
    }

    /// Works, delivers webhooks and moves the clock to whatever is due next, until no record is waiting for work.
    pub async fn run_until_idle(&mut self) {
        self.run(false).await;
    }

    /// The same while the database may fail, as the worker does it: what failed is tried again after a rest. Says how often it
    /// failed.
    pub async fn run_through_failures(&mut self) -> u32 {
        self.run(true).await
    }

    async fn run(&mut self, may_fail: bool) -> u32 {
        let mut failures = 0;
        for _ in 0..5_000 {
            let mut tick = Tick::default();
            for lane in &mut self.lanes {
                match lane.tick().await {
                    Ok(done) => tick = done,
                    Err(error) => {
                        assert!(may_fail, "{error:?}");
                        failures += 1;
                        tick.worked = true;
                        self.sandbox.world().clock.advance(SignedDuration::from_secs(5));
                    }
                }
            }
            let world = self.world();
            let delivered = world.brex.deliver_due(&world.clock).await.delivered;
            let notified = world.bc.deliver_due(&world.clock).await;
            if tick.worked || delivered + notified > 0 {
                continue;
            }
            match tick.open_due_ms.or(tick.lease_due_ms) {
                None => return failures,
                Some(due) => self.advance_to(due),
            }
        }
        panic!("the work does not come to an end");
    }

    /// Works until `requests` more have come to a side, and is gone in the middle of whatever it is doing then.
    pub async fn die_after(&mut self, side: Side, requests: u64) {
        let world = self.world();
        let end = world.meter.tally(side).requests + requests;
        loop {
            let tick = tokio::select! {
                biased;
                () = async { while world.meter.tally(side).requests < end { tokio::task::yield_now().await } } => return,
                tick = self.tick() => tick,
            };
            match tick.open_due_ms {
                _ if tick.worked => {}
                None => return,
                Some(due) => self.advance_to(due),
            }
        }
    }

    pub fn advance(&self, seconds: i64) {
        self.world().clock.advance(SignedDuration::from_secs(seconds));
    }

    /// Somebody sets the time of day of the connector's machine; time itself passes for nobody.
    pub fn set_clock_by(&self, seconds: i64) {
        self.off_ms.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }

    /// The same while the next request of this method is under way.
    pub fn set_clock_during(&self, side: Side, method: &str, seconds: i64) {
        let (world, off_ms, method) = (self.world(), Arc::clone(&self.off_ms), method.to_owned());
        let sent = move || {
            let tally = world.meter.tally(side);
            tally.routes.iter().filter(|(route, _)| route.starts_with(&method)).map(|(_, sent)| sent).sum::<u64>()
        };
        let before = sent();
        tokio::spawn(async move {
            while sent() == before {
                tokio::task::yield_now().await;
            }
            off_ms.fetch_add(seconds * 1_000, Ordering::SeqCst);
        });
    }

    fn advance_to(&self, due_ms: i64) {
        let gap = due_ms.saturating_sub(self.app.now_ms()).max(1);
        self.world().clock.advance(SignedDuration::from_millis(gap));
    }

    /// A new process on the same database and the same address: nothing in memory survives.
    pub async fn restart(&mut self) {
        self.down().await;
        self.up(true).await;
    }

    /// The process stops; nobody listens.
    pub async fn down(&mut self) {
        self.stop.cancel();
        (&mut self.server).await.unwrap();
        self.app.store.close().await;
    }

    /// A new process, at the address of the old one or at another.
    pub async fn up(&mut self, same_address: bool) {
        let address = if same_address { self.base_url.trim_start_matches("http://") } else { "127.0.0.1:0" };
        let listener = web::bind(address.parse().unwrap()).await.unwrap();
        self.base_url = format!("http://{}", listener.local_addr().unwrap());
        self.config.public_url = Some(self.base_url.parse().unwrap());
        self.stop = CancellationToken::new();
        let seed = u64::try_from(self.app.now_ms()).unwrap();
        (self.app, self.lanes) = build(&self.sandbox, &self.config, &self.off_ms, &self.stop, seed).await;
        self.server = tokio::spawn(web::serve(listener, Arc::clone(&self.app), self.stop.clone()));
        // The lease of the old process has to run out first.
        self.advance(31);
    }

    /// Brex is found at another address from now on.
    pub async fn move_brex(&mut self, base_url: &str) {
        self.config.connections[0].brex.base_url = base_url.parse().unwrap();
        self.restart().await;
    }

    /// Somebody changes the configuration and starts the connector again.
    pub async fn reconfigure(&mut self, change: impl FnOnce(&mut ConnectionConfig)) {
        change(&mut self.config.connections[0]);
        self.restart().await;
    }

    /// A second connection of the same lane, made from the first by a change.
    pub async fn add_neighbour(&mut self, change: impl FnOnce(&mut ConnectionConfig)) {
        let mut neighbour = self.config.connections[0].clone();
        "neighbour".clone_into(&mut neighbour.name);
        change(&mut neighbour);
        self.config.connections.push(neighbour);
        self.restart().await;
    }

    pub async fn row(&self, record: &str) -> Option<RecordRow> {
        self.app.store.records().get(&self.connection(), &RecordId::new(record)).await.unwrap()
    }

    pub async fn rows(&self) -> Vec<RecordRow> {
        self.app.store.records().list(&self.connection(), None, 100_000).await.unwrap()
    }

    pub async fn story(&self, record: &str) -> Vec<Entry> {
        self.app.store.audit().list_for(&self.connection(), record, 10_000).await.unwrap()
    }

    pub async fn actions(&self, record: &str) -> Vec<String> {
        self.story(record).await.into_iter().map(|entry| entry.action).collect()
    }

    /// Puts one more record into Brex, ready for export.
    pub fn insert(&self, record: &Value) {
        let expected = sandbox::brex::Expectation::Document;
        self.world().brex.insert(&record.to_string(), expected, "made by a test").unwrap();
    }

    /// Clicks Export.
    pub fn click_export(&self, record: &str) {
        let world = self.world();
        world.brex.make_ready(&[record], world.clock.now()).unwrap();
    }

    /// Makes the poll due now.
    pub async fn poll_now(&self) {
        self.request(connector::worker::POLL).await;
    }

    /// Makes a job due now.
    pub async fn request(&self, job: &str) {
        self.app.store.jobs().request(&self.connection(), job, None, self.app.now_ms()).await.unwrap();
    }

    /// Runs the jobs of a first tick without touching any record.
    pub async fn prepare(&mut self) {
        let faults = &self.world().faults;
        let away = FaultKind::Status { status: 503, body: None, retry_after: None };
        faults.add(Fault::new(Side::Brex, away).path_contains("/v3/accounting/records").times(1_000));
        self.tick().await;
        faults.clear();
    }

    async fn lease(&self) -> Lease {
        let lane = self.app.connections[0].settings.lane();
        self.app
            .store
            .lanes()
            .lease(&lane, "test-1", self.app.now_ms(), 30_000)
            .await
            .unwrap()
            .expect("the lane is free")
    }

    async fn on_lane(&self, work: impl AsyncFnOnce(&Lane<'_>) -> Result<(), Stop>) {
        let connection = &self.app.connections[0];
        let lease = self.lease().await;
        let identity = connection.identity().expect("connected");
        let lane = Lane::now(&self.app, connection, &lease, identity).await.unwrap();
        work(&lane).await.unwrap();
    }

    /// Polls once, then runs just these stages, once each.
    pub async fn poll_and_run(&self, stages: &[Stage]) {
        self.on_lane(async |lane| poll(lane, Window::SinceLast).await.map(drop)).await;
        for stage in stages {
            let rows = self.due(*stage).await;
            self.on_lane(async |lane| lane.run_stage(*stage, rows).await).await;
        }
    }

    /// Runs a stage on everything that is due in it, and then again on the very same rows.
    pub async fn run_stage_twice(&self, stage: Stage) {
        let rows = self.due(stage).await;
        self.on_lane(async |lane| lane.run_stage(stage, rows.clone()).await).await;
        let (before, ledger) = (self.rows().await, self.world().bc.ledger());
        self.on_lane(async |lane| lane.run_stage(stage, rows).await).await;
        assert_eq!(self.rows().await, before, "{stage} changed something the second time");
        assert_eq!(self.world().bc.ledger(), ledger);
    }

    async fn due(&self, stage: Stage) -> Vec<RecordRow> {
        self.app.store.records().list_due(&self.connection(), stage, self.app.now_ms(), 1_000).await.unwrap()
    }

    /// The database is lost: a new process starts on an empty one.
    pub async fn forget_everything(&mut self) {
        self.database = Database::fresh(Db::Sqlite).await.unwrap();
        self.config.database = DatabaseUrl::new(&self.database.url);
        self.restart().await;
    }

    pub fn agreement(&self) -> Agreement {
        check(&self.world())
    }

    /// Puts the secrets into the vault and starts a process that is told of no other place.
    pub async fn take_secrets_from_the_vault(&mut self) {
        let ready = self.sandbox.ready();
        for (slot, secret) in [
            (connector::secrets::brex_slot(&self.config.connections[0]), &ready.brex.token),
            (connector::secrets::entra_slot(&self.config.connections[0]), &ready.entra.client_secret),
        ] {
            let secret = secrecy::SecretString::from(secret.as_str());
            self.app.vault().seal(&self.connection(), &slot, &secret, None, self.app.now_ms()).await.unwrap();
        }
        self.config.connections[0].brex.token = SecretSource::Vault(true);
        self.config.connections[0].entra.client_secret = SecretSource::Vault(true);
        self.restart().await;
    }

    /// What must hold at any time of rest: the books agree, and the trail is whole.
    pub async fn assert_sound(&self) {
        assert_eq!(self.agreement().differences, Vec::<String>::new());
        assert_eq!(self.agreement().duplicates, Vec::<String>::new());
        match self.app.store.audit().verify(&self.connection()).await.unwrap() {
            Chain::Verified { .. } => {}
            broken @ Chain::Broken(_) => panic!("the audit trail is broken: {broken:?}"),
        }
        for row in self.rows().await {
            let at_rest = row.stage.is_done() || row.hold.is_some() || row.stage == Stage::Waiting;
            assert!(at_rest, "{} is still in {}", row.id, row.stage);
        }
    }

    /// Secrets of this test, which must appear nowhere.
    pub fn secrets(&self) -> Vec<String> {
        let ready = self.sandbox.ready();
        vec![ready.brex.token.clone(), ready.entra.client_secret.clone(), ready.brex.webhook_secret.clone()]
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn build(
    sandbox: &Sandbox,
    config: &Config,
    off_ms: &Arc<AtomicI64>,
    stop: &CancellationToken,
    seed: u64,
) -> (Arc<App>, Vec<LaneWorker>) {
    let store = Store::open(&config.database_url()).await.unwrap();
    let clock = Arc::new(SharedClock { world: sandbox.world(), off_ms: Arc::clone(off_ms) });
    let app = App::build(config, store, clock, Chance::seeded(seed), Alone::Shared).await.unwrap();
    let holder = format!("test-{seed}");
    let lane = |(name, connections)| LaneWorker::new(Arc::clone(&app), name, connections, holder.clone(), stop);
    let lanes = app.lanes().into_iter().map(lane).collect();
    (app, lanes)
}

fn configure(sandbox: &Sandbox, database: &Database, base_url: &str, secrets: &TempDir, settings: &str) -> Config {
    let ready = sandbox.ready();
    for (name, secret) in [("brex", &ready.brex.token), ("bc", &ready.entra.client_secret)] {
        use std::os::unix::fs::PermissionsExt;
        let path = secrets.path().join(name);
        std::fs::write(&path, secret).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let text = format!(
        r#"
database = {database}
public_url = {base_url}
allow_hosts = ["127.0.0.1"]
[[connection]]
name = "main"
start_date = "2025-06-01"
time_zone = "America/New_York"
{settings}
[connection.brex]
base_url = {brex}
token = {{ file = "brex" }}
requests_per_second = 100000
[connection.entra]
base_url = {entra}
tenant = {tenant}
client_id = {client}
client_secret = {{ file = "bc" }}
[connection.bc]
base_url = {bc}
environment = {environment}
company = {company}
requests_per_second = 100000
"#,
        database = json!(database.url),
        base_url = json!(base_url),
        brex = json!(ready.brex.base_url),
        entra = json!(ready.entra.base_url),
        tenant = json!(ready.entra.tenant_id),
        client = json!(ready.entra.client_id),
        bc = json!(ready.bc.base_url),
        environment = json!(ready.bc.environment),
        company = json!(ready.bc.company_name),
    );
    let file = secrets.path().join("ml-connector.toml");
    std::fs::write(&file, text).unwrap();
    Config::load(&file).unwrap()
}
