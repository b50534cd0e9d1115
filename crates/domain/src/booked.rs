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
    /// Whether another connection between the same two companies booked it, such as one that took its records from Brex's other API.
    pub is_of_another_connection: bool,
}

/// The hold of a record whose expense another record stands for: one of another type, or of another connection. Parts of a split
/// expense have one type, so they do not stand in each other's way; the whole and its parts do, whichever was booked first. While
/// neither has a document, the type that comes first in the alphabet goes on: the approval.
pub fn decide_booked(record: &Record, others: &[Other]) -> Option<Hold> {
    let kind = record.treatment().document()?;
    let source = record.source_id.as_deref();
    let is_whole_or_part = |other: &Other| {
        other.has_document && [record.id.as_str(), other.record.as_str()].contains(&source.unwrap_or_default())
    };
    let is_other_type = |other: &Other| {
        other.type_name != record.type_name && (other.has_document || other.type_name < record.type_name)
    };
    let stands = |other: &&Other| {
        let is_same_purchase = kind == DocumentKind::Invoice && (is_whole_or_part(other) || is_other_type(other));
        other.record != record.id && (other.is_of_another_connection || is_same_purchase)
    };
    let other = others.iter().filter(stands).min_by_key(|other| (!other.has_document, &other.record))?;
    let source = record.source_id.as_deref().unwrap_or_default();
    let text = format!("the expense {source} is booked by its record {} of type {}", other.record, other.type_name);
    Some(Hold::new(HoldCode::ExpenseBooked, text))
}
