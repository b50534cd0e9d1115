//! `coding-lists`: how the lists in Brex stand, what a run would change, and a run now.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::app::App;
use crate::cli::run::first_contact;
use crate::cli::{Common, Exit, Failure, open, print_json, text};
use crate::clock::{Clock, SystemClock, timestamp};
use crate::coding_lists::plan::{Step, plan};
use crate::coding_lists::{CODING_LISTS, FULL, axis, standing};
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(super) enum CodingListsCommand {
    /// How each list stood when it was last compared, and what a person has to do.
    Status(Chosen),
    /// What a run would change in Brex. Reads only.
    Plan(Chosen),
    /// Ask for a comparison of everything now.
    Sync(Chosen),
}

#[derive(Debug, Args)]
pub(super) struct Chosen {
    /// Only this connection.
    #[arg(long)]
    connection: Option<String>,
}

pub(super) async fn coding_lists(common: &Common, command: CodingListsCommand) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let (CodingListsCommand::Status(chosen) | CodingListsCommand::Plan(chosen) | CodingListsCommand::Sync(chosen)) =
        &command;
    let names = open::chosen(&config, chosen.connection.as_deref())?;
    let on = |name: &&str| {
        config.connections.iter().any(|settings| settings.name == **name && settings.coding_lists.enabled)
    };
    let (names, off): (Vec<&str>, Vec<&str>) = names.into_iter().partition(on);
    if names.is_empty() {
        let off = off.join(", ");
        let off_text = format!("coding lists are off for {off}: set enabled = true in [connection.coding_lists]");
        return Err(Failure::new(Exit::Config, off_text));
    }
    match command {
        CodingListsCommand::Status(_) => status(common, &config, &names).await,
        CodingListsCommand::Plan(_) => show_plan(common, &config, &names).await,
        CodingListsCommand::Sync(_) => sync(common, &config, &names).await,
    }
}

async fn status(common: &Common, config: &Config, names: &[&str]) -> Result<Exit, Failure> {
    let app = open::planning(config).await?;
    let mut shown = Vec::new();
    for connection in app.connections.iter().filter(|connection| names.contains(&connection.id.as_str())) {
        crate::mirror::recall(&app, connection).await?;
        let job = app.store.jobs().list(&connection.id).await?.into_iter().find(|job| job.kind == CODING_LISTS);
        let mut lists = Vec::new();
        for axis in axis::wanted(&connection.settings.coding_lists, &connection.rules.fields, &connection.directory()) {
            let standing = standing(&app, connection, &axis.remote_id).await?;
            lists.push(json!({
                "field": axis.remote_id,
                "in_bc": axis.values.len(),
                "in_brex": standing.as_ref().map(|standing| standing.offered),
                "not_ours": standing.as_ref().map(|standing| standing.foreign),
                "compared": standing.as_ref().map(|standing| timestamp(standing.compared_ms).to_string()),
                "problems": standing.map(|standing| standing.problems).unwrap_or_default(),
            }));
        }
        shown.push(json!({
            "connection": connection.id.as_str(),
            "error": job.as_ref().and_then(|job| job.error.clone()),
            "next_run": job.and_then(|job| job.due_ms).map(|ms| timestamp(ms).to_string()),
            "lists": lists,
        }));
    }
    finish(common, app, "coding_lists", &shown, print_status).await
}

fn print_status(shown: &Value) {
    println!("{}: next run {}", text(&shown["connection"]), text(&shown["next_run"]));
    if !shown["error"].is_null() {
        println!("  {}", text(&shown["error"]));
    }
    for list in shown["lists"].as_array().into_iter().flatten() {
        let [field, in_bc, in_brex, compared] = ["field", "in_bc", "in_brex", "compared"].map(|key| text(&list[key]));
        println!("  {field}: {in_bc} in Business Central, {in_brex} in Brex, compared {compared}");
        for problem in list["problems"].as_array().into_iter().flatten() {
            println!("    {}", text(problem));
        }
    }
}

async fn show_plan(common: &Common, config: &Config, names: &[&str]) -> Result<Exit, Failure> {
    let app = open::planning(config).await?;
    first_contact(&app).await?;
    let mut shown = Vec::new();
    for connection in app.connections.iter().filter(|connection| names.contains(&connection.id.as_str())) {
        let lists: Vec<Value> = plan(connection).await?.iter().map(step).collect();
        shown.push(json!({ "connection": connection.id.as_str(), "lists": lists }));
    }
    finish(common, app, "plans", &shown, print_plan).await
}

fn step(step: &Step) -> Value {
    let create: Vec<&str> = step.difference.create.iter().map(|value| value.label.as_str()).collect();
    let change = step
        .difference
        .change
        .iter()
        .map(|change| json!({ "was": change.was, "label": change.label, "disable": change.disable }));
    json!({
        "field": step.axis.remote_id,
        "known_in_bc": step.axis.is_known,
        "makes_field": step.makes_field,
        "create": create,
        "change": change.collect::<Vec<_>>(),
        "not_ours": step.difference.foreign,
    })
}

fn print_plan(shown: &Value) {
    println!("{}: nothing was written", text(&shown["connection"]));
    for list in shown["lists"].as_array().into_iter().flatten() {
        let note = if list["makes_field"] == json!(true) { ", the field is made first" } else { "" };
        let count = |key: &str| list[key].as_array().map_or(0, Vec::len);
        println!("  {}: {} to make, {} to change{note}", text(&list["field"]), count("create"), count("change"));
        for label in list["create"].as_array().into_iter().flatten() {
            println!("    + {}", text(label));
        }
        for change in list["change"].as_array().into_iter().flatten() {
            let what = match (change["label"].as_str(), change["disable"].as_bool()) {
                (_, Some(true)) => "can no longer be chosen".to_owned(),
                (Some(label), Some(false)) => format!("can be chosen again, as {label}"),
                (None, Some(false)) => "can be chosen again".to_owned(),
                (label, None) => format!("becomes {}", label.unwrap_or_default()),
            };
            println!("    ~ {}: {what}", text(&change["was"]));
        }
    }
}

async fn sync(common: &Common, config: &Config, names: &[&str]) -> Result<Exit, Failure> {
    let store = open::store(config).await?;
    for settings in config.connections.iter().filter(|settings| names.contains(&settings.name.as_str())) {
        store.jobs().request(&settings.id()?, CODING_LISTS, Some(FULL), SystemClock.now_ms()).await?;
    }
    store.close().await;
    if common.json {
        print_json(&json!({ "asked": names }));
    } else {
        println!("asked for {}: the running ml-connector does it within seconds, else the next run", names.join(", "));
    }
    Ok(Exit::Done)
}

async fn finish(
    common: &Common,
    app: std::sync::Arc<App>,
    key: &str,
    shown: &[Value],
    print: fn(&Value),
) -> Result<Exit, Failure> {
    app.store.close().await;
    if common.json {
        print_json(&json!({ key: shown }));
    } else {
        shown.iter().for_each(print);
    }
    Ok(Exit::Done)
}
