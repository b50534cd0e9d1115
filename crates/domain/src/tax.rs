//! Tax on document lines: which codes Business Central has, and what the connection says about them.
//!
//! Brex amounts are gross and its records have no tax (brex.md §2.4), so a code comes as a coded field or from a rule. What a
//! code is depends on the company (business-central.md §4.8, §5.5): a tax group, or a VAT product posting group, which
//! reads answer with its VAT identifier instead.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How the company is taxed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxSystem {
    /// US sales tax: prices never include it.
    SalesTax,
    /// VAT.
    Vat,
}

impl TaxSystem {
    /// Business Central's words.
    pub fn words(self) -> &'static str {
        match self {
            Self::SalesTax => "sales tax",
            Self::Vat => "VAT",
        }
    }
}

/// A tax group, or a VAT product posting group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxCode {
    /// BC id.
    pub id: Uuid,
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
}

/// The taxes of the company as mirrored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxSetup {
    /// How the company is taxed; unknown while it has no tax code at all.
    pub system: Option<TaxSystem>,
    /// Its codes.
    pub codes: Vec<TaxCode>,
}

/// What the connection says about tax.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxRules {
    /// Code or name for lines that neither their coding nor a rule says anything about; without it no code is sent.
    pub default: Option<String>,
    /// Whether prices on invoices include tax.
    pub prices_include_tax: bool,
}

/// The tax of a planned document, where anything was planned about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedTax {
    /// How the company is taxed.
    pub system: TaxSystem,
    /// Whether unit costs are sent as including tax.
    pub prices_include_tax: bool,
}
