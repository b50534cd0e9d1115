//! One process works on a lane, the others wait; one that is frozen past its lease, or killed, is followed by another, and what it
//! wakes up to is no longer its own.

use connector::agreement::check;
use nix::sys::signal::Signal;
use sandbox::Options;

use super::{documents, signal, until, worker};
use crate::database::{Database, Db};
use crate::setting::{Setting, said};

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
