//! What employees paid themselves.

use rust_decimal::Decimal;

use super::Zoo;
use super::coding::By;
use super::sketch::{Side, Sketch};
use crate::brex::records::Expectation;
use crate::company::Employee;

fn of_employee(zoo: &Zoo<'_>, record_type: &'static str, people: &[&Employee]) -> Sketch {
    // Written without trailing zeros, as one digit of cents.
    let amount: Decimal = zoo.amount(5, 240).normalize();
    let mut sketch = Sketch::new(zoo, record_type, "REIMBURSEMENT", amount).coded(zoo.line_coding(By::Id));
    let person = people.get(zoo.ids.below(people.len())).copied();
    sketch.expected_vendor = person.and_then(|person| person.vendor_number.clone());
    sketch.user = person.cloned();
    sketch.memo = Some("Client dinner".to_owned());
    sketch.version = 2;
    sketch
}

pub(super) fn approval(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    of_employee(zoo, "REIMBURSEMENT_EXPENSE_APPROVAL", &zoo.cast.with_vendor)
        .expecting(Expectation::Document, "the employee has a vendor with the same e-mail")
}

pub(super) fn post(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    of_employee(zoo, "REIMBURSEMENT_EXPENSE_POST", &zoo.cast.with_vendor)
        .expecting(Expectation::Document, "the employee has a vendor with the same e-mail")
}

pub(super) fn without_vendor(zoo: &Zoo<'_>, number: usize) -> Sketch {
    let record_type = ["REIMBURSEMENT_EXPENSE_APPROVAL", "REIMBURSEMENT_EXPENSE_POST"][number % 2];
    of_employee(zoo, record_type, &zoo.cast.without_vendor)
        .expecting(Expectation::Held, "no vendor has the employee's e-mail")
}

pub(super) fn repayment(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    let mut sketch = of_employee(zoo, "REIMBURSEMENT_EXPENSE_REPAYMENT", &zoo.cast.with_vendor)
        .expecting(Expectation::Held, "a person decides how a repaid reimbursement is booked");
    sketch.spend_side = Side::Credit;
    sketch
}
