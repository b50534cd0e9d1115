//! A folder with configuration and secrets for a sandbox, and the binary to run in it.

use std::path::PathBuf;
use std::process::{Command, Output};

use sandbox::{Options, Sandbox};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::ports;

/// A sandbox and a folder for one connector.
pub struct Setting {
    pub sandbox: Sandbox,
    pub folder: TempDir,
}

impl Setting {
    pub async fn make(options: Options) -> Self {
        let setting = Self { sandbox: Sandbox::start(options).await.unwrap(), folder: tempfile::tempdir().unwrap() };
        let ready = setting.sandbox.ready();
        setting.write_secret("brex", &ready.brex.token);
        setting.write_secret("bc", &ready.entra.client_secret);
        std::fs::write(setting.config(), setting.text()).unwrap();
        setting
    }

    pub fn write_secret(&self, name: &str, secret: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.folder.path().join(name);
        std::fs::write(&path, secret).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub fn config(&self) -> PathBuf {
        self.folder.path().join("ml-connector.toml")
    }

    /// The address that webhooks are received at.
    pub fn listen(&self) -> String {
        let text = std::fs::read_to_string(self.config()).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("listen = ")).unwrap();
        line.trim_matches('"').to_owned()
    }

    /// Changes the configuration file.
    pub fn edit(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.config()).unwrap();
        assert!(text.contains(from), "{from} is not in the configuration");
        std::fs::write(self.config(), text.replace(from, to)).unwrap();
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ml-connector"));
        command.args(args).arg("--config").arg(self.config());
        command
    }

    /// Runs a command to its end without blocking the sandbox, which lives on the same runtime.
    pub async fn run(&self, args: &[&str]) -> Output {
        let mut command = self.command(args);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    pub async fn run_json(&self, args: &[&str]) -> Value {
        let output = self.run(args).await;
        let shown = String::from_utf8_lossy(&output.stderr).into_owned();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no JSON from {args:?}: {shown}"))
    }

    /// The configuration as it is at first.
    pub fn text(&self) -> String {
        let ready = self.sandbox.ready();
        let listen = ports::free();
        format!(
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
requests_per_second = 100
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
        )
    }
}

/// What a command said on stderr, without the log's own decoration.
pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
