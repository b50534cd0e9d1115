//! Bills: they do not wait for a click, carry the supplier's own number, and change after they were seen.

use jiff::SignedDuration;
use rust_decimal::Decimal;
use serde_json::json;

use super::Zoo;
use super::coding::{By, Coding};
use super::sketch::{Line, Sketch};
use crate::brex::records::{Expectation, READY, REVIEW};

fn bill(zoo: &Zoo<'_>, number: usize, why: &'static str) -> Sketch {
    // Written as a whole number.
    let amount = zoo.amount(200, 9_000).trunc();
    let mut sketch = Sketch::new(zoo, "BILL_EXPENSE", "BILL", amount);
    let vendor = zoo.cast.vendors.get(zoo.ids.below(zoo.cast.vendors.len())).copied();
    sketch.expectation = if vendor.is_some() { Expectation::Document } else { Expectation::Held };
    sketch.why = why;
    sketch.expected_vendor = vendor.map(|vendor| vendor.number.clone());
    sketch.vendor = vendor.map(|vendor| {
        json!({
            "id": format!("pdcont_{}", vendor.id.simple()),
            "name": vendor.name,
            "contact_name": "Accounts Receivable",
            "email": vendor.email,
            "website": null,
            "phone": vendor.phone,
        })
    });
    let fifth = (amount / Decimal::from(5)).trunc();
    sketch.lines = [amount - fifth, fifth]
        .into_iter()
        .map(|amount| Line {
            amount,
            original: None,
            memo: Some("Services".to_owned()),
            coding: coding(zoo, vendor.map(|vendor| Coding::vendor(vendor, By::Id))),
        })
        .collect();
    sketch.due_at = sketch.posted_at.checked_add(SignedDuration::from_hours(30 * 24)).ok();
    sketch.invoice_number = Some(format!("INV-{}-{:04}", 2000 + zoo.ids.below(8000), number));
    sketch.memo = Some("Supplier invoice".to_owned());
    sketch.receipts = 1;
    sketch.review_status = REVIEW;
    sketch.version = 1;
    sketch
}

fn coding(zoo: &Zoo<'_>, vendor: Option<Coding>) -> Vec<Coding> {
    zoo.line_coding(By::Id).into_iter().chain(vendor).collect()
}

pub(super) fn in_review(zoo: &Zoo<'_>, number: usize) -> Sketch {
    bill(zoo, number, "bills are booked when they are approved")
}

pub(super) fn ready(zoo: &Zoo<'_>, number: usize) -> Sketch {
    let mut sketch = bill(zoo, number, "a bill that shows the journal's status");
    sketch.review_status = READY;
    sketch
}

pub(super) fn later_version(zoo: &Zoo<'_>, number: usize) -> Sketch {
    let mut sketch = bill(zoo, number, "changed several times before it was seen");
    sketch.version = 7;
    sketch
}
