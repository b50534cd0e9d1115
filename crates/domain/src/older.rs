//! What an older connector, or a person, may have booked already: purchases in Brex beside documents in Business Central that are not
//! ours. Nothing but amount, currency and day is common to both, so what is found is a likeness and never a proof.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan as _;
use jiff::civil::Date;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::document::DocumentKind;
use crate::id::RecordId;
use crate::money::{Currency, Money};

/// How many days a document may lie before or after the purchase.
pub const WINDOW_DAYS: i32 = 7;

/// A record that is, or would become, a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// Its id.
    pub record: RecordId,
    /// What it becomes.
    pub kind: DocumentKind,
    /// What is booked, without sign.
    pub money: Money,
    /// Its day in the company.
    pub day: Date,
    /// Whether Brex says that it is exported; else the connector would take it.
    pub is_exported: bool,
}

/// A document that is not ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// BC's id.
    pub id: Uuid,
    /// BC's number.
    pub number: String,
    /// Kind.
    pub kind: DocumentKind,
    /// Total including tax.
    pub money: Money,
    /// Document Date.
    pub document_date: Option<Date>,
    /// Posting Date.
    pub posting_date: Option<Date>,
}

/// A record that looks booked, and the document that it looks booked by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Likeness {
    /// The record.
    pub purchase: Purchase,
    /// Id of the document.
    pub document: Uuid,
    /// Number of the document.
    pub number: String,
}

/// Finds a document for as many records as it can: of the same kind, amount and currency, and at most [`WINDOW_DAYS`] away; one
/// document for one record. Exported records choose first, since it is surely they that were booked; the Document Date counts before
/// the Posting Date, which a closed period may have moved. What the connector would still take comes first, then by day.
pub fn alike(purchases: &[Purchase], documents: &[Foreign]) -> Vec<Likeness> {
    let dates: [fn(&Foreign) -> Option<Date>; 2] =
        [|document| document.document_date, |document| document.posting_date];
    let (mut found, mut booked, mut taken) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for is_exported in [true, false] {
        for date in dates {
            let open = purchases
                .iter()
                .filter(|purchase| purchase.is_exported == is_exported && !booked.contains(&purchase.record));
            let free = documents.iter().filter(|document| !taken.contains(&document.id));
            for (purchase, document) in walk(open, free.filter_map(|document| Some((date(document)?, document)))) {
                booked.insert(&purchase.record);
                taken.insert(document.id);
                let number = document.number.clone();
                found.push(Likeness { purchase: purchase.clone(), document: document.id, number });
            }
        }
    }
    let place = |found: &Likeness| (found.purchase.is_exported, found.purchase.day, found.purchase.record.clone());
    found.sort_by_cached_key(place);
    found
}

/// What both sides have to have in common.
type Key<'a> = (DocumentKind, Decimal, &'a Currency);

/// The two sides of one key, by day.
type Group<'a> = (BTreeSet<(Date, &'a RecordId)>, BTreeSet<(Date, &'a str, Uuid)>);

/// Walks along the days of both sides at once: whoever is too early for everybody left is passed over, so no pair is missed.
fn walk<'a>(
    purchases: impl Iterator<Item = &'a Purchase>,
    documents: impl Iterator<Item = (Date, &'a Foreign)>,
) -> Vec<(&'a Purchase, &'a Foreign)> {
    let (mut groups, mut by_record, mut by_id) =
        (BTreeMap::<Key<'_>, Group<'_>>::new(), BTreeMap::new(), BTreeMap::new());
    for purchase in purchases {
        by_record.insert(&purchase.record, purchase);
        let group = groups.entry((purchase.kind, purchase.money.amount, &purchase.money.currency)).or_default();
        group.0.insert((purchase.day, &purchase.record));
    }
    for (day, document) in documents {
        by_id.insert(document.id, document);
        let key = (document.kind, document.money.amount, &document.money.currency);
        if let Some(group) = groups.get_mut(&key) {
            group.1.insert((day, document.number.as_str(), document.id));
        }
    }
    let mut pairs = Vec::new();
    for (left, right) in groups.into_values() {
        let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
        while let (Some((bought, record)), Some((booked, _, id))) = (left.peek().copied(), right.peek().copied()) {
            if booked < bought.saturating_sub(WINDOW_DAYS.days()) {
                right.next();
            } else if booked > bought.saturating_add(WINDOW_DAYS.days()) {
                left.next();
            } else {
                left.next();
                right.next();
                pairs.extend(by_record.get(record).copied().zip(by_id.get(&id).copied()));
            }
        }
    }
    pairs
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "tests")]
mod tests;
