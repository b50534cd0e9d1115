//! Writes entries. Whoever calls this has checked everything before: nothing here refuses.

use jiff::civil::Date;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{DetailedEntry, EntryType, GlEntry, PAYABLES, VendorEntry};
use crate::bc::document::{DimensionSet, currency};
use crate::bc::sets::Work;
use crate::bc::table::Tables;
use crate::ids::Ids;

/// What all entries of one posting share.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) transaction: u32,
    pub(crate) date: Date,
    pub(crate) kind: EntryType,
    pub(crate) number: String,
    pub(crate) external: String,
    pub(crate) description: String,
    pub(crate) source_code: &'static str,
}

/// The vendor's side of a posting.
#[derive(Debug, Clone)]
pub(crate) struct VendorSide<'a> {
    pub(crate) vendor: Uuid,
    pub(crate) currency: &'a str,
    /// In that currency; what we owe is negative.
    pub(crate) amount: Decimal,
    /// In the company's own currency.
    pub(crate) local: Decimal,
    /// What was bought, without tax.
    pub(crate) purchase: Decimal,
    pub(crate) due_date: Option<Date>,
    pub(crate) dimensions: &'a DimensionSet,
    pub(crate) balancing: (String, String),
    pub(crate) document: Option<Uuid>,
}

/// The number of a new transaction.
pub(crate) fn transaction(tables: &mut Tables) -> u32 {
    tables.ledger.last_transaction += 1;
    tables.ledger.last_transaction
}

/// The id of an entry: its number comes first, so that listings have the order of the numbers.
fn id(number: u32, ids: &Ids) -> Uuid {
    let random = ids.guid();
    let (_, second, third, rest) = random.as_fields();
    Uuid::from_fields(number, second, third, rest)
}

/// The id of the account with a number, zero if there is none.
pub(crate) fn account(tables: &Tables, number: &str) -> Uuid {
    tables.accounts.find(|account| account.number == number).map_or_else(Uuid::nil, |(id, _)| id)
}

fn vendor_number(tables: &Tables, vendor: Option<Uuid>) -> String {
    vendor.and_then(|id| tables.vendors.get(id)).map_or_else(String::new, |row| row.base.number.clone())
}

/// Writes a G/L entry, unless the amount is zero.
pub(crate) fn gl(
    work: &mut Work<'_>,
    head: &Head,
    account: Uuid,
    amount: Decimal,
    dimensions: &DimensionSet,
    vendor: Option<Uuid>,
) -> Option<Uuid> {
    if amount.is_zero() {
        return None;
    }
    work.tables.ledger.last_gl += 1;
    let number = work.tables.ledger.last_gl;
    let id = id(number, work.ids);
    let entry = GlEntry {
        number,
        transaction: head.transaction,
        posting_date: head.date,
        document_type: head.kind,
        document_number: head.number.clone(),
        external_number: head.external.clone(),
        account,
        description: head.description.clone(),
        amount,
        dimension_set: work.tables.dimension_set(dimensions, work.now),
        source_number: vendor_number(work.tables, vendor),
        source_code: head.source_code.to_owned(),
        reversed: false,
    };
    work.tables.put_gl_entry(id, entry, work.now);
    Some(id)
}

/// Writes a vendor entry with its detail and the payables account's G/L entry.
pub(crate) fn vendor(work: &mut Work<'_>, head: &Head, side: &VendorSide<'_>) -> Uuid {
    let payables = account(work.tables, PAYABLES);
    gl(work, head, payables, side.local, side.dimensions, Some(side.vendor));
    work.tables.ledger.last_vendor += 1;
    let number = work.tables.ledger.last_vendor;
    let id = id(number, work.ids);
    let entry = VendorEntry {
        number,
        transaction: head.transaction,
        vendor: side.vendor,
        document_type: head.kind,
        document_number: head.number.clone(),
        external_number: head.external.clone(),
        description: head.description.clone(),
        posting_date: head.date,
        due_date: side.due_date,
        currency: side.currency.to_owned(),
        amount: side.amount,
        amount_local: side.local,
        purchase: side.purchase,
        remaining: side.amount,
        remaining_local: side.local,
        dimension_set: work.tables.dimension_set(side.dimensions, work.now),
        balancing: side.balancing.clone(),
        document: side.document,
        applies_to_id: String::new(),
        applied: Vec::new(),
        reversed: false,
    };
    detail(work, "Initial_x0020_Entry", &entry, head.date, (side.amount, side.local));
    work.tables.put_vendor_entry(id, entry, work.now);
    id
}

/// Writes a detailed vendor entry.
pub(crate) fn detail(
    work: &mut Work<'_>,
    kind: &str,
    of: &VendorEntry,
    posting_date: Date,
    (amount, local): (Decimal, Decimal),
) {
    work.tables.ledger.last_detailed += 1;
    let number = work.tables.ledger.last_detailed;
    let entry = DetailedEntry {
        number,
        kind: kind.to_owned(),
        vendor: of.vendor,
        amount,
        local,
        posting_date,
        currency: of.currency.clone(),
    };
    let id = id(number, work.ids);
    work.tables.put(|tables| &mut tables.ledger.detailed, id, entry, work.now);
}

/// An amount of a currency in the company's own.
pub(crate) fn local(tables: &Tables, amount: Decimal, code: &str, date: Date) -> Decimal {
    if code.is_empty() { amount } else { currency::to_local(tables, amount, code, date) }
}
