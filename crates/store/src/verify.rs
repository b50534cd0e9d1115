//! Verifies a connection's audit chain, page by page, on one state of the database.

use domain::audit::{self, Verifier, genesis};
use domain::id::ConnectionId;

use crate::audit::{Audit, head, page, read};
use crate::error::Error;

/// Entries read at once.
const PAGE: i64 = 1_000;

/// What a look at the whole chain says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chain {
    /// Every entry follows from the one before, and the last one is the head.
    Verified {
        /// Number of entries.
        entries: i64,
        /// Hash of the last one.
        head: String,
    },
    /// The chain is broken.
    Broken(Break),
}

/// Where a chain is broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    /// At an entry.
    #[error(transparent)]
    Entry(audit::Broken),
    /// At its end: entries were cut off or added, or the head was changed.
    #[error("the trail ends with entry {last}, but its head says {head}")]
    Head {
        /// The last entry that is there.
        last: i64,
        /// The last entry according to the head.
        head: i64,
    },
}

impl Break {
    /// How many entries are good before it.
    pub fn good_entries(&self) -> i64 {
        match self {
            Self::Entry(
                audit::Broken::Gap { expected: seq, .. }
                | audit::Broken::Link(seq)
                | audit::Broken::Content(seq)
                | audit::Broken::Erased(seq),
            ) => seq.saturating_sub(1),
            Self::Head { last, .. } => *last,
        }
    }
}

impl Audit<'_> {
    /// Walks the whole chain.
    pub async fn verify(&self, connection: &ConnectionId) -> Result<Chain, Error> {
        // From the lowest number there can be, so that an entry slipped in before the first one is found too.
        self.walk(connection, i64::MIN, Verifier::new(connection.as_str())).await
    }

    /// Walks the part of the chain behind an entry that is known to be good.
    pub async fn verify_after(&self, connection: &ConnectionId, seq: i64, hash: &str) -> Result<Chain, Error> {
        self.walk(connection, seq, Verifier::after(connection.as_str(), seq, hash)).await
    }

    async fn walk(&self, connection: &ConnectionId, from: i64, mut verifier: Verifier) -> Result<Chain, Error> {
        let walked = async {
            let mut tx = self.db.begin_snapshot().await?;
            let mut after = from;
            loop {
                let rows = page(connection, after, PAGE).rows(&mut tx).await?;
                if rows.is_empty() {
                    break;
                }
                for row in &rows {
                    if let Err(broken) = verifier.check(&read(row)?) {
                        return Ok(Chain::Broken(Break::Entry(broken)));
                    }
                }
                after = verifier.head().0;
            }
            if let Err(broken) = verifier.end() {
                return Ok(Chain::Broken(Break::Entry(broken)));
            }
            let (last, last_hash) = verifier.head();
            let (seq, hash) = head(&mut tx, connection).await?.unwrap_or_else(|| (0, genesis()));
            tx.commit().await?;
            if seq == last && hash == last_hash {
                Ok(Chain::Verified { entries: last, head: hash })
            } else {
                Ok(Chain::Broken(Break::Head { last, head: seq }))
            }
        };
        walked.await.map_err(|error: Error| error.at(&self.db.place))
    }
}
