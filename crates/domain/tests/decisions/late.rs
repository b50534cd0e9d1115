//! Dimensions that are set after the draft is made: everything that is left out is set, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use domain::document::{FoundDocument, PlannedDocument};
use domain::late::{DefaultDimensions, decide_late, every_dimension, taken_over};
use proptest::prelude::*;

use crate::generators::as_created;
use crate::made::{coded, company, supplier_bill};

fn plan() -> PlannedDocument {
    let mut bill = supplier_bill("10.00 USD", Some("INV-1"));
    bill.lines[0].coding.push(coded("DIM_DEPARTMENT", "MKT"));
    company().plan(&bill).unwrap()
}

/// The draft as Business Central makes it without the late dimensions, with these defaults on header and lines.
fn made(plan: &PlannedDocument, header: &[(&str, &str)], line: &[(&str, &str)]) -> FoundDocument {
    let own = |set: &[(&str, &str)]| -> BTreeMap<String, String> {
        set.iter().map(|(code, value)| ((*code).to_owned(), (*value).to_owned())).collect()
    };
    let mut found = as_created(plan);
    found.dimensions = own(header);
    for late in &plan.late {
        if let Some(line) = late.line {
            found.lines[line].dimensions.remove(&late.dimension);
        }
    }
    for planned in found.lines.iter_mut().filter(|line| line.line_type == "Account") {
        planned.dimensions.extend(own(header));
        planned.dimensions.extend(own(line));
    }
    found
}

fn all_late() -> PlannedDocument {
    let plan = plan();
    PlannedDocument { late: every_dimension(&plan), ..plan }
}

#[test]
fn what_stands_by_default_is_learnt_for_the_account_or_for_the_vendor() {
    let plan = all_late();
    let of_line: BTreeSet<_> = plan.late.iter().filter(|late| late.line.is_some()).cloned().collect();
    let mut other_account = plan.clone().at_once();
    other_account.lines[0].account = "64200".to_owned();
    let mut of_account = DefaultDimensions::default();
    of_account.learn(&plan, &made(&plan, &[], &[("DEPARTMENT", "SALES")]));
    assert_eq!(of_account.met_by(&plan), of_line);
    assert_eq!(of_account.met_by(&other_account), BTreeSet::new());
    let mut of_vendor = DefaultDimensions::default();
    of_vendor.learn(&plan, &made(&plan, &[("DEPARTMENT", "SALES")], &[]));
    assert_eq!(of_vendor.met_by(&other_account).len(), 2, "header and line");
}

#[test]
fn what_the_header_brought_is_no_default_of_anybody() {
    let plan = plan();
    let plan = PlannedDocument { late: taken_over(&plan), ..plan };
    assert_eq!(
        plan.late.iter().map(|late| (late.line, late.dimension.as_str())).collect::<Vec<_>>(),
        [(Some(0), "DEPARTMENT")]
    );
    let mut known = DefaultDimensions::default();
    known.learn(&plan, &made(&plan, &[("DEPARTMENT", "MKT")], &[("DEPARTMENT", "SALES")]));
    assert_eq!(known, DefaultDimensions::default());
    let all = all_late();
    assert_eq!(taken_over(&all), BTreeSet::new(), "a header that brings nothing gives nothing");
}

#[test]
fn a_default_that_is_gone_is_forgotten() {
    let plan = all_late();
    let mut known = DefaultDimensions::default();
    known.learn(&plan, &made(&plan, &[], &[("DEPARTMENT", "SALES")]));
    known.learn(&plan, &made(&plan, &[], &[]));
    assert_eq!(known, DefaultDimensions::default());
}

#[test]
fn nothing_is_set_on_a_document_with_other_lines() {
    let plan = all_late();
    let mut found = made(&plan, &[], &[]);
    found.lines[0].account = "64200".to_owned();
    assert_eq!(decide_late(&plan, &found), None);
    found.lines.remove(0);
    assert_eq!(decide_late(&plan, &found), None);
}

proptest! {
    /// Whatever stands on the draft: once everything that is named is set, it carries the planned values.
    #[test]
    fn setting_what_is_missing_ends_with_the_planned_values(stands in proptest::option::of("[A-Z]{1,3}|MKT|mkt"), of_vendor: bool) {
        let plan = all_late();
        let defaults: Vec<(&str, &str)> = stands.iter().map(|value| ("DEPARTMENT", value.as_str())).collect();
        let mut found = made(&plan, if of_vendor { &defaults } else { &[] }, &defaults);
        for set in decide_late(&plan, &found).unwrap() {
            let dimensions = match set.line {
                None => &mut found.dimensions,
                Some(line) => &mut found.lines[line].dimensions,
            };
            prop_assert_eq!(dimensions.insert(set.dimension, set.value), set.instead_of);
        }
        prop_assert_eq!(domain::compare::compare(&plan, &found, "USD"), vec![]);
        prop_assert_eq!(decide_late(&plan, &found), Some(vec![]));
    }
}
