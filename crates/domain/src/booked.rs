//! One expense, one invoice: Brex has a record of a reimbursement's approval (accrual basis) and one of its fulfilment (cash
//! basis), each a purchase by itself (brex.md §2.4). An account that shows both must not be booked twice.

use crate::document::DocumentKind;
use crate::hold::{Hold, HoldCode};
use crate::id::RecordId;
use crate::record::Record;

/// Another record about the same expense that is a purchase, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// Its id.
    pub record: RecordId,
    /// Its type as Brex spells it.
    pub type_name: String,
    /// Whether its document is planned, under way or made.
    pub has_document: bool,
}

/// The hold of a record whose expense another type of record stands for. Parts of a split expense have one type, so they do
/// not stand in each other's way; the whole does that they are parts of, if it was booked before it was split. While neither has a document, the type that comes first in the alphabet goes on: the
/// approval.
pub fn decide_booked(record: &Record, others: &[Other]) -> Option<Hold> {
    if record.treatment().document() != Some(DocumentKind::Invoice) {
        return None;
    }
    let is_whole = |other: &Other| record.source_id.as_deref() == Some(other.record.as_str()) && other.has_document;
    let is_other_type = |other: &Other| {
        other.type_name != record.type_name && (other.has_document || other.type_name < record.type_name)
    };
    let stands = |other: &&Other| other.record != record.id && (is_whole(other) || is_other_type(other));
    let other = others.iter().filter(stands).min_by_key(|other| (!other.has_document, &other.record))?;
    let source = record.source_id.as_deref().unwrap_or_default();
    let text = format!("the expense {source} is booked by its record {} of type {}", other.record, other.type_name);
    Some(Hold::new(HoldCode::ExpenseBooked, text))
}
