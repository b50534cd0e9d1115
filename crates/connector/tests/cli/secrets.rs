//! Secrets appear in no log, however talkative, in no output and in no file of the database.

use sandbox::Options;

use crate::setting::{Setting, said};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_appears_in_logs_outputs_or_the_database() {
    let setting = Setting::make(Options { records: 60, ..Options::default() }).await;
    let log = setting.run(&["run", "--once", "--log", "trace,hyper=trace,reqwest=trace,sqlx=trace"]).await;
    assert!(log.status.success());
    let mut texts = vec![said(&log), String::from_utf8_lossy(&log.stdout).into_owned()];
    assert!(texts[0].len() > 10_000, "the log was talkative");
    for args in [&["status", "--json"][..], &["attention", "--json"], &["config", "check", "--json"]] {
        texts.push(String::from_utf8_lossy(&setting.run(args).await.stdout).into_owned());
    }
    for entry in std::fs::read_dir(setting.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ml-connector.db")) {
            texts.push(String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned());
        }
    }
    let ready = setting.sandbox.ready();
    for secret in [&ready.brex.token, &ready.entra.client_secret, &ready.brex.webhook_secret] {
        for text in &texts {
            assert!(!text.contains(secret.as_str()), "a secret is in {}", text.chars().take(80).collect::<String>());
        }
    }
    assert!(!texts.iter().any(|text| text.contains("Bearer ")), "an authorization header was logged");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_that_was_sealed_and_no_key_appears_in_logs_outputs_or_the_database() {
    const TALKATIVE: &str = "trace,hyper=trace,reqwest=trace,sqlx=trace";
    let setting = crate::connect::unconnected().await;
    let answers = setting.folder.path().join("answers.toml");
    let mut texts = Vec::new();
    for args in [
        &["connect", "--from", answers.to_str().unwrap(), "--log", TALKATIVE][..],
        &["doctor", "--json", "--log", TALKATIVE],
        &["run", "--once", "--log", TALKATIVE],
        &["keys", "rotate", "--key", "--data", "--log", TALKATIVE],
        &["keys", "status", "--json", "--log", TALKATIVE],
        &["config", "check", "--json"],
        &["status", "--json"],
    ] {
        let output = setting.run(args).await;
        assert!(output.status.success(), "{args:?}: {}", said(&output));
        texts.push(said(&output));
        texts.push(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    for entry in std::fs::read_dir(setting.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("ml-connector.") && name != "ml-connector.key" {
            texts.push(String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned());
        }
    }
    let key = std::fs::read_to_string(setting.folder.path().join("ml-connector.key")).unwrap();
    let key = key.lines().find(|line| line.starts_with("mlk1_")).unwrap();
    let ready = setting.sandbox.ready();
    for secret in
        [&ready.brex.token, &ready.entra.client_secret, &ready.brex.webhook_secret, &key["mlk1_".len()..].to_owned()]
    {
        for text in &texts {
            assert!(!text.contains(secret.as_str()), "a secret is in {}", text.chars().take(80).collect::<String>());
        }
    }
}
