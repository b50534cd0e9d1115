//! `connect --from` and `doctor` on a working pair of systems; a second `connect`, and what it refuses.

use std::io::Write;
use std::process::Stdio;

use sandbox::Options;
use serde_json::json;

use crate::setting::{Setting, said};

/// The answers for the sandbox of a setting, with `bc` as the section of Business Central.
pub fn answers(setting: &Setting, bc: &str) -> String {
    let ready = setting.sandbox.ready();
    format!(
        "name = \"joined\"\nstart_date = \"2020-01-01\"\ntime_zone = \"America/New_York\"\nallow_hosts = [\"127.0.0.1\"]\n\
         [brex]\ntoken = {}\nbase_url = {}\n[entra]\ntenant = {}\nclient_id = {}\nclient_secret = {}\n\
         client_secret_ends = \"2099-01-01\"\nbase_url = {}\n[bc]\nbase_url = {}\n{bc}",
        json!(ready.brex.token),
        json!(ready.brex.base_url),
        json!(ready.entra.tenant_id),
        json!(ready.entra.client_id),
        json!(ready.entra.client_secret),
        json!(ready.entra.base_url),
        json!(ready.bc.base_url),
    )
}

/// A setting without any configuration, and the answers in a file.
pub async fn unconnected() -> Setting {
    let setting = Setting::make(Options { records: 10, ..Options::default() }).await;
    std::fs::remove_file(setting.config()).unwrap();
    setting.write_secret("answers.toml", &answers(&setting, ""));
    setting
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connect_from_a_file_then_doctor_is_all_green_and_the_second_time_changes_nothing() {
    let setting = unconnected().await;
    let file = setting.folder.path().join("answers.toml");
    let args = ["connect", "--json", "--from", file.to_str().unwrap()];
    let joined = setting.run_json(&args).await;
    let ready = setting.sandbox.ready();
    assert_eq!(joined["company"], json!(ready.bc.company_name), "the only company was chosen");
    assert_eq!((joined["secrets_sealed"].as_i64(), joined["configuration_changed"].as_bool()), (Some(2), Some(true)));
    std::fs::remove_file(setting.folder.path().join("brex")).unwrap();
    let healthy = setting.run_json(&["doctor", "--json"]).await;
    assert_eq!(healthy["ok"], true, "{healthy}");
    let checks = healthy["checks"].as_array().unwrap();
    assert!(checks.len() >= 15 && checks.iter().all(|check| check["result"] == "ok"), "{healthy}");
    assert!(setting.run(&["run", "--once", "--log", "error"]).await.status.success());

    let (config, keys) =
        (std::fs::read(setting.config()).unwrap(), setting.run_json(&["keys", "status", "--json"]).await);
    let again = setting.run_json(&args).await;
    assert_eq!((again["secrets_sealed"].as_i64(), again["configuration_changed"].as_bool()), (Some(0), Some(false)));
    assert_eq!(std::fs::read(setting.config()).unwrap(), config);
    assert_eq!(setting.run_json(&["keys", "status", "--json"]).await, keys);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answers_may_come_from_stdin_and_no_answer_appears_in_what_is_said_about_them() {
    let setting = unconnected().await;
    for (text, code) in [
        (answers(&setting, "company = \"Nobody Inc.\""), 7),
        (answers(&setting, "").replace("[bc]", "[bc]\nsecret = \"x\""), 3),
        (answers(&setting, "").replace("[brex]\ntoken = \"", "[brex]\ntoken = 7 \""), 3),
        (answers(&setting, "").replace("allow_hosts = [\"127.0.0.1\"]\n", ""), 3),
        (answers(&setting, ""), 0),
        (answers(&setting, "").replace("2020-01-01", "2021-01-01"), 9),
    ] {
        let mut child = setting.command(&["connect", "--from", "-"]);
        let child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let output = tokio::task::spawn_blocking(move || {
            child.stdin.as_ref().unwrap().write_all(text.as_bytes()).unwrap();
            child.wait_with_output().unwrap()
        });
        let output = output.await.unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        let shown = format!("{}{}", said(&output), String::from_utf8_lossy(&output.stdout));
        let ready = setting.sandbox.ready();
        assert!(!shown.contains(&ready.brex.token) && !shown.contains(&ready.entra.client_secret), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_others_can_read_are_refused() {
    use std::os::unix::fs::PermissionsExt;
    let setting = unconnected().await;
    let file = setting.folder.path().join("answers.toml");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let output = setting.run(&["connect", "--from", file.to_str().unwrap()]).await;
    assert_eq!(output.status.code(), Some(3));
    assert!(said(&output).contains("which others can read: run chmod 600 on it"), "{}", said(&output));
}
