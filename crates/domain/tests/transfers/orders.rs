//! Whether an open invoice may be paid: each thing that stands against it, and the limits of a day.

use std::collections::BTreeSet;

use domain::directory::{Blocked, Vendor};
use domain::money::Currency;
use domain::transfer::{
    Case, Confidence, Limits, Match, Movement, Part, Payable, PayableKind, Payment, Refusal, Transfer, Way, Why,
    check_limits, decide_payment, dollars, numbers_in, order_key, order_memo,
};
use jiff::civil::date;
use proptest::prelude::*;
use uuid::Uuid;

use crate::world::{invoice, transfer, vendor};

/// Everything that a case borrows; as it stands, nothing speaks against paying.
struct Stand {
    payables: Vec<Payable>,
    record: Option<(&'static str, &'static str)>,
    vendor: Option<Vendor>,
    links: Vec<String>,
    ways: Option<Vec<Way>>,
    chosen: Option<String>,
    transfers: Vec<Transfer>,
    matches: Vec<Match>,
    lines: Vec<String>,
    elsewhere: BTreeSet<String>,
    despite: BTreeSet<String>,
}

fn way(instrument: &str) -> Way {
    Way { instrument: instrument.to_owned(), rail: "ACH".to_owned() }
}

impl Stand {
    fn clear() -> Self {
        Self {
            payables: vec![invoice("p1", vendor(1), "INV-7001", 120_000, date(2026, 6, 1))],
            record: None,
            vendor: Some(Vendor {
                id: vendor(1),
                number: "V1".to_owned(),
                name: "Beans".to_owned(),
                email: String::new(),
                blocked: Blocked::No,
                city: String::new(),
                country: String::new(),
                website: String::new(),
            }),
            links: vec!["pdcont_1".to_owned()],
            ways: Some(vec![way("pdinstl_1")]),
            chosen: None,
            transfers: Vec::new(),
            matches: Vec::new(),
            lines: Vec::new(),
            elsewhere: BTreeSet::new(),
            despite: BTreeSet::new(),
        }
    }

    fn judged(&self) -> Result<Payment, Vec<Refusal>> {
        decide_payment(&Case {
            payable: &self.payables[0],
            payables: &self.payables,
            record: self.record,
            vendor: self.vendor.as_ref(),
            links: &self.links,
            ways: self.ways.as_deref(),
            chosen: self.chosen.as_deref(),
            transfers: &self.transfers,
            matches: &self.matches,
            lines: &self.lines,
            elsewhere: &self.elsewhere,
            days_before: 7,
            despite: &self.despite,
        })
    }
}

/// What stands against paying after a change, by code.
fn against(change: impl FnOnce(&mut Stand)) -> Vec<&'static str> {
    let mut stand = Stand::clear();
    change(&mut stand);
    stand.judged().err().unwrap_or_default().iter().map(Refusal::code).collect()
}

#[test]
fn an_open_invoice_of_a_linked_vendor_is_paid_in_full() {
    let paid = Stand::clear().judged().unwrap();
    assert_eq!(paid, Payment { brex_vendor: "pdcont_1".to_owned(), way: way("pdinstl_1"), cents: 120_000 });
}

#[test]
fn each_thing_that_stands_against_it_has_its_code() {
    let nothing: Vec<&str> = Vec::new();
    assert_eq!(against(|_| {}), nothing);
    assert_eq!(against(|s| s.payables[0].kind = PayableKind::CreditMemo), ["not_an_invoice"]);
    assert_eq!(against(|s| s.payables[0].remaining = 0), ["not_open"]);
    assert_eq!(against(|s| s.payables[0].remaining = -5), ["not_open"]);
    assert_eq!(against(|s| s.payables[0].is_certain = false), ["remaining_uncertain"]);
    assert_eq!(against(|s| s.payables[0].currency = Currency::new("EUR").unwrap()), ["other_currency"]);
    assert_eq!(against(|s| s.payables.push(Payable { id: "p2".to_owned(), ..s.payables[0].clone() })), ["twin"]);
    assert_eq!(against(|s| s.record = Some(("accr_1", "BILL"))), ["paid_by_brex"]);
    assert_eq!(against(|s| s.payables[0].numbers.insert(0, "BRX-AAAABBBBCCCCDDDD".to_owned())), ["paid_by_brex"]);
    assert_eq!(against(|s| s.vendor = None), ["vendor_unknown"]);
    for blocked in [Blocked::Payment, Blocked::All] {
        assert_eq!(against(|s| s.vendor.as_mut().unwrap().blocked = blocked), ["vendor_blocked"]);
    }
    assert_eq!(against(|s| s.links.clear()), ["vendor_not_linked"]);
    assert_eq!(against(|s| s.links.push("pdcont_2".to_owned())), ["several_links"]);
    assert_eq!(against(|s| s.ways = None), ["payee_gone"]);
    assert_eq!(against(|s| s.ways = Some(Vec::new())), ["no_instrument"]);
    assert_eq!(against(|s| s.ways.as_mut().unwrap().push(way("pdinstl_2"))), ["several_instruments"]);
    assert_eq!(against(|s| s.chosen = Some("pdinstl_9".to_owned())), ["unknown_instrument"]);
    assert_eq!(against(|s| s.lines.push("DPTX_1".to_owned())), ["prepared_in_bc"]);
    let both = against(|s| {
        s.links.clear();
        s.payables[0].remaining = 0;
    });
    assert_eq!(both, ["not_open", "vendor_not_linked"], "all of it is said at once");
    let chosen = |s: &mut Stand| {
        s.ways.as_mut().unwrap().push(way("pdinstl_2"));
        s.chosen = Some("pdinstl_2".to_owned());
    };
    assert_eq!(against(chosen), nothing);
    let part = |s: &mut Stand| s.payables.push(Payable { id: "p2".to_owned(), total: 5, ..s.payables[0].clone() });
    assert_eq!(against(part), nothing, "a supplier may use a number again for another amount");
}

#[test]
fn a_transfer_that_may_pay_it_already_stands_against_it() {
    let nothing: Vec<&str> = Vec::new();
    let found = |memo: &str, change: &dyn Fn(&mut Transfer)| {
        let mut earlier = transfer("dptx_1", vendor(1), 120_000, date(2026, 6, 20), memo);
        change(&mut earlier);
        against(|s| s.transfers.push(earlier))
    };
    assert_eq!(found("INV-7001", &|_| {}), ["earlier_transfer"]);
    assert_eq!(found("inv 7001", &|t| t.amount = 5), ["earlier_transfer"], "a part of it");
    assert_eq!(found("INV-7001", &|t| t.movement = Movement::UnderWay), ["earlier_transfer"]);
    assert_eq!(found("INV-7001", &|t| t.vendors = Vec::new()), ["earlier_transfer"], "nobody knows the payee");
    assert_eq!(found("thanks", &|_| {}), ["earlier_transfer"], "the same amount, for nobody knows what");
    assert_eq!(found("thanks", &|t| t.movement = Movement::UnderWay), ["earlier_transfer"]);
    for movement in [Movement::Failed, Movement::Returned, Movement::Incoming] {
        assert_eq!(found("INV-7001", &|t| t.movement = movement), nothing);
    }
    assert_eq!(found("INV-7001", &|t| t.vendors = vec![vendor(2)]), nothing, "another vendor's number");
    assert_eq!(found("thanks", &|t| t.amount = 119_999), nothing);
    assert_eq!(found("thanks", &|t| t.date = date(2026, 5, 25)), ["earlier_transfer"], "a few days before the invoice");
    assert_eq!(found("thanks", &|t| t.date = date(2026, 5, 24)), nothing, "long before the invoice");
    assert_eq!(found("thanks", &|t| t.currency = Currency::new("EUR").unwrap()), nothing);

    let matched = |payable: &str| Match {
        transfer: "dptx_1".to_owned(),
        parts: vec![Part { payable: payable.to_owned(), amount: 5 }],
        confidence: Confidence::Low,
        why: vec![Why::OnlyOne],
        fee: 0,
    };
    let with = |payable: &str, despite: bool| {
        against(|s| {
            s.transfers.push(transfer("dptx_1", vendor(1), 120_000, date(2026, 6, 20), "thanks"));
            s.matches.push(matched(payable));
            if despite {
                s.despite.insert("dptx_1".to_owned());
            }
        })
    };
    assert_eq!(with("p1", false), ["earlier_transfer"], "a hint is enough");
    assert_eq!(with("p1", true), nothing, "a person knows better");
    assert_eq!(with("p9", false), nothing, "it pays something else");
}

#[test]
fn one_of_two_equal_invoices_is_not_taken_for_the_other() {
    let other = |stand: &mut Stand, memo: &str| {
        stand.payables.push(invoice("p2", vendor(1), "INV-7002", 120_000, date(2026, 6, 1)));
        let mut first = transfer("dptx_1", vendor(1), 120_000, date(2026, 6, 20), memo);
        first.movement = Movement::UnderWay;
        stand.transfers.push(first);
    };
    assert!(against(|s| other(s, "INV-7002 ABCDEF")).is_empty(), "its memo names the other one");
    assert_eq!(against(|s| other(s, "thanks")), ["earlier_transfer"]);
    let known = against(|s| {
        other(s, "thanks");
        s.elsewhere.insert("dptx_1".to_owned());
    });
    assert!(known.is_empty(), "it was ordered for the other one");
}

#[test]
fn a_key_belongs_to_one_order_of_one_invoice() {
    let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let keys: BTreeSet<Uuid> = [order_key(a, 0), order_key(a, 1), order_key(b, 0), order_key(b, 1)].into();
    assert_eq!(keys.len(), 4);
    assert_eq!(order_key(a, 0), order_key(a, 0));
    assert_eq!(order_key(a, 0).to_string(), "8b08830d-d287-5439-aea8-68c3ed8e3fd6", "stored keys never change");
}

proptest! {
    #[test]
    fn a_memo_fits_its_rail_and_names_no_number_but_the_invoices(
        number in ".{0,40}", seed: u128, is_cheque: bool,
    ) {
        let (rail, most) = if is_cheque { ("CHEQUE", 40) } else { ("ACH", 90) };
        let key = order_key(Uuid::from_u128(seed), 0);
        let memo = order_memo(&number, rail, key);
        prop_assert!(memo.is_ascii() && memo.len() <= most);
        let mark = memo.rsplit(' ').next().unwrap();
        prop_assert!(mark.len() == 6 && mark.bytes().all(|b| b.is_ascii_uppercase()));
        let other = order_memo(&number, rail, order_key(Uuid::from_u128(seed), 1));
        prop_assert_ne!(&memo, &other);
        let named = numbers_in(&format!("INV-7001 {mark}"), |key| key == "INV7001");
        prop_assert!(named.known == ["INV7001"] && !named.has_unknown);
    }

    /// Whatever is ordered one after the other, what was taken never exceeds either limit.
    #[test]
    fn what_is_ordered_on_one_day_stays_within_the_limits(
        asked in prop::collection::vec((0_u128..3, 1_i64..60_000), 0..30),
        daily in 1_i64..200_000, vendor_daily in 1_i64..100_000,
    ) {
        let limits = Limits { daily, vendor_daily };
        let mut taken: Vec<(Uuid, i64)> = Vec::new();
        for (vendor, cents) in asked {
            let vendor = Uuid::from_u128(vendor);
            if check_limits(&limits, &taken, vendor, cents).is_ok() {
                taken.push((vendor, cents));
            }
            let of_vendor: i64 = taken.iter().filter(|(other, _)| *other == vendor).map(|(_, cents)| cents).sum();
            prop_assert!(taken.iter().map(|(_, cents)| cents).sum::<i64>() <= daily);
            prop_assert!(of_vendor <= vendor_daily);
        }
    }
}

#[test]
fn a_limit_is_told_with_the_setting_that_sets_it() {
    let limits = Limits { daily: 100_000, vendor_daily: 60_000 };
    let vendor = Uuid::from_u128(1);
    let text = |today: &[(Uuid, i64)], cents| check_limits(&limits, today, vendor, cents).unwrap_err().to_string();
    assert_eq!(
        text(&[(vendor, 1)], 60_000),
        "what is paid to this vendor would be 600.01 USD today, and 600.00 USD is the most (vendor_daily_most)"
    );
    assert_eq!(
        text(&[(Uuid::from_u128(2), 90_000)], 10_001),
        "what is paid would be 1000.01 USD today, and 1000.00 USD is the most (daily_most)"
    );
    assert_eq!(dollars(-5), "-0.05 USD");
}

#[test]
fn each_refusal_is_in_the_handbook() {
    let text = String::new;
    let all = [
        Refusal::NotAnInvoice,
        Refusal::NotOpen,
        Refusal::RemainingUncertain,
        Refusal::OtherCurrency(Currency::usd()),
        Refusal::PaidByBrex(text(), text()),
        Refusal::Twin,
        Refusal::VendorUnknown,
        Refusal::VendorBlocked(text()),
        Refusal::VendorNotLinked(text()),
        Refusal::SeveralLinks(text()),
        Refusal::PayeeGone(text()),
        Refusal::NoInstrument(text()),
        Refusal::SeveralInstruments(text()),
        Refusal::UnknownInstrument(text()),
        Refusal::EarlierTransfer(text(), ""),
        Refusal::PreparedInBc(text()),
        Refusal::Ordered(1, ""),
        Refusal::Balance { available: text(), needed: text() },
        Refusal::Limit { what: "", sum: text(), most: text(), setting: "" },
    ];
    let page = include_str!("../../../../docs/transfers.md");
    for refusal in all {
        assert!(page.contains(&format!("`{}`", refusal.code())), "{} is not explained", refusal.code());
    }
}
