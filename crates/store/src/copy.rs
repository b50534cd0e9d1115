//! Copies everything into another database: for a backup, for going back to one, and for moving from SQLite to PostgreSQL.
//!
//! The source is read as one state of the database, whatever others write meanwhile. The target gets all of it in one
//! transaction, which is read again before it is committed: all rows, each column as it was, or nothing.

use futures::TryStreamExt as _;
use sha2::{Digest as _, Sha256};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Column as _, Row as _};
use uuid::Uuid;

use crate::dialect::{CHUNK, Statement, Tuple};
use crate::error::Error;
use crate::open::Store;
use crate::place::Kind;
use crate::row::Table;

/// Every table with data, parents before their children.
const TABLES: [&str; 36] = [
    "connections",
    "lanes",
    "records",
    "payloads",
    "intents",
    "inbox",
    "jobs",
    "cursors",
    "master_data",
    "vendor_links",
    "audit",
    "audit_heads",
    "vendor_matches",
    "brex_vendors",
    "receipts",
    "vendor_proposals",
    "payment_lines",
    "data_keys",
    "secrets",
    "bc_subscriptions",
    "transfers",
    "transfer_returns",
    "transfer_matches",
    "transfer_decisions",
    "transfer_documents",
    "transfer_state",
    "users",
    "invitations",
    "sessions",
    "transfer_orders",
    "api_tokens",
    "record_counts",
    "export_days",
    "draft_days",
    "spend",
    "value_meanings",
];

/// Columns that the database computes by itself.
const GENERATED: [&str; 1] = ["merchant_lower"];

/// What a copy holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Each table with its number of rows.
    pub tables: Vec<(&'static str, u64)>,
    /// True if the target had exactly this already.
    pub was_there: bool,
}

/// One value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// Number of rows and a sum of their hashes, so that the order in which a database gives them does not matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Content {
    rows: u64,
    sum: u128,
}

impl Store {
    /// Copies everything into `target`, which must be empty or hold exactly the same.
    pub async fn copy_to(&self, target: &Self) -> Result<Copied, Error> {
        let copied = self.copy(target).await;
        copied.map_err(|error| error.at(&target.db().place))
    }

    async fn copy(&self, target: &Self) -> Result<Copied, Error> {
        let mut from = self.db().begin_snapshot().await?;
        let mut into = target.db().begin().await?;
        for (connection, store) in [(&mut from, self), (&mut into, target)] {
            if store.kind() == Kind::Postgres {
                // A large table takes longer than any other statement may, and one side waits while the other works.
                sqlx::raw_sql("SET LOCAL statement_timeout = 0").execute(&mut **connection).await?;
                sqlx::raw_sql("SET LOCAL idle_in_transaction_session_timeout = 0").execute(&mut **connection).await?;
            }
        }
        let mut tables = Vec::new();
        if let Some(table) = first_used(&mut into).await? {
            for name in TABLES {
                let content = content(&mut from, name).await?;
                if content != self::content(&mut into, name).await? {
                    return Err(Error::NotEmpty { place: target.place().to_owned(), table });
                }
                tables.push((name, content.rows));
            }
            return Ok(Copied { tables, was_there: true });
        }
        for name in TABLES {
            let sent = copy_table(&mut from, &mut into, name).await?;
            if content(&mut into, name).await? != sent {
                return Err(Error::CopyDiffers { place: target.place().to_owned(), table: name });
            }
            tables.push((name, sent.rows));
        }
        into.commit().await?;
        Ok(Copied { tables, was_there: false })
    }

    /// Number of rows of each table.
    pub async fn count_rows(&self) -> Result<Vec<(&'static str, i64)>, Error> {
        let mut counted = Vec::new();
        for name in TABLES {
            let statement = Statement::new("SELECT COUNT(*) AS rows FROM ").push(name);
            let rows = self.db().first(statement).await?;
            let table = Table { name, key: &[] };
            counted.push((name, rows.map_or(Ok(0), |row| table.row(&row).integer("rows"))?));
        }
        Ok(counted)
    }

    /// Whether both are the same database, by whatever names: what is made through one is looked for through the other.
    pub async fn is_same_as(&self, other: &Self) -> Result<bool, Error> {
        let probe = format!("probe_{}", Uuid::new_v4().simple());
        let run = async |store: &Self, text: String| {
            let mut connection = store.db().writers.acquire().await?;
            sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&mut *connection).await
        };
        run(other, format!("CREATE TABLE {probe} (probe BIGINT)")).await?;
        let is_seen = run(self, format!("SELECT probe FROM {probe}")).await.is_ok();
        run(other, format!("DROP TABLE {probe}")).await?;
        Ok(is_seen)
    }

    /// Opens a database also if its data was moved away: to go on with a move that broke off.
    pub async fn open_to_move(url: &str) -> Result<Self, Error> {
        Self::open_place(url, true).await
    }

    /// Takes back that the data lives elsewhere.
    pub async fn stay(&self) -> Result<(), Error> {
        in_transaction!(self.db(), tx => {
            Statement::new("DELETE FROM left_for").execute(&mut tx).await?;
        })
    }

    /// Notes that the data now lives at `place`: from now on nobody can open this database to work with it, and whoever does work
    /// with it has lost its lease. True if it was worked with until now; one that was left for another place is refused.
    pub async fn leave_for(&self, place: &str) -> Result<bool, Error> {
        in_transaction!(self.db(), tx => {
            let left = Statement::new("SELECT place FROM left_for").rows(&mut tx).await?;
            match left.first().map(|row| row.try_get::<String, _>("place")).transpose()? {
                Some(to) if to == place => false,
                Some(to) => return Err(Error::Left { place: self.place().to_owned(), to }),
                None => {
                    let note = Statement::new("INSERT INTO left_for (place) VALUES ($1)").bind(place);
                    note.execute_one(&mut tx, "left_for").await?;
                    true
                }
            }
        })
    }
}

async fn first_used(connection: &mut AnyConnection) -> Result<Option<&'static str>, Error> {
    for name in TABLES {
        let rows = Statement::new("SELECT 1 AS one FROM ").push(name).push(" LIMIT 1").rows(connection).await?;
        if !rows.is_empty() {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

async fn copy_table(from: &mut AnyConnection, into: &mut AnyConnection, table: &'static str) -> Result<Content, Error> {
    let mut content = Content::default();
    let mut rows = sqlx::query(select_all(table)).fetch(from);
    let mut chunk = Vec::with_capacity(CHUNK);
    while let Some(row) = rows.try_next().await? {
        let row = read(&row, table)?;
        content.add(&row);
        chunk.push(row);
        if chunk.len() == CHUNK {
            insert(into, table, &chunk).await?;
            chunk.clear();
        }
    }
    if !chunk.is_empty() {
        insert(into, table, &chunk).await?;
    }
    Ok(content)
}

/// The text for a table; one each, since statements are put together from constants only.
fn select_all(table: &'static str) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(format!("SELECT * FROM {table}"))
}

async fn content(connection: &mut AnyConnection, table: &'static str) -> Result<Content, Error> {
    let mut content = Content::default();
    let mut rows = sqlx::query(select_all(table)).fetch(connection);
    while let Some(row) = rows.try_next().await? {
        content.add(&read(&row, table)?);
    }
    Ok(content)
}

/// Names and values of a row, without what the database computes.
fn read(row: &AnyRow, table: &'static str) -> Result<Vec<(String, Value)>, Error> {
    let value = |at: usize| {
        if let Ok(number) = row.try_get::<Option<i64>, _>(at) {
            return Ok(number.map_or(Value::Null, Value::Integer));
        }
        if let Ok(text) = row.try_get::<String, _>(at) {
            return Ok(Value::Text(text));
        }
        row.try_get::<Vec<u8>, _>(at).map(Value::Bytes)
    };
    let own = row.columns().iter().filter(|column| !GENERATED.contains(&column.name()));
    let pairs = own.map(|column| Ok((column.name().to_owned(), value(column.ordinal())?)));
    pairs.collect::<Result<Vec<(String, Value)>, sqlx::Error>>().map_err(|_| Error::BrokenRow {
        table,
        column: "a column of no known kind",
        row: "?".to_owned(),
    })
}

async fn insert(into: &mut AnyConnection, table: &'static str, rows: &[Vec<(String, Value)>]) -> Result<(), Error> {
    let Some(first) = rows.first() else { return Ok(()) };
    let statement = Statement::new("INSERT INTO ").push(table).push_names(first.iter().map(|(name, _)| name.as_str()));
    let put = |row: &Vec<(String, Value)>, tuple: &mut Tuple<'_>| {
        for (_, value) in row {
            match value {
                Value::Null => tuple.null(),
                Value::Integer(number) => tuple.bind(*number),
                Value::Text(text) => tuple.bind(text.as_str()),
                Value::Bytes(bytes) => tuple.bind(bytes.as_slice()),
            };
        }
    };
    statement.push_rows(rows, put).execute(into).await?;
    Ok(())
}

impl Content {
    fn add(&mut self, row: &[(String, Value)]) {
        let mut hash = Sha256::new();
        for (name, value) in row {
            let (kind, bytes): (u8, Vec<u8>) = match value {
                Value::Null => (0, Vec::new()),
                Value::Integer(number) => (1, number.to_be_bytes().to_vec()),
                Value::Text(text) => (2, text.clone().into_bytes()),
                Value::Bytes(bytes) => (3, bytes.clone()),
            };
            hash.update(name.as_bytes());
            hash.update([0, kind]);
            hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(&bytes);
        }
        let digest: [u8; 32] = hash.finalize().into();
        let half = digest.iter().take(16).fold(0_u128, |sum, byte| (sum << 8) | u128::from(*byte));
        self.rows = self.rows.saturating_add(1);
        self.sum = self.sum.wrapping_add(half);
    }
}
