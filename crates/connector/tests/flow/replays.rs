//! `replay --from`: a record is taken up again from a stage where it has been, and nothing is done twice.

use domain::hold::HoldCode;
use domain::stage::Stage;
use rstest::rstest;
use sandbox::bc::{DocumentAction, DocumentChange, VendorChange};
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;

use crate::app::TestApp;
use crate::database::Db;
use crate::held::{a_vendor, ask_from, card};

/// Requests to Business Central that change something.
fn writes(app: &TestApp) -> u64 {
    let routes = app.world().meter.tally(Side::Bc).routes;
    routes.iter().filter(|(route, _)| !route.starts_with("GET ")).map(|(_, count)| count).sum()
}

async fn last_detail(app: &TestApp, record: &str) -> String {
    app.story(record).await.pop().unwrap().detail
}

#[rstest]
#[tokio::test]
async fn what_is_exported_is_compared_again_and_nothing_is_written(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[values(Stage::Verify, Stage::Attach, Stage::MarkExported)] from: Stage,
) {
    let Some(mut app) = TestApp::start(db, 4).await else { return };
    app.run_until_idle().await;
    let exported: Vec<String> = exported(&app).await;
    let (ledger, said) = (app.world().bc.ledger(), app.world().brex.records().len());
    let posts = writes(&app);
    for record in &exported {
        ask_from(&app, record, from).await;
    }
    app.run_until_idle().await;
    for record in &exported {
        assert_eq!(app.row(record).await.unwrap().stage, Stage::Exported);
        let actions = app.actions(record).await;
        assert!(actions.contains(&"replayed".to_owned()), "{actions:?}");
        assert_eq!(actions.last().map(String::as_str), Some("exported"), "{actions:?}");
    }
    assert_eq!(app.world().bc.ledger(), ledger);
    assert_eq!(writes(&app), posts, "nothing is written to Business Central");
    assert_eq!(app.world().brex.records().len(), said);
    app.assert_sound().await;
}

#[rstest]
#[tokio::test]
async fn what_is_exported_is_never_planned_anew(#[values(Stage::ResolveVendor, Stage::Map, Stage::Draft)] from: Stage) {
    let Some(mut app) = TestApp::start(Db::Sqlite, 4).await else { return };
    app.run_until_idle().await;
    let record = exported(&app).await.remove(0);
    ask_from(&app, &record, from).await;
    app.run_until_idle().await;
    assert_eq!(app.row(&record).await.unwrap().stage, Stage::Exported);
    assert!(last_detail(&app, &record).await.contains("has not come to that stage, or is over"));
}

#[rstest]
#[tokio::test]
async fn up_to_the_draft_a_record_is_taken_up_again_only_while_it_can_have_no_document(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[values(Stage::ResolveVendor, Stage::Map, Stage::Draft)] from: Stage,
) {
    let Some(mut app) = TestApp::start(db, 1).await else { return };
    app.run_until_idle().await;
    let (_, name) = a_vendor(&app);
    app.insert(&card("accr_up", &name, "64100", 12.5));
    app.poll_and_run(&[Stage::ResolveVendor, Stage::Map, Stage::Draft]).await;
    let world = app.world();
    let before = world.bc.documents_by_marker("accr_up");
    assert_eq!(before.len(), 1);

    ask_from(&app, "accr_up", from).await;
    ask_from(&app, "accr_up", Stage::MarkExported).await;
    app.run_until_idle().await;
    assert_eq!(app.actions("accr_up").await.iter().filter(|action| *action == "replayed").count(), 0);
    assert_eq!(app.row("accr_up").await.unwrap().stage, Stage::Exported, "it went on as if nobody had asked");

    app.insert(&card("accr_gone", &name, "64100", 13.5));
    app.poll_and_run(&[Stage::ResolveVendor, Stage::Map, Stage::Draft]).await;
    let id = world.bc.documents_by_marker("accr_gone")[0].id;
    let delete = DocumentChange { action: Some(DocumentAction::Delete), ..DocumentChange::default() };
    world.bc.change_document(id, delete, world.clock.now()).unwrap();
    ask_from(&app, "accr_gone", from).await;
    app.run_until_idle().await;
    assert_eq!(app.row("accr_gone").await.unwrap().stage, Stage::Exported, "made again, since a person said so");
    assert_eq!(world.bc.documents_by_marker("accr_gone").len(), 1);
    app.assert_sound().await;
}

#[tokio::test]
async fn a_record_whose_document_may_still_appear_is_not_taken_up_again() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    app.run_until_idle().await;
    let (_, name) = a_vendor(&app);
    app.insert(&card("accr_late", &name, "64100", 12.5));
    let late = FaultKind::LateCommit { seconds: 540, status: None };
    app.world().faults.add(Fault::new(Side::Bc, late).method("POST"));
    app.poll_and_run(&[Stage::ResolveVendor, Stage::Map, Stage::Draft]).await;
    ask_from(&app, "accr_late", Stage::Draft).await;
    app.tick().await;
    let told = app.story("accr_late").await;
    let refused = told.iter().find(|entry| entry.action == "request_refused").unwrap();
    assert!(refused.detail.contains("may still appear"), "{}", refused.detail);
    app.run_until_idle().await;
    assert_eq!(app.world().bc.documents_by_marker("accr_late").len(), 1);
    app.assert_sound().await;
}

#[tokio::test]
async fn a_held_record_is_mapped_again_for_a_person_and_its_hold_falls_only_if_its_cause_did() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    app.run_until_idle().await;
    let (number, _) = a_vendor(&app);
    app.insert(&card("accr_held", "Nobody Knows This Shop", "64100", 12.5));
    app.request("full_poll").await;
    app.run_until_idle().await;
    let before = app.row("accr_held").await.unwrap().hold.unwrap().code;
    assert!(matches!(before, HoldCode::VendorNotFound | HoldCode::VendorReview), "{before}");
    ask_from(&app, "accr_held", Stage::ResolveVendor).await;
    app.run_until_idle().await;
    assert_eq!(app.row("accr_held").await.unwrap().hold.unwrap().code, before, "still the same cause");
    let world = app.world();
    let named = VendorChange { name: Some("Nobody Knows This Shop".to_owned()), ..VendorChange::default() };
    world.bc.change_vendor(&number, named, world.clock.now()).unwrap();
    app.request("master_data").await;
    app.tick().await;
    ask_from(&app, "accr_held", Stage::ResolveVendor).await;
    app.run_until_idle().await;
    assert_eq!(app.row("accr_held").await.unwrap().stage, Stage::Exported);
    assert!(app.actions("accr_held").await.contains(&"replayed".to_owned()));
}

async fn exported(app: &TestApp) -> Vec<String> {
    let rows = app.rows().await.into_iter().filter(|row| row.stage == Stage::Exported);
    rows.map(|row| row.id.to_string()).collect()
}
