//! One pass over N records: in fair weather without latency (p0), with that of a real tenant (p1), in bad weather (p2), or killed
//! twice (p3).

use clients::Pace;
use reqwest::Method;
use serde_json::{Value, json};

use super::super::Failure;
use super::connector::{Connector, SetUp};
use super::other_side::OtherSide;
use super::part::{Outcome, Progress};
use super::{BenchArgs, Profile, real_time, stored};

/// Requests a second that Business Central lets through in p1 and p2, counted in any five seconds: it counts in five minutes itself
/// (business-central.md §9), of which a minute of work would notice nothing.
const PER_SECOND: u32 = 20;
const WINDOW_SECONDS: u32 = 5;
pub(super) const PER_WINDOW: u32 = PER_SECOND * WINDOW_SECONDS;
/// Median times in p1 and p2, and the spread of Business Central's.
const CREATE_MS: u32 = 250;
const LOOK_UP_MS: u32 = 60;
const BREX_MS: u64 = 80;
const SPREAD_PERCENT: u32 = 50;
/// Looks at how far it is.
pub(super) const LOOK_EVERY_MS: u64 = 50;
/// Nothing has moved for so long: it hangs.
pub(super) const PATIENCE_MS: u64 = 180_000;
pub(super) const PREFIX: &str = "accr_bench_";

/// Lets connector and floor client do the same job, and says how each went.
pub(super) async fn run(args: &BenchArgs, profile: Profile) -> Result<Value, Failure> {
    let is_real = matches!(profile, Profile::P1 | Profile::P2);
    let mut other = OtherSide::start(60, is_real).await?;
    let mut floors = Vec::new();
    if profile == Profile::P0 {
        floors.push(floor(&mut other, "accr_floor1_", args.records).await?);
    }
    if is_real {
        set_latency(&other).await?;
    }
    if profile == Profile::P2 {
        set_weather(&other).await?;
    }
    let in_a_second = u8::try_from(Pace::BUSINESS_CENTRAL.requests_per_second).unwrap_or(u8::MAX);
    let set_up = SetUp {
        database: args.database.clone(),
        paced: is_real,
        backfill_batch: if is_real { args.backfill_batch.min(in_a_second) } else { args.backfill_batch },
        settle_seconds: args.settle_seconds,
        receives: false,
        directory: false,
        wrapper: args.wrapper.clone(),
    };
    let mut connector = Connector::set_up(&other.ready, &set_up)?;
    let measured = on(args, profile, &mut other, &mut connector, PREFIX).await?;
    if profile == Profile::P0 {
        floors.push(floor(&mut other, "accr_floor2_", args.records).await?);
    }
    Ok(report(args, profile, measured, &floors))
}

/// What the floor client came to.
struct Floor {
    per_second: f64,
    cpu_ms_per_record: f64,
    peak_rss_kb: u64,
}

async fn floor(other: &mut OtherSide, prefix: &str, records: usize) -> Result<Floor, Failure> {
    let (done, usage) = other.floor(prefix, records).await?;
    Ok(Floor {
        per_second: rate(done.records, done.seconds),
        cpu_ms_per_record: per(usage.cpu_ms, done.records),
        peak_rss_kb: usage.peak_rss_kb,
    })
}

/// What the connector came to.
pub(super) struct Measured {
    pub(super) outcome: Outcome,
    usage: super::usage::Usage,
    manual: i64,
    kills: usize,
    trace: Option<String>,
}

/// Lets a connector do its job on new records, and stops it.
pub(super) async fn on(
    args: &BenchArgs,
    profile: Profile,
    other: &mut OtherSide,
    connector: &mut Connector,
    prefix: &str,
) -> Result<Measured, Failure> {
    other.insert(prefix, args.records).await?;
    let before = connector.usage()?;
    connector.start()?;
    let kill_at: &[usize] = if profile == Profile::P3 { &[30, 70] } else { &[] };
    let storm = (profile == Profile::P2).then_some(args.storm_seconds);
    let kills = watch(other, connector, (prefix, args.records), kill_at, storm).await?;
    let usage = connector.usage()?.since(before);
    connector.stop().await?;
    let outcome = other.outcome(prefix).await?;
    let manual = held(connector).await?;
    let trace = std::fs::read_to_string(connector.log()).ok().filter(|_| !args.wrapper.is_empty());
    Ok(Measured { outcome, usage, manual, kills, trace })
}

/// Waits until every record is exported, or nothing moves any more. Kills and starts again as it goes. Says how often.
async fn watch(
    other: &mut OtherSide,
    connector: &mut Connector,
    (prefix, records): (&str, usize),
    kill_at: &[usize],
    storm: Option<u64>,
) -> Result<usize, Failure> {
    let mut kill_at = kill_at.iter();
    let mut next_kill = kill_at.next();
    let mut kills = 0;
    let mut stormed = false;
    let (mut last, mut moved) = (Progress::default(), real_time::now());
    loop {
        real_time::pause(LOOK_EVERY_MS).await;
        let progress = other.progress(prefix).await?;
        if progress.exported >= records {
            return Ok(kills);
        }
        if next_kill.is_some_and(|percent| progress.made * 100 >= records * percent) {
            connector.kill().await?;
            connector.start()?;
            kills += 1;
            next_kill = kill_at.next();
        }
        if let Some(seconds) = storm.filter(|_| !stormed && progress.made * 2 >= records) {
            stormed = true;
            other.storm(true).await?;
            real_time::pause(seconds * 1_000).await;
            other.storm(false).await?;
        }
        connector.must_run()?;
        if (progress.made, progress.exported) != (last.made, last.exported) {
            (last, moved) = (progress, real_time::now());
        } else if moved.elapsed().as_millis() > u128::from(PATIENCE_MS) {
            return Ok(kills);
        }
    }
}

/// How many records wait for a person.
async fn held(connector: &Connector) -> Result<i64, Failure> {
    let (_, store) = stored::open(connector).await?;
    let counts = store.records().counts(&stored::connection()?).await?;
    store.close().await;
    Ok(counts.iter().filter(|count| count.hold_code.is_some()).map(|count| count.records).sum())
}

async fn set_latency(other: &OtherSide) -> Result<(), Failure> {
    let settings = json!({
        "latency": { "median_ms": CREATE_MS, "read_median_ms": LOOK_UP_MS, "spread_percent": SPREAD_PERCENT, "seed": 1 },
        "limits": { "requests_per_window": PER_WINDOW, "window_seconds": WINDOW_SECONDS, "at_once": 5 },
    });
    other.control(Method::PATCH, "bc/settings", Some(settings)).await?;
    let delay = json!({ "side": "brex", "times": u32::MAX, "kind": { "delay": { "ms": BREX_MS } } });
    other.control(Method::POST, "faults", Some(delay)).await.map(drop)
}

/// One answer of a hundred is lost after the effect, one request of a hundred is refused with 503 or 500, two of a hundred meet a
/// connection that was just closed.
async fn set_weather(other: &OtherSide) -> Result<(), Failure> {
    let some = |percent: u8, seed: u64, kind: Value| json!({ "percent": percent, "seed": seed, "times": u32::MAX, "kind": kind });
    other.control(Method::DELETE, "faults", None).await?;
    let faults = json!([
        some(1, 11, json!("drop_after")),
        some(1, 12, json!({ "status": { "status": 503 } })),
        some(2, 13, json!("stale_connection")),
        { "side": "brex", "times": u32::MAX, "kind": { "delay": { "ms": BREX_MS } } },
    ]);
    other.control(Method::POST, "faults", Some(faults)).await.map(drop)
}

fn report(args: &BenchArgs, profile: Profile, measured: Measured, floors: &[Floor]) -> Value {
    let Measured { outcome, usage, manual, kills, trace } = measured;
    let seconds = seconds(&outcome);
    let per_second = per_second(args.records, &outcome);
    let asked = |side: &str| outcome.counted(side, "requests");
    let mut report = json!({
        "records": args.records,
        "seconds": round(seconds),
        "records_per_second": round(per_second),
        "cpu_ms_per_record": round(per(usage.cpu_ms, args.records)),
        "peak_rss_mb": usage.peak_rss_kb / 1_024,
        "written_bytes_per_record": usage.written_bytes / u64::try_from(args.records.max(1)).unwrap_or(1),
        "requests_per_record": {
            "bc": round(per(asked("bc"), args.records)), "brex": round(per(asked("brex"), args.records)),
            "all": round(per(asked("bc") + asked("brex") + asked("entra"), args.records)),
        },
        "requests": outcome.requests,
        "most_at_once_bc": outcome.counted("bc", "most_at_once"),
        "most_in_a_second_bc": outcome.counted("bc", "most_in_a_second"),
        "most_in_five_seconds_bc": outcome.counted("bc", "most_in_five_seconds"),
        "documents": outcome.documents,
        "right": outcome.right,
        "lost": outcome.lost,
        "duplicates": outcome.duplicates,
        "wrong": outcome.wrong,
        "manual": manual,
        "kills": kills,
    });
    if profile == Profile::P2 {
        report["storm_seconds"] = json!(args.storm_seconds);
        report["settle_seconds"] = json!(args.settle_seconds);
    }
    if matches!(profile, Profile::P1 | Profile::P2) {
        // The mean of a log-normal is above its median.
        let sigma = f64::from(SPREAD_PERCENT) / 100.0;
        let mean = f64::from(CREATE_MS) / 1_000.0 * (sigma * sigma / 2.0).exp();
        let most = (5.0 / mean).min(f64::from(PER_SECOND));
        report["possible_per_second"] = json!(round(most));
        report["of_possible"] = json!(round(per_second / most));
    }
    if !floors.is_empty() {
        let mean = floors.iter().map(|floor| floor.per_second).sum::<f64>()
            / f64::from(u32::try_from(floors.len()).unwrap_or(1));
        report["floor"] = json!({
            "records_per_second": floors.iter().map(|floor| round(floor.per_second)).collect::<Vec<_>>(),
            "cpu_ms_per_record": floors.iter().map(|floor| round(floor.cpu_ms_per_record)).collect::<Vec<_>>(),
            "peak_rss_mb": floors.iter().map(|floor| floor.peak_rss_kb / 1_024).max(),
        });
        report["of_floor"] = json!(round(per_second / mean));
    }
    if let Some(trace) = trace {
        report["trace"] = json!(trace);
    }
    report
}

/// From the first request to the last export.
pub(super) fn seconds(outcome: &Outcome) -> f64 {
    f64::from(i32::try_from(outcome.took_ms).unwrap_or(i32::MAX)) / 1_000.0
}

/// Records per second of a pass.
pub(super) fn per_second(records: usize, outcome: &Outcome) -> f64 {
    rate(records, seconds(outcome))
}

fn rate(records: usize, seconds: f64) -> f64 {
    f64::from(u32::try_from(records).unwrap_or(u32::MAX)) / seconds.max(0.001)
}

pub(super) fn per(amount: u64, records: usize) -> f64 {
    let amount = f64::from(u32::try_from(amount).unwrap_or(u32::MAX));
    amount / f64::from(u32::try_from(records.max(1)).unwrap_or(u32::MAX))
}

/// Three digits behind the point are more than any of these is worth.
pub(super) fn round(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}
