//! Who can appear in records: vendors that a careful matcher must find, accounts that can be booked on, people.

use std::collections::HashMap;

use super::merchants::bare_name;
use crate::company::{
    Account, AccountCategory, AccountKind, Blocked, Company, Dimension, DimensionValue, DimensionValueKind, Employee,
    Vendor,
};

/// The parts of the company that records are made of.
pub(super) struct Cast<'a> {
    /// Not blocked, in the company's currency, and the only ones of their name.
    pub(super) vendors: Vec<&'a Vendor>,
    /// One of several vendors with the same bare name.
    pub(super) twins: Vec<&'a Vendor>,
    /// Blocked for everything.
    pub(super) blocked: Vec<&'a Vendor>,
    /// Expense accounts that can be booked on.
    pub(super) accounts: Vec<&'a Account>,
    /// Employees with a vendor of their own.
    pub(super) with_vendor: Vec<&'a Employee>,
    /// Employees without.
    pub(super) without_vendor: Vec<&'a Employee>,
}

impl<'a> Cast<'a> {
    pub(super) fn new(company: &'a Company) -> Self {
        let mut names: HashMap<String, usize> = HashMap::new();
        for vendor in &company.vendors {
            *names.entry(bare_name(&vendor.name)).or_default() += 1;
        }
        let suppliers = || company.vendors.iter().filter(|vendor| !is_employee(company, vendor));
        let unique = |vendor: &&Vendor| names.get(&bare_name(&vendor.name)) == Some(&1);
        Self {
            vendors: suppliers()
                .filter(unique)
                .filter(|vendor| vendor.blocked == Blocked::No && vendor.currency.is_empty())
                .collect(),
            twins: suppliers().filter(|vendor| !unique(vendor) && vendor.blocked == Blocked::No).collect(),
            blocked: suppliers().filter(|vendor| vendor.blocked == Blocked::All).collect(),
            accounts: company.accounts.iter().filter(|account| is_bookable(account)).collect(),
            with_vendor: people(company, true),
            without_vendor: people(company, false),
        }
    }
}

fn is_employee(company: &Company, vendor: &Vendor) -> bool {
    company.employees.iter().any(|employee| employee.vendor_number.as_deref() == Some(vendor.number.as_str()))
}

fn people(company: &Company, with_vendor: bool) -> Vec<&Employee> {
    company.employees.iter().filter(|employee| employee.vendor_number.is_some() == with_vendor).collect()
}

/// Accounts that ask for a dimension are left out: whether they can be booked depends on the coding.
fn is_bookable(account: &Account) -> bool {
    account.category == AccountCategory::Expense
        && account.kind == AccountKind::Posting
        && account.direct_posting
        && !account.blocked
        && !account.default_dimensions.iter().any(|dimension| dimension.mandatory)
}

/// The values of a dimension that can be used.
pub(super) fn usable(dimension: &Dimension) -> Vec<&DimensionValue> {
    dimension.values.iter().filter(|value| !value.blocked && value.kind == DimensionValueKind::Standard).collect()
}
