//! `connect --from` and `doctor` on a working pair of systems; a second `connect`, and what it refuses.

use std::io::Write;
use std::process::Stdio;

use sandbox::Options;
use serde_json::json;

use crate::identity::pem;
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
async fn a_token_that_may_not_read_what_is_to_be_booked_is_refused_before_anything_is_written() {
    let setting = unconnected().await;
    let file = setting.folder.path().join("answers.toml");
    let args = ["connect", "--from", file.to_str().unwrap()];
    setting.sandbox.world().brex.set_scopes(&["companies.readonly", "expenses.card.readonly"]);
    let refused = setting.run(&args).await;
    assert_eq!(refused.status.code(), Some(5));
    assert!(said(&refused).contains("lacks the scope accounting.record.read"), "{}", said(&refused));
    assert!(!setting.config().exists());

    setting.write_secret("answers.toml", &answers(&setting, "").replace("[brex]\n", "[brex]\nsource = \"expenses\"\n"));
    let joined = setting.run(&args).await;
    assert!(joined.status.success(), "{}", said(&joined));
    assert!(std::fs::read_to_string(setting.config()).unwrap().contains("source = \"expenses\""));
    // The source is kept where only secrets are renewed.
    setting.write_secret("answers.toml", &answers(&setting, ""));
    let renewed = setting.run(&args).await;
    assert!(renewed.status.success(), "{}", said(&renewed));
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

/// The answers with a certificate in place of the client secret.
pub fn with_certificate(setting: &Setting, pem: &str) -> String {
    let text = answers(setting, "");
    let (head, rest) = text.split_once("client_secret = ").unwrap();
    let (_, tail) = rest.split_once("client_secret_ends = \"2099-01-01\"\n").unwrap();
    format!("{head}certificate = \"\"\"\n{pem}\"\"\"\ncertificate_ends = \"2099-01-01\"\n{tail}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_sealed_and_used_in_place_of_the_client_secret() {
    let setting = unconnected().await;
    let pem = pem();
    let entra = &setting.sandbox.world().entra;
    let old = setting.sandbox.ready().entra.client_secret.clone();
    let new = entra.rotate_secret();
    setting.write_secret("answers.toml", &with_certificate(&setting, &pem));
    let file = setting.folder.path().join("answers.toml");
    let args = ["connect", "--json", "--from", file.to_str().unwrap()];
    let refused = setting.run(&args).await;
    assert_eq!(refused.status.code(), Some(5), "{}", said(&refused));
    assert!(said(&refused).contains("the certificate is not one of the application's"), "{}", said(&refused));
    entra.register_certificate(&pem).unwrap();
    let joined = setting.run_json(&args).await;
    assert_eq!(joined["secrets_sealed"], json!(2));
    assert!(std::fs::read_to_string(setting.config()).unwrap().contains("certificate = { vault = true }"));
    let healthy = setting.run_json(&["doctor", "--json"]).await;
    assert_eq!(healthy["ok"], true, "{healthy}");
    assert!(setting.run(&["run", "--once", "--log", "error"]).await.status.success());
    let again = setting.run_json(&args).await;
    assert_eq!((again["secrets_sealed"].as_i64(), again["configuration_changed"].as_bool()), (Some(0), Some(false)));
    setting.write_secret("answers.toml", &answers(&setting, "").replace(&old, &new));
    let other = setting.run(&args).await;
    assert_eq!(other.status.code(), Some(9), "another way to sign in: {}", said(&other));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_cannot_be_used_is_told_without_showing_it() {
    let setting = unconnected().await;
    let pem = pem();
    let (certificate, key) = pem.split_once("-----BEGIN PRIVATE KEY-----").unwrap();
    let without_certificate = format!("-----BEGIN PRIVATE KEY-----{key}");
    let secret_line = key.lines().nth(3).unwrap();
    assert!(secret_line.len() > 40);
    let broken = format!("{certificate}-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    for (text, words) in [
        (certificate, "holds no private key"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "holds no certificate"),
        (broken.as_str(), "not RSA"),
        (without_certificate.as_str(), "holds no certificate"),
    ] {
        setting.write_secret("answers.toml", &with_certificate(&setting, text));
        let file = setting.folder.path().join("answers.toml");
        let output = setting.run(&["connect", "--from", file.to_str().unwrap()]).await;
        assert_eq!(output.status.code(), Some(3), "{}", said(&output));
        assert!(said(&output).contains(words), "{}", said(&output));
        assert!(!said(&output).contains(secret_line));
    }
    let both = with_certificate(&setting, &pem).replace("certificate_ends", "client_secret = \"x\"\ncertificate_ends");
    setting.write_secret("answers.toml", &both);
    let file = setting.folder.path().join("answers.toml");
    let output = setting.run(&["connect", "--from", file.to_str().unwrap()]).await;
    assert_eq!(output.status.code(), Some(3));
    assert!(said(&output).contains("give client_secret or certificate, not both"), "{}", said(&output));
    assert!(!said(&output).contains(secret_line));
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
