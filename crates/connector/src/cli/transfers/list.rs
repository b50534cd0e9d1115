//! How transfers and documents stand, as tables, JSON or CSV.

use std::collections::BTreeMap;

use comfy_table::{ContentArrangement, Table};
use serde_json::{Value, json};

use super::{ListArgs, Shown, today};
use crate::cli::{Common, Exit, Failure, open, print_json};
use crate::transfers::view::{SeenDocument, SeenMatch, SeenTransfer, View};
use crate::words::counted;

/// The result of one connection.
pub(super) struct Found {
    pub(super) connection: String,
    pub(super) view: View,
    /// Matches that are new, and that no longer hold, if it was just compared.
    pub(super) new: Option<(usize, usize)>,
    pub(super) payments_left: Vec<String>,
    pub(super) has_entries: bool,
}

pub(super) async fn list(common: &Common, args: &ListArgs) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let names = open::chosen(&config, args.connection.as_deref())?;
    let store = open::store(&config).await?;
    let mut found = Vec::new();
    for known in store.connections().list().await?.iter().filter(|known| names.contains(&known.id.as_str())) {
        let view = View::load(&store, &known.id, today(&config, known.id.as_str())?).await?;
        let connection = known.id.to_string();
        found.push(Found { connection, view, new: None, payments_left: Vec::new(), has_entries: true });
    }
    store.close().await;
    print(common, args, &found)?;
    Ok(Exit::Done)
}

/// Prints what was asked for.
pub(super) fn print(common: &Common, args: &ListArgs, found: &[Found]) -> Result<(), Failure> {
    if common.json {
        let all: Vec<Value> = found.iter().map(|found| as_json(found, args.only)).collect();
        print_json(&json!({ "connections": all }));
        return Ok(());
    }
    if args.csv {
        return print_csv(args.only, found);
    }
    for one in found {
        print_table(one, args.only);
    }
    Ok(())
}

fn is_shown(only: Shown, verdict: Option<&str>, is_suggested: bool) -> bool {
    match only {
        Shown::All => true,
        Shown::Matched => verdict == Some("matched"),
        Shown::Partly => verdict == Some("partly"),
        Shown::Unmatched => verdict == Some("unmatched"),
        Shown::Suggested => is_suggested,
    }
}

fn transfers(found: &Found, only: Shown) -> impl Iterator<Item = &SeenTransfer> {
    found.view.transfers.iter().filter(move |seen| is_shown(only, seen.verdict, seen.suggestion.is_some()))
}

fn documents(found: &Found, only: Shown) -> impl Iterator<Item = &SeenDocument> {
    let is_suggested = |seen: &SeenDocument| seen.reason == Some("to_confirm");
    found.view.documents.iter().filter(move |seen| is_shown(only, Some(seen.verdict), is_suggested(seen)))
}

/// How many stand how: by verdict, reason and age.
fn counts<'a>(all: impl Iterator<Item = (Option<&'a str>, Option<&'a str>, Option<&'a str>)>) -> Value {
    let mut counts: BTreeMap<(&str, &str, &str), u64> = BTreeMap::new();
    for (verdict, reason, age) in all {
        let key = (verdict.unwrap_or("not_compared"), reason.unwrap_or(""), age.unwrap_or(""));
        let count = counts.entry(key).or_default();
        *count = count.saturating_add(1);
    }
    let one = |((verdict, reason, age), number): ((&str, &str, &str), u64)| json!({ "verdict": verdict, "reason": reason, "age": age, "number": number });
    counts.into_iter().map(one).collect()
}

fn as_json(found: &Found, only: Shown) -> Value {
    let view = &found.view;
    json!({
        "connection": found.connection,
        "reconciled_at": view.reconciled_ms.map(|ms| crate::clock::timestamp(ms).to_string()),
        "new_matches": found.new.map(|(new, _)| new),
        "matches_gone": found.new.map(|(_, gone)| gone),
        "vendor_entries_readable": found.has_entries,
        "payments_without_transfer": found.payments_left,
        "counts": {
            "transfers": counts(view.transfers.iter().map(|seen| (seen.verdict, seen.reason, seen.age))),
            "documents": counts(view.documents.iter().map(|seen| (Some(seen.verdict), seen.reason, seen.age))),
        },
        "transfers": transfers(found, only).collect::<Vec<_>>(),
        "documents": documents(found, only).collect::<Vec<_>>(),
    })
}

fn print_csv(only: Shown, found: &[Found]) -> Result<(), Failure> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let broken = |error: csv::Error| Failure::new(Exit::Unexpected, error.to_string());
    csv.write_record([
        "connection",
        "side",
        "id",
        "number",
        "party",
        "date",
        "amount",
        "currency",
        "verdict",
        "reason",
        "left",
        "age",
        "matched_with",
        "confidence",
    ])
    .map_err(broken)?;
    for one in found {
        for seen in transfers(one, only) {
            let with = seen.found.as_ref().map(with).unwrap_or_default();
            let confidence = seen.found.as_ref().map(confidence).unwrap_or_default();
            let date = seen.date.map(|date| date.to_string()).unwrap_or_default();
            let row = [
                one.connection.as_str(),
                "transfer",
                &seen.transfer,
                &seen.memo,
                &seen.to,
                &date,
                &seen.amount,
                &seen.currency,
                seen.verdict.unwrap_or_default(),
                seen.reason.unwrap_or_default(),
                &seen.left,
                seen.age.unwrap_or_default(),
                &with,
                &confidence,
            ];
            csv.write_record(row.map(safe)).map_err(broken)?;
        }
        for seen in documents(one, only) {
            let (vendor, due, with) = (seen.vendor.to_string(), seen.due.to_string(), seen.transfers.join(" "));
            let row = [
                one.connection.as_str(),
                "document",
                &seen.id,
                &seen.supplier_number,
                &vendor,
                &due,
                &seen.total,
                &seen.currency,
                seen.verdict,
                seen.reason.unwrap_or_default(),
                &seen.left,
                seen.age.unwrap_or_default(),
                &with,
                "",
            ];
            csv.write_record(row.map(safe)).map_err(broken)?;
        }
    }
    let text = csv.into_inner().map_err(|error| Failure::new(Exit::Unexpected, error.to_string()))?;
    print!("{}", String::from_utf8_lossy(&text));
    Ok(())
}

/// A spreadsheet would run a cell that begins like a formula; a negative number may.
fn safe(cell: &str) -> String {
    let is_number = cell.parse::<rust_decimal::Decimal>().is_ok();
    if !is_number && cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

pub(super) fn with(found: &SeenMatch) -> String {
    found.documents.iter().map(|part| format!("{} {}", part.number, part.amount)).collect::<Vec<_>>().join("; ")
}

pub(super) fn confidence(found: &SeenMatch) -> String {
    match &found.by {
        Some(person) => format!("by {person}"),
        None => format!("{:?}", found.confidence),
    }
}

fn print_table(found: &Found, only: Shown) {
    let when = found.view.reconciled_ms.map(|ms| crate::clock::timestamp(ms).to_string());
    println!("{}: compared {}", found.connection, when.as_deref().unwrap_or("never: ask for transfers reconcile"));
    if !found.has_entries {
        println!("vendor ledger entries cannot be read here, so what is booked is known from the documents only");
    }
    let mut table = new_table(["transfer", "to", "date", "amount", "stands", "with", "why", "age"]);
    for seen in transfers(found, only) {
        let shown =
            seen.found.as_ref().map(with).or_else(|| seen.suggestion.as_ref().map(|s| format!("perhaps {}", with(s))));
        table.add_row([
            seen.transfer.clone(),
            seen.to.clone(),
            seen.date.map(|date| date.to_string()).unwrap_or_default(),
            format!("{} {}", seen.amount, seen.currency),
            seen.verdict.unwrap_or(&seen.status).to_owned(),
            shown.unwrap_or_default(),
            seen.why.unwrap_or_default().to_owned(),
            seen.age.unwrap_or_default().to_owned(),
        ]);
    }
    println!("{table}");
    let mut table =
        new_table(["document", "due", "total", "not paid through Brex", "stands", "transfers", "why", "age"]);
    for seen in documents(found, only) {
        table.add_row([
            seen.supplier_number.clone(),
            seen.due.to_string(),
            format!("{} {}", seen.total, seen.currency),
            seen.left.clone(),
            seen.verdict.to_owned(),
            seen.transfers.join("\n"),
            seen.why.unwrap_or_default().to_owned(),
            seen.age.unwrap_or_default().to_owned(),
        ]);
    }
    println!("{table}");
    if let Some((new, gone)) = found.new {
        println!(
            "{}, {gone} no longer; {} of Business Central without a transfer",
            counted(new, "new match"),
            counted(found.payments_left.len(), "payment")
        );
    }
}

fn new_table(header: [&str; 8]) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header);
    table
}
