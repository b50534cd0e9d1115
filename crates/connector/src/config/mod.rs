//! `ml-connector.toml`: read, checked as a whole, and turned into settings. Every complaint names the key.

mod audit;
mod clearing;
mod coding_lists;
mod connection;
mod console;
mod directory;
mod drift;
mod error;
mod failures;
mod hosts;
mod microsoft;
mod notifications;
mod operations;
mod pay;
mod post;
mod receipts;
mod retention;
pub(crate) mod secret;
mod source;
pub(crate) mod stray;
mod tax;
mod tls;
mod transfers;

use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use url::Url;

pub use audit::AuditSection;
pub use clearing::{Clearing, ClearingSection};
pub use coding_lists::CodingListsSection;
pub use connection::{BcSection, BrexSection, ConnectionConfig, EntraSection, PeriodKind};
pub use console::ConsoleSection;
pub use directory::{DirectorySection, Which};
pub use drift::{DriftSection, Told};
pub use error::ConfigError;
pub use failures::{FailuresSection, Reported};
pub use microsoft::MicrosoftSection;
pub use notifications::{EmailSection, Form, NotificationsSection, Security, WebhookSection, When};
pub use operations::OperationsSection;
pub use pay::{Approval, PaySection};
pub use post::PostSection;
pub use receipts::ReceiptsSection;
pub use retention::RetentionSection;
pub use secret::{KeySource, SecretSource};
pub use source::Source;
pub use tax::TaxSection;
pub use tls::TlsSection;
pub use transfers::{Booking, TransfersSection};

/// Name of the configuration file when none is given.
pub const DEFAULT_FILE: &str = "ml-connector.toml";

/// The whole configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the state is kept: `sqlite:FILE` or `postgres://…`.
    #[serde(default = "default_database")]
    pub database: DatabaseUrl,
    /// Address on which webhooks are received.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// A certificate of our own; without it a proxy in front has one, or nobody else gets at the address.
    #[serde(default)]
    pub tls: Option<TlsSection>,
    /// How this machine is reached from outside, for webhooks; without it only the poll brings records.
    #[serde(default)]
    pub public_url: Option<Url>,
    /// Where people look; without it there is no console.
    #[serde(default)]
    pub console: Option<ConsoleSection>,
    /// Where health and metrics are asked for; without it, nowhere.
    #[serde(default)]
    pub operations: Option<OperationsSection>,
    /// Who is told what waits for a person; without it, nobody.
    #[serde(default)]
    pub notifications: Option<NotificationsSection>,
    /// Hosts other than the real ones that may be called, such as a sandbox on `127.0.0.1`.
    #[serde(default)]
    pub allow_hosts: Vec<String>,
    /// The signed checkpoints of the audit trail.
    #[serde(default)]
    pub audit: AuditSection,
    /// Where the key of the vault comes from.
    #[serde(default)]
    pub keys: KeySource,
    /// The connections.
    #[serde(default, rename = "connection")]
    pub connections: Vec<ConnectionConfig>,
    /// The folder that relative paths start from: that of the file.
    #[serde(skip)]
    pub folder: PathBuf,
    /// The file, if it was read from one.
    #[serde(skip)]
    pub file: Option<PathBuf>,
}

/// The address of the database. It cannot be printed, since it may hold a password.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The address of this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// `sqlite`, `postgres`, or whatever else stands before the colon.
    pub fn scheme(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl([redacted])")
    }
}

fn default_database() -> DatabaseUrl {
    DatabaseUrl::new("sqlite:ml-connector.db")
}

fn default_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8460))
}

impl Config {
    /// Reads and checks a file.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let config = Self::parse(&text, folder).map_err(|error| error.in_file(path))?;
        Ok(Self { file: Some(path.to_owned()), ..config })
    }

    /// Reads and checks text; relative paths start at `folder`.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, ConfigError> {
        stray::refuse(text)?;
        let mut config: Self = toml::from_str(text).map_err(|error| {
            let (line, problem) = stray::complaint(text, &error);
            ConfigError::Syntax { line, problem }
        })?;
        folder.clone_into(&mut config.folder);
        config.check()?;
        Ok(config)
    }

    /// The database URL, with a relative SQLite path made relative to the file's folder.
    pub fn database_url(&self) -> String {
        match self.database.0.strip_prefix("sqlite:") {
            Some(path) if Path::new(path).is_relative() && !path.starts_with(':') => {
                format!("sqlite:{}", self.folder.join(path).display())
            }
            _ => self.database.0.clone(),
        }
    }

    /// Where the console is for browsers, if there is one.
    pub fn console_address(&self) -> Option<String> {
        let console = self.console.as_ref()?;
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let own = || format!("{scheme}://{}", console.listen);
        Some(console.url.as_ref().map_or_else(own, |url| url.as_str().trim_end_matches('/').to_owned()))
    }

    fn check(&self) -> Result<(), ConfigError> {
        let known = ["sqlite:", "postgres:", "postgresql:"];
        if !known.iter().any(|scheme| self.database.0.starts_with(scheme)) {
            return Err(ConfigError::value("database", "must start with sqlite: or postgres:"));
        }
        if self.connections.is_empty() {
            return Err(ConfigError::value("connection", "is missing: add at least one [[connection]] section"));
        }
        if let Some(url) = &self.public_url {
            check_public_url(url)?;
        }
        let is_behind_proxy = self.public_url.as_ref().is_some_and(|url| url.scheme() == "https");
        if !self.listen.ip().is_loopback() && !is_behind_proxy && self.tls.is_none() {
            let text = "is open to other machines: set public_url to the https address of the proxy in front of it, set a \
                        certificate under [tls], or listen on 127.0.0.1";
            return Err(ConfigError::value("listen", text));
        }
        if let Some(console) = &self.console {
            console.check(self.tls.is_some(), &self.allow_hosts)?;
        }
        if let Some(operations) = &self.operations {
            operations.check()?;
        }
        if let Some(notifications) = &self.notifications {
            notifications.check()?;
        }
        self.audit.check()?;
        let mut names = BTreeSet::new();
        for connection in &self.connections {
            connection.check(self)?;
            if !names.insert(connection.name.as_str()) {
                return Err(ConfigError::value("connection.name", format!("{:?} is used twice", connection.name)));
            }
        }
        Ok(())
    }
}

fn check_public_url(url: &Url) -> Result<(), ConfigError> {
    hosts::refuse_sign_in("public_url", url)?;
    hosts::refuse_clear("public_url", url)
}

#[cfg(test)]
mod tests;
