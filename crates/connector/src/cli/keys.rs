//! `keys status`: what is sealed and under which keys, never a secret. `keys rotate`: new keys in place of old ones; killed at any
//! moment, it is simply run again.

use clap::{Args, Subcommand};
use comfy_table::Table;
use domain::id::ConnectionId;
use serde_json::{Value, json};
use store::{KeyRing, SealedSecret, Store};

use super::{Common, Exit, Failure, open, print_json};
use crate::clock::{Clock, SystemClock, timestamp};
use crate::config::Config;
use crate::keys;
use crate::words::counted;

/// How many are done in one transaction.
const BATCH: i64 = 50;

#[derive(Clone, Copy, Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Show which secrets there are, since when, and which keys they need.
    Status,
    /// Put a new key in place of an old one.
    Rotate(RotateArgs),
}

#[derive(Clone, Copy, Debug, Args)]
#[group(required = true, multiple = true)]
pub(super) struct RotateArgs {
    /// The key-encryption key, which wraps the data keys.
    #[arg(long)]
    key: bool,
    /// The data key of every connection, which seals its secrets.
    #[arg(long)]
    data: bool,
}

pub(super) async fn keys(common: &Common, command: &KeysCommand) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let store = open::store(&config).await?;
    let ring = keys::ring(&config, &store).await?;
    let exit = match command {
        KeysCommand::Status => status(common, &config, &store, &ring).await,
        KeysCommand::Rotate(args) => rotate(common, &config, &store, ring, *args).await,
    };
    store.close().await;
    exit
}

async fn status(common: &Common, config: &Config, store: &Store, ring: &KeyRing) -> Result<Exit, Failure> {
    let mut secrets = Vec::new();
    for settings in &config.connections {
        let listed = store.vault(ring).list(&settings.id()?).await?;
        secrets.extend(listed.into_iter().map(|secret| (settings.name.as_str(), secret)));
    }
    let needed = store.needed_keys().await?;
    if common.json {
        let secrets: Vec<Value> = secrets.iter().map(|(connection, secret)| as_json(connection, secret)).collect();
        print_json(
            &json!({ "current_key": ring.current_id(), "keys": ring.ids(), "needed_keys": needed, "secrets": secrets }),
        );
        return Ok(Exit::Done);
    }
    println!("current key {}; a copy of this database needs: {}", ring.current_id(), or_none(&needed));
    let mut table = Table::new();
    let header = ["connection", "system", "secret", "for host", "data key", "since", "ends"];
    table.load_style(comfy_table::presets::NOTHING).set_header(header);
    for (connection, secret) in &secrets {
        table.add_row([
            (*connection).to_owned(),
            secret.system.clone(),
            secret.purpose.clone(),
            secret.host.clone(),
            secret.data_version.to_string(),
            timestamp(secret.rotated_ms.unwrap_or(secret.created_ms)).to_string(),
            secret.expires_ms.map_or_else(|| "-".to_owned(), |ms| timestamp(ms).to_string()),
        ]);
    }
    println!("{table}");
    Ok(Exit::Done)
}

fn as_json(connection: &str, secret: &SealedSecret) -> Value {
    let time = |ms: Option<i64>| ms.map(|ms| timestamp(ms).to_string());
    json!({
        "connection": connection, "system": secret.system, "secret": secret.purpose, "host": secret.host,
        "data_key": secret.data_version, "created": time(Some(secret.created_ms)), "rotated": time(secret.rotated_ms),
        "ends": time(secret.expires_ms),
    })
}

async fn rotate(
    common: &Common,
    config: &Config,
    store: &Store,
    mut ring: KeyRing,
    args: RotateArgs,
) -> Result<Exit, Failure> {
    let mut wrapped = 0_u64;
    let mut sealed = 0_u64;
    let mut drop_old = Vec::new();
    if args.key {
        ring = add_key(config, ring)?;
        loop {
            match store.vault(&ring).rewrap(BATCH).await? {
                0 => break,
                done => wrapped = wrapped.saturating_add(done),
            }
        }
        drop_old = drop_old_keys(config, store, &ring).await?;
    }
    if args.data {
        for settings in &config.connections {
            sealed = sealed.saturating_add(reseal(store, &ring, &settings.id()?).await?);
        }
    }
    if common.json {
        print_json(&json!({
            "current_key": ring.current_id(), "data_keys_wrapped": wrapped, "secrets_sealed": sealed, "remove_keys": drop_old,
        }));
    } else {
        println!(
            "current key {}: {} wrapped anew, {} sealed anew",
            ring.current_id(),
            counted(wrapped, "data key"),
            counted(sealed, "secret")
        );
        if !drop_old.is_empty() {
            println!("no longer needed, remove where your keys are kept: {}", drop_old.join(", "));
        }
    }
    Ok(Exit::Done)
}

/// A new key in front of the old one. With several keys a rotation is under way, and goes on with what there is; keys that are not
/// in a file are put in front by whoever keeps them.
fn add_key(config: &Config, ring: KeyRing) -> Result<KeyRing, Failure> {
    if ring.ids().len() > 1 {
        return Ok(ring);
    }
    let Some(path) = keys::file(config) else {
        let text = "keys come from a credential or a command: put a new key in a line above the old one where they are kept, and run \
                    this again (see docs/secrets.md)";
        return Err(Failure::new(Exit::Config, text));
    };
    let ring = ring.with_new_key()?;
    // On the disk before anything needs it.
    keys::save(&path, &ring)?;
    Ok(ring)
}

/// Once nothing needs the old keys they leave the file. Gives the ids of those that somebody else has to remove.
async fn drop_old_keys(config: &Config, store: &Store, ring: &KeyRing) -> Result<Vec<String>, Failure> {
    let needed = store.needed_keys().await?;
    if needed.iter().any(|id| id != ring.current_id()) {
        let text = "another process sealed under the old key meanwhile: run keys rotate --key again";
        return Err(Failure::new(Exit::NotTaken, text));
    }
    match keys::file(config) {
        Some(path) => {
            keys::save(&path, &ring.only_current())?;
            Ok(Vec::new())
        }
        None => Ok(ring.ids().into_iter().skip(1).map(str::to_owned).collect()),
    }
}

async fn reseal(store: &Store, ring: &KeyRing, connection: &ConnectionId) -> Result<u64, Failure> {
    let vault = store.vault(ring);
    vault.begin_data_rotation(connection, SystemClock.now_ms()).await?;
    let mut sealed = 0_u64;
    loop {
        match vault.reseal(connection, BATCH).await? {
            0 => return Ok(sealed),
            done => sealed = sealed.saturating_add(done),
        }
    }
}

fn or_none(ids: &[String]) -> String {
    if ids.is_empty() { "none".to_owned() } else { ids.join(", ") }
}
