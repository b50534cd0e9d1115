//! `[operations]`: where whoever watches over the process asks how it does. Without the section nobody can ask.

use std::net::SocketAddr;
use std::path::Path;

use secrecy::SecretString;
use serde::Deserialize;

use super::{ConfigError, SecretSource};

/// Health and metrics.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OperationsSection {
    /// Address that it answers on.
    pub listen: SocketAddr,
    /// What a reader of the metrics has to send as a bearer token.
    pub token: Option<SecretSource>,
}

impl Default for OperationsSection {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8462)), token: None }
    }
}

impl OperationsSection {
    /// Fetches the token, if there is one.
    pub fn read_token(&self, folder: &Path) -> Result<Option<SecretString>, ConfigError> {
        self.token.as_ref().map(|source| source.read_outside("operations.token", folder)).transpose()
    }

    /// The numbers of a business are nobody else's.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.listen.ip().is_loopback() || self.token.is_some() {
            return Ok(());
        }
        let text = "is open to other machines: set operations.token to the file of a token that readers of the metrics \
                    have to send, or listen on 127.0.0.1";
        Err(ConfigError::value("operations.listen", text))
    }
}
