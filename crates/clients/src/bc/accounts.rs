//! G/L accounts, read only.
//! <https://learn.microsoft.com/dynamics365/business-central/dev-itpro/api-reference/v2.0/resources/dynamics_account>

use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use super::odata::{Filter, Query};
use super::{Company, Pages, names};
use crate::error::Error;
use crate::wire::{instant_or_none, open_enum, or_default};

const FIELDS: &str = "id,number,displayName,category,blocked,accountType,directPosting,lastModifiedDateTime";

open_enum! {
    /// What an account is for.
    pub enum AccountType {
        /// Entries are posted to it; only these can be used on lines.
        Posting = "Posting",
        /// A heading.
        Heading = "Heading",
        /// A total.
        Total = "Total",
        /// The start of a total.
        BeginTotal = "Begin-Total",
        /// The end of a total.
        EndTotal = "End-Total",
    }
}

open_enum! {
    /// Where an account belongs in the statements.
    pub enum AccountCategory {
        /// Not set.
        Blank = "",
        /// Assets.
        Assets = "Assets",
        /// Liabilities.
        Liabilities = "Liabilities",
        /// Equity.
        Equity = "Equity",
        /// Income.
        Income = "Income",
        /// Cost of goods sold.
        CostOfGoodsSold = "Cost of Goods Sold",
        /// Expense.
        Expense = "Expense",
    }
}

/// A G/L account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The id.
    pub id: Uuid,
    /// The number.
    pub number: String,
    /// The name.
    #[serde(default, deserialize_with = "or_default")]
    pub display_name: String,
    /// The category.
    #[serde(default = "no_category", deserialize_with = "names::member")]
    pub category: AccountCategory,
    /// Whether the account is blocked.
    #[serde(default, deserialize_with = "or_default")]
    pub blocked: bool,
    /// The type.
    #[serde(deserialize_with = "names::member")]
    pub account_type: AccountType,
    /// Whether people and documents may post to it directly.
    #[serde(default, deserialize_with = "or_default")]
    pub direct_posting: bool,
    /// The last change.
    #[serde(default, rename = "lastModifiedDateTime", deserialize_with = "instant_or_none")]
    pub last_modified: Option<Timestamp>,
}

fn no_category() -> AccountCategory {
    AccountCategory::Blank
}

impl Account {
    /// Whether a document line can use the account.
    pub fn is_usable(&self) -> bool {
        self.account_type == AccountType::Posting && self.direct_posting && !self.blocked
    }
}

impl Company {
    /// The accounts that changed after `modified_since`, or all of them.
    pub fn list_accounts(&self, modified_since: Option<Timestamp>) -> Result<Pages<Account>, Error> {
        let changed = modified_since.map(|instant| Filter::after("lastModifiedDateTime", instant));
        self.pages("list_accounts", &["accounts"], &Query::default().select(FIELDS).filter(changed.as_ref()))
    }
}
