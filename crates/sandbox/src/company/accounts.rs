//! The chart of accounts.

use super::{Account, AccountCategory, AccountKind, DefaultDimension};
use crate::ids::Ids;

use AccountCategory::{Assets, CostOfGoodsSold, Equity, Expense, Income, Liabilities};
use AccountKind::{BeginTotal, EndTotal, Heading, Posting, Total};

/// Number, name, category, sub-category, type.
type Row = (&'static str, &'static str, AccountCategory, &'static str, AccountKind);

const CHART: &[Row] = &[
    ("10000", "ASSETS", Assets, "", Heading),
    ("10100", "Cash and bank, begin", Assets, "Cash", BeginTotal),
    ("10110", "Petty Cash", Assets, "Cash", Posting),
    ("10200", "Checking Account", Assets, "Cash", Posting),
    ("10300", "Savings Account", Assets, "Cash", Posting),
    ("10999", "Cash and bank, total", Assets, "Cash", EndTotal),
    ("12100", "Accounts Receivable", Assets, "Accounts Receivable", Posting),
    ("13100", "Prepaid Expenses", Assets, "Prepaid Expenses", Posting),
    ("15100", "Computer Equipment", Assets, "Equipment", Posting),
    ("15200", "Office Furniture", Assets, "Equipment", Posting),
    ("20000", "LIABILITIES", Liabilities, "", Heading),
    ("20100", "Accounts Payable", Liabilities, "Current Liabilities", Posting),
    ("20500", "Brex Card Liability", Liabilities, "Current Liabilities", Posting),
    ("20600", "Employee Reimbursements Payable", Liabilities, "Current Liabilities", Posting),
    ("22100", "Purchase VAT", Liabilities, "Current Liabilities", Posting),
    ("22200", "Sales Tax Payable", Liabilities, "Current Liabilities", Posting),
    ("29999", "TOTAL LIABILITIES", Liabilities, "", Total),
    ("30000", "EQUITY", Equity, "", Heading),
    ("30100", "Capital Stock", Equity, "Common Stock", Posting),
    ("30200", "Retained Earnings", Equity, "Retained Earnings", Posting),
    ("40000", "INCOME", Income, "", Heading),
    ("40100", "Sales of Goods", Income, "Income, Product Sales", Posting),
    ("40200", "Service Revenue", Income, "Income, Services", Posting),
    ("40300", "Card Rewards", Income, "Income, Other", Posting),
    ("50000", "COST OF GOODS", CostOfGoodsSold, "", Heading),
    ("50100", "Cost of Materials", CostOfGoodsSold, "Materials", Posting),
    ("50200", "Freight In", CostOfGoodsSold, "Materials", Posting),
    ("60000", "EXPENSES", Expense, "", Heading),
    ("60100", "Rent and office, begin", Expense, "Rent Expense", BeginTotal),
    ("60110", "Rent", Expense, "Rent Expense", Posting),
    ("60200", "Office Supplies", Expense, "Other Expenses", Posting),
    ("60300", "Utilities", Expense, "Utilities Expense", Posting),
    ("60400", "Telephone and Internet", Expense, "Utilities Expense", Posting),
    ("60500", "Software", Expense, "Other Expenses", Posting),
    ("60510", "Cloud Hosting", Expense, "Other Expenses", Posting),
    ("60600", "Postage and Shipping", Expense, "Other Expenses", Posting),
    ("60999", "Rent and office, total", Expense, "Rent Expense", EndTotal),
    ("61000", "SALES AND MARKETING", Expense, "", Heading),
    ("61300", "Advertising", Expense, "Advertising Expense", Posting),
    ("61400", "Trade Shows", Expense, "Advertising Expense", Posting),
    ("61500", "Printing", Expense, "Advertising Expense", Posting),
    ("62100", "Repairs and Maintenance", Expense, "Repairs and Maintenance", Posting),
    ("62200", "Small Tools", Expense, "Repairs and Maintenance", Posting),
    ("63100", "Vehicle Fuel", Expense, "Vehicle Expenses", Posting),
    ("63200", "Parking and Tolls", Expense, "Vehicle Expenses", Posting),
    ("64000", "TRAVEL", Expense, "", Heading),
    ("64100", "Travel", Expense, "Travel Expense", Posting),
    ("64110", "Lodging", Expense, "Travel Expense", Posting),
    ("64200", "Meals", Expense, "Travel Expense", Posting),
    ("64300", "Entertainment (do not use)", Expense, "Travel Expense", Posting),
    ("65000", "PROFESSIONAL SERVICES", Expense, "", Heading),
    ("65100", "Audit", Expense, "Other Expenses", Posting),
    ("65200", "Consulting", Expense, "Other Expenses", Posting),
    ("65300", "Legal", Expense, "Other Expenses", Posting),
    ("65400", "Recruiting", Expense, "Other Expenses", Posting),
    ("66100", "Training", Expense, "Payroll Expense", Posting),
    ("66200", "Insurance", Expense, "Insurance Expense", Posting),
    ("67100", "Bank Fees", Expense, "Bank Charges", Posting),
    ("67200", "Old Suspense Account", Expense, "Other Expenses", Posting),
    ("69999", "TOTAL EXPENSES", Expense, "", Total),
    ("7500", "Other G&A", Expense, "Other Expenses", Posting),
];

/// Control accounts: written by sub-ledgers only.
const NO_DIRECT_POSTING: &[&str] = &["10200", "10300", "12100", "20100", "22100", "22200"];
const BLOCKED: &[&str] = &["64300", "67200"];

/// All accounts in the order of the chart.
pub(super) fn accounts(ids: &Ids) -> Vec<Account> {
    CHART
        .iter()
        .map(|&(number, name, category, sub_category, kind)| Account {
            id: ids.guid(),
            number: number.to_owned(),
            name: name.to_owned(),
            category,
            sub_category: sub_category.to_owned(),
            kind,
            blocked: BLOCKED.contains(&number),
            direct_posting: kind == Posting && !NO_DIRECT_POSTING.contains(&number),
            default_dimensions: default_dimensions(number),
        })
        .collect()
}

/// Advertising is Marketing's by default, recruiting must name a department at posting.
fn default_dimensions(number: &str) -> Vec<DefaultDimension> {
    match number {
        "61300" => {
            vec![DefaultDimension { dimension: "DEPARTMENT".to_owned(), value: "MKT".to_owned(), mandatory: false }]
        }
        "65400" => vec![DefaultDimension { dimension: "DEPARTMENT".to_owned(), value: String::new(), mandatory: true }],
        _ => Vec::new(),
    }
}
