//! The server is lost for good in the middle of the work, and its standby takes its place at the same address.

use sandbox::Options;
use tokio::time::Instant;

use super::relay::Relay;
use super::server::Server;
use super::{Calm, GOOD, asked, documents, on, stop, until, worker_only};
use crate::setting::Setting;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes as long as it is asked to: scripts/prove --fleet"]
async fn a_standby_that_takes_over_in_the_middle_of_the_work_has_every_commit() {
    let Some(primary) = Server::start().await else { return };
    let standby = primary.with_standby().await;
    let relay = Relay::to(primary.address()).await;
    let options = Options { records: asked("PROVE_RECORDS", 500), bc_latency_ms: 30, ..Options::default() };
    let calm = Calm::of(&options).await;
    let setting = Setting::make(options).await;
    on(&setting, &Server::url_at(relay.address));

    let mut first = worker_only(&setting);
    until(&mut first, "it works", || documents(&setting) > 0).await;
    let second = worker_only(&setting);
    until(&mut first, "it goes on", || documents(&setting) >= calm.documents / 3).await;
    let lost_at = Instant::now();
    primary.crash().await;
    standby.promote().await;
    relay.point_to(standby.address());
    let before = documents(&setting);
    until(&mut first, "the standby took over", || documents(&setting) > before).await;
    let pause = lost_at.elapsed();
    until(&mut first, "it went on", || calm.is_reached(&setting)).await;
    stop(first).await;
    stop(second).await;
    let outcome = calm.compare(&setting).await;
    println!(
        "a standby took over, {} documents, {:.1} s without one: {outcome:?}",
        documents(&setting),
        pause.as_secs_f64()
    );
    assert_eq!(outcome, GOOD);
}
