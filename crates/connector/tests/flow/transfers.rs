//! Transfers: read from Brex, compared with what Business Central has posted, matched, reopened, and answered about.

use clients::bc::{Document, DocumentKind, NewDocument, NewLine};
use clients::brex::NewTransfer;
use connector::transfers::TRANSFERS;
use connector::transfers::say::{Named, Refused, SayError, Word, apart, together};
use connector::transfers::view::{SeenDocument, SeenTransfer, View};
use jiff::civil::date;
use rstest::rstest;
use rust_decimal::Decimal;
use sandbox::bc::Payment;
use sandbox::brex::TransferAction;
use sandbox::meter::Side;
use serde_json::json;
use uuid::Uuid;

use crate::app::TestApp;
use crate::database::Db;
use crate::vendors::{COFFEE, EAST, company};

pub const ON: &str = "[connection.transfers]\nenabled = true";
pub const NAME: &str = "Zelkova Coffee Roasters LLC";

/// A company that has connected and compared once.
pub async fn ready(db: Db, settings: &str) -> Option<TestApp> {
    let mut app = company(db, settings).await?;
    app.run_until_idle().await;
    Some(app)
}

/// A vendor in Brex that can be paid.
pub fn payee(app: &TestApp, name: &str) -> String {
    let details = json!({ "type": "ACH", "routing_number": "021000021", "account_number": "1",
        "account_type": "CHECKING", "account_class": "BUSINESS" });
    let body = json!({ "company_name": name, "payment_accounts": [{ "details": details }] });
    let made = app.world().brex.add_vendor(&body).unwrap();
    made["payment_accounts"][0]["details"]["payment_instrument_id"].as_str().unwrap().to_owned()
}

/// A posted document.
pub async fn owes(app: &TestApp, kind: DocumentKind, vendor: &str, number: &str, cents: i64) -> Document {
    let connection = &app.app.connections[0];
    let company = connection.bc.company(connection.identity().unwrap().bc_company);
    let new = NewDocument {
        vendor_number: vendor.to_owned(),
        posting_date: date(2026, 6, 20),
        document_date: date(2026, 6, 20),
        due_date: Some(date(2026, 7, 20)),
        number: number.to_owned(),
        currency_code: None,
        prices_include_tax: None,
        dimensions: Vec::new(),
        lines: vec![NewLine::Account {
            account_number: "64100".to_owned(),
            description: "beans".to_owned(),
            quantity: Decimal::ONE,
            unit_cost: Decimal::new(cents, 2),
            tax_code: None,
            dimensions: Vec::new(),
        }],
        applies_to_invoice_id: None,
    };
    let draft = company.create_document(kind, &new).await.unwrap();
    company.post_document(kind, draft.id).await.unwrap();
    company.get_document(kind, draft.id).await.unwrap().unwrap()
}

pub async fn invoice(app: &TestApp, number: &str, cents: i64) -> Uuid {
    owes(app, DocumentKind::Invoice, COFFEE, number, cents).await.id
}

/// A transfer that has arrived.
pub async fn pays(app: &TestApp, instrument: &str, cents: i64, memo: &str) -> String {
    let brex = &app.app.connections[0].brex;
    let account = brex.list_cash_accounts().await.unwrap().into_iter().find(|account| account.primary).unwrap();
    let new = NewTransfer {
        instrument: instrument.to_owned(),
        account: account.id,
        cents,
        description: "beans".to_owned(),
        memo: memo.to_owned(),
        is_manual: false,
    };
    let made = brex.create_transfer(Uuid::new_v4(), &new).await.unwrap();
    app.world().brex.act_on_transfer(&made.id, TransferAction::Process, app.world().clock.now()).unwrap();
    made.id
}

pub async fn compare(app: &mut TestApp) {
    app.request(TRANSFERS).await;
    app.run_until_idle().await;
}

pub async fn view(app: &TestApp) -> View {
    View::load(&app.app.store, &app.connection(), date(2026, 7, 1)).await.unwrap()
}

pub async fn transfer(app: &TestApp, id: &str) -> SeenTransfer {
    view(app).await.transfers.into_iter().find(|seen| seen.transfer == id).unwrap()
}

pub async fn document(app: &TestApp, number: &str) -> SeenDocument {
    view(app).await.documents.into_iter().find(|seen| seen.supplier_number == number).unwrap()
}

fn paid(seen: &SeenTransfer) -> Vec<(String, String)> {
    let parts = seen.found.as_ref().map(|found| found.documents.clone()).unwrap_or_default();
    parts.into_iter().map(|part| (part.number, part.amount)).collect()
}

fn word(transfer: &str) -> Word {
    Word { transfer: transfer.to_owned(), person: "kim".to_owned(), reason: "the vendor said so".to_owned() }
}

#[rstest]
#[tokio::test]
async fn a_completed_transfer_is_matched_with_the_posted_invoice_that_its_memo_names(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(mut app) = ready(db, ON).await else { return };
    let instrument = payee(&app, NAME);
    invoice(&app, "INV-7001", 120_000).await;
    invoice(&app, "INV-7002", 120_000).await;
    let id = pays(&app, &instrument, 120_000, "INV-7002").await;
    compare(&mut app).await;
    let seen = transfer(&app, &id).await;
    assert_eq!((seen.verdict, seen.status.as_str()), (Some("matched"), "PROCESSED"));
    assert_eq!(paid(&seen), [("INV-7002".to_owned(), "1200.00".to_owned())]);
    assert_eq!(seen.settled.as_deref(), Some("1200.00"));
    assert_eq!(document(&app, "INV-7002").await.transfers, [id.as_str()]);
    let open = document(&app, "INV-7001").await;
    assert_eq!((open.verdict, open.reason, open.age), ("unmatched", Some("no_transfer"), Some("0-7")));
    assert_eq!(app.actions(&format!("transfer {id}")).await, ["transfer_imported", "transfer_matched"]);
    app.assert_sound().await;
}

#[rstest]
#[tokio::test]
async fn comparing_again_changes_nothing_and_asks_for_no_more_than_it_needs(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(mut app) = ready(db, ON).await else { return };
    let instrument = payee(&app, NAME);
    invoice(&app, "INV-7001", 120_000).await;
    pays(&app, &instrument, 120_000, "INV-7001").await;
    compare(&mut app).await;
    let before = (serde_json::to_value(view(&app).await.transfers).unwrap(), trail(&app).await);
    let calls = app.world().meter.tally(Side::Brex).requests;
    app.restart().await;
    compare(&mut app).await;
    assert_eq!(before, (serde_json::to_value(view(&app).await.transfers).unwrap(), trail(&app).await));
    assert!(app.world().meter.tally(Side::Brex).requests - calls < 15, "one page of transfers and one of each account");
}

async fn trail(app: &TestApp) -> usize {
    app.app.store.audit().list(&app.connection(), 0, 100_000).await.unwrap().len()
}

#[tokio::test]
async fn a_transfer_is_followed_from_approval_to_its_end() {
    let mut app = ready(Db::Sqlite, ON).await.unwrap();
    let instrument = payee(&app, NAME);
    invoice(&app, "INV-7001", 120_000).await;
    app.world().brex.configure(|settings| settings.payments.approval_by_default = true);
    let brex = &app.app.connections[0].brex;
    let account = brex.list_cash_accounts().await.unwrap()[0].id.clone();
    let new = NewTransfer {
        instrument,
        account,
        cents: 120_000,
        description: "beans".to_owned(),
        memo: "INV-7001".to_owned(),
        is_manual: true,
    };
    let id = brex.create_transfer(Uuid::new_v4(), &new).await.unwrap().id;
    compare(&mut app).await;
    assert_eq!(transfer(&app, &id).await.reason, Some("under_way"));
    app.world().brex.act_on_transfer(&id, TransferAction::Deny, app.world().clock.now()).unwrap();
    compare(&mut app).await;
    let seen = transfer(&app, &id).await;
    let statuses: Vec<&str> = seen.history.iter().map(|(_, status)| status.as_str()).collect();
    assert_eq!((statuses, seen.reason), (vec!["PENDING_APPROVAL", "FAILED"], Some("failed")));
}

/// Returns are hidden from GET by default: only the event tells.
#[rstest]
#[tokio::test]
async fn a_return_that_only_a_webhook_tells_reopens_the_match(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = ready(db, ON).await else { return };
    let instrument = payee(&app, NAME);
    invoice(&app, "INV-7001", 120_000).await;
    let id = pays(&app, &instrument, 120_000, "INV-7001").await;
    app.run_until_idle().await;
    assert_eq!(transfer(&app, &id).await.verdict, Some("matched"), "the webhook brought it");
    let back = app.world().brex.act_on_transfer(&id, TransferAction::Return, app.world().clock.now()).unwrap();
    app.run_until_idle().await;
    let seen = transfer(&app, &id).await;
    assert_eq!((seen.verdict, seen.reason), (Some("set_aside"), Some("returned")));
    assert_eq!(seen.returned_by.as_deref(), Some(back.as_str()));
    assert!(seen.found.is_none());
    assert_eq!(document(&app, "INV-7001").await.left, "1200.00");
    let again = pays(&app, &instrument, 120_000, "INV-7001").await;
    app.run_until_idle().await;
    assert_eq!(transfer(&app, &again).await.verdict, Some("matched"));
    app.assert_sound().await;
}

#[tokio::test]
async fn a_payment_that_is_booked_in_business_central_stands_for_its_transfer() {
    let mut app = ready(Db::Sqlite, ON).await.unwrap();
    let instrument = payee(&app, NAME);
    let owed = invoice(&app, "INV-7001", 120_000).await;
    let id = pays(&app, &instrument, 120_000, "INV-7001").await;
    compare(&mut app).await;
    let world = app.world();
    let payment = Payment { external_number: id.clone(), ..Payment::default() };
    let entry = world.bc.pay_document(owed, &payment, world.clock.now()).unwrap();
    compare(&mut app).await;
    let seen = transfer(&app, &id).await;
    assert_eq!((seen.verdict, seen.booked_as), (Some("matched"), Some(entry.number.to_string())));
    assert_eq!(document(&app, "INV-7001").await.verdict, "matched");
}

#[tokio::test]
async fn an_invoice_that_was_paid_elsewhere_and_through_brex_is_shown_to_a_person() {
    let mut app = ready(Db::Sqlite, ON).await.unwrap();
    let instrument = payee(&app, NAME);
    let owed = invoice(&app, "INV-7001", 120_000).await;
    let world = app.world();
    let elsewhere = Payment { posting_date: Some(date(2026, 5, 1)), ..Payment::default() };
    world.bc.pay_document(owed, &elsewhere, world.clock.now()).unwrap();
    let id = pays(&app, &instrument, 120_000, "INV-7001").await;
    compare(&mut app).await;
    let seen = transfer(&app, &id).await;
    assert_eq!((seen.verdict, seen.reason), (Some("unmatched"), Some("to_confirm")));
}

#[tokio::test]
async fn what_was_paid_in_part_elsewhere_is_not_guessed() {
    let mut app = ready(Db::Sqlite, ON).await.unwrap();
    let instrument = payee(&app, NAME);
    let owed = invoice(&app, "INV-7001", 120_000).await;
    let world = app.world();
    let part = Payment { amount: Some(Decimal::new(20_000, 2)), ..Payment::default() };
    world.bc.pay_document(owed, &part, world.clock.now()).unwrap();
    let rest = pays(&app, &instrument, 100_000, "INV-7001").await;
    compare(&mut app).await;
    let seen = document(&app, "INV-7001").await;
    assert_eq!((seen.remaining.as_str(), seen.is_certain), ("1000.00", true), "the only open entry has what is due");
    assert_eq!(paid(&transfer(&app, &rest).await), [("INV-7001".to_owned(), "1000.00".to_owned())]);

    let second = invoice(&app, "INV-7002", 50_000).await;
    let third = invoice(&app, "INV-7003", 50_000).await;
    let part = Payment { amount: Some(Decimal::new(10_000, 2)), ..Payment::default() };
    world.bc.pay_document(second, &part, world.clock.now()).unwrap();
    let _ = third;
    let id = pays(&app, &instrument, 50_000, "INV-7003").await;
    compare(&mut app).await;
    assert!(!document(&app, "INV-7003").await.is_certain);
    assert_eq!(transfer(&app, &id).await.reason, Some("to_confirm"));
}

#[rstest]
#[tokio::test]
async fn a_person_matches_and_takes_apart_and_is_remembered(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = ready(db, ON).await else { return };
    let instrument = payee(&app, NAME);
    invoice(&app, "INV-7001", 120_000).await;
    invoice(&app, "INV-7002", 120_000).await;
    let id = pays(&app, &instrument, 120_000, "Payment").await;
    compare(&mut app).await;
    assert_eq!(transfer(&app, &id).await.reason, Some("several_documents"));
    let (store, connection) = (app.app.store.clone(), app.connection());
    let named = |document: &str| vec![Named { document: document.to_owned(), amount: None }];
    let before = serde_json::to_value(view(&app).await.documents).unwrap();
    together(&store, &connection, &word(&id), &named("inv-7001"), 5).await.unwrap();
    let twice = together(&store, &connection, &word(&id), &named("INV-7002"), 6).await;
    assert!(matches!(twice, Err(SayError::Refused(Refused::Matched(_)))), "{twice:?}");
    compare(&mut app).await;
    let seen = transfer(&app, &id).await;
    assert_eq!(paid(&seen), [("INV-7001".to_owned(), "1200.00".to_owned())]);
    assert_eq!(seen.found.unwrap().by.as_deref(), Some("kim"));

    apart(&store, &connection, &word(&id), 7).await.unwrap();
    compare(&mut app).await;
    let seen = transfer(&app, &id).await;
    assert_eq!(paid(&seen), [("INV-7002".to_owned(), "1200.00".to_owned())], "the only one that is left");
    apart(&store, &connection, &word(&id), 8).await.unwrap();
    compare(&mut app).await;
    let after = view(&app).await.documents;
    let left = |documents: serde_json::Value| {
        documents.as_array().unwrap().iter().map(|seen| seen["left"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(left(serde_json::to_value(after).unwrap()), left(before));
    assert!(transfer(&app, &id).await.found.is_none(), "both were said to be wrong");
    let said = store.transfers().said(&connection).await.unwrap();
    assert_eq!(said.decisions.len(), 3);
    let trail = app.actions(&format!("transfer {id}")).await;
    assert_eq!(trail.iter().filter(|action| action.ends_with("_by_hand")).count(), 3);
    app.assert_sound().await;
}

#[tokio::test]
async fn a_match_by_hand_is_refused_when_money_does_not_fit_or_nobody_signs() {
    let mut app = ready(Db::Sqlite, ON).await.unwrap();
    let instrument = payee(&app, NAME);
    invoice(&app, "INV-7001", 100_000).await;
    let id = pays(&app, &instrument, 120_000, "Payment").await;
    compare(&mut app).await;
    let (store, connection) = (app.app.store.clone(), app.connection());
    let named = |amount| vec![Named { document: "INV-7001".to_owned(), amount: Some(amount) }];
    for amount in [0, -5, 100_001, 120_001] {
        let said = together(&store, &connection, &word(&id), &named(amount), 5).await;
        assert!(matches!(said, Err(SayError::Refused(Refused::TooMuch(_)))), "{amount}: {said:?}");
    }
    let unsigned = Word { person: " ".to_owned(), ..word(&id) };
    let said = together(&store, &connection, &unsigned, &named(5), 5).await;
    assert!(matches!(said, Err(SayError::Refused(Refused::Unsigned))));
    let unreasoned = Word { reason: String::new(), ..word(&id) };
    let said = apart(&store, &connection, &unreasoned, 5).await;
    assert!(matches!(said, Err(SayError::Refused(Refused::Unsigned))));
    let unknown = together(&store, &connection, &word("dptx_none"), &named(5), 5).await;
    assert!(matches!(unknown, Err(SayError::Refused(Refused::UnknownTransfer(_)))));
    assert!(store.transfers().said(&connection).await.unwrap().matches.is_empty());
}

#[tokio::test]
async fn credit_memos_are_netted_and_those_of_others_are_not() {
    let mut app = ready(Db::Sqlite, ON).await.unwrap();
    let instrument = payee(&app, NAME);
    invoice(&app, "INV-7001", 120_000).await;
    owes(&app, DocumentKind::CreditMemo, COFFEE, "CM-9001", 20_000).await;
    owes(&app, DocumentKind::CreditMemo, EAST, "CM-9002", 20_000).await;
    let id = pays(&app, &instrument, 100_000, "INV-7001").await;
    compare(&mut app).await;
    let mut paid = paid(&transfer(&app, &id).await);
    paid.sort();
    let part = |number: &str, amount: &str| (number.to_owned(), amount.to_owned());
    assert_eq!(paid, [part("CM-9001", "-200.00"), part("INV-7001", "1200.00")]);
}

/// A death at each request leaves a state from which the next run comes to the same end.
#[tokio::test]
async fn a_death_at_each_step_ends_with_the_same_matches() {
    for (side, most) in [(Side::Brex, 5), (Side::Bc, 7)] {
        for requests in 1..=most {
            let mut app = ready(Db::Sqlite, ON).await.unwrap();
            let instrument = payee(&app, NAME);
            invoice(&app, "INV-7001", 120_000).await;
            let id = pays(&app, &instrument, 120_000, "INV-7001").await;
            app.request(TRANSFERS).await;
            app.die_after(side, requests).await;
            app.restart().await;
            compare(&mut app).await;
            assert_eq!(transfer(&app, &id).await.verdict, Some("matched"), "{side:?} {requests}");
            let actions = app.actions(&format!("transfer {id}")).await;
            assert_eq!(actions, ["transfer_imported", "transfer_matched"], "{side:?} {requests}");
            app.assert_sound().await;
        }
    }
}

#[tokio::test]
async fn a_token_without_the_scope_holds_the_transfers_and_nothing_else() {
    let mut app = ready(Db::Sqlite, ON).await.unwrap();
    app.world().brex.set_scopes(&["accounting.record.read", "accounting.record.write", "companies.readonly"]);
    compare(&mut app).await;
    let jobs = app.app.store.jobs().list(&app.connection()).await.unwrap();
    let job = jobs.into_iter().find(|job| job.kind == TRANSFERS).unwrap();
    assert!(job.error.unwrap().starts_with("Brex does not let this token at the transfers"));
    let connections = app.app.store.connections();
    assert_eq!(connections.get(&app.connection()).await.unwrap().unwrap().problem, None);
}
