//! `store`: a backup while the connector works, going back to one, and moving to another database.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;
use store::{Copied, Kind, Store};

use super::{Common, Exit, Failure, open, print_json};
use crate::alone::Alone;
use crate::checkpoint;
use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::words::counted;

#[derive(Clone, Debug, Subcommand)]
pub(super) enum StoreCommand {
    /// Tell where the database is, what it holds, and which keys its secrets need.
    Show,
    /// Copy everything into a new file while the connector works. The file holds secrets only as they are sealed.
    Backup {
        /// The file, which must not be there yet.
        file: PathBuf,
    },
    /// Put a backup into the configured database, which must be empty. The connector must not be running.
    Restore {
        /// The file that `store backup` wrote.
        file: PathBuf,
    },
    /// Copy everything into the database of another configuration, and leave this one for good. The connector must not be running.
    Move {
        /// The other configuration file: the same but for `database`.
        #[arg(long, value_name = "CONFIG")]
        into: PathBuf,
    },
}

pub(super) async fn store(common: &Common, command: &StoreCommand) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    match command {
        StoreCommand::Show => show(common, &config).await,
        StoreCommand::Backup { file } => backup(common, &config, file).await,
        StoreCommand::Restore { file } => restore(common, &config, file).await,
        StoreCommand::Move { into } => move_into(common, &config, into).await,
    }
}

async fn show(common: &Common, config: &Config) -> Result<Exit, Failure> {
    let store = open::store(config).await?;
    let (rows, keys) = (store.count_rows().await?, store.needed_keys().await?);
    store.close().await;
    if common.json {
        let rows: serde_json::Map<String, serde_json::Value> =
            rows.into_iter().map(|(table, rows)| (table.to_owned(), json!(rows))).collect();
        print_json(&json!({ "place": store.place(), "rows": rows, "needed_keys": keys }));
        return Ok(Exit::Done);
    }
    println!("{}", store.place());
    for (table, rows) in rows.iter().filter(|(_, rows)| *rows > 0) {
        println!("  {rows:>9} {table}");
    }
    print_keys(&keys);
    Ok(Exit::Done)
}

async fn backup(common: &Common, config: &Config, file: &Path) -> Result<Exit, Failure> {
    if file.exists() {
        let text = format!("{} is there already: a backup goes into a new file", file.display());
        return Err(Failure::new(Exit::Usage, text));
    }
    let store = open::store(config).await?;
    let target = at_file(file).await?;
    let copied = store.copy_to(&target).await;
    target.close().await;
    if copied.is_err() {
        std::fs::remove_file(file)?;
    }
    told(common, &store, file.display().to_string(), &copied?).await
}

async fn restore(common: &Common, config: &Config, file: &Path) -> Result<Exit, Failure> {
    if !file.is_file() {
        return Err(Failure::new(Exit::NotFound, format!("{} is not a file", file.display())));
    }
    let _alone = Alone::take(&config.database_url())?;
    // Opening an older backup brings its schema up to date; the backup itself stays as it is.
    let folder = tempfile::tempdir()?;
    let working = folder.path().join("backup.db");
    std::fs::copy(file, &working)?;
    let source = at_file(&working).await?;
    let target = open::store(config).await?;
    let copied = source.copy_to(&target).await?;
    source.close().await;
    // Also if all of it was there: then an earlier call broke off before this.
    if let Some(kept) = checkpoint::restart_after(config, &target, file, SystemClock.now_ms()).await? {
        eprintln!(
            "the audit trail was signed further than this backup goes: its checkpoints are kept in {}, and new ones begin",
            kept.display()
        );
    }
    let place = target.place().to_owned();
    told(common, &target, place, &copied).await
}

async fn move_into(common: &Common, config: &Config, into: &Path) -> Result<Exit, Failure> {
    let other = Config::load(into)?;
    if other.database_url() == config.database_url() {
        let text = format!("{} names the same database: set another one there", into.display());
        return Err(Failure::new(Exit::Usage, text));
    }
    let _alone = (Alone::take(&config.database_url())?, Alone::take(&other.database_url())?);
    let source = Store::open_to_move(&config.database_url()).await?;
    let target = open::store(&other).await?;
    if source.is_same_as(&target).await? {
        let text = format!("{} and {} are the same database: set another one there", source.place(), target.place());
        return Err(Failure::new(Exit::Usage, text));
    }
    // On SQLite the lock has told already.
    if source.kind() == Kind::Postgres && source.lanes().are_leased(SystemClock.now_ms()).await? {
        let text = format!(
            "a process works on {}, or was killed within the last half minute: stop it, and try again",
            source.place()
        );
        return Err(Failure::new(Exit::Database, text));
    }
    // First, so that nobody writes there what is not copied any more.
    let is_new = source.leave_for(target.place()).await?;
    let copied = match source.copy_to(&target).await {
        Ok(copied) => copied,
        // One that was left before stays left: its data may have gone on at the other place.
        Err(why) if is_new => {
            source.stay().await?;
            return Err(why.into());
        }
        Err(why) => return Err(why.into()),
    };
    source.close().await;
    let place = target.place().to_owned();
    told(common, &target, place, &copied).await
}

async fn at_file(file: &Path) -> Result<Store, Failure> {
    Ok(Store::open(&format!("sqlite:{}", file.display())).await?)
}

/// Says what was copied, where it is, and which keys are needed to use it.
async fn told(common: &Common, store: &Store, place: String, copied: &Copied) -> Result<Exit, Failure> {
    let keys = store.needed_keys().await?;
    store.close().await;
    let rows: u64 = copied.tables.iter().map(|(_, rows)| rows).sum();
    if common.json {
        print_json(&json!({ "place": place, "rows": rows, "was_there": copied.was_there, "needed_keys": keys }));
        return Ok(Exit::Done);
    }
    let how = if copied.was_there { "holds all of it already" } else { "holds all of it, read back and compared" };
    println!("{} of {}: {place} {how}", counted(rows, "row"), counted(copied.tables.len(), "table"));
    print_keys(&keys);
    Ok(Exit::Done)
}

fn print_keys(keys: &[String]) {
    if !keys.is_empty() {
        println!("its secrets open with the key {}, which is kept apart (docs/secrets.md)", keys.join(", "));
    }
}
