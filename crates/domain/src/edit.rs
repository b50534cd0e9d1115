//! What an edit in Brex changed about a record that already has, or may have, a document.

use crate::compare::Difference;
use crate::money::Money;
use crate::record::{CodedField, Record, Treatment};

/// The differences that matter for the books: amounts, dates, coding, payee, invoice number. Memos and receipts may
/// change freely.
pub fn booked_differences(before: &Record, after: &Record) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut check = |field: &str, before: String, after: String| {
        if before != after {
            differences.push(Difference { field: field.to_owned(), planned: before, found: after });
        }
    };
    check("type", before.type_name.clone(), after.type_name.clone());
    check("amount", before.amount.to_string(), after.amount.to_string());
    let (old, new) =
        originals((before.original_amount.as_ref(), &before.amount), (after.original_amount.as_ref(), &after.amount));
    check("original amount", old, new);
    check("posting date", before.posting_at.to_string(), after.posting_at.to_string());
    check("due date", shown(before.due_at.as_ref()), shown(after.due_at.as_ref()));
    check("invoice number", shown(before.invoice_number.as_ref()), shown(after.invoice_number.as_ref()));
    check("merchant", merchant(before), merchant(after));
    check("employee", payee(before), payee(after));
    check("number of lines", before.lines.len().to_string(), after.lines.len().to_string());
    for (index, (old, new)) in before.lines.iter().zip(&after.lines).enumerate() {
        let number = index.saturating_add(1);
        check(&format!("line {number} side"), format!("{:?}", old.side), format!("{:?}", new.side));
        check(&format!("line {number} amount"), old.amount.to_string(), new.amount.to_string());
        let (was, is) =
            originals((old.original_amount.as_ref(), &old.amount), (new.original_amount.as_ref(), &new.amount));
        check(&format!("line {number} original amount"), was, is);
        check(&format!("line {number} coding"), coding(&old.coding), coding(&new.coding));
    }
    differences
}

fn shown<T: ToString>(value: Option<&T>) -> String {
    value.map_or_else(|| "none".to_owned(), ToString::to_string)
}

/// Brex sends the original amount sometimes even where it is the amount, and sometimes only where it differs; where
/// neither version has one, the amount alone tells.
fn originals(before: (Option<&Money>, &Money), after: (Option<&Money>, &Money)) -> (String, String) {
    if before.0.is_none() && after.0.is_none() {
        return (String::new(), String::new());
    }
    let stated = |(original, amount): (Option<&Money>, &Money)| original.unwrap_or(amount).to_string();
    (stated(before), stated(after))
}

/// The employee who is paid back; who paid with a card is no matter of the books.
fn payee(record: &Record) -> String {
    match (record.treatment(), &record.person) {
        (Treatment::Reimbursement(_), Some(person)) => person.email.trim().to_lowercase(),
        _ => "none".to_owned(),
    }
}

fn merchant(record: &Record) -> String {
    record.merchant.as_ref().map_or_else(|| "none".to_owned(), |m| m.name.clone())
}

fn coding(fields: &[CodedField]) -> String {
    let mut texts: Vec<String> = fields
        .iter()
        .filter(|field| !field.is_empty())
        .map(|field| {
            let name = field.field.as_deref().or(field.field_name.as_deref()).unwrap_or("?");
            let value = field.value().or(field.value_name()).unwrap_or_default();
            format!("{name}={value}")
        })
        .collect();
    texts.sort();
    texts.join(", ")
}
