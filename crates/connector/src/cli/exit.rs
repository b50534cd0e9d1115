//! Exit codes, which scripts may rely on, and what turns an error into one sentence and one code.

use std::process::ExitCode;

use crate::alone::NotAlone;
use crate::app::BuildError;
use crate::config::ConfigError;
use crate::connect::{Refusal, Why};
use crate::keys::KeyError;
use crate::stop::Stop;
use crate::web::ListenError;
use crate::worker::chain;

/// The end of a command. The numbers are stable; each is described in `docs/codes/exit-codes.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything asked for was done.
    Done = 0,
    /// A fault of the program or the machine.
    Unexpected = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The configuration or a secret is wrong.
    Config = 3,
    /// The database cannot be used.
    Database = 4,
    /// A system refused the credentials or a permission.
    Refused = 5,
    /// A system could not be reached.
    Unreachable = 6,
    /// The record, company or environment does not exist.
    NotFound = 7,
    /// The books do not agree.
    Disagreement = 8,
    /// A person's answer goes against one that stands.
    NotTaken = 9,
}

/// Shown below `--help`.
pub(super) const HELP: &str = "Exit codes: 0 done, 1 unexpected, 2 usage, 3 configuration, 4 database, 5 refused, \
6 unreachable, 7 not found, 8 the books do not agree, 9 answer not taken.";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command ended early: one sentence and one code.
#[derive(Debug)]
pub struct Failure {
    /// The code.
    pub exit: Exit,
    /// The sentence.
    pub sentence: String,
}

impl Failure {
    /// A failure with its sentence.
    pub fn new(exit: Exit, sentence: impl Into<String>) -> Self {
        Self { exit, sentence: sentence.into() }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(Exit::Config, chain(&error))
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        let exit = match &error {
            BuildError::Config(_) | BuildError::Key(_) => Exit::Config,
            BuildError::Store(error) => of_store(error),
            BuildError::Http(_) => Exit::Unexpected,
        };
        Self::new(exit, chain(&error))
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Said(why, sentence) => {
                let exit = match why {
                    Why::Unexpected => Exit::Unexpected,
                    Why::Config => Exit::Config,
                    Why::Refused => Exit::Refused,
                    Why::Unreachable => Exit::Unreachable,
                    Why::NotFound => Exit::NotFound,
                    Why::NotTaken => Exit::NotTaken,
                };
                Self::new(exit, sentence)
            }
            Refusal::Config(error) => error.into(),
            Refusal::File(error) => error.into(),
            Refusal::Stop(stop) => stop.into(),
        }
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Self::new(of_store(&error), chain(&error))
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        let exit = match &error {
            KeyError::Store(error) => of_store(error),
            KeyError::Config(_) => Exit::Config,
        };
        Self::new(exit, chain(&error))
    }
}

/// A key or secret that does not fit is a matter of the configuration, everything else one of the database.
fn of_store(error: &store::Error) -> Exit {
    use store::Error::{KeyMissing, NotSealed, OtherHost};
    match error {
        KeyMissing { .. } | NotSealed { .. } | OtherHost { .. } => Exit::Config,
        _ => Exit::Database,
    }
}

impl From<NotAlone> for Failure {
    fn from(error: NotAlone) -> Self {
        Self::new(Exit::Database, chain(&error))
    }
}

impl From<ListenError> for Failure {
    fn from(error: ListenError) -> Self {
        Self::new(Exit::Config, chain(&error))
    }
}

impl From<sandbox::Error> for Failure {
    fn from(error: sandbox::Error) -> Self {
        Self::new(Exit::Unexpected, format!("the sandbox did not start: {}", chain(&error)))
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(Exit::Unexpected, error.to_string())
    }
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Store(error) => error.into(),
            Stop::Connection(problem) => Self::new(of_problem(&problem.code), problem.sentence),
            Stop::Later { error, .. } => Self::new(Exit::Unreachable, chain(&*error)),
        }
    }
}

/// The exit code for a problem of a connection.
pub(super) fn of_problem(code: &str) -> Exit {
    match code {
        "unreachable" | "redirected" => Exit::Unreachable,
        "bc_company_unknown" | "bc_environment_unknown" => Exit::NotFound,
        "brex_account_shared"
        | "legal_entity_unknown"
        | "company_changed"
        | "source_changed"
        | "source_twice"
        | "start_date_unusable"
        | "clock" => Exit::Config,
        _ => Exit::Refused,
    }
}
