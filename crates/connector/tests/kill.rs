//! The real binary, killed with SIGKILL at random moments while it works, and started again: the books must come out the
//! same, with at most one document per record.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use connector::agreement::check;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sandbox::brex::Expectation;
use sandbox::{Options, Sandbox};
use serde_json::{Value, json};

const ROUNDS: u32 = 30;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_process_killed_at_thirty_random_moments_loses_nothing_and_doubles_nothing() {
    // Business Central takes a moment per request, so that kills hit requests under way.
    let options = Options { records: 240, vendors: 120, bc_latency_ms: 15, ..Options::default() };
    let sandbox = Sandbox::start(options).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = configure(&sandbox, folder.path());
    let mut random = StdRng::seed_from_u64(8);
    let mut killed = 0;
    for round in 0..ROUNDS {
        let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_ml-connector"))
            .args(["run", "--log", "error", "--config"])
            .arg(&config)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // The moment of the kill is the point of this test: early ones hit the start, late ones the work.
        let moment = Duration::from_millis(20 + random.next_u64() % 700);
        match tokio::time::timeout(moment, child.wait()).await {
            Ok(status) => panic!("round {round}: the process ended by itself: {status:?}"),
            Err(_) => child.kill().await.unwrap(),
        }
        killed += 1;
        assert_eq!(check(&sandbox.world()).duplicates, Vec::<String>::new(), "after round {round}");
    }
    assert_eq!(killed, ROUNDS);

    let calm = tokio::task::spawn_blocking({
        let config = config.clone();
        move || run(&config, &["run", "--once", "--log", "error"])
    });
    assert!(calm.await.unwrap().status.success());
    let agreement = check(&sandbox.world());
    assert!(agreement.holds(), "{agreement:?}");

    let status: Value = serde_json::from_slice(&run(&config, &["status", "--json"]).stdout).unwrap();
    let stages = &status["connections"][0]["stages"];
    let held: i64 = status["connections"][0]["held"].as_object().unwrap().values().filter_map(Value::as_i64).sum();
    let done = stages["exported"].as_i64().unwrap() + stages["not_spend"].as_i64().unwrap() + held;
    let reports = sandbox.world().brex.records();
    let ready = reports.iter().filter(|report| report.expect != Expectation::NotReady).count();
    assert_eq!(usize::try_from(done).unwrap(), ready, "every record is accounted for: {status}");
}

fn run(config: &Path, args: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_ml-connector")).args(args).arg("--config").arg(config).output().unwrap()
}

fn configure(sandbox: &Sandbox, folder: &Path) -> PathBuf {
    let ready = sandbox.ready();
    for (name, secret) in [("brex", &ready.brex.token), ("bc", &ready.entra.client_secret)] {
        use std::os::unix::fs::PermissionsExt;
        let path = folder.join(name);
        std::fs::write(&path, secret).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let listen = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text = format!(
        r#"
listen = "{listen}"
public_url = "http://{listen}"
allow_hosts = ["127.0.0.1"]
[[connection]]
name = "main"
start_date = "2020-01-01"
time_zone = "America/New_York"
poll_seconds = 1
settle_seconds = 3
[connection.brex]
base_url = {brex}
token = {{ file = "brex" }}
[connection.entra]
base_url = {entra}
tenant = {tenant}
client_id = {client}
client_secret = {{ file = "bc" }}
[connection.bc]
base_url = {bc}
environment = {environment}
company = {company}
requests_per_second = 1000
"#,
        brex = json!(ready.brex.base_url),
        entra = json!(ready.entra.base_url),
        tenant = json!(ready.entra.tenant_id),
        client = json!(ready.entra.client_id),
        bc = json!(ready.bc.base_url),
        environment = json!(ready.bc.environment),
        company = json!(ready.bc.company_name),
    );
    let path = folder.join("ml-connector.toml");
    std::fs::write(&path, text).unwrap();
    path
}
