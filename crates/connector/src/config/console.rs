//! `[console]`: where people look. Without the section there is no console.

use std::net::SocketAddr;

use serde::Deserialize;
use url::Url;

use super::hosts::refuse_sign_in;
use super::{ConfigError, MicrosoftSection, check_public_url};

/// The console.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsoleSection {
    /// Address that it answers on.
    pub listen: SocketAddr,
    /// The address that browsers use, if it is another: that of the proxy in front, or the name in the certificate.
    pub url: Option<Url>,
    /// People may sign in with their Microsoft accounts.
    pub microsoft: Option<MicrosoftSection>,
}

impl Default for ConsoleSection {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8461)), url: None, microsoft: None }
    }
}

impl ConsoleSection {
    /// Passwords never go over a network in the clear.
    pub(super) fn check(&self, has_tls: bool, allow_hosts: &[String]) -> Result<(), ConfigError> {
        if let Some(microsoft) = &self.microsoft {
            microsoft.check(allow_hosts)?;
        }
        if let Some(url) = &self.url {
            refuse_sign_in("console.url", url)?;
            check_public_url(url).map_err(|_| {
                ConfigError::value("console.url", "must start with https://, or be http:// on this machine")
            })?;
        }
        let is_behind_proxy = self.url.as_ref().is_some_and(|url| url.scheme() == "https");
        if self.listen.ip().is_loopback() || is_behind_proxy || has_tls {
            return Ok(());
        }
        let text = "is open to other machines: set console.url to the https address of the proxy in front of it, set a \
                    certificate under [tls], or listen on 127.0.0.1";
        Err(ConfigError::value("console.listen", text))
    }
}
