//! What is kept of people goes when its time is over, and the proof stays.

use connector::flow::operator::{Request, Verb, ask};
use domain::id::RecordId;
use domain::stage::Stage;
use rstest::rstest;
use sandbox::Options;
use store::Chain;

use crate::app::TestApp;
use crate::database::Db;

const DAY: i64 = 86_400;

async fn payloads(app: &TestApp) -> usize {
    let ids: Vec<(RecordId, i64)> = app.rows().await.into_iter().map(|row| (row.id, row.version)).collect();
    app.app.store.payloads().get_many(&app.connection(), &ids).await.unwrap().len()
}

#[rstest]
#[tokio::test]
async fn what_is_over_for_long_is_erased_and_the_trail_still_verifies(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let options = Options { records: 20, ..Options::default() };
    let settings = "[connection.retention]\nerase_after_days = 100\n";
    let Some(mut app) = TestApp::start_with(db, options, settings).await else { return };
    app.run_until_idle().await;
    let before = payloads(&app).await;
    let rows = app.rows().await;
    let over = rows.iter().filter(|row| row.stage.is_done() && row.hold.is_none()).count();
    assert!(over > 5 && over < rows.len(), "{over} of {}", rows.len());
    // A token that nobody uses for long dies.
    for days in [50, 49] {
        app.advance(days * DAY);
        app.run_until_idle().await;
    }
    assert_eq!(payloads(&app).await, before, "its time is not over");
    app.advance(2 * DAY);
    app.run_until_idle().await;
    let rows = app.rows().await;
    let gone = rows.iter().filter(|row| row.merchant.is_none() && row.plan.is_none() && row.stage.is_done()).count();
    assert!(gone >= over, "{gone} of {over}");
    assert!(payloads(&app).await <= before - over);
    assert!(rows.iter().any(|row| row.hold.is_some() && row.merchant.is_some()), "what waits for a person is needed");
    let chain = app.app.store.audit().verify(&app.connection()).await.unwrap();
    assert!(matches!(chain, Chain::Verified { .. }), "{chain:?}");
    let erased = rows.iter().find(|row| row.document_id.is_some() && row.plan.is_none()).unwrap().id.to_string();
    let (record, from) = (RecordId::new(erased.as_str()), Some(Stage::Verify));
    let [person, reason] = ["ann", "once more"].map(str::to_owned);
    let request = Request { verb: Verb::Replay, record, person, reason, from, rev: None };
    assert!(ask(&app.app, &app.connection(), &request).await.unwrap());
    app.run_until_idle().await;
    let refused = app.story(&erased).await.into_iter().find(|entry| entry.action == "request_refused").unwrap();
    assert!(refused.detail.contains("what was planned is erased"), "{}", refused.detail);
    let documents = app.agreement().invoices;
    app.request("full_poll").await;
    app.run_until_idle().await;
    assert_eq!(app.agreement().invoices, documents, "and nothing is made anew");
}
