//! Killed with SIGKILL at random moments while it works, and started again: the books must come out the same, with at most
//! one document per record.

use std::process::Stdio;
use std::time::Duration;

use connector::agreement::check;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sandbox::Options;
use sandbox::brex::Expectation;
use sandbox::meter::Side;
use serde_json::Value;

use crate::setting::{Setting, said};

const ROUNDS: u32 = 30;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_process_killed_at_thirty_random_moments_loses_nothing_and_doubles_nothing() {
    // Business Central takes a moment per request, so that kills hit requests under way.
    let options = Options { records: 500, vendors: 120, bc_latency_ms: 30, ..Options::default() };
    let setting = Setting::make(options).await;
    let seed = 8;
    let mut random = StdRng::seed_from_u64(seed);
    let mut during_work = 0;
    for round in 0..ROUNDS {
        let before = check(&setting.sandbox.world());
        let mut child = tokio::process::Command::from(setting.command(&["run", "--log", "error"]));
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // After so many requests: at the start, while documents are made, or while one is read back. Counted in requests and
        // not in time, so that a busy machine meets the same moments.
        let requests = requests_in_bc(&setting) + random.next_u64() % 30;
        let mut patience = 5_000;
        while requests_in_bc(&setting) < requests && patience > 0 {
            if let Ok(status) = tokio::time::timeout(Duration::from_millis(1), child.wait()).await {
                panic!("round {round} (seed {seed}): the process ended by itself: {status:?}");
            }
            patience -= 1;
        }
        child.kill().await.unwrap();
        let after = check(&setting.sandbox.world());
        assert_eq!(after.duplicates, Vec::<String>::new(), "after round {round} (seed {seed})");
        during_work += u32::from(after.invoices > before.invoices);
    }
    assert!(during_work >= 10, "only {during_work} kills came while documents were being made");

    let output = setting.run(&["run", "--once", "--log", "error"]).await;
    assert!(output.status.success(), "{}", said(&output));
    let agreement = check(&setting.sandbox.world());
    assert!(agreement.holds(), "{agreement:?}");
    let status = setting.run_json(&["status", "--json"]).await;
    let stages = &status["connections"][0]["stages"];
    let held: i64 = status["connections"][0]["held"].as_object().unwrap().values().filter_map(Value::as_i64).sum();
    let done = stages["exported"].as_i64().unwrap() + stages["not_spend"].as_i64().unwrap() + held;
    let reports = setting.sandbox.world().brex.records();
    let ready = reports.iter().filter(|report| report.expect != Expectation::NotReady).count();
    assert_eq!(usize::try_from(done).unwrap(), ready, "every record is accounted for: {status}");

    let calm = Setting::make(Options { records: 500, vendors: 120, ..Options::default() }).await;
    assert!(calm.run(&["run", "--once", "--log", "error"]).await.status.success());
    let calm = check(&calm.sandbox.world());
    assert_eq!((calm.invoices, calm.credit_memos), (agreement.invoices, agreement.credit_memos), "the same books");
}

fn requests_in_bc(setting: &Setting) -> u64 {
    setting.sandbox.world().meter.tally(Side::Bc).requests
}
