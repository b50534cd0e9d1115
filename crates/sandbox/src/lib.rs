//! The other side: Brex, Entra ID and Business Central on loopback, as strict as the real ones, with faults on demand.
//!
//! It imports none of the connector's crates, so it cannot share their mistakes. Start it with [`Sandbox::start`] and
//! reach everything over HTTP as told by [`Sandbox::ready`], or call it without any socket through [`routers`]:
//!
//! ```
//! use axum::body::Body;
//! use axum::http::Request;
//! use sandbox::{Options, World, routers};
//! use tower::ServiceExt as _;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let world = World::open(Options { records: 3, ..Options::default() })?;
//! let token = routers(&world).ready.brex.token;
//! let request = Request::get("/v3/accounting/records").header("Authorization", format!("Bearer {token}"));
//! let answer = routers(&world).brex.oneshot(request.body(Body::empty())?).await?;
//! assert_eq!(answer.status(), 200);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod agreement;
pub mod bc;
pub mod brex;
pub mod clock;
pub mod company;
pub mod control;
pub mod entra;
pub mod fault;
pub mod ids;
mod late;
pub mod meter;
mod ready;
mod receiver;
mod routers;
mod serve;
mod state;
mod sums;
mod wire;
mod world;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use crate::agreement::{Agreement, RecordAgreement, Verdict};
pub use crate::late::HeldRequest;
pub use crate::ready::{BcReady, BrexReady, ControlReady, EntraReady, Ready};
pub use crate::receiver::{Handshake, Receipt, Script};
pub use crate::routers::{Routers, routers};
pub use crate::sums::{By, Sum};
pub use crate::world::World;

use crate::fault::Weather;
use crate::serve::Bound;

/// How long open connections may hold up [`Sandbox::stop`].
const GRACE: Duration = Duration::from_secs(2);

/// How to start a sandbox.
#[derive(Debug, Clone)]
pub struct Options {
    /// The same seed gives the same world.
    pub seed: u64,
    /// Accounting records in Brex.
    pub records: usize,
    /// Vendors in Business Central, at least.
    pub vendors: usize,
    /// Brex, Entra, Business Central and control listen on this port and the next three; free ports if absent.
    pub port_base: Option<u16>,
    /// Where the state is loaded from at the start and saved at the stop.
    pub state: Option<PathBuf>,
    /// How often the state is saved besides, in seconds of real time.
    pub save_every: Option<u64>,
    /// Freezes the clock at this moment; the machine's time if absent.
    pub start: Option<Timestamp>,
    /// Webhook events that Brex silently loses, of 100.
    pub webhook_drop_percent: u8,
    /// Whether Business Central enforces its limits per app (5 at once, 6,000 requests in 5 minutes).
    pub bc_limits: bool,
    /// How long Business Central works on each request.
    pub bc_latency_ms: u64,
    /// Faults that are drawn for every request.
    pub weather: Option<Weather>,
    /// The company, if it is not to be the made-up one.
    pub company: Option<Arc<company::Company>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            records: 120,
            vendors: 60,
            port_base: None,
            state: None,
            save_every: None,
            start: None,
            webhook_drop_percent: 0,
            bc_limits: true,
            bc_latency_ms: 0,
            weather: None,
            company: None,
        }
    }
}

/// Why a sandbox did not start or stop well.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A port could not be bound.
    #[error("cannot listen on {address}")]
    Bind {
        /// Host and port.
        address: String,
        /// Why.
        source: std::io::Error,
    },
    /// The highest of four ports would be beyond 65535.
    #[error("port base {0} leaves no room for four ports")]
    PortBase(u16),
    /// Weather that cannot be.
    #[error("no such weather: {0}")]
    Weather(String),
    /// The state file was written by a sandbox that keeps its state otherwise.
    #[error(
        "state file {path} has version {found}, and this sandbox reads version {known}: start without it, or with the sandbox that wrote it"
    )]
    StateVersion {
        /// The file.
        path: PathBuf,
        /// Its version; 0 if it names none.
        found: u64,
        /// The version of this sandbox.
        known: u64,
    },
    /// The state file cannot be read or written.
    #[error("cannot access state file {path}")]
    StateFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The state file does not hold a state.
    #[error("state file {path} is not readable as sandbox state")]
    State {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

/// A running sandbox. Dropping it stops it without saving.
pub struct Sandbox {
    world: Arc<World>,
    ready: Ready,
    stop: CancellationToken,
    servers: Vec<JoinHandle<std::io::Result<()>>>,
    deliveries: [JoinHandle<()>; 2],
}

impl Sandbox {
    /// Binds four listeners on 127.0.0.1 and serves until it is stopped or dropped.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let port = |offset: u16| match options.port_base {
            None => Ok(None),
            Some(base) => base.checked_add(offset).map(Some).ok_or(Error::PortBase(base)),
        };
        let ports = [port(0)?, port(1)?, port(2)?, port(3)?];
        let world = World::open(options)?;
        let [brex, entra, bc, control] =
            [bind(ports[0]).await?, bind(ports[1]).await?, bind(ports[2]).await?, bind(ports[3]).await?];
        let ready = Ready::of(&world, [brex.base_url(), entra.base_url(), bc.base_url(), control.base_url()]);
        let stop = CancellationToken::new();
        let routers = routers::routers_at(&world, ready.clone());
        let mut servers = vec![
            brex.serve(routers.brex, stop.clone()),
            entra.serve(routers.entra, stop.clone()),
            bc.serve(routers.bc, stop.clone()),
            control.serve(routers.control, stop.clone()),
        ];
        servers.extend(saving(&world, &stop));
        let deliveries = [
            brex::spawn_deliveries(Arc::clone(&world), stop.clone()),
            bc::spawn_deliveries(Arc::clone(&world), stop.clone()),
        ];
        Ok(Self { world, ready, stop, servers, deliveries })
    }

    /// Where everything is and how to log in.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Everything the sandbox knows.
    pub fn world(&self) -> Arc<World> {
        Arc::clone(&self.world)
    }

    /// Stops listening, lets requests under way end, and saves the state if there is a state file.
    pub async fn stop(mut self) -> Result<(), Error> {
        self.stop.cancel();
        for mut server in std::mem::take(&mut self.servers) {
            match tokio::time::timeout(GRACE, &mut server).await {
                Ok(Ok(Ok(()))) => {}
                Ok(Ok(Err(error))) => tracing::warn!(error = &error as &dyn std::error::Error, "a listener failed"),
                Ok(Err(error)) => tracing::warn!(error = &error as &dyn std::error::Error, "a listener was lost"),
                Err(_) => server.abort(),
            }
        }
        for sender in &mut self.deliveries {
            if let Err(error) = sender.await {
                tracing::warn!(error = &error as &dyn std::error::Error, "a webhook sender was lost");
            }
        }
        state::save(&self.world).map(|_| ())
    }
}

/// The task that saves the state at intervals, if it is to be.
fn saving(world: &Arc<World>, stop: &CancellationToken) -> Option<JoinHandle<std::io::Result<()>>> {
    let every = Duration::from_secs(world.options.save_every.filter(|seconds| *seconds > 0)?);
    // An interval beyond all time never comes.
    let first = tokio::time::Instant::now().checked_add(every)?;
    let (world, stop) = (Arc::clone(world), stop.clone());
    Some(tokio::spawn(async move {
        let mut ticks = tokio::time::interval_at(first, every);
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                _ = ticks.tick() => {}
            }
            if let Err(error) = state::save(&world) {
                tracing::error!(error = &error as &dyn std::error::Error, "the state was not saved");
            }
        }
    }))
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn bind(port: Option<u16>) -> Result<Bound, Error> {
    Bound::bind(port)
        .await
        .map_err(|source| Error::Bind { address: format!("127.0.0.1:{}", port.unwrap_or(0)), source })
}
