//! `mappings list | say | take-back`: what coded values of Brex mean in Business Central.

use clap::{Args, Subcommand};
use comfy_table::Table;
use serde_json::{Value, json};
use store::ValueMeaning;

use super::vendors::{mirror_of, one_connection};
use super::{Common, Exit, Failure, open, print_json};
use crate::clock::{Clock, SystemClock, timestamp};
use crate::meanings::{Said, SayError, say};

#[derive(Debug, Subcommand)]
pub(super) enum MappingsCommand {
    /// Show what people said.
    List {
        /// Only this connection.
        #[arg(long)]
        connection: Option<String>,
    },
    /// Say what a value means: records that wait for it go on.
    Say {
        #[command(flatten)]
        about: About,
        /// Number of the account, or code of the dimension value or tax.
        #[arg(long)]
        means: String,
    },
    /// Take back what was said about a value.
    TakeBack(About),
}

#[derive(Clone, Debug, Args)]
pub(super) struct About {
    /// Id or name of the field, as Brex has it.
    #[arg(long)]
    field: String,
    /// Id or name of the value, as Brex has it.
    #[arg(long)]
    value: String,
    /// Why; kept in the audit trail.
    #[arg(long)]
    reason: String,
    /// The connection, if there are several.
    #[arg(long)]
    connection: Option<String>,
    /// Who says so.
    #[arg(long, env = "USER", default_value = "unknown")]
    by: String,
}

pub(super) async fn mappings(common: &Common, command: MappingsCommand) -> Result<Exit, Failure> {
    match command {
        MappingsCommand::List { connection } => list(common, connection.as_deref()).await,
        MappingsCommand::Say { about, means } => word(common, about, Some(means)).await,
        MappingsCommand::TakeBack(about) => word(common, about, None).await,
    }
}

async fn list(common: &Common, connection: Option<&str>) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let chosen = open::chosen(&config, connection)?;
    let store = open::store(&config).await?;
    let mut said: Vec<(String, ValueMeaning)> = Vec::new();
    for name in chosen {
        let id = one_connection(&config, Some(name))?;
        said.extend(store.value_meanings().list(&id).await?.into_iter().map(|one| (name.to_owned(), one)));
    }
    store.close().await;
    if common.json {
        let shown: Vec<Value> = said.iter().map(|(name, one)| as_json(name, one)).collect();
        print_json(&json!({ "mappings": shown }));
        return Ok(Exit::Done);
    }
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_header([
        "connection",
        "field",
        "value",
        "means",
        "said by",
        "why",
    ]);
    for (name, one) in &said {
        let meaning = &one.meaning;
        table.add_row([name, &meaning.field, &meaning.value, &meaning.target, &one.said_by, &one.reason]);
    }
    println!("{table}");
    Ok(Exit::Done)
}

fn as_json(connection: &str, said: &ValueMeaning) -> Value {
    let meaning = &said.meaning;
    json!({
        "connection": connection, "field": meaning.field, "value": meaning.value, "target": meaning.target,
        "reason": said.reason, "by": said.said_by, "at": timestamp(said.said_ms).to_string(),
    })
}

async fn word(common: &Common, about: About, means: Option<String>) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let id = one_connection(&config, about.connection.as_deref())?;
    let settings = config.connections.iter().find(|settings| settings.name == id.as_str());
    let rules =
        settings.ok_or_else(|| Failure::new(Exit::NotFound, format!("there is no connection {id}")))?.rules()?;
    let store = open::store(&config).await?;
    let directory = mirror_of(&store, &id).await?;
    let said = Said { field: about.field, value: about.value, target: means, reason: about.reason, person: about.by };
    let kept = say(&store, &id, &rules, &directory, &said, SystemClock.now_ms()).await;
    store.close().await;
    let kept = kept.map_err(|error| match error {
        SayError::NotTaken(why) => Failure::new(Exit::NotTaken, why.to_string()),
        SayError::Store(error) => error.into(),
    })?;
    let target = kept.map(|meaning| meaning.target);
    if common.json {
        print_json(&json!({ "connection": id.as_str(), "field": said.field, "value": said.value, "target": target }));
        return Ok(Exit::Done);
    }
    match target {
        Some(target) => println!("{} of {} means {target}; records that wait for it go on", said.value, said.field),
        None => println!("what was said about {} of {} is taken back", said.value, said.field),
    }
    Ok(Exit::Done)
}
