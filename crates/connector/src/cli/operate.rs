//! `retry` and `skip`: leaves a request for the worker, with who asks and why.

use clap::Args;
use domain::id::RecordId;
use serde_json::json;

use super::{Common, Exit, Failure, open, print_json};
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

pub(super) async fn operate(common: &Common, verb: Verb, args: &OperateArgs) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let store = open::store(&config).await?;
    let record = RecordId::new(args.record.as_str());
    let found = store.records().find_anywhere(&record).await?;
    let Some((connection, _)) = found.first() else {
        return Err(Failure::new(Exit::NotFound, format!("the record {record} is not known here")));
    };
    let request = Request { verb, record, person: args.person.clone(), reason: args.reason.clone(), rev: None };
    let argument = serde_json::to_string(&request).unwrap_or_default();
    store.jobs().request(connection, &request.job(), Some(&argument), SystemClock.now_ms()).await?;
    store.close().await;
    let word = verb.as_str();
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
