//! Brings the schema up to date, step by step, under a lock.
//!
//! sqlx's own runner does not lock SQLite, so two processes that start together would both create the tables, and it
//! cannot tell a database of a newer version from one that lost a migration. This one does both in one transaction.

use sqlx::{AnyConnection, Connection};

use crate::dialect::{self, Statement};
use crate::error::Error;
use crate::place::{Kind, Place};
use crate::row::Table;

/// The texts of each migration for both databases.
macro_rules! migrations {
    ($($name:literal,)*) => {
        &[$((
            include_str!(concat!("../migrations/sqlite/", $name, ".sql")),
            include_str!(concat!("../migrations/postgres/", $name, ".sql")),
        ),)*]
    };
}

/// They are never edited once released: a change is a new entry.
const ALL: &[(&str, &str)] = migrations![
    "0001_first",
    "0002_vendor_memory",
    "0003_brex_vendors",
    "0006_receipts",
    "0007_vendor_proposals",
    "0008_posting",
    "0009_vault",
    "0010_bc_subscriptions",
    "0011_transfers",
    "0012_record_sources",
    "0013_failures",
    "0018_console",
    "0019_transfer_orders",
    "0020_left_for",
    "0021_api_tokens",
    "0022_erasure",
    "0030_kept_counts",
    "0031_microsoft",
    "0032_value_meanings",
    "0033_spend",
    "0034_merchants",
];

const TABLE: Table = Table { name: "schema_version", key: &[] };

/// Runs what is missing. A database of a newer version is refused and left as it is.
pub(crate) async fn run(connection: &mut AnyConnection, place: &Place) -> Result<(), Error> {
    let kind = place.kind();
    let mut tx = connection.begin_with(dialect::begin_write(kind)).await?;
    if kind == Kind::Postgres {
        // A step over a large table takes longer than any other statement may, and other processes wait for it.
        sqlx::raw_sql("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0").execute(&mut *tx).await?;
        // The number is arbitrary; it only has to be the same in every process.
        sqlx::raw_sql("SELECT pg_advisory_xact_lock(7310294563)").execute(&mut *tx).await?;
    }
    sqlx::raw_sql("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)").execute(&mut *tx).await?;
    let rows = Statement::new("SELECT version FROM schema_version").rows(&mut tx).await?;
    let found = rows.first().map(|row| TABLE.row(row).integer("version")).transpose()?;
    let known = i64::try_from(ALL.len()).unwrap_or(i64::MAX);
    let version = found.unwrap_or(0);
    if version > known {
        return Err(Error::NewerSchema { place: place.name().to_owned(), found: version, known });
    }
    for (sqlite, postgres) in ALL.iter().skip(usize::try_from(version).unwrap_or(0)) {
        let text = match kind {
            Kind::Sqlite => *sqlite,
            Kind::Postgres => *postgres,
        };
        sqlx::raw_sql(text).execute(&mut *tx).await?;
    }
    let note = match found {
        None => "INSERT INTO schema_version (version) VALUES ($1)",
        Some(_) => "UPDATE schema_version SET version = $1",
    };
    if found != Some(known) {
        Statement::new(note).bind(known).execute_one(&mut tx, TABLE.name).await?;
    }
    tx.commit().await?;
    Ok(())
}
