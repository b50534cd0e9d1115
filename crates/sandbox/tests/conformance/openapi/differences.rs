//! Where the sandbox differs from Brex's OpenAPI files on purpose, and which section of the reference says so.

use std::collections::BTreeSet;

/// What the checker says, and the section of the reference that makes it right.
type Difference = (&'static str, &'static str);

/// What is found in answers.
const ANSWERS: &[Difference] = &[
    ("AccountingRecordDetailed.billing_amount is not described", "2.4 observed"),
    ("AccountingRecordDetailed.status is not described", "2.4 observed"),
    ("AccountingRecordDetailed.type is \"CARD_EXPENSE_DISPUTE\", which is not in the enum", "7.5 new constants"),
    ("AccountingRecordLineItem.amortization is not described", "2.4 observed"),
    ("AccountingRecordLineItem.billing_amount is not described", "2.4 observed"),
    ("AccountingFieldValue.brex_field_value_id is null", "2.4 observed"),
    ("AccountingFieldValue.field_name is not described", "2.4 observed"),
    ("AccountingFieldValue.field_value_name is not described", "2.4 observed"),
    ("AccountingFieldValue.type is not described", "2.4 observed"),
    ("User.account_id is not described", "2.4 observed"),
    ("Integration.id is not described", "2.1 every example calls it id"),
    ("Integration.integration_id is missing", "2.1 every example calls it id"),
    ("ExpandableExpense.dashboard_url is not described", "5.2 newer than the file"),
    ("Transfer.is_ppro_enabled is not described", "4.2 newer than the file"),
    ("WebhookSubscription.group_id is not described", "6 group_id is newer than the file"),
];

/// What is left when the differences on purpose are taken out.
pub(crate) fn unexpected(wrong: BTreeSet<String>) -> Vec<String> {
    wrong.into_iter().filter(|wrong| !ANSWERS.iter().any(|(known, _)| known == wrong)).collect()
}

/// The differences that start with one of these names and were not seen: they are no differences.
pub(crate) fn never_seen(seen: &BTreeSet<String>, names: &[&str]) -> Vec<&'static str> {
    let of_names = ANSWERS.iter().filter(|(known, _)| names.iter().any(|name| known.starts_with(&format!("{name}."))));
    of_names.map(|&(known, _)| known).filter(|known| !seen.contains(*known)).collect()
}
