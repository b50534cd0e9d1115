//! The demo's configuration: a real file in a fresh folder, so that the other commands work on the demo too.

use std::fs::{File, Permissions};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use jiff::ToSpan;
use sandbox::Ready;
use tempfile::TempDir;

use super::super::Failure;
use crate::clock::{Clock, SystemClock, timestamp};
use crate::config::{Config, DEFAULT_FILE};

/// A folder with configuration, secrets and database; it is removed when the demo ends.
pub(super) struct Setting {
    folder: TempDir,
    pub(super) config: Config,
}

impl Setting {
    /// Writes configuration and secrets for a sandbox.
    pub(super) fn make(ready: &Ready, listen: SocketAddr, pages: SocketAddr) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("ml-connector-demo-").tempdir()?;
        write_secret(&folder.path().join("brex.token"), &ready.brex.token)?;
        write_secret(&folder.path().join("bc.secret"), &ready.entra.client_secret)?;
        let path = folder.path().join(DEFAULT_FILE);
        std::fs::write(&path, text(ready, listen, pages))?;
        let config = Config::load(&path)?;
        Ok(Self { folder, config })
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn file(&self) -> PathBuf {
        self.folder.path().join(DEFAULT_FILE)
    }
}

/// A file that only its owner can read.
pub(in crate::cli) fn write_secret(path: &Path, secret: &str) -> Result<(), Failure> {
    let mut file = File::create(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(file.write_all(secret.as_bytes())?)
}

fn text(ready: &Ready, listen: SocketAddr, pages: SocketAddr) -> String {
    let quarter = timestamp(SystemClock.now_ms()).to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    let start_date = quarter.checked_sub(400.days()).unwrap_or(quarter);
    let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
    format!(
        r#"database = "sqlite:ml-connector.db"
listen = "{listen}"
public_url = "http://{listen}"
allow_hosts = ["127.0.0.1"]

[console]
listen = "{pages}"

[console.microsoft]
base_url = {entra}
tenant = {tenant}
client_id = {client}
client_secret = {{ file = "bc.secret" }}

[[connection]]
name = "demo"
start_date = "{start_date}"
time_zone = "America/New_York"
poll_seconds = 3

[connection.transfers]
enabled = true
seconds = 60

[connection.transfers.pay]
enabled = true
four_eyes = true

[connection.brex]
base_url = {brex}
token = {{ file = "brex.token" }}

[connection.entra]
base_url = {entra}
tenant = {tenant}
client_id = {client}
client_secret = {{ file = "bc.secret" }}

[connection.bc]
base_url = {bc}
environment = {environment}
company = {company}
"#,
        brex = quoted(&ready.brex.base_url),
        entra = quoted(&ready.entra.base_url),
        tenant = quoted(&ready.entra.tenant_id.to_string()),
        client = quoted(&ready.entra.client_id.to_string()),
        bc = quoted(&ready.bc.base_url),
        environment = quoted(&ready.bc.environment),
        company = quoted(&ready.bc.company_name),
    )
}
