//! `vendors export` and `vendors import`: the memory as CSV, safe to open in a spreadsheet.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::super::{Common, Exit, Failure, open, print_json};
use super::{mirror_of, one_connection};
use crate::clock::{Clock, SystemClock};
use crate::vendors::answers::standings;
use crate::vendors::exchange::{self, ExchangeError};
use crate::words::counted;

pub(super) async fn export(common: &Common, connection: Option<&str>, file: Option<PathBuf>) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let connection = one_connection(&config, connection)?;
    let store = open::store(&config).await?;
    let directory = mirror_of(&store, &connection).await?;
    let standings = standings(&store.vendor_links().list(&connection).await?);
    store.close().await;
    let mut text = Vec::new();
    let lines = exchange::export(&standings, &directory, &mut text).map_err(|error| broken(&error))?;
    match &file {
        Some(path) => std::fs::write(path, &text).map_err(|error| no_file(path, &error))?,
        None if common.json => {}
        None => print!("{}", String::from_utf8_lossy(&text)),
    }
    if common.json {
        let csv = file.is_none().then(|| String::from_utf8_lossy(&text).into_owned());
        print_json(&json!({ "connection": connection.as_str(), "lines": lines, "file": file, "csv": csv }));
    } else if let Some(path) = &file {
        println!("{} written to {}", counted(lines, "answer"), path.display());
    }
    Ok(Exit::Done)
}

pub(super) async fn import(common: &Common, connection: Option<&str>, path: &Path, by: &str) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let connection = one_connection(&config, connection)?;
    let csv = std::fs::read(path).map_err(|error| no_file(path, &error))?;
    let store = open::store(&config).await?;
    let directory = mirror_of(&store, &connection).await?;
    let outcome = exchange::take(&store, &connection, &directory, &csv, by, SystemClock.now_ms()).await?;
    let (taken, kept) = outcome.map_err(|error| broken(&error))?;
    store.close().await;
    if common.json {
        print_json(&json!({ "connection": connection.as_str(), "taken": taken, "kept": kept }));
    } else {
        println!("{} taken; {kept} left alone", counted(taken, "answer"));
    }
    Ok(Exit::Done)
}

fn broken(error: &ExchangeError) -> Failure {
    Failure::new(Exit::Usage, format!("nothing was taken: {}", crate::worker::chain(error)))
}

fn no_file(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Exit::NotFound, format!("{}: {error}", path.display()))
}
