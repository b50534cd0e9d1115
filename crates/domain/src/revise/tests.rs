//! Whatever two versions say, following the acts turns the draft of one into that of the other.

#![expect(clippy::expect_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::date;
use proptest::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::*;
use crate::document::DocumentKind;
use crate::id::{DocumentNumber, JobId, RecordId};
use crate::late::LateDimension;

fn line(account: u8, cents: i64, department: Option<u8>) -> PlannedLine {
    let value = department.map(|value| ("DEPARTMENT".to_owned(), format!("D{value}")));
    PlannedLine {
        account: format!("6{account:04}"),
        description: format!("text {cents}"),
        amount: Decimal::new(cents, 2),
        tax_code: None,
        dimensions: value.into_iter().collect(),
    }
}

fn plan(lines: Vec<PlannedLine>, day: i8) -> PlannedDocument {
    let record = RecordId::new("accr_1");
    let job = JobId::new("cuacc_1", &record, Uuid::from_u128(1));
    PlannedDocument {
        kind: DocumentKind::Invoice,
        record,
        record_version: 1,
        job,
        number: DocumentNumber::of_job(job),
        vendor_number: "V10000".to_owned(),
        posting_date: date(2026, 6, day),
        document_date: date(2026, 6, day),
        due_date: Some(date(2026, 7, day)),
        currency: None,
        total: lines.iter().map(|line| line.amount).sum(),
        dimensions: crate::mapping::shared_dimensions(&lines),
        lines,
        rules: "r1".to_owned(),
        late: BTreeSet::new(),
        tax: None,
        applies_to: None,
    }
}

/// A draft with the ids of its lines, as Business Central would keep it.
#[derive(Clone)]
struct Draft {
    found: FoundDocument,
    places: Vec<Place>,
    next_id: u128,
}

impl Draft {
    fn of(plan: &PlannedDocument) -> Self {
        let found = FoundDocument {
            kind: plan.kind,
            id: Uuid::from_u128(9),
            number: "108001".to_owned(),
            vendor_document_number: plan.number.as_str().to_owned(),
            vendor_number: plan.vendor_number.clone(),
            posting_date: Some(plan.posting_date),
            document_date: Some(plan.document_date),
            due_date: plan.due_date,
            currency: "USD".to_owned(),
            total: plan.total,
            tax: Decimal::ZERO,
            prices_include_tax: false,
            applies_to: None,
            status: "Draft".to_owned(),
            dimensions: plan.dimensions.clone(),
            lines: Vec::new(),
        };
        let mut draft = Self { found, places: Vec::new(), next_id: 100 };
        for (at, line) in plan.lines.iter().enumerate() {
            draft.insert(i64::try_from(at).unwrap_or(0) * GAP + GAP, line, true);
        }
        let marker = PlannedLine {
            account: String::new(),
            description: plan.marker_line(),
            amount: Decimal::ZERO,
            tax_code: None,
            dimensions: BTreeMap::new(),
        };
        let last = draft.places.last().map_or(GAP, |place| place.sequence + GAP);
        draft.insert(last, &marker, true);
        if let Some(line) = draft.found.lines.last_mut() {
            line.line_type = "Comment".to_owned();
        }
        draft
    }

    fn insert(&mut self, sequence: i64, line: &PlannedLine, with_dimensions: bool) {
        assert!(self.places.iter().all(|place| place.sequence != sequence), "a line number is never given twice");
        let at = self.places.iter().position(|place| place.sequence > sequence).unwrap_or(self.places.len());
        self.next_id += 1;
        self.places.insert(at, Place { sequence, id: Some(Uuid::from_u128(self.next_id)) });
        let found = FoundLine {
            line_type: "Account".to_owned(),
            account: line.account.clone(),
            description: line.description.clone(),
            amount: line.amount,
            tax_code: String::new(),
            dimensions: if with_dimensions { line.dimensions.clone() } else { self.found.dimensions.clone() },
        };
        self.found.lines.insert(at, found);
        self.found.total = self.found.lines.iter().map(|line| line.amount).sum();
    }

    fn act(&mut self, target: &Target, act: &Act) {
        let plan = &target.plan;
        let at = |draft: &Self, line: usize| {
            draft.places.iter().position(|place| place.sequence == target.sequences[line]).unwrap_or(usize::MAX)
        };
        match act {
            Act::Header => {
                self.found.vendor_document_number = plan.number.as_str().to_owned();
                self.found.posting_date = Some(plan.posting_date);
                self.found.document_date = Some(plan.document_date);
                self.found.due_date = plan.due_date.or(self.found.due_date);
            }
            Act::RemoveLine(sequence) => {
                let at = self.places.iter().position(|place| place.sequence == *sequence).unwrap_or(usize::MAX);
                self.places.remove(at);
                self.found.lines.remove(at);
            }
            Act::AddLine(line) => self.insert(target.sequences[*line], &plan.lines[*line], false),
            Act::ChangeLine(line) => {
                let at = at(self, *line);
                self.found.lines[at].amount = plan.lines[*line].amount;
                self.found.lines[at].description = plan.lines[*line].description.clone();
            }
            Act::RemoveDimension(dimension) => {
                self.found.dimensions.remove(dimension).expect("it is there");
            }
            Act::SetDimension { line, dimension, value, stands } => {
                let set = match line {
                    None => &mut self.found.dimensions,
                    Some(line) => {
                        let at = at(self, *line);
                        &mut self.found.lines[at].dimensions
                    }
                };
                let was = set.insert(dimension.clone(), value.clone());
                assert_eq!(was.is_some(), *stands);
            }
        }
        self.found.total = self.found.lines.iter().map(|line| line.amount).sum();
    }
}

fn lines() -> impl Strategy<Value = Vec<PlannedLine>> {
    proptest::collection::vec((1_u8..4, 1_i64..5_000, proptest::option::of(1_u8..4)), 1..6)
        .prop_map(|lines| lines.into_iter().map(|(account, cents, value)| line(account, cents, value)).collect())
}

proptest! {
    /// It may stop after any number of acts and go on from what is there.
    #[test]
    fn the_acts_turn_one_version_into_the_other(before in lines(), after in lines(), days in (1_i8..28, 1_i8..28), stop in 1_usize..4) {
        let (old, new) = (plan(before, days.0), plan(after, days.1));
        let mut draft = Draft::of(&old);
        prop_assert_eq!(changed_by_others(&old, &draft.found, "USD"), vec![]);
        let target = Target::new(new.clone(), &draft.found, &draft.places);
        for _ in 0..60 {
            let acts = decide_acts(&old, &target, &draft.found, &draft.places).expect("nobody else changed it");
            if acts.is_empty() {
                break;
            }
            for act in acts.iter().take(stop) {
                draft.act(&target, act);
            }
        }
        prop_assert_eq!(compare(&new, &draft.found, "USD"), vec![]);
        for line in &new.lines {
            let same = draft.found.lines.iter().find(|found| found.amount == line.amount && found.account == line.account);
            prop_assert!(same.is_some());
        }
        let departments = |lines: Vec<&BTreeMap<String, String>>| lines.into_iter().cloned().collect::<Vec<_>>();
        let shall = departments(new.lines.iter().map(|line| &line.dimensions).collect());
        let is = departments(draft.found.lines.iter().filter(|l| l.line_type != "Comment").map(|l| &l.dimensions).collect());
        prop_assert_eq!(shall, is, "no dimension of the earlier version is left");
        prop_assert_eq!(&new.dimensions, &draft.found.dimensions);
    }
}

#[test]
fn what_is_neither_as_it_was_nor_as_it_shall_be_was_changed_by_somebody_else() {
    let (old, new) = (plan(vec![line(1, 100, Some(1))], 3), plan(vec![line(1, 200, Some(2))], 4));
    let draft = Draft::of(&old);
    let target = Target::new(new.clone(), &draft.found, &draft.places);
    let foreign = |change: &dyn Fn(&mut Draft)| {
        let mut draft = draft.clone();
        change(&mut draft);
        let found = decide_acts(&old, &target, &draft.found, &draft.places).expect_err("somebody else changed it");
        found.into_iter().map(|difference| difference.field).collect::<Vec<_>>()
    };
    assert_eq!(foreign(&|d| d.found.lines[0].amount = Decimal::ONE_HUNDRED), ["line 1 amount"]);
    assert_eq!(foreign(&|d| d.found.posting_date = Some(date(2026, 6, 20))), ["Posting Date"]);
    assert_eq!(foreign(&|d| d.insert(90_000, &line(2, 5, None), true)), ["additional line"]);
    let other = |d: &mut Draft| drop(d.found.lines[0].dimensions.insert("DEPARTMENT".to_owned(), "D3".to_owned()));
    assert_eq!(foreign(&other), ["line 1 dimension DEPARTMENT"]);
    assert_eq!(foreign(&|d| d.found.lines.retain(|line| line.line_type != "Comment")), ["comment line"]);
    assert!(is_same_document(&old, &PlannedDocument { record_version: 7, ..old.clone() }));
    assert!(!is_same_document(&old, &new));
}

#[test]
fn a_default_in_the_place_of_a_dimension_that_was_not_set_yet_is_nobodys_change() {
    let late = |line| LateDimension { line, dimension: "DEPARTMENT".to_owned() };
    let old = plan(vec![line(1, 100, Some(1))], 3);
    let old = PlannedDocument { late: BTreeSet::from([late(None), late(Some(0))]), ..old };
    for department in [None, Some(2)] {
        let new = plan(vec![line(1, 200, department)], 3);
        let mut draft = Draft::of(&old);
        for set in [&mut draft.found.lines[0].dimensions, &mut draft.found.dimensions] {
            set.insert("DEPARTMENT".to_owned(), "OPS".to_owned());
        }
        let target = Target::new(new.clone(), &draft.found, &draft.places);
        for act in decide_acts(&old, &target, &draft.found, &draft.places).expect("nobody changed it") {
            draft.act(&target, &act);
        }
        let shall = department.map_or("OPS".to_owned(), |value: u8| format!("D{value}"));
        assert_eq!(draft.found.dimensions["DEPARTMENT"], shall);
        assert_eq!(draft.found.lines[0].dimensions["DEPARTMENT"], shall);
    }
}
