//! The hosts that may be called: the real ones, and others only when they are named in `allow_hosts`.

use url::Url;

use super::ConfigError;

/// Refuses a base URL whose host is neither the real one nor allowed, or that would send secrets in the clear.
pub(super) fn check_base_url(key: &str, url: &Url, real_host: &str, allow_hosts: &[String]) -> Result<(), ConfigError> {
    let host = url.host_str().unwrap_or_default();
    if host != real_host && !allow_hosts.iter().any(|allowed| allowed == host) {
        let text = format!("names the host {host:?}, which is not {real_host}; add it to allow_hosts if this is meant");
        return Err(ConfigError::value(key, text));
    }
    refuse_sign_in(key, url)?;
    refuse_clear(key, url)
}

/// Refuses an address to which secrets would go in the clear.
pub(super) fn refuse_clear(key: &str, url: &Url) -> Result<(), ConfigError> {
    let is_local = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    if url.scheme() == "https" || (url.scheme() == "http" && is_local) {
        Ok(())
    } else {
        Err(ConfigError::value(key, "must be an https address (http only on this machine itself)"))
    }
}

/// Refuses a name or password in an address: addresses are shown.
pub(super) fn refuse_sign_in(key: &str, url: &Url) -> Result<(), ConfigError> {
    if url.username().is_empty() && url.password().is_none() {
        return Ok(());
    }
    Err(ConfigError::value(key, "has something before the @: leave it out, secrets have their own settings"))
}
