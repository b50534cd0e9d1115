//! The audit trail: one entry per change, each hashed together with the hash before it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Separates these hashes from any other use of SHA-256.
const DOMAIN: &[u8] = b"ml-connector/audit/1";
/// The same for entries whose detail has a seal.
const SEALED_DOMAIN: &[u8] = b"ml-connector/audit/2";
/// The same for the seals.
const DETAIL_DOMAIN: &[u8] = b"ml-connector/audit-detail/1";

/// What happened when details of a subject were erased; such an entry is never erased itself.
pub const ERASURE: &str = "personal_data_erased";
/// What stands in place of a detail that was erased.
pub const ERASED: &str = "{}";

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
    /// What the hash is made over in place of the detail; none on entries of before there were seals.
    pub seal: Option<Seal>,
    /// Hash of the entry before; 64 zeros for the first.
    pub previous: String,
    /// Hash of this entry, lower-case hex.
    pub hash: String,
}

/// Stands for a detail in the chain, so that the detail can be erased and the chain still be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// SHA-256 over salt and detail, lower-case hex.
    pub digest: String,
    /// Random, lower-case hex, so that nobody finds an erased detail by trying; erased with it.
    pub salt: Option<String>,
}

impl Seal {
    /// The seal of a detail.
    pub fn over(detail: &str, salt: String) -> Self {
        Self { digest: Self::digest(detail, &salt), salt: Some(salt) }
    }

    fn digest(detail: &str, salt: &str) -> String {
        let mut hasher = Sha256::new();
        hasher.update(DETAIL_DOMAIN);
        for text in [salt, detail] {
            hasher.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(text.as_bytes());
        }
        data_encoding::HEXLOWER.encode(&hasher.finalize())
    }

    /// Whether the detail is the one that was sealed, or was erased with its salt.
    fn fits(&self, detail: &str) -> bool {
        self.salt.as_ref().map_or(detail == ERASED, |salt| Self::digest(detail, salt) == self.digest)
    }
}

/// The hash that stands before the first entry.
pub fn genesis() -> String {
    "0".repeat(64)
}

impl Entry {
    /// Whether the detail was erased.
    pub fn is_erased(&self) -> bool {
        self.seal.as_ref().is_some_and(|seal| seal.salt.is_none())
    }

    /// The hash that this entry must carry: SHA-256 over its fields, each with its length in front; the seal stands for the detail.
    pub fn expected_hash(&self, connection: &str) -> String {
        let mut hasher = Sha256::new();
        hasher.update(if self.seal.is_some() { SEALED_DOMAIN } else { DOMAIN });
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
        field(Some(self.seal.as_ref().map_or(&self.detail, |seal| &seal.digest).as_bytes()));
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
    /// A detail is gone, and nobody is said to have erased it.
    #[error("the detail of entry {0} is gone, and no entry says that it was erased")]
    Erased(i64),
}

/// Walks a chain entry by entry.
#[derive(Clone, Debug)]
pub struct Verifier {
    connection: String,
    seq: i64,
    hash: String,
    /// Subjects with erased details that no entry has explained yet: the first such entry and the last.
    unexplained: BTreeMap<String, (i64, i64)>,
}

impl Verifier {
    /// Starts before the first entry of a connection's chain.
    pub fn new(connection: &str) -> Self {
        Self::after(connection, 0, &genesis())
    }

    /// Starts behind an entry that is known to be good.
    pub fn after(connection: &str, seq: i64, hash: &str) -> Self {
        Self { connection: connection.to_owned(), seq, hash: hash.to_owned(), unexplained: BTreeMap::new() }
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
        let is_sealed = entry.seal.as_ref().is_none_or(|seal| seal.fits(&entry.detail));
        if entry.hash != entry.expected_hash(&self.connection) || !is_sealed {
            return Err(Broken::Content(entry.seq));
        }
        self.explain(entry);
        self.seq = entry.seq;
        self.hash.clone_from(&entry.hash);
        Ok(())
    }

    fn explain(&mut self, entry: &Entry) {
        if entry.is_erased() {
            let seen = self.unexplained.entry(entry.subject.clone()).or_insert((entry.seq, entry.seq));
            seen.1 = entry.seq;
        } else if entry.action == ERASURE {
            let detail: serde_json::Value = serde_json::from_str(&entry.detail).unwrap_or_default();
            let up_to = detail["up_to"].as_i64().unwrap_or_default();
            if self.unexplained.get(&entry.subject).is_some_and(|(_, last)| *last <= up_to) {
                self.unexplained.remove(&entry.subject);
            }
        }
    }

    /// Whether each detail that is gone was erased by somebody, once there are no more entries.
    pub fn end(&self) -> Result<(), Broken> {
        self.unexplained.values().map(|(first, _)| *first).min().map_or(Ok(()), |seq| Err(Broken::Erased(seq)))
    }

    /// Sequence number and hash of the last good entry.
    pub fn head(&self) -> (i64, &str) {
        (self.seq, &self.hash)
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "tests")]
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
                    detail: format!("{{\"name\":\"Kim {seq}\"}}"),
                    seal: None,
                    previous: previous.clone(),
                    hash: String::new(),
                };
                // The first ones are of before there were seals.
                entry.seal = (seq > 2).then(|| Seal::over(&entry.detail, format!("salt {seq}")));
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

        let mut told_otherwise = chain(5);
        told_otherwise[3].detail = "{\"name\":\"Eve\"}".to_owned();
        assert_eq!(first_break(&told_otherwise), Some(Broken::Content(4)));

        let mut rehashed = chain(5);
        rehashed[2].subject = "accr_9".to_owned();
        rehashed[2].hash = rehashed[2].expected_hash("main");
        assert_eq!(first_break(&rehashed), Some(Broken::Link(4)));
    }

    /// A chain whose fourth detail was erased, and an entry at its end that says so.
    fn erased(action: &str, subject: &str, up_to: i64) -> Verifier {
        let mut entries = chain(6);
        entries[3].detail = ERASED.to_owned();
        entries[3].seal.as_mut().expect("it is sealed").salt = None;
        let last = &mut entries[5];
        (last.action, last.subject) = (action.to_owned(), subject.to_owned());
        last.detail = format!("{{\"up_to\":{up_to}}}");
        last.seal = Some(Seal::over(&last.detail, "salt".to_owned()));
        last.hash = last.expected_hash("main");
        let mut verifier = Verifier::new("main");
        assert_eq!(entries.iter().find_map(|entry| verifier.check(entry).err()), None);
        verifier
    }

    #[test]
    fn a_detail_that_was_erased_leaves_the_chain_whole_and_one_that_is_gone_is_found() {
        assert_eq!(erased(ERASURE, "accr_4", 5).end(), Ok(()));
        assert_eq!(erased("received", "accr_4", 5).end(), Err(Broken::Erased(4)));
        assert_eq!(erased(ERASURE, "accr_5", 5).end(), Err(Broken::Erased(4)), "of another record");
        assert_eq!(erased(ERASURE, "accr_4", 3).end(), Err(Broken::Erased(4)), "it was erased later");
        let mut half = chain(5);
        half[3].seal.as_mut().expect("it is sealed").salt = None;
        assert_eq!(first_break(&half), Some(Broken::Content(4)), "a detail without its salt proves nothing");
    }

    #[test]
    fn a_chain_belongs_to_its_connection() {
        let entries = chain(1);
        assert_eq!(Verifier::new("other").check(&entries[0]), Err(Broken::Content(1)));
    }
}
