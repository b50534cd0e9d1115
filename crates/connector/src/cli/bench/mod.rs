//! `bench`: measures the connector against the sandbox, each in a process of its own, and prints what it came to.
//! docs/performance.md has the figures, what they were measured on, and what is to be reached.

mod connector;
mod floor;
mod growth;
mod ingest;
mod other_side;
mod pages;
pub(super) mod part;
mod pass;
mod peer;
mod real_time;
mod records;
mod stored;
mod usage;
mod vendors;
mod waiting;

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Common, Exit, Failure, print_json, text};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(super) enum Profile {
    /// Neither system takes any time.
    P0,
    /// Both take the time that real ones take, and Business Central has its limits.
    P1,
    /// The same with lost answers, errors, closed connections, and a time in which everything is refused as too many.
    P2,
    /// As p0, killed twice.
    P3,
    /// Webhooks from 20 and 200 connections at once.
    Ingest,
    /// A connector with nothing to do.
    Idle,
    /// How long it takes to be ready.
    Start,
    /// How fast the audit trail is verified.
    Audit,
    /// Records, pages and trail beside many stored records.
    Growth,
    /// As many vendors as `--records` says, made in Brex.
    Vendors,
    /// What another program that does the same job, `--peer`, comes to in p0.
    Peer,
}

#[derive(Clone, Debug, Args)]
pub(super) struct BenchArgs {
    /// What to measure.
    #[arg(long, value_enum, default_value_t = Profile::P0)]
    profile: Profile,
    /// How many records.
    #[arg(long, default_value_t = 1_000)]
    records: usize,
    /// `sqlite`, or the address of an empty PostgreSQL database.
    #[arg(long, default_value = "sqlite")]
    database: String,
    /// How long Business Central refuses everything in p2.
    #[arg(long, default_value_t = 60)]
    storm_seconds: u64,
    /// How long an unclear outcome is looked at before a document counts as not made; 1200 in a real connection.
    #[arg(long, default_value_t = 20)]
    settle_seconds: u32,
    /// How many records are stored already in growth.
    #[arg(long, default_value_t = 1_000_000)]
    stored: usize,
    /// How long each round of ingest takes.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// How many drafts are made with one `$batch` in p0 to p3; in p1 and p2 at most as many as the pace takes in a second.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=20))]
    backfill_batch: u8,
    /// The program of the profile `peer`; `bench/peers/README.md` says what it is told.
    #[arg(long)]
    peer: Option<std::path::PathBuf>,
    /// A command that the connector is started by, such as a tracer; its log becomes part of the answer.
    #[arg(long, hide = true, value_delimiter = ' ')]
    wrapper: Vec<String>,
}

pub(super) async fn bench(common: &Common, args: &BenchArgs) -> Result<Exit, Failure> {
    let mut report = match args.profile {
        Profile::P0 | Profile::P1 | Profile::P2 | Profile::P3 => pass::run(args, args.profile).await?,
        Profile::Ingest => ingest::run(args).await?,
        Profile::Idle => waiting::idle(args).await?,
        Profile::Start => waiting::start(args).await?,
        Profile::Audit => growth::audit(args).await?,
        Profile::Growth => growth::run(args).await?,
        Profile::Vendors => vendors::run(args).await?,
        Profile::Peer => peer::run(args).await?,
    };
    report["profile"] = json!(args.profile);
    report["build"] = json!(if cfg!(debug_assertions) { "debug" } else { "release" });
    if args.profile != Profile::Peer {
        report["database"] = json!(if args.database == "sqlite" { "sqlite" } else { "postgres" });
    }
    if common.json {
        print_json(&report);
    } else {
        print(&report, "");
    }
    Ok(if is_sound(&report) { Exit::Done } else { Exit::Disagreement })
}

/// Whether nothing is lost, twice, wrong, or left to a person.
fn is_sound(report: &Value) -> bool {
    ["lost", "duplicates", "wrong", "manual"]
        .iter()
        .all(|name| report.get(name).is_none_or(|number| number.as_u64() == Some(0)))
}

fn print(value: &Value, indent: &str) {
    for (name, value) in value.as_object().into_iter().flatten() {
        if value.is_object() {
            println!("{indent}{name}");
            print(value, &format!("{indent}  "));
        } else {
            println!("{indent}{name:28} {}", text(value));
        }
    }
}
