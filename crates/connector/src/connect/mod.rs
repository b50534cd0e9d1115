//! Joins two systems. Everything is checked before anything is written; then the secrets are sealed and the connection is added to the
//! configuration. Done twice, it changes nothing. The command `connect` and the console ask for the [`answers`]; what is done with them is
//! here: both sides are found ([`systems`]), what was booked before is looked for ([`older`]), Brex is told who its accounting integration is
//! ([`integration`]), and the configuration is written ([`file`]).

pub(crate) mod answers;
pub(crate) mod file;
pub(crate) mod integration;
pub(crate) mod older;
mod snapshot;
pub(crate) mod systems;

use secrecy::{ExposeSecret as _, SecretString};
use store::Vault;

use self::answers::{Answers, SignIn};
use crate::config::{ConfigError, ConnectionConfig};
use crate::secrets;
use crate::stop::Stop;

/// Why two systems were not joined.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// What stands against it.
    #[error("{1}")]
    Said(Why, String),
    /// The configuration would not be right.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// A system.
    #[error(transparent)]
    Stop(#[from] Stop),
}

/// What kind of reason it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// A fault of the program or the machine.
    Unexpected,
    /// An answer is wrong or missing.
    Config,
    /// A system refuses it.
    Refused,
    /// A system cannot be reached.
    Unreachable,
    /// There is no such thing.
    NotFound,
    /// It goes against what is there.
    NotTaken,
}

impl Refusal {
    pub(crate) fn new(why: Why, sentence: impl Into<String>) -> Self {
        Self::Said(why, sentence.into())
    }

    /// In words.
    pub(crate) fn sentence(&self) -> String {
        match self {
            Self::Said(_, sentence) => sentence.clone(),
            Self::Stop(Stop::Connection(problem)) => problem.sentence.clone(),
            other => crate::worker::chain(other),
        }
    }
}

/// Seals what is not sealed already; tells how many.
pub(crate) async fn seal(
    vault: &Vault<'_>,
    settings: &ConnectionConfig,
    answers: &Answers,
    now_ms: i64,
) -> Result<u32, Refusal> {
    let SignIn { text: secret, ends, .. } = answers.entra.sign_in()?;
    let ends = ends.and_then(|day| day.to_zoned_datetime(jiff::tz::TimeZone::UTC).ok());
    let ends_ms = ends.map(|end| end.timestamp().as_millisecond());
    let id = settings.id()?;
    let mut sealed = 0_u32;
    for (slot, secret, ends_ms) in
        [(secrets::brex_slot(settings), answers.token()?, None), (secrets::entra_slot(settings), secret, ends_ms)]
    {
        let trimmed = SecretString::from(secret.expose_secret().trim());
        let is_new = vault.seal(&id, &slot, &trimmed, ends_ms, now_ms).await.map_err(Stop::Store)?;
        sealed = sealed.saturating_add(u32::from(is_new));
    }
    Ok(sealed)
}
