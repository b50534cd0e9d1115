//! `[connection.post]`: whether drafts are posted.

use serde::Deserialize;

/// Posting. Off unless switched on: drafts stay drafts, and a person posts them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PostSection {
    /// Whether a document is posted once it was compared and has its receipts.
    pub enabled: bool,
}
