//! `plan`: the exact document of every record that waits, without writing anything to either system. `apply`: does what a
//! plan says, and refuses the records that moved since.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use comfy_table::{ContentArrangement, Table};
use domain::document::PlannedLine;
use domain::why::LineReasons;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::Lease;

use super::run::first_contact;
use super::{Common, Exit, Failure, open, print_json};
use crate::app::{App, Connection};
use crate::flow::plan::{Done, Entry, Plan, apply, plan};
use crate::flow::poll::{Window, poll};
use crate::flow::{Lane, Stop};
use crate::words::counted;
use crate::{identity, mirror};

/// How long the lane is taken: much longer than a plan of ten thousand records needs.
const LEASE_MS: i64 = 15 * 60 * 1_000;

/// A plan as it is kept in a file.
#[derive(Debug, Serialize, Deserialize)]
struct PlanFile {
    plans: Vec<Plan>,
}

/// `plan`.
pub(super) async fn make(common: &Common, name: Option<&str>, out: Option<&PathBuf>) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let names = open::chosen(&config, name)?;
    let app = open::planning(&config).await?;
    first_contact(&app).await?;
    let mut plans = Vec::new();
    for connection in app.connections.iter().filter(|connection| names.contains(&connection.id.as_str())) {
        plans.push(plan_one(&app, connection).await?);
    }
    app.store.close().await;
    let file = PlanFile { plans };
    if let Some(path) = out {
        std::fs::write(path, serde_json::to_string_pretty(&file).unwrap_or_default())?;
    }
    if common.json {
        print_json(&json!(file));
    } else {
        for plan in &file.plans {
            print(plan);
        }
        if let Some(path) = out {
            println!("ml-connector apply {} does exactly this", path.display());
        }
    }
    Ok(Exit::Done)
}

/// Takes in what Brex and Business Central have now, unless a running process does that, and plans. The clients refuse
/// every write.
async fn plan_one(app: &Arc<App>, connection: &Arc<Connection>) -> Result<Plan, Failure> {
    mirror::recall(app, connection).await?;
    let lease = app.store.lanes().lease(&connection.settings.lane(), "plan", app.now_ms(), LEASE_MS).await?;
    let Some(lease) = lease else {
        // Somebody works: the database is fresh, and a lease that nobody gave can write nothing.
        let none = Lease { lane: connection.settings.lane(), holder: "plan".to_owned(), epoch: 0, expires_ms: 0 };
        return Ok(plan(&lane(app, connection, &none).await?).await?);
    };
    let planned = refresh_and_plan(app, connection, &lease).await;
    app.store.lanes().release(&lease).await?;
    Ok(planned?)
}

async fn refresh_and_plan(app: &Arc<App>, connection: &Arc<Connection>, lease: &Lease) -> Result<Plan, Stop> {
    mirror::refresh(app, connection, lease).await?;
    let lane = lane(app, connection, lease).await?;
    poll(&lane, Window::SinceLast).await?;
    plan(&lane).await
}

async fn lane<'a>(app: &'a App, connection: &'a Connection, lease: &'a Lease) -> Result<Lane<'a>, Stop> {
    let identity = connection.identity().ok_or_else(|| {
        Stop::Connection(store::Problem {
            code: "not_connected".to_owned(),
            sentence: format!("connection {} was never made: see ml-connector status", connection.id),
        })
    })?;
    Ok(Lane::now(app, connection, lease, identity).await?)
}

/// `apply`.
pub(super) async fn carry_out(common: &Common, path: &Path) -> Result<Exit, Failure> {
    let file = read(path)?;
    let config = open::config(common)?;
    let app = open::app(&config).await?;
    first_contact(&app).await?;
    let mut done = Vec::new();
    for plan in &file.plans {
        let connection = app.connection(&plan.connection).cloned().ok_or_else(|| {
            Failure::new(Exit::NotFound, format!("the plan is for connection {}, which is not here", plan.connection))
        })?;
        done.extend(apply_one(&app, &connection, plan).await?);
    }
    app.store.close().await;
    let refused = done.iter().filter(|one| one.outcome == "refused").count();
    if common.json {
        print_json(&json!({ "records": done, "refused": refused }));
    } else {
        print_done(&done);
    }
    Ok(if refused > 0 { Exit::NotTaken } else { Exit::Done })
}

fn read(path: &Path) -> Result<PlanFile, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::new(Exit::NotFound, format!("{} cannot be read: {error}", path.display())))?;
    let file: PlanFile = serde_json::from_str(&text).map_err(|_| {
        Failure::new(Exit::Usage, format!("{} is not a plan; make one with plan --out", path.display()))
    })?;
    if file.plans.iter().any(|plan| plan.computed_hash() != plan.hash) {
        let text = format!("{} was edited since it was made: make the plan again", path.display());
        return Err(Failure::new(Exit::NotTaken, text));
    }
    Ok(file)
}

async fn apply_one(app: &Arc<App>, connection: &Arc<Connection>, plan: &Plan) -> Result<Vec<Done>, Failure> {
    let (lanes, name, now_ms) = (app.store.lanes(), connection.settings.lane(), app.now_ms());
    let lease = if app.alone.is_certain() {
        lanes.seize(&name, "apply", now_ms, LEASE_MS).await?
    } else {
        lanes.lease(&name, "apply", now_ms, LEASE_MS).await?
    };
    let lease = lease.ok_or_else(|| {
        Failure::new(
            Exit::Database,
            format!("another ml-connector works on connection {}: stop it first", plan.connection),
        )
    })?;
    let done = refresh_and_apply(app, connection, &lease, plan).await;
    app.store.lanes().release(&lease).await?;
    Ok(done?)
}

async fn refresh_and_apply(
    app: &Arc<App>,
    connection: &Arc<Connection>,
    lease: &Lease,
    plan: &Plan,
) -> Result<Vec<Done>, Stop> {
    identity::learn(app, connection).await?;
    mirror::refresh(app, connection, lease).await?;
    apply(&lane(app, connection, lease).await?, plan).await
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header);
    table
}

fn print(plan: &Plan) {
    let mut table = table(&["record", "from", "document", "vendor and why", "dates", "lines, or what blocks it"]);
    for entry in &plan.entries {
        table.add_row(row(entry));
    }
    println!("{table}");
    let ready = plan.entries.iter().filter(|entry| entry.document.is_some()).count();
    let held = plan.entries.len().saturating_sub(ready);
    println!(
        "{}: {}, {held} held; plan {}; nothing was written",
        plan.connection,
        counted(ready, "document"),
        plan.hash
    );
}

fn row(entry: &Entry) -> Vec<String> {
    let from = format!("{} {}", entry.record_type, entry.merchant.as_deref().unwrap_or_default());
    let mut cells = vec![entry.record.to_string(), from];
    if let (Some(document), Some(vendor), Some(why)) = (&entry.document, &entry.vendor, &entry.why) {
        let currency = document.currency.as_deref().unwrap_or("in the company's currency");
        let due = document.due_date.map_or_else(String::new, |due| format!(", due {due}"));
        let refund = why.refund.as_deref().unwrap_or_default();
        let shared: Vec<String> = document.dimensions.iter().map(|(code, value)| format!("{code}={value}")).collect();
        let header = if shared.is_empty() { String::new() } else { format!(", header {}", shared.join(" ")) };
        let number = format!("{} {}, {} {currency}{header}", document.kind.words(), document.number, document.total);
        let lines = document.lines.iter().zip(&why.lines).map(|(line, why)| line_cell(line, why));
        cells.push(format!("{number}: {}; {}\n{refund}", why.currency, why.tax).trim_end().to_owned());
        cells.push(format!("{} {}: {}", vendor.number, vendor.name, vendor.why));
        cells.push(format!("posted {}{due}. {}", document.posting_date, why.dates));
        cells.push(lines.collect::<Vec<_>>().join("\n"));
    } else if let Some(hold) = &entry.hold {
        let blocked = format!("{}: {} {}", hold.code, hold.sentence, hold.code.what_to_do());
        cells.extend(["held".to_owned(), String::new(), String::new(), blocked]);
    }
    cells
}

/// What is booked on a line, and below it where each part of that comes from.
fn line_cell(line: &PlannedLine, why: &LineReasons) -> String {
    let dimensions = line.dimensions.iter().map(|(code, value)| format!("{code}={value}"));
    let tax = line.tax_code.iter().map(|code| format!("tax {code}"));
    let parts = dimensions.chain(tax).collect::<Vec<_>>().join(" ");
    let (account, amount, text) = (&line.account, line.amount, &line.description);
    format!("{account} {amount} {parts}: {text}\n  {}", why.words())
}

fn print_done(done: &[Done]) {
    let mut table = table(&["record", "outcome", "document, or why"]);
    for one in done {
        table.add_row([one.record.as_str(), one.outcome, &one.detail]);
    }
    println!("{table}");
}
