//! What people do by hand around payments, and what tests ask the ledgers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Bc;
use super::document::currency;
use super::document::ledger::shown_currency;
use super::error::Refusal;
use super::journal::{self, BANK_ACCOUNT, GL_ACCOUNT, Journal, PAYMENT, Side, VENDOR, line};
use super::ledger::view::LedgerEntry;
use super::ledger::{EntryType, reverse};
use super::sets::Work;
use super::table::Tables;
use super::user::ChangeRefused;

/// How a user pays a posted document.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Payment {
    /// All that is left, if absent.
    #[serde(default, with = "rust_decimal::serde::arbitrary_precision_option")]
    pub amount: Option<Decimal>,
    /// External document number.
    #[serde(default)]
    pub external_number: String,
    /// Today, if absent.
    pub posting_date: Option<Date>,
}

/// A batch that a user prepares.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewJournal {
    /// Batch name.
    pub code: String,
    /// `GENERAL` or `PAYMENT`.
    pub template: String,
    /// Number of the bank account that balances the lines, which the API cannot set; blank for none.
    #[serde(default)]
    pub bank_account: String,
}

/// A line that a user writes into a batch. The API knows no document type but payments to vendors.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewJournalLine {
    /// Invoice, payment... blank if absent.
    #[serde(default)]
    pub document_type: EntryType,
    /// `G/L Account`, `Vendor` or `Bank Account` in its escaped form; G/L account if absent.
    #[serde(default)]
    pub account_type: Option<String>,
    /// Number of the account.
    pub account_number: String,
    /// Debit is positive.
    #[serde(with = "rust_decimal::serde::arbitrary_precision")]
    pub amount: Decimal,
    /// External document number.
    #[serde(default)]
    pub external_number: String,
    /// Today or that of the line before, if absent.
    pub posting_date: Option<Date>,
    /// Kind and number of the document that it settles.
    #[serde(default)]
    pub applies_to: (EntryType, String),
}

/// What to add up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SumBy {
    /// Vendor entries by vendor number, in the company's own currency.
    Vendor,
    /// G/L entries by account number.
    Account,
    /// Vendor entries by currency code, in that currency.
    Currency,
    /// G/L entries by dimension value, `DEPARTMENT=ADM`.
    Dimension,
}

/// An attachment as an inspector sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttachmentView {
    /// SystemId.
    pub id: Uuid,
    /// File name.
    pub file_name: String,
    /// Bytes.
    pub size: u64,
    /// Lower-case hexadecimal digits.
    pub sha256: String,
    /// An incoming document, not a paper-clip file.
    pub incoming: bool,
}

impl Bc {
    /// Pays a posted document with a payment of its own; the payment's entry.
    pub fn pay_document(&self, id: Uuid, payment: &Payment, now: Timestamp) -> Result<LedgerEntry, ChangeRefused> {
        let mut state = self.lock();
        let work = &mut Work { tables: state.writable(), ids: &self.ids, now };
        pay(work, id, payment)
    }

    /// Reverses the transaction of a vendor entry, by entry number.
    pub fn reverse_entry(&self, number: u32, now: Timestamp) -> Result<(), ChangeRefused> {
        let mut state = self.lock();
        let work = &mut Work { tables: state.writable(), ids: &self.ids, now };
        let found = work.tables.ledger.vendor.find(|entry| entry.number == number).map(|(id, _)| id);
        let id = found.ok_or_else(|| ChangeRefused::NotFound(format!("vendor ledger entry {number}")))?;
        Ok(reverse::reverse(work, id)?)
    }

    /// Adds a batch.
    pub fn add_journal(&self, journal: &NewJournal, now: Timestamp) -> Result<Uuid, ChangeRefused> {
        let mut state = self.lock();
        let tables = state.writable();
        let code = journal.code.trim().to_uppercase();
        journal::check_code(tables, None, &journal.template, &code)?;
        let bank = Some(journal.bank_account.trim().to_uppercase()).filter(|number| !number.is_empty());
        let balancing = match bank {
            None => Side::default(),
            Some(number) => Side::find(tables, BANK_ACCOUNT, None, Some(&number))
                .ok_or_else(|| ChangeRefused::NotFound(format!("bank account {number}")))?,
        };
        let row = Journal { name: code.clone(), code, template: journal.template.clone(), balancing };
        let id = self.ids.guid();
        tables.put(|tables| &mut tables.journals, id, row, now);
        Ok(id)
    }

    /// Adds a line to a batch.
    pub fn add_journal_line(&self, id: Uuid, new: &NewJournalLine, now: Timestamp) -> Result<Uuid, ChangeRefused> {
        let mut state = self.lock();
        let work = &mut Work { tables: state.writable(), ids: &self.ids, now };
        let journal = work.tables.journals.get(id).cloned();
        let journal = journal.ok_or_else(|| ChangeRefused::NotFound(format!("journal {id}")))?;
        let mut row = line::blank(work, id, &journal, false);
        row.document_type = new.document_type;
        row.posting_date = new.posting_date.unwrap_or(row.posting_date);
        let kind = new.account_type.as_deref().unwrap_or(GL_ACCOUNT);
        let side = Side::find(work.tables, kind, None, Some(&new.account_number));
        let side = side.ok_or_else(|| ChangeRefused::NotFound(format!("account {}", new.account_number)))?;
        line::set_account(work.tables, &mut row, side)?;
        row.amount = currency::within(new.amount)?.round_dp(2);
        row.external_number = new.external_number.trim().to_uppercase();
        row.applies_to.clone_from(&new.applies_to);
        let line_id = work.ids.guid();
        work.tables.put(|tables| &mut tables.journal_lines, line_id, row, now);
        Ok(line_id)
    }

    /// All vendor ledger entries in their order.
    pub fn vendor_entries(&self) -> Vec<LedgerEntry> {
        let state = self.lock();
        state.tables.ledger.vendor.iter().map(|(id, entry)| LedgerEntry::of(&state.tables, id, entry)).collect()
    }

    /// The payments with an external document number, reversed ones included.
    pub fn payments_by_external_number(&self, number: &str) -> Vec<LedgerEntry> {
        let state = self.lock();
        let wanted = number.trim().to_uppercase();
        let found = state.tables.ledger.by_external(&wanted);
        let payments = found.filter(|(_, entry)| entry.document_type == EntryType::Payment);
        payments.map(|(id, entry)| LedgerEntry::of(&state.tables, id, entry)).collect()
    }

    /// The sums of the entries.
    pub fn entry_sums(&self, by: SumBy) -> BTreeMap<String, Decimal> {
        let state = self.lock();
        sums(&state.tables, by)
    }

    /// The attachments of a document, a vendor, a journal line or an entry.
    pub fn attachments_of(&self, parent: Uuid) -> Vec<AttachmentView> {
        let state = self.lock();
        let rows = state.tables.attachments.below(parent);
        rows.map(|(id, row)| AttachmentView {
            id,
            file_name: row.file_name.clone(),
            size: row.content.size,
            sha256: row.content.sha256.clone(),
            incoming: row.incoming,
        })
        .collect()
    }
}

/// A payment from the bank, in a batch that is gone afterwards.
pub(super) fn pay(work: &mut Work<'_>, id: Uuid, payment: &Payment) -> Result<LedgerEntry, ChangeRefused> {
    let missing = || ChangeRefused::NotFound(format!("posted document {id}"));
    let (_, entry) = work.tables.ledger.of_document(id).ok_or_else(missing)?;
    let entry = entry.clone();
    if !entry.is_open() {
        return Err(ChangeRefused::Refused("the document is settled already".to_owned()));
    }
    let balancing = Side::find(work.tables, BANK_ACCOUNT, None, None).unwrap_or_default();
    let batch = Journal { code: "BYHAND".to_owned(), name: String::new(), template: PAYMENT.to_owned(), balancing };
    let journal = work.ids.guid();
    work.tables.put(|tables| &mut tables.journals, journal, batch.clone(), work.now);
    let posted = pay_in(work, journal, &batch, &entry, payment);
    for (line, _) in journal::lines(work.tables, journal) {
        work.tables.journal_lines.remove(line);
    }
    work.tables.journals.remove(journal);
    posted?;
    let paid = work.tables.ledger.vendor.last().map(|(id, entry)| LedgerEntry::of(work.tables, id, entry));
    paid.ok_or_else(missing)
}

fn pay_in(
    work: &mut Work<'_>,
    journal: Uuid,
    batch: &Journal,
    entry: &super::ledger::VendorEntry,
    payment: &Payment,
) -> Result<(), Refusal> {
    let mut row = line::blank(work, journal, batch, true);
    let vendor = Side::find(work.tables, VENDOR, Some(entry.vendor), None);
    let vendor = vendor.ok_or_else(|| Refusal::dialog("The vendor cannot be found."))?;
    if entry.document_type == EntryType::CreditMemo {
        row.document_type = EntryType::Refund;
    }
    line::set_account(work.tables, &mut row, vendor)?;
    row.currency.clone_from(&entry.currency);
    row.amount = payment.amount.unwrap_or(-entry.remaining);
    row.external_number = payment.external_number.trim().to_uppercase();
    row.posting_date = payment.posting_date.unwrap_or_else(|| work.today());
    row.applies_to = (entry.document_type, entry.document_number.clone());
    let id = work.ids.guid();
    work.tables.put(|tables| &mut tables.journal_lines, id, row, work.now);
    journal::post::post(work, journal)
}

fn sums(tables: &Tables, by: SumBy) -> BTreeMap<String, Decimal> {
    let mut sums = BTreeMap::new();
    let mut add = |key: String, amount: Decimal| *sums.entry(key).or_default() += amount;
    match by {
        SumBy::Vendor | SumBy::Currency => {
            for (_, entry) in tables.ledger.vendor.iter() {
                if by == SumBy::Currency {
                    add(shown_currency(tables, &entry.currency), entry.amount);
                } else if let Some(vendor) = tables.vendors.get(entry.vendor) {
                    add(vendor.base.number.clone(), entry.amount_local);
                }
            }
        }
        SumBy::Account | SumBy::Dimension => {
            for (_, entry) in tables.ledger.gl.iter() {
                if by == SumBy::Dimension {
                    for (code, value) in tables.ledger.dimensions(entry.dimension_set).into_iter().flatten() {
                        add(format!("{code}={value}"), entry.amount);
                    }
                } else if let Some(side) = Side::find(tables, GL_ACCOUNT, Some(entry.account), None) {
                    add(side.number, entry.amount);
                }
            }
        }
    }
    sums
}
