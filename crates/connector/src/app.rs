//! Everything that lives as long as the process: store, clock, clients, connections. No decisions are made here.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use clients::entra::{Credential, TokenSource};
use clients::{Ended, Http, Pace, SetupError, bc, brex};
use domain::audit::Actor;
use domain::directory::Directory;
use domain::id::ConnectionId;
use domain::rules::Rules;
use jiff::tz::TimeZone;
use secrecy::{ExposeSecret as _, SecretString};
use store::{KeyRing, Store, Vault};
use tokio::sync::Notify;
use url::Url;
use uuid::Uuid;

use crate::alone::Alone;
use crate::choices::Choices;
use crate::clock::{Chance, Clock};
use crate::config::{Config, ConfigError, ConnectionConfig};
use crate::keys::{self, KeyError};
use crate::matcher::Matcher;
use crate::pulse::Pulse;
use crate::secrets;

/// The version that stands in audit entries and answers.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The process.
pub struct App {
    /// What we remember.
    pub store: Store,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// The keys that open the vault.
    pub keys: KeyRing,
    /// The folder that relative paths of the configuration start from.
    pub folder: PathBuf,
    /// The configuration's file, if it was read from one.
    pub file: Option<PathBuf>,
    /// Random numbers.
    pub chance: Chance,
    /// The connections, in the order of the configuration.
    pub connections: Vec<Arc<Connection>>,
    /// How webhooks reach this process, if they do.
    pub public_url: Option<Url>,
    /// Holds off other processes, or says that the database may be shared.
    pub alone: Alone,
    /// Rings when there is new work: a webhook arrived, or a person asked for something.
    pub bell: Arc<Notify>,
    /// How this process does.
    pub pulse: Pulse,
    receiving: AtomicBool,
}

/// One connection with its clients and what is known about both sides.
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// Its settings.
    pub settings: ConnectionConfig,
    /// Its rules.
    pub rules: Arc<Rules>,
    /// The Brex side.
    pub brex: brex::Client,
    /// The Business Central side.
    pub bc: bc::Client,
    /// The sign-in.
    pub tokens: TokenSource,
    /// The vendors by name, and what people answered.
    pub matcher: Matcher,
    /// What the custom fields of expenses mean.
    pub choices: Choices,
    /// Where receipts may come from.
    pub receipt_hosts: brex::ReceiptHosts,
    /// Senders, for counting requests.
    pub traffic: Traffic,
    identity: RwLock<Option<Arc<Identity>>>,
    directory: RwLock<Arc<Directory>>,
    met: AtomicBool,
    mirrored: AtomicBool,
    no_batches: AtomicBool,
    hook: RwLock<Hook>,
}

/// The senders of a connection.
pub struct Traffic {
    pub(crate) brex: Http,
    pub(crate) entra: Http,
    bc: Http,
}

/// Who is at either end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Brex company id.
    pub brex_company: String,
    /// BC company id.
    pub bc_company: Uuid,
    /// BC company name, as used in links.
    pub bc_company_name: String,
}

/// What the receivers of webhooks and notifications need to know about a connection.
#[derive(Clone, Default)]
pub struct Hook {
    /// The unguessable part of the address that Brex delivers to.
    pub token: Option<String>,
    /// The unguessable part of the address that Business Central notifies.
    pub bc_token: Option<String>,
    /// Hashes of the client states that a genuine notification may carry.
    pub client_states: Vec<String>,
    /// The secrets that a delivery may be signed with.
    pub secrets: Vec<SecretString>,
    /// When the secrets were fetched (milliseconds).
    pub fetched_ms: i64,
}

/// The process could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The key of the vault.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The store, or a secret in it.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The HTTP client.
    #[error("the HTTP client cannot be set up")]
    Http(#[from] SetupError),
}

impl App {
    /// Puts the process together. Nothing is called yet.
    pub async fn build(
        config: &Config,
        store: Store,
        clock: Arc<dyn Clock>,
        chance: Chance,
        alone: Alone,
    ) -> Result<Arc<Self>, BuildError> {
        Self::build_over(config, store, clock, chance, alone, false).await
    }

    /// The same with clients that refuse every write before it is sent.
    pub async fn build_reading(
        config: &Config,
        store: Store,
        clock: Arc<dyn Clock>,
        chance: Chance,
        alone: Alone,
    ) -> Result<Arc<Self>, BuildError> {
        Self::build_over(config, store, clock, chance, alone, true).await
    }

    async fn build_over(
        config: &Config,
        store: Store,
        clock: Arc<dyn Clock>,
        chance: Chance,
        alone: Alone,
        read_only: bool,
    ) -> Result<Arc<Self>, BuildError> {
        let keys = keys::ring(config, &store).await?;
        let mut connections = Vec::new();
        let mut lanes = BTreeMap::new();
        let mut accounts = Accounts::default();
        for settings in &config.connections {
            let bc = match lanes.entry(settings.lane()) {
                Entry::Occupied(known) => Http::clone(known.get()),
                Entry::Vacant(free) => free.insert(Http::new(settings.pace_of_lane(&config.connections))?).clone(),
            };
            let found = secrets::fetch(settings, &config.folder, &store.vault(&keys), &clock).await?;
            let brex = accounts.sender(settings, &found.brex)?;
            connections.push(Arc::new(Connection::build(settings, config, found, Senders { brex, bc }, read_only)?));
        }
        let (folder, file) = (config.folder.clone(), config.file.clone());
        let public_url = config.public_url.clone();
        let pulse = Pulse::new(clock.now_ms());
        Ok(Arc::new(Self {
            store,
            clock,
            keys,
            folder,
            file,
            chance,
            connections,
            public_url,
            alone,
            bell: Arc::new(Notify::new()),
            pulse,
            receiving: AtomicBool::new(false),
        }))
    }

    /// The time in milliseconds.
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// The sealed secrets.
    pub fn vault(&self) -> Vault<'_> {
        self.store.vault(&self.keys)
    }

    /// Whether this process takes deliveries: only then may others be told to deliver.
    pub fn is_receiving(&self) -> bool {
        self.receiving.load(Ordering::Acquire)
    }

    /// Notes that this process takes deliveries from now on.
    pub fn set_receiving(&self) {
        self.receiving.store(true, Ordering::Release);
    }

    /// The connector itself, as it signs audit entries.
    pub fn actor(&self) -> Actor {
        Actor::Engine(VERSION.to_owned())
    }

    /// The time zone of what belongs to no connection: that of the first.
    pub fn zone(&self) -> TimeZone {
        self.connections.first().map_or(TimeZone::UTC, |connection| connection.rules.zone.clone())
    }

    /// The connection with this id.
    pub fn connection(&self, id: &ConnectionId) -> Option<&Arc<Connection>> {
        self.connections.iter().find(|connection| connection.id == *id)
    }

    /// How many requests ended how. What connections share is counted once.
    pub fn requests(&self) -> BTreeMap<Ended, u64> {
        let mut senders: Vec<&Http> = Vec::new();
        for http in self.connections.iter().flat_map(|connection| connection.traffic.senders()) {
            if !senders.iter().any(|known| known.is_same(http)) {
                senders.push(http);
            }
        }
        let mut requests = BTreeMap::new();
        for (ended, number) in senders.into_iter().flat_map(Http::ended) {
            let count: &mut u64 = requests.entry(ended).or_default();
            *count = count.saturating_add(number);
        }
        requests
    }

    /// The lanes, each with its connections.
    pub fn lanes(&self) -> BTreeMap<String, Vec<Arc<Connection>>> {
        let mut lanes: BTreeMap<String, Vec<Arc<Connection>>> = BTreeMap::new();
        for connection in &self.connections {
            lanes.entry(connection.settings.lane()).or_default().push(Arc::clone(connection));
        }
        lanes
    }
}

/// The senders towards Brex. Connections with the same token share one, since Brex counts the requests of an account; the setting of
/// the first of them counts.
#[derive(Default)]
struct Accounts(Vec<(Url, SecretString, Http)>);

impl Accounts {
    fn sender(&mut self, settings: &ConnectionConfig, token: &SecretString) -> Result<Http, SetupError> {
        let brex = &settings.brex;
        let is_same = |known: &&(Url, SecretString, Http)| {
            known.0 == brex.base_url && known.1.expose_secret() == token.expose_secret()
        };
        if let Some((_, _, known)) = self.0.iter().find(is_same) {
            return Ok(known.clone());
        }
        let sender = Http::new(Pace { requests_per_second: brex.requests_per_second, ..Pace::BREX })?;
        self.0.push((brex.base_url.clone(), token.clone(), sender.clone()));
        Ok(sender)
    }
}

/// What a connection shares with others.
struct Senders {
    brex: Http,
    bc: Http,
}

impl Connection {
    fn build(
        settings: &ConnectionConfig,
        config: &Config,
        secrets: secrets::Secrets,
        senders: Senders,
        read_only: bool,
    ) -> Result<Self, BuildError> {
        let allowed = |http: Http| if read_only { http.read_only() } else { http };
        let traffic = Traffic { brex: allowed(senders.brex), entra: Http::new(Pace::ENTRA)?, bc: allowed(senders.bc) };
        let entra = &settings.entra;
        let tokens = TokenSource::new(
            traffic.entra.clone(),
            entra.base_url.clone(),
            entra.tenant.clone(),
            entra.client_id.clone(),
            secrets.entra,
        );
        let bc = &settings.bc;
        Ok(Self {
            id: settings.id()?,
            rules: Arc::new(settings.rules()?),
            brex: brex::Client::new(traffic.brex.clone(), settings.brex.base_url.clone(), secrets.brex),
            bc: bc::Client::new(
                traffic.bc.clone(),
                bc.base_url.clone(),
                entra.tenant.clone(),
                bc.environment.clone(),
                tokens.clone(),
            ),
            tokens,
            settings: settings.clone(),
            traffic,
            matcher: Matcher::default(),
            choices: Choices::default(),
            receipt_hosts: settings.receipts.allowed_hosts(&config.allow_hosts),
            identity: RwLock::new(None),
            directory: RwLock::new(Arc::new(Directory::default())),
            met: AtomicBool::new(false),
            mirrored: AtomicBool::new(false),
            no_batches: AtomicBool::new(false),
            hook: RwLock::new(Hook::default()),
        })
    }

    /// Where tokens for Business Central come from when this is what it signs in with; none of them is kept.
    pub fn tokens_with(&self, secret: Credential) -> TokenSource {
        let (entra, http) = (&self.settings.entra, self.traffic.entra.clone());
        TokenSource::new(http, entra.base_url.clone(), entra.tenant.clone(), entra.client_id.clone(), secret)
    }

    /// Who is at either end, once it is known.
    pub fn identity(&self) -> Option<Arc<Identity>> {
        self.identity.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers who is at either end.
    pub fn set_identity(&self, identity: Identity) {
        *self.identity.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(identity));
    }

    /// Whether this process has seen for itself who is at either end.
    pub fn is_met(&self) -> bool {
        self.met.load(Ordering::Acquire)
    }

    /// Notes whether both ends are who they were.
    pub fn set_met(&self, met: bool) {
        self.met.store(met, Ordering::Release);
    }

    /// How many drafts are made with one call while so many wait.
    pub fn drafts_in_a_batch(&self) -> usize {
        if self.no_batches.load(Ordering::Acquire) { 1 } else { usize::from(self.settings.bc.backfill_batch).max(1) }
    }

    /// From now on every draft has a call of its own.
    pub fn send_no_batches(&self) {
        self.no_batches.store(true, Ordering::Release);
    }

    /// The mirrored master data.
    pub fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.directory.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the mirrored master data.
    pub fn set_directory(&self, directory: Directory) {
        *self.directory.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(directory);
        self.mirrored.store(true, Ordering::Release);
    }

    /// Whether the master data was ever read: before that an empty directory says nothing about anybody's vendors.
    pub fn is_mirrored(&self) -> bool {
        self.mirrored.load(Ordering::Acquire)
    }

    /// What the webhook receiver needs to know.
    pub fn hook(&self) -> Hook {
        self.hook.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes what the webhook receiver knows.
    pub fn set_hook(&self, change: impl FnOnce(&mut Hook)) {
        change(&mut self.hook.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Traffic {
    /// What time it was on each side when it last answered.
    pub fn dates(&self) -> Vec<(&'static str, jiff::Timestamp)> {
        let sides = [("Brex", &self.brex), ("Entra ID", &self.entra), ("Business Central", &self.bc)];
        sides.into_iter().filter_map(|(name, http)| Some((name, http.their_time()?))).collect()
    }

    /// Whether both call Brex with the same token.
    pub fn has_brex_account_of(&self, other: &Self) -> bool {
        self.brex.is_same(&other.brex)
    }

    fn senders(&self) -> [&Http; 3] {
        [&self.brex, &self.entra, &self.bc]
    }

    /// How many calls each system may have under way at once now.
    pub fn slots(&self) -> [(&'static str, usize); 3] {
        [("brex", self.brex.slots()), ("entra", self.entra.slots()), ("bc", self.bc.slots())]
    }

    /// How many calls to Business Central may be under way at once now.
    pub fn bc_slots(&self) -> usize {
        self.bc.slots()
    }

    /// Requests sent so far, per system.
    pub fn requests(&self) -> BTreeMap<&'static str, u64> {
        let total = |http: &Http| http.calls().values().sum();
        BTreeMap::from([("brex", total(&self.brex)), ("entra", total(&self.entra)), ("bc", total(&self.bc))])
    }
}
