//! What can go wrong with the store, in words a person can act on, and how the databases' codes map to it.

use crate::place::{Kind, Place};

type Source = Box<dyn std::error::Error + Send + Sync>;

/// The store could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is of no database that is known here.
    #[error("{place} is not the address of a database: use sqlite:PATH or postgres://USER@HOST/DATABASE")]
    UnknownAddress {
        /// The start of the address.
        place: String,
    },
    /// The file cannot be opened, or the server cannot be reached or refuses us.
    #[error("the database {place} cannot be reached: check that it exists, is running and lets us in")]
    Unreachable {
        /// Path or host, never a password.
        place: String,
        /// What was said.
        #[source]
        source: Source,
    },
    /// The file is no database, or its pages contradict each other.
    #[error("the file {path} is not a database or is damaged: restore it from a backup")]
    Damaged {
        /// The file.
        path: String,
    },
    /// A newer version of this program has written the database.
    #[error(
        "the database {place} has schema {found} and this version knows {known}: install the version that wrote it, or a newer one"
    )]
    NewerSchema {
        /// Path or host.
        place: String,
        /// Schema version in the database.
        found: i64,
        /// Newest schema version of this program.
        known: i64,
    },
    /// The data was moved to another database.
    #[error("the data of {place} was moved to {to}: name that one in the configuration")]
    Left {
        /// Path or host.
        place: String,
        /// Path or host that it was moved to.
        to: String,
    },
    /// The target of a copy has other data already.
    #[error("the database {place} is not empty, its table {table} has rows: copy into a new one")]
    NotEmpty {
        /// Path or host.
        place: String,
        /// The first table with rows.
        table: &'static str,
    },
    /// What was copied reads back as something else.
    #[error(
        "the table {table} reads back from {place} as something else than was written: nothing was kept; copy again"
    )]
    CopyDiffers {
        /// Path or host.
        place: String,
        /// The table.
        table: &'static str,
    },
    /// A setting that durability depends on could not be made.
    #[error("the database {place} does not keep the setting {setting}: it has {found} instead of {wanted}")]
    Setting {
        /// Path or host.
        place: String,
        /// Name of the setting.
        setting: &'static str,
        /// What it must be.
        wanted: &'static str,
        /// What it is.
        found: String,
    },
    /// Reading works, writing does not.
    #[error("the database {place} cannot be written: check the owner and the mode of the file and its folder")]
    ReadOnly {
        /// Path or host.
        place: String,
    },
    /// No space is left.
    #[error("the disk under the database {place} is full: free space, nothing was lost")]
    Full {
        /// Path or host.
        place: String,
    },
    /// The disk, or the system below it, does not do what it is told.
    #[error("the disk under the database {place} fails: look into the system's log; nothing was sent that is not kept")]
    Disk {
        /// Path or host.
        place: String,
    },
    /// Somebody else holds a lock for too long.
    #[error("the database {place} is busy: another process holds it for too long")]
    Busy {
        /// Path or host.
        place: String,
    },
    /// Another process has the lane now; nothing was written.
    #[error("the lease of the lane is lost: another process works on it")]
    LostLease,
    /// A row that this version cannot read.
    #[error("the column {column} of the row {row} in the table {table} cannot be read")]
    BrokenRow {
        /// Table.
        table: &'static str,
        /// Column.
        column: &'static str,
        /// Key of the row.
        row: String,
    },
    /// A change names another connection than the one it is written for.
    #[error("the record {record} belongs to another connection")]
    ForeignRecord {
        /// The record.
        record: String,
    },
    /// The record has an open intent already; a second one could make a second document.
    #[error("the record {record} already has an open intent")]
    IntentOpen {
        /// The record.
        record: String,
    },
    /// The intent is settled or was never opened.
    #[error("the record {record} has no open intent {attempt}")]
    NoOpenIntent {
        /// The record.
        record: String,
        /// The attempt.
        attempt: i64,
    },
    /// A row is not there or changed between reading and writing it.
    #[error("a row of the table {table} is missing or was changed meanwhile")]
    Moved {
        /// Table.
        table: &'static str,
    },
    /// Secrets are sealed under a key that is not at hand.
    #[error(
        "the database {place} holds secrets that the key {needed} seals, and the key at hand is {found}: bring back the key {needed} \
         (see docs/secrets.md)"
    )]
    KeyMissing {
        /// Path or host.
        place: String,
        /// Id of the key that is needed.
        needed: String,
        /// Ids of the keys at hand.
        found: String,
    },
    /// A sealed secret or data key was changed, or copied from another row.
    #[error(
        "the row {row} of the table {table} was not sealed as it stands there: it was changed or copied; connect again"
    )]
    NotSealed {
        /// Table.
        table: &'static str,
        /// Key of the row.
        row: String,
    },
    /// A secret is sealed for one host and asked for to be sent to another one.
    #[error(
        "the {system} {purpose} of connection {connection} is sealed for {sealed_for}, not for {host}: connect again"
    )]
    OtherHost {
        /// Connection.
        connection: String,
        /// System that it is for.
        system: String,
        /// What it is for.
        purpose: String,
        /// The host that it may go to.
        sealed_for: String,
        /// The host that it was asked for.
        host: String,
    },
    /// The operating system gives no random numbers, so nothing can be sealed.
    #[error("the operating system gives no random numbers")]
    NoRandomness,
    /// Anything else that the database said.
    #[error("the database refused a statement")]
    Database(#[from] sqlx::Error),
}

/// What a database's code means for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Unreachable,
    Damaged,
    ReadOnly,
    Full,
    Disk,
    Busy,
    Repeat,
    Other,
}

/// SQLite: the extended result code as a decimal number, whose low byte is the primary code.
fn sqlite_meaning(code: &str) -> Meaning {
    match code.parse::<i64>().map(|code| code & 0xff) {
        Ok(5 | 6) => Meaning::Busy,
        Ok(8) => Meaning::ReadOnly,
        Ok(10) => Meaning::Disk,
        Ok(11 | 26) => Meaning::Damaged,
        Ok(13) => Meaning::Full,
        Ok(14) => Meaning::Unreachable,
        _ => Meaning::Other,
    }
}

/// PostgreSQL: SQLSTATE.
fn postgres_meaning(code: &str) -> Meaning {
    match code {
        "40001" | "40P01" => Meaning::Repeat,
        "53100" => Meaning::Full,
        "58030" => Meaning::Disk,
        "25006" => Meaning::ReadOnly,
        "53300" | "55P03" => Meaning::Busy,
        "28000" | "28P01" | "3D000" | "57P01" | "57P02" | "57P03" => Meaning::Unreachable,
        _ if code.starts_with("08") => Meaning::Unreachable,
        _ => Meaning::Other,
    }
}

fn meaning(kind: Kind, error: &sqlx::Error) -> Meaning {
    match error {
        sqlx::Error::Database(database) => match (database.code(), kind) {
            (Some(code), Kind::Sqlite) => sqlite_meaning(&code),
            (Some(code), Kind::Postgres) => postgres_meaning(&code),
            (None, _) => Meaning::Other,
        },
        sqlx::Error::PoolTimedOut => match kind {
            Kind::Sqlite => Meaning::Busy,
            Kind::Postgres => Meaning::Unreachable,
        },
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
            Meaning::Unreachable
        }
        _ => Meaning::Other,
    }
}

impl Error {
    /// True when the same transaction may well succeed now: a deadlock, or a row that moved.
    pub(crate) fn is_worth_repeating(&self, kind: Kind) -> bool {
        match self {
            Self::Database(error) => meaning(kind, error) == Meaning::Repeat,
            Self::Moved { .. } => true,
            _ => false,
        }
    }

    /// Gives a bare database error its meaning and its place.
    pub(crate) fn at(self, place: &Place) -> Self {
        let Self::Database(error) = self else { return self };
        let name = place.name().to_owned();
        match meaning(place.kind(), &error) {
            Meaning::Unreachable => Self::Unreachable { place: name, source: Box::new(error) },
            Meaning::Damaged => Self::Damaged { path: name },
            Meaning::ReadOnly => Self::ReadOnly { place: name },
            Meaning::Full => Self::Full { place: name },
            Meaning::Disk => Self::Disk { place: name },
            Meaning::Busy | Meaning::Repeat => Self::Busy { place: name },
            Meaning::Other => Self::Database(error),
        }
    }

    /// Gives a failed file operation its meaning.
    pub(crate) fn of_file(error: std::io::Error, place: &Place) -> Self {
        use std::io::ErrorKind;
        let name = place.name().to_owned();
        match error.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { place: name },
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full { place: name },
            _ => Self::Unreachable { place: name, source: Box::new(error) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extended_codes_of_sqlite_mean_what_their_primary_code_means() {
        assert_eq!(sqlite_meaning("5"), Meaning::Busy);
        assert_eq!(sqlite_meaning("517"), Meaning::Busy);
        assert_eq!(sqlite_meaning("1032"), Meaning::ReadOnly);
        assert_eq!(sqlite_meaning("13"), Meaning::Full);
        assert_eq!(sqlite_meaning("1034"), Meaning::Disk);
        assert_eq!(sqlite_meaning("26"), Meaning::Damaged);
        assert_eq!(sqlite_meaning("267"), Meaning::Damaged);
        assert_eq!(sqlite_meaning("2067"), Meaning::Other);
    }

    #[test]
    fn only_deadlocks_and_serialization_failures_of_postgres_are_repeated() {
        assert_eq!(postgres_meaning("40P01"), Meaning::Repeat);
        assert_eq!(postgres_meaning("40001"), Meaning::Repeat);
        assert_eq!(postgres_meaning("53100"), Meaning::Full);
        assert_eq!(postgres_meaning("08006"), Meaning::Unreachable);
        assert_eq!(postgres_meaning("23505"), Meaning::Other);
    }
}
