//! Where a secret comes from: a file that only its owner can read, or an environment variable. Never the file itself.

use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::Deserialize;

use super::ConfigError;

/// The place of a secret.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum SecretSource {
    /// A file; surrounding white space is dropped.
    File(PathBuf),
    /// An environment variable.
    Env(String),
}

impl SecretSource {
    /// Fetches the secret; `key` names the setting in complaints.
    pub fn read(&self, key: &str, folder: &Path) -> Result<SecretString, ConfigError> {
        let text = match self {
            Self::File(path) => read_file(key, &folder.join(path))?,
            Self::Env(name) => read_env(key, name)?,
        };
        let text = text.trim();
        if text.is_empty() {
            return Err(ConfigError::value(key, format!("is empty ({})", self.place())));
        }
        Ok(SecretString::from(text.to_owned()))
    }

    fn place(&self) -> String {
        match self {
            Self::File(path) => format!("file {}", path.display()),
            Self::Env(name) => format!("environment variable {name}"),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
fn read_env(key: &str, name: &str) -> Result<String, ConfigError> {
    std::env::var(name)
        .map_err(|_| ConfigError::value(key, format!("comes from the environment variable {name}, which is not set")))
}

fn read_file(key: &str, path: &Path) -> Result<String, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|e| {
        ConfigError::value(key, format!("comes from the file {}, which cannot be read: {e}", path.display()))
    })?;
    refuse_open_file(key, path)?;
    Ok(text)
}

/// Refuses a file that others than its owner can read.
#[cfg(unix)]
pub(crate) fn refuse_open_file(key: &str, path: &Path) -> Result<(), ConfigError> {
    use std::os::unix::fs::PermissionsExt;

    let mode = std::fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
    let by_others = mode & 0o077;
    if by_others == 0 {
        return Ok(());
    }
    let text = format!("comes from the file {}, which others can read: run chmod 600 on it", path.display());
    Err(ConfigError::value(key, text))
}

#[cfg(not(unix))]
pub(crate) fn refuse_open_file(_key: &str, _path: &Path) -> Result<(), ConfigError> {
    Ok(())
}
