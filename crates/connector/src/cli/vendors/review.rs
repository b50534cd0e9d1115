//! `vendors review`: the records whose vendor a person must say, each with its suggestions.

use comfy_table::{ContentArrangement, Table};
use domain::hold::HoldCode;
use domain::id::RecordId;
use domain::stage::Stage;
use serde_json::{Value, json};
use store::{RecordRow, Store, VendorMatch};

use super::super::{Common, Exit, Failure, open, print_json};
use crate::vendors::judgement::{Asked, Candidate, Judgement};
use domain::id::ConnectionId;

/// Rows read at once.
const PAGE: i64 = 500;

/// A record with what the matcher said about it.
struct Waiting {
    row: RecordRow,
    proposes: bool,
    judged: Option<(Asked, Judgement)>,
}

pub(super) async fn review(common: &Common, connection: Option<&str>) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let names = open::chosen(&config, connection)?;
    let store = open::store(&config).await?;
    let mut waiting = Vec::new();
    for row in store.connections().list().await?.iter().filter(|row| names.contains(&row.id.as_str())) {
        let settings = config.connections.iter().find(|settings| settings.name == row.id.as_str());
        let proposes = settings.is_some_and(|settings| settings.propose_vendors);
        waiting.extend(of_connection(&store, &row.id, proposes).await?);
    }
    store.close().await;
    if common.json {
        print_json(&json!({ "records": waiting.iter().map(as_json).collect::<Vec<_>>() }));
    } else {
        print(&waiting);
    }
    Ok(Exit::Done)
}

async fn of_connection(store: &Store, connection: &ConnectionId, proposes: bool) -> Result<Vec<Waiting>, Failure> {
    let codes = [HoldCode::VendorReview, HoldCode::VendorNotFound, HoldCode::VendorAmbiguous];
    let (mut waiting, mut after) = (Vec::new(), None);
    loop {
        let page =
            store.records().list_held_in(connection, &[Stage::ResolveVendor, Stage::Map], after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(waiting) };
        after = Some(last.id.clone());
        let rows: Vec<RecordRow> =
            page.into_iter().filter(|row| row.hold.as_ref().is_some_and(|hold| codes.contains(&hold.code))).collect();
        let ids: Vec<RecordId> = rows.iter().map(|row| row.id.clone()).collect();
        let mut matches = store.vendor_matches().find_many(connection, &ids).await?;
        for row in rows {
            let at = matches.iter().position(|matched| matched.record_id == row.id && matched.version == row.version);
            let judged = at.map(|at| matches.swap_remove(at)).and_then(|matched| read(&matched));
            let can_be_proposed = row.hold.as_ref().is_some_and(|hold| hold.code != HoldCode::VendorAmbiguous);
            waiting.push(Waiting { row, proposes: proposes && can_be_proposed, judged });
        }
    }
}

/// What was asked and said, if this version can read it.
pub(super) fn read(matched: &VendorMatch) -> Option<(Asked, Judgement)> {
    Some((serde_json::from_str(&matched.asked).ok()?, serde_json::from_str(&matched.decision).ok()?))
}

fn as_json(waiting: &Waiting) -> Value {
    let Waiting { row, judged, proposes } = waiting;
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

fn print(waiting: &[Waiting]) {
    if waiting.is_empty() {
        println!("no record waits for its vendor");
        return;
    }
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["record", "merchant", "amount", "suggestions", "why not by itself"]);
    for Waiting { row, judged, .. } in waiting {
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
    let new = waiting.iter().filter(|waiting| waiting.proposes).map(|waiting| proposal(&waiting.row));
    for (place, line) in new.enumerate() {
        if place == 0 {
            println!("if it is a new vendor, which another person then approves:");
        }
        println!("  {line}");
    }
}

/// The command line that proposes a new vendor for a record.
fn proposal(row: &RecordRow) -> String {
    let name = row.merchant.as_deref().unwrap_or_default().replace('\'', "'\\''");
    format!("vendors propose {} --name '{name}' --reason TEXT", row.id)
}
