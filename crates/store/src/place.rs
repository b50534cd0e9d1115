//! Where the database is: reads the address, and names the place without a password.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sqlx::any::AnyConnectOptions;

use crate::error::Error;

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One file, or memory.
    Sqlite,
    /// A server.
    Postgres,
}

/// An address that has been read.
#[derive(Clone)]
pub(crate) enum Place {
    /// A file.
    File { path: PathBuf, name: String },
    /// Memory of this process, for tests.
    Memory,
    /// A PostgreSQL server; the options hold the password.
    Server { options: AnyConnectOptions, name: String },
}

impl Place {
    /// Reads `sqlite:PATH`, `sqlite::memory:` or `postgres://…`.
    pub(crate) fn of_url(url: &str) -> Result<Self, Error> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path == ":memory:" {
                return Ok(Self::Memory);
            }
            if path.is_empty() {
                return Err(Error::UnknownAddress { place: "sqlite:".to_owned() });
            }
            let absolute = std::path::absolute(path)
                .map_err(|source| Error::Unreachable { place: path.to_owned(), source: Box::new(source) })?;
            return Ok(Self::File { name: absolute.display().to_string(), path: absolute });
        }
        let scheme = url.split(':').next().unwrap_or_default();
        if !matches!(scheme, "postgres" | "postgresql") {
            // Whatever stands behind the colon may be a password.
            return Err(Error::UnknownAddress { place: format!("{scheme}:…") });
        }
        // The parser's error may quote the address, so it is not passed on.
        let options =
            AnyConnectOptions::from_str(url).map_err(|_| Error::UnknownAddress { place: format!("{scheme}:…") })?;
        let parsed = &options.database_url;
        if parsed.path().contains('@') || parsed.fragment().is_some() {
            // A / or # of a password that is not written as %2F or %23: the rest of it would be taken for host and name.
            return Err(Error::UnknownAddress { place: format!("{scheme}:…") });
        }
        let host = parsed.host_str().unwrap_or("localhost");
        let port = parsed.port().map(|port| format!(":{port}")).unwrap_or_default();
        let name = format!("postgres://{host}{port}{}", parsed.path());
        Ok(Self::Server { options, name })
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::File { .. } | Self::Memory => Kind::Sqlite,
            Self::Server { .. } => Kind::Postgres,
        }
    }

    /// Path, or host and database name.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::File { name, .. } | Self::Server { name, .. } => name,
            Self::Memory => ":memory:",
        }
    }

    /// The options to connect with.
    pub(crate) fn options(&self) -> Result<AnyConnectOptions, Error> {
        match self {
            Self::File { path, .. } => Ok(AnyConnectOptions::from_str(&file_url(path))?),
            Self::Memory => Ok(AnyConnectOptions::from_str("sqlite::memory:")?),
            Self::Server { options, .. } => Ok(options.clone()),
        }
    }
}

/// The path with everything escaped that has a meaning in a URL.
fn file_url(path: &Path) -> String {
    let mut url = String::from("sqlite://");
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(byte) {
            url.push(char::from(*byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(url, "%{byte:02X}");
        }
    }
    url
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_servers_name_never_holds_the_password() {
        let place = Place::of_url("postgres://kim:s3cret@db.example:6432/books?password=s3cret").unwrap();
        assert_eq!(place.name(), "postgres://db.example:6432/books");
        let error = Place::of_url("mysql://kim:s3cret@db.example/books").err().unwrap();
        assert!(!error.to_string().contains("s3cret"));
        for address in ["postgres://kim:12/s3cret@db.example/books", "postgres://kim:12#s3cret@db.example/books"] {
            let error = Place::of_url(address).err().unwrap().to_string();
            assert!(!error.contains("12") && !error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn a_path_may_hold_what_has_a_meaning_in_a_url() {
        assert_eq!(file_url(Path::new("/a b/c#1?.db")), "sqlite:///a%20b/c%231%3F.db");
    }
}
