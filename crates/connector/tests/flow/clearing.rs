//! Posted card invoices get one unposted payment line against the card liability, whatever answer gets lost; what the API
//! cannot do is told once.

use connector::flow::operator::{Request, Verb};
use domain::hold::HoldCode;
use domain::stage::Stage;
use rstest::rstest;
use sandbox::Options;
use sandbox::bc::{DocumentAction, DocumentChange, NewJournal, NewJournalLine};
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;
use serde_json::json;
use store::{PaymentLine, PaymentLineState};
use uuid::Uuid;

use crate::app::TestApp;
use crate::database::Db;
use crate::held::{a_vendor, card, hold_of};
use crate::posting::POST;

const ID: &str = "accr_clear";
const CLEARING: &str = "[connection.clearing]\npolicy = \"journal\"\njournal = \"BREX\"\naccount = \"CHECKING\"\n";

async fn start(db: Db, settings: &str) -> Option<TestApp> {
    let options = Options { records: 1, ..Options::default() };
    let app = TestApp::start_with(db, options, &format!("{CLEARING}{settings}")).await?;
    let (_, name) = a_vendor(&app);
    app.insert(&card(ID, &name, "64100", 12.5));
    Some(app)
}

fn add_journal(app: &TestApp, bank: &str) -> Uuid {
    let world = app.world();
    let new = NewJournal { code: "BREX".to_owned(), template: "PAYMENT".to_owned(), bank_account: bank.to_owned() };
    world.bc.add_journal(&new, world.clock.now()).unwrap()
}

/// Exported, then posted by a person, with the journal in place.
async fn posted(db: Db) -> Option<(TestApp, Uuid)> {
    let mut app = start(db, "").await?;
    app.run_until_idle().await;
    let journal = add_journal(&app, "CHECKING");
    act(&app, DocumentAction::Post);
    Some((app, journal))
}

fn act(app: &TestApp, action: DocumentAction) {
    let world = app.world();
    let id = world.bc.documents_by_marker(ID)[0].id;
    world
        .bc
        .change_document(id, DocumentChange { action: Some(action), ..DocumentChange::default() }, world.clock.now())
        .unwrap();
}

/// The lines of the journal, read as the connector reads them.
async fn lines(app: &TestApp, journal: Uuid) -> Vec<clients::bc::VendorPayment> {
    let connection = &app.app.connections[0];
    let company = connection.bc.company(connection.identity().unwrap().bc_company);
    company.list_vendor_payments(journal).await.unwrap()
}

async fn line(app: &TestApp, record: &str) -> Option<PaymentLine> {
    app.app.store.payment_lines().find(&app.connection(), "record", record).await.unwrap()
}

async fn look(app: &mut TestApp) {
    app.request("full_poll").await;
    app.run_until_idle().await;
}

async fn assert_one_line(app: &TestApp, journal: Uuid) {
    let (row, found) = (app.row(ID).await.unwrap(), lines(app, journal).await);
    assert_eq!((row.stage, row.hold), (Stage::Exported, None));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].amount.to_string().parse(), found[0].applies_to_invoice_id), (Ok(12.5), row.document_id));
    assert_eq!(Some(&found[0].external_document_number), row.document_key.as_ref());
    let line = line(app, ID).await.unwrap();
    assert_eq!((line.state, line.line_id), (PaymentLineState::Prepared, Some(found[0].id)));
    assert_eq!(app.agreement().duplicates, Vec::<String>::new());
    assert!(matches!(app.app.store.audit().verify(&app.connection()).await.unwrap(), store::Chain::Verified { .. }));
}

fn creates(app: &TestApp) -> u64 {
    let tally = app.world().meter.tally(Side::Bc);
    let is_create = |route: &str| route.starts_with("POST") && route.contains("vendorPayments");
    tally.routes.iter().filter(|(route, _)| is_create(route)).map(|(_, n)| n).sum()
}

#[rstest]
#[tokio::test]
async fn a_posted_card_invoice_gets_one_payment_line_that_is_not_posted(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some((mut app, journal)) = posted(db).await else { return };
    look(&mut app).await;
    assert_one_line(&app, journal).await;
    look(&mut app).await;
    app.request("clearing").await;
    app.run_until_idle().await;
    assert_one_line(&app, journal).await;
    assert_eq!(creates(&app), 1);
    assert!(app.actions(ID).await.contains(&"payment_line_prepared".to_owned()));
    let id = app.row(ID).await.unwrap().document_id.unwrap();
    assert_eq!(format!("{:?}", app.world().bc.document(id).unwrap().status), "Open", "a person posts the line");
}

#[tokio::test]
async fn what_the_connector_posted_itself_is_cleared_at_once() {
    let Some(mut app) = start(Db::Sqlite, POST).await else { return };
    let journal = add_journal(&app, "CHECKING");
    app.run_until_idle().await;
    let found = lines(&app, journal).await;
    let ours = found.iter().filter(|line| line.amount.to_string().parse() == Ok(12.5)).count();
    assert_eq!(ours, 1, "{found:?}");
    assert_eq!(line(&app, ID).await.unwrap().state, PaymentLineState::Prepared);
}

#[rstest]
#[tokio::test]
async fn a_lost_answer_prepares_no_second_line(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let error = |status| FaultKind::Status { status, body: None, retry_after: None };
    let late = FaultKind::LateCommit { seconds: 540, status: Some(504) };
    let failed = FaultKind::CommitThen400 { message: "an extension failed".to_owned() };
    let cases = [
        (FaultKind::DropAfter, 1),
        (FaultKind::DropBefore, 2),
        (error(500), 2),
        (error(429), 2),
        (late, 1),
        (failed, 1),
    ];
    for (kind, expected) in cases {
        let Some((mut app, journal)) = posted(db).await else { return };
        app.world().faults.add(Fault::new(Side::Bc, kind.clone()).method("POST").path_contains("vendorPayments"));
        look(&mut app).await;
        assert_one_line(&app, journal).await;
        assert_eq!(creates(&app), expected, "{kind:?}");
    }
}

#[rstest]
#[tokio::test]
async fn a_process_that_dies_at_any_moment_prepares_one_line(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    for requests in 1..=10 {
        let Some((mut app, journal)) = posted(db).await else { return };
        app.request("full_poll").await;
        app.die_after(Side::Bc, requests).await;
        app.restart().await;
        app.run_until_idle().await;
        look(&mut app).await;
        assert_one_line(&app, journal).await;
    }
}

#[tokio::test]
async fn a_missing_or_wrong_journal_is_told_and_the_line_follows_when_it_is_right() {
    let Some(mut app) = start(Db::Sqlite, "").await else { return };
    app.run_until_idle().await;
    act(&app, DocumentAction::Post);
    look(&mut app).await;
    let hold = app.row(ID).await.unwrap().hold.unwrap();
    assert_eq!(hold.code, HoldCode::ClearingHeld);
    assert!(hold.sentence.contains("no vendor payment journal BREX"), "{}", hold.sentence);
    assert_eq!(line(&app, ID).await, None);
    let journal = add_journal(&app, "CHECKING");
    app.request("master_data").await;
    app.run_until_idle().await;
    assert_one_line(&app, journal).await;
}

#[tokio::test]
async fn a_credit_memo_and_a_payment_of_somebody_else_are_told_once_and_can_be_set_aside() {
    let Some((mut app, journal)) = posted(Db::Sqlite).await else { return };
    let (number, name) = a_vendor(&app);
    let mut refund = card("accr_refund", &name, "64100", 7.25);
    refund["type"] = json!("CARD_EXPENSE_REFUND");
    refund["line_items"][0]["type"] = json!("CREDIT");
    refund["line_items"][1]["type"] = json!("DEBIT");
    app.insert(&refund);
    app.poll_now().await;
    app.run_until_idle().await;
    let world = app.world();
    let memo = world.bc.documents_by_marker("accr_refund")[0].id;
    let post = DocumentChange { action: Some(DocumentAction::Post), ..DocumentChange::default() };
    world.bc.change_document(memo, post, world.clock.now()).unwrap();
    let invoice = world.bc.documents_by_marker(ID)[0].number.clone();
    let theirs = NewJournalLine {
        document_type: sandbox::bc::EntryType::Payment,
        account_type: Some("Vendor".to_owned()),
        account_number: number,
        amount: "12.5".parse().unwrap(),
        external_number: "BY-HAND".to_owned(),
        posting_date: None,
        applies_to: (sandbox::bc::EntryType::Invoice, invoice),
    };
    world.bc.add_journal_line(journal, &theirs, world.clock.now()).unwrap();
    look(&mut app).await;
    for (record, text) in [("accr_refund", "prepares no refunds"), (ID, "already has a payment of this invoice")] {
        let hold = app.row(record).await.unwrap().hold.expect("held");
        assert!(hold.code == HoldCode::ClearingHeld && hold.sentence.contains(text), "{}", hold.sentence);
    }
    assert_eq!((lines(&app, journal).await.len(), creates(&app)), (1, 0));
    let request = Request {
        verb: Verb::Retry,
        record: domain::id::RecordId::new("accr_refund"),
        person: "ann".to_owned(),
        reason: "applied by hand".to_owned(),
        from: None,
        rev: None,
    };
    let (job, argument) = (request.job(), serde_json::to_string(&request).unwrap());
    app.app.store.jobs().request(&app.connection(), &job, Some(&argument), app.app.now_ms()).await.unwrap();
    look(&mut app).await;
    look(&mut app).await;
    assert_eq!(hold_of(&app, "accr_refund").await, None);
    assert_eq!(line(&app, "accr_refund").await.unwrap().state, PaymentLineState::Removed);
}

#[tokio::test]
async fn an_invoice_that_is_paid_needs_no_line_and_a_line_that_is_taken_back_is_deleted() {
    let Some((mut app, journal)) = posted(Db::Sqlite).await else { return };
    act(&app, DocumentAction::Pay);
    look(&mut app).await;
    assert_eq!((lines(&app, journal).await.len(), creates(&app)), (0, 0));
    let Some((mut app, journal)) = posted(Db::Sqlite).await else { return };
    look(&mut app).await;
    let wanted = line(&app, ID).await.unwrap();
    app.tick().await;
    let lane = app.app.connections[0].settings.lane();
    let lease = app.app.store.lanes().lease(&lane, "test-1", app.app.now_ms(), 30_000).await.unwrap().unwrap();
    let desk = connector::payment_lines::Desk::new(&app.app, &app.app.connections[0], &lease).unwrap();
    desk.remove(wanted).await.unwrap();
    app.world().faults.add(Fault::new(Side::Bc, FaultKind::DropAfter).method("DELETE").path_contains("vendorPayments"));
    app.run_until_idle().await;
    assert_eq!(lines(&app, journal).await.len(), 0);
    assert_eq!(line(&app, ID).await.unwrap().state, PaymentLineState::Removed);
}
