//! The audit trail: one entry per change, each hashed together with the hash before it.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Separates these hashes from any other use of SHA-256.
const DOMAIN: &[u8] = b"ml-connector/audit/1";

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The connector itself, with its version.
    Engine(String),
    /// A person at the command line, by operating system name.
    Person(String),
    /// A token of the admin API, by its name: beside the entry of the person that it counts as.
    Token(String),
}

impl Actor {
    /// One text, as stored: `engine:0.1.0`, `person:kim` or `token:nightly`.
    pub fn to_text(&self) -> String {
        match self {
            Self::Engine(version) => format!("engine:{version}"),
            Self::Person(name) => format!("person:{name}"),
            Self::Token(name) => format!("token:{name}"),
        }
    }
}

/// What is to be written to the trail: everything but its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Stable name of what happened, such as `document_created`.
    pub action: String,
    /// What it happened to: a record id, a job, or the connection.
    pub subject: String,
    /// State before, if the subject has one.
    pub before: Option<String>,
    /// State after.
    pub after: Option<String>,
    /// Facts as a JSON object: reasons, numbers, request ids; never a secret.
    pub detail: serde_json::Value,
}

/// One entry in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Counts from 1 without gaps, per connection.
    pub seq: i64,
    /// Milliseconds since 1970, UTC.
    pub at_ms: i64,
    /// Who did it, as [`Actor::to_text`] writes it.
    pub actor: String,
    /// Stable name of what happened.
    pub action: String,
    /// What it happened to.
    pub subject: String,
    /// State before.
    pub before: Option<String>,
    /// State after.
    pub after: Option<String>,
    /// JSON text exactly as stored.
    pub detail: String,
    /// Hash of the entry before; 64 zeros for the first.
    pub previous: String,
    /// Hash of this entry, lower-case hex.
    pub hash: String,
}

/// The hash that stands before the first entry.
pub fn genesis() -> String {
    "0".repeat(64)
}

impl Entry {
    /// The hash that this entry must carry: SHA-256 over its fields, each with its length in front.
    pub fn expected_hash(&self, connection: &str) -> String {
        let mut hasher = Sha256::new();
        hasher.update(DOMAIN);
        let mut field = |value: Option<&[u8]>| match value {
            None => hasher.update([0]),
            Some(bytes) => {
                hasher.update([1]);
                hasher.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
                hasher.update(bytes);
            }
        };
        field(Some(connection.as_bytes()));
        field(Some(&self.seq.to_be_bytes()));
        field(Some(&self.at_ms.to_be_bytes()));
        field(Some(self.actor.as_bytes()));
        field(Some(self.action.as_bytes()));
        field(Some(self.subject.as_bytes()));
        field(self.before.as_deref().map(str::as_bytes));
        field(self.after.as_deref().map(str::as_bytes));
        field(Some(self.detail.as_bytes()));
        field(Some(self.previous.as_bytes()));
        data_encoding::HEXLOWER.encode(&hasher.finalize())
    }
}

/// A statement that a chain had a certain head at a certain time. Signed and kept outside the database, it shows what the
/// chain alone cannot: that its end was cut off, or that all of it was written anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Whose chain.
    pub connection: String,
    /// Sequence number of the head.
    pub seq: i64,
    /// Hash of the head, lower-case hex.
    pub hash: String,
    /// Milliseconds since 1970, UTC.
    pub at_ms: i64,
}

impl Checkpoint {
    /// The bytes that are signed: a prefix of their own, then each field with its length in front.
    pub fn to_signed_bytes(&self) -> Vec<u8> {
        let mut bytes = b"ml-connector/checkpoint/1".to_vec();
        let (seq, at_ms) = (self.seq.to_be_bytes(), self.at_ms.to_be_bytes());
        for field in [self.connection.as_bytes(), &seq, self.hash.as_bytes(), &at_ms] {
            bytes.extend(u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
            bytes.extend(field);
        }
        bytes
    }
}

/// The first place where a chain is broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A sequence number is missing or repeated.
    #[error("entry {expected} is missing: {found} follows")]
    Gap {
        /// The number that should have come.
        expected: i64,
        /// The number that came.
        found: i64,
    },
    /// The link to the entry before does not fit.
    #[error("entry {0} does not follow from the entry before it")]
    Link(i64),
    /// The content does not fit its hash.
    #[error("entry {0} was changed after it was written")]
    Content(i64),
}

/// Walks a chain entry by entry.
#[derive(Clone, Debug)]
pub struct Verifier {
    connection: String,
    seq: i64,
    hash: String,
}

impl Verifier {
    /// Starts before the first entry of a connection's chain.
    pub fn new(connection: &str) -> Self {
        Self { connection: connection.to_owned(), seq: 0, hash: genesis() }
    }

    /// Starts behind an entry that is known to be good.
    pub fn after(connection: &str, seq: i64, hash: &str) -> Self {
        Self { connection: connection.to_owned(), seq, hash: hash.to_owned() }
    }

    /// Checks the next entry.
    pub fn check(&mut self, entry: &Entry) -> Result<(), Broken> {
        let expected = self.seq.saturating_add(1);
        if entry.seq != expected {
            return Err(Broken::Gap { expected, found: entry.seq });
        }
        if entry.previous != self.hash {
            return Err(Broken::Link(entry.seq));
        }
        if entry.hash != entry.expected_hash(&self.connection) {
            return Err(Broken::Content(entry.seq));
        }
        self.seq = entry.seq;
        self.hash.clone_from(&entry.hash);
        Ok(())
    }

    /// Sequence number and hash of the last good entry.
    pub fn head(&self) -> (i64, &str) {
        (self.seq, &self.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(n: i64) -> Vec<Entry> {
        let mut previous = genesis();
        (1..=n)
            .map(|seq| {
                let mut entry = Entry {
                    seq,
                    at_ms: 1_000 * seq,
                    actor: "engine:test".to_owned(),
                    action: "received".to_owned(),
                    subject: format!("accr_{seq}"),
                    before: None,
                    after: Some("resolve_vendor".to_owned()),
                    detail: "{}".to_owned(),
                    previous: previous.clone(),
                    hash: String::new(),
                };
                entry.hash = entry.expected_hash("main");
                previous.clone_from(&entry.hash);
                entry
            })
            .collect()
    }

    fn first_break(entries: &[Entry]) -> Option<Broken> {
        let mut verifier = Verifier::new("main");
        entries.iter().find_map(|e| verifier.check(e).err())
    }

    #[test]
    fn an_untouched_chain_verifies() {
        assert_eq!(first_break(&chain(5)), None);
    }

    #[test]
    fn an_edit_a_removal_and_a_swap_are_each_found_where_they_are() {
        let mut edited = chain(5);
        edited[2].subject = "accr_9".to_owned();
        assert_eq!(first_break(&edited), Some(Broken::Content(3)));

        let mut removed = chain(5);
        removed.remove(2);
        assert_eq!(first_break(&removed), Some(Broken::Gap { expected: 3, found: 4 }));

        let mut rehashed = chain(5);
        rehashed[2].detail = "{\"x\":1}".to_owned();
        rehashed[2].hash = rehashed[2].expected_hash("main");
        assert_eq!(first_break(&rehashed), Some(Broken::Link(4)));
    }

    #[test]
    fn a_chain_belongs_to_its_connection() {
        let entries = chain(1);
        assert_eq!(Verifier::new("other").check(&entries[0]), Err(Broken::Content(1)));
    }
}
