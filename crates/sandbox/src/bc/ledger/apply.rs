//! Settles vendor entries against each other, and takes that back. The documents' status follows.

use rust_decimal::Decimal;
use uuid::Uuid;

use super::post::{self, Head};
use super::{Applied, EXCHANGE_DIFFERENCES, PAYABLES, VendorEntry};
use crate::bc::document::{DimensionSet, DocumentStatus, currency};
use crate::bc::sets::Work;

/// Applies as much of one entry to another as both have left. Entries of the same direction or of different
/// currencies stay as they are.
pub(crate) fn apply(work: &mut Work<'_>, head: &Head, from: Uuid, to: Uuid) {
    let entry = |work: &Work<'_>, id| work.tables.ledger.vendor.get(id).cloned();
    let (Some(mut left), Some(mut right)) = (entry(work, from), entry(work, to)) else {
        return;
    };
    let opposite = left.remaining.is_sign_negative() != right.remaining.is_sign_negative();
    if from == to || !left.is_open() || !right.is_open() || !opposite || left.currency != right.currency {
        return;
    }
    let part = left.remaining.abs().min(right.remaining.abs());
    let left_local = take(&mut left, part, to);
    let right_local = take(&mut right, part, from);
    for (id, entry) in [(from, left), (to, right)] {
        let moved = entry.applied.last().map_or(Decimal::ZERO, |applied| applied.amount);
        let moved_local = if id == from { left_local } else { right_local };
        post::detail(work, "Application", &entry, head.date, (moved, moved_local));
        store(work, id, entry);
    }
    difference(work, head, to, left_local + right_local);
}

/// Moves the remaining amount towards zero; by how much it moved in the company's own currency.
fn take(entry: &mut VendorEntry, part: Decimal, other: Uuid) -> Decimal {
    let amount = if entry.remaining.is_sign_negative() { part } else { -part };
    let local = if part == entry.remaining.abs() {
        -entry.remaining_local
    } else {
        currency::round(currency::share(entry.remaining_local, amount, entry.remaining), Decimal::new(1, 2))
    };
    entry.remaining += amount;
    entry.remaining_local += local;
    entry.applied.push(Applied { other, amount, local });
    local
}

/// Takes back everything that was applied to or from an entry.
pub(crate) fn unapply(work: &mut Work<'_>, head: &Head, id: Uuid) {
    let Some(mut entry) = work.tables.ledger.vendor.get(id).cloned() else {
        return;
    };
    let mut moved = Decimal::ZERO;
    for applied in std::mem::take(&mut entry.applied) {
        let Some(mut other) = work.tables.ledger.vendor.get(applied.other).cloned() else {
            continue;
        };
        if let Some(place) = other.applied.iter().position(|back| back.other == id) {
            let back = other.applied.remove(place);
            moved -= restore(work, head, &mut other, &back);
            store(work, applied.other, other);
        }
        moved -= restore(work, head, &mut entry, &applied);
    }
    store(work, id, entry);
    difference(work, head, id, moved);
}

fn restore(work: &mut Work<'_>, head: &Head, entry: &mut VendorEntry, applied: &Applied) -> Decimal {
    entry.remaining -= applied.amount;
    entry.remaining_local -= applied.local;
    post::detail(work, "Application", entry, head.date, (-applied.amount, -applied.local));
    applied.local
}

/// Books what is left between two exchange rates. `moved` is by how much the payables went up.
fn difference(work: &mut Work<'_>, head: &Head, id: Uuid, moved: Decimal) {
    let Some(entry) = work.tables.ledger.vendor.get(id).cloned() else {
        return;
    };
    if moved.is_zero() {
        return;
    }
    let kind = if moved > Decimal::ZERO { "Realized_x0020_Gain" } else { "Realized_x0020_Loss" };
    post::detail(work, kind, &entry, head.date, (Decimal::ZERO, -moved));
    let accounts = [PAYABLES, EXCHANGE_DIFFERENCES].map(|number| post::account(work.tables, number));
    let none = DimensionSet::new();
    post::gl(work, head, accounts[0], moved, &none, Some(entry.vendor));
    post::gl(work, head, accounts[1], -moved, &none, Some(entry.vendor));
}

/// Stores an entry; its document is paid when nothing is left, and open again when something is.
fn store(work: &mut Work<'_>, id: Uuid, entry: VendorEntry) {
    let (document, open) = (entry.document, entry.is_open());
    work.tables.put_vendor_entry(id, entry, work.now);
    let Some((id, mut row)) = document.and_then(|id| Some((id, work.tables.documents.get(id)?.clone()))) else {
        return;
    };
    let status = match (row.status, open) {
        (DocumentStatus::Open, false) => DocumentStatus::Paid,
        (DocumentStatus::Paid, true) => DocumentStatus::Open,
        _ => return,
    };
    row.status = status;
    work.tables.put(|tables| &mut tables.documents, id, row, work.now);
}
