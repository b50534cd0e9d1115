//! The connector under measurement: a folder with a real configuration, and `run` in a process of its own.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::super::demo::write_secret;
use super::super::{Exit, Failure};
use super::usage::Usage;
use crate::config::DEFAULT_FILE;

/// Name of the connection.
pub(super) const CONNECTION: &str = "bench";
/// What no limit is: the benchmark's own profiles without latency would measure the pace otherwise.
const UNPACED: u32 = 1_000_000;

/// How the connector is set up.
#[derive(Clone, Debug)]
pub(super) struct SetUp {
    /// `sqlite`, or the address of a PostgreSQL database.
    pub(super) database: String,
    /// Whether it keeps to Business Central's pace and to Brex's.
    pub(super) paced: bool,
    /// Drafts that are made with one batch.
    pub(super) backfill_batch: u8,
    /// How long an unclear outcome is looked at.
    pub(super) settle_seconds: u32,
    /// Whether it is reached by webhooks.
    pub(super) receives: bool,
    /// Whether it keeps the vendor directory in Brex.
    pub(super) directory: bool,
    /// What stands before it on the command line, such as a tracer.
    pub(super) wrapper: Vec<String>,
}

/// A connector that runs or can be run.
pub(super) struct Connector {
    folder: TempDir,
    /// Where deliveries are taken.
    pub(super) listen: SocketAddr,
    /// Where it says how it does.
    pub(super) operations: SocketAddr,
    wrapper: Vec<String>,
    child: Option<Child>,
    used: Usage,
}

impl Connector {
    /// Writes configuration and secrets for a sandbox.
    pub(super) fn set_up(ready: &Value, set_up: &SetUp) -> Result<Self, Failure> {
        // Beside the program, so that it is a disk whose writes count, and not a memory.
        let program = std::env::current_exe()?;
        let beside = program.parent().unwrap_or(Path::new("."));
        let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(beside)?;
        let (listen, operations) = free_addresses()?;
        let connector =
            Self { folder, listen, operations, wrapper: set_up.wrapper.clone(), child: None, used: Usage::default() };
        connector.meet(ready, set_up)?;
        Ok(connector)
    }

    /// From its next start on it has to do with this sandbox.
    pub(super) fn meet(&self, ready: &Value, set_up: &SetUp) -> Result<(), Failure> {
        write_secret(&self.folder.path().join("brex.token"), text(ready, "/brex/token"))?;
        write_secret(&self.folder.path().join("bc.secret"), text(ready, "/entra/client_secret"))?;
        Ok(std::fs::write(self.file(), self.configuration(ready, set_up))?)
    }

    pub(super) fn file(&self) -> PathBuf {
        self.folder.path().join(DEFAULT_FILE)
    }

    /// Where the log goes.
    pub(super) fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Starts `run`.
    pub(super) fn start(&mut self) -> Result<(), Failure> {
        let program = std::env::current_exe()?;
        let mut command = match self.wrapper.split_first() {
            None => Command::new(program),
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
        };
        let log = File::options().create(true).append(true).open(self.log())?;
        command.args(["--log", "warn", "run", "--config"]).arg(self.file());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        self.child = Some(command.spawn()?);
        Ok(())
    }

    /// What it has used since it was set up.
    pub(super) fn usage(&self) -> Result<Usage, Failure> {
        match self.pid() {
            Some(pid) => Ok(self.used + Usage::of(pid)?),
            None => Ok(self.used),
        }
    }

    /// Kills it, as a machine that loses its power does.
    pub(super) async fn kill(&mut self) -> Result<(), Failure> {
        self.end(Signal::SIGKILL).await
    }

    /// Asks it to stop, and waits until it has.
    pub(super) async fn stop(&mut self) -> Result<(), Failure> {
        self.end(Signal::SIGTERM).await
    }

    async fn end(&mut self, signal: Signal) -> Result<(), Failure> {
        let Some(pid) = self.pid() else { return Ok(()) };
        self.used = self.usage()?;
        let number = i32::try_from(pid).unwrap_or(i32::MAX);
        kill(Pid::from_raw(number), signal).map_err(|error| Failure::new(Exit::Unexpected, error.to_string()))?;
        if let Some(mut child) = self.child.take() {
            child.wait().await?;
        }
        Ok(())
    }

    /// Fails with what it wrote to the log if it has ended by itself.
    pub(super) fn must_run(&mut self) -> Result<(), Failure> {
        let Some(child) = &mut self.child else { return Ok(()) };
        match child.try_wait()? {
            None => Ok(()),
            Some(status) => {
                let log = std::fs::read_to_string(self.log()).unwrap_or_default();
                let last: Vec<&str> = log.lines().rev().take(5).collect();
                Err(Failure::new(Exit::Unexpected, format!("the connector ended with {status}: {}", last.join(" | "))))
            }
        }
    }

    fn pid(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    fn configuration(&self, ready: &Value, set_up: &SetUp) -> String {
        let (listen, operations) = (self.listen, self.operations);
        let database = if set_up.database == "sqlite" { "sqlite:ml-connector.db" } else { &set_up.database };
        let reached = if set_up.receives { format!("public_url = \"http://{listen}\"\n") } else { String::new() };
        let pace = if set_up.paced { String::new() } else { format!("requests_per_second = {UNPACED}\n") };
        let directory = if set_up.directory { "[connection.directory]\nenabled = true\n" } else { "" };
        let quoted = |path: &str| json!(text(ready, path)).to_string();
        format!(
            r#"database = {database}
listen = "{listen}"
{reached}allow_hosts = ["127.0.0.1"]

[operations]
listen = "{operations}"

[[connection]]
name = "{CONNECTION}"
start_date = "2020-01-01"
time_zone = "UTC"
settle_seconds = {settle}

[connection.brex]
base_url = {brex}
token = {{ file = "brex.token" }}
{pace}
[connection.entra]
base_url = {entra}
tenant = {tenant}
client_id = {client}
client_secret = {{ file = "bc.secret" }}

[connection.bc]
base_url = {bc}
environment = {environment}
company = {company}
backfill_batch = {batch}
{pace}
{directory}"#,
            database = json!(database),
            settle = set_up.settle_seconds,
            batch = set_up.backfill_batch,
            brex = quoted("/brex/base_url"),
            entra = quoted("/entra/base_url"),
            tenant = quoted("/entra/tenant_id"),
            client = quoted("/entra/client_id"),
            bc = quoted("/bc/base_url"),
            environment = quoted("/bc/environment"),
            company = quoted("/bc/company_name"),
        )
    }
}

/// Two addresses of this machine that nobody listens on. They are below those that the system gives away by itself, so that no connection of
/// the benchmark can have one of them when the connector begins to listen, or begins again.
fn free_addresses() -> Result<(SocketAddr, SocketAddr), Failure> {
    let first = u16::try_from(std::process::id() % 6_000).unwrap_or(0) * 2;
    let address = |place: u16| SocketAddr::from(([127, 0, 0, 1], 20_000 + (first + place) % 12_000));
    let mut free = (0..12_000).map(address).filter(|address| TcpListener::bind(address).is_ok());
    match (free.next(), free.next()) {
        (Some(one), Some(other)) => Ok((one, other)),
        _ => Err(Failure::new(Exit::Unexpected, "no port of this machine is free")),
    }
}

fn text<'v>(value: &'v Value, path: &str) -> &'v str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_default()
}
