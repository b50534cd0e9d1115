//! The comparison, case by case, and what holds for any two sides.

use jiff::civil::date;
use proptest::prelude::*;

use super::*;

fn money(cents: i64, currency: &str) -> Money {
    Money::new(Decimal::new(cents, 2), Currency::new(currency).expect("currency"))
}

fn purchase(id: &str, day: Date, cents: i64, is_exported: bool) -> Purchase {
    let kind = DocumentKind::Invoice;
    Purchase { record: RecordId::new(id), kind, money: money(cents, "USD"), day, is_exported }
}

fn foreign(id: u128, day: Date, cents: i64) -> Foreign {
    Foreign {
        id: Uuid::from_u128(id),
        number: format!("10800{id}"),
        kind: DocumentKind::Invoice,
        money: money(cents, "USD"),
        document_date: Some(day),
        posting_date: Some(day),
    }
}

fn pairs(purchases: &[Purchase], documents: &[Foreign]) -> Vec<(String, u128)> {
    let found = alike(purchases, documents);
    found.into_iter().map(|found| (found.purchase.record.to_string(), found.document.as_u128())).collect()
}

#[test]
fn amount_currency_kind_and_a_week_decide() {
    let day = date(2026, 3, 10);
    let bought = [purchase("a", day, 4_250, false)];
    let of = |change: fn(&mut Foreign)| {
        let mut document = foreign(1, day, 4_250);
        change(&mut document);
        alike(&bought, &[document]).len()
    };
    assert_eq!(of(|_| ()), 1);
    assert_eq!(of(|document| document.money.amount = Decimal::new(42_500, 3)), 1, "the scale does not matter");
    assert_eq!(of(|document| document.money = money(4_251, "USD")), 0);
    assert_eq!(of(|document| document.money = money(4_250, "EUR")), 0);
    assert_eq!(of(|document| document.kind = DocumentKind::CreditMemo), 0);
    let on = |document_date, posting_date| {
        alike(&bought, &[Foreign { document_date, posting_date, ..foreign(1, day, 4_250) }]).len()
    };
    assert_eq!((on(Some(date(2026, 3, 3)), None), on(Some(date(2026, 3, 2)), None)), (1, 0));
    assert_eq!((on(None, Some(date(2026, 3, 17))), on(None, Some(date(2026, 3, 18)))), (1, 0));
    assert_eq!(on(Some(date(2025, 1, 1)), Some(day)), 1, "one of its dates is enough");
    assert_eq!(on(None, None), 0);
}

#[test]
fn one_document_is_one_record_and_the_exported_one_has_it() {
    let day = date(2026, 3, 10);
    let bought = [purchase("ready", day, 100, false), purchase("exported", date(2026, 3, 9), 100, true)];
    assert_eq!(pairs(&bought, &[foreign(1, day, 100)]), [("exported".to_owned(), 1)]);
    let both = [foreign(1, day, 100), foreign(2, day, 100)];
    assert_eq!(
        pairs(&bought, &both),
        [("ready".to_owned(), 2), ("exported".to_owned(), 1)],
        "what would be taken first"
    );
}

#[test]
fn no_record_goes_without_because_its_neighbour_chose_badly() {
    let bought = [purchase("late", date(2026, 3, 12), 100, false), purchase("early", date(2026, 3, 5), 100, false)];
    let documents = [foreign(1, date(2026, 3, 12), 100), foreign(2, date(2026, 3, 19), 100)];
    assert_eq!(pairs(&bought, &documents), [("early".to_owned(), 1), ("late".to_owned(), 2)]);
}

fn sides() -> impl Strategy<Value = (Vec<Purchase>, Vec<Foreign>)> {
    let day = || (0_i8..28).prop_map(|add| date(2026, 3, 1).saturating_add(i64::from(add).days()));
    let bought = prop::collection::vec((day(), 1_i64..4, any::<bool>()), 0..20);
    let booked = prop::collection::vec((day(), day(), 1_i64..4), 0..20);
    (bought, booked).prop_map(|(bought, booked)| {
        let bought = bought.into_iter().enumerate();
        let documents = (0_u128..).zip(booked).map(|(id, (document, posting, cents))| Foreign {
            posting_date: Some(posting),
            ..foreign(id, document, cents)
        });
        (
            bought.map(|(at, (day, cents, out))| purchase(&at.to_string(), day, cents, out)).collect(),
            documents.collect(),
        )
    })
}

fn fits(purchase: &Purchase, document: &Foreign) -> bool {
    let near = |day: &Date| {
        purchase.day.saturating_sub(WINDOW_DAYS.days()) <= *day
            && *day <= purchase.day.saturating_add(WINDOW_DAYS.days())
    };
    purchase.money == document.money && [document.document_date, document.posting_date].iter().flatten().any(near)
}

proptest! {
    #[test]
    fn pairs_fit_each_side_is_used_once_and_nothing_that_fits_is_left_over((bought, documents) in sides()) {
        let found = pairs(&bought, &documents);
        let records: BTreeSet<&str> = found.iter().map(|(record, _)| record.as_str()).collect();
        let used: BTreeSet<u128> = found.iter().map(|(_, document)| *document).collect();
        prop_assert_eq!((records.len(), used.len()), (found.len(), found.len()));
        for purchase in &bought {
            for document in &documents {
                let is_pair = found.contains(&(purchase.record.to_string(), document.id.as_u128()));
                let is_left = !records.contains(purchase.record.as_str()) && !used.contains(&document.id.as_u128());
                prop_assert!(!is_pair || fits(purchase, document));
                prop_assert!(!is_left || !fits(purchase, document));
            }
        }
        let (mut turned, mut around) = (bought.clone(), documents.clone());
        turned.reverse();
        around.reverse();
        prop_assert_eq!(pairs(&turned, &around), found, "the order of reading does not matter");
    }
}
