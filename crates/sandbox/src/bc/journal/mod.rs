//! Journals: batches of lines that wait to be posted. A vendor payment is a line of the payment template.

pub(crate) mod line;
pub(crate) mod post;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::document::DimensionSet;
use super::error::Refusal;
use super::ledger::{BANK, EntryType, post::account};
use super::table::Tables;
use crate::ids::Ids;

/// The general template: what the API shows when no other one is asked for.
pub(crate) const GENERAL: &str = "GENERAL";
/// The template of payments.
pub(crate) const PAYMENT: &str = "PAYMENT";

/// The account types of journal lines.
pub(crate) const ACCOUNT_TYPES: &[&str] = &[
    "G_x002F_L_x0020_Account",
    "Customer",
    "Vendor",
    "Bank_x0020_Account",
    "Fixed_x0020_Asset",
    "IC_x0020_Partner",
    "Employee",
    "Allocation_x0020_Account",
];
pub(crate) const GL_ACCOUNT: &str = ACCOUNT_TYPES[0];
pub(crate) const VENDOR: &str = ACCOUNT_TYPES[2];
pub(crate) const BANK_ACCOUNT: &str = ACCOUNT_TYPES[3];

/// An account of any type; blank if there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Side {
    /// One of [`ACCOUNT_TYPES`].
    pub(crate) kind: String,
    pub(crate) id: Uuid,
    pub(crate) number: String,
}

impl Default for Side {
    fn default() -> Self {
        Self { kind: GL_ACCOUNT.to_owned(), id: Uuid::nil(), number: String::new() }
    }
}

impl Side {
    pub(crate) fn is_blank(&self) -> bool {
        self.number.is_empty()
    }

    /// Finds an account of a type by its number or id.
    pub(crate) fn find(tables: &Tables, kind: &str, id: Option<Uuid>, number: Option<&str>) -> Option<Self> {
        let fits = |found: Uuid, of: &str| id.is_none_or(|id| id == found) && number.is_none_or(|number| number == of);
        let (id, number) = match kind {
            VENDOR => {
                let (id, row) = match id {
                    Some(id) => (id, tables.vendors.get(id)?),
                    None => tables.vendor_by_number(number?)?,
                };
                (id, row.base.number.clone())
            }
            GL_ACCOUNT => {
                let (id, row) = tables.accounts.iter().find(|(id, row)| fits(*id, &row.number))?;
                (id, row.number.clone())
            }
            BANK_ACCOUNT => {
                let (id, row) = tables.bank_accounts.iter().find(|(id, row)| fits(*id, &row.number))?;
                (id, row.number.clone())
            }
            _ => return None,
        };
        fits(id, &number).then(|| Self { kind: kind.to_owned(), id, number })
    }

    /// The G/L account behind an account that is no vendor's.
    pub(crate) fn gl_account(&self, tables: &Tables) -> Uuid {
        if self.kind == BANK_ACCOUNT { account(tables, BANK) } else { self.id }
    }

    /// The currency that an account brings along; blank for the company's own.
    pub(crate) fn currency(&self, tables: &Tables) -> String {
        match self.kind.as_str() {
            VENDOR => tables.vendors.get(self.id).map(|row| row.base.currency.clone()),
            BANK_ACCOUNT => tables.bank_accounts.get(self.id).map(|row| row.currency.clone()),
            _ => None,
        }
        .unwrap_or_default()
    }
}

/// A batch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Journal {
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) template: String,
    pub(crate) balancing: Side,
}

/// A line of a batch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct JournalLine {
    pub(crate) journal: Uuid,
    pub(crate) number: i64,
    pub(crate) document_type: EntryType,
    pub(crate) account: Side,
    pub(crate) posting_date: Date,
    pub(crate) document_number: String,
    pub(crate) external_number: String,
    /// Debit is positive.
    pub(crate) amount: Decimal,
    /// The vendor's; blank for the company's own.
    pub(crate) currency: String,
    pub(crate) description: String,
    pub(crate) comment: String,
    pub(crate) tax_code: String,
    pub(crate) balancing: Side,
    /// The kind and number of the document it settles.
    pub(crate) applies_to: (EntryType, String),
    /// Set when it settles the entries marked with this.
    pub(crate) applies_to_id: String,
    pub(crate) dimensions: DimensionSet,
}

/// The batches that are there from the start: one without a balancing account, and one that pays from the bank.
pub(crate) fn first(ids: &Ids) -> impl Iterator<Item = (Uuid, Journal)> {
    // A source of its own, so that ids that were there before stay as they are.
    let ids = ids.stream("journals");
    [(GENERAL, "DEFAULT", "Default Journal Batch"), (PAYMENT, "GENERAL", "Payments")].into_iter().map(
        move |(template, code, name)| {
            let journal = Journal {
                code: code.to_owned(),
                name: name.to_owned(),
                template: template.to_owned(),
                balancing: Side::default(),
            };
            (ids.guid(), journal)
        },
    )
}

/// The lines of a batch in their order.
pub(crate) fn lines(tables: &Tables, journal: Uuid) -> Vec<(Uuid, JournalLine)> {
    let ours = tables.journal_lines.iter().filter(|(_, line)| line.journal == journal);
    let mut lines: Vec<_> = ours.map(|(id, line)| (id, line.clone())).collect();
    lines.sort_by_key(|(_, line)| line.number);
    lines
}

/// Refuses a batch that is there already.
pub(crate) fn check_code(tables: &Tables, id: Option<Uuid>, template: &str, code: &str) -> Result<(), Refusal> {
    if code.is_empty() {
        return Err(Refusal::field(format!(
            "Name must have a value in Gen. Journal Batch: Journal Template Name={template}, Name=. It cannot be zero or empty."
        )));
    }
    let taken =
        tables.journals.iter().any(|(other, row)| Some(other) != id && row.template == template && row.code == code);
    if taken {
        return Err(Refusal::same_key("Gen. Journal Batch", &format!("Journal Template Name='{template}',Name"), code));
    }
    Ok(())
}
