//! Killed with SIGKILL at random moments while it works, and started again: the books must come out the same, with at most
//! one document per record. `scripts/prove` does the same in bad weather, as often as it is asked to.

use std::process::Stdio;
use std::time::Duration;

use connector::agreement::{Agreement, check};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rstest::rstest;
use sandbox::Options;
use sandbox::brex::Expectation;
use sandbox::fault::{FaultKind, Weather};
use sandbox::meter::Side;
use serde_json::Value;
use sqlx::{Connection as _, PgConnection};

use crate::database::{Database, Db};
use crate::fleet::on;
use crate::setting::{Setting, said};

const ROUNDS: u32 = 30;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_process_killed_at_thirty_random_moments_loses_nothing_and_doubles_nothing() {
    let (setting, agreement) = killed(ROUNDS, 500, None, None).await;
    let status = setting.run_json(&["status", "--json"]).await;
    assert_eq!(accounted_for(&status), ready(&setting), "every record is accounted for: {status}");
    let calm = Setting::make(Options { records: 500, vendors: 120, ..Options::default() }).await;
    assert!(calm.run(&["run", "--once", "--log", "error"]).await.status.success());
    let calm = check(&calm.sandbox.world());
    assert_eq!((calm.invoices, calm.credit_memos), (agreement.invoices, agreement.credit_memos), "the same books");
}

/// As often as `PROVE_ROUNDS` says, while every twentieth request goes wrong.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes as long as it is asked to: scripts/prove"]
async fn killed_as_often_as_asked_in_bad_weather(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(database) = Database::fresh(db).await else { return };
    let rounds = rounds_asked_for();
    let records = usize::try_from(rounds).unwrap() * 12 + 100;
    let weather = Weather {
        seed: 8,
        percent: 5,
        kinds: vec![
            FaultKind::DropBefore,
            FaultKind::DropAfter,
            FaultKind::Status { status: 503, body: None, retry_after: None },
            FaultKind::TruncatedBody { keep: Some(20) },
        ],
        side: None,
        method: None,
        path_contains: None,
    };
    let server = (db == Db::Postgres).then_some(database.url.as_str());
    let (setting, agreement) = killed(rounds, records, Some(weather), server).await;
    let status = setting.run_json(&["status", "--json"]).await;
    let lost = ready(&setting) - accounted_for(&status);
    // Who has to do something: nobody, but for what the sandbox's records themselves need a person for.
    let calm = Setting::make(Options { records, vendors: 120, ..Options::default() }).await;
    assert!(calm.run(&["run", "--once", "--log", "error"]).await.status.success());
    let manual = held(&status) - held(&calm.run_json(&["status", "--json"]).await);
    let doubled = agreement.duplicates.len();
    println!(
        "{db:?}: {rounds} rounds, {} documents: lost {lost}, duplicates {doubled}, manual steps {manual}",
        agreement.invoices
    );
    assert_eq!((lost, doubled, manual), (0, 0, 0));
}

#[expect(clippy::disallowed_methods, reason = "the script says how often")]
fn rounds_asked_for() -> u32 {
    std::env::var("PROVE_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(ROUNDS)
}

/// Kills the process at so many random moments and lets the last one finish. On a server the lease of each that was killed is let run
/// out by hand: half a minute after each kill nobody would have to be killed for.
async fn killed(rounds: u32, records: usize, weather: Option<Weather>, server: Option<&str>) -> (Setting, Agreement) {
    // Business Central takes a moment per request, so that kills hit requests under way.
    let setting = Setting::make(Options { records, vendors: 120, bc_latency_ms: 30, ..Options::default() }).await;
    if let Some(server) = server {
        on(&setting, server);
    }
    let faults = &setting.sandbox.world().faults;
    // Many a start gets no further than its first looks at the company, above all in bad weather or on a busy machine.
    let (least, most_requests) = if weather.is_some() { (rounds / 10, 45) } else { (rounds / 5, 30) };
    faults.set_weather(weather).unwrap();
    let seed = 8;
    let mut random = StdRng::seed_from_u64(seed);
    let mut during_work = 0;
    for round in 0..rounds {
        let before = check(&setting.sandbox.world());
        let mut child = tokio::process::Command::from(setting.command(&["run", "--log", "error"]));
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // After so many requests: at the start, while documents are made, or while one is read back. Counted in requests and
        // not in time, so that a busy machine meets the same moments.
        let requests = requests_in_bc(&setting) + random.next_u64() % most_requests;
        let mut patience = 5_000;
        while requests_in_bc(&setting) < requests && patience > 0 {
            if let Ok(status) = tokio::time::timeout(Duration::from_millis(1), child.wait()).await {
                panic!("round {round} (seed {seed}): the process ended by itself: {status:?}");
            }
            patience -= 1;
        }
        child.kill().await.unwrap();
        if let Some(server) = server {
            let mut database = PgConnection::connect(server).await.unwrap();
            sqlx::query("UPDATE lanes SET expires_ms = 0").execute(&mut database).await.unwrap();
        }
        let after = check(&setting.sandbox.world());
        assert_eq!(after.duplicates, Vec::<String>::new(), "after round {round} (seed {seed})");
        during_work += u32::from(after.invoices > before.invoices);
    }
    assert!(during_work >= least, "only {during_work} kills came while documents were being made");
    faults.set_weather(None).unwrap();
    let output = setting.run(&["run", "--once", "--log", "error"]).await;
    assert!(output.status.success(), "{}", said(&output));
    let agreement = check(&setting.sandbox.world());
    assert!(agreement.holds(), "{agreement:?}");
    (setting, agreement)
}

/// Records that are exported, no spend, or held.
pub(crate) fn accounted_for(status: &Value) -> i64 {
    let stages = &status["connections"][0]["stages"];
    stages["exported"].as_i64().unwrap() + stages["not_spend"].as_i64().unwrap() + held(status)
}

pub(crate) fn held(status: &Value) -> i64 {
    status["connections"][0]["held"].as_object().unwrap().values().filter_map(Value::as_i64).sum()
}

/// Records that Brex has ready.
pub(crate) fn ready(setting: &Setting) -> i64 {
    let reports = setting.sandbox.world().brex.records();
    i64::try_from(reports.iter().filter(|report| report.expect != Expectation::NotReady).count()).unwrap()
}

fn requests_in_bc(setting: &Setting) -> u64 {
    setting.sandbox.world().meter.tally(Side::Bc).requests
}
