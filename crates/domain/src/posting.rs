//! Whether a document is posted, as far as its status tells.

use crate::document::{DocumentKind, FoundDocument};

/// What is known about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posted {
    /// It is a draft.
    No,
    /// It is posted.
    Yes,
    /// A released draft of a credit memo shows the status of a posted one (business-central.md §5.6), and a newer version may
    /// know other words. The post action tells: it works on drafts only.
    Unsure,
}

/// What status and number say; `draft_number` is the number that the document had as a draft. Posting gives it another one,
/// unless both come from one series (§5.4).
pub fn decide_posted(found: &FoundDocument, draft_number: Option<&str>) -> Posted {
    let is_renumbered = draft_number.is_some_and(|number| number != found.number);
    match (found.kind, found.status.as_str()) {
        (_, "Draft" | "In Review") => Posted::No,
        (DocumentKind::CreditMemo, "Open") if !is_renumbered => Posted::Unsure,
        (_, "Open" | "Paid" | "Canceled" | "Corrective") => Posted::Yes,
        _ => Posted::Unsure,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rust_decimal::Decimal;
    use uuid::Uuid;

    use super::*;

    fn found(kind: DocumentKind, status: &str) -> FoundDocument {
        FoundDocument {
            kind,
            id: Uuid::from_u128(1),
            number: "1001".to_owned(),
            vendor_document_number: String::new(),
            vendor_number: String::new(),
            posting_date: None,
            document_date: None,
            due_date: None,
            currency: String::new(),
            total: Decimal::ZERO,
            tax: Decimal::ZERO,
            prices_include_tax: false,
            applies_to: None,
            status: status.to_owned(),
            dimensions: BTreeMap::new(),
            lines: Vec::new(),
        }
    }

    #[test]
    fn an_invoice_that_is_no_draft_is_posted_and_a_released_credit_memo_may_be_either() {
        use DocumentKind::{CreditMemo, Invoice};
        let cases = [
            (Invoice, "Draft", "1001", Posted::No),
            (Invoice, "Open", "1001", Posted::Yes),
            (Invoice, "Paid", "77", Posted::Yes),
            (Invoice, "", "1001", Posted::Unsure),
            (CreditMemo, "In Review", "1001", Posted::No),
            (CreditMemo, "Open", "1001", Posted::Unsure),
            (CreditMemo, "Open", "77", Posted::Yes),
            (CreditMemo, "Canceled", "1001", Posted::Yes),
        ];
        for (kind, status, draft, expected) in cases {
            assert_eq!(decide_posted(&found(kind, status), Some(draft)), expected, "{kind:?} {status} {draft}");
        }
    }
}
