//! Card expenses that need a person before they can be booked.

use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::Zoo;
use super::cards::{at_vendor, of_merchant, of_vendor};
use super::coding::{By, Coding};
use super::merchants::{Merchant, Spelling};
use super::sketch::Sketch;
use crate::brex::records::Expectation;
use crate::company::{Account, AccountKind};

const POST: &str = "CARD_EXPENSE_POST";

fn held(zoo: &Zoo<'_>, why: &'static str) -> Sketch {
    at_vendor(zoo, POST, Spelling::Exact, Some(By::Id)).expecting(Expectation::Held, why)
}

/// The account field of the line says something else.
fn with_account(mut sketch: Sketch, account: Coding) -> Sketch {
    if let Some(field) = sketch.lines.first_mut().and_then(|line| line.coding.first_mut()) {
        *field = account;
    }
    sketch
}

fn on_account(zoo: &Zoo<'_>, why: &'static str, wanted: impl Fn(&Account) -> bool) -> Sketch {
    let account = zoo.company.accounts.iter().find(|account| wanted(account));
    let coding = account
        .map_or_else(|| Coding::missing("GL_ACCOUNT", "G/L Account"), |account| Coding::account(account, By::Id));
    with_account(held(zoo, why), coding)
}

pub(super) fn uncoded(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    with_account(held(zoo, "the line has no account"), Coding::missing("GL_ACCOUNT", "G/L Account"))
}

pub(super) fn unknown_merchant(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    of_merchant(zoo, POST, Merchant::stranger(zoo), zoo.amount(5, 300))
        .coded(zoo.line_coding(By::Id))
        .expecting(Expectation::Held, "no vendor in the books is like this merchant")
}

pub(super) fn two_vendors_of_that_name(zoo: &Zoo<'_>, number: usize) -> Sketch {
    let Some(vendor) = zoo.cast.twins.get(zoo.ids.below(zoo.cast.twins.len())) else {
        return unknown_merchant(zoo, number);
    };
    let mut sketch = of_vendor(zoo, POST, vendor, Spelling::Capitals, None, zoo.amount(20, 400))
        .expecting(Expectation::Held, "two vendors carry this name");
    sketch.expected_vendor = None;
    sketch
}

pub(super) fn blocked_account(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    on_account(zoo, "the account is blocked", |account| account.blocked)
}

pub(super) fn heading_account(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    on_account(zoo, "the account is a heading", |account| account.kind == AccountKind::Heading)
}

pub(super) fn control_account(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    on_account(zoo, "the account allows no direct posting", |account| {
        account.kind == AccountKind::Posting && !account.direct_posting
    })
}

pub(super) fn unknown_account(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    let coding = Coding::raw("GL_ACCOUNT", "G/L Account", &zoo.ids.guid().to_string(), "69000 Gone");
    with_account(held(zoo, "the account does not exist"), coding)
}

pub(super) fn blocked_vendor(zoo: &Zoo<'_>, number: usize) -> Sketch {
    let Some(vendor) = zoo.cast.blocked.get(zoo.ids.below(zoo.cast.blocked.len())) else {
        return unknown_merchant(zoo, number);
    };
    of_vendor(zoo, POST, vendor, Spelling::Exact, Some(By::Id), zoo.amount(20, 400))
        .expecting(Expectation::Held, "the vendor is blocked")
}

pub(super) fn unknown_dimension_value(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    let mut sketch = held(zoo, "the dimension value does not exist");
    let coding = Coding::raw("DIM_PROJECT", "Project", &zoo.ids.guid().to_string(), "P-77 Given up");
    if let Some(line) = sketch.lines.first_mut() {
        let kept = line.coding.drain(..).filter(|field| !field.is_of("DIM_PROJECT"));
        line.coding = kept.chain([coding]).collect();
    }
    sketch
}

/// Forty days before the first day on which the books are open.
pub(super) fn out_of_period(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    let mut sketch = held(zoo, "the posting date is outside the open period");
    let opened = zoo.company.allow_posting_from.at(0, 0, 0, 0);
    let opened = Offset::UTC.to_timestamp(opened).unwrap_or(Timestamp::UNIX_EPOCH);
    sketch.posted_at = opened.saturating_sub(SignedDuration::from_hours(40 * 24)).unwrap_or(opened);
    sketch
}

/// The total is one dollar more than the lines.
pub(super) fn lines_do_not_sum(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    let mut sketch = held(zoo, "the lines do not sum to the total");
    sketch.total.amount += Decimal::ONE;
    sketch.original = Some(sketch.total.clone());
    sketch
}

pub(super) fn zero_amount(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    let mut sketch = held(zoo, "there is nothing to book");
    sketch.total.amount = Decimal::new(0, 2);
    sketch.original = Some(sketch.total.clone());
    for line in &mut sketch.lines {
        line.amount = Decimal::new(0, 2);
    }
    sketch
}

pub(super) fn no_exchange_rate(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    held(zoo, "there is no exchange rate for Canadian dollars").billed_in("CAD")
}
