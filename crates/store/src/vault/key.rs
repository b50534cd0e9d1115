//! The key-encryption keys: their text form, their ids, and the ring that holds the current one and those before it.

use std::fmt;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::crypto::{KEY_BYTES, random};
use crate::error::Error;

/// What a key's text starts with; the number is the version of the format.
const PREFIX: &str = "mlk1_";

/// A text that is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    /// No line holds a key.
    #[error("holds no key")]
    Empty,
    /// A line is neither a key nor a comment.
    #[error("holds something else than a key in line {line}: a key is {PREFIX} and 43 letters and digits")]
    Unreadable {
        /// Counted from 1.
        line: usize,
    },
}

/// The key that new data keys are wrapped with, and those before it that a rotation has not finished with.
#[derive(Clone)]
pub struct KeyRing(Vec<Key>);

#[derive(Clone)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) bytes: Zeroizing<[u8; KEY_BYTES]>,
}

impl Key {
    /// The id says which key it is and nothing about what it is.
    fn new(bytes: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        let digest = Sha256::new().chain_update(b"ml-connector key id 1").chain_update(*bytes).finalize();
        Self { id: HEXLOWER.encode(digest.get(..6).unwrap_or_default()), bytes }
    }
}

impl KeyRing {
    /// Reads one key a line, the current one first; empty lines and lines that start with `#` are left out.
    pub fn parse(text: &str) -> Result<Self, KeyProblem> {
        let mut keys = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let decoded = line.strip_prefix(PREFIX).and_then(|rest| BASE64URL_NOPAD.decode(rest.as_bytes()).ok());
            let decoded = Zeroizing::new(decoded.unwrap_or_default());
            let bytes = <[u8; KEY_BYTES]>::try_from(decoded.as_slice());
            let bytes = bytes.map_err(|_| KeyProblem::Unreadable { line: index.saturating_add(1) })?;
            keys.push(Key::new(Zeroizing::new(bytes)));
        }
        if keys.is_empty() { Err(KeyProblem::Empty) } else { Ok(Self(keys)) }
    }

    /// A ring with one new key.
    pub fn generate() -> Result<Self, Error> {
        Ok(Self(vec![Key::new(random()?)]))
    }

    /// The same keys behind a new one.
    pub fn with_new_key(&self) -> Result<Self, Error> {
        let mut keys = vec![Key::new(random()?)];
        keys.extend(self.0.iter().cloned());
        Ok(Self(keys))
    }

    /// Only the current key.
    #[must_use]
    pub fn only_current(&self) -> Self {
        Self(self.0.first().cloned().into_iter().collect())
    }

    /// Id of the key that is used for what is new.
    pub fn current_id(&self) -> &str {
        self.0.first().map_or("", |key| key.id.as_str())
    }

    /// Ids of all keys, the current one first.
    pub fn ids(&self) -> Vec<&str> {
        self.0.iter().map(|key| key.id.as_str()).collect()
    }

    /// The text that [`KeyRing::parse`] reads, for the key file and for nothing else.
    pub fn to_text(&self) -> SecretString {
        let mut text = Zeroizing::new(String::with_capacity(self.0.len().saturating_mul(64)));
        for key in &self.0 {
            let encoded = Zeroizing::new(BASE64URL_NOPAD.encode(&*key.bytes));
            text.push_str(PREFIX);
            text.push_str(&encoded);
            text.push('\n');
        }
        SecretString::from(text.as_str())
    }

    pub(super) fn current(&self) -> Option<&Key> {
        self.0.first()
    }

    pub(super) fn find(&self, id: &str) -> Option<&Key> {
        self.0.iter().find(|key| key.id == id)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyRing").field(&self.ids()).finish()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_ring_reads_what_it_wrote_and_shows_only_ids() {
        let ring = KeyRing::generate().unwrap().with_new_key().unwrap();
        let text = ring.to_text();
        let again = KeyRing::parse(&format!("# keys\n\n{}", text.expose_secret())).unwrap();
        assert_eq!(again.ids(), ring.ids());
        assert_eq!(again.only_current().ids(), [ring.current_id()]);
        let shown = format!("{ring:?}");
        assert!(shown.contains(ring.current_id()));
        assert!(text.expose_secret().lines().all(|line| !shown.contains(&line[PREFIX.len()..])));
    }

    #[test]
    fn what_is_no_key_is_refused_by_its_line() {
        assert_eq!(KeyRing::parse("# nothing\n").unwrap_err(), KeyProblem::Empty);
        assert_eq!(KeyRing::parse("\nmlk1_abc\n").unwrap_err(), KeyProblem::Unreadable { line: 2 });
        assert_eq!(KeyRing::parse("hunter2").unwrap_err(), KeyProblem::Unreadable { line: 1 });
    }
}
