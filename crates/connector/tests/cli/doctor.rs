//! More than twenty misconfigurations, one each, and what `doctor` says about each: twenty different sentences that an IT person can act on.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use connector::subscriptions::bc::SETS;
use sandbox::Options;
use sandbox::bc::AppState;
use serde_json::Value;

use crate::connect::{answers, unconnected};
use crate::own_certificate;
use crate::setting::{Setting, said};

/// What is done to a working connection.
type Break = fn(&Setting);

const BREAKS: [(&str, Break); 22] = [
    ("the Brex token was revoked", |s| s.sandbox.world().brex.revoke_token()),
    ("the Brex token has expired", |s| s.sandbox.world().brex.expire_token()),
    ("no scope companies.readonly", |s| s.sandbox.world().brex.set_scopes(&["accounting.record.read"])),
    ("no scope accounting.record.read", |s| {
        s.sandbox.world().brex.set_scopes(&["companies.readonly", "expenses.card.readonly"]);
    }),
    ("no scope expenses.card.readonly", |s| {
        s.sandbox.world().brex.set_scopes(&["companies.readonly", "accounting.record.read"]);
    }),
    ("the client secret was replaced", |s| drop(s.sandbox.world().entra.rotate_secret())),
    ("the client secret has expired", |s| s.sandbox.world().entra.configure(|settings| settings.secret_expired = true)),
    ("the tenant is unknown", |s| edit_id(s, "tenant")),
    ("the application is unknown", |s| edit_id(s, "client_id")),
    ("no consent to API.ReadWrite.All", |s| {
        s.sandbox.world().entra.configure(|settings| settings.roles.clear());
    }),
    ("consent to more than is needed", |s| {
        s.sandbox.world().entra.configure(|settings| settings.roles.push("Automation.ReadWrite.All".to_owned()));
    }),
    ("the application is off in BC", |s| {
        s.sandbox.world().bc.configure(|settings| settings.app_state = AppState::Disabled);
    }),
    ("the environment is unknown", |s| edit_value(s, "environment", "elsewhere")),
    ("the company is unknown", |s| edit_value(s, "company", "Nobody Inc.")),
    ("no permission on the page of vendors", |s| {
        s.sandbox.world().bc.configure(|settings| settings.lacks.pages.push("vendors".to_owned()));
    }),
    ("no read on G/L Account", |s| lack_read(s, "G/L Account")),
    ("no read on Dimension", |s| lack_read(s, "Dimension")),
    ("no read on Purchase Header", |s| lack_read(s, "Purchase Header")),
    ("the environment is being upgraded", |s| s.sandbox.world().bc.configure(|settings| settings.upgrading = true)),
    ("Brex cannot be reached", |s| edit_url(s, "brex")),
    ("Business Central cannot be reached", |s| edit_url(s, "bc")),
    ("the key is gone", |s| std::fs::remove_file(s.folder.path().join("ml-connector.key")).unwrap()),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_misconfiguration_gives_a_sentence_of_its_own() {
    let mut told = Vec::new();
    for (what, harm) in BREAKS {
        let setting = unconnected().await;
        let file = setting.folder.path().join("answers.toml");
        let joined = setting.run(&["connect", "--from", file.to_str().unwrap()]).await;
        assert!(joined.status.success(), "{}", said(&joined));
        harm(&setting);
        let output = setting.run(&["doctor", "--json", "--log", "error"]).await;
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let wrong = answer["checks"].as_array().and_then(|all| all.iter().find(|check| check["result"] != "ok"));
        let sentence = match wrong {
            Some(check) => format!("{}: {}", check["check"].as_str().unwrap(), check["said"].as_str().unwrap()),
            None => said(&output).trim().to_owned(),
        };
        told.push(format!("{what} (exit {})\n  {}", output.status.code().unwrap(), calm(&setting, &sentence)));
    }
    let sentences: BTreeSet<&str> = told.iter().filter_map(|text| text.split('\n').nth(1)).collect();
    assert_eq!(sentences.len(), BREAKS.len(), "{told:#?}");
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_for_expenses_needs_no_accounting_api_and_says_what_it_cannot_do() {
    let setting = unconnected().await;
    let text = answers(&setting, "").replace("[brex]\n", "[brex]\nsource = \"expenses\"\n");
    setting.write_secret("answers.toml", &text);
    let file = setting.folder.path().join("answers.toml");
    let joined = setting.run(&["connect", "--from", file.to_str().unwrap()]).await;
    assert!(joined.status.success(), "{}", said(&joined));
    let tell = async |scopes: &[&str]| {
        setting.sandbox.world().brex.set_scopes(scopes);
        let answer = setting.run_json(&["doctor", "--json"]).await;
        let lines = answer["checks"].as_array().unwrap().iter().filter(|check| check["result"] != "ok").map(|check| {
            let word = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
            format!("{} {}: {}", word("check"), word("result"), word("said"))
        });
        (answer["ok"].as_bool().unwrap(), lines.collect::<Vec<_>>())
    };
    let limits = "Brex: source warning: brex.source is \"expenses\": only approved card expenses are booked";
    let (ok, lines) = tell(&["companies.readonly", "expenses.card.readonly", "fields.read", "field_values.read"]).await;
    assert!(ok && lines.len() == 1 && lines[0].starts_with(limits), "{lines:?}");
    let (ok, lines) = tell(&["companies.readonly", "expenses.card.readonly"]).await;
    assert!(ok && lines[1].starts_with("Brex: fields.read, field_values.read warning: the token may not"), "{lines:?}");
    let (ok, lines) = tell(&["companies.readonly", "fields.read", "field_values.read"]).await;
    assert!(!ok && lines[1].contains("the Brex token lacks the scope expenses.card.readonly"), "{lines:?}");
}

/// Without what differs from run to run.
fn calm(setting: &Setting, text: &str) -> String {
    let folder = setting.folder.path().display().to_string();
    let words = text.replace(&folder, "FOLDER");
    let is_id =
        |word: &str| word.trim_matches(|c: char| !c.is_ascii_hexdigit()).len() == 36 && word.matches('-').count() == 4;
    let is_key = |word: &str| word.len() == 12 && word.bytes().all(|b| b.is_ascii_hexdigit());
    words.split(' ').map(|word| if is_id(word) || is_key(word) { "ID" } else { word }).collect::<Vec<_>>().join(" ")
}

fn line_of(setting: &Setting, key: &str) -> String {
    let text = std::fs::read_to_string(setting.config()).unwrap();
    text.lines().find(|line| line.starts_with(key)).unwrap().to_owned()
}

fn edit_value(setting: &Setting, key: &str, value: &str) {
    setting.edit(&line_of(setting, key), &format!("{key} = \"{value}\""));
}

fn edit_id(setting: &Setting, key: &str) {
    edit_value(setting, key, "11111111-2222-3333-4444-555555555555");
}

/// Port 9 of this machine, where nothing listens.
fn edit_url(setting: &Setting, side: &str) {
    let ready = setting.sandbox.ready();
    let url = if side == "brex" { &ready.brex.base_url } else { &ready.bc.base_url };
    setting.edit(url.trim_end_matches('/'), "http://127.0.0.1:9");
}

fn lack_read(setting: &Setting, table: &str) {
    setting.sandbox.world().bc.configure(|settings| {
        settings.lacks.tables.insert(table.to_owned(), vec![sandbox::bc::Right::Read]);
    });
}

/// What doctor says about a check.
async fn finding(setting: &Setting, check: &str) -> (String, String) {
    finding_of(setting.command(&DOCTOR), check).await
}

async fn finding_of(mut doctor: Command, check: &str) -> (String, String) {
    let output = tokio::task::spawn_blocking(move || doctor.output().unwrap()).await.unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
    let found = answer["checks"].as_array().unwrap().iter().find(|found| found["check"] == check);
    let found = found.unwrap_or_else(|| panic!("{check} is not in {answer}"));
    (found["result"].as_str().unwrap().to_owned(), found["said"].as_str().unwrap().to_owned())
}

const DOCTOR: [&str; 4] = ["doctor", "--json", "--log", "error"];
const ROUND_TRIP: &str = "webhooks: own round trip";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_delivers_to_the_own_address_and_says_what_came_of_it() {
    let setting = Setting::make(Options { records: 0, ..Options::default() }).await;
    let (result, text) = finding(&setting, ROUND_TRIP).await;
    assert!(result == "ok" && text.contains("not registered yet"), "{text}");

    let mut command = tokio::process::Command::from(setting.command(&["run", "--log", "warn"]));
    let mut running = command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap();
    while setting.sandbox.world().bc.webhooks().subscriptions.len() < SETS.len() {
        tokio::task::yield_now().await;
    }
    let (result, text) = finding(&setting, ROUND_TRIP).await;
    assert!(result == "ok" && text.contains("came in unchanged"), "{text}");
    assert_eq!(finding(&setting, "Brex: webhook").await.0, "ok");
    assert_eq!(finding(&setting, "notifications: own handshake").await.0, "ok");
    let (result, text) = finding(&setting, "BC: subscription").await;
    assert!(result == "ok" && text.contains("renewed 0 h ago"), "{text}");

    // Somebody else answers: the sandbox, which knows no such page.
    let own = line_of(&setting, "public_url");
    setting.edit(&own, &format!("public_url = \"{}\"", setting.sandbox.ready().brex.base_url));
    let (result, text) = finding(&setting, ROUND_TRIP).await;
    assert!(result == "failed" && text.contains("is refused"), "{text}");
    let (result, text) = finding(&setting, "notifications: own handshake").await;
    assert!(result == "failed" && text.contains("something else than this connector"), "{text}");
    setting.edit(&line_of(&setting, "public_url"), &own);

    running.kill().await.unwrap();
    let (result, text) = finding(&setting, ROUND_TRIP).await;
    assert!(result == "failed" && text.contains("cannot be reached"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_own_https_address_is_trusted_as_far_as_this_machine_trusts_its_certificate() {
    let setting = Setting::make(Options { records: 0, ..Options::default() }).await;
    let (certificate, _) = own_certificate::make(setting.folder.path(), "own");
    setting.edit("public_url = \"http://", "public_url = \"https://");
    let tls = "[tls]\ncertificate = \"own.pem\"\nkey = { file = \"own.key\" }\n[[connection]]";
    setting.edit("[[connection]]", tls);

    let mut command = tokio::process::Command::from(setting.command(&["run", "--log", "warn"]));
    let mut running = command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap();
    while setting.sandbox.world().brex.webhooks().subscriptions.is_empty() {
        tokio::task::yield_now().await;
    }
    let (result, text) = finding(&setting, ROUND_TRIP).await;
    assert!(result == "failed" && text.contains("cannot be reached") && text.contains("certificate"), "{text}");

    let mut trusting = setting.command(&DOCTOR);
    trusting.env("SSL_CERT_FILE", certificate);
    let (result, text) = finding_of(trusting, ROUND_TRIP).await;
    assert!(result == "ok" && text.contains("came in unchanged"), "{text}");
    running.kill().await.unwrap();
}
