//! The sandbox's company, made of the mirror. What the mirror does not hold is as plain as it can be: no default dimensions, no
//! payment terms, and one unit of each foreign currency for one of the company's own.

use domain::directory::{self, CompanySetup, Directory};
use jiff::civil::Date;
use rust_decimal::Decimal;
use sandbox::company::{
    Account, AccountCategory, AccountKind, AccountingPeriod, Address, Blocked, Company, Currency, Dimension,
    DimensionValue, DimensionValueKind, ExchangeRate, TaxGroup, Vendor,
};
use sandbox::ids::Ids;
use store::ConnectionRow;
use uuid::Uuid;

/// The company of a connection on a day.
pub(super) fn company(ends: &ConnectionRow, directory: &Directory, today: Date) -> Company {
    let ids = Ids::new(1).stream("again");
    let setup = &directory.setup;
    let name = ends.bc_company_name.clone().unwrap_or_default();
    Company {
        id: ends.bc_company_id.unwrap_or_default(),
        brex_id: ends.brex_company_id.clone(),
        display_name: name.clone(),
        name,
        currency: setup.local_currency.clone(),
        vendors: directory.vendors().iter().map(vendor).collect(),
        employees: Vec::new(),
        accounts: directory.accounts().iter().map(account).collect(),
        dimensions: dimensions(directory, &ids),
        currencies: setup.currencies.iter().map(|code| currency(code, &ids)).collect(),
        exchange_rates: setup.currencies.iter().map(|code| at_par(code, &ids)).collect(),
        tax_groups: setup
            .tax
            .codes
            .iter()
            .map(|tax| TaxGroup { id: tax.id, code: tax.code.clone(), name: tax.name.clone() })
            .collect(),
        periods: periods(setup, today, &ids),
        allow_posting_from: setup.posting.from.unwrap_or(Date::MIN),
        allow_posting_to: setup.posting.to.unwrap_or(Date::MAX),
        ..Company::new(&ids, 0, today)
    }
}

fn vendor(vendor: &directory::Vendor) -> Vendor {
    let address = Address { city: vendor.city.clone(), country: vendor.country.clone(), ..Address::default() };
    Vendor {
        id: vendor.id,
        number: vendor.number.clone(),
        name: vendor.name.clone(),
        address,
        phone: String::new(),
        email: vendor.email.clone(),
        website: vendor.website.clone(),
        currency: String::new(),
        payment_terms: String::new(),
        blocked: match vendor.blocked {
            directory::Blocked::No => Blocked::No,
            directory::Blocked::Payment => Blocked::Payment,
            directory::Blocked::All => Blocked::All,
        },
        default_dimensions: Vec::new(),
    }
}

fn account(account: &directory::Account) -> Account {
    Account {
        id: account.id,
        number: account.number.clone(),
        name: account.name.clone(),
        category: AccountCategory::Expense,
        sub_category: String::new(),
        kind: match account.account_type.as_str() {
            "Heading" => AccountKind::Heading,
            "Total" => AccountKind::Total,
            "Begin-Total" | "Begin_x002D_Total" => AccountKind::BeginTotal,
            "End-Total" | "End_x002D_Total" => AccountKind::EndTotal,
            _ => AccountKind::Posting,
        },
        blocked: account.blocked,
        direct_posting: account.direct_posting,
        default_dimensions: Vec::new(),
    }
}

fn dimensions(directory: &Directory, ids: &Ids) -> Vec<Dimension> {
    let of = |code: &str| {
        let values = directory.values().iter().filter(|value| value.dimension.eq_ignore_ascii_case(code));
        values.map(value).collect()
    };
    let all = directory.setup.dimensions.iter();
    all.map(|code| Dimension { id: ids.guid(), code: code.clone(), name: code.clone(), values: of(code) }).collect()
}

fn value(value: &directory::DimensionValue) -> DimensionValue {
    DimensionValue {
        id: value.id,
        code: value.code.clone(),
        name: value.name.clone(),
        blocked: false,
        kind: DimensionValueKind::Standard,
    }
}

fn currency(code: &str, ids: &Ids) -> Currency {
    Currency {
        id: ids.guid(),
        code: code.to_owned(),
        name: code.to_owned(),
        symbol: String::new(),
        amount_precision: Decimal::new(1, 2),
        decimal_places: "2:2".to_owned(),
    }
}

fn at_par(code: &str, ids: &Ids) -> ExchangeRate {
    ExchangeRate {
        id: ids.guid(),
        currency: code.to_owned(),
        starting_date: Date::constant(1900, 1, 1),
        amount: Decimal::ONE,
        relational_amount: Decimal::ONE,
    }
}

/// Closed days as periods: the first day of each stretch, and the first day after it.
fn periods(setup: &CompanySetup, today: Date, ids: &Ids) -> Vec<AccountingPeriod> {
    let period = |id: Uuid, starting_date: Date, closed: bool| AccountingPeriod {
        id,
        starting_date,
        name: starting_date.strftime("%B").to_string(),
        new_fiscal_year: true,
        closed,
    };
    let mut periods = Vec::new();
    for days in &setup.closed {
        periods.push(period(ids.guid(), days.from, true));
        periods.extend(days.open.map(|open| period(ids.guid(), open, false)));
    }
    if periods.is_empty() {
        periods.push(period(ids.guid(), today.first_of_year(), false));
    }
    periods
}
