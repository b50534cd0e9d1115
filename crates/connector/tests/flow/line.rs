//! The main line: every kind of record ends where it belongs, with the document an accountant would have made.

use domain::stage::Stage;
use rstest::rstest;
use sandbox::brex::{Expectation, Outcome};

use crate::app::TestApp;
use crate::database::Db;

#[rstest]
#[tokio::test]
async fn every_record_of_the_zoo_ends_exported_held_or_set_aside_and_the_books_agree(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(mut app) = TestApp::start(db, 120).await else { return };
    app.run_until_idle().await;
    app.assert_sound().await;
    let mut surprises = Vec::new();
    for report in app.world().brex.records() {
        let row = app.row(&report.id).await;
        let found = row.as_ref().map(|row| (row.stage, row.hold.as_ref().map(|hold| hold.code.as_str())));
        // A careful accountant books a raw descriptor or asks; the zoo says that both are right.
        let may_ask = report.why.contains("asking a person");
        let fits = match report.expect {
            Expectation::Document => match found {
                Some((Stage::Exported, None)) => true,
                Some((_, Some("vendor_review"))) => may_ask,
                _ => false,
            },
            Expectation::Held => matches!(found, Some((_, Some(_)))),
            Expectation::NotSpend => matches!(found, Some((Stage::NotSpend, None))),
            Expectation::NotReady => found.is_none(),
        };
        if !fits {
            surprises.push(format!("{} {} ({}): {found:?}", report.id, report.record_type, report.why));
        }
        if let (Some(expected), Some(row)) = (&report.expected_vendor, &row)
            && row.stage == Stage::Exported
        {
            assert_eq!(row.vendor_number.as_ref(), Some(expected), "{}: {}", report.id, report.why);
        }
    }
    assert_eq!(surprises, Vec::<String>::new());
    let matched = app.world().brex.records().into_iter().filter(|report| report.why.contains("asking a person"));
    assert!(matched.filter(|report| report.review_status == "EXPORTED").count() > 0, "no descriptor was matched");
    assert!(app.agreement().invoices > 60);
    assert!(app.agreement().credit_memos > 3);
}

#[rstest]
#[tokio::test]
async fn a_second_run_over_the_same_data_changes_nothing(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = TestApp::start(db, 120).await else { return };
    app.run_until_idle().await;
    let (ledger, rows) = (app.world().bc.ledger(), app.rows().await);
    let entries = app.app.store.audit().list(&app.connection(), 0, 100_000).await.unwrap().len();
    app.restart().await;
    app.request("full_poll").await;
    app.run_until_idle().await;
    assert_eq!(app.world().bc.ledger(), ledger);
    for (now, before) in app.rows().await.iter().zip(&rows) {
        assert_eq!(now, before);
    }
    assert_eq!(app.rows().await.len(), rows.len());
    assert_eq!(app.app.store.audit().list(&app.connection(), 0, 100_000).await.unwrap().len(), entries);
}

#[tokio::test]
async fn the_story_of_a_record_tells_every_step_with_its_reason() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    app.run_until_idle().await;
    let record = app.world().brex.records()[0].id.clone();
    assert_eq!(
        app.actions(&record).await,
        ["received", "vendor_resolved", "mapped", "intent_committed", "document_created", "verified", "exported"]
    );
    // Two of them are one step, and say each on its own where the record stood.
    let told = app.app.store.audit().list_for(&app.connection(), &record, 100).await.unwrap();
    let states = |action: &str| {
        let entry = told.iter().find(|entry| entry.action == action).unwrap();
        (entry.before.clone().unwrap(), entry.after.clone().unwrap())
    };
    let pair = |before: &str, after: &str| (before.to_owned(), after.to_owned());
    assert_eq!(states("vendor_resolved"), pair("resolve_vendor", "map"));
    assert_eq!(states("mapped"), pair("map", "draft"));
    assert_eq!(states("verified"), pair("verify", "attach"));
    assert_eq!(states("exported"), pair("mark_exported", "exported"));
    let exports = app.world().brex.records()[0].exports.clone();
    let document = &app.world().bc.ledger()[0];
    let Outcome::Success { reference_id, deep_link_url } = &exports[0].outcome else { panic!("refused") };
    assert_eq!(reference_id.as_deref(), Some(document.number.as_str()));
    assert!(deep_link_url.as_ref().is_some_and(|link| link.contains("businesscentral.dynamics.com")));
}

#[tokio::test]
async fn the_recorded_real_record_goes_through_the_whole_line_when_it_is_there() {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/reference/brex-openapi/recorded-accounting-record.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        eprintln!("skipped: the recorded record is not beside this checkout");
        return;
    };
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    app.world().brex.insert(&text, Expectation::Document, "recorded").unwrap();
    let id = serde_json::from_str::<serde_json::Value>(&text).unwrap()["id"].as_str().unwrap().to_owned();
    app.click_export(&id);
    app.run_until_idle().await;
    let held = app.row(&id).await.unwrap();
    assert_eq!(held.hold.unwrap().code.as_str(), "vendor_not_found");

    let vendor = sandbox::bc::VendorChange { name: Some("Vendor H".to_owned()), ..Default::default() };
    let world = app.world();
    world.bc.change_vendor("V99900", vendor, world.clock.now()).unwrap();
    app.request("master_data").await;
    app.run_until_idle().await;
    assert_eq!(app.row(&id).await.unwrap().stage, Stage::Exported);
    let document = app.world().bc.documents_by_marker(&id).remove(0);
    assert_eq!((document.total.to_string().as_str(), document.lines[0].number.as_str()), ("171.75", "7500"));
    app.assert_sound().await;
}
