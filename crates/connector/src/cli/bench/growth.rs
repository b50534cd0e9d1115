//! What a long life costs: records per second beside 10,000 stored records and beside a million, the pages of the console over them,
//! and how fast their audit trail is verified.

use domain::stage::Stage;
use serde_json::{Value, json};
use store::Chain;

use super::super::{Exit, Failure};
use super::connector::{Connector, SetUp};
use super::other_side::OtherSide;
use super::pass::{self, round};
use super::stored::{self, Kind};
use super::{BenchArgs, Profile, pages, real_time};
use crate::clock::{Clock as _, SystemClock};

/// What a young database holds.
const FEW: usize = 10_000;
/// What records leave in the trail here; a real one leaves about eight entries, which are as long.
const NOTES: usize = 2;
/// Entries of the trail that is verified by itself.
const ENTRIES: usize = 400_000;
/// Entries of one record of it.
const ENTRIES_OF_RECORD: usize = 8;

pub(super) async fn run(args: &BenchArgs) -> Result<Value, Failure> {
    let set_up = SetUp { receives: false, ..super::waiting::set_up(args) };
    let mut connector = Connector::set_up(&OtherSide::start(60, false).await?.ready, &set_up)?;
    let mut from = 0;
    let mut stages = Vec::new();
    let mut rates = Vec::new();
    for (stage, stored) in [FEW, args.stored].into_iter().enumerate() {
        let began = real_time::now();
        stored::fill(&connector, from, stored, Kind { stage: Stage::Exported, notes: NOTES }).await?;
        let filling = began.elapsed().as_secs_f64();
        from = stored;
        // The first pass after filling meets a cold cache and a long write-ahead log; the middle one of three counts.
        let mut passes = Vec::new();
        for pass in 0..3 {
            passes.push(one_pass(args, &set_up, &mut connector, &format!("accr_grown{stage}{pass}_")).await?);
        }
        passes.sort_by(f64::total_cmp);
        rates.push(passes.get(1).copied().unwrap_or(0.0));
        let bytes = size(&connector).await?;
        stages.push(json!({
            "stored": stored, "filled_in_seconds": round(filling), "database_mb": bytes / 1_048_576,
            "records_per_second": passes.into_iter().map(round).collect::<Vec<_>>(),
        }));
    }
    let ratio = rates.get(1).copied().unwrap_or(0.0) / rates.first().copied().unwrap_or(1.0).max(0.001);
    let pages = pages::run(&connector).await?;
    Ok(
        json!({ "records": args.records, "stages": stages, "of_young": round(ratio), "pages": pages, "audit": verify(&connector).await? }),
    )
}

/// Gives the records per second. Each pass has a sandbox of its own: a poll reads again what changed in its last ten minutes, and in one
/// that several passes share each of them would have more to read than the one before.
async fn one_pass(args: &BenchArgs, set_up: &SetUp, connector: &mut Connector, prefix: &str) -> Result<f64, Failure> {
    let mut other = OtherSide::start(60, false).await?;
    connector.meet(&other.ready, set_up)?;
    poll_at_once(connector).await?;
    let measured = pass::on(args, Profile::P0, &mut other, connector, prefix).await?;
    if measured.outcome.right < args.records {
        let text =
            format!("of {} records {} were exported, and nothing moved any more", args.records, measured.outcome.right);
        return Err(Failure::new(Exit::Disagreement, text));
    }
    Ok(pass::per_second(args.records, &measured.outcome))
}

/// A connector that starts again asks Brex when its next poll is due, which is in a quarter of an hour.
async fn poll_at_once(connector: &Connector) -> Result<(), Failure> {
    let (_, store) = stored::open(connector).await?;
    store.jobs().nudge(&stored::connection()?, crate::worker::POLL, SystemClock.now_ms()).await?;
    store.close().await;
    Ok(())
}

/// Verifies a trail of the usual length for each record.
pub(super) async fn audit(args: &BenchArgs) -> Result<Value, Failure> {
    let other = OtherSide::start(60, false).await?;
    let set_up = SetUp { receives: false, ..super::waiting::set_up(args) };
    let connector = Connector::set_up(&other.ready, &set_up)?;
    let kind = Kind { stage: Stage::Exported, notes: ENTRIES_OF_RECORD };
    stored::fill(&connector, 0, ENTRIES / ENTRIES_OF_RECORD, kind).await?;
    verify(&connector).await
}

async fn verify(connector: &Connector) -> Result<Value, Failure> {
    let (_, store) = stored::open(connector).await?;
    let began = real_time::now();
    let chain = store.audit().verify(&stored::connection()?).await?;
    let seconds = began.elapsed().as_secs_f64();
    store.close().await;
    match chain {
        Chain::Verified { entries, .. } => {
            let number = f64::from(u32::try_from(entries).unwrap_or(u32::MAX));
            Ok(json!({ "entries": entries, "seconds": round(seconds), "entries_per_second": round(number / seconds) }))
        }
        Chain::Broken(broken) => Err(Failure::new(Exit::Disagreement, format!("the trail is broken: {broken}"))),
    }
}

async fn size(connector: &Connector) -> Result<i64, Failure> {
    let (_, store) = stored::open(connector).await?;
    let bytes = store.size_bytes().await?;
    store.close().await;
    Ok(bytes)
}
