//! The log as programs read it, and the process as they watch it, from start to stop.

use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sandbox::Options;
use serde_json::Value;

use crate::ports;
use crate::setting::Setting;

/// Every line as an object with what each has.
fn objects(log: &[u8], secrets: &[&str]) -> Vec<Value> {
    let log = std::str::from_utf8(log).unwrap();
    assert!(secrets.iter().all(|secret| !log.contains(secret)), "a secret is in the log");
    let read = log.lines().map(|line| {
        let object: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
        for key in ["timestamp", "level", "message"] {
            assert!(object[key].is_string(), "no {key} in {line}");
        }
        object
    });
    read.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_line_of_the_json_log_is_an_object_and_none_holds_a_secret_or_the_link_of_the_first_admin() {
    let setting = Setting::make(Options { records: 5, ..Options::default() }).await;
    let (pages, watched) = (ports::free(), ports::free());
    setting.write_secret("metrics", "Canary-token-of-the-metrics");
    let operations = format!("[operations]\nlisten = \"{watched}\"\ntoken = {{ file = \"metrics\" }}\n");
    setting.edit("[[connection]]", &format!("[console]\nlisten = \"{pages}\"\n{operations}[[connection]]"));
    let ready = setting.sandbox.ready();
    let secrets = [&*ready.brex.token, &*ready.entra.client_secret, "Canary-token-of-the-metrics", "welcome?token"];

    let mut command =
        tokio::process::Command::from(setting.command(&["run", "--log-format", "json", "--log", "trace"]));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = async |path: &str, token: &str| {
        let asked = http.get(format!("http://{watched}{path}")).bearer_auth(token).send().await;
        asked.ok().map(|answer| answer.status().as_u16())
    };
    while ask("/readyz", "").await != Some(200) {
        tokio::task::yield_now().await;
        if child.try_wait().unwrap().is_some() {
            let output = child.wait_with_output().await.unwrap();
            panic!("it ended too early: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
    assert_eq!(ask("/metrics", "another").await, Some(401));
    assert_eq!(ask("/metrics", "Canary-token-of-the-metrics").await, Some(200));
    kill(Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()), Signal::SIGTERM).unwrap();
    let output = tokio::time::timeout(Duration::from_secs(30), child.wait_with_output()).await.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let told = objects(&output.stderr, &secrets);
    let says = |words: &str| told.iter().any(|line| line["message"].as_str().unwrap().starts_with(words));
    assert!(says("listening") && says("nobody can sign in") && says("stopping"));
    assert!(told.iter().any(|line| line["level"] == "TRACE" || line["level"] == "DEBUG"));

    setting.edit("token = { file = \"metrics\" }", "token = { file = \"none\" }");
    for args in [&["run", "--log-format", "json", "--log", "off"][..], &["config", "check", "--log-format", "json"]] {
        let failed = setting.run(args).await;
        let told = objects(&failed.stderr, &secrets);
        let last = told.last().unwrap();
        assert_eq!((failed.status.code(), &last["exit"]), (Some(3), &Value::from(3)));
        assert!(last["message"].as_str().unwrap().starts_with("operations.token comes from a file that is not there"));
    }
}
