//! `attention`: what waits for a person, why, who can fix it, and how.

use comfy_table::{ContentArrangement, Table};
use domain::text::in_line;
use serde_json::{Value, json};
use store::RecordRow;

use super::{Common, Exit, Failure, open, print_json};
use crate::words::records_wait;

/// Rows read at once.
const PAGE: i64 = 500;

pub(super) async fn attention(common: &Common) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let store = open::store(&config).await?;
    let mut rows = Vec::new();
    let mut problems = Vec::new();
    for connection in store.connections().list().await? {
        if let Some(problem) = connection.problem {
            problems.push(
                json!({ "connection": connection.id.as_str(), "code": problem.code, "sentence": problem.sentence }),
            );
        }
        let mut after = None;
        loop {
            let page = store.records().list_held(&connection.id, after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            rows.extend(page);
        }
    }
    store.close().await;
    if common.json {
        let records: Vec<Value> = rows.iter().map(as_json).collect();
        print_json(&json!({ "connections": problems, "records": records }));
    } else {
        print(&problems, &rows);
    }
    Ok(Exit::Done)
}

fn as_json(row: &RecordRow) -> Value {
    let hold = row.hold.as_ref();
    json!({
        "connection": row.connection.as_str(),
        "record": row.id.as_str(),
        "type": row.record_type,
        "merchant": row.merchant,
        "amount": row.amount.map(|amount| amount.to_string()),
        "currency": row.currency,
        "posting_date": row.posting_date,
        "stage": row.stage.as_str(),
        "code": hold.map(|h| h.code.as_str()),
        "sentence": hold.map(|h| h.sentence.clone()),
        "who": hold.map(|h| h.code.fixer().as_str()),
        "what_to_do": hold.map(|h| h.code.what_to_do()),
        "reported_to_brex": reported_ms(row).map(|ms| crate::clock::timestamp(ms).to_string()),
        "since": row.held_ms.map(|ms| crate::clock::timestamp(ms).to_string()),
    })
}

/// When Brex was told of the hold, if it was.
fn reported_ms(row: &RecordRow) -> Option<i64> {
    let (failure, hold) = (row.failure.as_ref()?, row.hold.as_ref()?);
    (failure.is_told() && failure.code == hold.code).then_some(failure.at_ms)
}

fn print(problems: &[Value], rows: &[RecordRow]) {
    for problem in problems {
        let text = |key: &str| problem[key].as_str().unwrap_or_default();
        println!("connection {} is held ({}): {}", text("connection"), text("code"), in_line(text("sentence")));
    }
    if rows.is_empty() {
        println!("no record waits for a person");
        return;
    }
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["record", "merchant", "amount", "why", "who", "what to do"]);
    for row in rows {
        let Some(hold) = &row.hold else { continue };
        let amount = row.amount.map(|a| format!("{a} {}", row.currency.as_deref().unwrap_or_default()));
        table.add_row([
            row.id.to_string(),
            row.merchant.clone().unwrap_or_default(),
            amount.unwrap_or_default(),
            format!("{}: {}", hold.code, hold.sentence),
            hold.code.fixer().to_string(),
            match reported_ms(row) {
                None => hold.code.what_to_do().to_owned(),
                Some(_) => format!("{} Reported to Brex: then export it there again.", hold.code.what_to_do()),
            },
        ]);
    }
    println!("{table}");
    println!("{} for a person; each clears by itself when its cause is gone", records_wait(rows.len()));
}
