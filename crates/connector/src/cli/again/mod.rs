//! `replay RECORD --against sandbox`: the record as Brex sent it, the company as it was last mirrored, and what people answered about
//! merchants go into a sandbox in this process; the whole flow runs there under the rules of today, and what comes out is compared
//! with what is recorded. Neither system is called, and nothing is written but to a folder that is gone in the end.

mod company;
mod recorded;
mod rerun;

use domain::document::PlannedDocument;
use domain::id::RecordId;
use serde::Serialize;
use serde_json::json;

use super::{Common, Exit, Failure, open, print_json};
use crate::flow::plan::differences;
use recorded::Recorded;

/// Where a record stands and what was planned for it.
#[derive(Clone, Debug, Serialize)]
struct Outcome {
    stage: String,
    hold: Option<String>,
    document: Option<PlannedDocument>,
}

pub(super) async fn against_sandbox(common: &Common, record: &RecordId) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let store = open::store(&config).await?;
    let recorded = Recorded::read(&config, &store, record).await?;
    store.close().await;
    let (was, is) = (recorded.outcome(), rerun::rerun(&recorded).await?);
    let differing = compared(&was, &is);
    if common.json {
        print_json(&json!({ "record": record, "recorded": was, "sandbox": is, "differences": differing }));
    } else {
        print(record, &was, &is, &differing);
    }
    Ok(if differing.is_empty() { Exit::Done } else { Exit::Disagreement })
}

/// What came out differently.
fn compared(was: &Outcome, is: &Outcome) -> Vec<String> {
    let mut differing = Vec::new();
    if was.stage != is.stage {
        differing.push(format!("stage was {} and is {}", was.stage, is.stage));
    }
    let shown = |hold: &Option<String>| hold.clone().unwrap_or_else(|| "none".to_owned());
    if was.hold != is.hold {
        differing.push(format!("hold was {} and is {}", shown(&was.hold), shown(&is.hold)));
    }
    differing.extend(differences(was.document.as_ref(), is.document.as_ref()));
    differing
}

fn print(record: &RecordId, was: &Outcome, is: &Outcome, differing: &[String]) {
    for (name, outcome) in [("recorded", was), ("sandbox", is)] {
        let hold = outcome.hold.as_deref().map_or_else(String::new, |hold| format!(" ({hold})"));
        let document = outcome.document.as_ref().map_or_else(
            || "no document".to_owned(),
            |document| {
                let PlannedDocument { kind, number, vendor_number, total, posting_date, .. } = document;
                format!("{} {number} on vendor {vendor_number}, {total}, posted {posting_date}", kind.words())
            },
        );
        println!("{name:<9} {}{hold}: {document}", outcome.stage);
    }
    if differing.is_empty() {
        println!("{record}: the same comes out");
    }
    for difference in differing {
        println!("{record}: {difference}");
    }
}
