//! A fresh database per test, on either engine.

use tempfile::TempDir;

#[path = "../../../store/tests/scratch/mod.rs"]
mod scratch;

/// The engine a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Db {
    Sqlite,
    Postgres,
}

impl Db {
    /// Whether tests on it can run here.
    pub fn is_there(self) -> bool {
        self == Self::Sqlite || option_env("TEST_POSTGRES_URL").is_some()
    }
}

/// A database that goes away with the value.
pub struct Database {
    pub url: String,
    _folder: Option<TempDir>,
}

impl Database {
    /// The same database by another way.
    pub fn reached_at(self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self }
    }

    /// A fresh database, or nothing when PostgreSQL is asked for and none is there.
    pub async fn fresh(db: Db) -> Option<Self> {
        if !db.is_there() {
            eprintln!("skipped on PostgreSQL: TEST_POSTGRES_URL is not set");
            return None;
        }
        match db {
            Db::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                let url = format!("sqlite:{}", folder.path().join("test.db").display());
                Some(Self { url, _folder: Some(folder) })
            }
            Db::Postgres => {
                let server = option_env("TEST_POSTGRES_URL")?;
                let name = format!("flow_{}", uuid::Uuid::now_v7().simple());
                Some(Self { url: scratch::database(&server, &name).await, _folder: None })
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "tests are told where PostgreSQL is")]
fn option_env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
