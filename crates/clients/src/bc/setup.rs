//! What the company is set up to allow: ledger set-up, company information, accounting periods,
//! currencies and tax groups, read only.
//! <https://learn.microsoft.com/dynamics365/business-central/dev-itpro/api-reference/v2.0/resources/dynamics_generalledgersetup>

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::odata::Query;
use super::{Company, asked, names};
use crate::error::Error;
use crate::kind::Access;
use crate::wire::{date_or_none, instant_or_none, open_enum, or_default};

/// The general ledger set-up. A user's own posting range in the user set-up overrides it and is not shown by the API.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GeneralLedgerSetup {
    /// The first date that may be posted to.
    #[serde(default, deserialize_with = "date_or_none")]
    pub allow_posting_from: Option<Date>,
    /// The last date that may be posted to.
    #[serde(default, deserialize_with = "date_or_none")]
    pub allow_posting_to: Option<Date>,
    /// The company's own currency.
    #[serde(default, deserialize_with = "or_default")]
    pub local_currency_code: String,
    /// The dimension that documents show as the first shortcut.
    #[serde(default, rename = "shortcutDimension1Code", deserialize_with = "or_default")]
    pub shortcut_dimension_1_code: String,
    /// The dimension that documents show as the second shortcut.
    #[serde(default, rename = "shortcutDimension2Code", deserialize_with = "or_default")]
    pub shortcut_dimension_2_code: String,
    /// The last change.
    #[serde(default, rename = "lastModifiedDateTime", deserialize_with = "instant_or_none")]
    pub last_modified: Option<Timestamp>,
}

/// Who the company is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CompanyInformation {
    /// The name.
    #[serde(default, deserialize_with = "or_default")]
    pub display_name: String,
    /// The country code.
    #[serde(default, deserialize_with = "or_default")]
    pub country: String,
    /// The VAT registration number.
    #[serde(default, deserialize_with = "or_default")]
    pub tax_registration_number: String,
    /// The company's own currency.
    #[serde(default, deserialize_with = "or_default")]
    pub currency_code: String,
    /// The first day of the current fiscal year.
    #[serde(default, deserialize_with = "date_or_none")]
    pub current_fiscal_year_start_date: Option<Date>,
}

/// An accounting period; it ends where the next one starts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountingPeriod {
    /// The first day.
    #[serde(default, deserialize_with = "date_or_none")]
    pub starting_date: Option<Date>,
    /// The name.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// Whether a fiscal year starts with it.
    #[serde(default, deserialize_with = "or_default")]
    pub new_fiscal_year: bool,
    /// Whether its fiscal year is closed.
    #[serde(default, deserialize_with = "or_default")]
    pub closed: bool,
    /// Whether its dates can no longer be changed.
    #[serde(default, deserialize_with = "or_default")]
    pub date_locked: bool,
}

/// A foreign currency. The company's own is normally not in the list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Currency {
    /// The id.
    pub id: Uuid,
    /// The code, by habit the ISO code.
    pub code: String,
    /// The name.
    #[serde(default, deserialize_with = "or_default")]
    pub display_name: String,
    /// The fewest and most decimals of amounts, such as `2:2`.
    #[serde(default, deserialize_with = "or_default")]
    pub amount_decimal_places: String,
}

open_enum! {
    /// Which tax a code belongs to.
    pub enum TaxType {
        /// US, CA and MX: the code is a tax group.
        SalesTax = "Sales Tax",
        /// The code is a VAT product posting group.
        Vat = "VAT",
    }
}

/// A tax group, or a VAT product posting group.
/// <https://learn.microsoft.com/dynamics365/business-central/dev-itpro/api-reference/v2.0/resources/dynamics_taxgroup>
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaxGroup {
    /// The id.
    pub id: Uuid,
    /// The code.
    pub code: String,
    /// The name.
    #[serde(default, deserialize_with = "or_default")]
    pub display_name: String,
    /// The tax that it belongs to; the same for all of a company.
    #[serde(deserialize_with = "names::member")]
    pub tax_type: TaxType,
}

impl Company {
    /// All tax groups.
    pub async fn list_tax_groups(&self) -> Result<Vec<TaxGroup>, Error> {
        self.pages("list_tax_groups", &["taxGroups"], &Query::default())?.all().await
    }

    /// The general ledger set-up.
    pub async fn get_general_ledger_setup(&self) -> Result<GeneralLedgerSetup, Error> {
        self.get_only_row("get_general_ledger_setup", "generalLedgerSetup").await
    }

    /// The company information.
    pub async fn get_company_information(&self) -> Result<CompanyInformation, Error> {
        self.get_only_row("get_company_information", "companyInformation").await
    }

    /// All accounting periods.
    pub async fn list_accounting_periods(&self) -> Result<Vec<AccountingPeriod>, Error> {
        self.pages("list_accounting_periods", &["accountingPeriods"], &Query::default())?.all().await
    }

    /// All foreign currencies.
    pub async fn list_currencies(&self) -> Result<Vec<Currency>, Error> {
        self.pages("list_currencies", &["currencies"], &Query::default())?.all().await
    }

    /// The row of a set that always holds exactly one.
    async fn get_only_row<T: DeserializeOwned>(&self, operation: &'static str, set: &str) -> Result<T, Error> {
        let rows = self.pages::<T>(operation, &[set], &Query::default())?.all().await?;
        let first = rows.into_iter().next();
        first.ok_or_else(|| Error::unreadable(asked(operation, Access::Read), "the set-up list is empty"))
    }
}
