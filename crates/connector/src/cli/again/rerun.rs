//! The flow on a sandbox with the recorded inputs, on the sandbox's clock: what would be waited for is there at once.

use std::sync::Arc;

use domain::audit::Actor;
use domain::id::ConnectionId;
use domain::tax::TaxSystem;
use jiff::SignedDuration;
use sandbox::bc::Rules;
use sandbox::brex::{Expectation, Merchant};
use sandbox::{Options, Ready, Sandbox, World};
use store::{RecordRow, Store};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::super::demo::write_secret;
use super::super::{Exit, Failure};
use super::Outcome;
use super::company::company;
use super::recorded::{Recorded, outcome};
use crate::alone::Alone;
use crate::app::App;
use crate::clock::{Chance, Clock, timestamp};
use crate::config::{
    ClearingSection, CodingListsSection, Config, ConnectionConfig, DatabaseUrl, DirectorySection, FailuresSection,
    SecretSource, TransfersSection,
};
use crate::flow::RECHECK;
use crate::worker::LaneWorker;

/// More rounds than any record needs, with every probe of a settle window.
const MOST_ROUNDS: u32 = 500;

/// The sandbox's clock.
struct Shared(Arc<World>);

impl Clock for Shared {
    fn now_ms(&self) -> i64 {
        self.0.clock.now().as_millisecond()
    }

    fn steady_ms(&self) -> i64 {
        self.now_ms()
    }
}

/// Runs the record again and says where it ends.
pub(super) async fn rerun(recorded: &Recorded) -> Result<Outcome, Failure> {
    let start = timestamp(recorded.received_ms);
    let today = start.to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    let company = company(&recorded.ends, &recorded.directory, today);
    let options = Options { records: 0, start: Some(start), company: Some(Arc::new(company)), ..Options::default() };
    let sandbox = Sandbox::start(options).await?;
    furnish(&sandbox.world(), recorded)?;
    let folder = tempfile::Builder::new().prefix("ml-connector-replay-").tempdir()?;
    let ended = run(&sandbox, &folder, recorded).await;
    sandbox.stop().await?;
    Ok(outcome(&ended?))
}

/// What the sandbox has to know besides the company.
fn furnish(world: &World, recorded: &Recorded) -> Result<(), Failure> {
    world.brex.pause_deliveries(true);
    world.bc.pause_notifications(true);
    if recorded.directory.setup.tax.system == Some(TaxSystem::Vat) {
        world.bc.set_rules(Rules { tax: sandbox::bc::TaxSystem::Vat, ..world.bc.rules() });
    }
    let refused = |why: String| Failure::new(Exit::Unexpected, format!("the sandbox does not take the record: {why}"));
    let inserted = world.brex.insert(&recorded.payload, Expectation::NotReady, "run again");
    let id = inserted.map_err(|error| refused(error.to_string()))?;
    if let Some(asked) = &recorded.asked {
        let merchant = Merchant {
            raw_descriptor: asked.descriptor.clone(),
            mcc: asked.mcc.clone(),
            country: asked.country.clone(),
        };
        world.brex.bought_from(&id, merchant).map_err(|error| refused(error.to_string()))?;
    }
    Ok(())
}

async fn run(sandbox: &Sandbox, folder: &TempDir, recorded: &Recorded) -> Result<RecordRow, Failure> {
    let config = configure(sandbox.ready(), folder, &recorded.settings)?;
    let store = Store::open(&config.database_url()).await?;
    let clock = Arc::new(Shared(sandbox.world()));
    let app = App::build(&config, store, clock, Chance::seeded(1), Alone::Shared).await?;
    let connection = ConnectionId::new(recorded.settings.name.as_str())
        .map_err(|error| Failure::new(Exit::Config, error.to_string()))?;
    let actor = Actor::Person("replay".to_owned());
    let links = |_: &[store::VendorLink]| Ok::<_, std::convert::Infallible>(recorded.links.clone());
    let answered = app.store.vendor_links().answer(&connection, None, RECHECK, app.now_ms(), &actor, links).await?;
    debug_assert!(answered.is_ok());
    for said in &recorded.meanings {
        app.store.value_meanings().say(&connection, said, RECHECK, &actor).await?;
    }
    let ended = until_it_rests(&app, &sandbox.world(), &connection, recorded).await;
    app.store.close().await;
    ended
}

/// Works until nothing is to be done with the record by itself.
async fn until_it_rests(
    app: &Arc<App>,
    world: &World,
    connection: &ConnectionId,
    recorded: &Recorded,
) -> Result<RecordRow, Failure> {
    let stop = CancellationToken::new();
    let lane = |(name, connections)| LaneWorker::new(Arc::clone(app), name, connections, "replay".to_owned(), &stop);
    let mut lanes: Vec<LaneWorker> = app.lanes().into_iter().map(lane).collect();
    for _ in 0..MOST_ROUNDS {
        let mut tick = crate::worker::Tick::default();
        for lane in &mut lanes {
            tick = lane.tick().await?;
        }
        let row = app.store.records().get(connection, &recorded.row.id).await?;
        if let Some(row) = row.filter(|row| row.stage.is_done() || row.hold.is_some() || row.due_ms.is_none()) {
            return Ok(row);
        }
        if !tick.worked {
            let due = [tick.open_due_ms, tick.jobs_due_ms].into_iter().flatten().min().unwrap_or_else(|| app.now_ms());
            world.clock.advance(SignedDuration::from_millis(due.saturating_sub(app.now_ms()).max(1)));
        }
    }
    let problem = app.store.connections().get(connection).await?.and_then(|row| row.problem);
    let why = problem.map_or_else(|| "the record does not come to rest".to_owned(), |problem| problem.sentence);
    Err(Failure::new(Exit::Unexpected, format!("the sandbox: {why}")))
}

/// The connection's rules, towards the sandbox. Whose a purchase is was decided, and a receipt's link is long over.
fn configure(ready: &Ready, folder: &TempDir, settings: &ConnectionConfig) -> Result<Config, Failure> {
    write_secret(&folder.path().join("brex.token"), &ready.brex.token)?;
    write_secret(&folder.path().join("bc.secret"), &ready.entra.client_secret)?;
    let url = |text: &str| {
        text.parse().map_err(|_| Failure::new(Exit::Unexpected, format!("the sandbox's address {text} is none")))
    };
    let mut settings = settings.clone();
    settings.brex.base_url = url(&ready.brex.base_url)?;
    settings.brex.token = SecretSource::File("brex.token".into());
    settings.brex.legal_entities.clear();
    settings.brex.other_legal_entities.clear();
    settings.brex.without_legal_entity = false;
    settings.entra.base_url = url(&ready.entra.base_url)?;
    settings.entra.tenant = ready.entra.tenant_id.to_string();
    settings.entra.client_id = ready.entra.client_id.to_string();
    settings.entra.client_secret = SecretSource::File("bc.secret".into());
    settings.entra.certificate = None;
    settings.bc.base_url = url(&ready.bc.base_url)?;
    settings.bc.environment.clone_from(&ready.bc.environment);
    settings.bc.company = ready.bc.company_id.to_string();
    settings.receipts.enabled = false;
    settings.directory = DirectorySection::default();
    settings.coding_lists = CodingListsSection::default();
    settings.clearing = ClearingSection::default();
    settings.failures = FailuresSection::default();
    settings.transfers = TransfersSection::default();
    Ok(Config {
        notifications: None,
        database: DatabaseUrl::new(format!("sqlite:{}", folder.path().join("replay.db").display())),
        listen: ([127, 0, 0, 1], 0).into(),
        tls: None,
        public_url: None,
        console: None,
        operations: None,
        allow_hosts: vec!["127.0.0.1".to_owned()],
        audit: crate::config::AuditSection::default(),
        keys: crate::config::KeySource::default(),
        connections: vec![settings],
        folder: folder.path().to_owned(),
        file: None,
    })
}
