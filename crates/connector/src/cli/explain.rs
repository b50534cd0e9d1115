//! `explain`: the whole story of one record, from the audit trail, each step with its time.

use domain::audit::Entry;
use domain::text::in_line;
use serde_json::{Value, json};
use store::{RecordRow, Store};

use super::open::shown_time;
use super::{Common, Exit, Failure, open, print_json};
use crate::story;
use crate::transfers::view::{SeenTransfer, View};

/// More entries than any record has.
const ALL: i64 = 10_000;

pub(super) async fn explain(common: &Common, record: &str) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let store = open::store(&config).await?;
    let found = store.records().find_anywhere(&domain::id::RecordId::new(record)).await?;
    if found.is_empty() {
        let text =
            format!("the record {record} is not known here: it was not ready for export when Brex was last asked");
        return Err(Failure::new(Exit::NotFound, text));
    }
    let mut stories = Vec::new();
    for (connection, row) in found {
        let entries = store.audit().list_for(&connection, record, ALL).await?;
        let paid_by = paid_by(&store, &row).await?;
        if common.json {
            let mut shown = as_json(&row, &entries);
            shown["paid_by"] = json!(paid_by);
            stories.push(shown);
        } else {
            print(&row, &entries, &open::zone(&config, connection.as_str())?);
            for seen in &paid_by {
                let date = seen.date.map(|date| date.to_string()).unwrap_or_default();
                println!("paid through Brex: transfer {} of {} {}, {date}", seen.transfer, seen.amount, seen.currency);
            }
        }
    }
    store.close().await;
    if common.json {
        print_json(&json!({ "stories": stories }));
    }
    Ok(Exit::Done)
}

/// The transfers that pay the record's document.
async fn paid_by(store: &Store, row: &RecordRow) -> Result<Vec<SeenTransfer>, Failure> {
    let Some(document) = row.document_id.map(|id| id.to_string()) else { return Ok(Vec::new()) };
    // Ages are not shown here, so any day will do.
    let view = View::load(store, &row.connection, jiff::civil::Date::default()).await?;
    let pays = |seen: &SeenTransfer| {
        seen.found.as_ref().is_some_and(|found| found.documents.iter().any(|part| part.id == document))
    };
    Ok(view.transfers.into_iter().filter(pays).collect())
}

fn as_json(row: &RecordRow, entries: &[Entry]) -> Value {
    let steps = entries.iter().map(|entry| {
        json!({
            "seq": entry.seq,
            "at": crate::clock::timestamp(entry.at_ms).to_string(),
            "actor": entry.actor,
            "action": entry.action,
            "before": entry.before,
            "after": entry.after,
            "sentence": story::sentence(entry),
            "detail": serde_json::from_str::<Value>(&entry.detail).unwrap_or_default(),
            "hash": entry.hash,
        })
    });
    json!({
        "connection": row.connection.as_str(),
        "record": row.id.as_str(),
        "version": row.version,
        "type": row.record_type,
        "merchant": row.merchant,
        "amount": row.amount.map(|amount| amount.to_string()),
        "currency": row.currency,
        "stage": row.stage.as_str(),
        "hold": row.hold,
        "vendor": row.vendor_number,
        "document": { "kind": row.document_kind, "key": row.document_key, "id": row.document_id, "number": row.document_no },
        "steps": steps.collect::<Vec<_>>(),
    })
}

fn print(row: &RecordRow, entries: &[Entry], zone: &jiff::tz::TimeZone) {
    let amount = row.amount.map(|a| format!("{a} {}", row.currency.as_deref().unwrap_or_default())).unwrap_or_default();
    let merchant = in_line(row.merchant.as_deref().unwrap_or("(no merchant)"));
    println!("{} {} {merchant} {amount}", row.id, row.record_type);
    match &row.hold {
        Some(hold) => println!("held in {} for the {}: {}", row.stage, hold.code.fixer(), in_line(&hold.sentence)),
        None => println!("stage: {}", row.stage),
    }
    let zone_name = zone.iana_name().unwrap_or("UTC");
    println!("times in {zone_name}\n");
    for entry in entries {
        println!("{}  {}", shown_time(entry.at_ms, zone), in_line(&story::sentence(entry)));
    }
    if let Some(hold) = &row.hold {
        println!("\nwhat to do: {}", hold.code.what_to_do());
    }
}
