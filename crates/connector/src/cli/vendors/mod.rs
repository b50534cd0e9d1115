//! `vendors …`: what waits for an answer, the answers, the memory in and out, and how good the matcher would have been.

mod answer;
mod directory;
mod eval;
mod exchange;
mod proposals;
mod review;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use domain::directory::Directory;
use domain::id::ConnectionId;
use store::Store;

use super::{Common, Exit, Failure, open};
use crate::config::Config;

/// What can be asked about vendors.
#[derive(Debug, Subcommand)]
pub(super) enum VendorsCommand {
    /// List the records whose vendor a person must say, with ranked suggestions and reasons.
    Review {
        /// Only this connection.
        #[arg(long)]
        connection: Option<String>,
    },
    /// Say that the suggestion (or --vendor) is right: it is remembered, and the record and its like go on.
    Confirm(AnswerArgs),
    /// Say that the suggestion (or --vendor) is wrong, or with --none that it is none of the vendors.
    Reject {
        #[command(flatten)]
        args: AnswerArgs,
        /// It is none of our vendors.
        #[arg(long, conflicts_with = "vendor")]
        none: bool,
    },
    /// Set the link of a merchant by hand; nothing but link and unlink changes it.
    Link(AnswerArgs),
    /// Take the link of a merchant off.
    Unlink(AnswerArgs),
    /// Forget everything that was said about a merchant.
    Forget(AnswerArgs),
    /// Propose a new vendor for a held record or a merchant; another person has to approve it.
    Propose(proposals::ProposeArgs),
    /// List the proposals of new vendors: who, when, why, and where each stands.
    Proposals {
        /// Only this connection.
        #[arg(long)]
        connection: Option<String>,
        /// Also those that were created or declined.
        #[arg(long)]
        all: bool,
    },
    /// Approve a proposal: the vendor is created in Business Central, blocked with type All.
    Approve(proposals::ApproveArgs),
    /// Decline a proposal.
    Decline(proposals::DeclineArgs),
    /// Write the memory as CSV to a file, or to standard output.
    Export {
        /// The connection, if there are several.
        #[arg(long)]
        connection: Option<String>,
        /// The file.
        file: Option<PathBuf>,
    },
    /// Read answers from a CSV file as vendors export writes it.
    Import {
        /// The connection, if there are several.
        #[arg(long)]
        connection: Option<String>,
        /// The file.
        file: PathBuf,
        /// Who answers.
        #[arg(long, visible_alias = "person", env = "USER", default_value = "unknown")]
        by: String,
    },
    /// BC vendors kept in the Brex vendor directory.
    Directory {
        #[command(subcommand)]
        command: directory::DirectoryCommand,
    },
    /// Ask the matcher again what people answered here: precision, recall, and what would have gone wrong.
    Eval {
        /// The connection, if there are several.
        #[arg(long)]
        connection: Option<String>,
    },
}

/// An answer.
#[derive(Clone, Debug, Args)]
pub(super) struct AnswerArgs {
    /// A held record (accr_…), or the merchant's name or descriptor.
    merchant: String,
    /// Number or id of the BC vendor; the first suggestion if not given.
    #[arg(long)]
    vendor: Option<String>,
    /// The connection, if there are several.
    #[arg(long)]
    connection: Option<String>,
    /// Who answers; kept in the audit trail.
    #[arg(long, visible_alias = "person", env = "USER", default_value = "unknown")]
    by: String,
}

pub(super) async fn vendors(common: &Common, command: VendorsCommand) -> Result<Exit, Failure> {
    use store::Verdict::{Confirmed, Forgotten, NoneOfOurs, Rejected, SetByHand, Unlinked};
    match command {
        VendorsCommand::Review { connection } => review::review(common, connection.as_deref()).await,
        VendorsCommand::Confirm(args) => answer::answer(common, Confirmed, &args).await,
        VendorsCommand::Reject { args, none: false } => answer::answer(common, Rejected, &args).await,
        VendorsCommand::Reject { args, none: true } => answer::answer(common, NoneOfOurs, &args).await,
        VendorsCommand::Link(args) => answer::answer(common, SetByHand, &args).await,
        VendorsCommand::Unlink(args) => answer::answer(common, Unlinked, &args).await,
        VendorsCommand::Forget(args) => answer::answer(common, Forgotten, &args).await,
        VendorsCommand::Propose(args) => proposals::propose(common, &args).await,
        VendorsCommand::Proposals { connection, all } => proposals::list(common, connection.as_deref(), all).await,
        VendorsCommand::Approve(args) => proposals::approve(common, &args).await,
        VendorsCommand::Decline(args) => proposals::decline(common, &args).await,
        VendorsCommand::Export { connection, file } => exchange::export(common, connection.as_deref(), file).await,
        VendorsCommand::Import { connection, file, by } => {
            exchange::import(common, connection.as_deref(), &file, &by).await
        }
        VendorsCommand::Directory { command } => directory::directory(common, command).await,
        VendorsCommand::Eval { connection } => eval::eval(common, connection.as_deref()).await,
    }
}

/// The one connection that is meant.
pub(super) fn one_connection(config: &Config, name: Option<&str>) -> Result<ConnectionId, Failure> {
    match open::chosen(config, name)?.as_slice() {
        [only] => ConnectionId::new(only).map_err(|error| Failure::new(Exit::Config, error.to_string())),
        _ => Err(Failure::new(Exit::Usage, "there are several connections: name one with --connection")),
    }
}

/// The mirror of a connection.
pub(super) async fn mirror_of(store: &Store, connection: &ConnectionId) -> Result<Directory, Failure> {
    let text = || format!("the vendors of {connection} were not read yet: start with ml-connector run");
    crate::mirror::stored(store, connection).await?.ok_or_else(|| Failure::new(Exit::NotFound, text()))
}
