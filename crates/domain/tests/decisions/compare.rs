//! A document agrees with its plan as long as nobody touched it, and not a moment longer.

use domain::compare::compare;
use domain::document::{DocumentKind, FoundDocument, FoundLine, PlannedDocument};
use domain::id::{JobId, RecordId};
use jiff::ToSpan;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::generators::{as_created, currency_rule, sound_record};
use crate::made::{coded, company, company_that_books, supplier_bill};

/// A change to a found document, or false if it has nothing of the kind.
type Change = fn(&mut FoundDocument, &PlannedDocument, usize) -> bool;

/// Every field that is compared, and a change of it on the document or on its n-th line.
const CHANGES: [(&str, Change); 17] = [
    ("kind", |found, _, _| {
        found.kind = match found.kind {
            DocumentKind::Invoice => DocumentKind::CreditMemo,
            DocumentKind::CreditMemo => DocumentKind::Invoice,
        };
        true
    }),
    ("Vendor No.", |found, _, _| set(&mut found.vendor_number, "V20000")),
    ("document number of the vendor", |found, _, _| set(&mut found.vendor_document_number, "another number")),
    ("Posting Date", |found, plan, _| set(&mut found.posting_date, plan.posting_date.checked_add(1.day()).ok())),
    ("Posting Date", |found, _, _| set(&mut found.posting_date, None)),
    ("Document Date", |found, plan, _| set(&mut found.document_date, plan.document_date.checked_sub(1.day()).ok())),
    ("Due Date", |found, plan, _| plan.due_date.is_some() && set(&mut found.due_date, None)),
    ("Currency Code", |found, _, _| set(&mut found.currency, "GBP")),
    ("total including tax", |found, _, _| add_smallest(&mut found.total)),
    ("type", |found, _, line| set(&mut found.lines[line].line_type, "Item")),
    ("G/L Account", |found, _, line| set(&mut found.lines[line].account, "61399")),
    ("amount", |found, _, line| add_smallest(&mut found.lines[line].amount)),
    ("dimension", |found, _, line| found.lines[line].dimensions.pop_last().is_some()),
    ("dimension", |found, _, line| {
        found.lines[line].dimensions.first_entry().is_some_and(|mut entry| set(entry.get_mut(), "OTHER"))
    }),
    ("number of lines", |found, _, line| {
        found.lines.remove(line);
        true
    }),
    ("number of lines", |found, _, line| {
        let again = found.lines[line].clone();
        found.lines.push(again);
        true
    }),
    ("comment line", |found, _, _| found.lines.pop().is_some()),
];

fn set<T>(field: &mut T, value: impl Into<T>) -> bool {
    *field = value.into();
    true
}

fn add_smallest(amount: &mut Decimal) -> bool {
    *amount += Decimal::new(1, 4);
    true
}

/// The plan of a bill: it has everything that is compared.
fn full_plan() -> PlannedDocument {
    let mut bill = supplier_bill("10.00 USD", Some("INV-1"));
    bill.lines[0].coding.push(coded("DIM_DEPARTMENT", "MKT"));
    company().plan(&bill).unwrap()
}

#[test]
fn every_compared_field_is_named_when_it_changes() {
    let plan = full_plan();
    for (field, change) in CHANGES {
        let mut found = as_created(&plan);
        assert!(change(&mut found, &plan, 0), "{field}");
        let differences = compare(&plan, &found, "USD");
        assert!(differences.iter().any(|d| d.field.contains(field)), "{field}: {differences:?}");
    }
}

#[test]
fn what_business_central_adds_by_itself_is_no_difference() {
    let plan = PlannedDocument { due_date: None, ..full_plan() };
    let mut found = as_created(&plan);
    found.due_date = Some(jiff::civil::date(2026, 8, 1));
    found.status = "Open".to_owned();
    found.lines[0].dimensions.insert("REGION".to_owned(), "WEST".to_owned());
    found.lines[0].description = "Advertising".to_owned();
    let comment = FoundLine { description: "Please hurry".to_owned(), ..found.lines[1].clone() };
    found.lines.insert(0, comment);
    assert_eq!(compare(&plan, &found, "USD"), vec![]);
}

#[test]
fn the_companys_own_currency_is_the_one_it_names() {
    let plan = full_plan();
    let fields = |local: &str| {
        let differences = compare(&plan, &as_created(&plan), local);
        differences.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(fields("USD"), Vec::<String>::new());
    assert_eq!(fields("EUR"), ["Currency Code: planned EUR, found USD"]);
}

proptest! {
    #[test]
    fn a_document_created_from_the_plan_has_no_difference(record in sound_record(), rule in currency_rule()) {
        let plan = company_that_books(rule).plan(&record).unwrap();
        let found = as_created(&plan);
        prop_assert!(found.is_marked(plan.job));
        prop_assert_eq!(compare(&plan, &found, "USD"), vec![]);
    }

    #[test]
    fn any_single_change_of_the_document_is_a_difference(
        record in sound_record(),
        (field, change) in select(&CHANGES[..]),
        at in any::<Index>(),
    ) {
        let plan = company().plan(&record).unwrap();
        let mut found = as_created(&plan);
        if change(&mut found, &plan, at.index(plan.lines.len())) {
            let fields: Vec<String> = compare(&plan, &found, "USD").into_iter().map(|d| d.field).collect();
            prop_assert!(fields.iter().any(|name| name.contains(field)), "{} is not among {:?}", field, fields);
        }
    }

    #[test]
    fn a_document_of_another_job_is_not_taken_for_ours(record in sound_record(), id in "[a-z0-9]{1,12}") {
        let plan = company().plan(&record).unwrap();
        let other = JobId::new("cuacc_1", &RecordId::new(format!("other_{id}")), Uuid::from_u128(0xc0));
        prop_assert!(!as_created(&plan).is_marked(other));
    }
}
