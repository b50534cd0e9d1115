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

/// A mail server answers each step in this time.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Messages are few.
const PACE: Pace = Pace { max_concurrent: 2, requests_per_second: 1, burst: 5 };

/// A message did not get through.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The server did not take the mail.
    #[error("mail")]
    Smtp(#[from] lettre::transport::smtp::Error),
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

    /// Sends by every way; one that fails keeps none of the others from it.
    pub async fn send(&self, message: &Message) -> Result<(), SendError> {
        let mailed = match &self.mail {
            Some(mail) => mail.send(message).await,
            None => Ok(()),
        };
        let hooked = match &self.hook {
            Some((hook, Form::Slack)) => {
                hook.tell(&json!({ "text": format!("*{}*\n```\n{}```", slack(&message.title), slack(&message.text)) }))
                    .await
            }
            Some((hook, Form::Json)) => hook.tell(&message.json).await,
            None => Ok(()),
        };
        mailed.and(hooked.map_err(SendError::from))
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
