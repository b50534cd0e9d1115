//! Matched transfers get one unposted payment line each, applied to what they pay, whatever answer gets lost; it is taken back
//! when the transfer comes back, and reported when it is posted by then.

use clients::bc::{Company, DocumentKind, VendorPayment};
use connector::transfers::say::{Named, Word, apart, together};
use rstest::rstest;
use rust_decimal::Decimal;
use sandbox::bc::{NewJournal, Payment};
use sandbox::brex::TransferAction;
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;
use store::{PaymentLine, PaymentLineState};
use uuid::Uuid;

use crate::app::TestApp;
use crate::database::Db;
use crate::transfers::{NAME, compare, invoice, owes, payee, pays, ready, transfer};
use crate::vendors::COFFEE;

const JOURNAL: &str =
    "[connection.transfers]\nenabled = true\npolicy = \"journal\"\njournal = \"BREX\"\naccount = \"CHECKING\"\n";

fn company(app: &TestApp) -> Company {
    let connection = &app.app.connections[0];
    connection.bc.company(connection.identity().unwrap().bc_company)
}

fn add_journal(app: &TestApp) -> Uuid {
    let world = app.world();
    let bank_account = "CHECKING".to_owned();
    let new = NewJournal { code: "BREX".to_owned(), template: "PAYMENT".to_owned(), bank_account };
    world.bc.add_journal(&new, world.clock.now()).unwrap()
}

/// One open invoice, and a transfer that arrived and names it; nothing is compared yet.
async fn paid(db: Db) -> Option<(TestApp, Uuid, String)> {
    let app = ready(db, JOURNAL).await?;
    let journal = add_journal(&app);
    let instrument = payee(&app, NAME);
    invoice(&app, "INV-7001", 120_000).await;
    let id = pays(&app, &instrument, 120_000, "INV-7001").await;
    Some((app, journal, id))
}

async fn lines(app: &TestApp, journal: Uuid) -> Vec<VendorPayment> {
    app.world().faults.clear();
    company(app).list_vendor_payments(journal).await.unwrap()
}

async fn line(app: &TestApp, transfer: &str) -> PaymentLine {
    app.app.store.payment_lines().find(&app.connection(), "transfer", transfer).await.unwrap().expect("asked for")
}

async fn assert_one_line(app: &TestApp, journal: Uuid, id: &str) -> VendorPayment {
    let found = lines(app, journal).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].external_document_number, id.to_uppercase());
    assert_eq!((found[0].amount, found[0].vendor_number.as_str()), (Decimal::from(1_200), COFFEE));
    let kept = line(app, id).await;
    assert_eq!((kept.state, kept.line_id, kept.note), (PaymentLineState::Prepared, Some(found[0].id), None));
    app.assert_sound().await;
    found[0].clone()
}

fn creates(app: &TestApp) -> u64 {
    let tally = app.world().meter.tally(Side::Bc);
    let is_create = |route: &str| route.starts_with("POST") && route.contains("vendorPayments");
    tally.routes.iter().filter(|(route, _)| is_create(route)).map(|(_, n)| n).sum()
}

fn returned(app: &TestApp, id: &str) {
    app.world().brex.act_on_transfer(id, TransferAction::Return, app.world().clock.now()).unwrap();
}

/// A person posts the journal: the entry is made, and the line is gone from it.
async fn post(app: &TestApp, journal: Uuid, invoice: Uuid, id: &str) {
    let world = app.world();
    let payment = Payment { external_number: id.to_owned(), ..Payment::default() };
    for line in lines(app, journal).await {
        company(app).delete_vendor_payment(journal, line.id, "*").await.unwrap();
    }
    world.bc.pay_document(invoice, &payment, world.clock.now()).unwrap();
}

#[rstest]
#[tokio::test]
async fn a_matched_transfer_gets_one_unposted_line_applied_to_its_invoice(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some((mut app, journal, id)) = paid(db).await else { return };
    compare(&mut app).await;
    let made = assert_one_line(&app, journal, &id).await;
    assert!(made.applies_to_invoice_id.is_some());
    compare(&mut app).await;
    app.restart().await;
    compare(&mut app).await;
    assert_one_line(&app, journal, &id).await;
    assert_eq!(creates(&app), 1);
    let seen = transfer(&app, &id).await.payment.unwrap();
    assert_eq!((seen.journal.as_str(), seen.state, seen.note), ("BREX", "prepared", None));

    post(&app, journal, made.applies_to_invoice_id.unwrap(), &id).await;
    compare(&mut app).await;
    assert_eq!(line(&app, &id).await.state, PaymentLineState::Gone);
    let seen = transfer(&app, &id).await;
    assert!(seen.booked_as.is_some());
    compare(&mut app).await;
    assert_eq!((creates(&app), lines(&app, journal).await.len()), (1, 0), "nothing is prepared for what is booked");
}

#[rstest]
#[case::lost_after(FaultKind::DropAfter, 1)]
#[case::lost_before(FaultKind::DropBefore, 2)]
#[case::late(FaultKind::LateCommit { seconds: 540, status: Some(504) }, 1)]
#[case::cut(FaultKind::TruncatedBody { keep: Some(20) }, 1)]
#[case::refused_yet_done(FaultKind::CommitThen400 { message: "An extension failed.".to_owned() }, 1)]
#[tokio::test]
async fn whatever_becomes_of_the_answer_there_is_one_line(#[case] kind: FaultKind, #[case] requests: u64) {
    let (mut app, journal, id) = paid(Db::Sqlite).await.unwrap();
    app.world().faults.add(Fault::new(Side::Bc, kind).method("POST").path_contains("vendorPayments"));
    compare(&mut app).await;
    assert_one_line(&app, journal, &id).await;
    assert_eq!(creates(&app), requests);
}

#[rstest]
#[tokio::test]
async fn several_documents_are_marked_for_one_line(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = ready(db, JOURNAL).await else { return };
    let journal = add_journal(&app);
    let instrument = payee(&app, NAME);
    let first = invoice(&app, "INV-7001", 100_000).await;
    let second = invoice(&app, "INV-7002", 40_000).await;
    let memo = owes(&app, DocumentKind::CreditMemo, COFFEE, "CM-9001", 20_000).await.id;
    invoice(&app, "INV-7003", 70_000).await;
    let id = pays(&app, &instrument, 120_000, "INV-7001 INV-7002 CM-9001").await;
    let patch = Fault::new(Side::Bc, FaultKind::DropAfter).method("PATCH").path_contains("applyVendorEntries");
    app.world().faults.add(patch.skip(1));
    compare(&mut app).await;
    let made = assert_one_line(&app, journal, &id).await;
    assert_eq!(made.applies_to_invoice_id, None);
    let company = company(&app);
    let entries = company.list_apply_entries(journal, made.id).await.unwrap();
    let mut marked: Vec<String> =
        entries.iter().filter(|entry| entry.applied).map(|entry| entry.document_number.clone()).collect();
    marked.sort();
    let mut wanted = Vec::new();
    for (kind, id) in
        [(DocumentKind::Invoice, first), (DocumentKind::Invoice, second), (DocumentKind::CreditMemo, memo)]
    {
        wanted.push(company.get_document(kind, id).await.unwrap().unwrap().number);
    }
    wanted.sort();
    assert_eq!(marked, wanted, "those of the match, and not the third invoice");
    assert_eq!(creates(&app), 1);
}

#[tokio::test]
async fn two_transfers_that_pay_parts_of_one_invoice_get_a_line_each() {
    let mut app = ready(Db::Sqlite, JOURNAL).await.unwrap();
    let journal = add_journal(&app);
    let instrument = payee(&app, NAME);
    invoice(&app, "INV-7001", 120_000).await;
    let first = pays(&app, &instrument, 50_000, "INV-7001").await;
    compare(&mut app).await;
    let second = pays(&app, &instrument, 70_000, "INV-7001").await;
    compare(&mut app).await;
    let found = lines(&app, journal).await;
    let mut sums: Vec<(String, Decimal)> =
        found.iter().map(|line| (line.external_document_number.to_lowercase(), line.amount)).collect();
    sums.sort();
    let mut wanted = vec![(first, Decimal::from(500)), (second, Decimal::from(700))];
    wanted.sort();
    assert_eq!(sums, wanted);
}

#[rstest]
#[tokio::test]
async fn a_line_is_taken_back_when_the_transfer_comes_back(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some((mut app, journal, id)) = paid(db).await else { return };
    compare(&mut app).await;
    assert_one_line(&app, journal, &id).await;
    returned(&app, &id);
    app.run_until_idle().await;
    compare(&mut app).await;
    assert_eq!(lines(&app, journal).await, []);
    assert_eq!(line(&app, &id).await.state, PaymentLineState::Removed);
    app.assert_sound().await;
}

#[tokio::test]
async fn a_return_after_posting_is_told_once_and_changes_nothing() {
    let (mut app, journal, id) = paid(Db::Sqlite).await.unwrap();
    compare(&mut app).await;
    let made = assert_one_line(&app, journal, &id).await;
    post(&app, journal, made.applies_to_invoice_id.unwrap(), &id).await;
    compare(&mut app).await;
    returned(&app, &id);
    app.run_until_idle().await;
    compare(&mut app).await;
    compare(&mut app).await;
    let kept = line(&app, &id).await;
    assert_eq!(kept.state, PaymentLineState::Gone);
    assert!(kept.note.unwrap().contains("reverse it there"));
    let told = app.actions(&id).await.into_iter().filter(|action| action == "payment_line_remark").count();
    assert_eq!((told, creates(&app)), (1, 1));
}

#[tokio::test]
async fn a_match_that_a_person_changes_moves_its_line() {
    let (mut app, journal, id) = paid(Db::Sqlite).await.unwrap();
    invoice(&app, "INV-7002", 120_000).await;
    compare(&mut app).await;
    let first = assert_one_line(&app, journal, &id).await;
    let (store, connection) = (app.app.store.clone(), app.connection());
    let word = Word { transfer: id.clone(), person: "kim".to_owned(), reason: "wrong memo".to_owned() };
    apart(&store, &connection, &word, 5).await.unwrap();
    let named = [Named { document: "INV-7002".to_owned(), amount: None }];
    together(&store, &connection, &word, &named, 6).await.unwrap();
    compare(&mut app).await;
    compare(&mut app).await;
    let second = assert_one_line(&app, journal, &id).await;
    assert_ne!(first.applies_to_invoice_id, second.applies_to_invoice_id);
    assert_eq!(creates(&app), 2);
}

#[tokio::test]
async fn without_the_right_journal_nothing_is_prepared_and_the_reason_stands_with_the_transfer() {
    let mut app = ready(Db::Sqlite, JOURNAL).await.unwrap();
    let instrument = payee(&app, NAME);
    invoice(&app, "INV-7001", 120_000).await;
    let id = pays(&app, &instrument, 120_000, "INV-7001").await;
    compare(&mut app).await;
    let seen = transfer(&app, &id).await.payment.unwrap();
    assert_eq!(seen.state, "held");
    assert_eq!(seen.note.as_deref(), Some("Business Central has no vendor payment journal BREX"));
    let journal = add_journal(&app);
    app.app.store.jobs().request(&app.connection(), "transfers", Some("full"), app.app.now_ms()).await.unwrap();
    app.run_until_idle().await;
    assert_one_line(&app, journal, &id).await;
}

/// The process dies after each of its calls to Business Central.
#[tokio::test]
async fn a_death_after_any_call_prepares_no_second_line() {
    for requests in 1..=16 {
        let (mut app, journal, id) = paid(Db::Sqlite).await.unwrap();
        app.request("transfers").await;
        app.die_after(Side::Bc, requests).await;
        app.restart().await;
        compare(&mut app).await;
        assert_one_line(&app, journal, &id).await;
    }
}
