//! Opens the database: checks that it is whole, durable and of this version, and sets up the pools.

use std::fmt;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, AnyPool, ConnectOptions, Connection, Row};

use crate::api_tokens::ApiTokens;
use crate::bc_subscriptions::BcSubscriptions;
use crate::clock_jumps::ClockJumps;
use crate::db::Db;
use crate::dialect::Statement;
use crate::error::Error;
use crate::inbox_queue::Queue;
use crate::place::{Kind, Place};
use crate::receipts::Receipts;
use crate::row::Table;
use crate::sessions::Sessions;
use crate::transfer_orders::TransferOrders;
use crate::transfers::Transfers;
use crate::users::Users;
use crate::value_meanings::ValueMeanings;
use crate::vault::{KeyRing, Vault};
use crate::vendor_matches::VendorMatches;
use crate::vendor_proposals::VendorProposals;
use crate::{
    Audit, BrexVendors, Connections, Cursors, Inbox, Intents, Jobs, Lanes, MasterData, Payloads, PaymentLines, Records,
    VendorLinks, dialect, migrations, vault,
};

const SIZE: Table = Table { name: "size", key: &[] };

/// SQLite's readers; they read from the page cache, so few are enough.
const SQLITE_READERS: u32 = 4;
/// Connections to a PostgreSQL server per process.
const POSTGRES_CONNECTIONS: u32 = 10;
/// Longer than SQLite's busy timeout, so that its clearer error comes first.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(15);

/// The open store. Clones share the pools.
#[derive(Clone)]
pub struct Store {
    db: Arc<Db>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("place", &self.db.place.name()).finish()
    }
}

impl Store {
    /// Opens `sqlite:PATH`, `sqlite::memory:` (for tests) or `postgres://…`, and brings its schema up to date. A file
    /// that is not there is created, readable by its owner only; its folder must exist.
    pub async fn open(url: &str) -> Result<Self, Error> {
        Self::open_place(url, false).await
    }

    pub(crate) async fn open_place(url: &str, even_if_left: bool) -> Result<Self, Error> {
        sqlx::any::install_default_drivers();
        let place = Place::of_url(url)?;
        let db = open_pools(&place, even_if_left).await.map_err(|error| error.at(&place))?;
        Ok(Self { db: Arc::new(db) })
    }

    pub(crate) fn db(&self) -> &Db {
        &self.db
    }

    /// Which database it is.
    pub fn kind(&self) -> Kind {
        self.db.kind()
    }

    /// Path, or host and database name; never a password.
    pub fn place(&self) -> &str {
        self.db.place.name()
    }

    /// How many bytes the database takes; a write-ahead log beside it does not count. Whoever gets an answer knows that the
    /// database gives some.
    pub async fn size_bytes(&self) -> Result<i64, Error> {
        let row = self.db.first(Statement::new(dialect::size(self.kind()))).await?;
        row.map_or(Ok(0), |row| SIZE.row(&row).integer("bytes"))
    }

    /// Waits for what is under way and closes every connection.
    pub async fn close(&self) {
        self.db.readers.close().await;
        self.db.writers.close().await;
    }

    /// The connections and their problems.
    pub fn connections(&self) -> Connections<'_> {
        Connections { db: &self.db }
    }

    /// The leases of the lanes.
    pub fn lanes(&self) -> Lanes<'_> {
        Lanes { db: &self.db }
    }

    /// The records and where they stand.
    pub fn records(&self) -> Records<'_> {
        Records { db: &self.db }
    }

    /// What Brex sent, word for word.
    pub fn payloads(&self) -> Payloads<'_> {
        Payloads { db: &self.db }
    }

    /// What was about to be written to Business Central.
    pub fn intents(&self) -> Intents<'_> {
        Intents { db: &self.db }
    }

    /// Deliveries of webhooks.
    pub fn inbox(&self) -> Inbox<'_> {
        Inbox { db: &self.db }
    }

    /// What is done by the clock or on request.
    pub fn jobs(&self) -> Jobs<'_> {
        Jobs { db: &self.db }
    }

    /// Push subscriptions in Business Central.
    pub fn bc_subscriptions(&self) -> BcSubscriptions<'_> {
        BcSubscriptions { db: &self.db }
    }

    /// What waits, when the time of day is set.
    pub fn clock_jumps(&self) -> ClockJumps<'_> {
        ClockJumps { db: &self.db }
    }

    /// Small values by name.
    pub fn cursors(&self) -> Cursors<'_> {
        Cursors { db: &self.db }
    }

    /// The mirror of Business Central's master data.
    pub fn master_data(&self) -> MasterData<'_> {
        MasterData { db: &self.db }
    }

    /// What people said coded values mean.
    pub fn value_meanings(&self) -> ValueMeanings<'_> {
        ValueMeanings { db: &self.db }
    }

    /// Which vendor a merchant was confirmed or rejected for.
    pub fn vendor_links(&self) -> VendorLinks<'_> {
        VendorLinks { db: &self.db }
    }

    /// Files of records on their documents.
    pub fn receipts(&self) -> Receipts<'_> {
        Receipts { db: &self.db }
    }

    /// What the matcher said about records.
    pub fn vendor_matches(&self) -> VendorMatches<'_> {
        VendorMatches { db: &self.db }
    }

    /// Transfers of Brex, and how they stand.
    pub fn transfers(&self) -> Transfers<'_> {
        Transfers { db: &self.db }
    }

    /// Transfers that people ordered.
    pub fn transfer_orders(&self) -> TransferOrders<'_> {
        TransferOrders { db: &self.db }
    }

    /// New vendors that people proposed.
    pub fn vendor_proposals(&self) -> VendorProposals<'_> {
        VendorProposals { db: &self.db }
    }

    /// The prepared vendor payment lines.
    pub fn payment_lines(&self) -> PaymentLines<'_> {
        PaymentLines { db: &self.db }
    }

    /// The map between BC vendors and the Brex vendor directory.
    pub fn brex_vendors(&self) -> BrexVendors<'_> {
        BrexVendors { db: &self.db }
    }

    /// The sealed secrets, with the keys that open them.
    pub fn vault<'a>(&'a self, keys: &'a KeyRing) -> Vault<'a> {
        Vault { db: &self.db, keys }
    }

    /// Ids of the keys that the sealed secrets need, known without having any key.
    pub async fn needed_keys(&self) -> Result<Vec<String>, Error> {
        vault::needed_keys(&self.db).await
    }

    /// Who may use the console.
    pub fn users(&self) -> Users<'_> {
        Users { db: &self.db }
    }

    /// Who is signed in.
    pub fn sessions(&self) -> Sessions<'_> {
        Sessions { db: &self.db }
    }

    /// Who may use the admin API.
    pub fn api_tokens(&self) -> ApiTokens<'_> {
        ApiTokens { db: &self.db }
    }

    /// The audit trail.
    pub fn audit(&self) -> Audit<'_> {
        Audit { db: &self.db }
    }
}

async fn open_pools(place: &Place, even_if_left: bool) -> Result<Db, Error> {
    let options = place.options()?;
    match place {
        Place::Memory => {
            // Each connection to memory is a database of its own, so there is exactly one.
            let pool = pool_options(1).after_connect(|c, _| Box::pin(set_up(c, Kind::Sqlite, false)));
            let pool = pool.connect_with(options).await?;
            migrations::run(&mut *pool.acquire().await?, place).await?;
            Ok(Db { place: place.clone(), writers: pool.clone(), readers: pool, inbox: Queue::default() })
        }
        Place::File { .. } => {
            check_and_migrate(&options, place, even_if_left).await?;
            let writers = pool_options(1)
                .after_connect(|c, _| Box::pin(set_up(c, Kind::Sqlite, false)))
                .after_release(|c, _| Box::pin(is_usable(c)));
            let readers = pool_options(SQLITE_READERS).after_connect(|c, _| Box::pin(set_up(c, Kind::Sqlite, true)));
            let writers = writers.connect_with(options.clone()).await?;
            Ok(Db {
                place: place.clone(),
                writers,
                readers: readers.connect_lazy_with(options),
                inbox: Queue::default(),
            })
        }
        Place::Server { .. } => {
            check_and_migrate(&options, place, even_if_left).await?;
            let pool: AnyPool = AnyPoolOptions::new()
                .max_connections(POSTGRES_CONNECTIONS)
                .acquire_timeout(ACQUIRE_TIMEOUT)
                .after_connect(|c, _| Box::pin(set_up(c, Kind::Postgres, false)))
                .connect_with(options)
                .await?;
            Ok(Db { place: place.clone(), writers: pool.clone(), readers: pool, inbox: Queue::default() })
        }
    }
}

/// A pool whose connections live as long as the process: opening a file anew costs more than keeping it.
fn pool_options(connections: u32) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
}

/// A connection whose transaction cannot be ended is of no use any more. SQLite rolls back by itself when the disk is full or fails, so
/// that the rollback after that is refused, and with it every transaction from then on.
async fn is_usable(connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
    if connection.is_in_transaction() {
        // A rollback that was only asked for is done before this is answered.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

/// Creates the file for its owner only; the files that SQLite puts beside it take over its mode. A file that is there is
/// not even opened: closing it would drop the locks that SQLite holds on it elsewhere in this process.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut open = std::fs::OpenOptions::new();
    open.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut open, 0o600);
    match open.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Waits until no other process sets up a file in the same folder. SQLite itself does not wait for whoever switches the
/// same new file to its write-ahead log; it fails.
async fn take_turn(path: &Path) -> std::io::Result<Option<File>> {
    let folder = path.parent().map(Path::to_owned).filter(|_| cfg!(unix));
    let taking = tokio::task::spawn_blocking(move || match folder {
        None => Ok(None),
        Some(folder) => {
            let folder = File::open(folder)?;
            folder.lock()?;
            Ok(Some(folder))
        }
    });
    taking.await?
}

/// The first connection, which sets up a new file. The turn ends when it is dropped.
async fn connect_first(options: &AnyConnectOptions, place: &Place) -> Result<AnyConnection, Error> {
    let mut turn = None;
    if let Place::File { path, .. } = place {
        turn = take_turn(path).await.map_err(|error| Error::of_file(error, place))?;
        create_private(path).map_err(|error| Error::of_file(error, place))?;
    }
    let mut connection = options.connect().await?;
    set_up(&mut connection, place.kind(), false).await?;
    drop(turn);
    Ok(connection)
}

async fn set_up(connection: &mut AnyConnection, kind: Kind, read_only: bool) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(dialect::settings(kind)).execute(&mut *connection).await?;
    if read_only {
        sqlx::raw_sql("PRAGMA query_only = ON").execute(connection).await?;
    }
    Ok(())
}

/// One connection before the pools, so that each failure is told as what it is and at once.
async fn check_and_migrate(options: &AnyConnectOptions, place: &Place, even_if_left: bool) -> Result<(), Error> {
    let mut connection = connect_first(options, place).await?;
    for (statement, setting, wanted) in dialect::required(place.kind()) {
        let row = sqlx::query(*statement).fetch_one(&mut connection).await?;
        let found = match row.try_get::<String, _>(0) {
            Ok(text) => text,
            Err(_) => row.try_get::<i64, _>(0)?.to_string(),
        };
        if found != *wanted {
            return Err(Error::Setting { place: place.name().to_owned(), setting, wanted, found });
        }
    }
    if place.kind() == Kind::Sqlite {
        let verdict: String = sqlx::query("PRAGMA quick_check(1)").fetch_one(&mut connection).await?.try_get(0)?;
        if verdict != "ok" {
            tracing::error!(path = place.name(), %verdict, "the database file is damaged");
            return Err(Error::Damaged { path: place.name().to_owned() });
        }
    }
    migrations::run(&mut connection, place).await?;
    let left = Statement::new("SELECT place FROM left_for").rows(&mut connection).await?;
    if let Some(row) = left.first().filter(|_| !even_if_left) {
        let to = row.try_get("place")?;
        return Err(Error::Left { place: place.name().to_owned(), to });
    }
    Ok(connection.close().await?)
}
