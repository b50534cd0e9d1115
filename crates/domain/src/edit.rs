//! What an edit in Brex changed about a record that already has, or may have, a document.

use crate::compare::Difference;
use crate::record::{CodedField, Record};

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
    check("posting date", before.posting_at.to_string(), after.posting_at.to_string());
    check("due date", shown(before.due_at.as_ref()), shown(after.due_at.as_ref()));
    check("invoice number", shown(before.invoice_number.as_ref()), shown(after.invoice_number.as_ref()));
    check("merchant", merchant(before), merchant(after));
    check("number of lines", before.lines.len().to_string(), after.lines.len().to_string());
    for (index, (old, new)) in before.lines.iter().zip(&after.lines).enumerate() {
        let number = index.saturating_add(1);
        check(&format!("line {number} side"), format!("{:?}", old.side), format!("{:?}", new.side));
        check(&format!("line {number} amount"), old.amount.to_string(), new.amount.to_string());
        check(&format!("line {number} coding"), coding(&old.coding), coding(&new.coding));
    }
    differences
}

fn shown<T: ToString>(value: Option<&T>) -> String {
    value.map_or_else(|| "none".to_owned(), ToString::to_string)
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
            let value = field.value.as_deref().or(field.value_name.as_deref()).unwrap_or_default();
            format!("{name}={value}")
        })
        .collect();
    texts.sort();
    texts.join(", ")
}
