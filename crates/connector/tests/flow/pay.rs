//! Open invoices paid through Brex: each by one transfer, whatever becomes of answers, processes and people.

use std::collections::BTreeSet;

use clients::bc::DocumentKind;
use clients::brex::Transfer;
use connector::tieout;
use connector::transfers::Halt;
use connector::transfers::pay::plan::{Plan, Request, plan};
use connector::transfers::pay::word::{PayError, Person, Refused, approve, decline, order};
use domain::access::Role;
use domain::audit::Actor;
use domain::tieout::Period;
use domain::transfer::Refusal;
use jiff::civil::date;
use rstest::rstest;
use rust_decimal::Decimal;
use sandbox::bc::{Payment, VendorChange};
use sandbox::brex::{Repeat, TransferAction};
use sandbox::company::Blocked;
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;
use store::{OrderState, TransferOrder, UserChange};

use crate::app::TestApp;
use crate::database::Db;
use crate::transfers::{NAME, compare, document, invoice, owes, payee, pays, transfer, view};
use crate::vendors::{COFFEE, EAST, arrives, change, company};

const PAY: &str = "[connection.transfers.pay]\nenabled = true\n";

fn settings(pay: &str) -> String {
    format!(
        "[connection.directory]\nenabled = true\nnumbers = [{COFFEE:?}]\n[connection.transfers]\nenabled = true\n{PAY}{pay}"
    )
}

/// A company that owes one invoice to a linked vendor, with users who may order, work and look.
pub async fn ready(db: Db, pay: &str) -> Option<TestApp> {
    let mut app = company(db, &settings(pay)).await?;
    payee(&app, NAME);
    app.run_until_idle().await;
    for (name, role) in
        [("ann", Role::Approver), ("lee", Role::Approver), ("kim", Role::Bookkeeper), ("vic", Role::Viewer)]
    {
        let actor = Actor::Person("test".to_owned());
        let added = app.app.store.users().change(name, &UserChange::Add(role), app.app.now_ms(), &actor).await.unwrap();
        added.unwrap();
    }
    invoice(&app, "INV-7001", 120_000).await;
    Some(app)
}

fn request(number: &str) -> Request {
    Request { invoice: number.to_owned(), instrument: None }
}

async fn planned_despite(app: &TestApp, numbers: &[&str], despite: &[&str]) -> Plan {
    let requests: Vec<Request> = numbers.iter().map(|number| request(number)).collect();
    let despite: BTreeSet<String> = despite.iter().map(|id| (*id).to_owned()).collect();
    plan(&app.app, &app.app.connections[0], &requests, &despite).await.unwrap()
}

pub async fn planned(app: &TestApp, numbers: &[&str]) -> Plan {
    planned_despite(app, numbers, &[]).await
}

/// What stands against paying these, by code.
pub async fn against(app: &TestApp, numbers: &[&str]) -> Vec<&'static str> {
    let plan = planned(app, numbers).await;
    plan.lines.iter().flat_map(|line| line.against.iter().map(|objection| objection.code)).collect()
}

async fn ordered_by(app: &TestApp, plan: &Plan, name: &str) -> Result<Vec<TransferOrder>, PayError> {
    let (store, connection) = (&app.app.store, &app.app.connections[0]);
    let person = Person::who_orders(store, connection, name).await?;
    order(store, connection, &plan.orders().expect("nothing stands against it"), &person, app.app.now_ms()).await
}

/// Ann plans and orders.
pub async fn ordered(app: &TestApp, numbers: &[&str]) {
    let plan = planned(app, numbers).await;
    assert!(plan.lines.iter().all(|line| line.against.is_empty()), "{:?}", plan.lines);
    ordered_by(app, &plan, "ann").await.unwrap();
}

pub async fn approved_by(app: &TestApp, id: i64, name: &str) -> Result<TransferOrder, PayError> {
    let (store, connection) = (&app.app.store, &app.app.connections[0]);
    let person = Person::who_approves(store, name).await?;
    approve(store, connection, id, &person, app.app.now_ms()).await
}

pub async fn declined_by(app: &TestApp, id: i64, name: &str) -> Result<TransferOrder, PayError> {
    let (store, connection) = (&app.app.store, &app.app.connections[0]);
    let person = Person::who_declines(store, name).await?;
    decline(store, connection, id, "not now", &person, app.app.now_ms()).await
}

pub fn refused<T: std::fmt::Debug>(said: Result<T, PayError>) -> Refused {
    match said {
        Err(PayError::Refused(why)) => why,
        other => panic!("not refused: {other:?}"),
    }
}

pub async fn orders(app: &TestApp) -> Vec<TransferOrder> {
    app.app.store.transfer_orders().list(&app.connection()).await.unwrap()
}

/// What Brex has of a memo.
pub async fn in_brex(app: &TestApp, memo: &str) -> Vec<Transfer> {
    app.world().faults.clear();
    let page = app.app.connections[0].brex.list_transfers(None).await.unwrap();
    let names = |transfer: &Transfer| transfer.external_memo.as_ref().is_some_and(|text| text.contains(memo));
    page.items.into_iter().filter(names).collect()
}

fn act(app: &TestApp, id: &str, action: TransferAction) -> String {
    app.world().brex.act_on_transfer(id, action, app.world().clock.now()).unwrap()
}

fn creates(app: &TestApp) -> u64 {
    let tally = app.world().meter.tally(Side::Brex);
    let is_create = |route: &str| route.starts_with("POST") && route.ends_with("/v1/transfers");
    tally.routes.iter().filter(|(route, _)| is_create(route)).map(|(_, n)| n).sum()
}

/// One transfer over the whole amount, and an order that knows it.
pub async fn assert_paid_once(app: &TestApp) -> Transfer {
    let found = in_brex(app, "INV-7001").await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].amount.amount, 120_000);
    let rows = orders(app).await;
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].state, rows[0].transfer.as_ref()), (OrderState::Created, Some(&found[0].id)), "{:?}", rows[0]);
    app.assert_sound().await;
    found[0].clone()
}

#[rstest]
#[tokio::test]
async fn an_open_invoice_is_paid_once_and_followed_to_its_end(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = ready(db, "").await else { return };
    let plan = planned(&app, &["INV-7001", "inv-7001"]).await;
    assert_eq!((plan.lines.len(), plan.total), (1, 120_000), "named twice, paid once");
    assert_eq!(creates(&app), 0, "a plan sends nothing");
    ordered_by(&app, &plan, "ann").await.unwrap();
    assert_eq!(
        refused(ordered_by(&app, &plan, "lee").await),
        Refused::Payment(Refusal::Ordered(1, "approved")),
        "a second operator with the same plan"
    );
    assert_eq!(against(&app, &["INV-7001"]).await, ["ordered"]);
    app.run_until_idle().await;
    let made = assert_paid_once(&app).await;
    assert_eq!((made.status.as_str(), creates(&app)), ("PENDING_APPROVAL", 1), "a person approves it in Brex");
    assert_eq!(against(&app, &["INV-7001"]).await, ["ordered", "earlier_transfer"]);
    let steps = ["transfer_ordered", "transfer_order_sending", "transfer_order_created"];
    assert_eq!(app.actions("transfer_order 1").await, steps);

    act(&app, &made.id, TransferAction::Approve);
    act(&app, &made.id, TransferAction::Process);
    app.run_until_idle().await;
    assert_eq!(transfer(&app, &made.id).await.verdict, Some("matched"));
    assert_eq!(document(&app, "INV-7001").await.transfers, [made.id.as_str()]);
    assert_eq!(against(&app, &["INV-7001"]).await, ["ordered", "earlier_transfer"]);
    assert_paid_once(&app).await;
}

#[tokio::test]
async fn the_tie_out_shows_what_is_ordered_under_way_and_matched() {
    let mut app = ready(Db::Sqlite, "").await.unwrap();
    let lines = async |app: &TestApp| {
        let period = Period { from: date(2026, 6, 1), to: date(2026, 7, 31) };
        let lines = tieout::transfers(&app.app.store, &app.connection(), period).await.unwrap();
        lines.into_iter().map(|line| format!("{}: {} {}", line.name, line.count, line.amount)).collect::<Vec<_>>()
    };
    ordered(&app, &["INV-7001"]).await;
    let nothing = "completed transfers of the period: 0 ";
    assert_eq!(lines(&app).await, [nothing, "ordered, and not in Brex yet (of any period): 1 1200.00 USD"]);
    app.run_until_idle().await;
    assert_eq!(lines(&app).await, [nothing, "transfers under way: 1 1200.00 USD"]);
    let id = orders(&app).await[0].transfer.clone().unwrap();
    act(&app, &id, TransferAction::Approve);
    act(&app, &id, TransferAction::Process);
    app.run_until_idle().await;
    assert_eq!(
        lines(&app).await,
        ["completed transfers of the period: 1 1200.00 USD", "matched with documents: 1 1200.00 USD"]
    );
}

#[rstest]
#[case::lost_after(FaultKind::DropAfter, 1)]
#[case::lost_before(FaultKind::DropBefore, 2)]
#[case::gateway(FaultKind::Status { status: 504, body: None, retry_after: None }, 2)]
#[case::late(FaultKind::LateCommit { seconds: 540, status: Some(504) }, 2)]
#[case::late_but_soon(FaultKind::LateCommit { seconds: 5, status: Some(504) }, 1)]
#[case::cut(FaultKind::TruncatedBody { keep: Some(20) }, 1)]
#[case::refused_yet_done(FaultKind::CommitThen400 { message: "No.".to_owned() }, 1)]
#[case::limited(FaultKind::Status { status: 429, body: None, retry_after: Some(7) }, 2)]
#[tokio::test]
async fn whatever_becomes_of_the_answer_there_is_one_transfer(
    #[case] kind: FaultKind,
    #[case] requests: u64,
    #[values(Repeat::Replayed, Repeat::Ignored)] repeat: Repeat,
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(mut app) = ready(db, "").await else { return };
    app.world().brex.configure(|settings| settings.idempotency.repeat = repeat);
    ordered(&app, &["INV-7001"]).await;
    app.world().faults.add(Fault::new(Side::Brex, kind).method("POST").path_contains("/v1/transfers"));
    app.run_until_idle().await;
    assert_paid_once(&app).await;
    // What commits late comes with the same key.
    app.advance(900);
    app.run_until_idle().await;
    assert_paid_once(&app).await;
    assert_eq!(creates(&app), requests);
}

/// Every call of the worker, on either side, is lost once before and once after its effect.
#[tokio::test]
async fn a_drop_at_any_call_makes_no_second_transfer() {
    let mut calls = 0;
    for side in [Side::Brex, Side::Bc] {
        for kind in [FaultKind::DropBefore, FaultKind::DropAfter] {
            for skip in 0_u32.. {
                let mut app = ready(Db::Sqlite, "").await.unwrap();
                ordered(&app, &["INV-7001"]).await;
                app.world().faults.add(Fault::new(side, kind.clone()).skip(skip));
                app.run_until_idle().await;
                let happened = app.world().faults.pending().is_empty();
                assert_paid_once(&app).await;
                if !happened {
                    break;
                }
                calls += 1;
            }
        }
    }
    assert!(calls > 20, "{calls} calls were lost");
}

/// The process dies after each of its calls, with the create late or not.
#[tokio::test]
async fn a_death_after_any_call_makes_no_second_transfer() {
    for (side, most, every) in [(Side::Brex, 8, 1), (Side::Bc, 12, 2)] {
        for requests in (1..=most).step_by(every) {
            let mut ends = vec![None];
            if side == Side::Brex {
                ends.push(Some(FaultKind::LateCommit { seconds: 540, status: None }));
            }
            for late in ends {
                let mut app = ready(Db::Sqlite, "").await.unwrap();
                ordered(&app, &["INV-7001"]).await;
                if let Some(kind) = late {
                    app.world().faults.add(Fault::new(Side::Brex, kind).method("POST").path_contains("/v1/transfers"));
                }
                app.die_after(side, requests).await;
                app.restart().await;
                app.run_until_idle().await;
                app.advance(900);
                app.run_until_idle().await;
                assert_paid_once(&app).await;
            }
        }
    }
}

#[tokio::test]
async fn what_cannot_be_paid_is_refused_with_a_reason_and_nothing_is_sent() {
    let mut app = ready(Db::Sqlite, "").await.unwrap();
    assert_eq!(against(&app, &["INV-9999"]).await, ["unknown_invoice"]);
    owes(&app, DocumentKind::CreditMemo, COFFEE, "CM-1", 500).await;
    assert_eq!(against(&app, &["CM-1"]).await, ["not_an_invoice"]);
    owes(&app, DocumentKind::Invoice, EAST, "INV-8001", 500).await;
    assert_eq!(against(&app, &["INV-8001"]).await, ["vendor_not_linked"]);
    let paid = invoice(&app, "INV-7002", 50_000).await;
    let world = app.world();
    world.bc.pay_document(paid, &Payment::default(), world.clock.now()).unwrap();
    assert_eq!(against(&app, &["INV-7002"]).await, ["not_open"]);
    let second = invoice(&app, "INV-7003", 50_000).await;
    let part = Payment { amount: Some(Decimal::new(10_000, 2)), ..Payment::default() };
    world.bc.pay_document(second, &part, world.clock.now()).unwrap();
    assert_eq!(against(&app, &["INV-7003"]).await, ["remaining_uncertain"]);

    let plan = planned(&app, &["INV-7001", "INV-7002"]).await;
    assert_eq!(plan.orders(), None, "one that cannot be paid keeps all of them back");
    change(&app, COFFEE, VendorChange { blocked: Some(Blocked::Payment), ..VendorChange::default() });
    app.request("master_data").await;
    app.run_until_idle().await;
    assert!(against(&app, &["INV-7001"]).await.contains(&"vendor_blocked"));
    assert!(orders(&app).await.is_empty());
    assert_eq!(creates(&app), 0);
}

/// Card spend stays an open payable until it is cleared, but the card paid it.
#[tokio::test]
async fn what_was_paid_by_card_is_neither_paid_nor_matched_by_a_transfer() {
    let mut app = ready(Db::Sqlite, "").await.unwrap();
    arrives(&mut app, "accr_card", NAME).await;
    let row = app.row("accr_card").await.unwrap();
    let connection = &app.app.connections[0];
    let company = connection.bc.company(connection.identity().unwrap().bc_company);
    company.post_document(DocumentKind::Invoice, row.document_id.unwrap()).await.unwrap();
    let number = row.document_key.unwrap();
    assert_eq!(against(&app, &[&number]).await, ["paid_by_brex"]);
    assert!(view(&app).await.documents.iter().all(|seen| seen.supplier_number != number));
    app.forget_everything().await;
    app.run_until_idle().await;
    assert_eq!(against(&app, &[&number]).await, ["paid_by_brex"]);
}

#[tokio::test]
async fn an_invoice_that_somebody_pays_by_hand_is_not_paid_again() {
    let mut app = ready(Db::Sqlite, "").await.unwrap();
    let instrument =
        app.app.connections[0].brex.list_instruments(&link(&app).await).await.unwrap().unwrap()[0].id.clone();
    let by_hand = pays(&app, &instrument, 120_000, "thanks").await;
    assert_eq!(against(&app, &["INV-7001"]).await, ["earlier_transfer"]);
    compare(&mut app).await;
    assert_eq!(against(&app, &["INV-7001"]).await, ["earlier_transfer"], "matched by now");
    let despite = planned_despite(&app, &["INV-7001"], &[&by_hand]).await;
    assert!(despite.orders().is_some(), "a person knows better");

    // Between the order and the worker: held, and nothing is sent.
    let other = invoice(&app, "INV-7004", 70_000).await;
    ordered(&app, &["INV-7004"]).await;
    pays(&app, &instrument, 70_000, "INV-7004").await;
    app.run_until_idle().await;
    let row = orders(&app).await.remove(0);
    assert_eq!((row.state, row.attempts, row.order.invoice), (OrderState::Held, 0, other));
    assert!(row.note.unwrap().contains("may pay it already"));
    assert_eq!(in_brex(&app, "INV-7004").await.len(), 1);
}

async fn link(app: &TestApp) -> String {
    let links = app.app.store.brex_vendors().list(&app.connection()).await.unwrap();
    links.into_iter().find_map(|row| row.brex_id).expect("linked")
}

/// What changes between the order and the worker holds the order before anything is sent; then it goes on or is given up.
#[tokio::test]
async fn what_was_ordered_is_judged_again_before_it_is_sent() {
    let mut app = ready(Db::Sqlite, "").await.unwrap();
    ordered(&app, &["INV-7001"]).await;
    change(&app, COFFEE, VendorChange { blocked: Some(Blocked::Payment), ..VendorChange::default() });
    app.run_until_idle().await;
    let row = orders(&app).await.remove(0);
    assert_eq!((row.state, creates(&app)), (OrderState::Held, 0));
    assert_eq!(row.note.as_deref(), Some("vendor V99003 is blocked in Business Central"));
    assert_eq!(against(&app, &["INV-7001"]).await, ["ordered", "vendor_blocked"]);
    change(&app, COFFEE, VendorChange { blocked: Some(Blocked::No), ..VendorChange::default() });
    approved_by(&app, 1, "lee").await.unwrap();
    app.run_until_idle().await;
    assert_paid_once(&app).await;
    assert!(matches!(refused(approved_by(&app, 1, "lee").await), Refused::NotNow { state: "created", .. }));
    assert!(matches!(refused(declined_by(&app, 1, "lee").await), Refused::NotNow { state: "created", .. }));
}

#[tokio::test]
async fn an_invoice_that_is_paid_in_business_central_meanwhile_is_not_paid_again() {
    let mut app = ready(Db::Sqlite, "").await.unwrap();
    ordered(&app, &["INV-7001"]).await;
    let world = app.world();
    let owed = orders(&app).await[0].order.invoice;
    world.bc.pay_document(owed, &Payment::default(), world.clock.now()).unwrap();
    app.run_until_idle().await;
    assert_eq!((orders(&app).await[0].state, creates(&app)), (OrderState::Held, 0));
    assert!(matches!(refused(declined_by(&app, 1, "vic").await), Refused::NotAllowed { .. }));
    assert_eq!(declined_by(&app, 1, "kim").await.unwrap().state, OrderState::Declined);
    app.run_until_idle().await;
    assert_eq!(creates(&app), 0);
}

#[tokio::test]
async fn who_may_order_approve_and_decline_is_asked_of_the_users() {
    let app = ready(Db::Sqlite, "").await.unwrap();
    let plan = planned(&app, &["INV-7001"]).await;
    for (name, refusal) in [
        ("kim", Refused::NotAllowed { name: "kim".to_owned(), role: Role::Bookkeeper, need: "an approver" }),
        ("nobody", Refused::NoUser("nobody".to_owned())),
        (" ", Refused::NoUser(String::new())),
    ] {
        assert_eq!(refused(ordered_by(&app, &plan, name).await), refusal);
    }
    let actor = Actor::Person("test".to_owned());
    let users = app.app.store.users();
    users.change("lee", &UserChange::Disable, app.app.now_ms(), &actor).await.unwrap().unwrap();
    assert_eq!(refused(ordered_by(&app, &plan, "lee").await), Refused::NoUser("lee".to_owned()));
    assert!(orders(&app).await.is_empty());
    assert_eq!(refused(approved_by(&app, 7, "ann").await), Refused::Unknown(7));
}

#[rstest]
#[tokio::test]
async fn with_four_eyes_one_proposes_and_another_approves(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = ready(db, "four_eyes = true\n").await else { return };
    let plan = planned(&app, &["INV-7001"]).await;
    assert_eq!(ordered_by(&app, &plan, "ann").await.unwrap()[0].state, OrderState::Proposed);
    app.run_until_idle().await;
    assert_eq!(creates(&app), 0, "one person alone pays nothing");
    assert_eq!(refused(approved_by(&app, 1, "ann").await), Refused::SamePerson("ann".to_owned()));
    assert!(matches!(refused(approved_by(&app, 1, "kim").await), Refused::NotAllowed { .. }));
    approved_by(&app, 1, "lee").await.unwrap();
    assert!(matches!(refused(approved_by(&app, 1, "lee").await), Refused::NotNow { state: "approved", .. }));
    app.run_until_idle().await;
    assert_paid_once(&app).await;
}

#[tokio::test]
async fn no_more_goes_out_in_a_day_than_the_limits_and_the_account_allow() {
    let mut app = ready(Db::Sqlite, "daily_most = 2000\nvendor_daily_most = 1500\n").await.unwrap();
    for (number, cents) in [("INV-7002", 40_000), ("INV-7003", 20_000), ("INV-7005", 200_001)] {
        invoice(&app, number, cents).await;
    }
    assert_eq!(against(&app, &["INV-7005"]).await, ["limit"]);
    assert_eq!(against(&app, &["INV-7001", "INV-7002"]).await, ["limit"], "both together");
    let small = planned(&app, &["INV-7003"]).await;
    let large = planned(&app, &["INV-7002"]).await;
    ordered(&app, &["INV-7001"]).await;
    let limit = refused(ordered_by(&app, &large, "ann").await);
    assert!(matches!(limit, Refused::Payment(Refusal::Limit { .. })), "a plan that was made before: {limit:?}");
    ordered_by(&app, &small, "ann").await.unwrap();
    app.advance(86_400);
    ordered(&app, &["INV-7002"]).await;
    app.run_until_idle().await;
    assert_eq!(creates(&app), 3);

    let accounts = app.app.connections[0].brex.list_cash_accounts().await.unwrap();
    let available = accounts.iter().find(|account| account.primary).unwrap().available_balance.clone().unwrap().amount;
    let mut app = ready(Db::Sqlite, "daily_most = 90000000\nvendor_daily_most = 90000000\n").await.unwrap();
    invoice(&app, "INV-7006", available + 240_000).await;
    assert_eq!(against(&app, &["INV-7006"]).await, ["balance"]);
    app.run_until_idle().await;
}

#[tokio::test]
async fn a_transfer_that_failed_or_came_back_may_be_ordered_again() {
    let mut app = ready(Db::Sqlite, "").await.unwrap();
    ordered(&app, &["INV-7001"]).await;
    app.run_until_idle().await;
    let first = orders(&app).await[0].transfer.clone().unwrap();
    act(&app, &first, TransferAction::Deny);
    app.run_until_idle().await;
    ordered(&app, &["INV-7001"]).await;
    app.run_until_idle().await;
    let second = orders(&app).await[1].transfer.clone().unwrap();
    assert_ne!(first, second, "another key");
    act(&app, &second, TransferAction::Approve);
    act(&app, &second, TransferAction::Process);
    app.run_until_idle().await;
    assert_eq!(against(&app, &["INV-7001"]).await, ["ordered", "earlier_transfer"]);
    act(&app, &second, TransferAction::Return);
    app.run_until_idle().await;
    ordered(&app, &["INV-7001"]).await;
    app.run_until_idle().await;
    assert_eq!(in_brex(&app, "INV-7001").await.len(), 3, "two that paid nothing, and one that is under way");
    assert_eq!(creates(&app), 3);
}

/// With the database goes the order; Brex still has the transfer, and says so.
#[tokio::test]
async fn after_a_lost_database_what_was_paid_is_found_in_brex() {
    let mut app = ready(Db::Sqlite, "").await.unwrap();
    ordered(&app, &["INV-7001"]).await;
    app.run_until_idle().await;
    app.forget_everything().await;
    app.run_until_idle().await;
    assert_eq!(against(&app, &["INV-7001"]).await, ["earlier_transfer"]);
}

#[tokio::test]
async fn paying_is_off_by_default_and_can_be_switched_off_at_any_time() {
    let mut app = ready(Db::Sqlite, "").await.unwrap();
    let plan = planned(&app, &["INV-7001"]).await;
    ordered_by(&app, &plan, "ann").await.unwrap();
    app.reconfigure(|settings| settings.transfers.pay.enabled = false).await;
    app.run_until_idle().await;
    assert_eq!((orders(&app).await[0].state, creates(&app)), (OrderState::Held, 0));
    assert_eq!(refused(approved_by(&app, 1, "ann").await), Refused::Off);
    assert_eq!(refused(ordered_by(&app, &plan, "ann").await), Refused::Off);
}

/// Two invoices of one vendor over the same amount, ordered together: each gets its own transfer.
#[tokio::test]
async fn two_equal_invoices_are_paid_by_two_transfers() {
    let mut app = ready(Db::Sqlite, "").await.unwrap();
    invoice(&app, "INV-7002", 120_000).await;
    ordered(&app, &["INV-7001"]).await;
    app.run_until_idle().await;
    ordered(&app, &["INV-7002"]).await;
    app.run_until_idle().await;
    let made: BTreeSet<String> = orders(&app).await.into_iter().filter_map(|row| row.transfer).collect();
    assert_eq!((made.len(), creates(&app)), (2, 2));
}

#[tokio::test]
async fn a_plan_says_which_system_is_away() {
    let app = ready(Db::Sqlite, "").await.unwrap();
    let away = FaultKind::Status { status: 503, body: None, retry_after: None };
    app.world().faults.add(Fault::new(Side::Brex, away).path_contains("/v1/transfers").times(100));
    let failed = plan(&app.app, &app.app.connections[0], &[request("INV-7001")], &BTreeSet::new()).await;
    assert!(matches!(failed, Err(Halt::Api(_))));
}
