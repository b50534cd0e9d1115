//! `[connection.drift]`: what is told about changes after the export.

use serde::Deserialize;

use super::ConfigError;

/// Whether a kind of change is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// It stands in the trail, and in `attention` where a person has to look.
    Report,
    /// Nothing is said.
    Ignore,
}

/// The watch over documents of exported records.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DriftSection {
    /// Days after the export during which documents are looked at.
    pub days: u32,
    /// The document is no longer as planned.
    pub edited: Told,
    /// The document was posted.
    pub posted: Told,
    /// The document is gone.
    pub deleted: Told,
    /// The record was edited in Brex.
    pub record_edited: Told,
}

impl Default for DriftSection {
    fn default() -> Self {
        let told = Told::Report;
        Self { days: 30, edited: told, posted: told, deleted: told, record_edited: told }
    }
}

impl DriftSection {
    pub(super) fn check(&self, key: &dyn Fn(&str) -> String) -> Result<(), ConfigError> {
        match self.days {
            0..=366 => Ok(()),
            _ => Err(ConfigError::value(key("drift.days"), "must be 0 to 366")),
        }
    }
}
