//! How the draft of an earlier version becomes that of a later one: what to send next, or what a person changed meanwhile.
//!
//! Lines are told apart by their line numbers (Business Central's `sequence`), which the API lets the writer choose and never
//! gives twice (business-central.md §5.5). So every step follows from the draft as it is now, and can be sent again.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::compare::{Difference, compare};
use crate::document::{FoundDocument, FoundLine, PlannedDocument, PlannedLine};

/// Between the numbers of two lines.
const GAP: i64 = 10_000;

/// A line of the draft before it is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Line number.
    pub sequence: i64,
    /// Id of the line.
    pub id: Option<Uuid>,
}

/// What the draft shall be in the end. It is stored before anything is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The document.
    pub plan: PlannedDocument,
    /// The number of each of its lines.
    pub sequences: Vec<i64>,
    /// The lines with amounts as they were.
    pub was: Vec<Place>,
}

/// The next thing to send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Act {
    /// Delete the line with this number.
    RemoveLine(i64),
    /// Change dates and number of the header.
    Header,
    /// Add this line of the plan, without its dimensions.
    AddLine(usize),
    /// Change text and amount of this line of the plan.
    ChangeLine(usize),
    /// Take this dimension off the header.
    RemoveDimension(String),
    /// Set a dimension of the header or of a line of the plan.
    SetDimension {
        /// Place of the line among the planned ones; none for the header.
        line: Option<usize>,
        /// Code of the dimension.
        dimension: String,
        /// Code of the value.
        value: String,
        /// Whether the dimension is on the line with another value.
        stands: bool,
    },
}

impl Target {
    /// The target for a draft that is as it was planned; `places` belong to the lines of `found`, in their order.
    pub fn new(plan: PlannedDocument, found: &FoundDocument, places: &[Place]) -> Self {
        let was: Vec<Place> = with_amounts(found, places).map(|(_, place)| *place).collect();
        let last = places.iter().map(|place| place.sequence).max().unwrap_or(0);
        let mut next = last;
        let mut added = || {
            next = next.saturating_add(GAP);
            next
        };
        let sequences: Vec<i64> =
            (0..plan.lines.len()).map(|line| was.get(line).map_or_else(&mut added, |place| place.sequence)).collect();
        Self { plan, sequences, was }
    }
}

fn with_amounts<'a>(found: &'a FoundDocument, places: &'a [Place]) -> impl Iterator<Item = (&'a FoundLine, &'a Place)> {
    found.lines.iter().zip(places).filter(|(line, _)| line.line_type != "Comment")
}

/// What a person changed on a draft that should be as planned. Dimensions that were not set yet are no change.
pub fn changed_by_others(old: &PlannedDocument, found: &FoundDocument, local_currency: &str) -> Vec<Difference> {
    let mut old = old.clone();
    for late in std::mem::take(&mut old.late) {
        if let Some(dimensions) = dimensions_of(&mut old, late.line) {
            dimensions.remove(&late.dimension);
        }
    }
    compare(&old, found, local_currency)
}

/// Whether two plans are the same document, whatever version and rules they come from.
pub fn is_same_document(one: &PlannedDocument, other: &PlannedDocument) -> bool {
    let plain =
        |plan: &PlannedDocument| PlannedDocument { record_version: 0, rules: String::new(), ..plan.clone().at_once() };
    plain(one) == plain(other)
}

/// What has to be sent next, in this order; nothing is left when the draft is the target. Everything must be as it was or as
/// it shall be: what is neither was changed by somebody else.
pub fn decide_acts(
    old: &PlannedDocument,
    target: &Target,
    found: &FoundDocument,
    places: &[Place],
) -> Result<Vec<Act>, Vec<Difference>> {
    let now: Now<'_> = with_amounts(found, places).map(|(line, place)| (place.sequence, (line, place))).collect();
    let old = &as_sent(old, target, found, &now);
    let mut steps = Steps { old, target, acts: Vec::new(), foreign: Vec::new() };
    steps.header(found);
    for (sequence, (line, place)) in &now {
        match target.sequences.iter().position(|known| known == sequence) {
            Some(at) => steps.line(at, line, place),
            None => steps.surplus(line, place),
        }
    }
    let missing = target.sequences.iter().enumerate().filter(|(_, sequence)| !now.contains_key(sequence));
    steps.acts.extend(missing.map(|(at, _)| Act::AddLine(at)));
    if !found.is_marked(target.plan.job) {
        steps.differs("comment line", &target.plan.marker_line(), "missing");
    }
    if steps.foreign.is_empty() { Ok(in_order(steps.acts)) } else { Err(steps.foreign) }
}

/// The lines of a draft with amounts, by their numbers.
type Now<'a> = BTreeMap<i64, (&'a FoundLine, &'a Place)>;

/// The earlier version without those of its late dimensions that the draft does not have: what stands there instead is a
/// default, and nobody's change.
fn as_sent(old: &PlannedDocument, target: &Target, found: &FoundDocument, now: &Now<'_>) -> PlannedDocument {
    let mut sent = old.clone();
    for late in std::mem::take(&mut sent.late) {
        let there = match late.line {
            None => found.dimensions.get(&late.dimension),
            Some(line) => target.was.get(line).and_then(|was| {
                let (line, _) = now.get(&was.sequence).filter(|(_, place)| place.id == was.id)?;
                line.dimensions.get(&late.dimension)
            }),
        };
        if let Some(planned) = dimensions_of(&mut sent, late.line)
            && planned.get(&late.dimension) != there
        {
            planned.remove(&late.dimension);
        }
    }
    sent
}

fn dimensions_of(plan: &mut PlannedDocument, line: Option<usize>) -> Option<&mut BTreeMap<String, String>> {
    match line {
        None => Some(&mut plan.dimensions),
        Some(line) => plan.lines.get_mut(line).map(|line| &mut line.dimensions),
    }
}

/// The header comes first, since new lines take over its dimensions. Lines are removed before others are added, so that a
/// number is free again when its line is added; dimensions of lines come last.
fn in_order(mut acts: Vec<Act>) -> Vec<Act> {
    acts.sort_by_key(|act| match act {
        Act::Header => 0,
        Act::RemoveDimension(_) | Act::SetDimension { line: None, .. } => 1,
        Act::RemoveLine(_) => 2,
        Act::AddLine(_) => 3,
        Act::ChangeLine(_) => 4,
        Act::SetDimension { line: Some(_), .. } => 5,
    });
    acts
}

struct Steps<'a> {
    old: &'a PlannedDocument,
    target: &'a Target,
    acts: Vec<Act>,
    foreign: Vec<Difference>,
}

impl Steps<'_> {
    fn differs(&mut self, field: &str, planned: &str, found: &str) {
        let (planned, found) = (planned.to_owned(), found.to_owned());
        self.foreign.push(Difference { field: field.to_owned(), planned, found });
    }

    fn header(&mut self, found: &FoundDocument) {
        let (old, new) = (self.old, &self.target.plan);
        let text = |date: Option<Date>| date.map_or_else(|| "blank".to_owned(), |date| date.to_string());
        let fields = [
            (
                "document number of the vendor",
                old.number.as_str().to_owned(),
                new.number.as_str().to_owned(),
                found.vendor_document_number.clone(),
            ),
            ("Posting Date", old.posting_date.to_string(), new.posting_date.to_string(), text(found.posting_date)),
            ("Document Date", old.document_date.to_string(), new.document_date.to_string(), text(found.document_date)),
        ];
        let mut is_old = false;
        for (field, was, shall, is) in fields {
            if is.eq_ignore_ascii_case(&shall) {
                continue;
            }
            if is.eq_ignore_ascii_case(&was) {
                is_old = true;
            } else {
                self.differs(field, &was, &is);
            }
        }
        if let Some(due) = new.due_date.filter(|due| found.due_date != Some(*due)) {
            match old.due_date {
                Some(was) if found.due_date != Some(was) => {
                    self.differs("Due Date", &due.to_string(), &text(found.due_date));
                }
                _ => is_old = true,
            }
        }
        if !old.vendor_number.eq_ignore_ascii_case(&found.vendor_number) {
            self.differs("Vendor No.", &old.vendor_number, &found.vendor_number);
        }
        if is_old {
            self.acts.push(Act::Header);
        }
        self.header_dimensions(found);
    }

    /// What the lines no longer share is taken off the header, or lines that are added now would take it over.
    fn header_dimensions(&mut self, found: &FoundDocument) {
        let (old, new) = (self.old, &self.target.plan);
        for (dimension, was) in old.dimensions.iter().filter(|(code, _)| !new.dimensions.contains_key(*code)) {
            match found.dimensions.get(dimension) {
                Some(is) if is.eq_ignore_ascii_case(was) => self.acts.push(Act::RemoveDimension(dimension.clone())),
                Some(is) => self.differs(&format!("dimension {dimension}"), was, is),
                None => {}
            }
        }
        for (dimension, value) in &new.dimensions {
            let stands = found.dimensions.get(dimension);
            match (stands, old.dimensions.get(dimension)) {
                (Some(is), _) if is.eq_ignore_ascii_case(value) => {}
                (Some(is), Some(was)) if !is.eq_ignore_ascii_case(was) => {
                    self.differs(&format!("dimension {dimension}"), was, is);
                }
                _ => {
                    let (dimension, value) = (dimension.clone(), value.clone());
                    self.acts.push(Act::SetDimension { line: None, dimension, value, stands: stands.is_some() });
                }
            }
        }
    }

    /// A line that has a place in the target.
    fn line(&mut self, at: usize, found: &FoundLine, place: &Place) {
        let (old, target) = (self.old, self.target);
        let Some(shall) = target.plan.lines.get(at) else { return };
        let was = old.lines.get(at).filter(|_| target.was.get(at).is_some_and(|old| old.id == place.id));
        let Some(was) = was else { return self.added(at, shall, found) };
        // Neither can be changed on a line for certain: the number is fixed, and reads show another tax code (§5.5).
        if found.account != shall.account || was.tax_code != shall.tax_code {
            if is_as_planned(was, found) {
                self.acts.push(Act::RemoveLine(place.sequence));
            } else {
                self.differs(&format!("line {}", at.saturating_add(1)), &shown(was), &shown_found(found));
            }
            return;
        }
        let number = at.saturating_add(1);
        let is_known = |dimension: &str, value: &str| {
            let known = [was.dimensions.get(dimension), shall.dimensions.get(dimension)];
            known.into_iter().flatten().any(|known| known.eq_ignore_ascii_case(value))
        };
        let lost = was.dimensions.keys().filter(|code| !shall.dimensions.contains_key(*code));
        let mut is_lost = false;
        for code in lost {
            is_lost |= found.dimensions.contains_key(code);
        }
        if found.amount != shall.amount && found.amount != was.amount {
            let (planned, is) = (was.amount.normalize().to_string(), found.amount.normalize().to_string());
            self.differs(&format!("line {number} amount"), &planned, &is);
        }
        for (dimension, value) in &was.dimensions {
            match found.dimensions.get(dimension) {
                Some(is) if !is_known(dimension, is) => {
                    self.differs(&format!("line {number} dimension {dimension}"), value, is);
                }
                _ => {}
            }
        }
        if is_lost {
            // The line is made anew in its place: then it has what account and vendor set by default, as any line without it.
            self.acts.push(Act::RemoveLine(place.sequence));
            return;
        }
        let is_text_ours = found.description == was.description && found.description != shall.description;
        if found.amount != shall.amount || is_text_ours {
            self.acts.push(Act::ChangeLine(at));
        }
        self.dimensions(at, shall, found);
    }

    /// A line that was added on the way to the target.
    fn added(&mut self, at: usize, shall: &PlannedLine, found: &FoundLine) {
        if found.account != shall.account || found.amount != shall.amount {
            self.differs(&format!("line {}", at.saturating_add(1)), &shown(shall), &shown_found(found));
        } else {
            self.dimensions(at, shall, found);
        }
    }

    fn dimensions(&mut self, at: usize, shall: &PlannedLine, found: &FoundLine) {
        for (dimension, value) in &shall.dimensions {
            let stands = found.dimensions.get(dimension);
            if stands.is_none_or(|is| !is.eq_ignore_ascii_case(value)) {
                let (dimension, value) = (dimension.clone(), value.clone());
                self.acts.push(Act::SetDimension { line: Some(at), dimension, value, stands: stands.is_some() });
            }
        }
    }

    /// A line that has no place in the target.
    fn surplus(&mut self, found: &FoundLine, place: &Place) {
        let was = self.target.was.iter().position(|old| old.sequence == place.sequence && old.id == place.id);
        match was.and_then(|at| self.old.lines.get(at)) {
            Some(was) if is_as_planned(was, found) => self.acts.push(Act::RemoveLine(place.sequence)),
            Some(was) => self.differs("line that is no longer in Brex", &shown(was), &shown_found(found)),
            None => self.differs("additional line", "none", &shown_found(found)),
        }
    }
}

fn is_as_planned(planned: &PlannedLine, found: &FoundLine) -> bool {
    let has =
        |(code, value): (&String, &String)| found.dimensions.get(code).is_none_or(|is| is.eq_ignore_ascii_case(value));
    planned.account == found.account && planned.amount == found.amount && planned.dimensions.iter().all(has)
}

fn shown(line: &PlannedLine) -> String {
    format!("{} {}", line.account, line.amount.normalize())
}

fn shown_found(line: &FoundLine) -> String {
    format!("{} {}", line.account, line.amount.normalize())
}

#[cfg(test)]
mod tests;
