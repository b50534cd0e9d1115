//! `audit erase`: what is kept of the person behind a record goes for good.

use clap::Args;
use domain::audit::Actor;
use domain::id::RecordId;
use serde_json::json;

use super::super::{Common, Exit, Failure, open, print_json};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;

#[derive(Debug, Args)]
pub(in crate::cli) struct EraseArgs {
    /// Id of the record in Brex (accr_…).
    record: String,
    /// Why; kept in the audit trail.
    #[arg(long)]
    reason: String,
    /// Who asks.
    #[arg(long, env = "USER", default_value = "unknown")]
    person: String,
    /// It cannot be taken back: say that you mean it.
    #[arg(long, required = true)]
    yes: bool,
}

pub(super) async fn erase(common: &Common, config: &Config, args: &EraseArgs) -> Result<Exit, Failure> {
    let store = open::store(config).await?;
    let record = RecordId::new(args.record.as_str());
    let found = store.records().find_anywhere(&record).await?;
    let Some((connection, row)) = found.into_iter().next() else {
        return Err(Failure::new(Exit::NotFound, format!("the record {record} is not known here")));
    };
    let is_settled = store.intents().list_open(&connection, std::slice::from_ref(&record)).await?.is_empty();
    if !row.stage.is_done() || row.hold.is_some() || !is_settled {
        let text = format!("the record {record} is not over (it is in {}): it is needed until then", row.stage);
        return Err(Failure::new(Exit::NotTaken, text));
    }
    let (now_ms, actor) = (SystemClock.now_ms(), Actor::Person(args.person.clone()));
    let erased = store.audit().erase(&connection, &record, row.rev, &args.reason, now_ms, &actor).await?;
    store.close().await;
    if common.json {
        print_json(&json!({ "record": record, "entries": erased.entries, "older": erased.older }));
    } else {
        println!(
            "{record}: erased in {} entries of the trail, with what Brex sent and what was planned",
            erased.entries
        );
        if erased.older > 0 {
            println!("{} older entries keep their details: the chain rests on them", erased.older);
        }
    }
    Ok(Exit::Done)
}
