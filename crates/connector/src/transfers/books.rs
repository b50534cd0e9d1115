//! Both sides in the form in which they are compared: what Brex told, and what Business Central has posted.

use std::collections::{BTreeMap, BTreeSet};

use clients::bc::{Company, Document, DocumentKind, DocumentStatus, EntryKind, VendorEntry};
use clients::{Error, Kind};
use domain::directory::Directory;
use domain::money::{Currency, Money};
use domain::transfer::{Books, LedgerPayment, Payable, PayableKind, Transfer, minor_units};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use store::{BrexVendorRow, TransferRow};
use uuid::Uuid;

use super::Halt;
use crate::app::{App, Connection};

/// What Business Central has.
pub struct Ledger {
    /// Posted documents.
    pub payables: Vec<Payable>,
    /// Payments.
    pub payments: Vec<LedgerPayment>,
    /// Whether vendor ledger entries can be read here.
    pub has_entries: bool,
}

/// Both sides as they are now. `matched` are documents that matches name: they are read however old they are.
pub async fn read(app: &App, connection: &Connection, matched: &BTreeSet<String>) -> Result<(Books, bool), Halt> {
    let directory = connection.directory();
    let Some(identity) = connection.identity() else { return Ok((Books::default(), false)) };
    // A replica that lags behind would not show a payment that was just posted.
    let company = connection.bc.company(identity.bc_company).with_fresh_reads();
    let days = i64::from(connection.settings.transfers.closed_days);
    let now = crate::clock::timestamp(app.now_ms());
    let since = now.checked_sub(SignedDuration::from_hours(days.saturating_mul(24))).unwrap_or(Timestamp::UNIX_EPOCH);
    let mut ledger = ledger(&company, &directory, since, matched).await?;
    let cards = card_documents(app, connection, &ledger.payables).await?;
    ledger.payables.retain(|payable| matched.contains(&payable.id) || !cards.contains(&payable.id));
    let rows = app.store.transfers().list(&connection.id).await?;
    let links = app.store.brex_vendors().list(&connection.id).await?;
    let transfers = transfers(&rows, &links, &directory);
    let books = Books { transfers, payables: ledger.payables, payments: ledger.payments };
    Ok((books, ledger.has_entries))
}

/// Documents of card spend: the card paid them, so that no transfer does, although they stay open until they are cleared.
async fn card_documents(
    app: &App,
    connection: &Connection,
    payables: &[Payable],
) -> Result<BTreeSet<String>, store::Error> {
    let ids: Vec<Uuid> = payables.iter().filter_map(|payable| payable.id.parse().ok()).collect();
    let found = app.store.records().card_documents(&connection.id, &ids).await?;
    Ok(found.iter().map(ToString::to_string).collect())
}

/// The transfers with the vendors that they may be for: the link in the directory, else all vendors of exactly that name.
pub fn transfers(rows: &[TransferRow], links: &[BrexVendorRow], directory: &Directory) -> Vec<Transfer> {
    let linked: BTreeMap<&str, Uuid> =
        links.iter().filter_map(|row| Some((row.brex_id.as_deref()?, row.bc_id))).collect();
    let vendors = |row: &TransferRow| match row.facts.brex_vendor.as_deref().and_then(|id| linked.get(id)) {
        Some(vendor) => vec![*vendor],
        None => named(directory, row.facts.name.as_deref().unwrap_or_default()),
    };
    rows.iter().map(|row| transfer(row, vendors(row))).collect()
}

/// The vendors of exactly this name.
pub fn named(directory: &Directory, name: &str) -> Vec<Uuid> {
    if name.is_empty() { Vec::new() } else { directory.vendors_named(name).iter().map(|vendor| vendor.id).collect() }
}

fn transfer(row: &TransferRow, vendors: Vec<Uuid>) -> Transfer {
    let facts = &row.facts;
    // Brex puts the payee's name in front, which may have digits of its own.
    let name = facts.name.as_deref().unwrap_or_default();
    let description = facts.description.as_deref().unwrap_or_default();
    let described = description.strip_prefix(name).unwrap_or(description);
    Transfer {
        id: row.id.clone(),
        movement: row.movement(),
        amount: facts.amount.saturating_abs(),
        currency: facts.currency.clone(),
        date: facts.date(row.settled).unwrap_or_default(),
        texts: facts.memo.iter().map(String::as_str).chain([described]).map(str::to_owned).collect(),
        vendors,
        settled: row.settled.map(|settled| settled.amount),
    }
}

async fn ledger(
    company: &Company,
    directory: &Directory,
    since: Timestamp,
    matched: &BTreeSet<String>,
) -> Result<Ledger, Error> {
    let entries = company.list_vendor_entries().await?;
    let due: Option<BTreeMap<String, Decimal>> = match company.list_due().await {
        Ok(rows) => Some(rows.into_iter().map(|row| (row.vendor_number, row.balance_due)).collect()),
        Err(error) if matches!(error.kind(), Kind::Forbidden | Kind::NotFound) => None,
        Err(error) => return Err(error),
    };
    let mut documents = Vec::new();
    for kind in [DocumentKind::Invoice, DocumentKind::CreditMemo] {
        let mut found = company.list_posted(kind, &DocumentStatus::Open, None)?.all().await?;
        found.extend(company.list_posted(kind, &DocumentStatus::Paid, Some(since))?.all().await?);
        let there: BTreeSet<String> = found.iter().map(|document| document.id.to_string()).collect();
        let missing: Vec<Uuid> = matched.difference(&there).filter_map(|id| id.parse().ok()).collect();
        let kept = company.get_documents(kind, &missing).await?;
        let stands = |document: &Document| matches!(document.status, DocumentStatus::Open | DocumentStatus::Paid);
        found.extend(kept.into_iter().filter(stands));
        documents.extend(found.into_iter().map(|document| (kind, document)));
    }
    let entries_of = entries.as_deref().unwrap_or_default();
    let rest = Remaining::new(&documents, entries.as_deref(), due.as_ref(), directory);
    Ok(Ledger {
        payables: documents.iter().filter_map(|(kind, document)| payable(*kind, document, directory, &rest)).collect(),
        payments: payments(entries_of, directory),
        has_entries: entries.is_some(),
    })
}

/// What is known about the open amounts. The API tells them per vendor only (business-central.md 6.5): if everything that is
/// open of a vendor adds up to what is due, nothing of it was paid in part; a single open entry has what is due left.
struct Remaining<'a> {
    local: &'a str,
    /// Vendors whose open entries have all their amounts left.
    whole: BTreeSet<&'a str>,
    /// Vendors with one open entry, and what is left of it.
    single: BTreeMap<&'a str, Decimal>,
    /// Numbers of posted credit memos; none if entries cannot be read.
    credit_memos: Option<BTreeSet<(&'a str, &'a str)>>,
}

impl<'a> Remaining<'a> {
    fn new(
        documents: &'a [(DocumentKind, Document)],
        entries: Option<&'a [VendorEntry]>,
        due: Option<&'a BTreeMap<String, Decimal>>,
        directory: &'a Directory,
    ) -> Self {
        let mut open: BTreeMap<&str, (Decimal, usize)> = BTreeMap::new();
        let mut add = |vendor: &'a str, amount: Decimal| {
            let sum = open.entry(vendor).or_default();
            *sum = (sum.0.saturating_add(amount), sum.1.saturating_add(1));
        };
        match entries {
            Some(entries) => {
                let is_open = |entry: &&VendorEntry| entry.open;
                entries
                    .iter()
                    .filter(is_open)
                    .for_each(|entry| add(&entry.vendor_number, -entry.amount_local_currency));
            }
            None => {
                for (kind, document) in documents.iter().filter(|(_, document)| document.status == DocumentStatus::Open)
                {
                    let amount = document.total_amount_including_tax;
                    add(&document.vendor_number, if *kind == DocumentKind::Invoice { amount } else { -amount });
                }
            }
        }
        let nothing = BTreeMap::new();
        let due = due.unwrap_or(&nothing);
        let balance = |vendor: &str| due.get(vendor).copied();
        let whole = open.iter().filter(|(vendor, (sum, _))| balance(vendor) == Some(*sum)).map(|(vendor, _)| *vendor);
        let single = open.iter().filter(|(_, (_, count))| *count == 1 && entries.is_some());
        let memos = |entries: &'a [VendorEntry]| {
            let memos = entries.iter().filter(|entry| entry.document_type == EntryKind::CreditMemo);
            memos.map(|entry| (entry.vendor_number.as_str(), entry.document_number.as_str())).collect()
        };
        Self {
            local: directory.setup.local_currency.as_str(),
            whole: whole.collect(),
            single: single.filter_map(|(vendor, _)| Some((*vendor, balance(vendor)?))).collect(),
            credit_memos: entries.map(memos),
        }
    }

    /// What is left of an open document, and whether that is certain.
    fn of(&self, document: &Document, total: Decimal) -> (Decimal, bool) {
        let vendor = document.vendor_number.as_str();
        if self.whole.contains(vendor) {
            return (total, true);
        }
        match self.single.get(vendor).map(Decimal::abs) {
            Some(left) if document.currency_code == self.local && left <= total => (left, true),
            _ => (total, false),
        }
    }
}

fn payable(kind: DocumentKind, document: &Document, directory: &Directory, rest: &Remaining<'_>) -> Option<Payable> {
    let vendor = document.vendor_id.or_else(|| directory.vendor(&document.vendor_number).map(|vendor| vendor.id))?;
    let currency = Currency::new(&document.currency_code).ok()?;
    let units = |amount: Decimal| minor_units(&Money::new(amount, currency.clone()));
    let total = document.total_amount_including_tax;
    let (remaining, mut is_certain) = match document.status {
        DocumentStatus::Open => rest.of(document, total),
        _ => (Decimal::ZERO, true),
    };
    if kind == DocumentKind::CreditMemo {
        // A released draft shows as open, too: only the ledger tells that it is posted.
        let posted = (document.vendor_number.as_str(), document.number.as_str());
        match &rest.credit_memos {
            Some(memos) if !memos.contains(&posted) => return None,
            Some(_) => {}
            None => is_certain = false,
        }
    }
    let date = document.document_date.or(document.posting_date)?;
    Some(Payable {
        id: document.id.to_string(),
        kind: match kind {
            DocumentKind::Invoice => PayableKind::Invoice,
            DocumentKind::CreditMemo => PayableKind::CreditMemo,
        },
        vendor,
        numbers: [&document.vendor_document_number, &document.number]
            .into_iter()
            .filter(|n| !n.is_empty())
            .cloned()
            .collect(),
        total: units(total)?,
        remaining: units(remaining)?,
        is_certain,
        currency: currency.clone(),
        date,
        due: document.due_date.unwrap_or(date),
    })
}

/// Posted payments. One that was reversed has a counterpart of the opposite amount and is left out with it.
fn payments(entries: &[VendorEntry], directory: &Directory) -> Vec<LedgerPayment> {
    let paid: Vec<&VendorEntry> = entries.iter().filter(|entry| entry.document_type == EntryKind::Payment).collect();
    let key = |entry: &VendorEntry, amount: Decimal| {
        (entry.vendor_number.clone(), entry.document_number.clone(), amount.normalize())
    };
    let mut reversed: BTreeMap<_, usize> = BTreeMap::new();
    for entry in paid.iter().filter(|entry| entry.amount < Decimal::ZERO) {
        let count = reversed.entry(key(entry, -entry.amount)).or_default();
        *count = count.saturating_add(1);
    }
    let mut found = Vec::new();
    for entry in paid.into_iter().filter(|entry| entry.amount > Decimal::ZERO) {
        if let Some(count) = reversed.get_mut(&key(entry, entry.amount)).filter(|count| **count > 0) {
            *count = count.saturating_sub(1);
            continue;
        }
        found.extend(payment(entry, directory));
    }
    found
}

fn payment(entry: &VendorEntry, directory: &Directory) -> Option<LedgerPayment> {
    let local = directory.setup.local_currency.as_str();
    let currency = Currency::new(if entry.currency_code.is_empty() { local } else { &entry.currency_code }).ok()?;
    Some(LedgerPayment {
        id: entry.entry_number.to_string(),
        vendor: directory.vendor(&entry.vendor_number)?.id,
        amount: minor_units(&Money::new(entry.amount, currency.clone()))?,
        currency,
        date: entry.posting_date?,
        texts: vec![entry.external_document_number.clone(), entry.description.clone()],
        is_open: entry.open,
    })
}
