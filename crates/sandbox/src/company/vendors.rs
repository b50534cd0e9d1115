//! The vendors: hand-written ones, generated ones, and one for each employee that has one.

use std::collections::HashSet;

use super::vendor_names::{BLOCKED_ALL, BLOCKED_PAYMENT, CITIES, FIRST, FORM, Row, TRADE, VENDORS};
use super::{Address, Blocked, DefaultDimension, Employee, Vendor};
use crate::ids::Ids;

const DOMAIN: &str = "northwindsupply.example";
const TERMS: &[&str] = &["30 DAYS", "30 DAYS", "10 DAYS", "NEXT M", "COD", ""];

/// First name, last name, whether there is a vendor for reimbursements.
const EMPLOYEES: &[(&str, &str, bool)] = &[
    ("Ada", "Brooks", true),
    ("Ben", "Castillo", true),
    ("Chloe", "Dufresne", true),
    ("Daniel", "Okafor", true),
    ("Elena", "Petrov", true),
    ("Frank", "Nakamura", false),
    ("Grace", "Lindqvist", true),
    ("Hugo", "Marchetti", false),
];

/// The people who spend.
pub(super) fn employees() -> Vec<Employee> {
    let mut next = 0;
    EMPLOYEES
        .iter()
        .map(|&(first_name, last_name, has_vendor)| Employee {
            first_name: first_name.to_owned(),
            last_name: last_name.to_owned(),
            email: format!("{}.{}@{DOMAIN}", first_name.to_lowercase(), last_name.to_lowercase()),
            vendor_number: has_vendor.then(|| {
                next += 1;
                format!("E{next:04}")
            }),
        })
        .collect()
}

/// At least `count` suppliers and all employees' vendors, in the order of their numbers.
pub(super) fn vendors(ids: &Ids, count: usize, employees: &[Employee]) -> Vec<Vendor> {
    let mut vendors: Vec<Vendor> = employees.iter().filter_map(|employee| of_employee(ids, employee)).collect();
    vendors.extend(VENDORS.iter().enumerate().map(|(index, row)| written(ids, index + 1, row)));
    let mut names: HashSet<String> = VENDORS.iter().map(|row| row.0.to_owned()).collect();
    for number in VENDORS.len() + 1..=count {
        vendors.push(generated(ids, number, &mut names));
    }
    vendors
}

fn of_employee(ids: &Ids, employee: &Employee) -> Option<Vendor> {
    Some(Vendor {
        id: ids.guid(),
        number: employee.vendor_number.clone()?,
        name: format!("{} {}", employee.first_name, employee.last_name),
        address: address(ids, "Atlanta", "GA", "US"),
        phone: String::new(),
        email: employee.email.clone(),
        website: String::new(),
        currency: String::new(),
        payment_terms: String::new(),
        blocked: Blocked::No,
        default_dimensions: Vec::new(),
    })
}

fn written(ids: &Ids, number: usize, &(name, city, state, country, currency): &Row) -> Vendor {
    let blocked = if BLOCKED_ALL.contains(&name) {
        Blocked::All
    } else if BLOCKED_PAYMENT.contains(&name) {
        Blocked::Payment
    } else {
        Blocked::No
    };
    Vendor {
        currency: currency.to_owned(),
        blocked,
        default_dimensions: default_dimensions(name),
        ..vendor(ids, number, name, address(ids, city, state, country))
    }
}

fn generated(ids: &Ids, number: usize, names: &mut HashSet<String>) -> Vendor {
    let mut name = format!("{} {}{}", ids.pick(FIRST), ids.pick(TRADE), ids.pick(FORM));
    if !names.insert(name.clone()) {
        // Two firms of one name are told apart by their town, as people do.
        name = format!("{name} #{number}");
        names.insert(name.clone());
    }
    let &(city, state) = ids.pick(CITIES);
    vendor(ids, number, &name, address(ids, city, state, "US"))
}

fn vendor(ids: &Ids, number: usize, name: &str, address: Address) -> Vendor {
    let domain: String = name.chars().filter(char::is_ascii_alphanumeric).take(24).collect::<String>().to_lowercase();
    Vendor {
        id: ids.guid(),
        number: format!("V{number:05}"),
        name: name.to_owned(),
        phone: format!("+1 404 555 {:04}", ids.below(10_000)),
        email: format!("billing@{domain}.example"),
        website: format!("https://www.{domain}.example"),
        currency: String::new(),
        payment_terms: TERMS[number % TERMS.len()].to_owned(),
        blocked: Blocked::No,
        default_dimensions: Vec::new(),
        address,
    }
}

fn address(ids: &Ids, city: &str, state: &str, country: &str) -> Address {
    Address {
        line1: format!("{} {} Street", 100 + ids.below(9_000), ids.pick(FIRST)),
        line2: String::new(),
        city: city.to_owned(),
        state: state.to_owned(),
        country: country.to_owned(),
        postal_code: format!("{:05}", 10_000 + ids.below(89_000)),
    }
}

/// A few vendors bring dimensions of their own.
fn default_dimensions(name: &str) -> Vec<DefaultDimension> {
    let (dimension, value, mandatory) = match name {
        "Bright Harbor Advertising, LLC" => ("DEPARTMENT", "MKT", false),
        "Georgia Power Company" => ("REGION", "SOUTH", false),
        "Summit Ridge Consulting Group" => ("PROJECT", "", true),
        _ => return Vec::new(),
    };
    vec![DefaultDimension { dimension: dimension.to_owned(), value: value.to_owned(), mandatory }]
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{employees, vendors};
    use crate::ids::Ids;

    #[test]
    fn numbers_are_unique_among_thousands_of_vendors() {
        let vendors = vendors(&Ids::new(3), 5_000, &employees());
        let numbers: HashSet<&str> = vendors.iter().map(|vendor| vendor.number.as_str()).collect();
        assert_eq!(numbers.len(), vendors.len());
        assert!(vendors.len() >= 5_000);
    }

    #[test]
    fn two_vendors_share_one_name() {
        let vendors = vendors(&Ids::new(3), 60, &employees());
        let twins = vendors.iter().filter(|vendor| vendor.name == "Riverside Catering");
        assert_eq!(twins.count(), 2);
    }
}
