//! What the ledger adds up to, by company, currency, account, vendor, status or dimension.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::bc::{DocumentKind, LedgerDocument};
use crate::world::World;

/// What sums are told apart by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The whole company.
    Company,
    /// Currency of the document.
    Currency,
    /// Draft, Open, Paid...
    Status,
    /// Vendor number.
    Vendor,
    /// G/L account number, by line.
    Account,
    /// Value of the dimension with this code, by line.
    Dimension(String),
}

/// A sum of documents or lines. Credit memos count negative; amounts are never converted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// By what was asked; blank where a document or line has nothing of it.
    pub key: String,
    /// Currency of the amounts.
    pub currency: String,
    /// Documents, or lines, that were added.
    pub count: u64,
    /// The sum.
    #[serde(with = "rust_decimal::serde::arbitrary_precision")]
    pub amount: Decimal,
}

impl World {
    /// The sums of all purchase documents, drafts and posted, ordered by key and currency.
    pub fn sums(&self, by: &By) -> Vec<Sum> {
        let mut sums: BTreeMap<(String, String), (u64, Decimal)> = BTreeMap::new();
        self.bc.each_document(|document| {
            let sign = match document.kind {
                DocumentKind::Invoice => Decimal::ONE,
                DocumentKind::CreditMemo => Decimal::NEGATIVE_ONE,
            };
            for (key, amount) in parts(&self.company.name, &document, by) {
                let sum = sums.entry((key, document.currency.clone())).or_default();
                sum.0 += 1;
                sum.1 += amount * sign;
            }
        });
        let sum = |((key, currency), (count, amount))| Sum { key, currency, count, amount };
        sums.into_iter().map(sum).collect()
    }
}

fn parts(company: &str, document: &LedgerDocument, by: &By) -> Vec<(String, Decimal)> {
    let whole = |key: &str| vec![(key.to_owned(), document.total)];
    let lines = document.lines.iter().filter(|line| !line.number.is_empty());
    match by {
        By::Company => whole(company),
        By::Currency => whole(&document.currency),
        By::Status => whole(&format!("{:?}", document.status)),
        By::Vendor => whole(&document.vendor_number),
        By::Account => lines.map(|line| (line.number.clone(), line.amount)).collect(),
        By::Dimension(code) => {
            lines.map(|line| (line.dimensions.get(code).cloned().unwrap_or_default(), line.amount)).collect()
        }
    }
}
