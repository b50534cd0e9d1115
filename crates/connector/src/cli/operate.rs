//! `retry`, `skip` and `replay`: leaves a request for the worker, with who asks and why.

use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;
use clap::{Args, ValueEnum};
use domain::id::RecordId;
use domain::stage::Stage;
use serde_json::json;

use super::{Common, Exit, Failure, again, open, print_json};
use crate::clock::{Clock, SystemClock};
use crate::flow::operator::{Request, Verb};

#[derive(Clone, Debug, Args)]
pub(super) struct OperateArgs {
    /// Id of the record in Brex (accr_…).
    record: String,
    /// Why; kept in the audit trail.
    #[arg(long)]
    reason: String,
    /// Who asks.
    #[arg(long, env = "USER", default_value = "unknown")]
    person: String,
}

#[derive(Clone, Debug, Args)]
pub(super) struct ReplayArgs {
    /// Id of the record in Brex (accr_…).
    record: String,
    /// Why; kept in the audit trail.
    #[arg(long, required_unless_present = "against")]
    reason: Option<String>,
    /// Take it up again from this stage, instead of planning anew what was deleted.
    #[arg(long, value_parser = stage())]
    from: Option<Stage>,
    /// Change nothing: run what is recorded of it on a sandbox, and show what comes out differently.
    #[arg(long, conflicts_with = "from")]
    against: Option<Against>,
    /// Who asks.
    #[arg(long, env = "USER", default_value = "unknown")]
    person: String,
}

/// What a record can be run against without changing anything.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Against {
    /// A sandbox in this process, with the company as it was last mirrored.
    Sandbox,
}

fn stage() -> impl clap::builder::TypedValueParser<Value = Stage> {
    PossibleValuesParser::new(Stage::REPLAYABLE.map(Stage::as_str)).try_map(|text| text.parse::<Stage>())
}

/// `retry` and `skip`.
pub(super) async fn operate(common: &Common, verb: Verb, args: &OperateArgs) -> Result<Exit, Failure> {
    let record = RecordId::new(args.record.as_str());
    let (person, reason) = (args.person.clone(), args.reason.clone());
    ask(common, Request { verb, record, person, reason, from: None, rev: None }).await
}

/// `replay`.
pub(super) async fn replay(common: &Common, args: &ReplayArgs) -> Result<Exit, Failure> {
    let record = RecordId::new(args.record.as_str());
    if let Some(Against::Sandbox) = args.against {
        return again::against_sandbox(common, &record).await;
    }
    let (person, reason) = (args.person.clone(), args.reason.clone().unwrap_or_default());
    ask(common, Request { verb: Verb::Replay, record, person, reason, from: args.from, rev: None }).await
}

async fn ask(common: &Common, request: Request) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let store = open::store(&config).await?;
    let found = store.records().find_anywhere(&request.record).await?;
    let Some((connection, _)) = found.first() else {
        return Err(Failure::new(Exit::NotFound, format!("the record {} is not known here", request.record)));
    };
    let argument = serde_json::to_string(&request).unwrap_or_default();
    store.jobs().request(connection, &request.job(), Some(&argument), SystemClock.now_ms()).await?;
    store.close().await;
    let word = request.verb.as_str();
    if common.json {
        print_json(&json!({ "asked": word, "record": request.record, "connection": connection.as_str() }));
    } else {
        println!(
            "asked to {word} {}: the running ml-connector does it within seconds, else the next run",
            request.record
        );
    }
    Ok(Exit::Done)
}
