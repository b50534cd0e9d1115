//! What happened to transfers, to those that were ordered, and to the payment lines that book them, in words.

use domain::audit::Entry;
use serde_json::Value;

use super::shown;

/// What happened to a transfer, to one that was ordered, or to a payment line.
pub(super) fn sentence(entry: &Entry, detail: &Value) -> Option<String> {
    let text = |key: &str| shown(&detail[key]);
    if entry.subject.starts_with("transfer_order ") {
        return of_order(entry, detail);
    }
    if entry.action.starts_with("payment_line_") {
        return of_payment_line(entry, detail);
    }
    Some(match entry.action.as_str() {
        "transfer_imported" => format!("{} in Brex", entry.after.as_deref().unwrap_or_default()),
        "transfer_status" => {
            let (before, after) = (entry.before.as_deref(), entry.after.as_deref());
            format!("{} in Brex, before {}", after.unwrap_or_default(), before.unwrap_or_default())
        }
        "transfer_returned" => format!("came back with the transfer {}", text("by")),
        "transfer_matched" => format!("matched with {} ({}: {})", text("documents"), text("confidence"), text("why")),
        "transfer_match_gone" => format!("the match with {} no longer holds", text("documents")),
        "transfer_matched_by_hand" => format!("matched by hand with {}: {}", text("documents"), text("reason")),
        "transfer_unmatched_by_hand" => format!("taken apart from {}: {}", text("documents"), text("reason")),
        "transfer_suggestion_rejected" => format!("said not to pay {}: {}", text("documents"), text("reason")),
        _ => return None,
    })
}

/// What happened to a transfer that was ordered.
fn of_order(entry: &Entry, detail: &Value) -> Option<String> {
    let text = |key: &str| shown(&detail[key]);
    let error = || shown(&detail["more"]["error"]);
    Some(match entry.action.as_str() {
        "transfer_ordered" => {
            let dollars = domain::transfer::dollars(detail["cents"].as_i64().unwrap_or_default());
            let (invoice, vendor, name) = (text("invoice"), text("vendor"), text("vendor_name"));
            format!("{} ordered to pay {invoice} of {vendor} {name}: {dollars} by {}", entry.actor, text("rail"))
        }
        "transfer_order_approved" => format!("approved by {}", entry.actor),
        "transfer_order_declined" => format!("declined by {}: {}", entry.actor, text("note")),
        "transfer_order_sending" => {
            format!("committed before it is sent (attempt {}, key {})", text("attempts"), text("key"))
        }
        "transfer_order_unclear" => format!("no clear answer ({}); it is looked for before it is sent again", error()),
        "transfer_order_looked_for" => "looked for in Brex: not there (yet)".to_owned(),
        "transfer_order_postponed" => format!("tried again later: {}", error()),
        "transfer_order_created" => format!("Brex made the transfer {}", text("transfer")),
        "transfer_order_adopted" => format!("found in Brex by its memo: the transfer {}", text("transfer")),
        "transfer_order_refused" | "transfer_order_held" => text("note"),
        _ => return None,
    })
}

/// What happened to a vendor payment line in a journal.
fn of_payment_line(entry: &Entry, detail: &Value) -> Option<String> {
    let text = |key: &str| shown(&detail[key]);
    let error = || shown(&detail["more"]["error"]);
    let journal = text("journal");
    Some(match entry.action.as_str() {
        "payment_line_wanted" => format!(
            "a payment line over {} {} to vendor {} is to be prepared in journal {journal}",
            text("amount"),
            text("currency"),
            text("vendor")
        ),
        "payment_line_committed" => format!("payment line committed before it is sent (attempt {})", text("attempt")),
        "payment_line_unclear" => format!("no clear answer ({}); from now on the line is only looked for", error()),
        "payment_line_looked_for" => format!("looked for the payment line in journal {journal}"),
        "payment_line_settled_as_absent" => "no payment line at the end of the settle window: not executed".to_owned(),
        "payment_line_postponed" => format!("payment line tried again later: {}", error()),
        "payment_line_prepared" => format!("payment line stands in journal {journal}, unposted"),
        "payment_line_gone" => format!("payment line is no longer in journal {journal}: posted or deleted there"),
        "payment_line_needless" => "no payment line is needed: the invoice is paid".to_owned(),
        "payment_line_unwanted" => "payment line is no longer wanted".to_owned(),
        "payment_line_removed" => format!("payment line deleted from journal {journal}"),
        "payment_line_again" => "payment line is tried again".to_owned(),
        "payment_line_set_aside" => "payment line set aside for good".to_owned(),
        "payment_line_held" | "payment_line_remark" => text("note"),
        _ => return None,
    })
}
