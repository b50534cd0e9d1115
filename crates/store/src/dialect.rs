//! Where the two databases differ, and how statements are put together so that one text runs on both.

use std::fmt::Write as _;

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::{AnyConnection, Arguments, AssertSqlSafe, Encode, Type};

use crate::error::Error;
use crate::place::Kind;

/// Most keys in one `IN` list and most rows in one `INSERT`: 200 rows of the widest table have 5,000 values, below the
/// 32,766 that SQLite takes and the 65,535 of PostgreSQL.
pub(crate) const CHUNK: usize = 200;

/// Starts a transaction that writes. On SQLite the write lock is taken at once, since a lock that is asked for later can
/// fail without waiting.
pub(crate) fn begin_write(kind: Kind) -> &'static str {
    match kind {
        Kind::Sqlite => "BEGIN IMMEDIATE",
        Kind::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
    }
}

/// Starts a transaction that sees one state of the database.
pub(crate) fn begin_snapshot(kind: Kind) -> &'static str {
    match kind {
        Kind::Sqlite => "BEGIN DEFERRED",
        Kind::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    }
}

/// Settings of each connection.
pub(crate) fn settings(kind: Kind) -> &'static str {
    match kind {
        Kind::Sqlite => {
            "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
        }
        Kind::Postgres => {
            "SET statement_timeout = '60s'; SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '30s';"
        }
    }
}

/// Settings that durability depends on: statement that reads it, its name, and what it must be.
pub(crate) fn required(kind: Kind) -> &'static [(&'static str, &'static str, &'static str)] {
    match kind {
        Kind::Sqlite => &[
            ("PRAGMA journal_mode", "journal_mode", "wal"),
            ("PRAGMA synchronous", "synchronous", "2"),
            ("PRAGMA foreign_keys", "foreign_keys", "1"),
            ("PRAGMA busy_timeout", "busy_timeout", "10000"),
        ],
        // Without it a commit that was confirmed can be lost, and with it the intent behind a document.
        Kind::Postgres => &[
            (
                "SELECT CASE current_setting('synchronous_commit') WHEN 'off' THEN 'off' ELSE 'on' END",
                "synchronous_commit",
                "on",
            ),
            ("SELECT current_setting('server_encoding')", "server_encoding", "UTF8"),
        ],
    }
}

/// How large the database is, in the column `bytes`.
pub(crate) fn size(kind: Kind) -> &'static str {
    match kind {
        Kind::Sqlite => {
            "SELECT CAST(page_count * page_size AS BIGINT) AS bytes FROM pragma_page_count(), pragma_page_size()"
        }
        Kind::Postgres => "SELECT pg_database_size(current_database()) AS bytes",
    }
}

/// Text as both databases take it: PostgreSQL has no NUL in texts.
pub(crate) fn clean(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

/// A statement with its values. Its text is put together from constants and `$1, $2, …` only.
pub(crate) struct Statement {
    text: String,
    arguments: AnyArguments,
    failed: Option<sqlx::error::BoxDynError>,
    /// False once the text depends on how many values there are: then preparing it for later is a waste.
    persistent: bool,
}

impl Statement {
    /// Starts with a text that may already hold `$1`, `$2`, …, to be bound in this order.
    pub(crate) fn new(text: &'static str) -> Self {
        Self { text: text.to_owned(), arguments: AnyArguments::default(), failed: None, persistent: true }
    }

    /// Binds the next value whose placeholder is in the text.
    pub(crate) fn bind<'t, T: Encode<'t, sqlx::Any> + Type<sqlx::Any>>(mut self, value: T) -> Self {
        self.add(value);
        self
    }

    /// Continues the text.
    pub(crate) fn push(mut self, text: &'static str) -> Self {
        self.text.push_str(text);
        self
    }

    /// Continues with a placeholder for this value.
    pub(crate) fn push_bind<'t, T: Encode<'t, sqlx::Any> + Type<sqlx::Any>>(mut self, value: T) -> Self {
        self.place(value);
        self
    }

    /// Continues with `($1, $2, …)`.
    pub(crate) fn push_list<'t, T: Encode<'t, sqlx::Any> + Type<sqlx::Any>>(
        mut self,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        self.persistent = false;
        self.text.push('(');
        for (index, value) in values.into_iter().enumerate() {
            if index > 0 {
                self.text.push_str(", ");
            }
            self.place(value);
        }
        self.text.push(')');
        self
    }

    /// Continues with ` (a, b, …) `: names of columns of our own tables.
    pub(crate) fn push_names<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> Self {
        self.persistent = false;
        self.text.push_str(" (");
        for (index, name) in names.into_iter().enumerate() {
            if index > 0 {
                self.text.push_str(", ");
            }
            self.text
                .extend(name.chars().filter(|letter| letter.is_ascii_lowercase() || matches!(letter, '_' | '0'..='9')));
        }
        self.text.push_str(") ");
        self
    }

    /// Continues with `VALUES ($1, $2), ($3, $4), …`.
    pub(crate) fn push_rows<R>(
        mut self,
        rows: impl IntoIterator<Item = R>,
        values: impl Fn(R, &mut Tuple<'_>),
    ) -> Self {
        self.persistent = false;
        self.text.push_str("VALUES ");
        for (index, row) in rows.into_iter().enumerate() {
            self.text.push_str(if index > 0 { ", (" } else { "(" });
            values(row, &mut Tuple { statement: &mut self, first: true });
            self.text.push(')');
        }
        self
    }

    fn place<'t, T: Encode<'t, sqlx::Any> + Type<sqlx::Any>>(&mut self, value: T) {
        self.add(value);
        // Writing to a string cannot fail.
        let _ = write!(self.text, "${}", self.arguments.len());
    }

    fn add<'t, T: Encode<'t, sqlx::Any> + Type<sqlx::Any>>(&mut self, value: T) {
        if let Err(error) = self.arguments.add(value) {
            self.failed.get_or_insert(error);
        }
    }

    /// Runs it and returns how many rows it changed.
    pub(crate) async fn execute(self, connection: &mut AnyConnection) -> Result<u64, Error> {
        if let Some(error) = self.failed {
            return Err(Error::Database(sqlx::Error::Encode(error)));
        }
        let text = as_spoken(self.text, connection);
        let query = sqlx::query_with(AssertSqlSafe(text), self.arguments).persistent(self.persistent);
        Ok(query.execute(connection).await?.rows_affected())
    }

    /// Runs it and insists that exactly one row of `table` changed.
    pub(crate) async fn execute_one(self, connection: &mut AnyConnection, table: &'static str) -> Result<(), Error> {
        if self.execute(connection).await? == 1 { Ok(()) } else { Err(Error::Moved { table }) }
    }

    /// Runs it and returns its rows.
    pub(crate) async fn rows(self, connection: &mut AnyConnection) -> Result<Vec<AnyRow>, Error> {
        if let Some(error) = self.failed {
            return Err(Error::Database(sqlx::Error::Encode(error)));
        }
        let text = as_spoken(self.text, connection);
        let query = sqlx::query_with(AssertSqlSafe(text), self.arguments).persistent(self.persistent);
        Ok(query.fetch_all(connection).await?)
    }
}

/// The text as the database of this connection reads it fastest.
fn as_spoken(text: String, connection: &AnyConnection) -> String {
    if connection.backend_name() == "SQLite" { without_numbers(&text).unwrap_or(text) } else { text }
}

/// `?, ?, …` in place of `$1, $2, …`, where they stand in this order. SQLite takes `$1` for a name, and looks through all names that came
/// before for each: a thousand values are then a million comparisons, twice.
fn without_numbers(text: &str) -> Option<String> {
    let mut parts = text.split('$');
    let mut written = String::with_capacity(text.len());
    written.push_str(parts.next()?);
    for (index, part) in parts.enumerate() {
        let end = part.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(part.len());
        let (number, rest) = part.split_at(end);
        if number.parse() != Ok(index + 1) {
            return None;
        }
        written.push('?');
        written.push_str(rest);
    }
    Some(written)
}

/// One row of [`Statement::push_rows`].
pub(crate) struct Tuple<'s> {
    statement: &'s mut Statement,
    first: bool,
}

impl Tuple<'_> {
    /// The next value of the row.
    pub(crate) fn bind<'t, T: Encode<'t, sqlx::Any> + Type<sqlx::Any>>(&mut self, value: T) -> &mut Self {
        self.separate();
        self.statement.place(value);
        self
    }

    /// No value in this column, whatever its type.
    pub(crate) fn null(&mut self) -> &mut Self {
        self.separate();
        self.statement.text.push_str("NULL");
        self
    }

    fn separate(&mut self) {
        if !self.first {
            self.statement.text.push_str(", ");
        }
        self.first = false;
    }
}

#[cfg(test)]
mod tests {
    use super::without_numbers;

    #[test]
    fn values_in_their_order_need_no_numbers() {
        let plain = without_numbers("SELECT a FROM t WHERE b = $1 AND c IN ($2, $3) LIMIT $4");
        assert_eq!(plain.as_deref(), Some("SELECT a FROM t WHERE b = ? AND c IN (?, ?) LIMIT ?"));
        assert_eq!(without_numbers("SELECT 1").as_deref(), Some("SELECT 1"));
    }

    #[test]
    fn a_value_that_comes_twice_or_early_keeps_every_number() {
        assert_eq!(without_numbers("UPDATE t SET a = $2 WHERE b = $1"), None);
        assert_eq!(without_numbers("SELECT $1, $1"), None);
        assert_eq!(without_numbers("SELECT '$', $1"), None);
    }
}
