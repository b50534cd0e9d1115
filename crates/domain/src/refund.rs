//! Which posted invoice money that comes back belongs to.
//!
//! Nothing in an accounting record names the purchase that a refund gives back: there is no parent and no card transaction in it
//! (brex.md §2.4). Certain is only that two records about the same expense (`source_id`) belong together. Merchant and amount
//! are not: people buy the same thing twice and return one. What is not certain is not linked.

use crate::document::{AppliesTo, FoundDocument, PlannedDocument};
use crate::id::RecordId;
use crate::record::Record;

/// A purchase on the expense of a refund, and its invoice as Business Central holds it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// The record.
    pub record: RecordId,
    /// Its invoice; none if there is none (any more).
    pub invoice: Option<FoundDocument>,
}

/// The invoice that a planned credit memo is applied to, if it is certain and can still be applied to; and why.
pub fn decide_link(
    record: &Record,
    plan: &PlannedDocument,
    purchases: &[Purchase],
    local_currency: &str,
) -> (Option<AppliesTo>, String) {
    match find(record, plan, purchases, local_currency) {
        Ok((purchase, invoice)) => {
            let why = format!("linked to the posted invoice {} of {purchase}, on the same expense", invoice.number);
            (Some(invoice), why)
        }
        Err(why) => (None, format!("not linked to an invoice: {why}")),
    }
}

fn find<'a>(
    record: &Record,
    plan: &PlannedDocument,
    purchases: &'a [Purchase],
    local_currency: &str,
) -> Result<(&'a RecordId, AppliesTo), String> {
    let Some(expense) = &record.source_id else { return Err("Brex names no expense".to_owned()) };
    let purchase = match purchases {
        [] => return Err(format!("no purchase on the expense {expense} is known here")),
        [only] => only,
        several => return Err(format!("{} purchases are on the expense {expense}", several.len())),
    };
    let id = &purchase.record;
    let Some(invoice) = &purchase.invoice else { return Err(format!("the purchase {id} has no invoice")) };
    let which = format!("the invoice {} of {id}", invoice.number);
    // A draft cannot be applied to, and of the posted ones only what is open (business-central.md §5.3, §5.6).
    match invoice.status.as_str() {
        "Open" => {}
        "Draft" => return Err(format!("{which} is not posted")),
        "Paid" => return Err(format!("{which} is paid already")),
        "Canceled" => return Err(format!("{which} is cancelled")),
        other => return Err(format!("{which} has the status {other:?}")),
    }
    let currency = plan.currency.as_deref().unwrap_or(local_currency);
    if !invoice.vendor_number.eq_ignore_ascii_case(&plan.vendor_number) {
        Err(format!("{which} is of vendor {}", invoice.vendor_number))
    } else if !invoice.currency.eq_ignore_ascii_case(currency) {
        Err(format!("{which} is in {}", invoice.currency))
    } else if invoice.total < plan.total {
        Err(format!("{which} comes to less, {}", invoice.total.normalize()))
    } else {
        Ok((id, AppliesTo { id: invoice.id, number: invoice.number.clone() }))
    }
}
