//! What `connect` has to be told: from a file or stdin, and what is no secret from flags. A secret is never an argument, where other
//! users of the machine would see it.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use clients::entra::{ClientSecret, Credential};
use jiff::civil::Date;
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;
use zeroize::Zeroizing;

use super::super::{Exit, Failure};
use crate::clock::{Clock, SystemClock};
use crate::config::secret::read_private_file;
use crate::config::stray;
use crate::config::{ConnectionConfig, Source};
use crate::secrets;

/// Where the answers come from. What is given neither way is asked on a terminal.
#[derive(Clone, Debug, Args)]
pub(super) struct Given {
    /// File with the answers, readable by its owner only; `-` reads them from stdin. docs/connect.md lists them.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Name of the connection.
    #[arg(long)]
    name: Option<String>,
    /// Microsoft Entra tenant: its id or a verified domain.
    #[arg(long)]
    tenant: Option<String>,
    /// Application (client) id.
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// Environment of Business Central, such as production.
    #[arg(long)]
    environment: Option<String>,
    /// Company in Business Central: its name, display name or id.
    #[arg(long)]
    company: Option<String>,
    /// Cut-over date, such as 2026-01-31: what Brex last changed before it is not looked at.
    #[arg(long, value_name = "DATE")]
    start_date: Option<Date>,
    /// Time zone of the company, such as America/New_York.
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Name that Brex gave to this integration, if it gave one.
    #[arg(long, value_name = "NAME")]
    integration_vendor: Option<String>,
}

/// The answers, as far as they are known.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Answers {
    pub(super) name: Option<String>,
    pub(super) start_date: Option<Date>,
    pub(super) time_zone: Option<String>,
    pub(super) allow_hosts: Vec<String>,
    pub(super) brex: BrexAnswers,
    pub(super) entra: EntraAnswers,
    pub(super) bc: BcAnswers,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct BrexAnswers {
    pub(super) token: Option<SecretString>,
    pub(super) integration_vendor: Option<String>,
    pub(super) source: Option<Source>,
    pub(super) base_url: Option<Url>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct EntraAnswers {
    pub(super) tenant: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<SecretString>,
    pub(super) client_secret_ends: Option<Date>,
    pub(super) certificate: Option<SecretString>,
    pub(super) certificate_ends: Option<Date>,
    pub(super) base_url: Option<Url>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct BcAnswers {
    pub(super) environment: Option<String>,
    pub(super) company: Option<String>,
    pub(super) base_url: Option<Url>,
}

/// What the application signs in with.
pub(super) struct SignIn<'a> {
    pub(super) text: &'a SecretString,
    pub(super) ends: Option<Date>,
    pub(super) is_certificate: bool,
}

impl EntraAnswers {
    /// One of the two ways.
    pub(super) fn sign_in(&self) -> Result<SignIn<'_>, Failure> {
        match (&self.client_secret, &self.certificate) {
            (Some(text), None) => Ok(SignIn { text, ends: self.client_secret_ends, is_certificate: false }),
            (None, Some(text)) => Ok(SignIn { text, ends: self.certificate_ends, is_certificate: true }),
            (None, None) => Err(Failure::new(Exit::Config, "entra: give client_secret or certificate")),
            (Some(_), Some(_)) => Err(Failure::new(Exit::Config, "entra: give client_secret or certificate, not both")),
        }
    }

    pub(super) fn is_signed(&self) -> bool {
        self.client_secret.is_some() || self.certificate.is_some()
    }

    pub(super) fn credential(&self) -> Result<Credential, Failure> {
        let SignIn { text, is_certificate, .. } = self.sign_in()?;
        if is_certificate {
            let clock: Arc<dyn Clock> = Arc::new(SystemClock);
            return Ok(secrets::certificate("entra.certificate", text.clone(), &clock)?);
        }
        Ok(ClientSecret::new(text.clone()).into())
    }
}

impl Answers {
    /// A connection that is there keeps the source that it has.
    pub(super) fn keep_source_of(&mut self, known: Option<&ConnectionConfig>) {
        if let Some(known) = known {
            self.brex.source.get_or_insert(known.brex.source);
        }
    }

    /// The answers that were given. A flag counts more than the file.
    pub(super) fn read(given: &Given) -> Result<Self, Failure> {
        let mut answers = given.from.as_deref().map_or_else(|| Ok(Self::default()), parse)?;
        let fill = |place: &mut Option<String>, flag: &Option<String>| {
            if flag.is_some() {
                place.clone_from(flag);
            }
        };
        fill(&mut answers.name, &given.name);
        fill(&mut answers.time_zone, &given.time_zone);
        fill(&mut answers.entra.tenant, &given.tenant);
        fill(&mut answers.entra.client_id, &given.client_id);
        fill(&mut answers.bc.environment, &given.environment);
        fill(&mut answers.bc.company, &given.company);
        fill(&mut answers.brex.integration_vendor, &given.integration_vendor);
        answers.start_date = given.start_date.or(answers.start_date);
        answers.brex.integration_vendor = answers.brex.integration_vendor.filter(|name| !name.trim().is_empty());
        if answers.entra.is_signed() {
            answers.entra.sign_in()?;
        }
        Ok(answers)
    }

    /// The answers without which nothing can be joined.
    pub(super) fn missing(&self) -> Vec<&'static str> {
        let all = [
            ("name", self.name.is_some()),
            ("start_date", self.start_date.is_some()),
            ("time_zone", self.time_zone.is_some()),
            ("brex.token", self.brex.token.is_some()),
            ("entra.tenant", self.entra.tenant.is_some()),
            ("entra.client_id", self.entra.client_id.is_some()),
            ("entra.client_secret", self.entra.is_signed()),
        ];
        all.into_iter().filter(|(_, is_there)| !is_there).map(|(key, _)| key).collect()
    }

    /// Refuses answers that are not complete, where nobody can be asked.
    pub(super) fn refuse_missing(&self, given: &Given) -> Result<(), Failure> {
        let missing = self.missing();
        if missing.is_empty() {
            return Ok(());
        }
        let text = if given.from.is_some() {
            format!("the answers lack {}: add them (docs/connect.md lists all)", missing.join(", "))
        } else {
            "there is no terminal to ask on: give the answers with --from FILE, or --from - for stdin (docs/connect.md lists them)"
                .to_owned()
        };
        Err(Failure::new(Exit::Config, text))
    }

    /// The name of the connection; until it is known, of a draft that is only checked.
    pub(super) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or("draft")
    }

    /// The token; complete answers have one.
    pub(super) fn token(&self) -> Result<&SecretString, Failure> {
        self.brex.token.as_ref().ok_or_else(|| Failure::new(Exit::Config, "brex.token is missing"))
    }
}

/// Reads the file. What is wrong with it is told by line, never by the text, which holds secrets.
fn parse(from: &Path) -> Result<Answers, Failure> {
    let text = if from == Path::new("-") {
        let mut text = Zeroizing::new(String::new());
        std::io::stdin().read_to_string(&mut text)?;
        text
    } else {
        Zeroizing::new(read_private_file("--from", from)?)
    };
    toml::from_str(&text).map_err(|error| {
        let (line, what) = stray::complaint(&text, &error);
        let text = format!("the answers do not parse: line {line}: {what} (docs/connect.md lists what is needed)");
        Failure::new(Exit::Config, text)
    })
}
