//! What can be wrong with the configuration, each as one sentence with the way out.

use std::path::{Path, PathBuf};

/// A complaint about the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration file {} cannot be read; give its place with --config, or copy config.example.toml there", path.display())]
    Unreadable {
        /// Where it was looked for.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Not TOML, a wrong type, or an unknown key.
    #[error("the configuration does not parse: line {line}: {problem}")]
    Syntax {
        /// Where, counted from 1.
        line: usize,
        /// What is wrong; never the text of the line, which may hold a secret.
        problem: String,
    },
    /// A value that cannot be used.
    #[error("{key} {problem}")]
    Value {
        /// The key, with its section.
        key: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// One of the above, with the file it is in.
    #[error("{}: {error}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// The complaint.
        error: Box<ConfigError>,
    },
}

impl ConfigError {
    /// A complaint about one value.
    pub fn value(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Value { key: key.into(), problem: problem.into() }
    }

    pub(super) fn in_file(self, path: &Path) -> Self {
        Self::InFile { path: path.to_owned(), error: Box::new(self) }
    }
}
