//! Card expenses that can simply be booked, and those that only wait for a click.

use rust_decimal::Decimal;

use super::Zoo;
use super::coding::{By, Coding};
use super::merchants::{Merchant, Spelling};
use super::sketch::{Line, Money, Side, Sketch};
use crate::brex::records::{Expectation, PREPARE, REVIEW};
use crate::company::Vendor;

const POST: &str = "CARD_EXPENSE_POST";
const MEMOS: &[&str] = &[
    "Monthly subscription",
    "Client visit",
    "Team lunch",
    "Replacement parts",
    "Conference",
    "Courier to customer",
    "Office restock",
];

/// A card expense at a vendor of the books. Without vendors it is one at a stranger, which nobody can book.
pub(super) fn at_vendor(zoo: &Zoo<'_>, record_type: &'static str, spelling: Spelling, coded: Option<By>) -> Sketch {
    let vendor = zoo.cast.vendors.get(zoo.ids.below(zoo.cast.vendors.len())).copied();
    let amount = zoo.amount(3, 900);
    match vendor {
        Some(vendor) => of_vendor(zoo, record_type, vendor, spelling, coded, amount),
        None => of_merchant(zoo, record_type, Merchant::stranger(zoo), amount)
            .coded(zoo.line_coding(By::Id))
            .expecting(Expectation::Held, "the company has no vendors"),
    }
}

/// A card expense at this vendor, with the VENDOR field or without.
pub(super) fn of_vendor(
    zoo: &Zoo<'_>,
    record_type: &'static str,
    vendor: &Vendor,
    spelling: Spelling,
    coded: Option<By>,
    amount: Decimal,
) -> Sketch {
    let mut coding = zoo.line_coding(coded.unwrap_or(By::Id));
    coding.extend(coded.map(|by| Coding::vendor(vendor, by)));
    let mut sketch = of_merchant(zoo, record_type, Merchant::of(zoo, vendor, spelling), amount).coded(coding);
    sketch.expected_vendor = Some(vendor.number.clone());
    sketch
}

/// A card expense at a merchant, with a cardholder, some with memo and receipt; not coded yet.
pub(super) fn of_merchant(zoo: &Zoo<'_>, record_type: &'static str, merchant: Merchant, amount: Decimal) -> Sketch {
    let mut sketch = Sketch::new(zoo, record_type, "CARD", amount);
    sketch.original = Some(sketch.total.clone());
    sketch.merchant = Some(merchant);
    sketch.user = zoo.company.employees.get(zoo.ids.below(zoo.company.employees.len())).cloned();
    sketch.memo = zoo.ids.chance(60).then(|| (*zoo.ids.pick(MEMOS)).to_owned());
    sketch.receipts = usize::from(zoo.ids.chance(60));
    sketch.version = 2 + u32::try_from(zoo.ids.below(4)).unwrap_or(0);
    sketch
}

pub(super) fn coded_by_id(zoo: &Zoo<'_>, number: usize) -> Sketch {
    let spelling = [Spelling::Exact, Spelling::Capitals, Spelling::OtherLegalForm, Spelling::RawDescriptor][number % 4];
    at_vendor(zoo, POST, spelling, Some(By::Id)).because("coded with the ERP's ids")
}

pub(super) fn coded_by_number(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    at_vendor(zoo, POST, Spelling::RawDescriptor, Some(By::Number))
        .because("coded with numbers and codes instead of ids")
}

pub(super) fn named_as_the_vendor(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    at_vendor(zoo, POST, Spelling::Exact, None).because("the merchant has the vendor's exact name")
}

pub(super) fn named_in_capitals(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    at_vendor(zoo, POST, Spelling::Capitals, None).because("the merchant has the vendor's name in capitals")
}

pub(super) fn named_with_another_legal_form(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    at_vendor(zoo, POST, Spelling::OtherLegalForm, None).because("the names differ by the legal form only")
}

pub(super) fn raw_descriptor(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    at_vendor(zoo, POST, Spelling::RawDescriptor, None)
        .because("the merchant is a raw descriptor; asking a person to confirm the vendor is right too")
}

/// Two to five lines, each with its own coding.
pub(super) fn split(zoo: &Zoo<'_>, number: usize) -> Sketch {
    let mut sketch = at_vendor(zoo, POST, Spelling::Exact, Some(By::Id)).because("split over several lines");
    let count = 2 + number % 4;
    let vendor = sketch.lines.first().and_then(|line| line.coding.last().cloned());
    sketch.lines = shares(zoo, sketch.total.amount, count)
        .into_iter()
        .map(|amount| Line {
            amount,
            original: None,
            memo: zoo.ids.chance(50).then(|| (*zoo.ids.pick(MEMOS)).to_owned()),
            coding: zoo.line_coding(By::Id).into_iter().chain(vendor.clone()).collect(),
        })
        .collect();
    sketch
}

/// Positive amounts that sum to the total, which is at least three.
fn shares(zoo: &Zoo<'_>, total: Decimal, count: usize) -> Vec<Decimal> {
    let parts = Decimal::from(count);
    let even = (total / parts).round_dp(2);
    let mut rest = total;
    let mut shares: Vec<Decimal> = (1..count)
        .map(|_| {
            let cents = Decimal::new(i64::try_from(zoo.ids.below(20)).unwrap_or(0), 2);
            let share = even - cents;
            rest -= share;
            share
        })
        .collect();
    shares.push(rest);
    shares
}

/// The sides are swapped; the sign of the total is not documented, so both occur.
pub(super) fn refund(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    let sketch =
        at_vendor(zoo, "CARD_EXPENSE_REFUND", Spelling::Exact, Some(By::Id)).because("a refund by the merchant");
    swapped(zoo, sketch)
}

pub(super) fn repayment(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    let sketch =
        at_vendor(zoo, "CARD_EXPENSE_REPAYMENT", Spelling::Exact, Some(By::Id)).because("repaid by the cardholder");
    swapped(zoo, sketch)
}

fn swapped(zoo: &Zoo<'_>, mut sketch: Sketch) -> Sketch {
    sketch.spend_side = Side::Credit;
    if zoo.ids.chance(50) {
        sketch.total.amount = -sketch.total.amount;
        sketch.original = Some(sketch.total.clone());
    }
    sketch
}

/// Bought in another currency, billed in dollars.
pub(super) fn foreign_currency(zoo: &Zoo<'_>, number: usize) -> Sketch {
    let (currency, rate, digits) =
        [("EUR", Decimal::new(925, 3), 2), ("GBP", Decimal::new(79, 2), 2), ("JPY", Decimal::new(1495, 1), 0)]
            [number % 3];
    let mut sketch = at_vendor(zoo, POST, Spelling::Exact, Some(By::Id)).because("billed in dollars");
    let original = (sketch.total.amount * rate).round_dp(digits);
    sketch.original = Some(Money::new(original, currency));
    if let Some(line) = sketch.lines.first_mut() {
        line.original = Some(original);
    }
    sketch
}

pub(super) fn billed_in_euro(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    at_vendor(zoo, POST, Spelling::Exact, Some(By::Id))
        .because("billed in euros, for which there is an exchange rate")
        .billed_in("EUR")
}

pub(super) fn memo_with_markup(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    let mut sketch = at_vendor(zoo, POST, Spelling::Exact, Some(By::Id)).because("the memo is only text");
    sketch.memo = Some("<b>Team \"offsite\"</b> & café ☕🎉 <script>alert('x')</script>\n\tsecond line".to_owned());
    sketch
}

pub(super) fn in_prepare(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    let mut sketch = at_vendor(zoo, POST, Spelling::Exact, Some(By::Id)).because("can be booked once it is exported");
    sketch.review_status = PREPARE;
    sketch
}

pub(super) fn in_review(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    let mut sketch = at_vendor(zoo, POST, Spelling::Exact, Some(By::Id)).because("can be booked once it is exported");
    sketch.review_status = REVIEW;
    sketch
}

impl Sketch {
    /// Says why it is a document, unless it is already known to be none.
    fn because(mut self, why: &'static str) -> Self {
        if self.expectation == Expectation::Document {
            self.why = why;
        }
        self
    }

    /// The same figures in another currency.
    pub(super) fn billed_in(mut self, currency: &'static str) -> Self {
        self.total.currency = currency;
        self.original = Some(self.total.clone());
        self
    }
}
