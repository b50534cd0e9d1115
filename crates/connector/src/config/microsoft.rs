//! `[console.microsoft]`: people sign in to the console with their accounts of Microsoft Entra ID.

use std::path::Path;

use clients::entra::ClientSecret;
use serde::Deserialize;
use url::Url;
use uuid::Uuid;

use super::connection::{ENTRA_HOST, default_entra_url};
use super::hosts::check_base_url;
use super::{ConfigError, SecretSource};

/// The app registration that people sign in to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MicrosoftSection {
    /// Directory (tenant) id.
    pub tenant: Uuid,
    /// Application (client) id.
    pub client_id: Uuid,
    /// Its secret.
    pub client_secret: SecretSource,
    /// Entra ID of another cloud, or a sandbox.
    #[serde(default = "default_entra_url")]
    pub base_url: Url,
}

impl MicrosoftSection {
    /// Fetches the secret.
    pub fn read_secret(&self, folder: &Path) -> Result<ClientSecret, ConfigError> {
        let secret = self.client_secret.read_outside("console.microsoft.client_secret", folder)?;
        Ok(ClientSecret::new(secret))
    }

    pub(super) fn check(&self, allow_hosts: &[String]) -> Result<(), ConfigError> {
        check_base_url("console.microsoft.base_url", &self.base_url, ENTRA_HOST, allow_hosts)
    }
}
