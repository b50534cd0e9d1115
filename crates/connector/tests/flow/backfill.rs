//! Back-fills: many drafts with one `$batch`, each with its own outcome, and whatever is unclear is looked for.

use domain::hold::HoldCode;
use domain::stage::Stage;
use rstest::rstest;
use sandbox::Options;
use sandbox::bc::VendorChange;
use sandbox::company::Blocked;
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;

use crate::app::TestApp;
use crate::database::Db;
use crate::held::{a_vendor, card, hold_of};

const BATCH: u8 = 20;

/// A connection that may send `BATCH` drafts at once, with so many plain records.
async fn company(db: Db, records: usize) -> Option<TestApp> {
    let mut app = TestApp::start_with(db, Options { records: 1, ..Options::default() }, "").await?;
    app.reconfigure(|settings| settings.bc.backfill_batch = BATCH).await;
    app.run_until_idle().await;
    let (_, vendor) = a_vendor(&app);
    for place in 0..records {
        app.insert(&card(&format!("accr_fill_{place:03}"), &vendor, "64100", 12.5));
    }
    app.world().meter.reset();
    app.request("full_poll").await;
    Some(app)
}

/// Batches, and documents that were asked for alone.
fn asked(app: &TestApp) -> (u64, u64) {
    let tally = app.world().meter.tally(Side::Bc);
    let of = |end: &str| {
        let to_it = tally.routes.iter().filter(|(route, _)| route.starts_with("POST") && route.ends_with(end));
        to_it.map(|(_, number)| number).sum()
    };
    (of("/$batch"), of("/purchaseInvoices"))
}

fn on_batch(kind: FaultKind) -> Fault {
    Fault::new(Side::Bc, kind).method("POST").path_contains("$batch")
}

async fn assert_all_exported(app: &TestApp) {
    app.assert_sound().await;
    for row in app.rows().await {
        assert_eq!(row.stage, Stage::Exported, "{}: {:?}", row.id, row.hold);
    }
}

#[rstest]
#[tokio::test]
async fn a_back_fill_makes_twenty_drafts_with_a_request_and_the_rest_alone(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = company(db, 45).await else { return };
    app.run_until_idle().await;
    assert_eq!(asked(&app), (2, 5));
    assert_all_exported(&app).await;
}

#[tokio::test]
async fn without_a_back_fill_every_draft_has_a_request_of_its_own() {
    let Some(mut app) = company(Db::Sqlite, 45).await else { return };
    app.reconfigure(|settings| settings.bc.backfill_batch = 1).await;
    app.run_until_idle().await;
    assert_eq!(asked(&app), (0, 45));
    assert_all_exported(&app).await;
}

/// What the batch did is found, however little was answered; what it did not do is made by requests of its own.
#[rstest]
#[case::lost(FaultKind::DropAfter, 0)]
#[case::never_executed(FaultKind::DropBefore, 20)]
#[case::answered_in_part(FaultKind::PartOfBatch { keep: 7 }, 0)]
#[case::cut(FaultKind::TruncatedBody { keep: None }, 0)]
#[case::unavailable(FaultKind::Status { status: 503, body: None, retry_after: None }, 20)]
#[case::late(FaultKind::LateCommit { seconds: 540, status: Some(504) }, 0)]
#[case::refused(FaultKind::Status { status: 400, body: None, retry_after: None }, 20)]
#[case::unknown_there(FaultKind::Status { status: 404, body: None, retry_after: None }, 20)]
#[case::refused_after_the_effect(FaultKind::CommitThen400 { message: "An extension failed.".to_owned() }, 0)]
#[tokio::test]
async fn an_unclear_batch_makes_nothing_twice(#[case] kind: FaultKind, #[case] alone: u64) {
    let Some(mut app) = company(Db::Sqlite, 20).await else { return };
    app.world().faults.add(on_batch(kind));
    app.run_until_idle().await;
    assert_eq!(asked(&app), (1, alone), "what was sent before goes alone");
    assert_all_exported(&app).await;
}

#[tokio::test]
async fn a_batch_refused_for_its_rate_is_sent_again_and_counts_against_no_record() {
    let Some(mut app) = company(Db::Sqlite, 20).await else { return };
    let busy = FaultKind::Status { status: 429, body: None, retry_after: Some(3) };
    app.world().faults.add(on_batch(busy));
    app.run_until_idle().await;
    assert_eq!(asked(&app), (1, 20), "each has a time of its own at which it is sent again");
    assert_all_exported(&app).await;
}

/// After a batch that was refused as a whole no other is tried.
#[tokio::test]
async fn where_no_batch_is_taken_the_rest_goes_alone() {
    let Some(mut app) = company(Db::Sqlite, 300).await else { return };
    app.world().faults.add(on_batch(FaultKind::Status { status: 404, body: None, retry_after: None }).times(1_000));
    app.run_until_idle().await;
    let (batches, alone) = asked(&app);
    assert!(batches <= 5, "{batches}: as many as were under way when the first was refused");
    assert_eq!(alone, 300);
    assert_all_exported(&app).await;
}

/// Whoever may not make documents may make none in a batch: the connection stops, nothing was done, and it goes on.
#[tokio::test]
async fn a_batch_that_is_not_permitted_stops_the_connection_and_not_the_records() {
    let Some(mut app) = company(Db::Sqlite, 40).await else { return };
    app.world().faults.add(on_batch(FaultKind::Status { status: 403, body: None, retry_after: None }).times(2));
    app.run_until_idle().await;
    assert_all_exported(&app).await;
}

/// Invoices and credit memos, defaults that are met, holds of every kind: with batches nothing is different.
#[rstest]
#[tokio::test]
async fn a_company_of_every_kind_has_the_same_books_with_batches(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut calm) = TestApp::start(Db::Sqlite, 60).await else { return };
    calm.run_until_idle().await;
    let Some(mut app) = TestApp::start(db, 60).await else { return };
    app.reconfigure(|settings| settings.bc.backfill_batch = 4).await;
    app.run_until_idle().await;
    app.assert_sound().await;
    assert!(asked(&app).0 > 0);
    assert_eq!(app.agreement().invoices, calm.agreement().invoices);
    assert_eq!(app.agreement().credit_memos, calm.agreement().credit_memos);
}

/// The lease ends while the first batch is sent: nothing of the others is.
#[tokio::test]
async fn a_process_that_freezes_before_a_batch_sends_nothing_of_it() {
    let Some(mut app) = company(Db::Sqlite, 60).await else { return };
    app.reconfigure(|settings| {
        (settings.bc.max_concurrent, settings.bc.backfill_batch) = (1, BATCH);
    })
    .await;
    app.prepare().await;
    app.advance(31);
    app.world().meter.reset();
    app.world().faults.add(on_batch(FaultKind::MoveClock { seconds: 60 }));
    app.poll_and_run(&[Stage::ResolveVendor, Stage::Map, Stage::Draft]).await;
    assert_eq!(asked(&app), (1, 0), "the lease is over, and another process may be at work");
    app.advance(60);
    app.run_until_idle().await;
    assert_all_exported(&app).await;
}

#[rstest]
#[tokio::test]
async fn one_refused_draft_of_a_batch_holds_only_itself(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = company(db, 19).await else { return };
    let world = app.world();
    let (plain, _) = a_vendor(&app);
    let other = world.company.vendors.iter().find(|v| {
        v.blocked == Blocked::No && v.currency.is_empty() && v.default_dimensions.is_empty() && v.number != plain
    });
    let other = other.unwrap();
    app.insert(&card("accr_fill_blocked", &other.name, "64100", 3.25));
    // Blocked when the connector has read its vendors already.
    let blocked = VendorChange { blocked: Some(Blocked::All), ..VendorChange::default() };
    world.bc.change_vendor(&other.number, blocked, world.clock.now()).unwrap();
    app.run_until_idle().await;
    assert_eq!(asked(&app).0, 1);
    assert_eq!(hold_of(&app, "accr_fill_blocked").await, Some(HoldCode::VendorBlocked));
    let done = app.rows().await.iter().filter(|row| row.stage == Stage::Exported).count();
    assert_eq!(done, 20);
    app.assert_sound().await;
}

/// The process dies with a batch under way; the next one finds all of it.
#[rstest]
#[tokio::test]
async fn a_death_during_a_batch_makes_nothing_twice(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[values(1, 2, 3)] requests: u64,
) {
    let Some(mut app) = company(db, 60).await else { return };
    app.die_after(Side::Bc, requests).await;
    app.restart().await;
    app.run_until_idle().await;
    assert_all_exported(&app).await;
}
