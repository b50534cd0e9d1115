//! Bad weather as a whole: late commits, bursts of errors, answers that cannot be read, and a database from yesterday.

use rstest::rstest;
use sandbox::Options;
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;
use serde_json::json;

use crate::app::TestApp;
use crate::database::Db;
use crate::held::{a_vendor, card};

const RECORDS: usize = 30;

async fn company(db: Db) -> Option<TestApp> {
    TestApp::start_with(db, Options { records: RECORDS, ..Options::default() }, "").await
}

/// The documents of the company in good weather.
async fn in_good_weather() -> usize {
    let mut app = company(Db::Sqlite).await.unwrap();
    app.run_until_idle().await;
    app.agreement().invoices + app.agreement().credit_memos
}

async fn assert_the_same_books(app: &mut TestApp) {
    app.world().faults.clear();
    // Holds that the weather left behind are looked at again.
    for _ in 0..3 {
        app.request("master_data").await;
        app.request("full_poll").await;
        app.run_until_idle().await;
        app.advance(1_500);
    }
    app.assert_sound().await;
    assert_eq!(app.agreement().invoices + app.agreement().credit_memos, in_good_weather().await);
}

#[rstest]
#[tokio::test]
async fn what_business_central_commits_nine_minutes_late_is_adopted(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = company(db).await else { return };
    let late = FaultKind::LateCommit { seconds: 540, status: None };
    app.world().faults.add(Fault::new(Side::Bc, late).method("POST").path_contains("purchaseInvoices").times(5));
    app.run_until_idle().await;
    assert_the_same_books(&mut app).await;
}

#[rstest]
#[case::unavailable(FaultKind::Status { status: 503, body: None, retry_after: None })]
#[case::server_error(FaultKind::Status { status: 500, body: None, retry_after: None })]
#[case::dropped_before(FaultKind::DropBefore)]
#[case::dropped_after(FaultKind::DropAfter)]
#[case::cut(FaultKind::TruncatedBody { keep: None })]
#[case::a_page_of_html(FaultKind::NotJson)]
#[case::nothing(FaultKind::EmptyBody)]
#[case::idle_connection(FaultKind::StaleConnection)]
#[case::huge(FaultKind::HugeBody { bytes: 200_000_000 })]
#[tokio::test]
async fn every_third_answer_of_both_sides_is_bad_and_the_books_are_the_same(#[case] kind: FaultKind) {
    in_bad_weather(Db::Sqlite, &kind).await;
}

#[rstest]
#[case::unavailable(FaultKind::Status { status: 503, body: None, retry_after: None })]
#[case::dropped_after(FaultKind::DropAfter)]
#[tokio::test]
async fn every_third_answer_is_bad_and_the_books_on_postgresql_are_the_same(#[case] kind: FaultKind) {
    in_bad_weather(Db::Postgres, &kind).await;
}

async fn in_bad_weather(db: Db, kind: &FaultKind) {
    let Some(mut app) = company(db).await else { return };
    app.prepare().await;
    for (seed, side) in [(1, Side::Bc), (2, Side::Brex)] {
        app.world().faults.add(Fault::new(side, kind.clone()).percent(33, seed).times(200));
    }
    app.run_until_idle().await;
    assert_the_same_books(&mut app).await;
}

#[tokio::test]
async fn a_database_from_before_the_last_documents_makes_none_a_second_time() {
    let Some(mut app) = company(Db::Sqlite).await else { return };
    let file = app.database.url.trim_start_matches("sqlite:").to_owned();
    let copy = format!("{file}.copy");
    app.run_until_idle().await;
    app.down().await;
    std::fs::copy(&file, &copy).unwrap();
    app.up(true).await;
    let (_, vendor) = a_vendor(&app);
    let ids = ["accr_since_1", "accr_since_2", "accr_since_3"];
    for id in ids {
        let mut record = card(id, &vendor, "64100", 12.5);
        record["updated_at"] = json!(app.world().clock.now().to_string());
        app.insert(&record);
    }
    // They are not exported yet when the disk is lost.
    let refuses = FaultKind::Status { status: 503, body: None, retry_after: None };
    app.world().faults.add(Fault::new(Side::Brex, refuses).method("POST").path_contains("export-results").times(100));
    app.poll_now().await;
    for _ in 0..100 {
        app.tick().await;
        app.advance(1);
    }
    let documents = app.world().bc.ledger().len();
    for id in ids {
        assert_eq!(app.world().bc.documents_by_marker(id).len(), 1, "{id}");
    }
    app.down().await;
    std::fs::copy(&copy, &file).unwrap();
    app.world().faults.clear();
    app.up(true).await;
    assert_eq!(app.row(ids[0]).await, None, "the old database does not know them");
    for _ in 0..3 {
        app.request("full_poll").await;
        app.run_until_idle().await;
        app.advance(1_500);
    }
    app.assert_sound().await;
    assert_eq!(app.world().bc.ledger().len(), documents, "no document is made again");
    assert!(ids.iter().all(|id| app.world().brex.record(id).unwrap().review_status == "EXPORTED"));
}
