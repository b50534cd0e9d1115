//! `config test`: maps the records of the last weeks again under the rules of the file, and shows what would be booked
//! otherwise. `config diff`: what the rules of two files decide differently. Neither calls anybody or writes anything.

use std::path::Path;

use domain::directory::Directory;
use domain::document::PlannedDocument;
use domain::id::JobId;
use domain::mapping::decide_document;
use domain::record::Record;
use domain::rules::Rules;
use domain::text::in_line;
use jiff::{Span, Timestamp};
use serde_json::{Value, json};
use store::{RecordRow, Store};

use super::{Common, Exit, Failure, open, print_json};
use crate::app::Identity;
use crate::choices::Choices;
use crate::clock::{Clock, SystemClock, timestamp};
use crate::config::{Config, ConnectionConfig};
use crate::flow::source::read_as;
use crate::words::counted;
use crate::{meanings, mirror};

/// How many records are read at once.
const PAGE: i64 = 200;

/// `config test`.
pub(super) async fn test(common: &Common, days: u16) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let store = open::store(&config).await?;
    let now = timestamp(SystemClock.now_ms());
    let mut tests = Vec::new();
    for settings in &config.connections {
        tests.push(test_one(&store, settings, now, days).await?);
    }
    store.close().await;
    if common.json {
        print_json(&json!({ "connections": tests }));
        return Ok(Exit::Done);
    }
    for test in &tests {
        let changes = test["changes"].as_array().map_or(&[][..], Vec::as_slice);
        let name = test["connection"].as_str().unwrap_or_default();
        println!("{name}: records mapped again: {}, would change: {}", test["records"], changes.len());
        for change in changes {
            let what = change["differences"].as_array().map_or(&[][..], Vec::as_slice);
            let what: Vec<&str> = what.iter().filter_map(Value::as_str).collect();
            println!("  {}: {}", change["record"].as_str().unwrap_or_default(), in_line(&what.join("; ")));
        }
    }
    Ok(Exit::Done)
}

async fn test_one(store: &Store, settings: &ConnectionConfig, now: Timestamp, days: u16) -> Result<Value, Failure> {
    let id = settings.id()?;
    let rules = meanings::added_to(&settings.rules()?, store, &id).await?;
    let directory = mirror::stored(store, &id).await?;
    let known = store.connections().get(&id).await?.and_then(|row| {
        Some(Identity {
            brex_company: row.brex_company_id?,
            bc_company: row.bc_company_id?,
            bc_company_name: row.bc_company_name?,
        })
    });
    let (Some(directory), Some(identity)) = (directory, known) else {
        return Err(Failure::new(
            Exit::NotFound,
            format!("connection {id} has no records yet: there is nothing to test"),
        ));
    };
    let today = now.to_zoned_datetime(rules.zone.clone()).date();
    let since = today.checked_sub(Span::new().days(i64::from(days))).unwrap_or(today).to_string();
    let (mut records, mut changes, mut after) = (0_usize, Vec::new(), None);
    loop {
        let rows = store.records().list(&id, after.as_ref(), PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = Some(last.id.clone());
        let rows: Vec<RecordRow> =
            rows.into_iter().filter(|row| row.posting_date.as_ref().is_some_and(|day| *day >= since)).collect();
        let wanted: Vec<_> = rows.iter().map(|row| (row.id.clone(), row.version)).collect();
        let payloads = store.payloads().get_many(&id, &wanted).await?;
        for row in rows {
            let payload = payloads.iter().find(|payload| payload.record_id == row.id);
            let record =
                payload.and_then(|p| read_as(settings.brex.source, &rules.types, &Choices::default(), &p.payload).ok());
            let Some(differences) = record.and_then(|record| map_again(&row, &record, &identity, &rules, &directory))
            else {
                continue;
            };
            records = records.saturating_add(1);
            if !differences.is_empty() {
                changes.push(json!({ "record": row.id, "stage": row.stage.to_string(), "differences": differences }));
            }
        }
    }
    Ok(json!({ "connection": id, "rules": rules.version, "since": since, "records": records, "changes": changes }))
}

/// What would be different; none for a record that was never mapped. The vendor stays: it is not a matter of these rules.
fn map_again(
    row: &RecordRow,
    record: &Record,
    identity: &Identity,
    rules: &Rules,
    directory: &Directory,
) -> Option<Vec<String>> {
    let vendor = row.vendor_number.as_deref()?;
    let job = JobId::new(&identity.brex_company, &row.id, identity.bc_company);
    let now = decide_document(record, vendor, job, rules, directory).map(|planned| planned.document);
    let was: Option<PlannedDocument> = row.plan.as_deref().and_then(|plan| serde_json::from_str(plan).ok());
    Some(match (was, now) {
        (Some(was), Ok(now)) => differences(&was, &now),
        (None, Ok(now)) => vec![format!("would become a {} over {}", now.kind.words(), now.total)],
        (None, Err(hold)) if row.hold.as_ref().is_some_and(|was| was.code == hold.code) => Vec::new(),
        (_, Err(hold)) => vec![format!("would be held, {}: {}", hold.code, hold.sentence)],
    })
}

fn differences(was: &PlannedDocument, now: &PlannedDocument) -> Vec<String> {
    let parts = |document: &PlannedDocument| {
        let mut parts = vec![
            ("Posting Date".to_owned(), document.posting_date.to_string()),
            ("Document Date".to_owned(), document.document_date.to_string()),
            ("Due Date".to_owned(), document.due_date.map_or_else(|| "none".to_owned(), |day| day.to_string())),
            ("Currency Code".to_owned(), document.currency.clone().unwrap_or_else(|| "blank".to_owned())),
            ("total".to_owned(), document.total.normalize().to_string()),
            ("Prices Including VAT".to_owned(), document.tax.is_some_and(|tax| tax.prices_include_tax).to_string()),
            ("number of lines".to_owned(), document.lines.len().to_string()),
        ];
        let pairs = document.dimensions.iter().map(|(code, value)| format!("{code}={value}"));
        parts.push(("header dimensions".to_owned(), pairs.collect::<Vec<_>>().join(" ")));
        for (index, line) in document.lines.iter().enumerate() {
            let number = index.saturating_add(1);
            let dimensions: Vec<String> =
                line.dimensions.iter().map(|(code, value)| format!("{code}={value}")).collect();
            parts.push((format!("line {number} G/L Account"), line.account.clone()));
            parts.push((format!("line {number} dimensions"), dimensions.join(" ")));
            parts.push((format!("line {number} tax code"), line.tax_code.clone().unwrap_or_else(|| "none".to_owned())));
            parts.push((format!("line {number} description"), line.description.clone()));
        }
        parts
    };
    let pairs = parts(was).into_iter().zip(parts(now));
    pairs
        .filter(|(was, now)| was != now)
        .map(|((what, was), (_, now))| format!("{what}: {was:?} becomes {now:?}"))
        .collect()
}

/// `config diff`.
pub(super) fn diff(common: &Common, other: &Path) -> Result<Exit, Failure> {
    let (here, there) = (open::config(common)?, Config::load(other)?);
    let mut changes = Vec::new();
    let names: std::collections::BTreeSet<&str> =
        here.connections.iter().chain(&there.connections).map(|settings| settings.name.as_str()).collect();
    for name in names {
        let find = |config: &Config| config.connections.iter().find(|settings| settings.name == name).cloned();
        let (before, after) = (parts_of(find(&here).as_ref())?, parts_of(find(&there).as_ref())?);
        let keys: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for key in keys.into_iter().filter(|key| before.get(*key) != after.get(*key)) {
            changes.push(json!({ "connection": name, "rule": key, "here": before.get(key), "there": after.get(key) }));
        }
    }
    if common.json {
        print_json(&json!({ "changes": changes }));
    } else {
        println!("different in {}: {}", other.display(), counted(changes.len(), "rule"));
        for change in &changes {
            let rule = change["rule"].as_str().unwrap_or_default();
            let name = change["connection"].as_str().unwrap_or_default();
            println!("  {name}: {rule}: {} becomes {}", change["here"], change["there"]);
        }
    }
    Ok(Exit::Done)
}

/// The rules of a connection by name; none at all if the file has no such connection.
fn parts_of(settings: Option<&ConnectionConfig>) -> Result<serde_json::Map<String, Value>, Failure> {
    let Some(settings) = settings else { return Ok(serde_json::Map::new()) };
    let rules = settings.rules()?;
    let parts = json!({
        "time_zone": settings.time_zone,
        "period_policy": rules.period,
        "closed_years": rules.closed_years,
        "currency": rules.currency,
        "default_vendor": rules.default_vendor,
        "employees": rules.employees,
        "fields": rules.fields,
        "values": rules.values,
        "defaults": rules.defaults,
        "types": rules.types,
        "tax": rules.tax,
        "descriptions": settings.descriptions,
    });
    Ok(parts.as_object().cloned().unwrap_or_default())
}
