//! Signed checkpoints of the audit trail, in a file outside the database: who rewrites the database cannot rewrite them.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::encoding::AsBigEndian;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use data_encoding::BASE64;
use domain::audit::{Actor, Checkpoint, Note};
use domain::id::ConnectionId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Break, Chain, Store};
use tokio_util::sync::CancellationToken;

use crate::app::{App, VERSION};
use crate::config::Config;
use crate::config::secret::refuse_open_file;
use crate::worker::{chain, nap};

/// Something about the key or the file of checkpoints.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// A file cannot be used.
    #[error("{} cannot be used; [audit] in the configuration says where it is", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The key is not a key, or others can read it.
    #[error("the signing key {} cannot be used: {why}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A line of the file is not a checkpoint.
    #[error("line {line} of {} is not a checkpoint", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The chain is broken, and a broken chain is not signed.
    #[error("the audit trail of {connection} is broken, and no checkpoint is signed: {at}")]
    Broken {
        /// Whose.
        connection: ConnectionId,
        /// Where.
        at: Break,
    },
}

/// A checkpoint with its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// What is stated.
    #[serde(flatten)]
    pub checkpoint: Checkpoint,
    /// The public key, in Base64.
    pub key: String,
    /// Ed25519 over [`Checkpoint::to_signed_bytes`], in Base64.
    pub signature: String,
}

impl Signed {
    /// Whether this key signed it.
    pub fn is_signed_by(&self, public_key: &str) -> bool {
        let decode = |text: &str| BASE64.decode(text.trim().as_bytes()).ok();
        let (Some(key), Some(signature)) = (decode(public_key), decode(&self.signature)) else { return false };
        UnparsedPublicKey::new(&ED25519, key).verify(&self.checkpoint.to_signed_bytes(), &signature).is_ok()
    }
}

/// Holds the signing key.
pub struct Signer {
    pair: Ed25519KeyPair,
}

impl Signer {
    /// The key of a file.
    pub fn load(path: &Path) -> Result<Self, CheckpointError> {
        let text = std::fs::read_to_string(path);
        Self::read(path, &text.map_err(|source| CheckpointError::File { path: path.to_owned(), source })?)
    }

    /// The same; a file that is not there is made, readable by its owner only.
    pub fn load_or_make(path: &Path) -> Result<Self, CheckpointError> {
        match Self::load(path) {
            Err(CheckpointError::File { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                Self::make(path)
            }
            loaded => loaded,
        }
    }

    fn read(path: &Path, text: &str) -> Result<Self, CheckpointError> {
        let bad = |why: String| CheckpointError::Key { path: path.to_owned(), why };
        refuse_open_file("audit.key", path).map_err(|error| bad(error.to_string()))?;
        let seed = BASE64.decode(text.trim().as_bytes()).map_err(|_| bad("it is not Base64".to_owned()))?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed);
        Ok(Self { pair: pair.map_err(|_| bad("it is not 32 bytes long".to_owned()))? })
    }

    fn make(path: &Path) -> Result<Self, CheckpointError> {
        let bad = |why: &str| CheckpointError::Key { path: path.to_owned(), why: why.to_owned() };
        let pair = Ed25519KeyPair::generate().map_err(|_| bad("this machine gives no random numbers"))?;
        let seed = pair.seed().and_then(|seed| seed.as_be_bytes()).map_err(|_| bad("it cannot be written"))?;
        let text = format!("{}\n", BASE64.encode(seed.as_ref()));
        let written = create_private(path).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        written.map_err(|source| CheckpointError::File { path: path.to_owned(), source })?;
        tracing::info!(key = %path.display(), "made a key for signing checkpoints of the audit trail");
        Ok(Self { pair })
    }

    /// The public key, in Base64: to be noted down elsewhere.
    pub fn public_key(&self) -> String {
        BASE64.encode(self.pair.public_key().as_ref())
    }

    /// Signs.
    pub fn sign(&self, checkpoint: Checkpoint) -> Signed {
        let signature = BASE64.encode(self.pair.sign(&checkpoint.to_signed_bytes()).as_ref());
        Signed { checkpoint, key: self.public_key(), signature }
    }
}

#[cfg(unix)]
fn create_private(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;

    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// The checkpoints of a file, in its order; none if there is no file.
pub fn read_file(path: &Path) -> Result<Vec<Signed>, CheckpointError> {
    let failed = |source| CheckpointError::File { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut read = Vec::new();
    for (index, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(failed)?;
        let signed = serde_json::from_str(&line)
            .map_err(|_| CheckpointError::Line { path: path.to_owned(), line: index.saturating_add(1) })?;
        read.push(signed);
    }
    Ok(read)
}

/// Adds checkpoints to a file.
pub struct Book {
    signer: Signer,
    path: PathBuf,
    last: HashMap<String, Checkpoint>,
}

impl Book {
    /// Opens key and file of a configuration.
    pub fn open(config: &Config) -> Result<Self, CheckpointError> {
        let signer = Signer::load_or_make(&config.folder.join(&config.audit.key))?;
        let path = config.folder.join(&config.audit.checkpoints);
        let read =
            read_file(&path)?.into_iter().map(|signed| (signed.checkpoint.connection.clone(), signed.checkpoint));
        Ok(Self { signer, path, last: read.collect() })
    }

    /// The public key, in Base64.
    pub fn public_key(&self) -> String {
        self.signer.public_key()
    }

    /// Signs the head of every chain that grew, once what was added follows from the last checkpoint. Gives how many.
    pub async fn add(&mut self, store: &Store, now_ms: i64) -> Result<usize, CheckpointError> {
        let mut added = 0_usize;
        for connection in store.audit().trails().await? {
            let last = self.last.get(connection.as_str());
            let found = match last {
                None => store.audit().verify(&connection).await?,
                Some(last) => store.audit().verify_after(&connection, last.seq, &last.hash).await?,
            };
            let (seq, hash) = match found {
                Chain::Verified { entries, head } => (entries, head),
                Chain::Broken(at) => return Err(CheckpointError::Broken { connection, at }),
            };
            if last.map_or(0, |last| last.seq) == seq {
                continue;
            }
            let id = connection.as_str().to_owned();
            let checkpoint = Checkpoint { connection: id.clone(), seq, hash, at_ms: now_ms };
            self.write(&self.signer.sign(checkpoint.clone()))?;
            self.last.insert(id, checkpoint);
            added = added.saturating_add(1);
        }
        Ok(added)
    }

    fn write(&self, signed: &Signed) -> Result<(), CheckpointError> {
        let line = format!("{}\n", serde_json::to_string(signed).unwrap_or_default());
        let written = OpenOptions::new().append(true).create(true).open(&self.path).and_then(|mut file| {
            file.write_all(line.as_bytes())?;
            file.sync_data()
        });
        written.map_err(|source| CheckpointError::File { path: self.path.clone(), source })
    }
}

/// Writes into each trail that the database was restored from a backup. Checkpoints that were signed further than the backup goes can
/// never fit again: their file is kept under another name as evidence of what was lost, and the next run begins a new one. Gives that name.
pub async fn restart_after(
    config: &Config,
    store: &Store,
    backup: &Path,
    now_ms: i64,
) -> Result<Option<PathBuf>, CheckpointError> {
    let path = config.folder.join(&config.audit.checkpoints);
    let mut beyond: HashMap<String, Checkpoint> = HashMap::new();
    for Signed { checkpoint, .. } in read_file(&path)? {
        beyond.insert(checkpoint.connection.clone(), checkpoint);
    }
    let mut trails = Vec::new();
    for connection in store.audit().trails().await? {
        let entries = match store.audit().verify(&connection).await? {
            Chain::Verified { entries, .. } => entries,
            Chain::Broken(at) => return Err(CheckpointError::Broken { connection, at }),
        };
        if beyond.get(connection.as_str()).is_some_and(|last| last.seq <= entries) {
            beyond.remove(connection.as_str());
        }
        trails.push((connection, entries));
    }
    // Before anything is written into a trail: until then a call that breaks off is simply made again.
    let kept = path.with_extension(format!("before-{now_ms}.jsonl"));
    if !beyond.is_empty() {
        std::fs::rename(&path, &kept).map_err(|source| CheckpointError::File { path, source })?;
    }
    for (connection, entries) in trails {
        let last = beyond.get(connection.as_str());
        let detail = json!({
            "backup": backup.file_name().map(|name| name.to_string_lossy()), "entries": entries,
            "signed_before": last.map(|last| json!({ "seq": last.seq, "hash": last.hash, "at_ms": last.at_ms })),
        });
        let (action, subject) = ("restored".to_owned(), "database".to_owned());
        let note = Note { action, subject, before: None, after: None, detail };
        let actor = Actor::Engine(VERSION.to_owned());
        store.audit().append_unleased(&connection, now_ms, &actor, &[note]).await?;
    }
    Ok((!beyond.is_empty()).then_some(kept))
}

/// Adds checkpoints at every interval until cancelled, and once more at the end.
pub async fn keep(app: Arc<App>, mut book: Book, minutes: u32, stop: CancellationToken) {
    let mut due_ms = app.now_ms();
    loop {
        let is_last = stop.is_cancelled();
        if is_last || app.now_ms() >= due_ms {
            match book.add(&app.store, app.now_ms()).await {
                Ok(_) => app.pulse.checkpoint(app.now_ms()),
                Err(error) => tracing::error!(error = %chain(&error), "no checkpoint of the audit trail was made"),
            }
            due_ms = app.now_ms().saturating_add(i64::from(minutes).saturating_mul(60_000));
        }
        if is_last {
            return;
        }
        nap(&app, due_ms.saturating_sub(app.now_ms()), &stop).await;
    }
}
