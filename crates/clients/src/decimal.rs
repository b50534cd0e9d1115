//! Amounts from JSON number text to [`Decimal`] and back, exactly: a number that does not fit is refused, never rounded.

use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A decimal that is written as a JSON number with its own text.
#[derive(Clone, Copy)]
pub(crate) struct Exact(pub(crate) Decimal);

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        rust_decimal::serde::arbitrary_precision::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        parse(number.as_str()).map(Self).map_err(D::Error::custom)
    }
}

/// For `#[serde(deserialize_with)]` on a [`Decimal`].
pub(crate) fn exact<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    Exact::deserialize(deserializer).map(|exact| exact.0)
}

/// For `#[serde(default, deserialize_with)]` on a [`Decimal`] that may be absent or null: those read as zero.
pub(crate) fn exact_or_zero<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    Option::<Exact>::deserialize(deserializer).map(|exact| exact.map_or(Decimal::ZERO, |exact| exact.0))
}

fn parse(text: &str) -> Result<Decimal, rust_decimal::Error> {
    if text.contains(['e', 'E']) { Decimal::from_scientific(text) } else { Decimal::from_str_exact(text) }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn numbers_keep_every_digit_in_both_directions() {
        for text in ["0", "125.40", "-40.0", "12500", "0.1", "1234567890123456789.123456789", "171.75"] {
            let read: Exact = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), text);
        }
    }

    #[test]
    fn a_number_with_an_exponent_is_read() {
        let read: Exact = serde_json::from_str("1.25E2").unwrap();
        assert_eq!(read.0, Decimal::from(125));
    }

    #[test]
    fn a_number_that_would_be_rounded_is_refused() {
        assert!(serde_json::from_str::<Exact>("0.12345678901234567890123456789012345").is_err());
        assert!(serde_json::from_str::<Exact>("\"12.5\"").is_err());
    }
}
