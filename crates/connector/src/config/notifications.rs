//! `[notifications]`: who is told what waits for a person, and how. Without the section nobody is.

use std::path::Path;

use jiff::civil::Time;
use lettre::message::Mailbox;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

use super::hosts::refuse_clear;
use super::{ConfigError, SecretSource};

/// Telling people.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NotificationsSection {
    /// At once, or once a day.
    pub when: When,
    /// With `daily`: the time of day, in the time zone of the first connection.
    pub at: Time,
    /// What is gone after so many minutes is not told: much clears by itself.
    pub after_minutes: u32,
    /// The same cause is told again when it has grown, but not within so many minutes.
    pub again_minutes: u32,
    /// Secrets that end within so many days are told.
    pub secret_days: u16,
    /// By mail.
    pub email: Option<EmailSection>,
    /// To an address that takes messages, such as a channel of a chat.
    pub webhook: Option<WebhookSection>,
}

/// How soon people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Within minutes, what is new.
    AtOnce,
    /// Everything that stands, if anything does.
    Daily,
}

/// Mail.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmailSection {
    /// The server that takes mail from us.
    pub server: String,
    /// Its port: without it 465 with `tls`, 587 with `starttls`, 25 with `none`.
    pub port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    pub security: Security,
    /// Who we are to the server.
    pub user: Option<String>,
    /// The password of the user.
    pub password: Option<SecretSource>,
    /// The sender's address.
    pub from: String,
    /// Who gets the mail.
    pub to: Vec<String>,
}

/// How a connection to a mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Security {
    /// From the first byte.
    #[default]
    Tls,
    /// After both have agreed on it; a server that does not is not used.
    Starttls,
    /// Not at all: only for a server on this machine.
    None,
}

/// An address that takes messages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSection {
    /// The address. Whoever knows it may write there, so it comes from a file or the environment.
    pub url: SecretSource,
    /// What it takes.
    #[serde(default)]
    pub form: Form,
}

/// What is posted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// `{"text": "…"}`, as Slack, Mattermost and others take it.
    #[default]
    Slack,
    /// Each trouble with its parts.
    Json,
}

impl Default for NotificationsSection {
    fn default() -> Self {
        Self {
            when: When::AtOnce,
            at: Time::constant(8, 0, 0, 0),
            after_minutes: 10,
            again_minutes: 60,
            secret_days: 30,
            email: None,
            webhook: None,
        }
    }
}

impl NotificationsSection {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.email.is_none() && self.webhook.is_none() {
            let text = "tells nobody: add [notifications.email] or [notifications.webhook]";
            return Err(ConfigError::value("notifications", text));
        }
        if !(1..=10_080).contains(&self.again_minutes) {
            return Err(ConfigError::value("notifications.again_minutes", "must be 1 to 10080"));
        }
        if self.after_minutes > 10_080 {
            return Err(ConfigError::value("notifications.after_minutes", "must be 0 to 10080"));
        }
        self.email.as_ref().map_or(Ok(()), EmailSection::check)
    }
}

impl EmailSection {
    fn check(&self) -> Result<(), ConfigError> {
        mailbox("notifications.email.from", &self.from)?;
        self.mailboxes()?;
        let is_here = matches!(self.server.as_str(), "localhost" | "127.0.0.1" | "::1");
        if self.security == Security::None && !is_here {
            let text = "is none, and the server is another machine: mail names vendors and what waits for whom, so use tls or starttls";
            return Err(ConfigError::value("notifications.email.security", text));
        }
        if self.user.is_some() != self.password.is_some() {
            return Err(ConfigError::value("notifications.email.user", "and password belong together"));
        }
        Ok(())
    }

    /// Who gets the mail.
    pub fn mailboxes(&self) -> Result<Vec<Mailbox>, ConfigError> {
        if self.to.is_empty() {
            return Err(ConfigError::value("notifications.email.to", "names nobody"));
        }
        self.to.iter().map(|address| mailbox("notifications.email.to", address)).collect()
    }

    /// The sender.
    pub fn sender(&self) -> Result<Mailbox, ConfigError> {
        mailbox("notifications.email.from", &self.from)
    }

    /// Fetches the password, if there is one.
    pub fn read_password(&self, folder: &Path) -> Result<Option<SecretString>, ConfigError> {
        let key = "notifications.email.password";
        self.password.as_ref().map(|source| source.read_outside(key, folder)).transpose()
    }
}

impl WebhookSection {
    /// Fetches the address.
    pub fn read_url(&self, folder: &Path) -> Result<Url, ConfigError> {
        let key = "notifications.webhook.url";
        let text = self.url.read_outside(key, folder)?;
        // What does not parse is not quoted: it is a secret.
        let url = Url::parse(text.expose_secret()).map_err(|_| ConfigError::value(key, "is not an address"))?;
        refuse_clear(key, &url)?;
        Ok(url)
    }
}

fn mailbox(key: &str, text: &str) -> Result<Mailbox, ConfigError> {
    text.parse().map_err(|error| ConfigError::value(key, format!("has {text:?}, which is no mail address: {error}")))
}
