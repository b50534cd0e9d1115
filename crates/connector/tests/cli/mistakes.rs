//! What goes wrong at the start: one clear sentence, a stable exit code, and nothing half done.

use sandbox::Options;

use crate::ports;
use crate::setting::{Setting, said};

async fn small() -> Setting {
    Setting::make(Options { records: 5, ..Options::default() }).await
}

/// Runs once, expects this exit code and these words in one sentence, and that neither system was changed.
async fn refused(setting: &Setting, code: i32, words: &str) {
    let output = setting.run(&["run", "--once", "--log", "error"]).await;
    let text = said(&output);
    let last = text.lines().filter(|line| line.starts_with("ml-connector: ")).collect::<Vec<_>>();
    assert_eq!(last.len(), 1, "one sentence: {text}");
    assert!(last[0].contains(words), "{words:?} is not in {text}");
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(setting.sandbox.world().bc.ledger().is_empty());
    assert!(setting.sandbox.world().brex.records().iter().all(|record| record.exports.is_empty()));
    let ready = setting.sandbox.ready();
    for secret in [&ready.brex.token, &ready.entra.client_secret] {
        assert!(!text.contains(secret.as_str()), "a secret was printed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_client_secret() {
    let setting = small().await;
    setting.write_secret("bc", "wrong-secret-canary");
    refused(&setting, 5, "entra: the client secret is wrong: use the secret's value, not its id").await;
    let output = setting.run(&["run", "--once"]).await;
    assert!(!said(&output).contains("wrong-secret-canary"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_brex_token() {
    let setting = small().await;
    setting.write_secret("brex", "bxt_wrong");
    refused(&setting, 5, "brex: the Brex token was refused: create a new user token").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_tenant_and_an_unknown_application() {
    let setting = small().await;
    let ready = setting.sandbox.ready().entra.clone();
    setting.edit(&ready.tenant_id.to_string(), "00000000-1111-2222-3333-444444444444");
    refused(&setting, 5, "the tenant was not found: check entra.tenant").await;
    let setting = small().await;
    setting.edit(&ready.client_id.to_string(), "00000000-1111-2222-3333-444444444444");
    refused(&setting, 5, "the application was not found in this tenant: check entra.client_id").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_is_not_there() {
    let setting = small().await;
    let (_kept, closed) = ports::closed();
    setting.edit(&setting.sandbox.ready().brex.base_url.clone(), &format!("http://{closed}"));
    refused(&setting, 6, "brex: the host could not be reached").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_company_is_told_with_those_that_are_there() {
    let setting = small().await;
    let name = setting.sandbox.ready().bc.company_name.clone();
    setting.edit(&name, "CRONUS International");
    refused(
        &setting,
        7,
        &format!("the company \"CRONUS International\" is not in this Business Central environment; it has: {name}"),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_environment() {
    let setting = small().await;
    let environment = format!("environment = \"{}\"", setting.sandbox.ready().bc.environment);
    setting.edit(&environment, "environment = \"Nowhere\"");
    refused(&setting, 7, "the environment does not exist: check bc.environment").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_a_missing_and_a_misspelt_configuration() {
    let setting = small().await;
    setting.edit("settle_seconds = 3", "setle_seconds = 3");
    refused(&setting, 3, "the configuration does not parse").await;
    std::fs::write(setting.config(), "this is [not toml").unwrap();
    refused(&setting, 3, "the configuration does not parse").await;
    std::fs::remove_file(setting.config()).unwrap();
    refused(&setting, 3, "cannot be read; give its place with --config").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_is_not_there() {
    let setting = small().await;
    setting.edit("token = { file = \"brex\" }", "token = { env = \"ML_CONNECTOR_NO_SUCH_VARIABLE\" }");
    refused(
        &setting,
        3,
        "brex.token comes from the environment variable ML_CONNECTOR_NO_SUCH_VARIABLE, which is not set",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_database_file() {
    let setting = small().await;
    std::fs::write(setting.folder.path().join("ml-connector.db"), "these are my shopping notes".repeat(300)).unwrap();
    refused(&setting, 4, "ml-connector.db").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_process_on_the_same_database() {
    let setting = small().await;
    let url = format!("sqlite:{}", setting.folder.path().join("ml-connector.db").display());
    let _first = connector::alone::Alone::take(&url).unwrap();
    refused(&setting, 4, "another ml-connector works on this database").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_command_line_and_an_unknown_record() {
    let setting = small().await;
    assert_eq!(setting.run(&["explode"]).await.status.code(), Some(2));
    assert_eq!(setting.run(&["explain", "accr_none"]).await.status.code(), Some(7));
    assert_eq!(
        setting.run(&["backfill", "--from", "2026-01-01", "--connection", "other"]).await.status.code(),
        Some(7)
    );
}
