//! What real accounts have and no description mentions.

use rust_decimal::Decimal;

use super::Zoo;
use super::cards::{at_vendor, of_merchant};
use super::coding::{By, Coding};
use super::merchants::{Merchant, Spelling};
use super::sketch::Sketch;
use crate::brex::records::{Expectation, PREPARE};

/// Like a recorded one: a merchant that the books do not know, and a value that was made in Brex, so that it comes
/// with a name but without the ERP's id.
pub(super) fn as_recorded(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    let merchant = Merchant {
        name: "Vendor H".to_owned(),
        website: Some("https://example.com/".to_owned()),
        mcc: "5734".to_owned(),
        raw_descriptor: "VENDOR H 800-5550100 CA".to_owned(),
        country: "US".to_owned(),
    };
    let mut sketch = of_merchant(zoo, "CARD_EXPENSE_POST", merchant, Decimal::new(17_175, 2))
        .coded(vec![Coding::made_in_brex("GL_ACCOUNT", "GL Account", "7500 Other G&A")])
        .expecting(Expectation::Held, "no vendor in the books is like this merchant");
    if let Some(user) = &mut sketch.user {
        user.last_name.push(' ');
    }
    sketch.review_status = PREPARE;
    sketch.version = 2;
    sketch
}

/// A type that Brex may add any day.
pub(super) fn unknown_type(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    at_vendor(zoo, "CARD_EXPENSE_DISPUTE", Spelling::Exact, Some(By::Id))
        .expecting(Expectation::Held, "nobody knows what this type means")
}
