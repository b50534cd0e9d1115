//! Reversing a transaction, as a user does with "Reverse Transaction": applied entries are taken apart first.

use uuid::Uuid;

use super::EntryType;
use super::apply;
use super::post::{self, Head, VendorSide};
use crate::bc::error::Refusal;
use crate::bc::sets::Work;

/// Writes the opposite of every entry of the transaction that a vendor entry belongs to.
pub(crate) fn reverse(work: &mut Work<'_>, id: Uuid) -> Result<(), Refusal> {
    let entry = work.tables.ledger.vendor.get(id).cloned();
    let entry = entry.ok_or_else(|| Refusal::dialog("The Vendor Ledger Entry does not exist."))?;
    let refuse = |why: &str| {
        let number = entry.number;
        Err(Refusal::dialog(format!("You cannot reverse Vendor Ledger Entry No. {number} because {why}.")))
    };
    if entry.document.is_some() {
        return refuse("the entry was not posted from a journal");
    }
    if entry.reversed {
        return refuse("the entry has already been involved in a reversal");
    }
    let old = |found: u32| found == entry.transaction;
    let entries: Vec<Uuid> =
        work.tables.ledger.vendor.iter().filter(|(_, row)| old(row.transaction)).map(|(id, _)| id).collect();
    let head = Head {
        transaction: post::transaction(work.tables),
        date: entry.posting_date,
        kind: entry.document_type,
        number: entry.document_number.clone(),
        external: entry.external_number.clone(),
        description: entry.description.clone(),
        source_code: "REVERSAL",
    };
    for id in &entries {
        apply::unapply(work, &Head { kind: EntryType::Blank, ..head.clone() }, *id);
    }
    for id in entries {
        opposite(work, &head, id);
    }
    general(work, &head, entry.transaction);
    Ok(())
}

/// The vendor's side; the payables account's G/L entry comes with it.
fn opposite(work: &mut Work<'_>, head: &Head, id: Uuid) {
    let Some(mut entry) = work.tables.ledger.vendor.get(id).cloned() else {
        return;
    };
    entry.reversed = true;
    let dimensions = work.tables.ledger.dimensions(entry.dimension_set).cloned().unwrap_or_default();
    work.tables.put_vendor_entry(id, entry.clone(), work.now);
    let side = VendorSide {
        vendor: entry.vendor,
        currency: &entry.currency,
        amount: -entry.amount,
        local: -entry.amount_local,
        purchase: -entry.purchase,
        due_date: None,
        dimensions: &dimensions,
        balancing: entry.balancing.clone(),
        document: None,
    };
    let written = post::vendor(work, head, &side);
    apply::apply(work, head, written, id);
    if let Some(mut other) = work.tables.ledger.vendor.get(written).cloned() {
        other.reversed = true;
        work.tables.put_vendor_entry(written, other, work.now);
    }
}

/// The other G/L entries of the transaction. Those of the payables account and of exchange differences name the vendor,
/// and were written again with the vendor's side.
fn general(work: &mut Work<'_>, head: &Head, transaction: u32) {
    let old: Vec<_> = work
        .tables
        .ledger
        .gl
        .iter()
        .filter(|(_, row)| row.transaction == transaction && row.source_number.is_empty())
        .map(|(id, row)| (id, row.clone()))
        .collect();
    for (id, mut row) in old {
        let dimensions = work.tables.ledger.dimensions(row.dimension_set).cloned().unwrap_or_default();
        post::gl(work, head, row.account, -row.amount, &dimensions, None);
        row.reversed = true;
        work.tables.put(|tables| &mut tables.ledger.gl, id, row, work.now);
    }
}
