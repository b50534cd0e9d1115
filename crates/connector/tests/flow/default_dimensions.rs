//! Default dimensions of accounts and vendors that meet coded ones: the document carries exactly the coded values, once,
//! and the next one needs no refusal.

use domain::hold::HoldCode;
use domain::stage::Stage;
use sandbox::Options;
use sandbox::bc::{DocumentAction, DocumentChange};
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::database::Db;
use crate::held::{a_vendor, card, hold_of};

/// Advertising: its default is DEPARTMENT MKT.
const WITH_DEFAULT: &str = "61300";
/// A vendor whose default is REGION SOUTH.
const VENDOR_WITH_DEFAULT: &str = "Georgia Power Company";

/// A card record coded to an account, DEPARTMENT SALES and REGION WEST.
fn coded(id: &str, merchant: &str, account: &str) -> Value {
    let mut record = card(id, merchant, account, 12.5);
    for (dimension, value) in [("DEPARTMENT", "SALES"), ("REGION", "WEST")] {
        let coding = record["line_items"][0]["accounting_field_values"].as_array_mut().unwrap();
        coding.push(json!({
            "brex_field_id": format!("extended_field_{dimension}"), "remote_field_id": format!("DIM_{dimension}"),
            "brex_field_value_id": "efo_2", "remote_field_value_id": value,
        }));
    }
    record
}

/// Nothing is brought by the header, so lines bring their own.
const LINES_ONLY: &str = "header_dimensions = false";

async fn start(db: Db) -> Option<TestApp> {
    TestApp::start_with(db, Options { records: 1, ..Options::default() }, LINES_ONLY).await
}

async fn waiting(id: &str, account: &str) -> Option<TestApp> {
    let app = start(Db::Sqlite).await?;
    let (_, name) = a_vendor(&app);
    app.insert(&coded(id, &name, account));
    Some(app)
}

/// There is one document, and its line has exactly the coded values.
fn assert_as_coded(app: &TestApp, id: &str) {
    let documents = app.world().bc.documents_by_marker(id);
    let [document] = documents.as_slice() else { panic!("{id} has {} documents", documents.len()) };
    let line = document.lines.iter().find(|line| line.line_type == "Account").unwrap();
    let dimensions: Vec<(&str, &str)> = line.dimensions.iter().map(|(code, value)| (&**code, &**value)).collect();
    assert_eq!(dimensions, [("DEPARTMENT", "SALES"), ("REGION", "WEST")], "{id}");
}

async fn assert_exported(app: &TestApp, id: &str) {
    let row = app.row(id).await.unwrap();
    assert_eq!((row.stage, row.hold), (Stage::Exported, None), "{id}");
    assert_as_coded(app, id);
    app.assert_sound().await;
}

async fn was_refused(app: &TestApp, id: &str) -> bool {
    app.actions(id).await.contains(&"default_dimension_met".to_owned())
}

fn on_dimensions(kind: FaultKind) -> Fault {
    Fault::new(Side::Bc, kind).path_contains("/dimensionSetLines")
}

#[rstest::rstest]
#[tokio::test]
async fn a_default_of_the_account_is_replaced_by_the_coded_value_and_remembered(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(mut app) = start(db).await else { return };
    let (_, name) = a_vendor(&app);
    app.insert(&coded("accr_first", &name, WITH_DEFAULT));
    app.run_until_idle().await;
    assert_exported(&app, "accr_first").await;
    assert!(was_refused(&app, "accr_first").await);
    let story = app.story("accr_first").await;
    let set = story.iter().find(|entry| entry.action == "dimensions_set").unwrap();
    let detail: Value = serde_json::from_str(&set.detail).unwrap();
    assert_eq!(detail["set"][0]["instead_of"], "MKT", "{detail}");
    assert_eq!(detail["set"][1]["instead_of"], Value::Null, "{detail}");

    app.insert(&coded("accr_second", &name, WITH_DEFAULT));
    app.insert(&coded("accr_other", &name, "64100"));
    app.poll_now().await;
    app.run_until_idle().await;
    for id in ["accr_second", "accr_other"] {
        assert_exported(&app, id).await;
        assert!(!was_refused(&app, id).await, "{id}");
    }
    let sets = app.actions("accr_other").await.iter().filter(|action| *action == "dimensions_set").count();
    assert_eq!(sets, 0, "an account without defaults gets its dimensions with the line");
}

#[tokio::test]
async fn a_default_of_the_vendor_is_remembered_for_all_its_accounts() {
    let Some(mut app) = start(Db::Sqlite).await else { return };
    app.insert(&coded("accr_first", VENDOR_WITH_DEFAULT, "64100"));
    app.run_until_idle().await;
    assert_exported(&app, "accr_first").await;
    assert!(was_refused(&app, "accr_first").await);
    app.insert(&coded("accr_second", VENDOR_WITH_DEFAULT, "64200"));
    app.poll_now().await;
    app.run_until_idle().await;
    assert_exported(&app, "accr_second").await;
    assert!(!was_refused(&app, "accr_second").await);
}

#[tokio::test]
async fn a_crash_at_any_request_leaves_a_draft_that_is_completed_and_not_made_twice() {
    let Some(mut calm) = waiting("accr_crash", WITH_DEFAULT).await else { return };
    let begun = calm.world().meter.tally(Side::Bc).requests;
    calm.run_until_idle().await;
    let requests = calm.world().meter.tally(Side::Bc).requests - begun;
    for after in 1..=requests {
        let mut app = waiting("accr_crash", WITH_DEFAULT).await.unwrap();
        app.die_after(Side::Bc, after).await;
        app.restart().await;
        app.run_until_idle().await;
        assert_exported(&app, "accr_crash").await;
    }
}

#[tokio::test]
async fn lost_answers_to_a_dimension_are_read_back() {
    let busy = FaultKind::Status { status: 503, body: None, retry_after: None };
    for kind in [FaultKind::DropAfter, FaultKind::DropBefore, busy] {
        for method in ["PATCH", "POST"] {
            let Some(mut app) = waiting("accr_lost", WITH_DEFAULT).await else { return };
            app.world().faults.add(on_dimensions(kind.clone()).method(method));
            app.run_until_idle().await;
            assert_exported(&app, "accr_lost").await;
            let actions = app.actions("accr_lost").await;
            assert!(actions.contains(&"postponed".to_owned()), "{kind:?} {method}: {actions:?}");
        }
    }
}

#[tokio::test]
async fn a_draft_that_somebody_posted_meanwhile_is_left_alone_and_held() {
    let Some(mut app) = waiting("accr_posted", WITH_DEFAULT).await else { return };
    app.world().faults.add(
        on_dimensions(FaultKind::Status { status: 503, body: None, retry_after: None }).method("PATCH").times(1_000),
    );
    for _ in 0..10 {
        app.tick().await;
    }
    let world = app.world();
    let id = world.bc.documents_by_marker("accr_posted")[0].id;
    let post = DocumentChange { action: Some(DocumentAction::Post), ..DocumentChange::default() };
    world.bc.change_document(id, post, world.clock.now()).unwrap();
    world.faults.clear();
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, "accr_posted").await, Some(HoldCode::DocumentDiffers));
    let documents = world.bc.documents_by_marker("accr_posted");
    let line = documents[0].lines.iter().find(|line| line.line_type == "Account").unwrap();
    assert_eq!(line.dimensions.get("DEPARTMENT").map(String::as_str), Some("MKT"));
}

#[tokio::test]
async fn a_value_that_is_refused_on_the_draft_holds_and_clears_when_it_is_unblocked() {
    let Some(mut app) = waiting("accr_blocked", WITH_DEFAULT).await else { return };
    let world = app.world();
    let block = |blocked| world.bc.block_dimension_value("DEPARTMENT", "SALES", blocked, world.clock.now()).unwrap();
    block(true);
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, "accr_blocked").await, Some(HoldCode::DimensionUnusable));
    block(false);
    app.request("master_data").await;
    app.run_until_idle().await;
    assert_exported(&app, "accr_blocked").await;
}

/// The header of its document.
fn header_of(app: &TestApp, id: &str) -> Vec<(String, String)> {
    app.world().bc.documents_by_marker(id)[0].dimensions.clone().into_iter().collect()
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(code, value)| ((*code).to_owned(), (*value).to_owned())).collect()
}

#[rstest::rstest]
#[tokio::test]
async fn the_header_has_what_all_lines_have_and_lines_take_it_over(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = TestApp::start(db, 1).await else { return };
    let (_, name) = a_vendor(&app);
    app.insert(&coded("accr_plain", &name, "64100"));
    app.insert(&coded("accr_default", &name, WITH_DEFAULT));
    app.run_until_idle().await;
    for id in ["accr_plain", "accr_default"] {
        assert_exported(&app, id).await;
        assert!(!was_refused(&app, id).await, "{id}");
        assert_eq!(header_of(&app, id), pairs(&[("DEPARTMENT", "SALES"), ("REGION", "WEST")]), "{id}");
    }
    let set = |actions: Vec<String>| actions.contains(&"dimensions_set".to_owned());
    assert!(!set(app.actions("accr_plain").await), "what was taken over needs no further call");
}

#[tokio::test]
async fn a_default_of_the_vendor_on_the_header_is_replaced_by_the_coded_value_and_remembered() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    app.insert(&coded("accr_first", VENDOR_WITH_DEFAULT, "64100"));
    app.run_until_idle().await;
    assert_exported(&app, "accr_first").await;
    assert!(was_refused(&app, "accr_first").await);
    app.insert(&coded("accr_second", VENDOR_WITH_DEFAULT, "64200"));
    app.poll_now().await;
    app.run_until_idle().await;
    assert_exported(&app, "accr_second").await;
    assert!(!was_refused(&app, "accr_second").await);
    for id in ["accr_first", "accr_second"] {
        assert_eq!(header_of(&app, id), pairs(&[("DEPARTMENT", "SALES"), ("REGION", "WEST")]), "{id}");
    }
}

#[tokio::test]
async fn a_dimension_that_lines_do_not_share_is_not_on_the_header() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let (_, name) = a_vendor(&app);
    let mut record = coded("accr_split", &name, "64100");
    let half = json!({ "amount": 6.25, "currency": "USD" });
    record["line_items"][0]["amount"] = half.clone();
    let mut second = record["line_items"][0].clone();
    second["id"] = json!("line_second");
    second["accounting_field_values"][1]["remote_field_value_id"] = json!("MKT");
    record["line_items"].as_array_mut().unwrap().insert(1, second);
    app.insert(&record);
    app.run_until_idle().await;
    let row = app.row("accr_split").await.unwrap();
    assert_eq!((row.stage, row.hold), (Stage::Exported, None));
    assert_eq!(header_of(&app, "accr_split"), pairs(&[("REGION", "WEST")]));
}
