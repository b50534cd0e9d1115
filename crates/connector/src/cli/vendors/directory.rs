//! `vendors directory`: how it stands, what would be done, do it now, and the history of one vendor.

use clap::{Args, Subcommand};
use comfy_table::{ContentArrangement, Table};
use domain::audit::Entry;
use domain::text::in_line;
use serde_json::{Value, json};
use store::{BrexVendorRow, Store};

use crate::cli::open::shown_time;
use crate::cli::run::first_contact;
use crate::cli::{Common, Exit, Failure, open, print_json, text};
use crate::clock::{Clock, SystemClock, timestamp};
use crate::config::Config;
use crate::vendors::directory::plan::{Step, plan};
use crate::vendors::directory::{DIRECTORY, FULL, state, subject};
use crate::words::counted;

/// More entries than any vendor has.
const ALL: i64 = 10_000;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum DirectoryCommand {
    /// How many vendors stand how, what waits for a person, and when the next run is.
    Status(Chosen),
    /// What a run would do, and why. Reads only.
    Plan(Chosen),
    /// Ask for a run over everything now; what waits for a person is tried again.
    Sync(Chosen),
    /// The history of one vendor.
    History {
        /// BC number, BC id or Brex id.
        vendor: String,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Chosen {
    /// Only this connection.
    #[arg(long)]
    connection: Option<String>,
}

pub(super) async fn directory(common: &Common, command: DirectoryCommand) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    match command {
        DirectoryCommand::Status(chosen) => status(common, &config, chosen.connection.as_deref()).await,
        DirectoryCommand::Plan(chosen) => show_plan(common, &config, chosen.connection.as_deref()).await,
        DirectoryCommand::Sync(chosen) => sync(common, &config, chosen.connection.as_deref()).await,
        DirectoryCommand::History { vendor } => history(common, &config, &vendor).await,
    }
}

async fn status(common: &Common, config: &Config, name: Option<&str>) -> Result<Exit, Failure> {
    let names = open::chosen(config, name)?;
    let store = open::store(config).await?;
    let mut shown = Vec::new();
    for settings in config.connections.iter().filter(|settings| names.contains(&settings.name.as_str())) {
        let id = settings.id()?;
        let job = store.jobs().list(&id).await?.into_iter().find(|job| job.kind == DIRECTORY);
        let counts = store.brex_vendors().counts(&id).await?;
        let held: Vec<BrexVendorRow> =
            store.brex_vendors().list(&id).await?.into_iter().filter(|row| row.hold.is_some()).collect();
        let time = |ms: Option<i64>| ms.map(|ms| timestamp(ms).to_string());
        shown.push(json!({
            "connection": settings.name,
            "enabled": settings.directory.enabled,
            "last_run": time(job.as_ref().and_then(|job| job.finished_ms)),
            "next_run": time(job.as_ref().and_then(|job| job.due_ms)),
            "error": job.and_then(|job| job.error),
            "vendors": counts.iter().map(|count| json!({
                "in_brex": count.state, "in_bc": count.presence, "hold": count.hold, "number": count.vendors,
            })).collect::<Vec<_>>(),
            "held": held.iter().map(vendor).collect::<Vec<_>>(),
        }));
    }
    store.close().await;
    if common.json {
        print_json(&json!({ "directories": shown }));
    } else {
        shown.iter().for_each(print_status);
    }
    Ok(Exit::Done)
}

fn print_status(shown: &Value) {
    let off = if shown["enabled"] == json!(true) { "" } else { " (off: set enabled in [connection.directory])" };
    println!(
        "{}{off}: last run {}, next run {}",
        text(&shown["connection"]),
        text(&shown["last_run"]),
        text(&shown["next_run"])
    );
    if !shown["error"].is_null() {
        println!("  {}", in_line(&text(&shown["error"])));
    }
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_header(["in Brex", "in BC", "held", "vendors"]);
    for count in shown["vendors"].as_array().into_iter().flatten() {
        table.add_row([&count["in_brex"], &count["in_bc"], &count["hold"], &count["number"]].map(text));
    }
    println!("{table}");
    for held in shown["held"].as_array().into_iter().flatten() {
        let [number, name, why] = ["number", "name_in_bc", "why"].map(|key| text(&held[key]));
        println!("  {number} {}: {}", in_line(&name), in_line(&why));
    }
}

fn vendor(row: &BrexVendorRow) -> Value {
    json!({
        "number": row.number, "bc_id": row.bc_id, "name_in_bc": row.bc_name, "name_in_brex": row.name,
        "brex_id": row.brex_id, "state": state(row), "why": row.hold_text,
    })
}

async fn show_plan(common: &Common, config: &Config, name: Option<&str>) -> Result<Exit, Failure> {
    let names = open::chosen(config, name)?;
    let app = open::planning(config).await?;
    first_contact(&app).await?;
    let mut shown = Vec::new();
    for connection in app.connections.iter().filter(|connection| names.contains(&connection.id.as_str())) {
        let steps = plan(&app, connection).await?;
        if common.json {
            let steps =
                steps.iter().map(|step| json!({ "do": step.verb, "vendor": vendor(&step.row), "detail": step.detail }));
            shown.push(json!({ "connection": connection.id.as_str(), "steps": steps.collect::<Vec<_>>() }));
        } else {
            print_plan(connection.id.as_str(), &steps);
        }
    }
    app.store.close().await;
    if common.json {
        print_json(&json!({ "plans": shown }));
    }
    Ok(Exit::Done)
}

fn print_plan(connection: &str, steps: &[Step]) {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["vendor", "name in BC", "do", "name in Brex", "detail"]);
    for Step { row, verb, detail } in steps {
        let name = row.name.clone().unwrap_or_default();
        table.add_row([row.number.clone(), row.bc_name.clone(), (*verb).to_owned(), name, detail.to_string()]);
    }
    println!("{table}");
    println!("{connection}: {}; nothing was written", counted(steps.len(), "step"));
}

async fn sync(common: &Common, config: &Config, name: Option<&str>) -> Result<Exit, Failure> {
    let names = open::chosen(config, name)?;
    let settings = config.connections.iter().filter(|settings| names.contains(&settings.name.as_str()));
    let (on, off): (Vec<_>, Vec<_>) = settings.partition(|settings| settings.directory.enabled);
    if on.is_empty() {
        let names = off.iter().map(|settings| settings.name.as_str()).collect::<Vec<_>>().join(", ");
        let text = format!("the vendor directory is off for {names}: set enabled = true in [connection.directory]");
        return Err(Failure::new(Exit::Config, text));
    }
    let store = open::store(config).await?;
    for settings in &on {
        store.jobs().request(&settings.id()?, DIRECTORY, Some(FULL), SystemClock.now_ms()).await?;
    }
    store.close().await;
    let asked: Vec<&str> = on.iter().map(|settings| settings.name.as_str()).collect();
    if common.json {
        print_json(&json!({ "asked": asked }));
    } else {
        println!("asked for {}: the running ml-connector does it within seconds, else the next run", asked.join(", "));
    }
    Ok(Exit::Done)
}

async fn history(common: &Common, config: &Config, name: &str) -> Result<Exit, Failure> {
    let store = open::store(config).await?;
    let mut stories = Vec::new();
    for settings in &config.connections {
        stories
            .extend(tell(&store, &settings.id()?, name).await?.into_iter().map(|story| (settings.name.clone(), story)));
    }
    store.close().await;
    if stories.is_empty() {
        return Err(Failure::new(Exit::NotFound, format!("no vendor {name} is known to the vendor directory")));
    }
    if common.json {
        let shown = stories.iter().map(|(connection, (row, entries))| {
            let steps = entries.iter().map(|entry| {
                let detail = serde_json::from_str::<Value>(&entry.detail).unwrap_or_default();
                json!({ "seq": entry.seq, "at": timestamp(entry.at_ms).to_string(), "action": entry.action, "after": entry.after, "detail": detail })
            });
            json!({ "connection": connection, "vendor": vendor(row), "steps": steps.collect::<Vec<_>>() })
        });
        print_json(&json!({ "stories": shown.collect::<Vec<_>>() }));
        return Ok(Exit::Done);
    }
    for (connection, (row, entries)) in &stories {
        let zone = open::zone(config, connection)?;
        println!("{connection}: {} {} is {} in Brex", row.number, in_line(&row.bc_name), state(row));
        for entry in entries {
            let action = entry.action.trim_start_matches("brex_vendor_").replace('_', " ");
            println!("{}  {action}: {}", shown_time(entry.at_ms, &zone), entry.detail);
        }
        if let Some(why) = &row.hold_text {
            println!("\n{why}");
        }
    }
    Ok(Exit::Done)
}

async fn tell(
    store: &Store,
    connection: &domain::id::ConnectionId,
    name: &str,
) -> Result<Vec<(BrexVendorRow, Vec<Entry>)>, Failure> {
    let mut stories = Vec::new();
    for row in store.brex_vendors().find(connection, name).await? {
        let entries = store.audit().list_for(connection, &subject(&row), ALL).await?;
        stories.push((row, entries));
    }
    Ok(stories)
}
