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
