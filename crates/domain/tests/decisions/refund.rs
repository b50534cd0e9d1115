//! A credit memo is applied to an invoice only if it is certain that it gives back exactly that one.

use domain::document::{FoundDocument, PlannedDocument};
use domain::id::RecordId;
use domain::record::Record;
use domain::refund::{Purchase, decide_link};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::generators::as_created;
use crate::made::{company, refund, simple_card};

fn planned() -> (Record, PlannedDocument) {
    let record = refund("40.00 USD");
    let plan = company().plan(&record).unwrap();
    (record, plan)
}

/// The posted invoice of a purchase of 100 dollars.
fn invoice() -> FoundDocument {
    let plan = company().plan(&simple_card("100.00 USD")).unwrap();
    FoundDocument { status: "Open".to_owned(), ..as_created(&plan) }
}

fn purchase(invoice: Option<FoundDocument>) -> Purchase {
    Purchase { record: RecordId::new("accr_bought"), invoice }
}

fn why(purchases: &[Purchase]) -> String {
    let (record, plan) = planned();
    let (link, why) = decide_link(&record, &plan, purchases, "USD");
    assert_eq!(link, None, "{why}");
    why.strip_prefix("not linked to an invoice: ").unwrap().to_owned()
}

#[test]
fn the_only_posted_invoice_on_the_same_expense_is_linked() {
    let (record, plan) = planned();
    let (link, why) = decide_link(&record, &plan, &[purchase(Some(invoice()))], "USD");
    assert_eq!(link.map(|link| (link.id, link.number)), Some((Uuid::from_u128(0x900), "108001".to_owned())));
    assert_eq!(why, "linked to the posted invoice 108001 of accr_bought, on the same expense");
}

#[test]
fn whatever_is_not_certain_or_cannot_be_applied_to_is_not_linked_and_says_why() {
    let with = |change: fn(&mut FoundDocument)| {
        let mut invoice = invoice();
        change(&mut invoice);
        why(&[purchase(Some(invoice))])
    };
    assert_eq!(why(&[]), "no purchase on the expense expense_1 is known here");
    let twice = [purchase(Some(invoice())), purchase(Some(invoice()))];
    assert_eq!(why(&twice), "2 purchases are on the expense expense_1");
    assert_eq!(why(&[purchase(None)]), "the purchase accr_bought has no invoice");
    let which = "the invoice 108001 of accr_bought";
    assert_eq!(with(|found| found.status = "Draft".to_owned()), format!("{which} is not posted"));
    assert_eq!(with(|found| found.status = "Paid".to_owned()), format!("{which} is paid already"));
    assert_eq!(with(|found| found.status = "Canceled".to_owned()), format!("{which} is cancelled"));
    assert_eq!(with(|found| found.status = "Odd".to_owned()), format!("{which} has the status \"Odd\""));
    assert_eq!(with(|found| found.vendor_number = "V2".to_owned()), format!("{which} is of vendor V2"));
    assert_eq!(with(|found| found.currency = "EUR".to_owned()), format!("{which} is in EUR"));
    assert_eq!(with(|found| found.total = Decimal::new(3999, 2)), format!("{which} comes to less, 39.99"));
    let (record, plan) = planned();
    let nameless = Record { source_id: None, ..record };
    let (link, why) = decide_link(&nameless, &plan, &[purchase(Some(invoice()))], "USD");
    assert_eq!((link, why.as_str()), (None, "not linked to an invoice: Brex names no expense"));
}
