//! `doctor`: asks both real systems for everything that the connector needs, and prints what came of it.

use comfy_table::{ContentArrangement, Table};
use serde_json::json;

use super::{Common, Exit, Failure, exit, open, print_json};
use crate::doctor::{Finding, Verdict, examine};

pub(super) async fn doctor(common: &Common) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let app = open::planning(&config).await?;
    let mut findings = Vec::new();
    for connection in &app.connections {
        findings.extend(examine(&app, connection).await?);
    }
    app.store.close().await;
    let failed = findings.iter().find(|finding| finding.result == Verdict::Failed);
    let exit = failed.map_or(Exit::Done, |finding| match &finding.code {
        Some(code) => exit::of_problem(code),
        None => Exit::Unreachable,
    });
    if common.json {
        print_json(&json!({ "ok": exit == Exit::Done, "checks": findings }));
    } else {
        print(&findings);
    }
    Ok(exit)
}

fn print(findings: &[Finding]) {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["connection", "tried", "result", "what was found, and what to do"]);
    for finding in findings {
        table.add_row([finding.connection.as_str(), finding.check, finding.result.shown(), &finding.said]);
    }
    println!("{table}");
}
