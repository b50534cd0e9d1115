//! The ways to people: mail, and an address that takes messages.

use std::path::Path;
use std::time::Duration;

use clients::hook::Hook;
use clients::{Http, Pace};
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::message::Message;
use crate::app::BuildError;
use crate::config::{ConfigError, EmailSection, Form, NotificationsSection, Security};

/// A mail server is reached in this time…
const TIMEOUT: Duration = Duration::from_secs(15);
/// …and has taken a mail in this.
const LONGEST: Duration = Duration::from_secs(45);
/// The way by mail.
const MAIL: &str = "mail";
/// The way to an address that takes messages.
const HOOK: &str = "webhook";
/// Messages are few.
const PACE: Pace = Pace { max_concurrent: 2, requests_per_second: 5 };

/// A message did not get through.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The server did not take the mail.
    #[error("mail")]
    Smtp(#[from] lettre::transport::smtp::Error),
    /// The server did not answer in time.
    #[error("mail: the server did not take it in {} seconds", LONGEST.as_secs())]
    TimedOut,
    /// The mail could not be put together.
    #[error("mail")]
    Mail(#[from] lettre::error::Error),
    /// The address did not take it.
    #[error("webhook")]
    Hook(#[from] clients::Error),
}

/// Every way that the configuration names.
pub struct Ways {
    mail: Option<Mail>,
    hook: Option<(Hook, Form)>,
}

struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl Ways {
    /// The ways of the configuration in this folder.
    pub fn open(section: &NotificationsSection, folder: &Path) -> Result<Self, BuildError> {
        let mail = section.email.as_ref().map(|email| Mail::open(email, folder)).transpose()?;
        let hook = match &section.webhook {
            Some(webhook) => Some((Hook::new(Http::new(PACE)?, webhook.read_url(folder)?), webhook.form)),
            None => None,
        };
        Ok(Self { mail, hook })
    }

    /// The names of the ways.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        [(MAIL, self.mail.is_some()), (HOOK, self.hook.is_some())]
            .into_iter()
            .filter(|(_, is_there)| *is_there)
            .map(|(name, _)| name)
    }

    /// Sends one message by one of them.
    pub async fn send_by(&self, name: &str, message: &Message) -> Result<(), SendError> {
        match (name, &self.mail, &self.hook) {
            (MAIL, Some(mail), _) => {
                // The library has a limit of its own for connecting only.
                let sent = tokio::time::timeout(LONGEST, mail.send(message)).await;
                sent.unwrap_or(Err(SendError::TimedOut))
            }
            (HOOK, _, Some((hook, Form::Slack))) => {
                let text = format!("*{}*\n```\n{}```", slack(&message.title), slack(&message.text));
                Ok(hook.tell(&json!({ "text": text })).await?)
            }
            (HOOK, _, Some((hook, Form::Json))) => Ok(hook.tell(&message.json).await?),
            _ => Ok(()),
        }
    }
}

impl Mail {
    fn open(email: &EmailSection, folder: &Path) -> Result<Self, ConfigError> {
        type Transport = AsyncSmtpTransport<Tokio1Executor>;
        let unusable = |error| ConfigError::value("notifications.email.server", format!("cannot be used: {error}"));
        let mut builder = match email.security {
            Security::Tls => Transport::relay(&email.server).map_err(unusable)?,
            Security::Starttls => Transport::starttls_relay(&email.server).map_err(unusable)?,
            Security::None => Transport::builder_dangerous(&email.server),
        };
        if let Some(port) = email.port {
            builder = builder.port(port);
        }
        if let (Some(user), Some(password)) = (&email.user, email.read_password(folder)?) {
            builder = builder.credentials(Credentials::new(user.clone(), password.expose_secret().to_owned()));
        }
        let transport = builder.timeout(Some(TIMEOUT)).build();
        Ok(Self { transport, from: email.sender()?, to: email.mailboxes()? })
    }

    async fn send(&self, message: &Message) -> Result<(), SendError> {
        let mut mail = lettre::Message::builder().from(self.from.clone()).subject(&message.title);
        for to in &self.to {
            mail = mail.to(to.clone());
        }
        let mail = mail.header(ContentType::TEXT_PLAIN).body(message.text.clone())?;
        self.transport.send(mail).await?;
        Ok(())
    }
}

/// Nobody is called by what a vendor is named: `<!channel>` and links are text.
fn slack(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('`', "'")
}
