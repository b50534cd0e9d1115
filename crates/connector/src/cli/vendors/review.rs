//! `vendors review`: the records whose vendor a person must say, each with its suggestions.

use comfy_table::{ContentArrangement, Table};
use domain::text::in_line;
use serde_json::{Value, json};
use store::RecordRow;

use super::super::{Common, Exit, Failure, open, print_json};
use crate::vendors::judgement::Candidate;
use crate::vendors::waiting::{Waiting, list};

/// A record with what the matcher said about it, and whether the connection lets people propose a vendor for it.
struct Shown {
    waiting: Waiting,
    proposes: bool,
}

pub(super) async fn review(common: &Common, connection: Option<&str>) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let names = open::chosen(&config, connection)?;
    let store = open::store(&config).await?;
    let mut waiting = Vec::new();
    for row in store.connections().list().await?.iter().filter(|row| names.contains(&row.id.as_str())) {
        let settings = config.connections.iter().find(|settings| settings.name == row.id.as_str());
        let proposes = settings.is_some_and(|settings| settings.propose_vendors);
        let of_connection = list(&store, &row.id).await?.into_iter();
        waiting.extend(of_connection.map(|one| Shown { proposes: proposes && one.may_be_new, waiting: one }));
    }
    store.close().await;
    if common.json {
        print_json(&json!({ "records": waiting.iter().map(as_json).collect::<Vec<_>>() }));
    } else {
        print(&waiting);
    }
    Ok(Exit::Done)
}

fn as_json(shown: &Shown) -> Value {
    let Shown { waiting: Waiting { row, judged, .. }, proposes } = shown;
    json!({
        "if_new": proposes.then(|| proposal(row)),
        "connection": row.connection.as_str(),
        "record": row.id.as_str(),
        "merchant": row.merchant,
        "amount": row.amount.map(|amount| amount.to_string()),
        "currency": row.currency,
        "code": row.hold.as_ref().map(|hold| hold.code.as_str()),
        "asked": judged.as_ref().map(|(asked, _)| asked),
        "reason": judged.as_ref().map(|(_, said)| said.reason.clone()),
        "suggestions": judged.as_ref().map(|(_, said)| said.candidates.iter().map(|candidate| json!({
            "vendor": candidate.number, "name": candidate.name, "match_confidence": candidate.confidence,
            "score": candidate.score, "reason": candidate.reason,
        })).collect::<Vec<_>>()),
    })
}

fn print(waiting: &[Shown]) {
    if waiting.is_empty() {
        println!("no record waits for its vendor");
        return;
    }
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["record", "merchant", "amount", "suggestions", "why not by itself"]);
    for Shown { waiting: Waiting { row, judged, .. }, .. } in waiting {
        let amount = row.amount.map(|a| format!("{a} {}", row.currency.as_deref().unwrap_or_default()));
        let merchant = judged.as_ref().map(|(asked, _)| asked.descriptor.clone()).or_else(|| row.merchant.clone());
        let suggestions: Vec<String> =
            judged.iter().flat_map(|(_, said)| &said.candidates).map(Candidate::words).collect();
        let hold = row.hold.as_ref().map(|hold| hold.sentence.clone());
        let reason = judged.as_ref().map(|(_, said)| said.reason.clone()).or(hold);
        table.add_row([
            row.id.to_string(),
            merchant.unwrap_or_default(),
            amount.unwrap_or_default(),
            suggestions.join("\n"),
            reason.unwrap_or_default(),
        ]);
    }
    println!("{table}");
    println!("vendors confirm RECORD [--vendor NUMBER] | vendors reject RECORD [--none]");
    let new = waiting.iter().filter(|shown| shown.proposes).map(|shown| proposal(&shown.waiting.row));
    for (place, line) in new.enumerate() {
        if place == 0 {
            println!("if it is a new vendor, which another person then approves:");
        }
        println!("  {}", in_line(&line));
    }
}

/// The command line that proposes a new vendor for a record.
fn proposal(row: &RecordRow) -> String {
    let name = row.merchant.as_deref().unwrap_or_default().replace('\'', "'\\''");
    format!("vendors propose {} --name '{name}' --reason TEXT", row.id)
}
