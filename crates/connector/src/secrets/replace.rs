//! A new secret in the place of an old one: tried at its system first, so that one that does not work replaces none that does.

use clients::brex;
use clients::entra::{ClientSecret, Credential};
use domain::audit::{Actor, Note};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use store::Slot;

use super::{brex_slot, certificate, entra_slot, renew};
use crate::app::{App, Connection};
use crate::config::SecretSource;
use crate::connect::systems::{self, company_of};

/// Which secret of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The Brex user token.
    Brex,
    /// The client secret of the app registration, or the certificate that takes its place.
    Entra,
}

impl Which {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Brex, Self::Entra];

    /// Stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Brex => "brex",
            Self::Entra => "entra",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|which| which.as_str() == name)
    }

    /// Where the configuration says that it is kept.
    pub fn source(self, connection: &Connection) -> &SecretSource {
        let settings = &connection.settings;
        match self {
            Self::Brex => &settings.brex.token,
            Self::Entra => settings.entra.certificate.as_ref().unwrap_or(&settings.entra.client_secret),
        }
    }

    /// Its place in the vault.
    pub fn slot(self, connection: &Connection) -> Slot<'_> {
        match self {
            Self::Brex => brex_slot(&connection.settings),
            Self::Entra => entra_slot(&connection.settings),
        }
    }
}

/// Why the old one stays.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    /// Another place has it.
    #[error("this secret is {0}: replace it there; it is fetched again when a system refuses the old one")]
    Elsewhere(String),
    /// There is nothing in it.
    #[error("the new secret is empty")]
    Empty,
    /// It has no form that can be used.
    #[error("{0}")]
    Unusable(String),
    /// Its system does not take it, or cannot be asked.
    #[error("the new secret was tried and does not work: {0}")]
    Refused(String),
    /// It opens something else.
    #[error("the new token is one of the Brex company {found}, and the connection is one of {known}")]
    OtherCompany {
        /// Whose it is.
        found: String,
        /// Whose it has to be.
        known: String,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Tries a secret, seals it, and uses it from now on. True if it is another one than before. Other processes fetch it when their old one
/// is refused.
pub async fn replace(
    app: &App,
    connection: &Connection,
    which: Which,
    secret: &SecretString,
    ends: Option<Date>,
    person: &str,
) -> Result<bool, ReplaceError> {
    if let Some(place) = which.source(connection).shown() {
        return Err(ReplaceError::Elsewhere(place));
    }
    let secret = SecretString::from(secret.expose_secret().trim());
    if secret.expose_secret().is_empty() {
        return Err(ReplaceError::Empty);
    }
    match which {
        Which::Brex => try_brex(app, connection, &secret).await?,
        Which::Entra => try_entra(app, connection, &secret).await?,
    }
    let ends_ms = ends.and_then(|day| day.to_zoned_datetime(TimeZone::UTC).ok());
    let ends_ms = ends_ms.map(|end| end.timestamp().as_millisecond());
    let (slot, now_ms) = (which.slot(connection), app.now_ms());
    let is_new = app.vault().seal(&connection.id, &slot, &secret, ends_ms, now_ms).await?;
    if is_new {
        let note = Note {
            action: "secret_replaced".to_owned(),
            subject: format!("{} {}", slot.system, slot.purpose),
            before: None,
            after: None,
            detail: json!({ "host": slot.host, "ends": ends.map(|day| day.to_string()) }),
        };
        app.store.audit().append_unleased(&connection.id, now_ms, &Actor::Person(person.to_owned()), &[note]).await?;
    }
    renew(app, connection).await?;
    Ok(is_new)
}

async fn try_brex(app: &App, connection: &Connection, token: &SecretString) -> Result<(), ReplaceError> {
    let base_url = connection.settings.brex.base_url.clone();
    let client = brex::Client::new(connection.traffic.brex.read_only(), base_url, token.clone());
    // It must also be allowed to read what is booked.
    let company = company_of(&client, Some(connection.settings.brex.source)).await;
    let company = company.map_err(|error| ReplaceError::Refused(systems::refused(error).sentence()))?;
    let row = app.store.connections().get(&connection.id).await?;
    match row.and_then(|row| row.brex_company_id).filter(|known| *known != company.id) {
        Some(known) => Err(ReplaceError::OtherCompany { found: company.id, known }),
        None => Ok(()),
    }
}

async fn try_entra(app: &App, connection: &Connection, secret: &SecretString) -> Result<(), ReplaceError> {
    let credential: Credential = if connection.settings.entra.certificate.is_some() {
        let unusable = |error: crate::config::ConfigError| ReplaceError::Unusable(error.to_string());
        certificate("the certificate", secret.clone(), &app.clock).map_err(unusable)?
    } else {
        ClientSecret::new(secret.clone()).into()
    };
    let token = connection.tokens_with(credential).token().await;
    token.map(drop).map_err(|error| ReplaceError::Refused(systems::refused(error).sentence()))
}
