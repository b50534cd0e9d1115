//! A backup that is made while the connector works, going back to it, and moving to another database.

use std::path::Path;
use std::process::Stdio;

use connector::agreement::check;
use sandbox::Options;
use serde_json::Value;

use crate::setting::{Setting, said};

/// The same configuration with another database.
fn with_database(setting: &Setting, url: &str) -> std::path::PathBuf {
    let text = std::fs::read_to_string(setting.config()).unwrap();
    let path = setting.folder.path().join("other.toml");
    std::fs::write(&path, format!("database = {}\n{text}", Value::from(url))).unwrap();
    path
}

/// Runs a command with another configuration.
async fn run_with(config: &Path, args: &[&str]) -> std::process::Output {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_ml-connector"));
    command.args(args).arg("--config").arg(config);
    command.output().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_working_connector_is_restored_and_makes_no_document_again() {
    let setting = Setting::make(Options { records: 40, ..Options::default() }).await;
    let mut command = tokio::process::Command::from(setting.command(&["run", "--log", "warn"]));
    let mut running = command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap();
    while check(&setting.sandbox.world()).invoices < 5 {
        tokio::task::yield_now().await;
    }
    let file = setting.folder.path().join("backup.db");
    let made = setting.run_json(&["store", "backup", file.to_str().unwrap(), "--json"]).await;
    assert!(made["rows"].as_u64().unwrap() > 100, "{made}");
    let again = setting.run(&["store", "backup", file.to_str().unwrap()]).await;
    assert_eq!(again.status.code(), Some(2), "{}", said(&again));
    let refused = setting.run(&["store", "restore", file.to_str().unwrap()]).await;
    assert_eq!(refused.status.code(), Some(4), "{}", said(&refused));
    running.kill().await.unwrap();
    assert!(setting.run(&["run", "--once", "--log", "warn"]).await.status.success());

    // The disk is lost, and with it everything since the backup: what was booked meanwhile is found, not made again.
    let other = with_database(&setting, "sqlite:restored.db");
    let restored = run_with(&other, &["store", "restore", file.to_str().unwrap()]).await;
    assert!(restored.status.success(), "{}", said(&restored));
    assert!(said(&restored).contains("signed further than this backup goes"), "{}", said(&restored));
    let went_on = run_with(&other, &["run", "--once", "--log", "warn"]).await;
    assert!(went_on.status.success(), "{}", said(&went_on));
    let agreement = check(&setting.sandbox.world());
    assert!(agreement.holds(), "{agreement:?}");
    let verified = run_with(&other, &["audit", "verify", "--json"]).await;
    assert!(verified.status.success(), "{}", said(&verified));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_was_moved_is_worked_with_at_its_new_place_only() {
    let setting = Setting::make(Options { records: 6, ..Options::default() }).await;
    assert!(setting.run(&["run", "--once", "--log", "warn"]).await.status.success());
    std::os::unix::fs::symlink("ml-connector.db", setting.folder.path().join("the-same.db")).unwrap();
    let same = with_database(&setting, "sqlite:the-same.db");
    let refused = setting.run(&["store", "move", "--into", same.to_str().unwrap()]).await;
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert!(setting.run(&["status"]).await.status.success(), "it is still worked with");

    let other = with_database(&setting, "sqlite:moved.db");
    let moved = setting.run(&["store", "move", "--into", other.to_str().unwrap()]).await;
    assert!(moved.status.success(), "{}", said(&moved));
    let left = setting.run(&["run", "--once", "--log", "error"]).await;
    assert_eq!(left.status.code(), Some(4));
    assert!(said(&left).contains("moved.db: name that one in the configuration"), "{}", said(&left));
    let went_on = run_with(&other, &["run", "--once", "--log", "warn"]).await;
    assert!(went_on.status.success(), "{}", said(&went_on));
    // The new one has gone on: the old one is not copied over it, and stays left.
    let record = setting.sandbox.world().brex.records()[0].id.clone();
    let asked = run_with(&other, &["retry", &record, "--reason", "again", "--person", "Ann"]).await;
    assert!(asked.status.success(), "{}", said(&asked));
    let again = setting.run(&["store", "move", "--into", other.to_str().unwrap()]).await;
    assert_eq!(again.status.code(), Some(4), "{}", said(&again));
    assert_eq!(setting.run(&["status"]).await.status.code(), Some(4), "nobody works with the old one");
    let shown = run_with(&other, &["store", "show", "--json"]).await;
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert!(shown["rows"]["records"].as_u64().unwrap() > 0, "{shown}");
    assert!(check(&setting.sandbox.world()).holds());
}
