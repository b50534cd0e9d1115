//! `backfill --from`: takes up everything that Brex changed since a date. A running process is asked to do it; without
//! one, this command does it itself.

use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::Date;
use serde_json::json;
use store::Store;

use super::{Common, Exit, Failure, open, print_json, run};
use crate::alone::{Alone, NotAlone};
use crate::app::App;
use crate::clock::{Chance, Clock, SystemClock};
use crate::config::Config;
use crate::words::counted;
use crate::worker::BACKFILL;

pub(super) async fn backfill(common: &Common, from: Date, connection: Option<&str>) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let names = open::chosen(&config, connection)?;
    let alone = match Alone::take(&config.database_url()) {
        Ok(alone) => alone,
        Err(NotAlone::Taken(_)) => return ask_the_running_one(common, &config, from, &names).await,
        Err(error) => return Err(error.into()),
    };
    let store = open::store(&config).await?;
    let app = App::build(&config, store, Arc::new(SystemClock), Chance::real(), alone).await?;
    run::first_contact(&app).await?;
    let before = total(&app).await?;
    request(&app.store, &config, from, &names).await?;
    let stop = run::stop_on_signal()?;
    let bar = progress_bar();
    let exit = run::until_idle(&app, &stop, |tick| {
        if tick.worked {
            bar.inc(1);
        }
    })
    .await?;
    bar.finish_and_clear();
    let after = total(&app).await?;
    app.store.close().await;
    let taken = after.saturating_sub(before);
    if common.json {
        print_json(&json!({ "from": from.to_string(), "connections": names, "records_taken_up": taken }));
    } else {
        println!("{} taken up since {from}; see ml-connector status", counted(taken, "record"));
    }
    Ok(exit)
}

/// Puts the request where the worker looks for it.
async fn request(store: &Store, config: &Config, from: Date, names: &[&str]) -> Result<(), Failure> {
    for settings in config.connections.iter().filter(|settings| names.contains(&settings.name.as_str())) {
        let start = from.to_zoned_datetime(settings.rules()?.zone);
        let start = start.map_err(|_| Failure::new(Exit::Usage, format!("{from} is outside the range of dates")))?;
        let now_ms = SystemClock.now_ms();
        store.jobs().request(&settings.id()?, BACKFILL, Some(&start.timestamp().to_string()), now_ms).await?;
    }
    Ok(())
}

/// Another process is at work: it finds the request within seconds.
async fn ask_the_running_one(common: &Common, config: &Config, from: Date, names: &[&str]) -> Result<Exit, Failure> {
    let store = open::store(config).await?;
    request(&store, config, from, names).await?;
    store.close().await;
    if common.json {
        print_json(&json!({ "from": from.to_string(), "connections": names, "asked": true }));
    } else {
        println!("the running ml-connector was asked to take up everything since {from}; see ml-connector status");
    }
    Ok(Exit::Done)
}

async fn total(app: &Arc<App>) -> Result<i64, Failure> {
    let mut total = 0_i64;
    for connection in &app.connections {
        let counts = app.store.records().counts(&connection.id).await?;
        total = total.saturating_add(counts.iter().map(|count| count.records).sum());
    }
    Ok(total)
}

/// A bar on stderr that says how many steps were taken; nothing when stderr is not a terminal.
pub(super) fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::no_length();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} step {pos}, {elapsed}") {
        bar.set_style(style);
    }
    bar
}
