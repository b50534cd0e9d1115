//! Several processes on one PostgreSQL: who follows whom, and what becomes of their work when processes or the server die. What runs
//! long is run by `scripts/prove --fleet`.

mod crash;
mod lease;
mod load;
mod relay;
mod roles;
mod server;
mod standby;

use std::process::Stdio;
use std::time::Duration;

use connector::agreement::check;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sandbox::Options;
use tokio::process::Child;

use crate::kill::{accounted_for, held, ready};
use crate::ports;
use crate::setting::{Setting, said};

/// One more process on the same database, with an address of its own.
fn worker(setting: &Setting, number: u32) -> Child {
    let config = setting.folder.path().join(format!("worker-{number}.toml"));
    let address = ports::free();
    let text = std::fs::read_to_string(setting.config()).unwrap();
    let (_, rest) = text.split_once("listen = ").unwrap();
    let (_, rest) = rest.split_once('\n').unwrap();
    let head = text.split_once("listen = ").unwrap().0;
    std::fs::write(&config, format!("{head}listen = \"{address}\"\n{rest}")).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ml-connector"));
    command.args(["run", "--log", "error", "--config"]).arg(config);
    spawn(command)
}

/// Nobody is told to deliver, and everything is on this database.
pub(crate) fn on(setting: &Setting, database: &str) {
    setting.edit("public_url = ", "# public_url = ");
    setting.edit("listen = ", &format!("database = {database:?}\nlisten = "));
}

/// One more process with the same configuration, which does not listen.
fn worker_only(setting: &Setting) -> Child {
    spawn(setting.command(&["run", "--roles", "worker", "--log", "error"]))
}

fn spawn(command: std::process::Command) -> Child {
    let mut command = tokio::process::Command::from(command);
    command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap()
}

fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()), signal).unwrap();
}

/// A clean stop.
async fn stop(mut child: Child) {
    signal(&child, Signal::SIGTERM);
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
}

/// Waits for what the processes do, while one of them lives on (frozen or not).
async fn until(alive: &mut Child, what: &str, is_so: impl Fn() -> bool) {
    // Counted in looks: minutes, more on a busy machine. Each compares all books, which the processes should have the processor for.
    for _ in 0..3_000 {
        if is_so() {
            return;
        }
        if let Ok(status) = tokio::time::timeout(Duration::from_millis(100), alive.wait()).await {
            panic!("{what}: the process ended by itself: {status:?}");
        }
    }
    panic!("{what}: nobody goes on");
}

fn documents(setting: &Setting) -> usize {
    let agreement = check(&setting.sandbox.world());
    agreement.invoices + agreement.credit_memos
}

/// What the same records come to in one process on SQLite that nobody disturbs.
struct Calm {
    documents: usize,
    held: i64,
}

impl Calm {
    async fn of(options: &Options) -> Self {
        let setting = Setting::make(Options { bc_latency_ms: 0, bc_limits: false, ..options.clone() }).await;
        let done = setting.run(&["run", "--once", "--log", "error"]).await;
        assert!(done.status.success(), "{}", said(&done));
        Self { documents: documents(&setting), held: held(&setting.run_json(&["status", "--json"]).await) }
    }

    /// Whether every record that becomes a document has one, and Brex knows it.
    fn is_reached(&self, setting: &Setting) -> bool {
        setting.sandbox.world().bc.ledger().len() >= self.documents && check(&setting.sandbox.world()).holds()
    }

    /// Counts once everything is at rest: the last documents may be there before the last records that become none were looked at.
    async fn compare(&self, setting: &Setting) -> Outcome {
        let rest = setting.run(&["run", "--once", "--log", "error"]).await;
        assert!(rest.status.success(), "{}", said(&rest));
        let agreement = check(&setting.sandbox.world());
        assert!(agreement.holds(), "{agreement:?}");
        assert_eq!(documents(setting), self.documents, "one document each");
        let verified = setting.run(&["audit", "verify"]).await;
        assert!(verified.status.success(), "{}", said(&verified));
        let status = setting.run_json(&["status", "--json"]).await;
        let lost = ready(setting) - accounted_for(&status);
        Outcome { lost, duplicates: agreement.duplicates.len(), manual: held(&status) - self.held }
    }
}

/// What came of it all; *manual* is what waits for a person beyond what waits for one anyway.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    lost: i64,
    duplicates: usize,
    manual: i64,
}

const GOOD: Outcome = Outcome { lost: 0, duplicates: 0, manual: 0 };

/// A number that the script says, for what runs as long as it is asked to.
#[expect(clippy::disallowed_methods, reason = "the script says how much")]
fn asked(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}
