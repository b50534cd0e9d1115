//! The ledgers: general ledger, vendor ledger with its details, and the dimension sets that entries share.
//!
//! Entries are written by [`post`], settled by [`apply`] and never deleted. Sums and look-ups that are asked for per row
//! are kept beside the entries, so that no request adds up the whole ledger.

pub(crate) mod apply;
pub(crate) mod post;
pub(crate) mod purchase;
pub(crate) mod reverse;
pub(crate) mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::document::DimensionSet;
use super::table::{Table, Tables};

/// The G/L account of all vendors' posting groups.
pub(crate) const PAYABLES: &str = "20100";

/// "Purch. Account" of the General Posting Setup: where the costs of items go.
pub(crate) const PURCHASES: &str = "50100";

/// The account that tax on purchases goes to in a VAT company.
pub(crate) const PURCHASE_VAT: &str = "22100";

/// The account that tax on purchases goes to in a sales tax company.
pub(crate) const SALES_TAX: &str = "22200";
/// Where differences between exchange rates go; the chart has no account of their own.
pub(crate) const EXCHANGE_DIFFERENCES: &str = "7500";
/// The G/L account of all bank accounts' posting groups.
pub(crate) const BANK: &str = "10200";

/// The document type of an entry or a journal line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryType {
    /// None.
    #[default]
    Blank,
    /// Payment.
    Payment,
    /// Invoice.
    Invoice,
    /// Credit memo.
    CreditMemo,
    /// Refund.
    Refund,
}

impl EntryType {
    pub(crate) const NAMES: &[&str] = &[
        "_x0020_",
        "Payment",
        "Invoice",
        "Credit_x0020_Memo",
        "Finance_x0020_Charge_x0020_Memo",
        "Reminder",
        "Refund",
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Blank => "_x0020_",
            Self::Payment => "Payment",
            Self::Invoice => "Invoice",
            Self::CreditMemo => "Credit_x0020_Memo",
            Self::Refund => "Refund",
        }
    }

    /// As texts show it.
    pub(crate) fn caption(self) -> &'static str {
        match self {
            Self::Blank => "",
            Self::Payment => "Payment",
            Self::Invoice => "Invoice",
            Self::CreditMemo => "Credit Memo",
            Self::Refund => "Refund",
        }
    }
}

/// A G/L entry. Debit is positive; always in the company's own currency.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct GlEntry {
    pub(crate) number: u32,
    pub(crate) transaction: u32,
    pub(crate) posting_date: Date,
    pub(crate) document_type: EntryType,
    pub(crate) document_number: String,
    pub(crate) external_number: String,
    pub(crate) account: Uuid,
    pub(crate) description: String,
    pub(crate) amount: Decimal,
    pub(crate) dimension_set: u32,
    /// The vendor's number, blank if none is concerned.
    pub(crate) source_number: String,
    pub(crate) source_code: String,
    pub(crate) reversed: bool,
}

/// A vendor ledger entry. What we owe is negative.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct VendorEntry {
    pub(crate) number: u32,
    pub(crate) transaction: u32,
    pub(crate) vendor: Uuid,
    pub(crate) document_type: EntryType,
    pub(crate) document_number: String,
    pub(crate) external_number: String,
    pub(crate) description: String,
    pub(crate) posting_date: Date,
    pub(crate) due_date: Option<Date>,
    /// Blank for the company's own.
    pub(crate) currency: String,
    pub(crate) amount: Decimal,
    pub(crate) amount_local: Decimal,
    /// "Purchase (LCY)": what was bought, without tax.
    #[serde(default)]
    pub(crate) purchase: Decimal,
    pub(crate) remaining: Decimal,
    pub(crate) remaining_local: Decimal,
    pub(crate) dimension_set: u32,
    /// Type and number of the balancing account, blank if there is none.
    pub(crate) balancing: (String, String),
    /// The purchase document it was written for.
    pub(crate) document: Option<Uuid>,
    /// Set while a journal line is going to settle it: the line's document number.
    pub(crate) applies_to_id: String,
    pub(crate) applied: Vec<Applied>,
    pub(crate) reversed: bool,
}

impl VendorEntry {
    pub(crate) fn is_open(&self) -> bool {
        !self.remaining.is_zero()
    }
}

/// What one entry took from another.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Applied {
    pub(crate) other: Uuid,
    /// By how much the remaining amount moved.
    pub(crate) amount: Decimal,
    pub(crate) local: Decimal,
}

/// A detailed vendor ledger entry: what moved the remaining amount of an entry.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DetailedEntry {
    pub(crate) number: u32,
    /// In its escaped form: `Initial_x0020_Entry`, `Application`...
    pub(crate) kind: String,
    pub(crate) vendor: Uuid,
    pub(crate) amount: Decimal,
    pub(crate) local: Decimal,
    pub(crate) posting_date: Date,
    pub(crate) currency: String,
}

/// One dimension of a dimension set.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SetEntry {
    pub(crate) set: u32,
    pub(crate) dimension: String,
    pub(crate) value: String,
}

/// All ledgers.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Ledger {
    pub(crate) gl: Table<GlEntry>,
    pub(crate) vendor: Table<VendorEntry>,
    pub(crate) detailed: Table<DetailedEntry>,
    pub(crate) set_entries: Table<SetEntry>,
    /// Set number 1 stands first; 0 is the empty set.
    sets: Arc<Vec<DimensionSet>>,
    last_gl: u32,
    last_vendor: u32,
    last_detailed: u32,
    last_transaction: u32,
    #[serde(skip)]
    index: Arc<Index>,
}

/// What would otherwise be searched for. Made again from the entries when a state is restored.
#[derive(Debug, Clone, Default)]
struct Index {
    balances: BTreeMap<Uuid, Decimal>,
    /// What was bought from a vendor, without tax.
    purchases: BTreeMap<Uuid, Decimal>,
    net_changes: BTreeMap<Uuid, Decimal>,
    /// Vendor and entry.
    open: BTreeSet<(Uuid, Uuid)>,
    /// Purchase document to vendor entry.
    documents: BTreeMap<Uuid, Uuid>,
    /// Posted invoice numbers.
    invoices: BTreeMap<String, Uuid>,
    externals: BTreeMap<String, Vec<Uuid>>,
    sets: BTreeMap<DimensionSet, u32>,
}

impl Index {
    fn vendor(&mut self, id: Uuid, old: Option<&VendorEntry>, new: &VendorEntry) {
        let before = old.map_or(Decimal::ZERO, |old| old.remaining_local);
        *self.balances.entry(new.vendor).or_default() -= new.remaining_local - before;
        if new.is_open() {
            self.open.insert((new.vendor, id));
        } else {
            self.open.remove(&(new.vendor, id));
        }
        if old.is_some() {
            return;
        }
        *self.purchases.entry(new.vendor).or_default() += new.purchase;
        if !new.external_number.is_empty() {
            self.externals.entry(new.external_number.clone()).or_default().push(id);
        }
        if let Some(document) = new.document {
            self.documents.insert(document, id);
            if new.document_type == EntryType::Invoice {
                self.invoices.insert(new.document_number.clone(), document);
            }
        }
    }

    fn gl(&mut self, new: &GlEntry) {
        *self.net_changes.entry(new.account).or_default() += new.amount;
    }
}

impl Ledger {
    /// Makes the sums and look-ups again.
    pub(crate) fn reindex(&mut self) {
        let mut index = Index::default();
        for (id, entry) in self.vendor.iter() {
            index.vendor(id, None, entry);
        }
        for (_, entry) in self.gl.iter() {
            index.gl(entry);
        }
        for (set, number) in self.sets.iter().zip(1..) {
            index.sets.insert(set.clone(), number);
        }
        self.index = Arc::new(index);
    }

    /// What is owed to a vendor, in the company's own currency.
    pub(crate) fn balance(&self, vendor: Uuid) -> Decimal {
        self.index.balances.get(&vendor).copied().unwrap_or_default()
    }

    /// What was bought from a vendor without tax, in the company's own currency.
    pub(crate) fn purchases(&self, vendor: Uuid) -> Decimal {
        self.index.purchases.get(&vendor).copied().unwrap_or_default()
    }

    /// What was posted to an account.
    pub(crate) fn net_change(&self, account: Uuid) -> Decimal {
        self.index.net_changes.get(&account).copied().unwrap_or_default()
    }

    /// The open entries of a vendor, oldest first.
    pub(crate) fn open(&self, vendor: Uuid) -> impl Iterator<Item = (Uuid, &VendorEntry)> {
        let range = self.index.open.range((vendor, Uuid::nil())..=(vendor, Uuid::max()));
        range.filter_map(|(_, id)| Some((*id, self.vendor.get(*id)?)))
    }

    /// The entry of a posted purchase document.
    pub(crate) fn of_document(&self, document: Uuid) -> Option<(Uuid, &VendorEntry)> {
        let id = *self.index.documents.get(&document)?;
        Some((id, self.vendor.get(id)?))
    }

    /// The posted invoice with a number.
    pub(crate) fn posted_invoice(&self, number: &str) -> Option<Uuid> {
        self.index.invoices.get(number).copied()
    }

    /// The entries with an external document number.
    pub(crate) fn by_external(&self, number: &str) -> impl Iterator<Item = (Uuid, &VendorEntry)> {
        let ids = self.index.externals.get(number).map(Vec::as_slice).unwrap_or_default();
        ids.iter().filter_map(|id| Some((*id, self.vendor.get(*id)?)))
    }

    /// Whether a number is taken by an entry of the same kind and vendor that was not reversed. No date limits it.
    pub(crate) fn is_used(&self, kind: EntryType, vendor: Uuid, external: &str) -> bool {
        self.by_external(external)
            .any(|(_, entry)| entry.document_type == kind && entry.vendor == vendor && !entry.reversed)
    }

    /// The number that the next G/L entry gets.
    pub(crate) fn next_gl_number(&self) -> u32 {
        self.last_gl + 1
    }

    /// The id of the G/L entry with a number: ids start with their number.
    pub(crate) fn gl_id(&self, number: u32) -> Option<Uuid> {
        let range =
            Uuid::from_fields(number, 0, 0, &[0; 8])..=Uuid::from_fields(number, u16::MAX, u16::MAX, &[0xFF; 8]);
        self.gl.between(range)
    }

    /// The dimensions of a set.
    pub(crate) fn dimensions(&self, set: u32) -> Option<&DimensionSet> {
        self.sets.get(usize::try_from(set).ok()?.checked_sub(1)?)
    }
}

impl Tables {
    /// The number of a dimension set; a new one is stored.
    pub(crate) fn dimension_set(&mut self, set: &DimensionSet, now: Timestamp) -> u32 {
        if set.is_empty() {
            return 0;
        }
        if let Some(number) = self.ledger.index.sets.get(set) {
            return *number;
        }
        let number = u32::try_from(self.ledger.sets.len()).unwrap_or(u32::MAX).saturating_add(1);
        Arc::make_mut(&mut self.ledger.sets).push(set.clone());
        Arc::make_mut(&mut self.ledger.index).sets.insert(set.clone(), number);
        for ((dimension, value), part) in set.iter().zip(0_u32..) {
            let id =
                Uuid::from_fields(number, 0, 0x4000, &[0x80, 0, 0, 0, 0, 0, 0, u8::try_from(part).unwrap_or(u8::MAX)]);
            let entry = SetEntry { set: number, dimension: dimension.clone(), value: value.clone() };
            self.put(|tables| &mut tables.ledger.set_entries, id, entry, now);
        }
        number
    }

    /// Stores a new or changed vendor entry.
    pub(crate) fn put_vendor_entry(&mut self, id: Uuid, entry: VendorEntry, now: Timestamp) {
        let old = self.ledger.vendor.get(id).cloned();
        Arc::make_mut(&mut self.ledger.index).vendor(id, old.as_ref(), &entry);
        self.put(|tables| &mut tables.ledger.vendor, id, entry, now);
    }

    /// Stores a new G/L entry.
    fn put_gl_entry(&mut self, id: Uuid, entry: GlEntry, now: Timestamp) {
        Arc::make_mut(&mut self.ledger.index).gl(&entry);
        self.put(|tables| &mut tables.ledger.gl, id, entry, now);
    }
}
