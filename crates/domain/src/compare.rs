//! Planned document against the one in Business Central: every field that was written, to the cent.

use std::collections::BTreeMap;
use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::document::{DocumentKind, FoundDocument, FoundLine, PlannedDocument, PlannedLine};
use crate::hold::{Hold, HoldCode};
use crate::money::{Currency, Money};
use crate::tax::{PlannedTax, TaxSystem};

/// What tax changes on a document: the total, the amounts of lines, and whether prices include it.
const TOTAL: &str = "total including tax";
const LINE_AMOUNT: &str = " amount";
const GROSS_PRICES: &str = "Prices Including VAT";

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
    if let Some(invoice) = &plan.applies_to {
        let found = found.applies_to.map_or_else(|| "none".to_owned(), |id| id.to_string());
        differences.text("invoice that it applies to", &invoice.id.to_string(), &found);
    }
    differences.amount(TOTAL, plan.total, found.total);
    for (dimension, value) in &plan.dimensions {
        let found = found.dimensions.get(dimension).map_or("blank", String::as_str);
        differences.text(&format!("dimension {dimension}"), value, found);
    }
    differences.lines(plan, found);
    if let Some(tax) = plan.tax {
        differences.tax(plan, tax, found);
    }
    differences.0
}

/// The texts of lines that are not as planned. Right after the document was made this is told like any other difference;
/// later a person may have written a better text, which changes nothing that is booked.
pub fn compare_texts(plan: &PlannedDocument, found: &FoundDocument) -> Vec<Difference> {
    let booked = found.lines.iter().filter(|line| line.line_type != "Comment");
    let pairs = (1..).zip(plan.lines.iter().zip(booked));
    let differing = pairs.filter(|(_, (planned, found))| planned.description != found.description);
    let told = differing.map(|(number, (planned, found))| Difference {
        field: format!("line {number} description"),
        planned: format!("{:?}", planned.description),
        found: format!("{:?}", found.description),
    });
    told.collect()
}

/// The hold for a document that is not as planned. Where only tax made it another one, both sums are named.
pub fn hold_of(plan: &PlannedDocument, found: &FoundDocument, differences: &[Difference]) -> Hold {
    let (kind, number) = (plan.kind.words(), &found.number);
    let by_tax = |field: &str| field == TOTAL || field == GROSS_PRICES || field.ends_with(LINE_AMOUNT);
    if !found.tax.is_zero() && plan.total != found.total && differences.iter().all(|one| by_tax(&one.field)) {
        let shown = |amount: Decimal| match Currency::new(&found.currency) {
            Ok(currency) => Money::new(amount, currency).to_string(),
            Err(_) => amount.normalize().to_string(),
        };
        let (is, tax, wanted) = (shown(found.total), shown(found.tax), shown(plan.total));
        let text =
            format!("{kind} {number} comes to {is} in Business Central, {tax} of it tax; the record says {wanted}");
        return Hold::new(HoldCode::TaxDiffers, text);
    }
    let shown: Vec<String> = differences.iter().map(ToString::to_string).collect();
    Hold::new(HoldCode::DocumentDiffers, format!("{kind} {number} is not as planned: {}", shown.join("; ")))
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

    fn amount(&mut self, field: &str, planned: Decimal, found: Decimal) {
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

    /// A sales tax company answers the code that was sent. A VAT company answers its VAT identifier (business-central.md
    /// §5.5), which no list tells beforehand: lines with one code have to show one identifier.
    fn tax(&mut self, plan: &PlannedDocument, tax: PlannedTax, found: &FoundDocument) {
        if tax.prices_include_tax && plan.kind == DocumentKind::Invoice && !found.prices_include_tax {
            self.text(GROSS_PRICES, "yes", "no");
        }
        let booked = found.lines.iter().filter(|line| line.line_type != "Comment");
        let mut identifiers: BTreeMap<&str, &str> = BTreeMap::new();
        for (number, (planned, found)) in (1..).zip(plan.lines.iter().zip(booked)) {
            let Some(code) = planned.tax_code.as_deref() else { continue };
            let field = format!("line {number} tax code");
            match tax.system {
                TaxSystem::SalesTax => self.text(&field, code, &found.tax_code),
                TaxSystem::Vat => {
                    let first = *identifiers.entry(code).or_insert(&found.tax_code);
                    if !first.eq_ignore_ascii_case(&found.tax_code) {
                        self.text(&field, &format!("{code}, which another line shows as {first}"), &found.tax_code);
                    }
                }
            }
        }
    }

    fn line(&mut self, number: usize, planned: &PlannedLine, found: &FoundLine) {
        self.text(&format!("line {number} type"), "Account", &found.line_type);
        self.text(&format!("line {number} G/L Account"), &planned.account, &found.account);
        self.amount(&format!("line {number}{LINE_AMOUNT}"), planned.amount, found.amount);
        for (dimension, value) in &planned.dimensions {
            let found = found.dimensions.get(dimension).map_or("blank", String::as_str);
            self.text(&format!("line {number} dimension {dimension}"), value, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::civil::date;
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
            dimensions: BTreeMap::new(),
            lines: vec![
                PlannedLine {
                    account: "61300".to_owned(),
                    description: "Booth".to_owned(),
                    amount: Decimal::new(20000, 2),
                    tax_code: None,
                    dimensions: BTreeMap::from([("DEPARTMENT".to_owned(), "MKT".to_owned())]),
                },
                PlannedLine {
                    account: "64100".to_owned(),
                    description: "Travel".to_owned(),
                    amount: Decimal::new(4837, 2),
                    tax_code: None,
                    dimensions: BTreeMap::new(),
                },
            ],
            tax: None,
            applies_to: None,
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
                tax_code: String::new(),
                dimensions: line.dimensions.clone(),
            })
            .collect();
        lines.push(FoundLine {
            line_type: "Comment".to_owned(),
            account: String::new(),
            description: plan.marker_line(),
            amount: Decimal::ZERO,
            tax_code: String::new(),
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
            tax: Decimal::ZERO,
            prices_include_tax: false,
            applies_to: None,
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
