//! `connect` at a terminal: asks, checks at once, asks again; and leaves nothing behind when a person ends it.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;

use serde_json::json;

use crate::connect::{answers, unconnected};
use crate::identity::pem;
use crate::setting::{Setting, said};
use crate::terminal::Terminal;

/// Where the sandbox is, which nobody is asked.
fn hosts(setting: &Setting) -> String {
    let ready = setting.sandbox.ready();
    format!(
        "allow_hosts = [\"127.0.0.1\"]\n[brex]\nbase_url = {}\n[entra]\nbase_url = {}\n[bc]\nbase_url = {}\n",
        json!(ready.brex.base_url),
        json!(ready.entra.base_url),
        json!(ready.bc.base_url),
    )
}

/// `connect` at a terminal with these answers in a file.
fn terminal(setting: &Setting, given: &str, args: &[&str]) -> Terminal {
    setting.write_secret("answers.toml", given);
    let file = setting.folder.path().join("answers.toml");
    let mut command = setting.command(&[&["connect", "--from", file.to_str().unwrap()], args].concat());
    command.env("TZ", "America/New_York");
    Terminal::start(command)
}

/// Talks in a thread of its own: the sandbox lives on the test's runtime.
async fn talk<T: Send + 'static>(
    terminal: Terminal,
    talk: impl FnOnce(&mut Terminal) -> T + Send + 'static,
) -> (Terminal, T) {
    let mut terminal = terminal;
    let talked = tokio::task::spawn_blocking(move || {
        let said = talk(&mut terminal);
        (terminal, said)
    });
    talked.await.unwrap()
}

/// Every file of the folder.
fn files(setting: &Setting) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(setting.folder.path()).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_with_wrong_answers_ends_with_a_connection_that_works() {
    let setting = unconnected().await;
    let ready = setting.sandbox.ready().clone();
    let (token, secret) = (ready.brex.token.clone(), ready.entra.client_secret.clone());
    let at = terminal(&setting, &hosts(&setting), &[]);
    let (at, status) = talk(at, move |at| {
        at.answer("Name of the connection", "Not A Name");
        at.answer("Name of the connection", "joined");
        at.answer("Brex user token", "bxt_wrong");
        at.answer("the Brex token was refused", &token);
        at.answer("Microsoft Entra tenant", &ready.entra.tenant_id.to_string());
        at.answer("Application (client) id", "mine");
        at.answer("this is no id", &ready.entra.client_id.to_string());
        at.answer("Number", "1");
        at.answer("Client secret", "the secret's id");
        at.answer("the client secret is wrong", &secret);
        at.answer("Last day of the client secret", "soon");
        at.answer("is no day", "2099-01-01");
        at.answer("Start date", "");
        at.answer("Time zone", "Mars/Base");
        at.answer("is no time zone", "");
        at.answer("Name that Brex gave", "");
        at.answer("Write this", "");
        at.end()
    })
    .await;
    assert!(status.success(), "{}", at.shown);
    let ready = setting.sandbox.ready();
    for secret in [&ready.brex.token, &ready.entra.client_secret, "bxt_wrong", "the secret's id"] {
        assert!(!at.shown.contains(secret), "{}", at.shown);
    }
    let last = at.shown.rsplit("Name that Brex gave").next().unwrap();
    for told in [&ready.bc.company_name, &ready.brex.company_id, "client secret until 2099-01-01", "America/New_York"] {
        assert!(last.contains(told), "{told}: {last}");
    }
    let config = std::fs::read_to_string(setting.config()).unwrap();
    assert!(config.contains("-01\"\ntime_zone = \"America/New_York\""), "the first of a month: {config}");
    assert_eq!(setting.run_json(&["doctor", "--json"]).await["ok"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ending_it_leaves_nothing_behind_and_only_what_is_missing_is_asked() {
    let setting = unconnected().await;
    let ready = setting.sandbox.ready().clone();
    let token = ready.brex.token.clone();
    let at = terminal(&setting, &hosts(&setting), &["--name", "joined"]);
    let before = files(&setting);
    let (at, status) = talk(at, move |at| {
        at.answer("Brex user token", &token);
        at.press("Microsoft Entra tenant", "\u{3}");
        at.end()
    })
    .await;
    // By the signal, or, where whoever started the tests ignores it, with an error.
    assert!(status.signal() == Some(2) || status.code().is_some_and(|code| code != 0), "{}", at.shown);
    assert_eq!(files(&setting), before);

    let pem = pem();
    setting.sandbox.world().entra.register_certificate(&pem).unwrap();
    setting.write_secret("entra.pem", &pem);
    let path = setting.folder.path().join("entra.pem").to_str().unwrap().to_owned();
    let is_secret = |line: &str| line.starts_with("token = ") || line.starts_with("client_secret");
    let complete = answers(&setting, "");
    let without = complete.lines().filter(|line| !is_secret(line)).collect::<Vec<_>>().join("\n");
    let at = terminal(&setting, &without, &["--integration-vendor", "ERP_A"]);
    let before = files(&setting);
    let (at, status) = talk(at, move |at| {
        at.answer("Brex user token", &ready.brex.token);
        at.answer("Number", "certificate");
        at.answer("File with the certificate", "/nowhere.pem");
        at.answer("is not there", &path);
        at.answer("Last day of the certificate", "");
        at.answer("Write this", "no");
        at.end()
    })
    .await;
    assert_eq!(status.code(), Some(9), "{}", at.shown);
    assert!(at.shown.contains("nothing was written") && !at.shown.contains("Start date:"), "{}", at.shown);
    assert_eq!(files(&setting), before);
    assert!(setting.sandbox.world().brex.integrations().is_empty(), "nothing was written to Brex either");

    let nobody = setting.run(&["connect"]).await;
    assert_eq!(nobody.status.code(), Some(3));
    assert!(said(&nobody).contains("--from FILE, or --from - for stdin"), "{}", said(&nobody));
    let file = setting.folder.path().join("answers.toml");
    let lacking = setting.run(&["connect", "--from", file.to_str().unwrap()]).await;
    assert_eq!(lacking.status.code(), Some(3));
    let words = "the answers lack brex.token, entra.client_secret: add them";
    assert!(said(&lacking).contains(words), "{}", said(&lacking));
}
