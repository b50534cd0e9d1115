//! Business Central tells what changed: who subscribed to what, until when, and what a notification does.

use std::collections::BTreeSet;

use connector::subscriptions::bc::SETS;
use domain::hold::HoldCode;
use domain::stage::Stage;
use jiff::SignedDuration;
use reqwest::Method;
use rstest::rstest;
use rust_decimal::Decimal;
use sandbox::Options;
use sandbox::bc::{DocumentChange, HandshakeMethod, Subscription, VendorChange};
use sandbox::company::Blocked;
use serde_json::json;

use crate::app::TestApp;
use crate::database::Db;
use crate::held::{a_vendor, card, hold_of};

const SUBSCRIPTIONS: &str = "subscriptions";
const HOUR: i64 = 3_600;

async fn connected(db: Db) -> Option<TestApp> {
    let mut app = TestApp::start_with(db, Options { records: 1, ..Options::default() }, "").await?;
    app.run_until_idle().await;
    Some(app)
}

pub(crate) fn subscriptions(app: &TestApp) -> Vec<Subscription> {
    app.world().bc.webhooks().subscriptions
}

/// Every set once, at the address of now, and not about to end.
pub(crate) fn assert_subscribed(app: &TestApp) {
    let (found, now) = (subscriptions(app), app.world().clock.now());
    let sets: BTreeSet<&str> = found.iter().map(|one| one.set.as_str()).collect();
    assert_eq!((sets, found.len()), (SETS.into(), SETS.len()));
    for one in found {
        assert!(one.notification_url.starts_with(&app.base_url), "{}", one.notification_url);
        assert!(one.expires > now + SignedDuration::from_hours(24), "{} ends {}", one.set, one.expires);
    }
}

pub(crate) fn rename(app: &TestApp, number: &str, name: &str) {
    let world = app.world();
    let change = VendorChange { name: Some(name.to_owned()), ..VendorChange::default() };
    world.bc.change_vendor(number, change, world.clock.now()).unwrap();
}

fn mirrored(app: &TestApp, number: &str) -> Option<String> {
    let directory = app.app.connections[0].directory();
    directory.vendor(number).map(|vendor| vendor.name.clone())
}

async fn upkeep(app: &mut TestApp) {
    app.request(SUBSCRIPTIONS).await;
    app.run_until_idle().await;
}

/// Tells what is due after the delay.
async fn told(app: &mut TestApp) {
    app.advance(31);
    app.run_until_idle().await;
}

async fn trail(app: &TestApp, action: &str) -> Vec<String> {
    let entries = app.app.store.audit().list(&app.connection(), 0, 100_000).await.unwrap();
    entries.into_iter().filter(|entry| entry.action == action).map(|entry| entry.detail).collect()
}

#[rstest]
#[tokio::test]
async fn a_renamed_vendor_is_known_half_a_minute_later(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = connected(db).await else { return };
    assert_subscribed(&app);
    let (number, _) = a_vendor(&app);
    rename(&app, &number, "Renamed Ltd");
    told(&mut app).await;
    assert_eq!(mirrored(&app, &number).as_deref(), Some("Renamed Ltd"));
}

/// Found by an independent reading: what was released was decided by the master data of before, and held again until the next refresh.
#[rstest]
#[tokio::test]
async fn a_vendor_that_is_blocked_no_longer_is_booked_half_a_minute_later(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = connected(db).await else { return };
    let (number, name) = a_vendor(&app);
    let world = app.world();
    let block = |blocked| VendorChange { blocked: Some(blocked), ..VendorChange::default() };
    world.bc.change_vendor(&number, block(Blocked::All), world.clock.now()).unwrap();
    told(&mut app).await;
    app.insert(&card("accr_blocked", &name, "64100", 12.5));
    app.poll_now().await;
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, "accr_blocked").await, Some(HoldCode::VendorBlocked));
    world.bc.change_vendor(&number, block(Blocked::No), world.clock.now()).unwrap();
    told(&mut app).await;
    assert_eq!(app.row("accr_blocked").await.unwrap().stage, Stage::Exported);
    app.assert_sound().await;
}

#[tokio::test]
async fn an_edited_document_is_told_without_waiting_for_the_daily_look() {
    let Some(mut app) = connected(Db::Sqlite).await else { return };
    let (_, name) = a_vendor(&app);
    app.insert(&card("accr_told", &name, "64100", 12.5));
    app.poll_now().await;
    app.run_until_idle().await;
    assert_eq!(app.row("accr_told").await.unwrap().stage, Stage::Exported);
    told(&mut app).await;
    assert_eq!(hold_of(&app, "accr_told").await, None, "what we did ourselves is no news");
    let world = app.world();
    let id = world.bc.documents_by_marker("accr_told")[0].id;
    let dearer = DocumentChange { unit_cost: Some(Decimal::new(1_300, 2)), ..DocumentChange::default() };
    world.bc.change_document(id, dearer, world.clock.now()).unwrap();
    told(&mut app).await;
    assert_eq!(hold_of(&app, "accr_told").await, Some(HoldCode::DocumentDiffers));
}

#[rstest]
#[tokio::test]
async fn a_subscription_is_renewed_at_half_of_its_life_under_a_new_client_state(
    #[values(HandshakeMethod::Get, HandshakeMethod::Post)] method: HandshakeMethod,
) {
    let Some(mut app) = connected(Db::Sqlite).await else { return };
    app.world().bc.configure(|settings| settings.webhooks.handshake_method = method);
    let before = subscriptions(&app);
    app.advance(35 * HOUR);
    upkeep(&mut app).await;
    let states = |found: &[Subscription]| found.iter().map(|one| one.client_state.clone()).collect::<Vec<_>>();
    assert_eq!(states(&subscriptions(&app)), states(&before), "not yet");
    app.advance(2 * HOUR);
    upkeep(&mut app).await;
    let after = subscriptions(&app);
    assert_subscribed(&app);
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before.id, after.id);
        assert_ne!(before.client_state, after.client_state);
    }
    // What was on its way under the old state is taken too.
    let (number, _) = a_vendor(&app);
    rename(&app, &number, "On Its Way Ltd");
    let row = app.app.connections[0].directory().vendor(&number).unwrap().id;
    assert_eq!(notify(&app, &before[0], &format!("{}({row})", before[0].resource)).await, 202);
    app.run_until_idle().await;
    assert_eq!(mirrored(&app, &number).as_deref(), Some("On Its Way Ltd"));
}

#[tokio::test]
async fn a_client_state_that_another_process_gave_is_known() {
    let Some(mut app) = connected(Db::Sqlite).await else { return };
    // As in a process that was there before the one that subscribed.
    app.app.connections[0].set_hook(|hook| hook.client_states.clear());
    let (number, _) = a_vendor(&app);
    rename(&app, &number, "Told Elsewhere Ltd");
    let row = app.app.connections[0].directory().vendor(&number).unwrap().id;
    let vendors = subscriptions(&app).into_iter().find(|one| one.set == "vendors").unwrap();
    assert_eq!(notify(&app, &vendors, &format!("{}({row})", vendors.resource)).await, 202);
    app.run_until_idle().await;
    assert_eq!(mirrored(&app, &number).as_deref(), Some("Told Elsewhere Ltd"));
}

async fn notify(app: &TestApp, of: &Subscription, resource: &str) -> u16 {
    let notification = json!({
        "subscriptionId": of.id, "clientState": of.client_state, "expirationDateTime": "2026-07-03T00:00:00Z",
        "resource": resource, "changeType": "updated", "lastModifiedDateTime": app.world().clock.now().to_string(),
    });
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let sent = client.request(Method::POST, &of.notification_url).body(json!({ "value": [notification] }).to_string());
    sent.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn what_is_gone_or_was_tampered_with_is_back_and_what_others_have_is_left_alone() {
    let Some(mut app) = connected(Db::Sqlite).await else { return };
    let service = &app.app.connections[0].bc.clone();
    // Somebody else's subscription, at an address that is not ours.
    let company = service.company(app.app.connections[0].identity().unwrap().bc_company);
    let receiver = format!("{}/_sandbox/receiver/other", app.sandbox.ready().control.base_url);
    let foreign = clients::bc::NewSubscription {
        notification_url: receiver.parse().unwrap(),
        set: "vendors",
        client_state: "theirs".into(),
    };
    let theirs = company.create_subscription(&foreign).await.unwrap();
    let listed = service.list_subscriptions().await.unwrap();
    let ours: Vec<_> = listed.iter().filter(|one| one.id != theirs.id).collect();
    // One is gone, one carries what somebody else chose.
    service.delete_subscription(&ours[0].id, &ours[0].etag).await.unwrap();
    let tampered = clients::bc::NewSubscription {
        notification_url: ours[1].notification_url.parse().unwrap(),
        set: SETS.into_iter().find(|set| ours[1].resource.ends_with(set)).unwrap(),
        client_state: "chosen by another".into(),
    };
    company.renew_subscription(&ours[1].id, &ours[1].etag, &tampered).await.unwrap().unwrap();
    upkeep(&mut app).await;
    let found = subscriptions(&app);
    assert_eq!(found.len(), SETS.len() + 1);
    assert!(found.iter().any(|one| one.id == theirs.id && one.client_state == "theirs"));
    assert!(found.iter().all(|one| one.client_state != "chosen by another"));
    let why = trail(&app, "subscribed").await;
    let count = |text: &str| why.iter().filter(|detail| detail.contains(text)).count();
    assert_eq!((count("missing"), count("client state changed")), (SETS.len() + 1, 1));
}

#[tokio::test]
async fn another_address_takes_the_subscriptions_of_both_sides_along() {
    let Some(mut app) = connected(Db::Sqlite).await else { return };
    let (before, webhooks) = (subscriptions(&app), app.world().brex.subscriptions());
    app.down().await;
    app.up(false).await;
    app.run_until_idle().await;
    assert_subscribed(&app);
    let ids = |found: &[Subscription]| found.iter().map(|one| one.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&subscriptions(&app)), ids(&before));
    let moved = app.world().brex.subscriptions();
    assert_eq!(
        moved.iter().map(|one| &one.id).collect::<Vec<_>>(),
        webhooks.iter().map(|one| &one.id).collect::<Vec<_>>()
    );
    assert!(moved.iter().all(|one| one.url.starts_with(&app.base_url)));
}

#[tokio::test]
async fn too_many_changes_to_tell_are_found_by_the_time_of_the_last_one() {
    let Some(mut app) = connected(Db::Sqlite).await else { return };
    told(&mut app).await;
    app.world().bc.configure(|settings| settings.webhooks.collection_threshold = 3);
    let numbers: Vec<String> = (1..=6).map(|n| format!("V{n:05}")).collect();
    for number in &numbers {
        rename(&app, number, &format!("{number} Renamed"));
    }
    told(&mut app).await;
    for number in &numbers {
        assert_eq!(mirrored(&app, number), Some(format!("{number} Renamed")));
    }
    assert_eq!(app.world().bc.webhooks().sent.back().unwrap().notifications, 1);
}

#[tokio::test]
async fn a_forged_notification_is_answered_and_has_no_effect() {
    let Some(mut app) = connected(Db::Sqlite).await else { return };
    let world = app.world();
    let (number, _) = a_vendor(&app);
    rename(&app, &number, "Quietly Renamed");
    world.bc.drop_notifications(world.clock.now());
    let row = app.app.connections[0].directory().vendor(&number).unwrap().id;
    assert_eq!(world.bc.forge_notification(row, world.clock.now()).await, SETS.len());
    app.run_until_idle().await;
    assert_ne!(mirrored(&app, &number).as_deref(), Some("Quietly Renamed"));
    assert!(!trail(&app, "notification_refused").await.is_empty());
    assert_subscribed(&app);
    // The schedule finds it all the same, within a period.
    app.advance(HOUR);
    app.run_until_idle().await;
    assert_eq!(mirrored(&app, &number).as_deref(), Some("Quietly Renamed"));
}

#[tokio::test]
async fn an_environment_that_takes_no_subscription_holds_no_record() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 40).await else { return };
    app.world().bc.configure(|settings| settings.webhooks.maximum = 0);
    app.run_until_idle().await;
    assert!(subscriptions(&app).is_empty());
    let jobs = app.app.store.jobs().list(&app.connection()).await.unwrap();
    let job = jobs.iter().find(|job| job.kind == SUBSCRIPTIONS).unwrap();
    assert!(job.error.is_some() && job.due_ms.is_some());
    app.assert_sound().await;
    assert!(app.rows().await.iter().any(|row| row.stage == Stage::Exported));
    app.world().bc.configure(|settings| settings.webhooks.maximum = 200);
    app.advance(HOUR);
    app.run_until_idle().await;
    assert_subscribed(&app);
}

#[tokio::test]
async fn the_room_that_others_leave_goes_to_the_most_important_sets() {
    let Some(mut app) = connected(Db::Sqlite).await else { return };
    let connection = &app.app.connections[0];
    let company = connection.bc.company(connection.identity().unwrap().bc_company);
    let receiver = format!("{}/_sandbox/receiver/other", app.sandbox.ready().control.base_url);
    for one in connection.bc.list_subscriptions().await.unwrap() {
        connection.bc.delete_subscription(&one.id, &one.etag).await.unwrap();
    }
    let foreign = clients::bc::NewSubscription {
        notification_url: receiver.parse().unwrap(),
        set: "vendors",
        client_state: "theirs".into(),
    };
    for _ in 0..198 {
        company.create_subscription(&foreign).await.unwrap();
    }
    upkeep(&mut app).await;
    let found = subscriptions(&app);
    let ours: Vec<&str> = found.iter().filter(|one| one.client_state != "theirs").map(|one| one.set.as_str()).collect();
    assert_eq!((found.len(), ours), (200, vec!["vendors", "purchaseInvoices"]));
}

#[tokio::test]
async fn no_client_state_is_ever_stored() {
    let Some(mut app) = connected(Db::Sqlite).await else { return };
    let states: Vec<String> = subscriptions(&app).into_iter().map(|one| one.client_state).collect();
    assert_eq!(states.iter().collect::<BTreeSet<_>>().len(), SETS.len());
    app.down().await;
    let path = app.database.url.trim_start_matches("sqlite:").to_owned();
    let bytes = std::fs::read(path).unwrap();
    for state in states {
        assert!(state.len() >= 64);
        assert!(!bytes.windows(state.len()).any(|window| window == state.as_bytes()));
    }
}
