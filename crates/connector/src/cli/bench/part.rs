//! The parts of a benchmark that run in processes of their own, so that what each uses is measured alone: the sandbox, and the
//! floor client. They speak lines of JSON over their standard input and output, and end when the input does.

use std::collections::BTreeMap;
use std::io::Write as _;

use clap::{Args, ValueEnum};
use sandbox::meter::Side;
use sandbox::{Options, Sandbox, World};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::super::{Exit, Failure};
use super::{floor, real_time, records};

/// Which part.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Part {
    Sandbox,
    Floor,
}

#[derive(Clone, Debug, Args)]
pub(in super::super) struct PartArgs {
    part: Part,
    /// Vendors in the sandbox's Business Central.
    #[arg(long, default_value_t = 60)]
    vendors: usize,
    /// Whether the sandbox's Business Central enforces its limits.
    #[arg(long)]
    limits: bool,
}

/// What the sandbox is asked for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Ask {
    /// Put records in, and forget what was counted.
    Insert { prefix: String, number: usize },
    /// How far it is.
    Progress { prefix: String },
    /// What became of them.
    Outcome { prefix: String },
}

/// How far it is.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Progress {
    /// Whether anything was asked for.
    pub(super) has_begun: bool,
    /// Documents that were made.
    pub(super) made: usize,
    /// Records that are exported.
    pub(super) exported: usize,
}

/// What became of the records.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Outcome {
    /// From the first request to the last export.
    pub(super) took_ms: i64,
    /// Documents that name one of them.
    pub(super) documents: usize,
    /// Records that are exported and have exactly the document that Brex was told.
    pub(super) right: usize,
    /// Records without a document, or not exported.
    pub(super) lost: usize,
    /// Records with more than one document.
    pub(super) duplicates: usize,
    /// Records with another amount, or another document than Brex was told.
    pub(super) wrong: usize,
    /// What each side was asked.
    pub(super) requests: BTreeMap<String, Value>,
}

impl Outcome {
    /// A number of what a side was asked, such as `requests`; 0 if it was asked nothing.
    pub(super) fn counted(&self, side: &str, name: &str) -> u64 {
        self.requests.get(side).and_then(|tally| tally.get(name)?.as_u64()).unwrap_or(0)
    }
}

pub(in super::super) async fn part(args: &PartArgs) -> Result<Exit, Failure> {
    match args.part {
        Part::Sandbox => sandbox(args).await,
        Part::Floor => {
            let mut lines = BufReader::new(tokio::io::stdin()).lines();
            let job = lines.next_line().await?.unwrap_or_default();
            say(&floor::run(&read(&job)?).await?)?;
            // What it used can be read until the input ends.
            lines.next_line().await?;
            Ok(Exit::Done)
        }
    }
}

async fn sandbox(args: &PartArgs) -> Result<Exit, Failure> {
    let options = Options { records: 0, vendors: args.vendors, bc_limits: args.limits, ..Options::default() };
    let sandbox = Sandbox::start(options).await?;
    say(sandbox.ready())?;
    let world = sandbox.world();
    let mut documents = world.bc.count_documents();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        match read(&line)? {
            Ask::Insert { prefix, number } => {
                let inserted = records::insert(&world, &prefix, number);
                inserted.map_err(|why| Failure::new(Exit::Unexpected, why))?;
                world.meter.reset();
                documents = world.bc.count_documents();
                say(&json!(number))?;
            }
            Ask::Progress { prefix } => {
                let made = world.bc.count_documents().saturating_sub(documents);
                let has_begun = world.meter.tally(Side::Brex).requests > 0;
                say(&Progress { has_begun, made, exported: world.brex.count_at(&prefix, "EXPORTED") })?;
            }
            Ask::Outcome { prefix } => say(&outcome(&world, &prefix)?)?,
        }
    }
    sandbox.stop().await?;
    Ok(Exit::Done)
}

fn outcome(world: &World, prefix: &str) -> Result<Outcome, Failure> {
    use sandbox::Verdict::{AmountDiffers, Duplicate, NotExported, ReferenceDiffers};
    let mut outcome = Outcome::default();
    let mut last_ms = i64::MIN;
    let mut all = 0_usize;
    world.brex.each_record(|report| {
        if report.id.starts_with(prefix) {
            all += 1;
            last_ms = report.exports.last().map_or(last_ms, |export| last_ms.max(export.at.as_millisecond()));
        }
    });
    for record in world.agreement_by_record().into_iter().filter(|record| record.record_id.starts_with(prefix)) {
        outcome.documents += record.documents.len();
        let is = |verdict| record.verdicts.contains(&verdict);
        outcome.duplicates += usize::from(is(Duplicate));
        outcome.wrong += usize::from(is(AmountDiffers) || is(ReferenceDiffers));
        let is_done = !record.documents.is_empty() && !is(NotExported);
        outcome.right += usize::from(is_done && record.verdicts.is_empty());
        all -= usize::from(is_done);
    }
    outcome.lost = all;
    let tallies = world.meter.tallies();
    let began = tallies.values().filter_map(|tally| tally.began).min();
    let ago = began.map_or(0, |began| i64::try_from((real_time::now() - began).as_millis()).unwrap_or(i64::MAX));
    outcome.took_ms = last_ms.saturating_sub(world.clock.now().as_millisecond().saturating_sub(ago)).max(0);
    for (side, tally) in tallies {
        let name = match side {
            Side::Brex => "brex",
            Side::Entra => "entra",
            Side::Bc => "bc",
        };
        outcome.requests.insert(name.to_owned(), serde_json::to_value(tally).map_err(|error| unreadable(&error))?);
    }
    Ok(outcome)
}

fn say(value: &impl Serialize) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    serde_json::to_writer(&out, value).map_err(|error| unreadable(&error))?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

pub(super) fn read<T: for<'d> Deserialize<'d>>(line: &str) -> Result<T, Failure> {
    serde_json::from_str(line).map_err(|error| unreadable(&error))
}

fn unreadable(error: &serde_json::Error) -> Failure {
    Failure::new(Exit::Unexpected, format!("the parts of the benchmark do not understand each other: {error}"))
}
