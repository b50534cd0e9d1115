//! `status`: each connection with its records by stage, its holds by code, and its jobs with last and next run.

use std::collections::BTreeMap;

use comfy_table::Table;
use domain::stage::Stage;
use domain::text::in_line;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use store::{BcSubscriptionRow, ConnectionRow, Count, JobRow};

use super::open::shown_time;
use super::{Common, Exit, Failure, open, print_json};

pub(super) async fn status(common: &Common) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let store = open::store(&config).await?;
    let mut shown = Vec::new();
    for row in store.connections().list().await? {
        let counts = store.records().counts(&row.id).await?;
        let jobs = store.jobs().list(&row.id).await?;
        let subscriptions = store.bc_subscriptions().list(&row.id).await?;
        if common.json {
            shown.push(as_json(&row, &counts, &jobs, &subscriptions));
        } else {
            let zone = open::zone(&config, row.id.as_str())?;
            print(&row, &counts);
            print_jobs(&jobs, &zone);
            print_subscriptions(&subscriptions, &zone);
        }
    }
    if common.json {
        print_json(&json!({ "connections": shown }));
    } else if store.connections().list().await?.is_empty() {
        println!("nothing has run yet: start with ml-connector run");
    }
    store.close().await;
    Ok(Exit::Done)
}

/// Records by stage (those that are held apart), and holds by code.
pub(super) fn tally(counts: &[Count]) -> (BTreeMap<Stage, i64>, BTreeMap<&'static str, i64>) {
    let mut stages = BTreeMap::new();
    let mut holds = BTreeMap::new();
    for count in counts {
        match count.hold_code {
            None => *stages.entry(count.stage).or_insert(0) += count.records,
            Some(code) => *holds.entry(code.as_str()).or_insert(0) += count.records,
        }
    }
    (stages, holds)
}

fn as_json(row: &ConnectionRow, counts: &[Count], jobs: &[JobRow], subscriptions: &[BcSubscriptionRow]) -> Value {
    let (stages, held) = tally(counts);
    let stages: BTreeMap<&str, i64> = stages.into_iter().map(|(stage, n)| (stage.as_str(), n)).collect();
    let time = |ms: Option<i64>| ms.map(|ms| crate::clock::timestamp(ms).to_string());
    let jobs = jobs.iter().map(|job| {
        json!({
            "kind": job.kind, "last_run": time(job.finished_ms), "next_run": time(job.due_ms),
            "attempts": job.attempts, "error": job.error,
        })
    });
    let subscriptions = subscriptions
        .iter()
        .map(|one| json!({ "set": one.set, "renewed": time(one.renewed_ms), "expires": time(one.expires_ms) }));
    json!({
        "connection": row.id.as_str(),
        "brex_company": row.brex_company_id,
        "bc_company": row.bc_company_name,
        "problem": row.problem.as_ref().map(|p| json!({ "code": p.code, "sentence": p.sentence })),
        "stages": stages,
        "held": held,
        "jobs": jobs.collect::<Vec<_>>(),
        "subscriptions": subscriptions.collect::<Vec<_>>(),
    })
}

fn print(row: &ConnectionRow, counts: &[Count]) {
    let company = row.bc_company_name.as_deref().unwrap_or("not connected yet");
    println!("{} ({})", row.id, in_line(company));
    match &row.problem {
        Some(problem) => println!("  HELD {}: {}", problem.code, in_line(&problem.sentence)),
        None => println!("  working"),
    }
    let (stages, holds) = tally(counts);
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_header(["records", "number"]);
    for (stage, number) in stages {
        table.add_row([stage.to_string(), number.to_string()]);
    }
    for (code, number) in holds {
        table.add_row([format!("held: {code}"), number.to_string()]);
    }
    println!("{table}");
}

fn print_subscriptions(subscriptions: &[BcSubscriptionRow], zone: &TimeZone) {
    if subscriptions.is_empty() {
        return;
    }
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_header(["subscriptions", "renewed", "expires"]);
    for one in subscriptions {
        let time = |ms: Option<i64>| ms.map_or_else(|| "-".to_owned(), |ms| shown_time(ms, zone));
        table.add_row([one.set.clone(), time(one.renewed_ms), time(one.expires_ms)]);
    }
    println!("{table}");
}

fn print_jobs(jobs: &[JobRow], zone: &TimeZone) {
    let mut table = Table::new();
    let header = ["job", "last run", "next run", "tries", "error"];
    table.load_style(comfy_table::presets::NOTHING).set_header(header);
    for job in jobs {
        let time = |ms: Option<i64>| ms.map_or_else(|| "-".to_owned(), |ms| shown_time(ms, zone));
        let error = in_line(job.error.as_deref().unwrap_or_default()).into_owned();
        table.add_row([job.kind.clone(), time(job.finished_ms), time(job.due_ms), job.attempts.to_string(), error]);
    }
    println!("{table}");
}
