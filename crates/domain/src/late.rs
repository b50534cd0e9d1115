//! Dimensions that a draft gets after it was made.
//!
//! Default dimensions of vendor and account appear by themselves, and Business Central refuses a new line that brings the
//! same dimension (business-central.md §5.7). The API shows no defaults of accounts, so they are learnt: from the draft
//! that is made without its dimensions, and that has some all the same.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::document::{FoundDocument, FoundLine, PlannedDocument};

/// A dimension of a line that is not sent with the line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LateDimension {
    /// Place of the line among the planned ones, from 0.
    pub line: usize,
    /// Code of the dimension.
    pub dimension: String,
}

/// Where defaults were seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DefaultDimensions {
    accounts: BTreeMap<String, BTreeSet<String>>,
    vendors: BTreeMap<String, BTreeSet<String>>,
}

/// A dimension that has to be set now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ToSet {
    /// Place of the line among those with amounts, from 0.
    pub line: usize,
    /// Code of the dimension.
    pub dimension: String,
    /// Code of the planned value.
    pub value: String,
    /// The value that stands there; it has to be changed instead of added.
    pub instead_of: Option<String>,
}

/// Every dimension of every line.
pub fn every_dimension(plan: &PlannedDocument) -> BTreeSet<LateDimension> {
    let lines = plan.lines.iter().enumerate();
    lines.flat_map(|(line, planned)| planned.dimensions.keys().map(move |code| late(line, code))).collect()
}

fn late(line: usize, dimension: &str) -> LateDimension {
    LateDimension { line, dimension: dimension.to_owned() }
}

impl DefaultDimensions {
    /// The dimensions of a plan that would meet a default.
    pub fn met_by(&self, plan: &PlannedDocument) -> BTreeSet<LateDimension> {
        let meets = |late: &LateDimension| {
            let of_account = plan.lines.get(late.line).and_then(|line| self.accounts.get(&line.account));
            let of_vendor = self.vendors.get(&plan.vendor_number);
            [of_account, of_vendor].into_iter().flatten().any(|codes| codes.contains(&late.dimension))
        };
        every_dimension(plan).into_iter().filter(meets).collect()
    }

    /// Learns from a draft as it was made: what it has of the dimensions that were not sent is a default, of the vendor if
    /// the header has it, too; what it has not is none (any more).
    pub fn learn(&mut self, plan: &PlannedDocument, made: &FoundDocument) {
        let lines = with_amounts(made);
        for LateDimension { line, dimension } in &plan.late {
            let (Some(planned), Some(found)) = (plan.lines.get(*line), lines.get(*line)) else { continue };
            let of_vendor = made.dimensions.contains_key(dimension);
            let of_account = !of_vendor && found.dimensions.contains_key(dimension);
            note(&mut self.vendors, &plan.vendor_number, dimension, of_vendor);
            note(&mut self.accounts, &planned.account, dimension, of_account);
        }
    }
}

fn note(known: &mut BTreeMap<String, BTreeSet<String>>, number: &str, dimension: &str, is_default: bool) {
    if is_default {
        known.entry(number.to_owned()).or_default().insert(dimension.to_owned());
    } else if let Some(codes) = known.get_mut(number) {
        codes.remove(dimension);
        if codes.is_empty() {
            known.remove(number);
        }
    }
}

fn with_amounts(found: &FoundDocument) -> Vec<&FoundLine> {
    found.lines.iter().filter(|line| line.line_type != "Comment").collect()
}

/// What is still to be set on the draft, or none if its lines are no longer the planned ones.
pub fn decide_late(plan: &PlannedDocument, found: &FoundDocument) -> Option<Vec<ToSet>> {
    let lines = with_amounts(found);
    let same = |(planned, found): (&crate::document::PlannedLine, &&FoundLine)| planned.account == found.account;
    if lines.len() != plan.lines.len() || !plan.lines.iter().zip(&lines).all(same) {
        return None;
    }
    let to_set = |late: &LateDimension| {
        let value = plan.lines.get(late.line)?.dimensions.get(&late.dimension)?;
        let stands = lines.get(late.line)?.dimensions.get(&late.dimension);
        let missing = stands.is_none_or(|stands| !stands.eq_ignore_ascii_case(value));
        missing.then(|| ToSet {
            line: late.line,
            dimension: late.dimension.clone(),
            value: value.clone(),
            instead_of: stands.cloned(),
        })
    };
    Some(plan.late.iter().filter_map(to_set).collect())
}
