//! The key that everything in the vault is sealed under: read from its file, systemd credential or command, made when there is
//! none and nothing needs another one, and written so that a crash leaves the old file or the new one.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use secrecy::ExposeSecret as _;
use store::{KeyRing, Store};
use zeroize::Zeroizing;

use crate::config::secret::{read_env, read_private_file};
use crate::config::{Config, ConfigError, KeySource};

/// A key has more letters than the name of a credential.
const LONGEST_NAME: usize = 40;

/// There is no usable key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key cannot be had.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The key does not open what is sealed, or the database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// The keys for this database. Refused when they do not open everything that is sealed in it; a missing file is made only while
/// nothing is sealed.
pub async fn ring(config: &Config, store: &Store) -> Result<KeyRing, KeyError> {
    let ring = match load(config)? {
        Some(ring) => ring,
        None => first(config, store).await?,
    };
    store.vault(&ring).check().await?;
    Ok(ring)
}

/// The path of the key file, if the key is in one.
pub fn file(config: &Config) -> Option<PathBuf> {
    match &config.keys {
        KeySource::File(path) => Some(config.folder.join(path)),
        KeySource::Credential(_) | KeySource::Command(_) => None,
    }
}

/// Puts the keys into their file in place of what was there.
pub fn save(path: &Path, ring: &KeyRing) -> Result<(), ConfigError> {
    let written = write(path, ring).and_then(|file| file.persist(path).map_err(std::io::Error::from));
    written.map(drop).map_err(|error| unwritable(path, &error))?;
    sync_folder(path).map_err(|error| unwritable(path, &error))
}

/// The keys, or nothing if the file is not there.
fn load(config: &Config) -> Result<Option<KeyRing>, ConfigError> {
    let (text, place) = match &config.keys {
        KeySource::File(path) => {
            let path = config.folder.join(path);
            if !path.exists() {
                return Ok(None);
            }
            (read_private_file("keys.file", &path)?, format!("file {}", path.display()))
        }
        KeySource::Credential(name) => (read_credential(name)?, format!("credential {name}")),
        KeySource::Command(command) => (run(command)?, "command's output".to_owned()),
    };
    let ring = KeyRing::parse(&Zeroizing::new(text));
    ring.map(Some).map_err(|problem| ConfigError::value("keys", format!("does not work: the {place} {problem}")))
}

/// A key where there was none. Another process that does the same at the same time gets its key used by both.
async fn first(config: &Config, store: &Store) -> Result<KeyRing, KeyError> {
    let Some(path) = file(config) else { return Err(ConfigError::value("keys", "gives no key").into()) };
    let needed = store.needed_keys().await?;
    if !needed.is_empty() {
        let text = format!(
            "names the file {}, which is not there, and the database holds secrets that the key {} seals: bring back that file (see \
             docs/secrets.md)",
            path.display(),
            needed.join(", ")
        );
        return Err(ConfigError::value("keys.file", text).into());
    }
    let ring = KeyRing::generate()?;
    match write(&path, &ring).and_then(|file| file.persist_noclobber(&path).map_err(std::io::Error::from)) {
        Ok(_) => {
            sync_folder(&path).map_err(|error| unwritable(&path, &error))?;
            tracing::info!(path = %path.display(), key = ring.current_id(), "made a key for secrets: keep a copy of it apart from the database's");
            Ok(ring)
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            load(config)?.ok_or_else(|| ConfigError::value("keys.file", "was there and is gone").into())
        }
        Err(error) => Err(unwritable(&path, &error).into()),
    }
}

/// A finished file beside `path`, readable by its owner only.
fn write(path: &Path, ring: &KeyRing) -> std::io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".ml-connector-key-").tempfile_in(folder)?;
    file.write_all(
        b"# Opens the secrets in the database of ml-connector. Keep a copy where the database's copies are not.\n",
    )?;
    file.write_all(ring.to_text().expose_secret().as_bytes())?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// The name in the folder has to last, too.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::File::open(folder)?.sync_all()
}

fn unwritable(path: &Path, error: &std::io::Error) -> ConfigError {
    ConfigError::value("keys.file", format!("names the file {}, which cannot be written: {error}", path.display()))
}

fn read_credential(name: &str) -> Result<String, ConfigError> {
    let complain = |why: &str| ConfigError::value("keys.credential", format!("is {name}, {why}"));
    // Not quoted: it may be the key itself.
    let is_name = name.len() <= LONGEST_NAME && name.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
    if !is_name {
        return Err(ConfigError::value("keys.credential", "is no name of a credential, such as ml-connector-key"));
    }
    let folder = read_env("CREDENTIALS_DIRECTORY")
        .ok_or_else(|| complain("and systemd gave none: run as a service with LoadCredential"))?;
    let text = std::fs::read_to_string(Path::new(&folder).join(name));
    text.map_err(|error| complain(&format!("which systemd did not give: {error}")))
}

/// What the command prints. Its output goes into no error, since it may hold a part of the key.
fn run(command: &[String]) -> Result<String, ConfigError> {
    let complain = |why: String| ConfigError::value("keys.command", why);
    let (program, arguments) = command.split_first().ok_or_else(|| complain("is empty".to_owned()))?;
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output();
    let output = output.map_err(|error| complain(format!("cannot run {program}: {error}")))?;
    if !output.status.success() {
        return Err(complain(format!("ran {program}, which ended with {}", output.status)));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| complain(format!("ran {program}, which printed something else than a key")))
}
