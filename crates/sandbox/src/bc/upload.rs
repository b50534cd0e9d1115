//! The bytes of a stream property: hashed as they arrive, and kept only up to a bound, so that memory stays flat.

use axum::body::Body;
use data_encoding::{BASE64, HEXLOWER};
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::error::Refusal;

/// Contents up to this size can be read back.
pub(crate) const KEPT: usize = 1024 * 1024;

/// Contents that were sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Upload {
    pub(crate) size: u64,
    /// Lower-case hexadecimal digits.
    pub(crate) sha256: String,
    /// Base64; absent beyond [`KEPT`].
    content: Option<String>,
}

impl Default for Upload {
    fn default() -> Self {
        Self { size: 0, sha256: HEXLOWER.encode(&Sha256::digest([])), content: Some(String::new()) }
    }
}

impl Upload {
    /// The bytes, if they were kept.
    pub(crate) fn bytes(&self) -> Option<Vec<u8>> {
        BASE64.decode(self.content.as_ref()?.as_bytes()).ok()
    }

    /// Contents that are in memory already.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let content = (bytes.len() <= KEPT).then(|| BASE64.encode(bytes));
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Self { size, sha256: HEXLOWER.encode(&Sha256::digest(bytes)), content }
    }

    /// Reads a body to its end, or to one byte more than `maximum`.
    pub(crate) async fn read(body: Body, maximum: u64) -> Result<Self, Refusal> {
        let mut stream = body.into_data_stream();
        let (mut size, mut hash, mut kept) = (0_u64, Sha256::new(), Some(Vec::new()));
        while let Some(part) = stream.next().await {
            let part = part.map_err(|_| Refusal::bad_request("Invalid Request Body"))?;
            size = size.saturating_add(u64::try_from(part.len()).unwrap_or(u64::MAX));
            if size > maximum {
                return Err(Refusal::body_too_large());
            }
            hash.update(&part);
            kept = kept.filter(|kept| kept.len() + part.len() <= KEPT);
            if let Some(kept) = &mut kept {
                kept.extend_from_slice(&part);
            }
        }
        let content = kept.map(|kept| BASE64.encode(&kept));
        Ok(Self { size, sha256: HEXLOWER.encode(&hash.finalize()), content })
    }
}

/// Whether a path leads to the contents of an attachment.
pub(crate) fn is_content(path: &str) -> bool {
    path.trim_end_matches('/').ends_with("/attachmentContent")
}
