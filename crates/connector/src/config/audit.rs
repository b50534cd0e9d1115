//! `[audit]`: where the checkpoints of the audit trail are kept, and the key that signs them.

use std::path::PathBuf;

use serde::Deserialize;

use super::ConfigError;

/// The signed checkpoints.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditSection {
    /// File of the signing key; made at the first start. It belongs outside the database and its backups.
    pub key: PathBuf,
    /// File to which checkpoints are added.
    pub checkpoints: PathBuf,
    /// Minutes between two checkpoints.
    pub checkpoint_minutes: u32,
}

impl Default for AuditSection {
    fn default() -> Self {
        Self { key: "audit.key".into(), checkpoints: "audit-checkpoints.jsonl".into(), checkpoint_minutes: 15 }
    }
}

impl AuditSection {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        match self.checkpoint_minutes {
            1..=1_440 => Ok(()),
            _ => Err(ConfigError::value("audit.checkpoint_minutes", "must be 1 to 1440")),
        }
    }
}
