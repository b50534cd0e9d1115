//! A PostgreSQL server of the test's own, which may crash, have a standby, and be followed by it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;

use crate::database::Db;
use crate::ports;

/// A server that goes away with the value.
pub(super) struct Server {
    folder: TempDir,
    port: u16,
}

impl Server {
    /// A new, empty server; nothing where tests on PostgreSQL are skipped.
    pub(super) async fn start() -> Option<Self> {
        if !Db::Postgres.is_there() {
            return None;
        }
        let server = Self { folder: tempfile::tempdir().unwrap(), port: ports::free().port() };
        server.run("init", &[]).await;
        server.start_again().await;
        Some(server)
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Its database, reached at an address.
    pub(super) fn url_at(address: SocketAddr) -> String {
        format!("postgres://postgres@{address}/postgres")
    }

    /// All of its processes end at once, and nothing more is written: `pg_ctl stop -m immediate`.
    pub(super) async fn crash(&self) {
        self.run("crash", &[]).await;
    }

    /// Starts at the same address.
    pub(super) async fn start_again(&self) {
        self.run("start", &[self.port.to_string()]).await;
    }

    /// A standby that every commit waits for from now on.
    pub(super) async fn with_standby(&self) -> Self {
        let standby = Self { folder: tempfile::tempdir().unwrap(), port: ports::free().port() };
        standby.run("standby", &[self.port.to_string()]).await;
        standby.start_again().await;
        let mut admin = PgConnection::connect(&Self::url_at(self.address())).await.unwrap();
        admin.execute("ALTER SYSTEM SET synchronous_standby_names = 'standby'").await.unwrap();
        admin.execute("SELECT pg_reload_conf()").await.unwrap();
        let in_step = "SELECT COUNT(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        while count(&mut admin, in_step).await == 0 {
            tokio::task::yield_now().await;
        }
        standby
    }

    /// The standby takes writes from now on.
    pub(super) async fn promote(&self) {
        self.run("promote", &[]).await;
    }

    async fn run(&self, what: &str, args: &[String]) {
        let mut command = tokio::process::Command::from(script(what, self.folder.path()));
        let output = command.args(args).output().await.unwrap();
        assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.folder.path().join("data/postmaster.pid").exists() {
            let _ = script("crash", self.folder.path()).status();
        }
    }
}

/// The answer of a statement that counts.
pub(super) async fn count(connection: &mut PgConnection, statement: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(statement.to_owned())).fetch_one(connection).await.unwrap()
}

fn script(what: &str, folder: &Path) -> Command {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/postgres-server");
    let mut command = Command::new(path);
    command.arg(what).arg(folder);
    command
}
