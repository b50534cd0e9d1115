//! Webhooks: genuine ones hurry the poll, repeated ones change nothing, forged ones do nothing at all.

use domain::stage::Stage;
use rstest::rstest;
use sandbox::Options;
use sandbox::brex::Expectation;
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;

use crate::app::TestApp;
use crate::database::Db;

/// A record that waits for its Export click and will become a document.
fn waiting(app: &TestApp) -> String {
    let reports = app.world().brex.records();
    let report =
        reports.iter().find(|r| r.expect == Expectation::NotReady && r.expect_when_ready == Expectation::Document);
    report.expect("a record to click").id.clone()
}

#[rstest]
#[tokio::test]
async fn a_click_on_export_arrives_by_webhook_without_a_poll(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = TestApp::start(db, 120).await else { return };
    app.run_until_idle().await;
    let record = waiting(&app);
    app.click_export(&record);
    app.run_until_idle().await;
    assert_eq!(app.row(&record).await.unwrap().stage, Stage::Exported);
    let story = app.story(&record).await;
    assert!(story[0].detail.contains("webhook"), "{}", story[0].detail);
    app.assert_sound().await;
}

#[tokio::test]
async fn a_lost_webhook_costs_at_most_one_poll_period() {
    let options = Options { records: 120, webhook_drop_percent: 100, ..Options::default() };
    let Some(mut app) = TestApp::start_with(Db::Sqlite, options, "").await else { return };
    app.run_until_idle().await;
    let record = waiting(&app);
    app.click_export(&record);
    app.run_until_idle().await;
    assert!(app.row(&record).await.is_none(), "nobody told");
    app.advance(900);
    app.run_until_idle().await;
    assert_eq!(app.row(&record).await.unwrap().stage, Stage::Exported);
    assert!(app.story(&record).await[0].detail.contains("poll"));
}

#[rstest]
#[tokio::test]
async fn two_deliveries_of_one_webhook_have_one_effect(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = TestApp::start(db, 120).await else { return };
    app.run_until_idle().await;
    let record = waiting(&app);
    app.click_export(&record);
    app.run_until_idle().await;
    let before = (app.rows().await, app.world().bc.ledger());
    assert!(app.world().brex.repeat_deliveries(app.world().clock.now()) > 0);
    app.run_until_idle().await;
    assert_eq!((app.rows().await, app.world().bc.ledger()), before);
}

#[tokio::test]
async fn a_forged_webhook_has_no_effect_and_leaves_a_trace() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 120).await else { return };
    app.run_until_idle().await;
    let record = waiting(&app);
    let world = app.world();
    world.brex.forge_event(std::slice::from_ref(&record), world.clock.now());
    world.brex.deliver_due(&world.clock).await;
    let pending = app.app.store.inbox().list_unhandled(&app.connection(), "brex", 10).await.unwrap();
    assert!(pending.is_empty());
    assert!(app.row(&record).await.is_none());
    let entries = app.app.store.audit().list(&app.connection(), 0, 100_000).await.unwrap();
    assert!(entries.iter().any(|entry| entry.action == "webhook_refused"));
    world.brex.drop_pending();
    app.assert_sound().await;
}

#[tokio::test]
async fn secrets_rotated_in_brex_do_not_refuse_a_genuine_delivery() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 120).await else { return };
    app.run_until_idle().await;
    let world = app.world();
    world.brex.rotate_secret();
    world.brex.finish_rotation();
    let record = waiting(&app);
    app.click_export(&record);
    app.run_until_idle().await;
    assert_eq!(app.row(&record).await.unwrap().stage, Stage::Exported);
    assert!(app.story(&record).await[0].detail.contains("webhook"));
}

#[tokio::test]
async fn an_unknown_address_a_missing_signature_and_a_huge_body_are_refused_with_nothing_said() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    app.run_until_idle().await;
    let client = reqwest::Client::builder().build().unwrap();
    let post = async |path: &str, body: Vec<u8>| {
        let answer = client.post(format!("{}{path}", app.base_url)).body(body).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let token = app.app.connections[0].hook().token.unwrap();
    assert_eq!(post("/hooks/brex/guess", b"{}".to_vec()).await, (404, String::new()));
    assert_eq!(post(&format!("/hooks/brex/{token}"), b"{}".to_vec()).await, (401, String::new()));
    assert_eq!(post(&format!("/hooks/brex/{token}"), vec![b'x'; 2 * 1024 * 1024]).await.0, 413);
}

#[tokio::test]
async fn a_restarted_process_still_knows_its_webhook_address() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    app.run_until_idle().await;
    let before = app.app.connections[0].hook().token.unwrap();
    app.restart().await;
    app.tick().await;
    assert_eq!(app.app.connections[0].hook().token, Some(before));
}

#[tokio::test]
async fn a_webhook_that_is_off_short_of_an_event_doubled_or_gone_is_as_it_should_be_after_the_next_look() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    app.run_until_idle().await;
    let brex = app.app.connections[0].brex.clone();
    let registered = app.world().brex.subscriptions();
    let (id, url) = (registered[0].id.clone(), registered[0].url.clone());
    let short =
        clients::brex::NewSubscription { url: url.parse().unwrap(), event_types: vec!["TRANSFER_FAILED".to_owned()] };
    let off = clients::brex::SubscriptionStatus::Inactive;
    brex.update_subscription(&id, &short, &off).await.unwrap();
    brex.create_subscription(uuid::Uuid::nil(), &short).await.unwrap();
    let other = clients::brex::NewSubscription { url: "https://other.example/hooks/brex/x".parse().unwrap(), ..short };
    let theirs = brex.create_subscription(uuid::Uuid::max(), &other).await.unwrap().id;
    app.request("webhook").await;
    app.run_until_idle().await;
    let is_right = |app: &TestApp| {
        let found = app.world().brex.subscriptions();
        let ours: Vec<_> = found.iter().filter(|one| one.id != theirs).collect();
        assert_eq!((found.len(), ours.len()), (2, 1));
        let active = sandbox::brex::SubscriptionStatus::Active;
        assert_eq!((&ours[0].url, ours[0].status, ours[0].event_types.len()), (&url, active, 3));
        ours[0].id.clone()
    };
    assert_eq!(is_right(&app), id);
    brex.delete_subscription(&id).await.unwrap();
    app.request("webhook").await;
    app.run_until_idle().await;
    assert_ne!(is_right(&app), id);
    let entries = app.app.store.audit().list(&app.connection(), 0, 100_000).await.unwrap();
    let count = |action: &str| entries.iter().filter(|entry| entry.action == action).count();
    assert_eq!((count("webhook_registered"), count("webhook_repaired")), (2, 1));
}

#[tokio::test]
async fn a_webhook_that_brex_refuses_to_keep_holds_no_record() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 40).await else { return };
    let refused = FaultKind::Status { status: 403, body: None, retry_after: None };
    app.world().faults.add(Fault::new(Side::Brex, refused).path_contains("/v1/webhooks").times(1_000));
    app.run_until_idle().await;
    assert!(app.rows().await.iter().any(|row| row.stage == Stage::Exported));
    assert_eq!(app.app.store.connections().get(&app.connection()).await.unwrap().unwrap().problem, None);
    let jobs = app.app.store.jobs().list(&app.connection()).await.unwrap();
    assert!(jobs.iter().any(|job| job.kind == "webhook" && job.error.is_some() && job.due_ms.is_some()));
    app.assert_sound().await;
}

#[tokio::test]
async fn the_token_is_used_once_a_day_even_while_business_central_is_away() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    app.run_until_idle().await;
    let away = FaultKind::Status { status: 503, body: None, retry_after: None };
    app.world().faults.add(Fault::new(Side::Bc, away).times(1_000_000));
    for _ in 0..4 {
        app.advance(12 * 3_600);
        app.tick().await;
        app.advance(3_600);
        app.tick().await;
    }
    let jobs = app.app.store.jobs().list(&app.connection()).await.unwrap();
    let job = jobs.iter().find(|job| job.kind == "keep_alive").unwrap();
    let day_ms = 24 * 3_600 * 1_000;
    assert!(job.error.is_none() && app.app.now_ms() - job.finished_ms.unwrap() < day_ms);
}
