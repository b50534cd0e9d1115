//! A card expense as a record, for connections without Brex's accounting API (docs/expenses-source.md). Pure.
//!
//! An expense is one debit over what was billed, with the coding of its custom fields, and one credit; money back is the other
//! way round. What Brex does not document is told apart by the type, so that nothing is guessed.

use std::collections::BTreeMap;

use clients::brex::{Expense, MinorAmount, Spender};
use domain::document::DocumentKind;
use domain::id::RecordId;
use domain::money::{Currency, InvalidCurrency, Money};
use domain::record::{CodedField, Line, Merchant, Person, Record, Review, Side, Treatment, TypePolicy};
use rust_decimal::Decimal;

use super::wire::{UnreadableRecord, filled};

const CARD: &str = "CARD";

/// The statuses of expenses that are to be booked, and of those that no longer stand.
pub(super) const STATUSES: [&str; 5] = ["APPROVED", "SETTLED", "SPLIT", "VOID", "CANCELED"];

/// The expense as a record.
pub(super) fn record(
    expense: Expense,
    coding: Vec<CodedField>,
    types: &BTreeMap<String, TypePolicy>,
) -> Result<Record, UnreadableRecord> {
    let updated_at = expense.updated_at.ok_or(UnreadableRecord::Missing("updated_at"))?;
    let review = review(&expense);
    let original_amount = expense.original_amount.as_ref().map(money).transpose()?;
    let amount = match &expense.billing_amount {
        Some(billed) => money(billed)?,
        None if review == Review::ReadyForExport => return Err(UnreadableRecord::Missing("billing_amount")),
        // What was not charged has no amount that matters yet.
        None => original_amount.clone().unwrap_or_else(|| Money::new(Decimal::ZERO, Currency::usd())),
    };
    let type_name = type_name(&expense, &amount);
    let source_type = expense.expense_type.unwrap_or_else(|| CARD.to_owned());
    let kind = Treatment::among(types, &type_name, &source_type).document();
    let descriptor = expense.merchant.and_then(|merchant| filled(merchant.raw_descriptor));
    Ok(Record {
        version: updated_at.as_millisecond(),
        type_name,
        policy: None,
        review,
        source_type,
        // A part belongs to its whole, so that not both are booked.
        source_id: Some(expense.parent_expense_id.unwrap_or_else(|| expense.id.clone())),
        lines: lines(&expense.id, kind, &amount, original_amount.as_ref(), coding),
        id: RecordId::new(expense.id),
        amount,
        original_amount,
        posting_at: expense.payment_posted_at.or(expense.purchased_at).unwrap_or(updated_at),
        updated_at,
        due_at: None,
        invoice_number: None,
        memo: filled(expense.memo),
        merchant: descriptor.map(|name| Merchant { id: expense.merchant_id.unwrap_or_default(), name }),
        person: expense.user.as_ref().and_then(person),
        receipts: expense.receipts.into_iter().map(|receipt| receipt.id).collect(),
    })
}

/// Whole minor units; US dollars if nothing else is said (brex.md §5).
fn money(minor: &MinorAmount) -> Result<Money, InvalidCurrency> {
    let currency = minor.currency.as_deref().map_or_else(|| Ok(Currency::usd()), Currency::new)?;
    Ok(Money::new(Decimal::new(minor.amount, currency.decimals()), currency))
}

/// What was booked elsewhere is exported; what is approved and paid is ready; anything else says where it stands.
fn review(expense: &Expense) -> Review {
    if expense.exported_at.is_some() {
        return Review::Exported;
    }
    let status = expense.status.as_deref().unwrap_or("without a status");
    let payment = expense.payment_status.as_deref().unwrap_or("unknown");
    match (status, payment) {
        ("APPROVED" | "SETTLED", "CLEARED" | "REFUNDED") => Review::ReadyForExport,
        ("APPROVED" | "SETTLED", payment) => Review::Other(format!("{status}, its payment {payment},")),
        (status, _) => Review::Other(status.to_owned()),
    }
}

/// The type that an accounting record would have. What no longer stands, and a payment that was refunded without the amount
/// saying that money came back, have types of their own: Brex does not document which expense of the two that means.
fn type_name(expense: &Expense, amount: &Money) -> String {
    let status = expense.status.as_deref().filter(|status| ["VOID", "CANCELED", "SPLIT"].contains(status));
    let payment = expense.payment_status.as_deref();
    let undone = status.or(payment.filter(|payment| ["CANCELED", "DECLINED"].contains(payment)));
    match (expense.expense_type.as_deref().unwrap_or(CARD), undone) {
        (CARD, Some(undone)) => format!("CARD_EXPENSE_{undone}"),
        (CARD, None) if amount.amount.is_sign_negative() => "CARD_EXPENSE_REFUND".to_owned(),
        (CARD, None) if payment == Some("REFUNDED") => "CARD_EXPENSE_REFUNDED".to_owned(),
        (CARD, None) => "CARD_EXPENSE_POST".to_owned(),
        (other, _) => format!("{other}_EXPENSE"),
    }
}

fn lines(
    id: &str,
    kind: Option<DocumentKind>,
    amount: &Money,
    original: Option<&Money>,
    coding: Vec<CodedField>,
) -> Vec<Line> {
    let positive = |money: &Money| Money::new(money.abs(), money.currency.clone());
    let line = |name: &str, side, coding| Line {
        id: format!("{id}/{name}"),
        side,
        amount: positive(amount),
        original_amount: original.map(positive),
        memo: None,
        coding,
    };
    let (spent, card) = match kind {
        Some(DocumentKind::CreditMemo) => (Side::Credit, Side::Debit),
        Some(DocumentKind::Invoice) | None => (Side::Debit, Side::Credit),
    };
    vec![line("expense", spent, coding), line("card", card, Vec::new())]
}

fn person(user: &Spender) -> Option<Person> {
    let name = format!("{} {}", user.first_name.trim(), user.last_name.trim()).trim().to_owned();
    filled(Some(name)).map(|name| Person { name, email: String::new() })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use domain::booked::{Other, decide_booked};
    use serde_json::{Value, json};

    use super::*;
    use crate::choices::Choices;

    fn expense(changes: &Value) -> Value {
        let mut all = json!({
            "id": "expense_1", "memo": "Booth", "updated_at": "2026-06-12T16:20:41.102Z",
            "payment_posted_at": "2026-06-11T09:09:05.840Z", "purchased_at": "2026-06-09T20:00:00Z",
            "merchant_id": "pmch_1", "merchant": { "raw_descriptor": "MESSE BERLIN 0042", "mcc": "7999", "country": "DEU" },
            "expense_type": "CARD", "status": "APPROVED", "payment_status": "CLEARED",
            "billing_amount": { "amount": 24837, "currency": "USD" },
            "original_amount": { "amount": 22997, "currency": "EUR" },
            "user": { "id": "cuuser_7", "first_name": "Dana ", "last_name": "Okafor" },
            "receipts": null,
            "custom_fields": [
                { "key": "GL Account", "value": { "value_type": "SINGLE_VALUE", "data_type": "OPTION_STRING",
                  "data": { "option_id": "efo_1", "option_label": "61300 Advertising" } } },
                { "key": "Project", "value": { "value_type": "LIST", "data_type": "STRING", "data": ["A", "B"] } },
                { "key": "Empty", "value": { "value_type": "SINGLE_VALUE", "data_type": "OPTION_STRING", "data": null } },
            ],
        });
        for (key, value) in changes.as_object().unwrap() {
            all[key] = value.clone();
        }
        all
    }

    fn read(changes: &Value) -> Result<Record, UnreadableRecord> {
        let types = BTreeMap::from([("CARD_EXPENSE_REFUNDED".to_owned(), TypePolicy::CreditMemo)]);
        let expense = Expense::from_json(&expense(changes).to_string())?;
        let coding = Choices::default().coding(&expense.custom_fields);
        record(expense, coding, &types).map(|record| record.under(&types))
    }

    #[test]
    fn an_approved_and_paid_expense_is_a_purchase_coded_by_its_custom_fields() {
        let record = read(&json!({})).unwrap();
        assert!(record.is_ready());
        assert_eq!((record.type_name.as_str(), record.version), ("CARD_EXPENSE_POST", 1_781_281_241_102));
        assert_eq!(record.source_id.as_deref(), Some("expense_1"));
        assert_eq!(record.posting_at.to_string(), "2026-06-11T09:09:05.84Z");
        assert_eq!(record.amount.to_string(), "248.37 USD");
        assert_eq!(record.original_amount.as_ref().unwrap().to_string(), "229.97 EUR");
        assert_eq!(record.merchant.as_ref().unwrap().name, "MESSE BERLIN 0042");
        assert_eq!(record.person.as_ref().unwrap().name, "Dana Okafor");
        let [spent] = record.expense_lines().collect::<Vec<_>>()[..] else { panic!("one line") };
        let shown: Vec<_> = spent.coding.iter().map(|c| (c.field_name.as_deref(), c.value_name.as_deref())).collect();
        assert_eq!(
            shown,
            [
                (Some("GL Account"), Some("61300 Advertising")),
                (Some("Project"), Some("A")),
                (Some("Project"), Some("B"))
            ]
        );
        assert_eq!(record.balancing_lines().count(), 1);
    }

    #[test]
    fn minor_units_follow_the_currency_and_dollars_are_meant_where_none_is_named() {
        for (minor, shown) in [
            (json!({ "amount": 12500, "currency": "JPY" }), "12500 JPY"),
            (json!({ "amount": 1234, "currency": "kwd" }), "1.234 KWD"),
            (json!({ "amount": 700 }), "7.00 USD"),
            (json!({ "amount": 700, "currency": null }), "7.00 USD"),
        ] {
            assert_eq!(read(&json!({ "billing_amount": minor })).unwrap().amount.to_string(), shown);
        }
        let strange = read(&json!({ "billing_amount": { "amount": 1, "currency": "dollars" } })).unwrap_err();
        assert_eq!(strange.to_string(), "\"dollars\" is not a three-letter currency code");
    }

    #[test]
    fn money_back_is_told_by_the_sign_and_an_unclear_refund_by_a_type_of_its_own() {
        for payment in ["CLEARED", "REFUNDED"] {
            let back = json!({ "billing_amount": { "amount": -4000, "currency": "USD" }, "payment_status": payment });
            let record = read(&back).unwrap();
            assert_eq!((record.type_name.as_str(), record.is_ready()), ("CARD_EXPENSE_REFUND", true));
            assert_eq!(record.expense_lines().next().unwrap().amount.to_string(), "40.00 USD");
            assert!(!record.expense_lines().next().unwrap().coding.is_empty());
        }
        assert_eq!(Treatment::of("CARD_EXPENSE_REFUNDED"), Treatment::Unknown, "it is held");
        let told = read(&json!({ "payment_status": "REFUNDED" })).unwrap();
        assert_eq!((told.type_name.as_str(), told.is_ready()), ("CARD_EXPENSE_REFUNDED", true));
        assert_eq!(told.treatment(), Treatment::Spend(DocumentKind::CreditMemo), "the connection says so");
        assert!(!told.expense_lines().next().unwrap().coding.is_empty());
    }

    #[test]
    fn a_part_is_not_booked_beside_its_whole_but_parts_are_beside_each_other() {
        let part = read(&json!({ "parent_expense_id": "expense_whole" })).unwrap();
        let other = |id: &str, has_document| Other {
            record: RecordId::new(id),
            type_name: "CARD_EXPENSE_POST".to_owned(),
            has_document,
            is_of_another_connection: false,
        };
        assert_eq!(decide_booked(&part, &[other("expense_2", true), other("expense_whole", false)]), None);
        let hold = decide_booked(&part, &[other("expense_whole", true)]).unwrap();
        assert_eq!(
            hold.sentence,
            "the expense expense_whole is booked by its record expense_whole of type CARD_EXPENSE_POST"
        );
        // The split was undone after its parts were booked.
        let whole = read(&json!({})).unwrap();
        assert!(decide_booked(&whole, &[other("expense_part", true)]).is_some());
        assert_eq!(decide_booked(&whole, &[other("expense_part", false), other("expense_1", true)]), None);
    }

    #[test]
    fn what_another_connection_booked_is_not_booked_again_whatever_it_is_called_there() {
        let other = Other {
            record: RecordId::new("accr_7"),
            type_name: "CARD_EXPENSE_POST".to_owned(),
            has_document: true,
            is_of_another_connection: true,
        };
        let refund = json!({ "billing_amount": { "amount": -500, "currency": "USD" } });
        for changes in [json!({}), refund] {
            assert!(decide_booked(&read(&changes).unwrap(), std::slice::from_ref(&other)).is_some(), "{changes}");
        }
    }

    #[test]
    fn what_is_not_approved_paid_or_still_standing_is_not_ready() {
        for (changes, type_name, review) in [
            (json!({ "status": "SUBMITTED" }), "CARD_EXPENSE_POST", "SUBMITTED"),
            (json!({ "status": "OUT_OF_POLICY" }), "CARD_EXPENSE_POST", "OUT_OF_POLICY"),
            (json!({ "status": null }), "CARD_EXPENSE_POST", "without a status"),
            (json!({ "payment_status": "PROCESSING" }), "CARD_EXPENSE_POST", "APPROVED, its payment PROCESSING,"),
            (json!({ "status": "SPLIT" }), "CARD_EXPENSE_SPLIT", "SPLIT"),
            (json!({ "status": "VOID" }), "CARD_EXPENSE_VOID", "VOID"),
            (json!({ "payment_status": "DECLINED" }), "CARD_EXPENSE_DECLINED", "APPROVED, its payment DECLINED,"),
            (json!({ "exported_at": "2026-06-13T00:00:00Z" }), "CARD_EXPENSE_POST", "EXPORTED"),
        ] {
            let record = read(&changes).unwrap();
            assert_eq!((record.type_name.as_str(), record.review.as_str()), (type_name, review));
            assert!(!record.is_ready(), "{changes}");
        }
        let early =
            json!({ "status": "DRAFT", "billing_amount": null, "original_amount": null, "payment_posted_at": null });
        assert_eq!(read(&early).unwrap().posting_at.to_string(), "2026-06-09T20:00:00Z");
        assert_eq!(
            read(&json!({ "billing_amount": null })).unwrap_err().to_string(),
            "the expense has no billing_amount"
        );
        assert_eq!(read(&json!({ "updated_at": null })).unwrap_err().to_string(), "the expense has no updated_at");
        assert_eq!(read(&json!({ "id": 5 })).unwrap_err().to_string(), "the expense without an id cannot be read");
    }
}
