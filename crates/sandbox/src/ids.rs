//! Deterministic identifiers: the same seed gives the same world, across runs and machines.
//!
//! A stream is a named, independent source, so that one side drawing more ids does not move those of another.

use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

const LOWER_ALPHANUMERIC: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// A seeded source of ids and choices.
#[derive(Debug)]
pub struct Ids {
    seed: u64,
    state: Mutex<u64>,
}

impl Ids {
    /// A source that depends on nothing but `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed, state: Mutex::new(mix(seed ^ 0x5EED_5EED_5EED_5EED)) }
    }

    /// An independent source with the same seed under another name.
    #[must_use]
    pub fn stream(&self, name: &str) -> Self {
        // FNV-1a: stable across Rust releases, unlike the standard hasher.
        let hash = name
            .bytes()
            .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3));
        Self::new(self.seed ^ mix(hash))
    }

    /// The next 64 pseudo-random bits (SplitMix64).
    pub fn bits(&self) -> u64 {
        let mut state = self.lock();
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(*state)
    }

    /// A number in `0..bound`; 0 if `bound` is 0.
    pub fn below(&self, bound: usize) -> usize {
        let bits = self.bits();
        match u64::try_from(bound) {
            Ok(bound) if bound > 0 => usize::try_from(bits % bound).unwrap_or(0),
            _ => 0,
        }
    }

    /// True in `percent` of 100 draws.
    pub fn chance(&self, percent: u8) -> bool {
        self.below(100) < usize::from(percent)
    }

    /// One of `choices`, which must not be empty.
    pub fn pick<'a, T>(&self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    /// A random (version 4) GUID.
    pub fn guid(&self) -> Uuid {
        let high = u128::from(self.bits());
        let low = u128::from(self.bits());
        uuid::Builder::from_random_bytes(((high << 64) | low).to_be_bytes()).into_uuid()
    }

    /// `digits` lower-case hexadecimal digits.
    pub fn hex(&self, digits: usize) -> String {
        let mut text = String::with_capacity(digits + 16);
        while text.len() < digits {
            // Writing to a string cannot fail.
            let _ = write!(text, "{:016x}", self.bits());
        }
        text.truncate(digits);
        text
    }

    /// `length` characters of `a-z0-9`.
    pub fn alphanumeric(&self, length: usize) -> String {
        (0..length).map(|_| char::from(*self.pick(LOWER_ALPHANUMERIC))).collect()
    }

    /// A Brex-like id: the prefix, an underscore, a `c` and 24 characters, as in `accr_cm1x...`.
    pub fn prefixed(&self, prefix: &str) -> String {
        format!("{prefix}_c{}", self.alphanumeric(24))
    }

    /// Starts over at a place that depends on `mark`, so that a restored world does not draw the same ids again.
    pub fn skip_to(&self, mark: u64) {
        *self.lock() = mix(self.seed ^ mix(mark));
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::Ids;

    #[test]
    fn the_same_seed_gives_the_same_ids() {
        assert_eq!(Ids::new(7).guid(), Ids::new(7).guid());
        assert_ne!(Ids::new(7).guid(), Ids::new(8).guid());
    }

    #[test]
    fn drawing_from_one_stream_does_not_move_another() {
        let first = Ids::new(7);
        let second = Ids::new(7);
        first.stream("bc").guid();
        first.guid();
        assert_eq!(first.stream("brex").prefixed("accr"), second.stream("brex").prefixed("accr"));
    }

    #[test]
    fn a_brex_id_has_its_prefix_and_25_characters() {
        let id = Ids::new(1).prefixed("accr");
        assert_eq!(id.len(), "accr_".len() + 25);
    }
}
