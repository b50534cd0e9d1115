//! One process per SQLite file: a lock that the operating system gives back when a process dies, so that the next one need
//! not wait until the dead one's lease runs out.

use std::fs::{File, TryLockError};
use std::path::PathBuf;

/// The right to work on a database.
#[derive(Debug)]
pub enum Alone {
    /// No other process works on this SQLite file as long as this value lives.
    Yes(File),
    /// The database may be shared, as on PostgreSQL: leases decide.
    Shared,
}

/// Why the right was not given.
#[derive(Debug, thiserror::Error)]
pub enum NotAlone {
    /// Somebody else has it.
    #[error("another ml-connector works on this database ({}): stop it first", .0.display())]
    Taken(PathBuf),
    /// The lock file cannot be used.
    #[error("the lock file {} cannot be used", path.display())]
    Unusable {
        /// Where it is.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl Alone {
    /// Takes the lock beside a SQLite file; other databases need none.
    pub fn take(database_url: &str) -> Result<Self, NotAlone> {
        let Some(path) = database_url.strip_prefix("sqlite:").filter(|path| !path.starts_with(':')) else {
            return Ok(Self::Shared);
        };
        let path = PathBuf::from(format!("{path}.lock"));
        let unusable = |source| NotAlone::Unusable { path: path.clone(), source };
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self::Yes(file)),
            Err(TryLockError::WouldBlock) => Err(NotAlone::Taken(path)),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }

    /// Whether no other process can be at work.
    pub fn is_certain(&self) -> bool {
        matches!(self, Self::Yes(_))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_second_one_is_told_and_the_lock_is_free_once_the_first_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("a.db").display());
        let first = Alone::take(&url).unwrap();
        assert!(first.is_certain());
        assert!(matches!(Alone::take(&url), Err(NotAlone::Taken(_))));
        drop(first);
        assert!(Alone::take(&url).unwrap().is_certain());
        assert!(!Alone::take("postgres://x/y").unwrap().is_certain());
    }
}
