//! The server crashes in the middle of the work and is started again. Nobody does anything about it.

use sandbox::Options;

use super::server::Server;
use super::{Calm, GOOD, Outcome, asked, documents, on, stop, until, worker_only};
use crate::setting::Setting;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_crashes_in_the_middle_of_the_work_costs_nothing_and_needs_nobody() {
    let Some((outcome, _)) = crashed(20, 1).await else { return };
    assert_eq!(outcome, GOOD);
}

/// Ten times, on as many records as `PROVE_RECORDS` says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes as long as it is asked to: scripts/prove --fleet"]
async fn a_server_that_crashes_ten_times_costs_nothing_and_needs_nobody() {
    let Some((outcome, documents)) = crashed(asked("PROVE_RECORDS", 500), 10).await else { return };
    println!("10 crashes of the server, {documents} documents: {outcome:?}");
    assert_eq!(outcome, GOOD);
}

/// Lets the server crash so many times, evenly over the work.
async fn crashed(records: usize, crashes: usize) -> Option<(Outcome, usize)> {
    let server = Server::start().await?;
    let options = Options { records, bc_latency_ms: 30, ..Options::default() };
    let calm = Calm::of(&options).await;
    let setting = Setting::make(options).await;
    on(&setting, &Server::url_at(server.address()));
    let mut process = worker_only(&setting);
    for crash in 1..=crashes {
        let enough = crash * records / (2 * crashes);
        until(&mut process, "it works", || documents(&setting) >= enough).await;
        server.crash().await;
        server.start_again().await;
    }
    until(&mut process, "it went on", || calm.is_reached(&setting)).await;
    stop(process).await;
    Some((calm.compare(&setting).await, calm.documents))
}
