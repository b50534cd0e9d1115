//! `transfers …`: what Brex paid and what Business Central is owed, compared; and what people say about it.

mod answer;
mod create;
mod list;
mod orders;
mod reconcile;
mod show;

use clap::{Args, Subcommand, ValueEnum};
use domain::id::ConnectionId;
use jiff::civil::Date;

use super::{Common, Exit, Failure, open};
use crate::app::{App, Connection};
use crate::clock::{Clock, SystemClock, timestamp};
use crate::config::Config;

/// What can be asked about transfers.
#[derive(Debug, Subcommand)]
pub(super) enum TransfersCommand {
    /// Read transfers and posted documents now, compare them, and show how everything stands. Changes nothing in Brex or
    /// Business Central.
    Reconcile(ListArgs),
    /// Show how everything stood when it was last compared.
    List(ListArgs),
    /// Everything about one transfer, or about a document by its number.
    Show {
        /// Id of a transfer (dptx_…), or number or id of a document.
        what: String,
        /// The connection, if there are several.
        #[arg(long)]
        connection: Option<String>,
    },
    /// Say that a transfer pays these documents; without --document those of the suggestion.
    Match {
        #[command(flatten)]
        args: AnswerArgs,
        /// Number or id of a document, with the amount if it is not all that is left: INV-1 or INV-1=250.00.
        #[arg(long = "document")]
        documents: Vec<String>,
    },
    /// Take a match (or a wrong suggestion) apart, and remember that these do not belong together.
    Unmatch(AnswerArgs),
    /// Pay open invoices of Business Central through Brex: shows what would be paid and what stands against it; with --yes
    /// it is ordered.
    Create(CreateArgs),
    /// Show the transfers that were ordered.
    Orders {
        /// Only this connection.
        #[arg(long)]
        connection: Option<String>,
        /// Also those that are over.
        #[arg(long)]
        all: bool,
    },
    /// Approve an ordered transfer that waits for another person, or have a held one tried again.
    Approve {
        /// Number of the order.
        id: i64,
        /// Who approves: a user who is an approver.
        #[arg(long, visible_alias = "person")]
        by: String,
        /// The connection, if there are several.
        #[arg(long)]
        connection: Option<String>,
    },
    /// Decline an ordered transfer of which nothing was sent, or that is held.
    Decline {
        /// Number of the order.
        id: i64,
        /// Why; kept in the audit trail.
        #[arg(long)]
        reason: String,
        /// Who declines: a user who may work here.
        #[arg(long, visible_alias = "person")]
        by: String,
        /// The connection, if there are several.
        #[arg(long)]
        connection: Option<String>,
    },
}

/// What is to be paid.
#[derive(Clone, Debug, Args)]
pub(super) struct CreateArgs {
    /// Number (the supplier's or Business Central's) or id of a posted invoice.
    #[arg(long = "invoice", required_unless_present = "file")]
    invoices: Vec<String>,
    /// A file with one invoice per line, and behind a comma the payment instrument where the vendor has several.
    #[arg(long)]
    file: Option<std::path::PathBuf>,
    /// Payment instrument (pdinstl_…), where the vendor has several.
    #[arg(long)]
    instrument: Option<String>,
    /// A transfer (dptx_…) that does not pay these invoices, although it looks like it.
    #[arg(long)]
    despite: Vec<String>,
    /// Order what is shown.
    #[arg(long, requires = "by")]
    yes: bool,
    /// Who orders: a user who is an approver, or with four_eyes one who may work here.
    #[arg(long, visible_alias = "person")]
    by: Option<String>,
    /// The connection, if there are several.
    #[arg(long)]
    connection: Option<String>,
}

/// What is shown.
#[derive(Clone, Debug, Args)]
pub(super) struct ListArgs {
    /// Only this connection.
    #[arg(long)]
    connection: Option<String>,
    /// Only what stands like this.
    #[arg(long, value_enum, default_value_t = Shown::All)]
    only: Shown,
    /// As CSV: one line per transfer and per document.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

/// What is shown of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Shown {
    /// Everything.
    All,
    /// What is matched.
    Matched,
    /// What is matched in part.
    Partly,
    /// What is not matched.
    Unmatched,
    /// What there is a suggestion for.
    Suggested,
}

/// An answer.
#[derive(Clone, Debug, Args)]
pub(super) struct AnswerArgs {
    /// Id of the transfer (dptx_…).
    transfer: String,
    /// Why; kept in the audit trail.
    #[arg(long)]
    reason: String,
    /// Who says so; kept in the audit trail.
    #[arg(long, visible_alias = "person")]
    by: String,
    /// The connection, if there are several.
    #[arg(long)]
    connection: Option<String>,
}

pub(super) async fn transfers(common: &Common, command: TransfersCommand) -> Result<Exit, Failure> {
    match command {
        TransfersCommand::Reconcile(args) => reconcile::reconcile(common, &args).await,
        TransfersCommand::List(args) => list::list(common, &args).await,
        TransfersCommand::Show { what, connection } => show::show(common, &what, connection.as_deref()).await,
        TransfersCommand::Match { args, documents } => answer::together(common, &args, &documents).await,
        TransfersCommand::Unmatch(args) => answer::apart(common, &args).await,
        TransfersCommand::Create(args) => create::create(common, &args).await,
        TransfersCommand::Orders { connection, all } => orders::list(common, connection.as_deref(), all).await,
        TransfersCommand::Approve { id, by, connection } => {
            orders::approve(common, connection.as_deref(), id, &by).await
        }
        TransfersCommand::Decline { id, reason, by, connection } => {
            orders::decline(common, connection.as_deref(), id, &reason, &by).await
        }
    }
}

/// The one connection that is meant.
fn one_connection(config: &Config, name: Option<&str>) -> Result<ConnectionId, Failure> {
    match open::chosen(config, name)?.as_slice() {
        [only] => ConnectionId::new(only).map_err(|error| Failure::new(Exit::Config, error.to_string())),
        _ => Err(Failure::new(Exit::Usage, "there are several connections: name one with --connection")),
    }
}

/// The connection of this name in the process.
fn connection_of<'a>(app: &'a App, name: &ConnectionId) -> Result<&'a Connection, Failure> {
    let found = app.connections.iter().find(|connection| connection.id == *name);
    let unknown = || Failure::new(Exit::NotFound, format!("there is no connection {name}"));
    found.map(AsRef::as_ref).ok_or_else(unknown)
}

/// What day it is for a connection.
fn today(config: &Config, connection: &str) -> Result<Date, Failure> {
    Ok(timestamp(SystemClock.now_ms()).to_zoned_datetime(open::zone(config, connection)?).date())
}
