//! The company that both sides describe: vendors, chart of accounts, dimensions, currencies and set-up.
//!
//! Plain values made once from the seed. Business Central copies them into its tables; Brex codes its records with them.

mod accounts;
mod dimensions;
mod setup;
mod vendor_names;
mod vendors;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::Ids;

/// The whole company.
#[derive(Debug, Clone)]
pub struct Company {
    /// Business Central's company id.
    pub id: Uuid,
    /// Id of the Brex account; drawn if absent.
    pub brex_id: Option<String>,
    /// `Northwind Supply, Inc.`
    pub name: String,
    /// The same; BC allows another one.
    pub display_name: String,
    /// Where goods are shipped to.
    pub address: Address,
    /// The company's own currency.
    pub currency: String,
    /// All vendors, employees' ones included, in the order of their numbers.
    pub vendors: Vec<Vendor>,
    /// The people who spend, with or without a vendor of their own.
    pub employees: Vec<Employee>,
    /// The chart of accounts, in the order of its numbers.
    pub accounts: Vec<Account>,
    /// DEPARTMENT, PROJECT and REGION; the first two are the global ones.
    pub dimensions: Vec<Dimension>,
    /// Foreign currencies; the company's own is not among them.
    pub currencies: Vec<Currency>,
    /// Rates by starting date. CAD has none.
    pub exchange_rates: Vec<ExchangeRate>,
    /// Payment terms that vendors refer to.
    pub payment_terms: Vec<PaymentTerm>,
    /// Tax groups that lines may name.
    pub tax_groups: Vec<TaxGroup>,
    /// Months, with closed ones.
    pub periods: Vec<AccountingPeriod>,
    /// First allowed posting date.
    pub allow_posting_from: Date,
    /// Last allowed posting date.
    pub allow_posting_to: Date,
}

/// A postal address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Street.
    pub line1: String,
    /// Suite or building.
    pub line2: String,
    /// City.
    pub city: String,
    /// State or county.
    pub state: String,
    /// ISO country code.
    pub country: String,
    /// ZIP or postal code.
    pub postal_code: String,
}

/// What a vendor is blocked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blocked {
    /// Not blocked.
    #[default]
    No,
    /// Payments only.
    Payment,
    /// Everything.
    All,
}

/// A Business Central vendor.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Vendor {
    /// Business Central's id.
    pub id: Uuid,
    /// `V00001`, or `E0001` for an employee.
    pub number: String,
    /// As it stands in BC, not as a card statement writes it.
    pub name: String,
    /// Postal address; city, state and country are in here.
    pub address: Address,
    /// Telephone.
    pub phone: String,
    /// E-mail.
    pub email: String,
    /// Web site.
    pub website: String,
    /// Blank for the company's own currency.
    pub currency: String,
    /// Code of the payment terms, may be blank.
    pub payment_terms: String,
    /// Whether new documents or payments are refused.
    pub blocked: Blocked,
    /// Dimensions that each document of this vendor gets by itself.
    pub default_dimensions: Vec<DefaultDimension>,
}

/// Someone with a card.
#[derive(Debug, Clone)]
pub struct Employee {
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// E-mail at the company.
    pub email: String,
    /// The number of the vendor that reimbursements are booked on, if there is one.
    pub vendor_number: Option<String>,
}

/// A G/L account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Account {
    /// Business Central's id.
    pub id: Uuid,
    /// `61300`
    pub number: String,
    /// `Advertising`
    pub name: String,
    /// Balance sheet or income statement group.
    pub category: AccountCategory,
    /// Finer group, may be blank.
    pub sub_category: String,
    /// Only posting accounts can be used on lines.
    pub kind: AccountKind,
    /// Blocked for everything.
    pub blocked: bool,
    /// False on control accounts such as payables and VAT.
    pub direct_posting: bool,
    /// Dimensions that each line on this account gets by itself.
    pub default_dimensions: Vec<DefaultDimension>,
}

/// The category of a G/L account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountCategory {
    /// Assets.
    Assets,
    /// Liabilities.
    Liabilities,
    /// Equity.
    Equity,
    /// Income.
    Income,
    /// Cost of goods sold.
    CostOfGoodsSold,
    /// Expense.
    Expense,
}

/// The account type of a G/L account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// Can be posted to.
    Posting,
    /// A title in the chart.
    Heading,
    /// A sum of a range.
    Total,
    /// Opens a summed range.
    BeginTotal,
    /// Closes a summed range.
    EndTotal,
}

/// A dimension with its values.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Dimension {
    /// Business Central's id.
    pub id: Uuid,
    /// `DEPARTMENT`
    pub code: String,
    /// `Department`
    pub name: String,
    /// All values, blocked and heading ones included.
    pub values: Vec<DimensionValue>,
}

/// One value of a dimension.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DimensionValue {
    /// Business Central's id.
    pub id: Uuid,
    /// `SALES`
    pub code: String,
    /// `Sales`
    pub name: String,
    /// Not to be used any more; the API does not show it.
    pub blocked: bool,
    /// Only standard values can be used; the API does not show it.
    pub kind: DimensionValueKind,
}

/// The type of a dimension value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DimensionValueKind {
    /// Usable.
    Standard,
    /// A title.
    Heading,
    /// A sum.
    Total,
}

/// A dimension that comes by itself with a vendor or an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefaultDimension {
    /// Dimension code.
    pub dimension: String,
    /// Value code; blank together with [`DefaultDimension::mandatory`] means "any, but one".
    pub value: String,
    /// Posting is refused without a value.
    pub mandatory: bool,
}

/// A foreign currency.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Currency {
    /// Business Central's id.
    pub id: Uuid,
    /// `EUR`
    pub code: String,
    /// `Euro`
    pub name: String,
    /// `€`
    pub symbol: String,
    /// Amounts are rounded to this.
    pub amount_precision: Decimal,
    /// `2:2`, fewest and most decimal places.
    pub decimal_places: String,
}

/// An exchange rate valid from a date on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExchangeRate {
    /// Business Central's id.
    pub id: Uuid,
    /// Foreign currency code.
    pub currency: String,
    /// First day of validity.
    pub starting_date: Date,
    /// Amount of foreign currency.
    pub amount: Decimal,
    /// What it is worth in the company's currency.
    pub relational_amount: Decimal,
}

/// Payment terms.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PaymentTerm {
    /// Business Central's id.
    pub id: Uuid,
    /// `30 DAYS`
    pub code: String,
    /// `Net 30 days`
    pub name: String,
    /// Date formula, `30D` or `CM+1M`.
    pub due_date_formula: String,
    /// Date formula of the discount, may be blank.
    pub discount_formula: String,
    /// Payment discount.
    pub discount_percent: Decimal,
    /// Whether credit memos get the discount too.
    pub discount_on_credit_memos: bool,
}

/// A tax group (US sales tax).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TaxGroup {
    /// Business Central's id.
    pub id: Uuid,
    /// `NONTAXABLE`
    pub code: String,
    /// Description.
    pub name: String,
}

/// One month of the books.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccountingPeriod {
    /// Business Central's id.
    pub id: Uuid,
    /// First day.
    pub starting_date: Date,
    /// `January`
    pub name: String,
    /// True on the first month of a fiscal year.
    pub new_fiscal_year: bool,
    /// True when the year was closed.
    pub closed: bool,
}

impl Company {
    /// The company of a seed, with at least `vendors` vendors, seen on `today`.
    pub fn new(ids: &Ids, vendors: usize, today: Date) -> Self {
        let ids = ids.stream("company");
        let employees = vendors::employees();
        let vendors = vendors::vendors(&ids, vendors, &employees);
        let (allow_posting_from, allow_posting_to) = setup::posting_range(today);
        Self {
            id: ids.guid(),
            brex_id: None,
            name: "Northwind Supply, Inc.".to_owned(),
            display_name: "Northwind Supply, Inc.".to_owned(),
            address: setup::address(),
            currency: "USD".to_owned(),
            vendors,
            employees,
            accounts: accounts::accounts(&ids),
            dimensions: dimensions::dimensions(&ids),
            currencies: setup::currencies(&ids),
            exchange_rates: setup::exchange_rates(&ids, today),
            payment_terms: setup::payment_terms(&ids),
            tax_groups: setup::tax_groups(&ids),
            periods: setup::periods(&ids, today),
            allow_posting_from,
            allow_posting_to,
        }
    }

    /// The vendor with a number.
    pub fn vendor(&self, number: &str) -> Option<&Vendor> {
        self.vendors.iter().find(|vendor| vendor.number == number)
    }

    /// The account with a number.
    pub fn account(&self, number: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.number == number)
    }

    /// The dimension with a code.
    pub fn dimension(&self, code: &str) -> Option<&Dimension> {
        self.dimensions.iter().find(|dimension| dimension.code == code)
    }
}

impl Dimension {
    /// The value with a code.
    pub fn value(&self, code: &str) -> Option<&DimensionValue> {
        self.values.iter().find(|value| value.code == code)
    }
}
