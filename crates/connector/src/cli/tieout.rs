//! `tieout`: the comparison of a period, as a table, JSON, CSV, or a page to print and sign. Reads only.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use comfy_table::{ContentArrangement, Table};
use domain::tieout::{Period, TieOut};
use jiff::civil::Date;
use serde_json::{Value, json};

use super::open::shown_time;
use super::run::first_contact;
use super::{Common, Exit, Failure, open, print_json};
use crate::app::{App, Connection};
use crate::stop::Stop;
use crate::tieout::{self, Line};
use crate::words::counted;

/// How many things that do not fit are shown in the terminal.
const SHOWN: usize = 40;

#[derive(Clone, Debug, Args)]
pub(super) struct TieoutArgs {
    /// First day, such as 2026-06-01, in the company's time zone.
    #[arg(long)]
    from: Date,
    /// Last day, included.
    #[arg(long)]
    to: Date,
    /// Only this connection. Files are written for one connection at a time.
    #[arg(long)]
    connection: Option<String>,
    /// Write the records to a CSV file.
    #[arg(long)]
    csv: Option<PathBuf>,
    /// Write a page to print and sign.
    #[arg(long)]
    page: Option<PathBuf>,
    /// Also fail when records still wait: the period can be closed only if none does.
    #[arg(long)]
    closed: bool,
}

pub(super) async fn tieout(common: &Common, args: &TieoutArgs) -> Result<Exit, Failure> {
    if args.from > args.to {
        return Err(Failure::new(Exit::Usage, format!("--from {} comes after --to {}", args.from, args.to)));
    }
    let config = open::config(common)?;
    let names = open::chosen(&config, args.connection.as_deref())?;
    if names.len() > 1 && (args.csv.is_some() || args.page.is_some()) {
        let text = format!("name one --connection for the files: {}", names.join(", "));
        return Err(Failure::new(Exit::Usage, text));
    }
    let app = open::planning(&config).await?;
    first_contact(&app).await?;
    let mut shown = Vec::new();
    let mut exit = Exit::Done;
    for connection in app.connections.iter().filter(|connection| names.contains(&connection.id.as_str())) {
        let (tied, company) = make(&app, connection, args).await?;
        let transfers = tieout::transfers(&app.store, &connection.id, tied.period).await?;
        write_files(args, &app, connection, (&tied, &transfers), &company)?;
        if common.json {
            shown.push(as_json(connection, &tied, &transfers));
        } else {
            print(connection, &tied);
            if let Some(limits) = connection.settings.brex.source.limits() {
                println!("{limits}");
            }
            print_transfers(&transfers);
        }
        if !tied.holds() || (args.closed && !tied.is_closed()) {
            exit = Exit::Disagreement;
        }
    }
    app.store.close().await;
    if common.json {
        print_json(&json!({ "tieouts": shown }));
    }
    Ok(exit)
}

/// The comparison, and the name of the company in Business Central.
async fn make(app: &App, connection: &Arc<Connection>, args: &TieoutArgs) -> Result<(TieOut, String), Failure> {
    let identity = connection.identity().ok_or_else(|| {
        Stop::Connection(store::Problem {
            code: "not_connected".to_owned(),
            sentence: format!("connection {} was never made: see ml-connector status", connection.id),
        })
    })?;
    let period = Period { from: args.from, to: args.to };
    let tied = tieout::make(app, connection, &identity, period).await?;
    Ok((tied, identity.bc_company_name.clone()))
}

fn write_files(
    args: &TieoutArgs,
    app: &App,
    connection: &Connection,
    (tied, transfers): (&TieOut, &[Line]),
    company: &str,
) -> Result<(), Failure> {
    let unwritable = |path: &PathBuf, error: &dyn std::fmt::Display| {
        Failure::new(Exit::Unexpected, format!("{} cannot be written: {error}", path.display()))
    };
    if let Some(path) = &args.csv {
        let file = std::fs::File::create(path).map_err(|error| unwritable(path, &error))?;
        tieout::write_csv(tied, file).map_err(|error| unwritable(path, &error))?;
    }
    if let Some(path) = &args.page {
        let made = format!("{} ({})", shown_time(app.now_ms(), &connection.rules.zone), connection.settings.time_zone);
        let limits = connection.settings.brex.source.limits();
        let page = tieout::page(tied, transfers, connection.id.as_str(), company, &made, limits);
        let page = page.map_err(|error| unwritable(path, &error))?;
        std::fs::write(path, page).map_err(|error| unwritable(path, &error))?;
    }
    Ok(())
}

fn as_json(connection: &Connection, tied: &TieOut, transfers: &[Line]) -> Value {
    let mut value = json!(tied);
    value["transfers"] = json!(transfers);
    value["connection"] = json!(connection.id.as_str());
    value["limits"] = json!(connection.settings.brex.source.limits());
    value["holds"] = json!(tied.holds());
    value["closed"] = json!(tied.is_closed());
    value
}

/// The transfers, as they were last compared; nothing where there are none.
fn print_transfers(transfers: &[Line]) {
    if !transfers.is_empty() {
        println!("\ntransfers, as they were last compared (transfers list shows each)");
        println!("{}", table(transfers));
    }
}

fn table(lines: &[Line]) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_header(["", "number", "amount"]);
    for line in lines {
        let name = if line.sum { line.name.clone() } else { format!("  {}", line.name) };
        table.add_row([name, line.count.to_string(), line.amount.clone()]);
    }
    table
}

fn print(connection: &Connection, tied: &TieOut) {
    println!("{}, {} to {}", connection.id, tied.period.from, tied.period.to);
    println!("{}", table(&tieout::lines(tied)));
    if tied.items.is_empty() && tied.holds() {
        println!("Brex has no record in this period");
        return;
    }
    if tied.is_closed() {
        println!("everything ties out: each record is one document, was set aside, or is no spend");
        return;
    }
    if tied.holds() {
        println!("everything is explained; see ml-connector attention for what waits");
        return;
    }
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["does not fit", "facts", "what to do"]);
    for found in tied.unexplained.iter().take(SHOWN) {
        table.add_row([found.reason.as_str(), &found.sentence, found.reason.what_to_do()]);
    }
    println!("{table}");
    let hidden = tied.unexplained.len().saturating_sub(SHOWN);
    let more = if hidden > 0 { format!("; {hidden} more are in --json, --csv and --page") } else { String::new() };
    println!("does not fit: {}{more}", counted(tied.unexplained.len(), "thing"));
}
