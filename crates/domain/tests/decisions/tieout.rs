//! The tie-out: every record is exactly one thing, what does not fit is named, and the bridge between the records and the
//! documents of a period adds up whatever the sides are.

use std::collections::BTreeMap;

use domain::document::DocumentKind;
use domain::hold::HoldCode;
use domain::id::RecordId;
use domain::money::{Currency, Money};
use domain::stage::Stage;
use domain::tieout::{
    BcDocument, BcLine, BrexRecord, End, OurRecord, Period, Reason, Sides, Standing, TieOut, Totals, tie_out,
};
use jiff::civil::{Date, date};
use proptest::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

const JUNE: Period = Period { from: date(2026, 6, 1), to: date(2026, 6, 30) };

fn dollars(cents: i64) -> Money {
    Money::new(Decimal::new(cents, 2), Currency::new("USD").unwrap())
}

fn in_brex(id: &str, day: Date, cents: i64) -> BrexRecord {
    BrexRecord {
        id: RecordId::new(id),
        source: None,
        type_name: "CARD_EXPENSE_POST".to_owned(),
        merchant: None,
        day,
        money: dollars(cents),
        is_spend: true,
        standing: Standing::Exported,
        has_status: true,
    }
}

fn document(record: &str, day: Date, cents: i64) -> BcDocument {
    let dimensions = BTreeMap::from([("DEPARTMENT".to_owned(), "SALES".to_owned())]);
    BcDocument {
        id: Uuid::nil(),
        number: format!("no-{record}"),
        kind: DocumentKind::Invoice,
        status: "Draft".to_owned(),
        vendor: "V1".to_owned(),
        record: RecordId::new(record),
        posting_date: Some(day),
        money: dollars(cents),
        lines: vec![BcLine { account: "64100".to_owned(), money: dollars(cents), dimensions }],
    }
}

#[derive(Debug, Default)]
struct Books(Sides);

impl Books {
    fn brex(mut self, record: BrexRecord) -> Self {
        self.0.brex.insert(record.id.clone(), record);
        self
    }

    fn ours(mut self, id: &str, stage: Stage, hold: Option<HoldCode>) -> Self {
        let id = RecordId::new(id);
        self.0.ours.insert(id.clone(), OurRecord { id, stage, hold });
        self
    }

    fn bc(mut self, document: BcDocument) -> Self {
        self.0.documents.entry(document.record.clone()).or_default().push(document);
        self
    }

    fn tie_out(&self) -> TieOut {
        tie_out(JUNE, &self.0)
    }

    /// The reasons of what is unexplained.
    fn reasons(&self) -> Vec<Reason> {
        self.tie_out().unexplained.iter().map(|found| found.reason).collect()
    }
}

fn exported(id: &str, day: Date, cents: i64) -> Books {
    Books::default().brex(in_brex(id, day, cents)).ours(id, Stage::Exported, None).bc(document(id, day, cents))
}

#[test]
fn a_record_with_its_document_on_the_same_day_ties_out() {
    let books = exported("a", JUNE.from, 1250);
    let tied = books.tie_out();
    assert!(tied.is_closed());
    assert_eq!(tied.items[0].end, End::Document);
    let one = Totals { count: 1, sums: BTreeMap::from([("USD".to_owned(), Decimal::new(1250, 2))]) };
    assert_eq!((&tied.sums.spend, &tied.sums.documents, &tied.sums.posted_inside), (&one, &one, &one));
    assert_eq!(tied.sums.accounts["64100"]["USD"], Decimal::new(1250, 2));
    assert_eq!(tied.sums.dimensions["DEPARTMENT"]["SALES"]["USD"], Decimal::new(1250, 2));
}

#[test]
fn what_waits_is_explained_but_does_not_close_the_period() {
    let ready = BrexRecord { standing: Standing::Ready, ..in_brex("held", JUNE.to, 100) };
    let books = Books::default().brex(ready).ours("held", Stage::Map, Some(HoldCode::VendorNotFound));
    let tied = books.tie_out();
    assert!(tied.holds() && !tied.is_closed());
    assert_eq!(tied.items[0].end, End::Held(HoldCode::VendorNotFound));
    assert_eq!(tied.sums.held["vendor_not_found"].count, 1);
}

#[test]
fn each_thing_that_does_not_fit_has_its_reason() {
    let open = |id: &str| BrexRecord { standing: Standing::Open, ..in_brex(id, JUNE.from, 100) };
    let ready = |id: &str| BrexRecord { standing: Standing::Ready, ..open(id) };
    let books = Books::default;
    let of_june = |id: &str| document(id, JUNE.from, 100);
    let cases = [
        (books().brex(ready("a")), Reason::NeverSeen),
        (books().brex(in_brex("a", JUNE.from, 100)), Reason::ExportedByOthers),
        (books().brex(in_brex("a", JUNE.from, 100)).ours("a", Stage::Waiting, None), Reason::ExportedByOthers),
        (books().brex(open("a")).ours("a", Stage::Exported, None).bc(of_june("a")), Reason::NotExportedInBrex),
        (books().brex(in_brex("a", JUNE.from, 100)).ours("a", Stage::Exported, None), Reason::DocumentMissing),
        (exported("a", JUNE.from, 100).bc(of_june("a")), Reason::SeveralDocuments),
        (books().brex(ready("a")).bc(of_june("a")), Reason::DocumentUnexpected),
        (books().brex(ready("a")).ours("a", Stage::Skipped, None).bc(of_june("a")), Reason::DocumentUnexpected),
        (
            books().brex(in_brex("a", JUNE.from, 101)).ours("a", Stage::Exported, None).bc(of_june("a")),
            Reason::AmountDiffers,
        ),
        (books().ours("a", Stage::Exported, None).bc(of_june("a")), Reason::RecordMissing),
    ];
    for (books, reason) in cases {
        assert_eq!(books.reasons(), [reason]);
    }
}

#[test]
fn what_nobody_released_and_what_is_no_spend_need_no_document() {
    let open = BrexRecord { standing: Standing::Open, ..in_brex("open", JUNE.from, 100) };
    let payment = BrexRecord { is_spend: false, standing: Standing::Open, ..in_brex("payment", JUNE.from, 100) };
    let tied = Books::default().brex(open).brex(payment).ours("payment", Stage::NotSpend, None).tie_out();
    assert!(tied.holds());
    assert_eq!(tied.items.iter().map(|item| item.end.as_str()).collect::<Vec<_>>(), ["not_ready", "not_spend"]);
    assert_eq!(tied.sums.spend.count, 1);
}

#[test]
fn what_another_connection_books_closes_the_period_whether_or_not_it_was_seen() {
    let seen = Books::default().brex(in_brex("a", JUNE.from, 100)).ours("a", Stage::Elsewhere, None);
    assert!(seen.tie_out().is_closed());
    let mut unseen = Books::default().brex(in_brex("a", JUNE.from, 100));
    assert_eq!(unseen.reasons(), [Reason::ExportedByOthers]);
    unseen.0.elsewhere.insert(RecordId::new("a"));
    assert!(unseen.tie_out().is_closed());
    let booked = Books(unseen.0).bc(document("a", JUNE.from, 100));
    assert_eq!(booked.reasons(), [Reason::DocumentUnexpected]);
}

#[test]
fn a_bill_has_no_export_status_in_brex() {
    let bill = BrexRecord { standing: Standing::Open, has_status: false, ..in_brex("b", JUNE.from, 100) };
    let books = Books::default().brex(bill).ours("b", Stage::Exported, None).bc(document("b", JUNE.from, 100));
    assert!(books.tie_out().is_closed());
}

#[test]
fn a_document_that_was_moved_into_the_next_period_is_bridged() {
    let may = date(2026, 5, 31);
    let july = date(2026, 7, 1);
    let books = Books::default()
        .brex(in_brex("may", may, 100))
        .ours("may", Stage::Exported, None)
        .bc(document("may", JUNE.from, 100))
        .brex(in_brex("june", JUNE.to, 200))
        .ours("june", Stage::Exported, None)
        .bc(document("june", july, 200));
    let tied = books.tie_out();
    assert!(tied.holds());
    assert_eq!(tied.items.len(), 1);
    assert_eq!(tied.items[0].posted_outside, Some(july));
    assert_eq!(
        (tied.sums.posted_outside.count, tied.sums.from_outside.count, tied.sums.posted_inside.count),
        (1, 1, 1)
    );
}

fn any_stage() -> impl Strategy<Value = Stage> {
    proptest::sample::select(Stage::ALL.to_vec())
}

fn any_day() -> impl Strategy<Value = Date> {
    (1_i8..=9, 1_i8..=28).prop_map(|(month, day)| date(2026, month, day))
}

prop_compose! {
    fn any_books()(records in prop::collection::vec(
        (0_u8..30, any_day(), any_day(), -9_999_i64..9_999, prop::option::of(any_stage()), any::<[bool; 5]>()), 0..40,
    )) -> Books {
        records.into_iter().fold(Books::default(), |books, (id, day, posted, cents, stage, flags)| {
            let id = format!("r{id}");
            let [is_spend, is_ready, is_open, in_both, held] = flags;
            let standing = match (is_open, is_ready) {
                (true, true) => Standing::Ready,
                (true, false) => Standing::Open,
                (false, _) => Standing::Exported,
            };
            let record = BrexRecord { is_spend, standing, ..in_brex(&id, day, cents) };
            let books = if in_both { books.brex(record) } else { books };
            let books = match stage {
                Some(stage) => books.ours(&id, stage, held.then_some(HoldCode::VendorBlocked)),
                None => books,
            };
            if is_ready == held { books.bc(document(&id, posted, cents)) } else { books }
        })
    }
}

fn sum(totals: &Totals) -> Decimal {
    totals.sums.values().copied().sum()
}

proptest! {
    #[test]
    fn every_record_of_the_period_is_one_item_and_the_bridge_adds_up(books in any_books()) {
        let tied = books.tie_out();
        let of_period = books.0.brex.values().filter(|record| JUNE.contains(record.day)).count();
        prop_assert_eq!(tied.items.len(), of_period);
        prop_assert_eq!(tied.sums.ends.values().map(|totals| totals.count).sum::<usize>(), of_period);
        let sums = &tied.sums;
        prop_assert_eq!(
            sum(&sums.documents) - sum(&sums.posted_outside) + sum(&sums.from_outside),
            sum(&sums.posted_inside)
        );
        let accounts: Decimal = sums.accounts.values().flat_map(|sums| sums.values()).copied().sum();
        prop_assert_eq!(accounts, sum(&sums.documents));
        // Whatever is explained as a document has exactly one, of the same amount.
        for item in tied.items.iter().filter(|item| item.end == End::Document) {
            let documents = &books.0.documents[&item.record];
            prop_assert_eq!(documents.len(), 1);
            prop_assert_eq!(&documents[0].money, &item.money);
        }
    }

    #[test]
    fn a_document_of_the_period_without_a_record_is_always_told(books in any_books()) {
        let tied = books.tie_out();
        for (record, documents) in &books.0.documents {
            let inside = documents.iter().any(|document| document.posting_date.is_some_and(|day| JUNE.contains(day)));
            if inside && !books.0.brex.contains_key(record) {
                prop_assert!(tied.unexplained.iter().any(|found| found.record.as_ref() == Some(record)));
            }
        }
    }
}
