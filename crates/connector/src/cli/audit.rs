//! `audit verify | checkpoint | export`: prove that the trail is as it was written, sign where it stands, take it out.

mod erase;

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use domain::audit::Entry;
use domain::id::ConnectionId;
use serde_json::{Value, json};
use store::{Chain, Store};

use super::{Common, Exit, Failure, open, print_json};
use crate::cells::safe;
use crate::checkpoint::{Book, CheckpointError, Signed, Signer, read_file};
use crate::clock::{Clock, SystemClock, timestamp};
use crate::config::Config;
use crate::words::counted;

/// Entries read at once.
const PAGE: i64 = 1_000;

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Walk every entry, then compare with the signed checkpoints; name the first entry that is not as it was written.
    Verify(VerifyArgs),
    /// Sign where each trail stands now, and show the public key.
    Checkpoint,
    /// Write the entries, in their order.
    Export(ExportArgs),
    /// Erase for good what is kept of the person behind a record; amounts, dates, numbers and the proof stay.
    Erase(erase::EraseArgs),
}

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// Only this connection; @installation is the trail of users and sign-ins.
    #[arg(long)]
    connection: Option<String>,
    /// Checkpoints from somewhere else than the configuration says, such as a copy kept by the auditor.
    #[arg(long)]
    checkpoints: Option<PathBuf>,
    /// The public key that the checkpoints must be signed with, as `audit checkpoint` showed it.
    #[arg(long)]
    public_key: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// The connection, or @installation for users and sign-ins; needed when there are several.
    #[arg(long)]
    connection: Option<String>,
    /// Form of the entries.
    #[arg(long, value_enum, default_value_t = Form::Jsonl)]
    form: Form,
    /// Write to this file instead of stdout.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Only entries after this one.
    #[arg(long, default_value_t = 0)]
    after: i64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    /// One JSON object per line, with the hashes: enough to verify it without the database.
    Jsonl,
    /// For spreadsheets.
    Csv,
}

pub(super) async fn audit(common: &Common, command: AuditCommand) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    match command {
        AuditCommand::Verify(args) => verify(common, &config, &args).await,
        AuditCommand::Checkpoint => checkpoint(common, &config).await,
        AuditCommand::Export(args) => export(&config, &args).await,
        AuditCommand::Erase(args) => erase::erase(common, &config, &args).await,
    }
}

async fn verify(common: &Common, config: &Config, args: &VerifyArgs) -> Result<Exit, Failure> {
    let path = args.checkpoints.clone().unwrap_or_else(|| config.folder.join(&config.audit.checkpoints));
    let checkpoints = read_file(&path)?;
    let public_key = match &args.public_key {
        Some(key) => Some(key.clone()),
        None if checkpoints.is_empty() => None,
        None => Some(Signer::load(&config.folder.join(&config.audit.key))?.public_key()),
    };
    let store = open::store(config).await?;
    let ids = chosen(config, &store, args.connection.as_deref()).await?;
    let mut shown = Vec::new();
    let mut exit = Exit::Done;
    for id in ids {
        let name = id.as_str();
        let of_connection: Vec<&Signed> =
            checkpoints.iter().filter(|signed| signed.checkpoint.connection == name).collect();
        let (entries, problem) = verify_one(&store, &id, &of_connection, public_key.as_deref()).await?;
        if problem.is_some() {
            exit = Exit::Disagreement;
        }
        if !common.json {
            print_verdict(name, entries, of_connection.len(), problem.as_deref());
        }
        shown.push(json!({
            "connection": name, "entries": entries, "checkpoints": of_connection.len(), "problem": problem,
        }));
    }
    store.close().await;
    if common.json {
        print_json(&json!({ "trails": shown }));
    }
    Ok(exit)
}

/// The trails that a command is about: that of one connection, or all, with the installation's own if it has an entry.
async fn chosen(config: &Config, store: &Store, named: Option<&str>) -> Result<Vec<ConnectionId>, Failure> {
    let installation = ConnectionId::installation();
    if named == Some(installation.as_str()) {
        return Ok(vec![installation]);
    }
    let id = |name: &str| ConnectionId::new(name).map_err(|error| Failure::new(Exit::Config, error.to_string()));
    let mut ids = open::chosen(config, named)?.into_iter().map(id).collect::<Result<Vec<_>, _>>()?;
    if named.is_none() && store.audit().newest(&installation).await? > 0 {
        ids.push(installation);
    }
    Ok(ids)
}

/// The number of good entries, and the first thing that is wrong.
async fn verify_one(
    store: &Store,
    connection: &ConnectionId,
    checkpoints: &[&Signed],
    public_key: Option<&str>,
) -> Result<(i64, Option<String>), Failure> {
    let (entries, broken) = match store.audit().verify(connection).await? {
        Chain::Verified { entries, .. } => (entries, None),
        Chain::Broken(at) => (at.good_entries(), Some(at.to_string())),
    };
    for signed in checkpoints {
        let at = &signed.checkpoint;
        if !public_key.is_some_and(|key| signed.is_signed_by(key)) {
            let text = format!("the checkpoint of entry {} is not signed with this key", at.seq);
            return Ok((entries, Some(text)));
        }
        // What is broken before is told first.
        if at.seq > entries && broken.is_some() {
            break;
        }
        let found = store.audit().list(connection, at.seq.saturating_sub(1), 1).await?;
        let time = timestamp(at.at_ms);
        match found.first().filter(|entry| entry.seq == at.seq) {
            None => {
                let text = format!(
                    "entries are missing at the end: entry {} was signed at {time}, the last one there is {entries}",
                    at.seq
                );
                return Ok((entries, Some(text)));
            }
            Some(entry) if entry.hash != at.hash => {
                let text =
                    format!("entry {} or one before it was written anew after {time}, when it was signed", at.seq);
                return Ok((entries, Some(text)));
            }
            Some(_) => {}
        }
    }
    Ok((entries, broken))
}

fn print_verdict(name: &str, entries: i64, checkpoints: usize, problem: Option<&str>) {
    match problem {
        Some(problem) => println!("{name}: BROKEN: {problem}"),
        None if checkpoints == 0 => println!(
            "{name}: {entries} entries, each follows from the one before; no checkpoint was ever signed, so a trail written \
             anew as a whole would not be noticed"
        ),
        None => println!("{name}: {entries} entries, each follows from the one before; {checkpoints} checkpoints fit"),
    }
}

async fn checkpoint(common: &Common, config: &Config) -> Result<Exit, Failure> {
    let store = open::store(config).await?;
    let mut book = Book::open(config)?;
    // The worker looks at what was added since the last checkpoint; a person's signature is worth a look at everything.
    for id in store.audit().trails().await? {
        if let Chain::Broken(at) = store.audit().verify(&id).await? {
            return Err(CheckpointError::Broken { connection: id, at }.into());
        }
    }
    let added = book.add(&store, SystemClock.now_ms()).await?;
    store.close().await;
    let path = config.folder.join(&config.audit.checkpoints);
    if common.json {
        print_json(&json!({ "added": added, "file": path.display().to_string(), "public_key": book.public_key() }));
    } else {
        println!("{} added to {}", counted(added, "checkpoint"), path.display());
        println!("public key, to be kept elsewhere: {}", book.public_key());
    }
    Ok(Exit::Done)
}

async fn export(config: &Config, args: &ExportArgs) -> Result<Exit, Failure> {
    let store = open::store(config).await?;
    let ids = chosen(config, &store, args.connection.as_deref()).await?;
    let [id] = &ids[..] else {
        let names: Vec<&str> = ids.iter().map(ConnectionId::as_str).collect();
        return Err(Failure::new(Exit::Usage, format!("name one --connection: {}", names.join(", "))));
    };
    let written = match &args.out {
        Some(path) => {
            let file = std::fs::File::create(path).map_err(|error| unwritable(path, &error))?;
            write_entries(&store, id, args, std::io::BufWriter::new(file)).await?
        }
        None => write_entries(&store, id, args, std::io::stdout().lock()).await?,
    };
    store.close().await;
    eprintln!("{written} entries written");
    Ok(Exit::Done)
}

fn unwritable(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::Unexpected, format!("{} cannot be written: {error}", path.display()))
}

async fn write_entries(
    store: &Store,
    connection: &ConnectionId,
    args: &ExportArgs,
    mut output: impl Write,
) -> Result<usize, Failure> {
    let mut after = args.after;
    let mut written = 0_usize;
    if matches!(args.form, Form::Csv) {
        write_row(&mut output, &COLUMNS.map(str::to_owned))?;
    }
    loop {
        let entries = store.audit().list(connection, after, PAGE).await?;
        let Some(last) = entries.last() else { break };
        after = last.seq;
        for entry in &entries {
            match args.form {
                Form::Jsonl => writeln!(output, "{}", as_json(connection, entry))?,
                Form::Csv => write_row(&mut output, &as_row(entry))?,
            }
        }
        written = written.saturating_add(entries.len());
    }
    output.flush()?;
    Ok(written)
}

const COLUMNS: [&str; 12] = [
    "seq",
    "at",
    "actor",
    "action",
    "subject",
    "before",
    "after",
    "detail",
    "detail_salt",
    "detail_digest",
    "previous",
    "hash",
];

fn write_row(output: &mut impl Write, cells: &[String]) -> Result<(), Failure> {
    let mut writer = csv::Writer::from_writer(output);
    let row = writer.write_record(cells.iter().map(|cell| safe(cell)));
    row.and_then(|()| writer.flush().map_err(csv::Error::from))
        .map_err(|error| Failure::new(Exit::Unexpected, format!("the entries cannot be written: {error}")))
}

fn as_row(entry: &Entry) -> [String; 12] {
    let (digest, salt) = sealed(entry);
    [
        entry.seq.to_string(),
        timestamp(entry.at_ms).to_string(),
        entry.actor.clone(),
        entry.action.clone(),
        entry.subject.clone(),
        entry.before.clone().unwrap_or_default(),
        entry.after.clone().unwrap_or_default(),
        entry.detail.clone(),
        salt.unwrap_or_default().to_owned(),
        digest.unwrap_or_default().to_owned(),
        entry.previous.clone(),
        entry.hash.clone(),
    ]
}

/// Digest and salt of an entry's seal.
fn sealed(entry: &Entry) -> (Option<&str>, Option<&str>) {
    let seal = entry.seal.as_ref();
    (seal.map(|seal| seal.digest.as_str()), seal.and_then(|seal| seal.salt.as_deref()))
}

fn as_json(connection: &ConnectionId, entry: &Entry) -> Value {
    let (digest, salt) = sealed(entry);
    json!({
        "connection": connection.as_str(), "seq": entry.seq, "at_ms": entry.at_ms, "actor": entry.actor,
        "action": entry.action, "subject": entry.subject, "before": entry.before, "after": entry.after,
        "detail": entry.detail, "detail_salt": salt, "detail_digest": digest, "previous": entry.previous, "hash": entry.hash,
    })
}

impl From<CheckpointError> for Failure {
    fn from(error: CheckpointError) -> Self {
        let exit = match &error {
            CheckpointError::Store(_) => Exit::Database,
            CheckpointError::Broken { .. } => Exit::Disagreement,
            CheckpointError::File { .. } | CheckpointError::Key { .. } | CheckpointError::Line { .. } => Exit::Config,
        };
        Self::new(exit, crate::worker::chain(&error))
    }
}
