//! Eight processes, of which three are killed and one is frozen, again and again, for the length of a load.

use std::time::Duration;

use nix::sys::signal::Signal;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use sandbox::Options;
use sandbox::meter::Side;
use sqlx::{Connection as _, PgConnection};
use tokio::process::Child;

use super::server::count;
use super::{Calm, GOOD, asked, on, signal, stop, worker_only};
use crate::database::{Database, Db};
use crate::setting::Setting;

const PROCESSES: usize = 8;
const SEED: u64 = 8;
/// Longer than a lease, which is 30 seconds.
const FROZEN: Duration = Duration::from_secs(36);
/// How often one looks how far they are: a look goes through all records.
const LOOK: Duration = Duration::from_secs(2);
/// Somebody goes on within this many looks, whatever happened.
const PATIENCE: u32 = 120;

#[derive(Default)]
struct Chaos {
    kills: u32,
    freezes: u32,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes as long as it is asked to: scripts/prove --fleet"]
async fn eight_processes_killed_and_frozen_at_random_make_one_document_each_within_the_limits() {
    let Some(database) = Database::fresh(Db::Postgres).await else { return };
    let options =
        Options { records: asked("PROVE_RECORDS", 500), vendors: 120, bc_latency_ms: 100, ..Options::default() };
    let calm = Calm::of(&options).await;
    let setting = Setting::make(options).await;
    on(&setting, &database.url);
    // As in production, but for the settle window: nobody is frozen for twenty minutes here.
    setting.edit("requests_per_second = 1000\n", "");
    setting.edit("poll_seconds = 1", "poll_seconds = 60");
    setting.edit("settle_seconds = 3", "settle_seconds = 60");

    // The first makes the keys that all of them share.
    let mut fleet = vec![worker_only(&setting)];
    progress(&mut fleet[0], &setting, 1).await;
    while fleet.len() < PROCESSES {
        fleet.push(worker_only(&setting));
    }
    let chaos = disturb(&mut fleet, &setting, calm.documents).await;
    let mut patience = PATIENCE;
    while !calm.is_reached(&setting) {
        look(&mut fleet[0]).await;
        patience -= 1;
        assert!(patience > 0, "nobody goes on to the end");
    }
    for process in fleet {
        stop(process).await;
    }
    report(&setting, &database, &calm, &chaos).await;
}

/// Until nine of ten documents are there: three are killed and followed by new ones, one is frozen past its lease and wakes up.
async fn disturb(fleet: &mut [Child], setting: &Setting, all: usize) -> Chaos {
    let mut random = StdRng::seed_from_u64(SEED);
    let mut chaos = Chaos::default();
    while made(setting) < all * 9 / 10 {
        let mut chosen: Vec<usize> = (0..PROCESSES).collect();
        for at in 0..4 {
            let other = at + usize::try_from(random.next_u64()).unwrap() % (PROCESSES - at);
            chosen.swap(at, other);
        }
        let frozen = chosen[0];
        signal(&fleet[frozen], Signal::SIGSTOP);
        chaos.freezes += 1;
        for killed in &chosen[1..4] {
            let more = usize::try_from(random.next_u64() % 40).unwrap();
            pass(&mut fleet[frozen], setting, more).await;
            fleet[*killed].kill().await.unwrap();
            fleet[*killed] = worker_only(setting);
            chaos.kills += 1;
        }
        let ended = tokio::time::timeout(FROZEN, fleet[frozen].wait()).await;
        assert!(ended.is_err(), "the frozen one ended by itself: {ended:?}");
        signal(&fleet[frozen], Signal::SIGCONT);
        let next = made(setting) + all / 20;
        progress(&mut fleet[frozen], setting, next.min(all * 9 / 10)).await;
    }
    chaos
}

fn made(setting: &Setting) -> usize {
    setting.sandbox.world().bc.ledger().len()
}

async fn look(alive: &mut Child) {
    let ended = tokio::time::timeout(LOOK, alive.wait()).await;
    assert!(ended.is_err(), "a process ended by itself: {ended:?}");
}

/// Waits until so many documents are there.
async fn progress(alive: &mut Child, setting: &Setting, wanted: usize) {
    let mut patience = PATIENCE;
    while made(setting) < wanted {
        look(alive).await;
        patience -= 1;
        assert!(patience > 0, "nobody goes on");
    }
}

/// Lets so many more documents come, or a few seconds go by while nobody has the lane.
async fn pass(alive: &mut Child, setting: &Setting, more: usize) {
    let wanted = made(setting) + more;
    for _ in 0..3 {
        if made(setting) >= wanted {
            return;
        }
        look(alive).await;
    }
}

async fn report(setting: &Setting, database: &Database, calm: &Calm, chaos: &Chaos) {
    let outcome = calm.compare(setting).await;
    let mut admin = PgConnection::connect(&database.url).await.unwrap();
    let epochs = count(&mut admin, "SELECT MAX(epoch) FROM lanes").await;
    let tally = setting.sandbox.world().meter.tally(Side::Bc);
    println!(
        "{} records, {} documents by {PROCESSES} processes, {} kills, {} freezes, {} changes of hands: {outcome:?}; Business Central: {} \
         requests, at most {} at once, {} in five seconds",
        setting.sandbox.world().options.records,
        made(setting),
        chaos.kills,
        chaos.freezes,
        epochs - 1,
        tally.requests,
        tally.most_at_once,
        tally.most_in_five_seconds,
    );
    assert_eq!(outcome, GOOD);
    assert!(tally.most_at_once <= 5 && tally.most_in_five_seconds <= 100, "beyond the limits of the lane");
}
