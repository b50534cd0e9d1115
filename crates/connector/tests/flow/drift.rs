//! Documents of exported records that are edited, posted or deleted in Business Central: told once, never changed.

use connector::flow::operator::{Request, Verb};
use domain::hold::HoldCode;
use domain::stage::Stage;
use rust_decimal::Decimal;
use sandbox::Options;
use sandbox::bc::{DocumentAction, DocumentChange};
use serde_json::json;

use crate::app::TestApp;
use crate::database::Db;
use crate::held::{a_vendor, card, hold_of};

const ID: &str = "accr_drift";
const FULL_POLL: &str = "full_poll";

async fn exported(settings: &str) -> Option<TestApp> {
    let options = Options { records: 1, ..Options::default() };
    let mut app = TestApp::start_with(Db::Sqlite, options, settings).await?;
    let (_, name) = a_vendor(&app);
    app.insert(&card(ID, &name, "64100", 12.5));
    app.run_until_idle().await;
    assert_eq!(app.row(ID).await.unwrap().stage, Stage::Exported);
    Some(app)
}

fn change(app: &TestApp, change: DocumentChange) {
    let world = app.world();
    let id = world.bc.documents_by_marker(ID)[0].id;
    world.bc.change_document(id, change, world.clock.now()).unwrap();
}

fn act(action: DocumentAction) -> DocumentChange {
    DocumentChange { action: Some(action), ..DocumentChange::default() }
}

fn cost(cents: i64) -> DocumentChange {
    DocumentChange { unit_cost: Some(Decimal::new(cents, 2)), ..DocumentChange::default() }
}

/// Two looks one after the other: what is told by the second, too, was told twice.
async fn look_twice(app: &mut TestApp) {
    for _ in 0..2 {
        app.request(FULL_POLL).await;
        app.run_until_idle().await;
    }
}

async fn count(app: &TestApp, action: &str) -> usize {
    app.actions(ID).await.iter().filter(|found| *found == action).count()
}

#[tokio::test]
async fn an_edited_document_is_told_once_and_forgotten_when_it_is_as_planned_again() {
    let Some(mut app) = exported("").await else { return };
    look_twice(&mut app).await;
    assert_eq!(hold_of(&app, ID).await, None);
    change(&app, cost(1300));
    let ledger = app.world().bc.ledger();
    look_twice(&mut app).await;
    let row = app.row(ID).await.unwrap();
    let hold = row.hold.unwrap();
    assert_eq!((row.stage, hold.code), (Stage::Exported, HoldCode::DocumentDiffers));
    assert!(hold.sentence.contains("planned 12.5, found 13"), "{}", hold.sentence);
    assert_eq!(count(&app, "document_drifted").await, 1);
    change(&app, cost(1400));
    look_twice(&mut app).await;
    assert_eq!(count(&app, "document_drifted").await, 2, "another change is told");
    change(&app, cost(1300));
    assert_eq!(app.world().bc.ledger(), ledger, "nothing but what people did");
    change(&app, cost(1250));
    look_twice(&mut app).await;
    assert_eq!(hold_of(&app, ID).await, None);
    app.assert_sound().await;
}

#[tokio::test]
async fn a_change_that_a_person_set_aside_is_not_told_again() {
    let Some(mut app) = exported("").await else { return };
    change(&app, cost(1300));
    look_twice(&mut app).await;
    let request = Request {
        verb: Verb::Retry,
        record: domain::id::RecordId::new(ID),
        person: "ann".to_owned(),
        reason: "agreed with the supplier".to_owned(),
        from: None,
        rev: None,
    };
    let (job, argument) = (request.job(), serde_json::to_string(&request).unwrap());
    let jobs = app.app.store.jobs();
    jobs.request(&app.connection(), &job, Some(&argument), app.app.now_ms()).await.unwrap();
    app.run_until_idle().await;
    look_twice(&mut app).await;
    assert_eq!(hold_of(&app, ID).await, None);
    assert_eq!(count(&app, "document_drifted").await, 1);
}

#[tokio::test]
async fn a_posted_document_is_told_with_its_new_number_and_needs_nobody() {
    let Some(mut app) = exported("").await else { return };
    let draft = app.row(ID).await.unwrap().document_no;
    change(&app, act(DocumentAction::Post));
    look_twice(&mut app).await;
    let row = app.row(ID).await.unwrap();
    let posted = app.world().bc.documents_by_marker(ID)[0].number.clone();
    assert_eq!((row.hold, row.document_no.as_deref()), (None, Some(posted.as_str())));
    assert_ne!(row.document_no, draft);
    assert_eq!(count(&app, "document_posted").await, 1);
}

#[tokio::test]
async fn a_deleted_document_is_told_and_not_made_again() {
    let Some(mut app) = exported("").await else { return };
    change(&app, act(DocumentAction::Delete));
    look_twice(&mut app).await;
    assert_eq!(hold_of(&app, ID).await, Some(HoldCode::DocumentMissing));
    assert_eq!(count(&app, "document_drifted").await, 1);
    assert!(app.world().bc.documents_by_marker(ID).is_empty());
}

#[tokio::test]
async fn what_the_policy_ignores_is_not_told_and_neither_is_what_is_too_old() {
    let ignored = ["edited", "posted", "deleted"].map(|case| format!("{case} = \"ignore\"\n")).concat();
    for settings in [format!("[connection.drift]\n{ignored}"), "[connection.drift]\ndays = 0\n".to_owned()] {
        for changed in [cost(1300), act(DocumentAction::Post), act(DocumentAction::Delete)] {
            let Some(mut app) = exported(&settings).await else { return };
            let before = app.row(ID).await;
            change(&app, changed);
            look_twice(&mut app).await;
            assert_eq!(app.row(ID).await, before);
        }
    }
}

#[tokio::test]
async fn an_edit_in_brex_after_the_export_is_told_unless_the_policy_ignores_it() {
    let told = [("", Some(HoldCode::RecordChanged)), ("[connection.drift]\nrecord_edited = \"ignore\"\n", None)];
    for (settings, hold) in told {
        let Some(mut app) = exported(settings).await else { return };
        let world = app.world();
        let patch = json!({ "erp_posting_date": "2026-06-22T15:00:00Z" });
        world.brex.edit(ID, patch.as_object().unwrap(), world.clock.now()).unwrap();
        look_twice(&mut app).await;
        assert_eq!(hold_of(&app, ID).await, hold, "{settings}");
        assert!(app.actions(ID).await.contains(&"version_seen".to_owned()), "{settings}");
    }
}
