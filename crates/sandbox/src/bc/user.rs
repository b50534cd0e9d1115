//! What people do in Business Central by hand, and what an inspector reads: for tests and for the control port.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Bc;
use super::by_hand;
use super::document::ledger::LedgerDocument;
use super::document::{Document, dimensions, post};
use super::error::Refusal;
use super::index::Key;
use super::sets::Work;
use super::sets::vendor::{InvoiceDiscount, Vendor};
use super::table::Tables;
use crate::company::{self, Address, Blocked};

/// Why a change by hand was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeRefused {
    /// There is no such row.
    #[error("{0} not found")]
    NotFound(String),
    /// BC says no.
    #[error("{0}")]
    Refused(String),
}

impl From<Refusal> for ChangeRefused {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.message)
    }
}

/// What to change on a vendor; a vendor that does not exist is added.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct VendorChange {
    /// Block or unblock.
    pub blocked: Option<Blocked>,
    /// Rename.
    pub name: Option<String>,
    /// Another e-mail address.
    pub email: Option<String>,
    /// Block or unblock for privacy.
    pub privacy_blocked: Option<bool>,
    /// Another Gen. Bus. Posting Group.
    pub business_group: Option<String>,
    /// Another Vendor Posting Group.
    pub posting_group: Option<String>,
    /// Other terms of discounts on whole invoices.
    pub invoice_discount: Option<InvoiceDiscount>,
    /// Another default currency; blank for the company's own.
    pub currency: Option<String>,
    /// Delete it.
    #[serde(default)]
    pub delete: bool,
}

/// What to change on a G/L account.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AccountChange {
    /// Block or unblock.
    pub blocked: Option<bool>,
    /// Allow or forbid direct posting.
    pub direct_posting: Option<bool>,
    /// Rename.
    pub name: Option<String>,
}

/// What to change in the set-up.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetupChange {
    /// First allowed posting date.
    pub allow_posting_from: Option<Date>,
    /// Last allowed posting date.
    pub allow_posting_to: Option<Date>,
    /// Whether reads with `Data-Access-Intent: ReadOnly` miss the last write.
    pub replica_lags: Option<bool>,
}

/// What to change on a document. Posted ones can only be paid.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentChange {
    /// Vendor invoice or credit memo number.
    pub external_number: Option<String>,
    /// Posting date.
    pub posting_date: Option<Date>,
    /// Move it to another vendor, by number; lines stay.
    pub vendor_number: Option<String>,
    /// A new unit cost for the first line that is not a comment.
    #[serde(default, with = "rust_decimal::serde::arbitrary_precision_option")]
    pub unit_cost: Option<Decimal>,
    /// A dimension and its value for every line.
    pub dimension: Option<(String, String)>,
    /// Remove all comment lines.
    #[serde(default)]
    pub remove_comments: bool,
    /// What to do with it after that.
    pub action: Option<DocumentAction>,
}

/// What a user does with a whole document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentAction {
    /// Posts it.
    Post,
    /// Settles it.
    Pay,
    /// Deletes it.
    Delete,
    /// Approves and releases it.
    Release,
    /// Opens a released one again.
    Reopen,
    /// Takes a posted invoice back with a corrective credit memo.
    Correct,
}

fn ordered<'a>(tables: &Tables, found: impl Iterator<Item = (Uuid, &'a Document)>) -> Vec<LedgerDocument> {
    let mut documents: Vec<LedgerDocument> =
        found.map(|(id, document)| LedgerDocument::of(tables, id, document)).collect();
    documents.sort_by(|left, right| (left.kind, &left.number).cmp(&(right.kind, &right.number)));
    documents
}

impl Bc {
    /// All purchase documents, drafts and posted, oldest number first.
    pub fn ledger(&self) -> Vec<LedgerDocument> {
        self.documents_with(|_| true)
    }

    /// How many documents there are.
    pub fn count_documents(&self) -> usize {
        self.lock().tables.documents.len()
    }

    /// One document.
    pub fn document(&self, id: Uuid) -> Option<LedgerDocument> {
        let state = self.lock();
        let document = state.tables.documents.get(id)?;
        Some(LedgerDocument::of(&state.tables, id, document))
    }

    /// Shows every document to `see`, one after the other, in no particular order.
    pub fn each_document(&self, mut see: impl FnMut(LedgerDocument)) {
        let tables = self.lock().tables.clone();
        for (id, document) in tables.documents.iter() {
            see(LedgerDocument::of(&tables, id, document));
        }
    }

    /// The documents with a vendor's or BC's number.
    pub fn documents_by_number(&self, number: &str) -> Vec<LedgerDocument> {
        let wanted = number.trim().to_uppercase();
        let tables = self.lock().tables.clone();
        let keys = [Key::External(wanted.clone()), Key::Number(wanted)];
        let found: BTreeMap<Uuid, &Document> = keys.into_iter().flat_map(|key| tables.documents.with(key)).collect();
        ordered(&tables, found.into_iter())
    }

    /// The documents with a line whose description contains `marker`.
    pub fn documents_by_marker(&self, marker: &str) -> Vec<LedgerDocument> {
        self.documents_with(|found| found.lines.iter().any(|line| line.description.contains(marker)))
    }

    /// Ordered as the ledger is.
    fn documents_with(&self, wanted: impl Fn(&Document) -> bool) -> Vec<LedgerDocument> {
        let tables = self.lock().tables.clone();
        ordered(&tables, tables.documents.iter().filter(|(_, document)| wanted(document)))
    }

    /// Changes a vendor, or adds one.
    pub fn change_vendor(&self, number: &str, change: VendorChange, now: Timestamp) -> Result<Uuid, ChangeRefused> {
        let mut state = self.lock();
        let tables = state.writable();
        let found = tables.vendor_by_number(number).map(|(id, row)| (id, row.clone()));
        let (id, mut vendor) = found.unwrap_or_else(|| {
            let id = self.ids.guid();
            (id, Vendor::of(&new_vendor(id, number)))
        });
        if change.delete {
            tables.remove_vendor(id);
            tables.record(now);
            return Ok(id);
        }
        vendor.privacy_blocked = change.privacy_blocked.unwrap_or(vendor.privacy_blocked);
        vendor.business_group = change.business_group.unwrap_or(vendor.business_group);
        vendor.posting_group = change.posting_group.unwrap_or(vendor.posting_group);
        vendor.invoice_discount = change.invoice_discount.or(vendor.invoice_discount);
        let base = &mut vendor.base;
        base.blocked = change.blocked.unwrap_or(base.blocked);
        base.name = change.name.unwrap_or_else(|| base.name.clone());
        base.email = change.email.unwrap_or_else(|| base.email.clone());
        base.currency = change.currency.unwrap_or_else(|| base.currency.clone());
        tables.put(|tables| &mut tables.vendors, id, vendor, now);
        Ok(id)
    }

    /// Changes an account.
    pub fn change_account(&self, number: &str, change: AccountChange, now: Timestamp) -> Result<(), ChangeRefused> {
        let mut state = self.lock();
        let tables = state.writable();
        let found = tables.accounts.find(|account| account.number == number);
        let (id, account) = found.ok_or_else(|| ChangeRefused::NotFound(format!("account {number}")))?;
        let mut account = account.clone();
        account.blocked = change.blocked.unwrap_or(account.blocked);
        account.direct_posting = change.direct_posting.unwrap_or(account.direct_posting);
        account.name = change.name.unwrap_or(account.name);
        tables.put(|tables| &mut tables.accounts, id, account, now);
        Ok(())
    }

    /// Blocks or unblocks a dimension value.
    pub fn block_dimension_value(
        &self,
        dimension: &str,
        value: &str,
        blocked: bool,
        now: Timestamp,
    ) -> Result<(), ChangeRefused> {
        let mut state = self.lock();
        let tables = state.writable();
        let parent = tables.dimensions.find(|row| row.code == dimension).map(|(id, _)| id);
        let found = tables.dimension_values.find(|(of, row)| Some(*of) == parent && row.code == value);
        let (id, row) = found.ok_or_else(|| ChangeRefused::NotFound(format!("value {value} of {dimension}")))?;
        let mut row = row.clone();
        row.1.blocked = blocked;
        tables.put(|tables| &mut tables.dimension_values, id, row, now);
        Ok(())
    }

    /// Deletes a dimension value; documents that name it keep its code.
    pub fn delete_dimension_value(&self, dimension: &str, value: &str, now: Timestamp) -> Result<(), ChangeRefused> {
        let mut state = self.lock();
        let tables = state.writable();
        let parent = tables.dimensions.find(|row| row.code == dimension).map(|(id, _)| id);
        let found = tables.dimension_values.find(|(of, row)| Some(*of) == parent && row.code == value);
        let id = found.map(|(id, _)| id);
        let id = id.ok_or_else(|| ChangeRefused::NotFound(format!("value {value} of {dimension}")))?;
        tables.dimension_values.remove(id);
        tables.record(now);
        Ok(())
    }

    /// Changes the set-up.
    pub fn change_setup(&self, change: &SetupChange, now: Timestamp) {
        let mut state = self.lock();
        let settings = &mut state.tables.settings;
        settings.replica_lags = change.replica_lags.unwrap_or(settings.replica_lags);
        let tables = state.writable();
        let mut setup = tables.setup().clone();
        setup.allow_posting_from = change.allow_posting_from.or(setup.allow_posting_from);
        setup.allow_posting_to = change.allow_posting_to.or(setup.allow_posting_to);
        let id = setup.id;
        tables.put(|tables| &mut tables.setup, id, setup, now);
    }

    /// Edits, posts, settles or deletes a document as a user would.
    pub fn change_document(&self, id: Uuid, change: DocumentChange, now: Timestamp) -> Result<(), ChangeRefused> {
        let mut state = self.lock();
        let tables = state.writable();
        let missing = || ChangeRefused::NotFound(format!("document {id}"));
        let mut document = tables.documents.get(id).cloned().ok_or_else(missing)?;
        if change.action == Some(DocumentAction::Delete) {
            tables.remove_document(id);
            tables.record(now);
            return Ok(());
        }
        if let Some(number) = change.external_number {
            document.external_number = number.trim().to_uppercase();
        }
        document.posting_date = change.posting_date.unwrap_or(document.posting_date);
        if let Some(number) = change.vendor_number {
            let found = tables.vendor_by_number(&number);
            let (vendor, row) = found.ok_or_else(|| ChangeRefused::NotFound(format!("vendor {number}")))?;
            document.vendor = vendor;
            document.pay_to = vendor;
            document.vendor_name.clone_from(&row.base.name);
        }
        if let (Some(cost), Some(line)) =
            (change.unit_cost, document.lines.iter_mut().find(|line| !line.number.is_empty()))
        {
            line.unit_cost = cost;
        }
        if let Some((code, value)) = change.dimension {
            for line in &mut document.lines {
                dimensions::set_shortcut(tables, &mut line.dimensions, &code, &value)?;
            }
        }
        if change.remove_comments {
            document.lines.retain(|line| !line.number.is_empty());
        }
        match change.action {
            Some(DocumentAction::Release) => document.released = true,
            Some(DocumentAction::Reopen) => document.released = false,
            _ => {}
        }
        let kind = document.kind;
        tables.put(|tables| &mut tables.documents, id, document, now);
        if change.action == Some(DocumentAction::Post) {
            post::post(&mut Work { tables, ids: &self.ids, now }, kind, id)?;
        }
        if change.action == Some(DocumentAction::Pay) {
            by_hand::pay(&mut Work { tables, ids: &self.ids, now }, id, &by_hand::Payment::default())?;
        }
        if change.action == Some(DocumentAction::Correct) {
            post::correct(&mut Work { tables, ids: &self.ids, now }, id)?;
        }
        Ok(())
    }
}

fn new_vendor(id: Uuid, number: &str) -> company::Vendor {
    company::Vendor {
        id,
        number: number.to_owned(),
        name: number.to_owned(),
        address: Address { country: "US".to_owned(), ..Address::default() },
        phone: String::new(),
        email: String::new(),
        website: String::new(),
        currency: String::new(),
        payment_terms: "30 DAYS".to_owned(),
        blocked: Blocked::No,
        default_dimensions: Vec::new(),
    }
}
