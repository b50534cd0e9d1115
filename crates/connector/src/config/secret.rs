//! Where a secret comes from: the vault, a file that only its owner can read, or an environment variable. Never the
//! configuration itself. And where the key of the vault comes from.

use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::ConfigError;

/// The place of a secret.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum SecretSource {
    /// A file; surrounding white space is dropped.
    File(PathBuf),
    /// An environment variable.
    Env(String),
    /// The vault of the database, where `connect` puts it; what counts when nothing is said.
    Vault(bool),
}

impl Default for SecretSource {
    fn default() -> Self {
        Self::Vault(true)
    }
}

impl SecretSource {
    /// Where it is, in words for people; nothing if it is in the vault.
    pub fn shown(&self) -> Option<String> {
        match self {
            Self::File(path) => Some(format!("in the file {}", path.display())),
            Self::Env(name) => Some(format!("in the environment variable {name}")),
            Self::Vault(_) => None,
        }
    }

    /// Fetches the secret, unless it is in the vault; `key` names the setting in complaints.
    pub fn read(&self, key: &str, folder: &Path) -> Result<Option<SecretString>, ConfigError> {
        let text = match self {
            Self::File(path) => read_private_file(key, &folder.join(path))?,
            Self::Env(name) => read_env(name).ok_or_else(|| unset(key, name))?,
            Self::Vault(true) => return Ok(None),
            Self::Vault(false) => {
                return Err(ConfigError::value(key, "says vault = false: name a file or an environment variable"));
            }
        };
        let text = Zeroizing::new(text);
        let text = text.trim();
        if text.is_empty() {
            return Err(ConfigError::value(key, format!("is empty ({})", self.place())));
        }
        Ok(Some(SecretString::from(text)))
    }

    /// Fetches a secret that belongs to no connection, so that it is in no vault.
    pub fn read_outside(&self, key: &str, folder: &Path) -> Result<SecretString, ConfigError> {
        let secret = self.read(key, folder)?;
        secret.ok_or_else(|| ConfigError::value(key, "has to come from a file or the environment"))
    }

    fn place(&self) -> String {
        match self {
            Self::File(path) => format!("file {}", path.display()),
            Self::Env(name) => format!("environment variable {name}"),
            Self::Vault(_) => "vault".to_owned(),
        }
    }
}

/// A variable that is not there. What does not look like a name is not quoted: it may be the secret itself.
fn unset(key: &str, name: &str) -> ConfigError {
    let is_name = name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    let text = if is_name {
        format!("comes from the environment variable {name}, which is not set")
    } else {
        "comes from an environment variable that is not set: env takes the name of a variable, not the secret itself"
            .to_owned()
    };
    ConfigError::value(key, text)
}

#[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
pub(crate) fn read_env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Reads a file that must be closed to others.
pub(crate) fn read_private_file(key: &str, path: &Path) -> Result<String, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(key, path, &error))?;
    refuse_open_file(key, path)?;
    Ok(text)
}

/// A file that cannot be read. The name of one that is not there is not quoted: it may be the secret itself.
fn unreadable(key: &str, path: &Path, error: &std::io::Error) -> ConfigError {
    let text = if path.exists() {
        format!("comes from the file {}, which cannot be read: {error}", path.display())
    } else {
        let folder = path.parent().filter(|folder| folder.is_dir());
        let place = folder.map_or_else(String::new, |folder| format!(" in {}", folder.display()));
        format!("comes from a file that is not there{place}: it takes the name of a file, not the secret itself")
    };
    ConfigError::value(key, text)
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

/// `[keys]`: where the key comes from that everything in the vault is sealed under.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum KeySource {
    /// A file that only its owner can read; made when there is none and nothing is sealed yet.
    File(PathBuf),
    /// Name of a systemd credential (`LoadCredential=` or `LoadCredentialEncrypted=`).
    Credential(String),
    /// A program and its arguments; it prints the key.
    Command(Vec<String>),
}

impl Default for KeySource {
    fn default() -> Self {
        Self::File(PathBuf::from("ml-connector.key"))
    }
}
