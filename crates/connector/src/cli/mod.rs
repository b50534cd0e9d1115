//! The command line: data to stdout, everything else to stderr, `--json` everywhere, documented exit codes.

/// In the whole command line `println!` shows what others wrote (a merchant's name, an API's message) without sending a terminal
/// anything that it would obey.
macro_rules! println {
    ($($arg:tt)*) => { ::std::println!("{}", ::domain::text::inert(&::std::format!($($arg)*))) };
}

/// The same to stderr.
macro_rules! eprintln {
    ($($arg:tt)*) => { ::std::eprintln!("{}", ::domain::text::inert(&::std::format!($($arg)*))) };
}

mod again;
mod attention;
mod audit;
mod backfill;
mod bench;
mod coding_lists;
mod config_check;
mod config_test;
mod connect;
mod demo;
mod doctor;
mod exit;
mod explain;
mod keys;
mod log;
mod mappings;
mod match_files;
mod notify;
mod open;
mod operate;
mod plan;
mod run;
mod shell;
mod status;
mod store;
mod tieout;
mod tokens;
mod traces;
mod transfers;
mod users;
mod vendors;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use jiff::civil::Date;

use crate::flow::operator::Verb;
use log::LogFormat;

pub use exit::{Exit, Failure};

/// Brex spend becomes draft purchase documents in Business Central, exactly once.
#[derive(Debug, Parser)]
#[command(name = "ml-connector", version, about, after_help = exit::HELP)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
struct Common {
    /// The configuration file.
    #[arg(long, global = true, default_value = crate::config::DEFAULT_FILE)]
    config: PathBuf,
    /// Print one JSON value instead of text.
    #[arg(long, global = true)]
    json: bool,
    /// What goes to the log: error, warn, info, debug or trace.
    #[arg(long, global = true, default_value = "info", env = "ML_CONNECTOR_LOG")]
    log: String,
    /// How the log is written: for people, or one JSON object a line.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, env = "ML_CONNECTOR_LOG_FORMAT")]
    log_format: LogFormat,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the whole thing on a sandbox, without any account.
    Demo(demo::DemoArgs),
    /// Work: receive webhooks, poll, create drafts, report exports, until stopped.
    Run(run::RunArgs),
    /// Join a Brex account and a Business Central company: check both, seal the secrets, write the configuration.
    Connect(connect::ConnectArgs),
    /// Ask both systems for everything that is needed, and say what is missing and what to do.
    Doctor,
    /// Show each connection: its state, its records by stage, its last and next runs.
    Status,
    /// List what waits for a person, and who can fix it.
    Attention,
    /// Show the exact document of every record that waits, without writing anything to Brex or Business Central.
    Plan {
        /// Only this connection.
        #[arg(long)]
        connection: Option<String>,
        /// Keep the plan in a file, for `apply`.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Do exactly what a plan says; a record that moved since is refused, the others are done.
    Apply {
        /// File that `plan --out` wrote.
        plan: PathBuf,
    },
    /// Tell the whole story of one record.
    Explain {
        /// Id of the record in Brex (accr_…).
        record: String,
    },
    /// Look at a held record again now.
    Retry(operate::OperateArgs),
    /// Take a record up again from a stage, plan it anew after its draft was deleted, or run it on a sandbox to see what would come out.
    Replay(operate::ReplayArgs),
    /// Set a record aside for good: it is not to be exported by the connector.
    Skip(operate::OperateArgs),
    /// Take up records that Brex changed since a date, also when they were missed or the database is new.
    Backfill {
        /// First day, such as 2026-01-31; the cut-over date of the connection is never passed.
        #[arg(long)]
        from: Date,
        /// Only this connection.
        #[arg(long)]
        connection: Option<String>,
    },
    /// Say which vendor a merchant is, see what the matcher suggests, keep vendors in Brex.
    Vendors {
        #[command(subcommand)]
        command: vendors::VendorsCommand,
    },
    /// Say what coded values of Brex mean in Business Central, where they are neither its numbers nor its names.
    Mappings {
        #[command(subcommand)]
        command: mappings::MappingsCommand,
    },
    /// Compare what was paid through Brex with what Business Central is owed.
    Transfers {
        #[command(subcommand)]
        command: transfers::TransfersCommand,
    },
    /// Keep the lists in Brex that people code with.
    CodingLists {
        #[command(subcommand)]
        command: coding_lists::CodingListsCommand,
    },
    /// Compare Brex, Business Central and the database over a period: every record is one thing, or it is told.
    Tieout(tieout::TieoutArgs),
    /// Prove that the audit trail is as it was written, and take it out.
    Audit {
        #[command(subcommand)]
        command: audit::AuditCommand,
    },
    /// Match merchants to vendors from CSV files, without a connection.
    Match(match_files::MatchArgs),
    /// Look at the secrets in the vault and at their keys, and put new keys in place of old ones.
    Keys {
        #[command(subcommand)]
        command: keys::KeysCommand,
    },
    /// Back the database up, go back to a backup, move to another database.
    Store {
        #[command(subcommand)]
        command: store::StoreCommand,
    },
    /// Say who may use the console, and give out links to set a password.
    Users {
        #[command(subcommand)]
        command: users::UsersCommand,
    },
    /// Show what people would be told now, or try whether a message reaches them.
    Notify(notify::NotifyArgs),
    /// Make, list and revoke tokens of the admin API.
    Tokens {
        #[command(subcommand)]
        command: tokens::TokensCommand,
    },
    /// Look at the configuration.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Measure the connector against the sandbox: speed, memory, requests, and that nothing is lost or doubled.
    Bench(bench::BenchArgs),
    /// A part of the benchmark in a process of its own.
    #[command(hide = true)]
    BenchPart(bench::part::PartArgs),
    /// Print a script that completes this command line in a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Write the manual pages.
    #[command(hide = true)]
    Man {
        /// The folder they go into.
        folder: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Check the configuration file and the secrets it names, without calling anybody.
    Check,
    /// Show which rules another file has that this one has not.
    Diff {
        /// The other configuration file.
        other: PathBuf,
    },
    /// Map the stored records of the last days again under the rules of the file, and show what would change.
    Test {
        /// How many days back.
        #[arg(long, default_value_t = 31)]
        days: u16,
    },
}

/// Parses the arguments, does what they say, and tells the exit code.
pub async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            return match error.print() {
                Ok(()) => code.into(),
                Err(_) => Exit::Unexpected.into(),
            };
        }
    };
    let format = cli.common.log_format;
    let _traces = log::start(&cli.common.log, format);
    log::end_with_the_reader();
    match dispatch(cli).await {
        Ok(exit) => exit.into(),
        Err(failure) => {
            log::tell(&failure, format);
            failure.exit.into()
        }
    }
}

async fn dispatch(cli: Cli) -> Result<Exit, Failure> {
    let common = cli.common;
    match cli.command {
        Command::Demo(args) => demo::demo(&common, &args).await,
        Command::Run(args) => run::run(&common, &args).await,
        Command::Connect(args) => connect::connect(&common, &args).await,
        Command::Doctor => doctor::doctor(&common).await,
        Command::Status => status::status(&common).await,
        Command::Attention => attention::attention(&common).await,
        Command::Plan { connection, out } => plan::make(&common, connection.as_deref(), out.as_ref()).await,
        Command::Apply { plan } => plan::carry_out(&common, &plan).await,
        Command::Explain { record } => explain::explain(&common, &record).await,
        Command::Retry(args) => operate::operate(&common, Verb::Retry, &args).await,
        Command::Replay(args) => operate::replay(&common, &args).await,
        Command::Skip(args) => operate::operate(&common, Verb::Skip, &args).await,
        Command::Backfill { from, connection } => backfill::backfill(&common, from, connection.as_deref()).await,
        Command::Vendors { command } => vendors::vendors(&common, command).await,
        Command::Mappings { command } => mappings::mappings(&common, command).await,
        Command::Transfers { command } => transfers::transfers(&common, command).await,
        Command::CodingLists { command } => coding_lists::coding_lists(&common, command).await,
        Command::Tieout(args) => tieout::tieout(&common, &args).await,
        Command::Audit { command } => audit::audit(&common, command).await,
        Command::Match(args) => match_files::run(&common, &args),
        Command::Keys { command } => keys::keys(&common, &command).await,
        Command::Store { command } => store::store(&common, &command).await,
        Command::Users { command } => users::users(&common, &command).await,
        Command::Notify(args) => notify::notify(&common, &args).await,
        Command::Tokens { command } => tokens::tokens(&common, &command).await,
        Command::Config { command: ConfigCommand::Check } => config_check::check(&common),
        Command::Config { command: ConfigCommand::Diff { other } } => config_test::diff(&common, &other),
        Command::Config { command: ConfigCommand::Test { days } } => config_test::test(&common, days).await,
        Command::Bench(args) => bench::bench(&common, &args).await,
        Command::BenchPart(args) => bench::part::part(&args).await,
        Command::Completions { shell } => Ok(shell::completions(shell)),
        Command::Man { folder } => shell::man(&folder),
    }
}

/// Prints one JSON value as one line.
fn print_json(value: &serde_json::Value) {
    println!("{value}");
}

/// A JSON value for a person: a text without its quotes, and a dash for nothing.
fn text(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| if value.is_null() { "-".to_owned() } else { value.to_string() }, str::to_owned)
}
