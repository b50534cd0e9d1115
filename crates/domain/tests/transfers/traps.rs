//! Traps, each with what must come out.

use domain::transfer::{
    Books, Confidence, LedgerPayment, Match, Movement, Outcome, Part, Payable, PayableKind, Reason, Said, Settings,
    Standing, Transfer, Verdict, Why, reconcile,
};
use jiff::civil::date;

use crate::world::{invoice, transfer, usd, vendor};

fn run(transfers: &[Transfer], payables: &[Payable]) -> Outcome {
    let books = Books { transfers: transfers.to_vec(), payables: payables.to_vec(), payments: Vec::new() };
    reconcile(&books, &Said::default(), &Settings::default())
}

fn pay(id: &str, amount: i64, memo: &str) -> Transfer {
    transfer(id, vendor(1), amount, date(2026, 6, 20), memo)
}

fn owe(id: &str, number: &str, total: i64) -> Payable {
    invoice(id, vendor(1), number, total, date(2026, 6, 1))
}

fn credit(id: &str, number: &str, total: i64) -> Payable {
    Payable { kind: PayableKind::CreditMemo, ..owe(id, number, total) }
}

fn parts(outcome: &Outcome, id: &str) -> Vec<(String, i64)> {
    let found = outcome.matches.iter().find(|found| found.transfer == id);
    found.map(|found| found.parts.iter().map(|p| (p.payable.clone(), p.amount)).collect()).unwrap_or_default()
}

fn standing<'a>(all: &'a [Standing], id: &str) -> &'a Standing {
    all.iter().find(|standing| standing.id == id).unwrap()
}

fn reason(outcome: &Outcome, id: &str) -> Option<Reason> {
    standing(&outcome.transfers, id).reason
}

#[test]
fn the_number_in_the_memo_decides_between_invoices_of_one_amount() {
    let outcome = run(&[pay("t", 500, "INV-7002")], &[owe("a", "INV-7001", 500), owe("b", "INV-7002", 500)]);
    assert_eq!(parts(&outcome, "t"), [("b".to_owned(), 500)]);
    assert_eq!(outcome.matches[0].why, [Why::NumberNamed, Why::AmountExact]);
}

#[test]
fn without_a_number_invoices_of_one_amount_stay_open() {
    let outcome = run(&[pay("t", 500, "Payment")], &[owe("a", "INV-7001", 500), owe("b", "INV-7002", 500)]);
    assert!(outcome.matches.is_empty() && outcome.suggestions.is_empty());
    assert_eq!(reason(&outcome, "t"), Some(Reason::SeveralDocuments));
    assert_eq!(standing(&outcome.payables, "a").reason, Some(Reason::SeveralDocuments));
}

#[test]
fn two_transfers_for_one_invoice_stay_open_both() {
    let outcome = run(&[pay("t", 500, "Payment"), pay("u", 500, "Payment")], &[owe("a", "INV-7001", 500)]);
    assert!(outcome.matches.is_empty());
    assert_eq!([reason(&outcome, "t"), reason(&outcome, "u")], [Some(Reason::SeveralTransfers); 2]);
}

#[test]
fn another_vendors_number_is_never_followed_and_stops_guessing() {
    let other = invoice("b", vendor(2), "INV-7002", 500, date(2026, 6, 1));
    let outcome = run(&[pay("t", 500, "INV-7002")], &[owe("a", "INV-7001", 500), other]);
    assert!(outcome.matches.is_empty() && outcome.suggestions.is_empty());
    assert_eq!(reason(&outcome, "t"), Some(Reason::OtherVendorsNumber));
}

#[test]
fn the_same_number_at_two_vendors_is_the_payees() {
    let other = invoice("b", vendor(2), "INV-7001", 500, date(2026, 6, 1));
    let outcome = run(&[pay("t", 500, "INV-7001")], &[owe("a", "INV-7001", 500), other]);
    assert_eq!(parts(&outcome, "t"), [("a".to_owned(), 500)]);
}

#[test]
fn without_a_link_a_number_is_only_a_suggestion() {
    let unlinked = Transfer { vendors: Vec::new(), ..pay("t", 500, "INV-7001") };
    let outcome = run(&[unlinked], &[owe("a", "INV-7001", 500)]);
    assert!(outcome.matches.is_empty());
    let found = &outcome.suggestions[0];
    assert_eq!((found.confidence, found.why.last()), (Confidence::Medium, Some(&Why::VendorNotLinked)));
    assert_eq!(reason(&outcome, "t"), Some(Reason::ToConfirm));
    assert_eq!(standing(&outcome.payables, "a").reason, Some(Reason::ToConfirm));
}

#[test]
fn an_invoice_that_is_named_and_paid_twice_is_told() {
    let later = Transfer { date: date(2026, 6, 22), ..pay("a_later", 500, "INV-7001") };
    let outcome = run(&[later, pay("t", 500, "INV-7001")], &[owe("a", "INV-7001", 500)]);
    assert_eq!(parts(&outcome, "t"), [("a".to_owned(), 500)]);
    assert_eq!(reason(&outcome, "a_later"), Some(Reason::AlreadyPaid));
}

#[test]
fn an_invoice_that_something_else_closed_is_not_matched_by_itself() {
    let closed = Payable { remaining: 0, ..owe("a", "INV-7001", 500) };
    let outcome = run(&[pay("t", 500, "INV-7001")], std::slice::from_ref(&closed));
    assert!(outcome.matches.is_empty());
    assert!(outcome.suggestions[0].why.contains(&Why::ClosedOtherwise));
    let payment = LedgerPayment {
        id: "9".to_owned(),
        vendor: vendor(1),
        amount: 500,
        currency: usd(),
        date: date(2026, 6, 21),
        texts: vec!["T".to_owned()],
        is_open: false,
    };
    let books = Books { transfers: vec![pay("t", 500, "INV-7001")], payables: vec![closed], payments: vec![payment] };
    let outcome = reconcile(&books, &Said::default(), &Settings::default());
    assert_eq!(parts(&outcome, "t"), [("a".to_owned(), 500)]);
    assert_eq!(standing(&outcome.transfers, "t").booked_as.as_deref(), Some("9"));
    assert!(outcome.payments_left.is_empty());
}

#[test]
fn credit_memos_are_deducted_named_or_not() {
    let owed = [owe("a", "INV-7001", 1_000), credit("c", "CM-9001", 200), credit("d", "CM-9002", 30)];
    for memo in ["INV-7001", "INV-7001 CM-9001"] {
        let outcome = run(&[pay("t", 800, memo)], &owed);
        assert_eq!(parts(&outcome, "t"), [("a".to_owned(), 1_000), ("c".to_owned(), -200)], "{memo}");
        assert!(outcome.matches[0].why.contains(&Why::CreditMemoNetted));
    }
}

#[test]
fn part_payments_add_up_and_never_exceed() {
    let transfers = [pay("t", 400, "INV-7001"), pay("u", 600, "INV-7001"), pay("v", 1, "INV-7001")];
    let outcome = run(&transfers, &[owe("a", "INV-7001", 1_000)]);
    assert_eq!(parts(&outcome, "t"), [("a".to_owned(), 400)]);
    assert_eq!(parts(&outcome, "u"), [("a".to_owned(), 600)]);
    assert_eq!(reason(&outcome, "v"), Some(Reason::AlreadyPaid));
    assert_eq!(standing(&outcome.payables, "a").verdict, Verdict::Matched);
    let outcome = run(&transfers[..1], &[owe("a", "INV-7001", 1_000)]);
    let left = standing(&outcome.payables, "a");
    assert_eq!((left.verdict, left.left, left.reason), (Verdict::Partly, 600, Some(Reason::PartPaid)));
}

#[test]
fn part_payments_without_a_number_need_the_only_open_invoice() {
    let transfers = [pay("t", 400, "Payment"), pay("u", 600, "Payment")];
    let outcome = run(&transfers, &[owe("a", "INV-7001", 1_000)]);
    assert_eq!(outcome.matches.len(), 2);
    let outcome = run(&transfers, &[owe("a", "INV-7001", 1_000), owe("b", "INV-7002", 333)]);
    assert!(outcome.matches.is_empty());
    assert_eq!(outcome.suggestions.len(), 2);
    let outcome = run(&transfers[..1], &[owe("a", "INV-7001", 1_000)]);
    assert_eq!((outcome.matches.len(), outcome.suggestions[0].confidence), (0, Confidence::Low));
}

#[test]
fn a_fee_is_told_apart_and_a_larger_difference_is_not_a_fee() {
    let settled = |amount| Transfer { settled: Some(amount), ..pay("t", 50_000, "INV-7001") };
    let outcome = run(&[settled(51_500)], &[owe("a", "INV-7001", 50_000)]);
    assert_eq!((outcome.matches[0].fee, outcome.matches[0].amount()), (1_500, 50_000));
    for amount in [60_000, 49_999] {
        let outcome = run(&[settled(amount)], &[owe("a", "INV-7001", 50_000)]);
        assert!(outcome.matches.is_empty(), "{amount}");
        assert!(outcome.suggestions[0].why.contains(&Why::SettledDiffers));
    }
}

#[test]
fn a_number_that_nobody_knows_stops_guessing() {
    let outcome = run(&[pay("t", 500, "RENT-2026-07")], &[owe("a", "RENT-2026-06", 500)]);
    assert!(outcome.matches.is_empty());
    assert!(outcome.suggestions[0].why.contains(&Why::UnknownNumber));
}

#[test]
fn an_amount_that_is_also_a_sum_of_others_stays_open() {
    let owed = [owe("a", "INV-7001", 300), owe("b", "INV-7002", 100), owe("c", "INV-7003", 200)];
    let outcome = run(&[pay("t", 300, "Payment")], &owed);
    assert!(outcome.matches.is_empty());
    assert!(outcome.suggestions[0].why.contains(&Why::OthersFit));
}

#[test]
fn nothing_is_matched_across_currencies_or_for_money_that_did_not_go_out() {
    let euro = Payable { currency: domain::money::Currency::new("EUR").unwrap(), ..owe("a", "INV-7001", 500) };
    let outcome = run(&[pay("t", 500, "INV-7001")], &[euro]);
    assert!(outcome.matches.is_empty() && outcome.suggestions.is_empty());
    for (movement, why) in [
        (Movement::Incoming, Reason::Incoming),
        (Movement::Returned, Reason::Returned),
        (Movement::Failed, Reason::Failed),
        (Movement::UnderWay, Reason::UnderWay),
    ] {
        let outcome = run(&[Transfer { movement, ..pay("t", 500, "INV-7001") }], &[owe("a", "INV-7001", 500)]);
        assert!(outcome.matches.is_empty());
        assert_eq!(reason(&outcome, "t"), Some(why));
        assert_eq!(standing(&outcome.payables, "a").reason, Some(Reason::NoTransfer));
    }
}

#[test]
fn what_is_left_is_taken_only_if_it_is_known_to_the_cent() {
    let unsure = Payable { is_certain: false, ..owe("a", "INV-7001", 500) };
    let outcome = run(&[pay("t", 500, "INV-7001")], &[unsure]);
    assert!(outcome.matches.is_empty());
    assert!(outcome.suggestions[0].why.contains(&Why::RemainingUncertain));
}

#[test]
fn a_return_frees_what_a_match_had_taken() {
    let said = Said {
        matches: vec![Match {
            transfer: "t".to_owned(),
            parts: vec![Part { payable: "a".to_owned(), amount: 500 }],
            confidence: Confidence::High,
            why: vec![Why::SaidByHand],
            fee: 0,
        }],
        ..Said::default()
    };
    let returned = Transfer { movement: Movement::Returned, ..pay("t", 500, "INV-7001") };
    let books = Books { transfers: vec![returned], payables: vec![owe("a", "INV-7001", 500)], payments: Vec::new() };
    let outcome = reconcile(&books, &said, &Settings::default());
    assert!(outcome.matches.is_empty());
    assert_eq!((standing(&outcome.payables, "a").left, reason(&outcome, "t")), (500, Some(Reason::Returned)));
}

#[test]
fn what_a_person_took_apart_is_not_put_together_again() {
    let books = Books {
        transfers: vec![pay("t", 500, "INV-7001")],
        payables: vec![owe("a", "INV-7001", 500)],
        payments: Vec::new(),
    };
    let rejected = Said { rejected: [("t".to_owned(), "a".to_owned())].into(), ..Said::default() };
    let outcome = reconcile(&books, &rejected, &Settings::default());
    assert!(outcome.matches.is_empty() && outcome.suggestions.is_empty());
    assert_eq!(reason(&outcome, "t"), Some(Reason::Rejected));
}

#[test]
fn a_search_that_is_too_large_says_so() {
    let owed: Vec<Payable> =
        (0..30).map(|n| owe(&format!("p{n}"), &format!("INV-8{n:03}"), 10_000 + 2 * i64::from(n))).collect();
    let outcome = run(&[pay("t", 60_001, "Payment")], &owed);
    assert_eq!(reason(&outcome, "t"), Some(Reason::SearchExhausted));
}
