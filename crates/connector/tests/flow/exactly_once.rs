//! Lost answers, refusals that were none, crashes between the steps: at most one document, whatever happens.

use domain::stage::Stage;
use rstest::rstest;
use sandbox::World;
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;

use crate::app::TestApp;
use crate::database::Db;

const CREATE: &str = "purchaseInvoices";

async fn one_record(db: Db) -> Option<(TestApp, String)> {
    let app = TestApp::start(db, 1).await?;
    let record = app.world().brex.records()[0].id.clone();
    Some((app, record))
}

/// How many invoices were asked for.
pub(crate) fn creates(world: &World) -> u64 {
    let tally = world.meter.tally(Side::Bc);
    tally.routes.iter().filter(|(route, _)| route.starts_with("POST") && route.contains(CREATE)).map(|(_, n)| n).sum()
}

fn on_create(kind: FaultKind) -> Fault {
    Fault::new(Side::Bc, kind).method("POST").path_contains(CREATE)
}

#[rstest]
#[tokio::test]
async fn a_lost_answer_does_not_create_a_second_document(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some((mut app, record)) = one_record(db).await else { return };
    app.world().faults.add(on_create(FaultKind::DropAfter));
    app.run_until_idle().await;
    assert_eq!(creates(&app.world()), 1, "the document was looked for, not sent again");
    let actions = app.actions(&record).await;
    assert!(actions.contains(&"outcome_unknown".to_owned()), "{actions:?}");
    assert!(actions.contains(&"document_adopted".to_owned()), "{actions:?}");
    assert_eq!(app.row(&record).await.unwrap().stage, Stage::Exported);
    app.assert_sound().await;
}

/// The intents of the whole batch are committed; then the process stands still while its first documents are sent. Two at once may both
/// have asked for the lease before the clock moves; nothing after them is sent.
#[rstest]
#[tokio::test]
async fn a_process_that_freezes_in_the_middle_of_a_batch_sends_nothing_more_of_it(#[values(1, 2)] at_once: u16) {
    let Some(mut app) = TestApp::start(Db::Sqlite, 10).await else { return };
    app.reconfigure(|settings| (settings.bc.max_concurrent, settings.bc.requests_per_second) = (at_once, 20)).await;
    app.prepare().await;
    app.advance(31);
    app.world().faults.add(on_create(FaultKind::MoveClock { seconds: 60 }));
    app.poll_and_run(&[Stage::ResolveVendor, Stage::Map, Stage::Draft]).await;
    let sent = creates(&app.world());
    assert!((1..=u64::from(at_once)).contains(&sent), "{sent}: the lease is over, and another process may be at work");
    app.advance(60);
    app.run_until_idle().await;
    app.assert_sound().await;
}

#[rstest]
#[tokio::test]
async fn a_request_that_was_never_executed_is_sent_again_only_after_the_settle_window(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some((mut app, record)) = one_record(db).await else { return };
    app.world().faults.add(on_create(FaultKind::DropBefore));
    let begun = app.app.now_ms();
    app.run_until_idle().await;
    assert_eq!(creates(&app.world()), 2);
    assert!(app.app.now_ms() - begun >= 1_200_000, "the settle window was waited for");
    let intents =
        app.app.store.intents().list_for(&app.connection(), &domain::id::RecordId::new(record.as_str())).await.unwrap();
    assert_eq!(intents.len(), 2);
    assert_eq!(app.row(&record).await.unwrap().stage, Stage::Exported);
    app.assert_sound().await;
}

#[tokio::test]
async fn a_server_error_after_the_effect_is_adopted_and_one_before_it_is_settled_first() {
    for (kind, expected_creates) in [
        (FaultKind::Status { status: 500, body: None, retry_after: None }, 2),
        (FaultKind::Status { status: 504, body: None, retry_after: None }, 2),
        (FaultKind::DropAfter, 1),
    ] {
        let Some((mut app, record)) = one_record(Db::Sqlite).await else { return };
        app.world().faults.add(on_create(kind.clone()));
        app.run_until_idle().await;
        assert_eq!(creates(&app.world()), expected_creates, "{kind:?}");
        assert_eq!(app.row(&record).await.unwrap().stage, Stage::Exported, "{kind:?}");
        app.assert_sound().await;
    }
}

#[rstest]
#[tokio::test]
async fn a_lost_export_answer_is_read_back_and_counts_as_done(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some((mut app, record)) = one_record(db).await else { return };
    app.world().faults.add(Fault::new(Side::Brex, FaultKind::DropAfter).method("POST").path_contains("export-results"));
    app.run_until_idle().await;
    assert_eq!(app.row(&record).await.unwrap().stage, Stage::Exported);
    assert_eq!(app.world().brex.record(&record).unwrap().exports.len(), 1);
    app.assert_sound().await;
}

/// A process that dies after any number of ticks, many times over, ends in the same books.
#[rstest]
#[tokio::test]
async fn a_restart_after_every_single_tick_ends_in_the_same_books(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = TestApp::start(db, 40).await else { return };
    for _ in 0..12 {
        app.tick().await;
        app.restart().await;
    }
    app.run_until_idle().await;
    app.assert_sound().await;
    let Some(mut calm) = TestApp::start(db, 40).await else { return };
    calm.run_until_idle().await;
    assert_eq!(app.agreement().invoices, calm.agreement().invoices);
    assert_eq!(app.agreement().credit_memos, calm.agreement().credit_memos);
}

/// Every stage is made to run a second time on rows that it has already handled: nothing may change.
#[rstest]
#[tokio::test]
async fn running_every_stage_twice_changes_nothing(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = TestApp::start(db, 40).await else { return };
    app.prepare().await;
    for _ in 0..3 {
        app.poll_and_run(&[]).await;
        app.poll_and_run(&[]).await;
        for stage in Stage::WORKING {
            app.run_stage_twice(stage).await;
        }
    }
    app.run_until_idle().await;
    app.assert_sound().await;
    let all = app.world().bc.ledger();
    let invoices = all.iter().filter(|document| document.kind == sandbox::bc::DocumentKind::Invoice).count();
    assert_eq!(creates(&app.world()), u64::try_from(invoices).unwrap(), "no request to create was sent twice");
}

#[tokio::test]
async fn documents_of_a_lost_database_are_found_and_adopted() {
    let Some((mut app, record)) = one_record(Db::Sqlite).await else { return };
    app.world().faults.add(
        Fault::new(Side::Brex, FaultKind::Status { status: 503, body: None, retry_after: None })
            .method("POST")
            .path_contains("export-results")
            .times(1_000),
    );
    for _ in 0..10 {
        app.tick().await;
    }
    assert_eq!(app.world().bc.ledger().len(), 1);
    app.forget_everything().await;
    app.world().faults.clear();
    app.run_until_idle().await;
    assert_eq!(creates(&app.world()), 1);
    assert!(app.actions(&record).await.contains(&"document_adopted".to_owned()));
    app.assert_sound().await;
}

#[tokio::test]
async fn a_frozen_process_whose_lease_went_to_another_sends_nothing() {
    let Some((mut app, record)) = one_record(Db::Sqlite).await else { return };
    app.prepare().await;
    app.poll_and_run(&[Stage::ResolveVendor, Stage::Map]).await;
    app.advance(60);
    let lane = app.app.connections[0].settings.lane();
    let other = app.app.store.lanes().lease(&lane, "another process", app.app.now_ms(), 30_000).await.unwrap();
    assert!(other.is_some());
    for _ in 0..5 {
        app.tick().await;
    }
    assert_eq!(creates(&app.world()), 0);
    app.advance(60);
    app.run_until_idle().await;
    assert_eq!(app.row(&record).await.unwrap().stage, Stage::Exported);
    app.assert_sound().await;
}
