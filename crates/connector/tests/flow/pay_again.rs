//! Orders of transfers that are unclear, refused or held: what is sent again, under which key, and what a person has to decide.

use connector::transfers::pay::word::Refused;
use rstest::rstest;
use sandbox::bc::Payment;
use sandbox::brex::Role as BrexRole;
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;
use serde_json::json;
use store::OrderState;

use crate::database::Db;
use crate::pay::{against, approved_by, assert_paid_once, declined_by, in_brex, ordered, orders, ready, refused};

/// Brex may forget a key: an order that stayed unclear for so long is given to a person, never sent again.
#[tokio::test]
async fn an_unclear_order_is_not_sent_again_once_its_key_may_be_forgotten() {
    let mut app = ready(Db::Sqlite, "").await.unwrap();
    ordered(&app, &["INV-7001"]).await;
    let lost = Fault::new(Side::Brex, FaultKind::DropBefore).method("POST").path_contains("/v1/transfers");
    app.world().faults.add(lost);
    app.tick().await;
    for _ in 0..20 {
        app.tick().await;
    }
    assert_eq!(orders(&app).await[0].state, OrderState::Sending);
    app.down().await;
    app.advance(21 * 3_600);
    app.up(true).await;
    app.run_until_idle().await;
    let row = orders(&app).await.remove(0);
    assert_eq!((row.state, row.attempts), (OrderState::Held, 1), "{row:?}");
    assert!(matches!(refused(approved_by(&app, 1, "ann").await), Refused::NotNow { state: "held", .. }));
    declined_by(&app, 1, "ann").await.unwrap();
    ordered(&app, &["INV-7001"]).await;
    app.run_until_idle().await;
    assert_eq!(in_brex(&app, "INV-7001").await.len(), 1);
}

fn lost_create(kind: FaultKind) -> Fault {
    Fault::new(Side::Brex, kind).method("POST").path_contains("/v1/transfers")
}

/// The first request never arrived, and nobody worked overnight: in the morning somebody pays by hand.
#[rstest]
#[tokio::test]
async fn what_was_paid_by_hand_while_an_order_was_unclear_is_not_sent_again(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(mut app) = ready(db, "").await else { return };
    ordered(&app, &["INV-7001"]).await;
    app.world().faults.add(lost_create(FaultKind::DropBefore));
    for _ in 0..20 {
        app.tick().await;
    }
    let row = orders(&app).await.remove(0);
    assert_eq!(row.state, OrderState::Sending);
    let owed = row.order.invoice;
    app.down().await;
    app.advance(8 * 3_600);
    let world = app.world();
    world.bc.pay_document(owed, &Payment::default(), world.clock.now()).unwrap();
    app.up(true).await;
    app.run_until_idle().await;
    let row = orders(&app).await.remove(0);
    assert_eq!((row.state, row.attempts), (OrderState::Held, 1), "{row:?}");
    assert!(in_brex(&app, "INV-7001").await.is_empty());
}

/// Held because the token was not allowed, then paid by hand, then approved: judged again.
#[tokio::test]
async fn a_held_order_that_is_approved_is_judged_again_before_it_is_sent() {
    let mut app = ready(Db::Sqlite, "").await.unwrap();
    ordered(&app, &["INV-7001"]).await;
    app.world().faults.add(lost_create(FaultKind::Status { status: 403, body: None, retry_after: None }));
    app.run_until_idle().await;
    let row = orders(&app).await.remove(0);
    assert_eq!((row.state, row.attempts), (OrderState::Held, 1));
    let world = app.world();
    world.bc.pay_document(row.order.invoice, &Payment::default(), world.clock.now()).unwrap();
    approved_by(&app, 1, "lee").await.unwrap();
    app.run_until_idle().await;
    let row = orders(&app).await.remove(0);
    assert_eq!((row.state, row.attempts), (OrderState::Held, 1), "{row:?}");
    assert!(in_brex(&app, "INV-7001").await.is_empty());
}

#[tokio::test]
async fn an_order_that_may_be_in_brex_is_not_sent_again_once_paying_is_switched_off() {
    let mut app = ready(Db::Sqlite, "").await.unwrap();
    ordered(&app, &["INV-7001"]).await;
    app.world().faults.add(lost_create(FaultKind::DropBefore));
    for _ in 0..20 {
        app.tick().await;
    }
    app.reconfigure(|settings| settings.transfers.pay.enabled = false).await;
    app.run_until_idle().await;
    let row = orders(&app).await.remove(0);
    assert_eq!((row.state, row.attempts), (OrderState::Held, 1));
    assert!(in_brex(&app, "INV-7001").await.is_empty());
}

/// The first request commits late, its repeat is refused: until the first may have arrived nobody orders anew.
#[tokio::test]
async fn a_refused_repeat_is_not_taken_for_a_refusal_of_the_first() {
    let mut app = ready(Db::Sqlite, "").await.unwrap();
    ordered(&app, &["INV-7001"]).await;
    app.world().faults.add(lost_create(FaultKind::LateCommit { seconds: 540, status: Some(504) }));
    app.world().faults.add(lost_create(FaultKind::Status { status: 400, body: None, retry_after: None }));
    app.run_until_idle().await;
    let row = orders(&app).await.remove(0);
    assert_eq!((row.state, row.attempts), (OrderState::Held, 2), "{row:?}");
    assert!(matches!(refused(declined_by(&app, 1, "ann").await), Refused::NotNow { state: "held", .. }));
    assert!(against(&app, &["INV-7001"]).await.contains(&"ordered"));
    app.advance(1_300);
    app.run_until_idle().await;
    approved_by(&app, 1, "ann").await.unwrap();
    app.run_until_idle().await;
    assert_paid_once(&app).await;
}

/// Brex gives no clear answer again and again: a person is told, and may have it tried again with the same key.
#[tokio::test]
async fn after_many_unclear_answers_a_person_looks() {
    let mut app = ready(Db::Sqlite, "").await.unwrap();
    ordered(&app, &["INV-7001"]).await;
    let away = FaultKind::Status { status: 503, body: None, retry_after: None };
    app.world().faults.add(Fault::new(Side::Brex, away).method("POST").path_contains("/v1/transfers").times(100));
    app.run_until_idle().await;
    let row = orders(&app).await.remove(0);
    assert_eq!(row.state, OrderState::Held);
    assert!(row.note.unwrap().contains("no clear answer again and again"));
    let early = refused(declined_by(&app, 1, "ann").await);
    assert!(matches!(early, Refused::NotNow { state: "held", .. }), "it may still arrive: {early:?}");
    app.world().faults.clear();
    approved_by(&app, 1, "ann").await.unwrap();
    app.run_until_idle().await;
    assert_paid_once(&app).await;
}

#[tokio::test]
async fn a_token_that_may_not_pay_holds_the_order_and_nothing_else() {
    let mut app = ready(Db::Sqlite, "").await.unwrap();
    ordered(&app, &["INV-7001"]).await;
    app.world().brex.configure(|settings| settings.payments.role = BrexRole::Employee);
    app.run_until_idle().await;
    let row = orders(&app).await.remove(0);
    assert_eq!(row.state, OrderState::Held);
    assert!(row.note.unwrap().starts_with("Brex does not let this token pay"));
    let connections = app.app.store.connections();
    assert_eq!(connections.get(&app.connection()).await.unwrap().unwrap().problem, None);
    app.world().brex.configure(|settings| settings.payments.role = BrexRole::ApClerk);
    approved_by(&app, 1, "ann").await.unwrap();
    app.run_until_idle().await;
    assert_paid_once(&app).await;
}

#[tokio::test]
async fn what_brex_refuses_may_be_ordered_again_once_it_is_mended() {
    let mut app = ready(Db::Sqlite, "").await.unwrap();
    ordered(&app, &["INV-7001"]).await;
    let body = json!({ "type": "BAD_REQUEST", "message": "Counterparty is frozen" });
    let no = FaultKind::Status { status: 400, body: Some(body), retry_after: None };
    app.world().faults.add(Fault::new(Side::Brex, no).method("POST").path_contains("/v1/transfers"));
    app.run_until_idle().await;
    let row = orders(&app).await.remove(0);
    assert_eq!(row.state, OrderState::Refused, "{row:?}");
    assert!(row.note.unwrap().starts_with("Brex refused the transfer"));
    ordered(&app, &["INV-7001"]).await;
    app.run_until_idle().await;
    assert_eq!(in_brex(&app, "INV-7001").await.len(), 1);
}
