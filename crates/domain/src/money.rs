//! Money: an exact decimal in major units with its ISO 4217 currency.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// An ISO 4217 code, upper case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Currency(String);

/// The text is not a currency code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a three-letter currency code")]
pub struct InvalidCurrency(String);

/// Currencies without minor units (ISO 4217).
const NO_DECIMALS: [&str; 17] = [
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF",
    "XPF",
];
/// Currencies with thousandths (ISO 4217).
const THREE_DECIMALS: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];
/// Currencies with ten-thousandths (ISO 4217).
const FOUR_DECIMALS: [&str; 2] = ["CLF", "UYW"];

impl Currency {
    /// Reads a code; case does not matter, since Brex has sent both.
    pub fn new(code: &str) -> Result<Self, InvalidCurrency> {
        let code = code.trim();
        if code.len() == 3 && code.bytes().all(|b| b.is_ascii_alphabetic()) {
            Ok(Self(code.to_ascii_uppercase()))
        } else {
            Err(InvalidCurrency(code.chars().take(20).collect()))
        }
    }

    /// US dollars, the only currency of Brex transfers (brex.md 4.2).
    pub fn usd() -> Self {
        Self("USD".to_owned())
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How many decimals an amount of this currency may have.
    pub fn decimals(&self) -> u32 {
        let code = self.0.as_str();
        if NO_DECIMALS.contains(&code) {
            0
        } else if THREE_DECIMALS.contains(&code) {
            3
        } else if FOUR_DECIMALS.contains(&code) {
            4
        } else {
            2
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An amount in major units. The scale of the text it came from is kept until it is normalised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Major units.
    pub amount: Decimal,
    /// The currency of the amount.
    pub currency: Currency,
}

impl Money {
    /// An amount of a currency.
    pub fn new(amount: Decimal, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// True when the amount has no more decimals than its currency.
    pub fn has_valid_precision(&self) -> bool {
        self.amount.normalize().scale() <= self.currency.decimals()
    }

    /// The amount without its sign.
    pub fn abs(&self) -> Decimal {
        self.amount.abs()
    }
}

impl fmt::Display for Money {
    /// `1234.50 USD`, always with the decimals of the currency.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.amount.normalize();
        if shown.scale() < self.currency.decimals() {
            shown.rescale(self.currency.decimals());
        }
        write!(f, "{shown} {}", self.currency)
    }
}

/// The exact sum, or `None` when it exceeds 28 digits.
pub fn sum(amounts: impl IntoIterator<Item = Decimal>) -> Option<Decimal> {
    amounts.into_iter().try_fold(Decimal::ZERO, Decimal::checked_add)
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn money(text: &str, currency: &str) -> Money {
        Money::new(text.parse().expect("decimal"), Currency::new(currency).expect("currency"))
    }

    #[test]
    fn precision_follows_the_currency() {
        assert!(money("10.25", "usd").has_valid_precision());
        assert!(money("10.250", "USD").has_valid_precision());
        assert!(!money("10.251", "USD").has_valid_precision());
        assert!(money("100", "JPY").has_valid_precision());
        assert!(!money("100.5", "JPY").has_valid_precision());
        assert!(money("1.234", "KWD").has_valid_precision());
    }

    #[test]
    fn amounts_are_shown_with_the_decimals_of_their_currency() {
        assert_eq!(money("86.5", "USD").to_string(), "86.50 USD");
        assert_eq!(money("12500", "JPY").to_string(), "12500 JPY");
        assert_eq!(money("1", "KWD").to_string(), "1.000 KWD");
    }

    #[test]
    fn a_currency_is_three_letters() {
        assert!(Currency::new("US").is_err());
        assert!(Currency::new("US1").is_err());
        assert!(Currency::new("").is_err());
    }

    proptest! {
        #[test]
        fn sums_are_exact_to_the_cent(cents in prop::collection::vec(-10_000_000_i64..10_000_000, 0..50)) {
            let total = sum(cents.iter().map(|c| Decimal::new(*c, 2)));
            prop_assert_eq!(total, Some(Decimal::new(cents.iter().sum(), 2)));
        }
    }
}
