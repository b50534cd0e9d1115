//! `config test` and `config diff`: what other rules would do, before they do it.

use sandbox::Options;
use serde_json::Value;

use crate::setting::Setting;

async fn setting_that_ran() -> Setting {
    let setting = Setting::make(Options { records: 40, ..Options::default() }).await;
    assert!(setting.run(&["run", "--once"]).await.status.success());
    setting
}

async fn tested(setting: &Setting) -> Value {
    let shown = setting.run_json(&["config", "test", "--days", "400", "--json"]).await;
    shown["connections"][0].clone()
}

#[tokio::test]
async fn rules_that_stay_change_nothing_and_rules_that_change_show_each_record() {
    let setting = setting_that_ran().await;
    let same = tested(&setting).await;
    assert!(same["records"].as_u64().unwrap() > 15, "{same}");
    assert_eq!(same["changes"], serde_json::json!([]));

    setting.edit("poll_seconds = 1\n", "poll_seconds = 1\ndescriptions = [\"Brex: {record}\"]\n");
    let after = tested(&setting).await;
    let changes = after["changes"].as_array().unwrap();
    assert!(changes.len() > 15, "{after}");
    for change in changes {
        let what = change["differences"][0].as_str().unwrap();
        assert!(what.starts_with("line 1 description: ") && what.contains("becomes \"Brex: accr_"), "{what}");
    }
    assert_ne!(same["rules"], after["rules"]);
    let text = setting.run(&["config", "test", "--days", "400"]).await;
    assert!(String::from_utf8_lossy(&text.stdout).contains("records mapped again: "));
}

#[tokio::test]
async fn a_record_that_the_new_rules_would_hold_is_shown() {
    let setting = setting_that_ran().await;
    setting.edit("poll_seconds = 1\n", "poll_seconds = 1\nfields.account = [\"NO SUCH FIELD\"]\n");
    let changed = tested(&setting).await;
    let first = changed["changes"][0]["differences"][0].as_str().unwrap();
    assert!(first.starts_with("would be held, account_not_coded: "), "{first}");
}

#[tokio::test]
async fn the_rules_of_two_files_are_compared_rule_by_rule() {
    let setting = Setting::make(Options { records: 1, ..Options::default() }).await;
    let other = setting.folder.path().join("other.toml");
    std::fs::copy(setting.config(), &other).unwrap();
    let other = other.display().to_string();
    setting.edit("poll_seconds = 1\n", "poll_seconds = 1\nperiod_policy = \"as_is\"\ncurrency = \"original\"\n");
    let shown = setting.run_json(&["config", "diff", &other, "--json"]).await;
    let rules: Vec<&str> =
        shown["changes"].as_array().unwrap().iter().map(|change| change["rule"].as_str().unwrap()).collect();
    assert_eq!(rules, ["currency", "period_policy"]);
    assert_eq!((&shown["changes"][0]["here"], &shown["changes"][0]["there"]), (&"original".into(), &"billing".into()));
}

#[tokio::test]
async fn before_anything_was_read_there_is_nothing_to_test() {
    let setting = Setting::make(Options { records: 1, ..Options::default() }).await;
    assert_eq!(setting.run(&["config", "test"]).await.status.code(), Some(7));
}
