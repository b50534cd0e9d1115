//! Dimensions that a draft gets after it was made.
//!
//! Default dimensions of vendor and account appear by themselves, and Business Central refuses a new line that brings the
//! same dimension (business-central.md §5.7). The API shows no defaults of accounts, so they are learnt: from the draft
//! that is made without its dimensions, and that has some all the same.
//!
//! Lines take over what the header brings (§5.2), so what the header brings is not sent with them; whether they really took
//! it is looked at like everything else that is late.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::document::{FoundDocument, FoundLine, PlannedDocument};

/// A dimension of the header or of a line that is not sent with it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LateDimension {
    /// Place of the line among the planned ones, from 0; none for the header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
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
    /// Place of the line among those with amounts, from 0; none for the header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Code of the dimension.
    pub dimension: String,
    /// Code of the planned value.
    pub value: String,
    /// The value that stands there; it has to be changed instead of added.
    pub instead_of: Option<String>,
}

/// Every dimension of the header and of every line.
pub fn every_dimension(plan: &PlannedDocument) -> BTreeSet<LateDimension> {
    let header = plan.dimensions.keys().map(|code| late(None, code));
    header.chain(of_lines(plan)).collect()
}

/// The dimensions of lines that the header brings to them.
pub fn taken_over(plan: &PlannedDocument) -> BTreeSet<LateDimension> {
    of_lines(plan).filter(|late| is_sent_on_header(plan, &late.dimension)).collect()
}

fn of_lines(plan: &PlannedDocument) -> impl Iterator<Item = LateDimension> {
    let lines = plan.lines.iter().enumerate();
    lines.flat_map(|(line, planned)| planned.dimensions.keys().map(move |code| late(Some(line), code)))
}

fn is_sent_on_header(plan: &PlannedDocument, dimension: &str) -> bool {
    plan.dimensions.contains_key(dimension) && !plan.late.contains(&late(None, dimension))
}

fn late(line: Option<usize>, dimension: &str) -> LateDimension {
    LateDimension { line, dimension: dimension.to_owned() }
}

impl DefaultDimensions {
    /// The dimensions of a plan that would meet a default.
    pub fn met_by(&self, plan: &PlannedDocument) -> BTreeSet<LateDimension> {
        let meets = |late: &LateDimension| {
            let line = late.line.and_then(|line| plan.lines.get(line));
            let of_account = line.and_then(|line| self.accounts.get(&line.account));
            let of_vendor = self.vendors.get(&plan.vendor_number);
            [of_account, of_vendor].into_iter().flatten().any(|codes| codes.contains(&late.dimension))
        };
        every_dimension(plan).into_iter().filter(meets).collect()
    }

    /// Learns from a draft as it was made: what it has of the dimensions that were not sent at all is a default, of the vendor
    /// if the header has it, too; what it has not is none (any more).
    pub fn learn(&mut self, plan: &PlannedDocument, made: &FoundDocument) {
        let lines = with_amounts(made);
        for LateDimension { line, dimension } in
            plan.late.iter().filter(|late| !is_sent_on_header(plan, &late.dimension))
        {
            let of_vendor = made.dimensions.contains_key(dimension);
            note(&mut self.vendors, &plan.vendor_number, dimension, of_vendor);
            let line = line.and_then(|line| Some((plan.lines.get(line)?, lines.get(line)?)));
            if let Some((planned, found)) = line {
                let of_account = !of_vendor && found.dimensions.contains_key(dimension);
                note(&mut self.accounts, &planned.account, dimension, of_account);
            }
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
        let (planned, there) = match late.line {
            None => (&plan.dimensions, &found.dimensions),
            Some(line) => (&plan.lines.get(line)?.dimensions, &lines.get(line)?.dimensions),
        };
        let value = planned.get(&late.dimension)?;
        let stands = there.get(&late.dimension);
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
