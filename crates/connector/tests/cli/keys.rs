//! The vault from the outside: `keys status | rotate`, keys that are wrong, missing or open to others, and a rotation that is killed.

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::Duration;

use connector::config::Config;
use connector::keys;
use domain::id::ConnectionId;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sandbox::Options;
use secrecy::{ExposeSecret, SecretString};
use store::{KeyRing, Slot, Store};

use crate::setting::{Setting, said};

fn slot<'a>(system: &'a str, purpose: &'a str) -> Slot<'a> {
    Slot { system, purpose, host: "127.0.0.1" }
}

/// A setting whose secrets are in the vault only, with `more` further ones beside them.
async fn sealed(more: usize) -> (Setting, Store, KeyRing) {
    let setting = Setting::make(Options { records: 20, ..Options::default() }).await;
    setting.edit("token = { file = \"brex\" }\n", "");
    setting.edit("client_secret = { file = \"bc\" }", "client_secret = { vault = true }");
    let config = Config::load(&setting.config()).unwrap();
    let store = Store::open(&config.database_url()).await.unwrap();
    let ring = keys::ring(&config, &store).await.unwrap();
    let ready = setting.sandbox.ready();
    let main = ConnectionId::new("main").unwrap();
    let vault = store.vault(&ring);
    for (slot, secret) in
        [(slot("brex", "token"), &ready.brex.token), (slot("entra", "client_secret"), &ready.entra.client_secret)]
    {
        vault.seal(&main, &slot, &SecretString::from(secret.as_str()), None, 1).await.unwrap();
    }
    for number in 0..more {
        let purpose = format!("client_state/{number}");
        vault.seal(&main, &slot("bc", &purpose), &SecretString::from(purpose.as_str()), None, 1).await.unwrap();
    }
    (setting, store, ring)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_connector_works_with_secrets_from_the_vault_before_and_after_both_keys_rotate() {
    let (setting, store, ring) = sealed(0).await;
    store.close().await;
    let first = setting.run(&["run", "--once", "--log", "error"]).await;
    assert!(first.status.success(), "{}", said(&first));
    let rotated = setting.run_json(&["keys", "rotate", "--key", "--data", "--json"]).await;
    assert_eq!((rotated["data_keys_wrapped"].as_i64(), rotated["secrets_sealed"].as_i64()), (Some(1), Some(2)));
    let status = setting.run_json(&["keys", "status", "--json"]).await;
    assert_ne!(status["current_key"], ring.current_id());
    assert_eq!(status["keys"].as_array().unwrap().len(), 1, "the old key left the file");
    assert_eq!(status["needed_keys"], status["keys"]);
    assert_eq!(status["secrets"][0]["data_key"], 2);
    let again = setting.run(&["run", "--once", "--log", "error"]).await;
    assert!(again.status.success(), "{}", said(&again));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_wrong_missing_or_open_to_others_stops_the_start_with_the_id_that_is_needed() {
    let (setting, store, ring) = sealed(0).await;
    store.close().await;
    let path = setting.folder.path().join("ml-connector.key");
    let right = std::fs::read(&path).unwrap();
    let refused = async |why: &str| {
        for args in [&["run", "--once"][..], &["plan"], &["keys", "status"]] {
            let output = setting.run(args).await;
            assert_eq!(output.status.code(), Some(3), "{args:?}: {}", said(&output));
            assert!(said(&output).contains(why), "{args:?}: {}", said(&output));
        }
    };
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    refused("which others can read: run chmod 600 on it").await;
    std::fs::remove_file(&path).unwrap();
    refused(&format!("the database holds secrets that the key {} seals: bring back that file", ring.current_id()))
        .await;
    keys::save(&path, &KeyRing::generate().unwrap()).unwrap();
    refused(&format!("holds secrets that the key {} seals, and the key at hand is", ring.current_id())).await;
    setting.write_secret("ml-connector.key", "not a key");
    refused("holds something else than a key in line 1").await;
    std::fs::write(&path, right).unwrap();
    assert!(setting.run(&["keys", "status"]).await.status.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_key_may_come_from_a_command_or_a_systemd_credential_and_is_then_never_written() {
    let (setting, store, _) = sealed(0).await;
    store.close().await;
    let path = setting.folder.path().join("ml-connector.key");
    setting.edit(
        "allow_hosts",
        &format!("keys = {{ command = [\"cat\", {:?}] }}\nallow_hosts", path.display().to_string()),
    );
    assert!(setting.run(&["keys", "status"]).await.status.success());
    let output = setting.run(&["keys", "rotate", "--key"]).await;
    assert_eq!(output.status.code(), Some(3));
    assert!(said(&output).contains("put a new key in a line above the old one"), "{}", said(&output));
    let two = keys_text(&path);
    setting.write_secret("ml-connector.key", &two);
    let rotated = setting.run_json(&["keys", "rotate", "--key", "--json"]).await;
    assert_eq!(rotated["remove_keys"].as_array().unwrap().len(), 1);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), two, "the connector leaves it alone");
    let command = format!("keys = {{ command = [\"cat\", {:?}] }}", path.display().to_string());
    setting.edit(&command, "keys = { credential = \"ml-connector.key\" }");
    let mut command = setting.command(&["keys", "status"]);
    command.env("CREDENTIALS_DIRECTORY", setting.folder.path());
    assert!(tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap().status.success());
    assert!(said(&setting.run(&["keys", "status"]).await).contains("systemd gave none"));
}

/// The keys of a file behind a new one.
fn keys_text(path: &std::path::Path) -> String {
    let ring = KeyRing::parse(&std::fs::read_to_string(path).unwrap()).unwrap();
    ring.with_new_key().unwrap().to_text().expose_secret().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_killed_at_random_moments_loses_no_secret() {
    const MORE: usize = 600;
    let (setting, store, _) = sealed(MORE).await;
    let seed = 11;
    let mut random = StdRng::seed_from_u64(seed);
    let (main, config) = (ConnectionId::new("main").unwrap(), Config::load(&setting.config()).unwrap());
    let mut killed = 0;
    for round in 0..12 {
        let mut child = tokio::process::Command::from(setting.command(&["keys", "rotate", "--key", "--data"]));
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let patience = Duration::from_millis(random.next_u64() % 120);
        if tokio::time::timeout(patience, child.wait()).await.is_err() {
            child.kill().await.unwrap();
            killed += 1;
        }
        let ring = keys::ring(&config, &store).await.unwrap();
        let listed = store.vault(&ring).list(&main).await.unwrap();
        assert_eq!(listed.len(), MORE + 2, "round {round} (seed {seed})");
        for secret in listed {
            let slot = Slot { system: &secret.system, purpose: &secret.purpose, host: &secret.host };
            let opened = store.vault(&ring).open(&main, &slot).await.unwrap().unwrap();
            assert!(secret.system != "bc" || opened.expose_secret() == secret.purpose);
        }
    }
    assert!(killed >= 3, "only {killed} rotations were killed");
    assert!(setting.run(&["keys", "rotate", "--key", "--data"]).await.status.success());
    let ring = keys::ring(&config, &store).await.unwrap();
    assert_eq!(ring.ids().len(), 1);
    let listed = store.vault(&ring).list(&main).await.unwrap();
    assert!(listed.iter().all(|secret| secret.data_version == listed[0].data_version), "one data key is left");
}
