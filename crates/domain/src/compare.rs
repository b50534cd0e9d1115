//! Planned document against the one in Business Central: every field that was written, to the cent.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::document::{FoundDocument, FoundLine, PlannedDocument, PlannedLine};

/// One field that is not as planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What differs, in Business Central's words.
    pub field: String,
    /// As planned.
    pub planned: String,
    /// As found.
    pub found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: planned {}, found {}", self.field, self.planned, self.found)
    }
}

/// Every difference; none means that the document is the planned one. Dimensions that Business Central added from
/// defaults are no difference, since nobody planned their absence.
pub fn compare(plan: &PlannedDocument, found: &FoundDocument, local_currency: &str) -> Vec<Difference> {
    let mut differences = Differences::default();
    differences.text("kind", plan.kind.words(), found.kind.words());
    differences.text("Vendor No.", &plan.vendor_number, &found.vendor_number);
    differences.text("document number of the vendor", plan.number.as_str(), &found.vendor_document_number);
    differences.text("Posting Date", &plan.posting_date.to_string(), &date(found.posting_date));
    differences.text("Document Date", &plan.document_date.to_string(), &date(found.document_date));
    if let Some(due) = plan.due_date {
        differences.text("Due Date", &due.to_string(), &date(found.due_date));
    }
    differences.text("Currency Code", plan.currency.as_deref().unwrap_or(local_currency), &found.currency);
    differences.amount("total including tax", plan.total, found.total);
    differences.lines(plan, found);
    differences.0
}

fn date(date: Option<jiff::civil::Date>) -> String {
    date.map_or_else(|| "blank".to_owned(), |d| d.to_string())
}

#[derive(Default)]
struct Differences(Vec<Difference>);

impl Differences {
    fn text(&mut self, field: &str, planned: &str, found: &str) {
        if !planned.eq_ignore_ascii_case(found) {
            self.0.push(Difference { field: field.to_owned(), planned: planned.to_owned(), found: found.to_owned() });
        }
    }

    fn amount(&mut self, field: &str, planned: rust_decimal::Decimal, found: rust_decimal::Decimal) {
        if planned != found {
            self.text(field, &planned.normalize().to_string(), &found.normalize().to_string());
        }
    }

    fn lines(&mut self, plan: &PlannedDocument, found: &FoundDocument) {
        let booked: Vec<&FoundLine> = found.lines.iter().filter(|line| line.line_type != "Comment").collect();
        if booked.len() != plan.lines.len() {
            self.text("number of lines", &plan.lines.len().to_string(), &booked.len().to_string());
        }
        for (index, (planned, found)) in plan.lines.iter().zip(booked).enumerate() {
            self.line(index.saturating_add(1), planned, found);
        }
        if !found.is_marked(plan.job) {
            self.text("comment line", &plan.marker_line(), "missing");
        }
    }

    fn line(&mut self, number: usize, planned: &PlannedLine, found: &FoundLine) {
        self.text(&format!("line {number} type"), "Account", &found.line_type);
        self.text(&format!("line {number} G/L Account"), &planned.account, &found.account);
        self.amount(&format!("line {number} amount"), planned.amount, found.amount);
        for (dimension, value) in &planned.dimensions {
            let found = found.dimensions.get(dimension).map_or("blank", String::as_str);
            self.text(&format!("line {number} dimension {dimension}"), value, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use jiff::civil::date;
    use rust_decimal::Decimal;
    use uuid::Uuid;

    use super::*;
    use crate::document::DocumentKind;
    use crate::id::{DocumentNumber, JobId, RecordId};

    fn plan() -> PlannedDocument {
        let record = RecordId::new("accr_1");
        let job = JobId::new("cuacc_1", &record, Uuid::from_u128(1));
        PlannedDocument {
            kind: DocumentKind::Invoice,
            record,
            record_version: 1,
            job,
            number: DocumentNumber::of_job(job),
            vendor_number: "V10000".to_owned(),
            posting_date: date(2026, 6, 11),
            document_date: date(2026, 6, 11),
            due_date: None,
            currency: None,
            total: Decimal::new(24837, 2),
            lines: vec![
                PlannedLine {
                    account: "61300".to_owned(),
                    description: "Booth".to_owned(),
                    amount: Decimal::new(20000, 2),
                    dimensions: BTreeMap::from([("DEPARTMENT".to_owned(), "MKT".to_owned())]),
                },
                PlannedLine {
                    account: "64100".to_owned(),
                    description: "Travel".to_owned(),
                    amount: Decimal::new(4837, 2),
                    dimensions: BTreeMap::new(),
                },
            ],
            rules: "r1".to_owned(),
            late: BTreeSet::new(),
        }
    }

    fn as_found(plan: &PlannedDocument) -> FoundDocument {
        let mut lines: Vec<FoundLine> = plan
            .lines
            .iter()
            .map(|line| FoundLine {
                line_type: "Account".to_owned(),
                account: line.account.clone(),
                description: line.description.clone(),
                amount: line.amount,
                dimensions: line.dimensions.clone(),
            })
            .collect();
        lines.push(FoundLine {
            line_type: "Comment".to_owned(),
            account: String::new(),
            description: plan.marker_line(),
            amount: Decimal::ZERO,
            dimensions: BTreeMap::new(),
        });
        FoundDocument {
            kind: plan.kind,
            id: Uuid::from_u128(9),
            number: "108001".to_owned(),
            vendor_document_number: plan.number.as_str().to_owned(),
            vendor_number: plan.vendor_number.clone(),
            posting_date: Some(plan.posting_date),
            document_date: Some(plan.document_date),
            due_date: Some(plan.posting_date),
            currency: "USD".to_owned(),
            total: plan.total,
            status: "Draft".to_owned(),
            dimensions: BTreeMap::new(),
            lines,
        }
    }

    fn fields(plan: &PlannedDocument, found: &FoundDocument) -> Vec<String> {
        compare(plan, found, "USD").into_iter().map(|d| d.field).collect()
    }

    #[test]
    fn a_document_as_planned_has_no_difference_even_with_default_dimensions_added() {
        let plan = plan();
        let mut found = as_found(&plan);
        found.lines[1].dimensions.insert("REGION".to_owned(), "WEST".to_owned());
        assert_eq!(compare(&plan, &found, "USD"), vec![]);
    }

    #[test]
    fn one_cent_one_account_or_one_dimension_is_a_difference() {
        let plan = plan();
        let mut found = as_found(&plan);
        found.lines[0].amount += Decimal::new(1, 2);
        found.lines[0].dimensions.insert("DEPARTMENT".to_owned(), "SALES".to_owned());
        found.lines[1].account = "64200".to_owned();
        assert_eq!(fields(&plan, &found), ["line 1 amount", "line 1 dimension DEPARTMENT", "line 2 G/L Account"]);
    }

    #[test]
    fn a_missing_line_a_missing_marker_and_another_currency_are_differences() {
        let plan = plan();
        let mut found = as_found(&plan);
        found.lines.truncate(1);
        found.currency = "EUR".to_owned();
        assert_eq!(fields(&plan, &found), ["Currency Code", "number of lines", "comment line"]);
    }

    #[test]
    fn trailing_zeros_are_no_difference() {
        let plan = plan();
        let mut found = as_found(&plan);
        found.total = Decimal::new(248_370, 3);
        assert_eq!(compare(&plan, &found, "USD"), vec![]);
    }
}
