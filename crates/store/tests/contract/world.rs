//! A fresh database per test, direct access to it, and a few things to put into it.

use domain::audit::{Actor, Note};
use domain::document::DocumentKind;
use domain::failure::{Failure, FailureState};
use domain::hold::{Hold, HoldCode};
use domain::id::{ConnectionId, RecordId};
use domain::stage::Stage;
use serde_json::json;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Row};
use store::{Applied, Change, Intent, Lease, Purpose, RecordRow, Store};
use tempfile::TempDir;
use uuid::Uuid;

use crate::scratch;

/// The time at which tests start.
pub(crate) const NOW: i64 = 1_790_000_000_000;
/// How long a lease lasts.
pub(crate) const TTL: i64 = 30_000;

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// A file in a folder of its own.
    Sqlite,
    /// A database of its own on the server that the environment names.
    Postgres,
}

pub(crate) use Engine::{Postgres, Sqlite};

/// An open store and the database under it.
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) url: String,
    pub(crate) main: ConnectionId,
    pub(crate) other: ConnectionId,
    folder: Option<TempDir>,
}

impl World {
    /// A world, unless there is no PostgreSQL to make it on.
    pub(crate) async fn on(engine: Engine) -> Option<Self> {
        sqlx::any::install_default_drivers();
        let (url, folder) = match engine {
            Engine::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                (format!("sqlite:{}", folder.path().join("store.db").display()), Some(folder))
            }
            Engine::Postgres => {
                let Some(admin_url) = postgres_url() else {
                    println!("skipped on PostgreSQL: TEST_POSTGRES_URL is not set");
                    return None;
                };
                let name = format!("store_{}", Uuid::new_v4().simple());
                (scratch::database(&admin_url, &name).await, None)
            }
        };
        let store = Store::open(&url).await.unwrap();
        let name = |name| ConnectionId::new(name).unwrap();
        Some(Self { store, url, main: name("main"), other: name("other"), folder })
    }

    /// The path of the file.
    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.folder.as_ref().unwrap().path().join("store.db")
    }

    /// Runs SQL behind the store's back.
    pub(crate) async fn tamper(&self, sql: &str) {
        run(&self.url, sql).await;
    }

    /// Runs SQL that the database may refuse.
    pub(crate) async fn try_tamper(&self, sql: &str) -> Result<(), sqlx::Error> {
        let mut connection = AnyConnection::connect(&self.url).await?;
        let outcome = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await;
        connection.close().await?;
        outcome.map(drop)
    }

    /// Reads one number behind the store's back.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let mut connection = AnyConnection::connect(&self.url).await.unwrap();
        let row = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        row.get(0)
    }

    /// Reads one column of texts behind the store's back.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        let mut connection = AnyConnection::connect(&self.url).await.unwrap();
        let rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// A lease of the lane.
    pub(crate) async fn lease(&self) -> Lease {
        self.store.lanes().lease("lane", "process-1", NOW, TTL).await.unwrap().unwrap()
    }

    /// A lease that somebody else has taken since.
    pub(crate) async fn lost_lease(&self) -> Lease {
        let lanes = self.store.lanes();
        let lost = lanes.lease("lost", "process-1", NOW, TTL).await.unwrap().unwrap();
        lanes.lease("lost", "process-2", NOW + TTL, TTL).await.unwrap().unwrap();
        lost
    }

    /// Applies changes under the lease.
    pub(crate) async fn apply(&self, lease: &Lease, changes: &[Change]) -> Vec<Applied> {
        self.store.records().apply(lease, &self.main, NOW, &engine(), changes).await.unwrap()
    }

    /// Puts records in as new.
    pub(crate) async fn insert(&self, rows: impl IntoIterator<Item = RecordRow>) {
        let lease = self.lease().await;
        let changes: Vec<Change> = rows.into_iter().map(change).collect();
        let applied = self.apply(&lease, &changes).await;
        assert!(applied.iter().all(|applied| *applied == Applied::Done));
    }

    /// A record as stored.
    pub(crate) async fn record(&self, id: &str) -> RecordRow {
        self.store.records().get(&self.main, &RecordId::new(id)).await.unwrap().unwrap()
    }

    /// A minimal record of the connection `main`.
    pub(crate) fn row(&self, id: &str) -> RecordRow {
        RecordRow::new(self.main.clone(), RecordId::new(id), NOW)
    }

    /// A record of the connection `main` with something in every column.
    pub(crate) fn full_row(&self, id: &str) -> RecordRow {
        RecordRow {
            version: 7,
            record_type: "CARD_EXPENSE_POST".to_owned(),
            source_type: "CARD".to_owned(),
            amount: Some("-12345678901.2300".parse().unwrap()),
            currency: Some("USD".to_owned()),
            merchant: Some("Café \u{1F980} 'quoted'; --".to_owned()),
            posting_date: Some("2026-11-24".to_owned()),
            stage: Stage::Map,
            hold: Some(Hold::new(HoldCode::AccountNotCoded, "line 1 has no account")),
            held_ms: Some(NOW + 1),
            due_ms: Some(NOW + 2),
            attempts: 3,
            vendor_number: Some("V0001".to_owned()),
            document_kind: Some(DocumentKind::CreditMemo),
            document_key: Some("BRX-ABC".to_owned()),
            document_id: Some(Uuid::from_u128(42)),
            document_no: Some("107001".to_owned()),
            plan: Some("{\"total\":12345678901.2300}".to_owned()),
            exported_ms: Some(NOW + 3),
            source_id: Some("expense_1".to_owned()),
            posted_ms: Some(NOW + 4),
            failure: Some(Failure { code: HoldCode::AccountNotCoded, state: FailureState::Left, at_ms: NOW + 5 }),
            ..self.row(id)
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "where the tests' server is comes from outside")]
pub(crate) fn postgres_url() -> Option<String> {
    std::env::var("TEST_POSTGRES_URL").ok()
}

async fn run(url: &str, sql: &str) {
    let mut connection = AnyConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// The connector itself.
pub(crate) fn engine() -> Actor {
    Actor::Engine("test".to_owned())
}

/// A note for the trail.
pub(crate) fn note(subject: &str) -> Note {
    Note {
        action: "tested".to_owned(),
        subject: subject.to_owned(),
        before: None,
        after: Some("map".to_owned()),
        detail: json!({ "amount": "12.30", "why": "a\u{0}b" }),
    }
}

/// A change of the row and nothing else.
pub(crate) fn change(row: RecordRow) -> Change {
    Change { row, payload: None, notes: Vec::new(), intent: None, matched: None }
}

/// An attempt that was just opened.
pub(crate) fn intent(record: &str, attempt: i64) -> Intent {
    Intent {
        record_id: RecordId::new(record),
        attempt,
        purpose: Purpose::Create,
        target: None,
        epoch: 1,
        document_kind: DocumentKind::Invoice,
        document_key: format!("BRX-{record}"),
        vendor_number: "V0001".to_owned(),
        payload_hash: "ab".repeat(32),
        created_ms: NOW,
        settle_until_ms: NOW + 1_200_000,
        probes: 0,
        outcome: None,
        outcome_ms: None,
        document_id: None,
        detail: None,
    }
}

/// Record ids.
pub(crate) fn ids(texts: &[&str]) -> Vec<RecordId> {
    texts.iter().map(|text| RecordId::new(*text)).collect()
}

/// The ids of rows.
pub(crate) fn ids_of(rows: &[RecordRow]) -> Vec<&str> {
    rows.iter().map(|row| row.id.as_str()).collect()
}
