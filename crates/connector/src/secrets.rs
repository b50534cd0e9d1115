//! The secrets of a connection: fetched from where the configuration says, and again when a system refuses them.

use std::path::Path;

use clients::entra::ClientSecret;
use secrecy::SecretString;
use store::{Error, Problem, Slot, Vault};
use url::Url;

use crate::app::{App, BuildError, Connection};
use crate::config::{ConfigError, ConnectionConfig, SecretSource};

/// What a connection signs in with.
#[derive(Debug)]
pub struct Secrets {
    /// The Brex user token.
    pub brex: SecretString,
    /// The secret of the app registration.
    pub entra: SecretString,
}

/// Where the Brex token is in the vault.
pub fn brex_slot(settings: &ConnectionConfig) -> Slot<'_> {
    Slot { system: "brex", purpose: "token", host: host(&settings.brex.base_url) }
}

/// Where the client secret is in the vault.
pub fn entra_slot(settings: &ConnectionConfig) -> Slot<'_> {
    Slot { system: "entra", purpose: "client_secret", host: host(&settings.entra.base_url) }
}

/// The host that a secret may be sent to.
pub fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default()
}

/// Fetches both secrets.
pub async fn fetch(settings: &ConnectionConfig, folder: &Path, vault: &Vault<'_>) -> Result<Secrets, BuildError> {
    let (brex, entra) = (&settings.brex.token, &settings.entra.client_secret);
    Ok(Secrets {
        brex: fetch_one(settings, "brex.token", brex, brex_slot(settings), folder, vault).await?,
        entra: fetch_one(settings, "entra.client_secret", entra, entra_slot(settings), folder, vault).await?,
    })
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
    match fetch(&connection.settings, &app.folder, &app.vault()).await {
        Ok(secrets) => {
            let brex = connection.brex.replace_token(secrets.brex);
            Ok(connection.tokens.replace_secret(ClientSecret::new(secrets.entra)).await || brex)
        }
        Err(BuildError::Store(error)) => Err(error),
        Err(error) => {
            tracing::warn!(connection = %connection.id, error = %crate::worker::chain(&error), "the secrets cannot be fetched again");
            Ok(false)
        }
    }
}
