//! Several processes on one PostgreSQL. One works on a lane, the others wait; one that is frozen past its lease, or killed, is
//! followed by another, and what it wakes up to is no longer its own.

use std::process::Stdio;
use std::time::Duration;

use connector::agreement::check;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sandbox::Options;
use tokio::process::Child;

use crate::database::{Database, Db};
use crate::setting::{Setting, said};

/// One more process on the same database, with an address of its own.
fn worker(setting: &Setting, number: u32) -> Child {
    let config = setting.folder.path().join(format!("worker-{number}.toml"));
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text = std::fs::read_to_string(setting.config()).unwrap();
    let (_, rest) = text.split_once("listen = ").unwrap();
    let (_, rest) = rest.split_once('\n').unwrap();
    let head = text.split_once("listen = ").unwrap().0;
    std::fs::write(&config, format!("{head}listen = \"{address}\"\n{rest}")).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ml-connector"));
    command.args(["run", "--log", "error", "--config"]).arg(config);
    let mut command = tokio::process::Command::from(command);
    command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap()
}

fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()), signal).unwrap();
}

/// Waits for what the processes do, while one of them lives on (frozen or not).
async fn until(alive: &mut Child, what: &str, is_so: impl Fn() -> bool) {
    // Counted in looks: a minute or two, more on a busy machine.
    for _ in 0..20_000 {
        if is_so() {
            return;
        }
        if let Ok(status) = tokio::time::timeout(Duration::from_millis(10), alive.wait()).await {
            panic!("{what}: the process ended by itself: {status:?}");
        }
    }
    panic!("{what}: nobody goes on");
}

fn documents(setting: &Setting) -> usize {
    check(&setting.sandbox.world()).invoices
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_frozen_past_its_lease_or_killed_is_followed_by_another() {
    let Some(database) = Database::fresh(Db::Postgres).await else { return };
    let options = Options { records: 220, vendors: 120, bc_latency_ms: 120, ..Options::default() };
    let setting = Setting::make(options).await;
    setting.edit("listen = ", &format!("database = {:?}\nlisten = ", database.url));

    let mut first = worker(&setting, 1);
    until(&mut first, "the first works", || documents(&setting) >= 20).await;
    let (mut second, mut third) = (worker(&setting, 2), worker(&setting, 3));
    signal(&first, Signal::SIGSTOP);
    let frozen_at = documents(&setting);
    until(&mut first, "it is frozen", || documents(&setting) >= frozen_at + 20).await;
    signal(&first, Signal::SIGCONT);
    until(&mut first, "it woke up", || documents(&setting) >= frozen_at + 40).await;
    assert_eq!(check(&setting.sandbox.world()).duplicates, Vec::<String>::new(), "after it woke up");

    second.kill().await.unwrap();
    third.kill().await.unwrap();
    until(&mut first, "the others are killed", || check(&setting.sandbox.world()).holds()).await;
    signal(&first, Signal::SIGTERM);
    first.wait().await.unwrap();
    let agreement = check(&setting.sandbox.world());
    assert!(agreement.holds() && agreement.duplicates.is_empty(), "{agreement:?}");
    let verified = setting.run(&["audit", "verify"]).await;
    assert!(verified.status.success(), "{}", said(&verified));
}
