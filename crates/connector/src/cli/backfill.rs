//! `backfill --from`: takes up everything that Brex changed since a date. A running process is asked to do it; without
//! one, this command does it itself.

use std::sync::Arc;

use domain::id::ConnectionId;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::Date;
use serde_json::json;

use super::{Common, Exit, Failure, open, print_json, run};
use crate::app::App;
use crate::worker::BACKFILL;

pub(super) async fn backfill(common: &Common, from: Date, connection: Option<&str>) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let names = open::chosen(&config, connection)?;
    let app = open::app(&config).await?;
    run::first_contact(&app).await?;
    let before = total(&app).await?;
    for name in &names {
        let Some(connection) = app.connections.iter().find(|c| c.id.as_str() == *name) else { continue };
        let start = from.to_zoned_datetime(connection.rules.zone.clone()).map_err(|_| {
            Failure::new(Exit::Usage, format!("{from} is outside the range of dates"))
        })?;
        request(&app, &connection.id, &start.timestamp().to_string()).await?;
    }
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
        println!("{taken} record(s) taken up since {from}; see ml-connector status");
    }
    Ok(exit)
}

async fn request(app: &App, connection: &ConnectionId, from: &str) -> Result<(), Failure> {
    Ok(app.store.jobs().request(connection, BACKFILL, Some(from), app.now_ms()).await?)
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
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {pos} step(s), {elapsed}") {
        bar.set_style(style);
    }
    bar
}
