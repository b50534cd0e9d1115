//! What an administrator sets on the set-up pages and the API does not show: as operations for tests.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// The set-up behind the API. Defaults are those of a new company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "check boxes of independent set-up pages")]
pub struct Rules {
    /// "Link Doc. Date To Posting Date": validating the posting date overwrites the document date.
    pub link_document_date: bool,
    /// False is "Default Posting Date = No Date": the posting date stays blank unless it is sent.
    pub default_posting_date: bool,
    /// "Ext. Doc. No. Mandatory"
    pub external_number_mandatory: bool,
    /// "Check Doc. Total Amounts", against a field that the API cannot fill.
    pub check_totals: bool,
    /// "Allow Document Deletion Before"
    pub deletion_before: Option<Date>,
    /// Purchase documents must be approved and released before they are posted.
    pub approval_workflow: bool,
    /// "Manual Nos." of the vendor series.
    pub manual_vendor_numbers: bool,
    /// The last number that the vendor series gives.
    pub vendor_series_end: Option<u64>,
    /// The number that the next posted document gets: somebody set its series by hand.
    pub posted_number: Option<u64>,
    /// Whether a template fits new vendors and gives them their posting groups.
    pub vendor_template: bool,
    /// "Default G/L Account Quantity": lines with an account start with quantity 1.
    pub account_quantity_one: bool,
    /// Numbers of G/L accounts without a Gen. Prod. Posting Group.
    pub accounts_without_group: Vec<String>,
    /// Whether an account's default dimension wins over the vendor's ("Default Dimension Priorities").
    pub account_dimensions_win: bool,
    /// Codes of blocked dimensions.
    pub blocked_dimensions: Vec<String>,
    /// What must not be used together.
    pub combinations: Vec<Combination>,
    /// The General Posting Setup of the groups in use.
    pub general_posting_setup: PostingSetup,
    /// The VAT Posting Setup of the groups in use.
    pub vat_posting_setup: PostingSetup,
    /// How purchases are taxed.
    pub tax: TaxSystem,
    /// "Tax Area Code" of purchases. Without one there is no sales tax.
    pub tax_area: String,
    /// What the codes of the tax groups mean; a code that is not here has no tax. The blank one is for lines without.
    pub tax_codes: BTreeMap<String, TaxCode>,
}

/// How the company is taxed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxSystem {
    /// US, CA, MX: tax area and tax group, on vendors that are liable.
    SalesTax,
    /// The line's code is a VAT product posting group.
    Vat,
}

/// The meaning of a tax code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxCode {
    /// Percent of the amount without tax.
    #[serde(with = "rust_decimal::serde::arbitrary_precision")]
    pub percent: Decimal,
    /// "VAT Identifier": what reads of the code show in a VAT company.
    #[serde(default)]
    pub identifier: String,
}

/// Two dimensions, or two values of them, that block each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Combination {
    /// First dimension and value; a blank value stands for all of them.
    pub first: (String, String),
    /// Second dimension and value.
    pub second: (String, String),
}

/// The state of a posting set-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostingSetup {
    /// There, with its accounts.
    Complete,
    /// No row for the combination.
    Missing,
    /// The row is blocked.
    Blocked,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            link_document_date: true,
            default_posting_date: true,
            external_number_mandatory: true,
            check_totals: false,
            deletion_before: None,
            approval_workflow: false,
            manual_vendor_numbers: true,
            vendor_series_end: None,
            posted_number: None,
            vendor_template: true,
            account_quantity_one: false,
            accounts_without_group: Vec::new(),
            account_dimensions_win: true,
            blocked_dimensions: Vec::new(),
            combinations: Vec::new(),
            general_posting_setup: PostingSetup::Complete,
            vat_posting_setup: PostingSetup::Complete,
            tax: TaxSystem::SalesTax,
            tax_area: String::new(),
            tax_codes: BTreeMap::new(),
        }
    }
}
