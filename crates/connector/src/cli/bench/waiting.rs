//! How long it takes until a connector that was just started can work, and what it uses while there is nothing to do.

use std::time::{Duration, Instant};

use domain::stage::Stage;
use reqwest::Client;
use serde_json::{Value, json};

use super::super::{Exit, Failure};
use super::connector::{Connector, SetUp};
use super::other_side::OtherSide;
use super::pass::round;
use super::stored::{self, Kind};
use super::{BenchArgs, real_time};

/// Open records of the second start.
const OPEN: usize = 100_000;
const PATIENCE: Duration = Duration::from_mins(1);
/// A start is measured so often; the middle one counts.
const STARTS: usize = 5;
/// How long it is left alone.
const IDLE_SECONDS: u64 = 30;

/// From the start of the process to the answer that it can work: on an empty database, and with 100,000 open records.
pub(super) async fn start(args: &BenchArgs) -> Result<Value, Failure> {
    let other = OtherSide::start(60, false).await?;
    let mut connector = Connector::set_up(&other.ready, &set_up(args))?;
    let first = until_ready(&mut connector).await?;
    connector.stop().await?;
    let cold = starts(&mut connector).await?;
    stored::fill(&connector, 0, OPEN, Kind { stage: Stage::Draft, notes: 1 }).await?;
    let with_open = starts(&mut connector).await?;
    Ok(json!({
        "first_start_seconds": round(first), "start_seconds": cold, "open_records": OPEN,
        "start_with_open_seconds": with_open,
    }))
}

/// What it uses when nothing comes.
pub(super) async fn idle(args: &BenchArgs) -> Result<Value, Failure> {
    let other = OtherSide::start(60, false).await?;
    let mut connector = Connector::set_up(&other.ready, &set_up(args))?;
    until_ready(&mut connector).await?;
    real_time::pause(3_000).await;
    let before = connector.usage()?;
    real_time::pause(IDLE_SECONDS * 1_000).await;
    let used = connector.usage()?.since(before);
    connector.stop().await?;
    Ok(json!({
        "idle_seconds": IDLE_SECONDS, "rss_mb": megabytes(used.rss_kb), "peak_rss_mb": megabytes(used.peak_rss_kb),
        "cpu_ms_per_minute": used.cpu_ms * 60 / IDLE_SECONDS, "written_bytes_per_minute": used.written_bytes * 60 / IDLE_SECONDS,
    }))
}

pub(super) fn set_up(args: &BenchArgs) -> SetUp {
    SetUp {
        database: args.database.clone(),
        paced: false,
        backfill_batch: args.backfill_batch,
        settle_seconds: args.settle_seconds,
        receives: true,
        directory: false,
        wrapper: Vec::new(),
    }
}

/// Several starts in seconds: the middle one, the quickest and the slowest.
async fn starts(connector: &mut Connector) -> Result<Value, Failure> {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        times.push(until_ready(connector).await?);
        connector.stop().await?;
    }
    times.sort_by(f64::total_cmp);
    let [least, middle, most] = [0, STARTS / 2, STARTS - 1].map(|place| times.get(place).copied().map(round));
    Ok(json!({ "median": middle, "min": least, "max": most }))
}

/// Starts it and asks until it says that it can work. Seconds.
pub(super) async fn until_ready(connector: &mut Connector) -> Result<f64, Failure> {
    let http = Client::builder().no_proxy().build().map_err(|e| Failure::new(Exit::Unexpected, e.to_string()))?;
    let url = format!("http://{}/readyz", connector.operations);
    let started: Instant = real_time::now();
    connector.start()?;
    loop {
        if http.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
            return Ok(started.elapsed().as_secs_f64());
        }
        connector.must_run()?;
        if started.elapsed() > PATIENCE {
            return Err(Failure::new(Exit::Unexpected, "the connector does not become ready"));
        }
        real_time::pause(2).await;
    }
}

fn megabytes(kb: u64) -> f64 {
    round(f64::from(u32::try_from(kb).unwrap_or(u32::MAX)) / 1_024.0)
}
