//! The secrets of a connection: fetched from where the configuration says, and again when a system refuses them.

pub mod replace;

use std::path::Path;
use std::sync::Arc;

use clients::entra::{Certificate, ClientSecret, Credential};
use secrecy::SecretString;
use store::{Error, Problem, Slot, Vault};
use url::Url;

use crate::app::{App, BuildError, Connection};
use crate::clock::{Clock, timestamp};
use crate::config::{ConfigError, ConnectionConfig, SecretSource};

/// What a connection signs in with.
#[derive(Debug)]
pub struct Secrets {
    /// The Brex user token.
    pub brex: SecretString,
    /// The secret of the app registration, or its certificate.
    pub entra: Credential,
}

/// Where the Brex token is in the vault.
pub fn brex_slot(settings: &ConnectionConfig) -> Slot<'_> {
    Slot { system: "brex", purpose: "token", host: host(&settings.brex.base_url) }
}

/// Where the client secret, or the certificate that takes its place, is in the vault.
pub fn entra_slot(settings: &ConnectionConfig) -> Slot<'_> {
    let purpose = if settings.entra.certificate.is_some() { "certificate" } else { "client_secret" };
    Slot { system: "entra", purpose, host: host(&settings.entra.base_url) }
}

/// The host that a secret may be sent to.
pub fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default()
}

/// Fetches both secrets.
pub async fn fetch(
    settings: &ConnectionConfig,
    folder: &Path,
    vault: &Vault<'_>,
    clock: &Arc<dyn Clock>,
) -> Result<Secrets, BuildError> {
    let brex = fetch_one(settings, "brex.token", &settings.brex.token, brex_slot(settings), folder, vault).await?;
    let slot = entra_slot(settings);
    let entra = if let Some(source) = &settings.entra.certificate {
        let pem = fetch_one(settings, "entra.certificate", source, slot, folder, vault).await?;
        certificate(&format!("connection {:?}: entra.certificate", settings.name), pem, clock)?
    } else {
        let source = &settings.entra.client_secret;
        ClientSecret::new(fetch_one(settings, "entra.client_secret", source, slot, folder, vault).await?).into()
    };
    Ok(Secrets { brex, entra })
}

/// The certificate in this text; `key` names the setting in complaints.
pub fn certificate(key: &str, pem: SecretString, clock: &Arc<dyn Clock>) -> Result<Credential, ConfigError> {
    let clock = Arc::clone(clock);
    let now = Arc::new(move || timestamp(clock.now_ms()));
    let read = Certificate::read(pem, now).map_err(|why| ConfigError::value(key, why.to_string()))?;
    Ok(read.into())
}

async fn fetch_one(
    settings: &ConnectionConfig,
    key: &str,
    source: &SecretSource,
    slot: Slot<'_>,
    folder: &Path,
    vault: &Vault<'_>,
) -> Result<SecretString, BuildError> {
    let key = format!("connection {:?}: {key}", settings.name);
    if let Some(secret) = source.read(&key, folder)? {
        return Ok(secret);
    }
    let found = vault.open(&settings.id()?, &slot).await?;
    let text = "is not in the vault: run ml-connector connect, or name a file or an environment variable";
    Ok(found.ok_or_else(|| ConfigError::value(key, text))?)
}

/// Whether a problem may be one of a secret that was replaced meanwhile.
pub fn is_refused(problem: &Problem) -> bool {
    matches!(problem.code.as_str(), "entra_refused" | "brex_unauthorized" | "brex_forbidden")
}

/// Fetches the secrets again and uses them from now on. True if one is another than before; if they cannot be had, the old ones stay.
pub async fn renew(app: &App, connection: &Connection) -> Result<bool, Error> {
    match fetch(&connection.settings, &app.folder, &app.vault(), &app.clock).await {
        Ok(secrets) => {
            let brex = connection.brex.replace_token(secrets.brex);
            Ok(connection.tokens.replace_credential(secrets.entra).await || brex)
        }
        Err(BuildError::Store(error)) => Err(error),
        Err(error) => {
            tracing::warn!(connection = %connection.id, error = %crate::worker::chain(&error), "the secrets cannot be fetched again");
            Ok(false)
        }
    }
}
