//! `transfers show`: everything about one transfer, or about a document and the transfers that pay it.

use domain::audit::Entry;
use domain::id::ConnectionId;
use domain::text::in_line;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use store::Store;

use super::list::{confidence, with};
use super::{one_connection, today};
use crate::cli::{Common, Exit, Failure, open, print_json};
use crate::story;
use crate::transfers::view::{SeenDocument, SeenTransfer, View};

/// More entries than any transfer has.
const ALL: i64 = 10_000;

/// Everything about one transfer, or the transfers of a document.
pub(super) async fn show(common: &Common, what: &str, connection: Option<&str>) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let connection = one_connection(&config, connection)?;
    let store = open::store(&config).await?;
    let view = View::load(&store, &connection, today(&config, connection.as_str())?).await?;
    let is_it = |seen: &&SeenDocument| {
        [&seen.id, &seen.number, &seen.supplier_number].iter().any(|n| n.eq_ignore_ascii_case(what))
    };
    let document = view.documents.iter().find(is_it);
    let ids: Vec<&str> =
        document.map_or_else(|| vec![what], |seen| seen.transfers.iter().map(String::as_str).collect());
    let shown: Vec<&SeenTransfer> =
        view.transfers.iter().filter(|seen| ids.contains(&seen.transfer.as_str())).collect();
    if document.is_none() && shown.is_empty() {
        let text =
            format!("{what} is neither a transfer nor a document that was read: ask for transfers reconcile first");
        return Err(Failure::new(Exit::NotFound, text));
    }
    let mut stories = Vec::new();
    for seen in &shown {
        stories.push(story_of(&store, &connection, seen).await?);
    }
    store.close().await;
    if common.json {
        let transfers: Vec<Value> = shown.iter().zip(&stories).map(|(seen, entries)| as_json(seen, entries)).collect();
        print_json(&json!({ "document": document, "transfers": transfers }));
        return Ok(Exit::Done);
    }
    if let Some(seen) = document {
        println!(
            "{} ({}): {} {}, due {}: {}",
            seen.supplier_number, seen.number, seen.total, seen.currency, seen.due, seen.verdict
        );
        println!("{}", seen.why.unwrap_or("paid through Brex"));
    }
    let zone = open::zone(&config, connection.as_str())?;
    for (seen, entries) in shown.iter().zip(&stories) {
        print(seen, entries, &zone);
    }
    Ok(Exit::Done)
}

/// What happened to a transfer: to its order, to itself, and to the payment line that books it.
async fn story_of(store: &Store, connection: &ConnectionId, seen: &SeenTransfer) -> Result<Vec<Entry>, Failure> {
    let mut subjects = vec![format!("transfer {}", seen.transfer), seen.transfer.clone()];
    subjects.extend(seen.order.map(|order| format!("transfer_order {order}")));
    let mut entries = Vec::new();
    for subject in subjects {
        entries.extend(store.audit().list_for(connection, &subject, ALL).await?);
    }
    entries.sort_by_key(|entry| entry.seq);
    Ok(entries)
}

fn as_json(seen: &SeenTransfer, entries: &[Entry]) -> Value {
    let step = |entry: &Entry| {
        json!({
            "at": crate::clock::timestamp(entry.at_ms).to_string(), "actor": entry.actor, "action": entry.action,
            "sentence": story::sentence(entry),
        })
    };
    json!({ "transfer": seen, "steps": entries.iter().map(step).collect::<Vec<_>>() })
}

fn print(seen: &SeenTransfer, entries: &[Entry], zone: &TimeZone) {
    println!("{}: {} {} to {}, {}", seen.transfer, seen.amount, seen.currency, in_line(&seen.to), seen.status);
    let stands =
        seen.found.as_ref().map(|found| format!("pays {} ({}): {:?}", with(found), confidence(found), found.why));
    println!("{}", stands.as_deref().or(seen.why).unwrap_or("not compared yet"));
    if let Some(found) = &seen.suggestion {
        println!("perhaps it pays {} ({:?}): {:?}", with(found), found.confidence, found.why);
        println!("transfers match {} --reason TEXT --by PERSON | transfers unmatch …", seen.transfer);
    }
    if let Some(payment) = &seen.payment {
        let note = payment.note.as_ref().map_or_else(String::new, |note| format!(": {note}"));
        println!("payment line in journal {}: {}{note}", payment.journal, payment.state);
    }
    for entry in entries {
        println!("{}  {}", open::shown_time(entry.at_ms, zone), in_line(&story::sentence(entry)));
    }
}
