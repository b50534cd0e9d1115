//! What the app's permission sets lack: pages that it cannot execute, and rights on tables.

use std::collections::BTreeMap;

use axum::http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::Refusal;
use super::odata::path::{Rest, Target};
use super::odata::query::Projection;
use super::sets::EntitySet;

/// What the permission sets on the app's card do not give. Nothing is missing from a new one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lacks {
    /// Sets whose page cannot be executed, by the set's name: `vendors`.
    pub pages: Vec<String>,
    /// Rights on tables, by the table's name: `Purchase Header`.
    pub tables: BTreeMap<String, Vec<Right>>,
}

/// A right on the rows of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// GET
    Read,
    /// POST
    Insert,
    /// PATCH
    Modify,
    /// DELETE
    Delete,
}

/// The tables behind the sets, as permissions name them.
const TABLES: [(&str, u32, &str); 33] = [
    ("vendors", 23, "Vendor"),
    ("accounts", 15, "G/L Account"),
    ("dimensions", 348, "Dimension"),
    ("dimensionValues", 349, "Dimension Value"),
    ("defaultDimensions", 352, "Default Dimension"),
    ("dimensionSetLines", 480, "Dimension Set Entry"),
    ("dimensionSetEntries", 480, "Dimension Set Entry"),
    ("currencies", 4, "Currency"),
    ("currencyExchangeRates", 330, "Currency Exchange Rate"),
    ("bankAccounts", 270, "Bank Account"),
    ("items", 27, "Item"),
    ("itemVariants", 5401, "Item Variant"),
    ("unitsOfMeasure", 204, "Unit of Measure"),
    ("paymentMethods", 289, "Payment Method"),
    ("paymentTerms", 3, "Payment Terms"),
    ("taxAreas", 318, "Tax Area"),
    ("taxGroups", 321, "Tax Group"),
    ("generalLedgerSetup", 98, "General Ledger Setup"),
    ("companyInformation", 79, "Company Information"),
    ("accountingPeriods", 50, "Accounting Period"),
    (INVOICES, 38, "Purchase Header"),
    (CREDIT_MEMOS, 38, "Purchase Header"),
    ("purchaseInvoiceLines", 39, "Purchase Line"),
    ("purchaseCreditMemoLines", 39, "Purchase Line"),
    ("documentAttachments", 1173, "Document Attachment"),
    ("attachments", 133, "Incoming Document Attachment"),
    ("journals", 232, "Gen. Journal Batch"),
    ("vendorPaymentJournals", 232, "Gen. Journal Batch"),
    ("journalLines", 81, "Gen. Journal Line"),
    ("vendorPayments", 81, "Gen. Journal Line"),
    ("generalLedgerEntries", 17, "G/L Entry"),
    ("vendorLedgerEntries", 25, "Vendor Ledger Entry"),
    ("detailedVendorLedgerEntries", 380, "Detailed Vendor Ledg. Entry"),
];
const INVOICES: &str = "purchaseInvoices";
const CREDIT_MEMOS: &str = "purchaseCreditMemos";

/// The name of the table behind a set.
pub(crate) fn table_of(set: &str) -> Option<&'static str> {
    TABLES.iter().find(|(name, ..)| *name == set).map(|(_, _, table)| *table)
}

impl Lacks {
    /// Refuses a request that needs what is missing: on the sets above its target, on the target, and on those expanded.
    pub(super) fn check(&self, method: &Method, target: &Target, projection: &Projection) -> Result<(), Refusal> {
        if self.pages.is_empty() && self.tables.is_empty() {
            return Ok(());
        }
        if let Some(parent) = target.parent {
            self.needs(parent.set, Right::Read)?;
        }
        let right = match (method, &target.rest) {
            (&Method::POST, Rest::Action(..)) | (&Method::PATCH, _) => Right::Modify,
            (&Method::POST, _) => Right::Insert,
            (&Method::DELETE, _) => Right::Delete,
            _ => Right::Read,
        };
        self.needs(target.set, right)?;
        self.check_expanded(projection)
    }

    /// The same for rows that are nested in a body.
    pub(super) fn check_nested(&self, set: &dyn EntitySet, body: &Map<String, Value>) -> Result<(), Refusal> {
        if self.pages.is_empty() && self.tables.is_empty() {
            return Ok(());
        }
        let nested = body.iter().filter(|(_, value)| value.is_array());
        for (name, rows) in nested {
            let Some(below) = set.navigation(name) else { continue };
            self.needs(below, Right::Insert)?;
            for row in rows.as_array().into_iter().flatten().filter_map(Value::as_object) {
                self.check_nested(below, row)?;
            }
        }
        Ok(())
    }

    fn check_expanded(&self, projection: &Projection) -> Result<(), Refusal> {
        for expansion in &projection.expand {
            self.needs(expansion.set, Right::Read)?;
            self.check_expanded(&expansion.options.projection)?;
        }
        Ok(())
    }

    fn needs(&self, set: &dyn EntitySet, right: Right) -> Result<(), Refusal> {
        let set = set.schema().set;
        if self.pages.iter().any(|page| page == set) {
            return Err(Refusal::no_page(&words(set)));
        }
        let Some((_, number, table)) = TABLES.iter().find(|(name, ..)| *name == set) else {
            return Ok(());
        };
        let missing = |right| self.tables.get(*table).is_some_and(|rights| rights.contains(&right));
        // The page looks whether it may read before it is opened (AL 30042 OnOpenPage).
        if matches!(set, INVOICES | CREDIT_MEMOS) && missing(Right::Read) {
            return Err(Refusal::dialog(format!("You do not have permissions to read {}.", words(set))));
        }
        if missing(right) { Err(Refusal::no_right(*number, table, right)) } else { Ok(()) }
    }
}

/// `purchaseInvoices` as the page's name has it: `Purchase Invoices`.
pub(crate) fn words(set: &str) -> String {
    let mut words = String::with_capacity(set.len() + 4);
    for (index, character) in set.char_indices() {
        if index == 0 {
            words.push(character.to_ascii_uppercase());
            continue;
        }
        if character.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(character);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::{TABLES, words};
    use crate::bc::sets::{reports_finance, top_level};

    #[test]
    fn every_table_belongs_to_a_set() {
        for (set, ..) in TABLES {
            assert!(top_level(set).or_else(|| reports_finance(set)).is_some(), "{set}");
        }
        assert_eq!(words("purchaseInvoiceLines"), "Purchase Invoice Lines");
    }
}
