//! The vendor directory when Brex is unclear: whose a vendor is after a lost answer, a cursor that is refused, a nudge that
//! comes after a comparison was asked for.

use connector::vendors::directory::{DIRECTORY, nudge};
use domain::brex_vendor::Presence;
use rstest::rstest;
use sandbox::bc::VendorChange;
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;
use serde_json::json;

use crate::app::TestApp;
use crate::database::Db;
use crate::directory::{assert_one_each, in_brex, map, start};

/// Loses the answer of the first create and works until that has happened.
async fn lose_the_create(app: &mut TestApp, kind: FaultKind) {
    app.world().faults.add(Fault::new(Side::Brex, kind).method("POST").path_contains("/v1/vendors"));
    for _ in 0..200 {
        if app.world().faults.pending().is_empty() {
            return;
        }
        app.tick().await;
    }
    panic!("nothing was created");
}

#[tokio::test]
async fn a_vendor_that_a_person_made_after_an_unclear_create_is_linked_and_never_taken_for_ours() {
    let settings = "numbers = [\"V00001\"]\non_block = \"delete\"\n";
    let Some(mut app) = start(Db::Sqlite, settings).await else { return };
    lose_the_create(&mut app, FaultKind::DropBefore).await;
    let name = map(&app).await[0].name.clone().unwrap();
    app.world().brex.add_vendor(&json!({ "company_name": name })).unwrap();
    app.run_until_idle().await;
    let row = map(&app).await.remove(0);
    assert_eq!(row.brex_id.as_deref(), in_brex(&app)[0]["id"].as_str());
    assert!(!row.ours);
    assert_one_each(&app).await;
    let world = app.world();
    let blocked = VendorChange { blocked: Some(sandbox::company::Blocked::All), ..VendorChange::default() };
    world.bc.change_vendor("V00001", blocked, world.clock.now()).unwrap();
    app.advance(1);
    app.app.store.jobs().request(&app.connection(), DIRECTORY, Some("full"), app.app.now_ms()).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(in_brex(&app).len(), 1, "it is a person's: never deleted");
}

#[tokio::test]
async fn a_vendor_whose_create_lost_its_answer_is_ours_because_the_key_answers_with_it() {
    let Some(mut app) = start(Db::Sqlite, "numbers = [\"V00001\"]\n").await else { return };
    lose_the_create(&mut app, FaultKind::DropAfter).await;
    app.run_until_idle().await;
    let row = map(&app).await.remove(0);
    assert!(row.ours && row.written.is_some());
    assert_one_each(&app).await;
}

#[rstest]
#[tokio::test]
async fn a_cursor_that_is_refused_again_and_again_is_waited_for_longer_each_time(#[values(1, 4)] times: u32) {
    let Some(mut app) = start(Db::Sqlite, "").await else { return };
    let answer = |status, body| FaultKind::Status { status, body: Some(body), retry_after: None };
    let refused = answer(400, json!({ "message": "invalid cursor" }));
    let more = answer(200, json!({ "items": [], "next_cursor": "dead" }));
    let faults = &app.world().faults;
    faults.add(Fault::new(Side::Brex, refused).path_contains("cursor=dead").times(times));
    faults.add(Fault::new(Side::Brex, more).method("GET").path_contains("/v1/vendors?limit").times(times));
    let begun = app.app.now_ms();
    app.run_until_idle().await;
    assert_eq!(app.world().faults.pending(), [], "every fault came to pass");
    let least: i64 = (0..i64::from(times)).map(|tries| domain::pace::retry_delay_ms(tries, None, 0)).sum();
    assert!(app.app.now_ms() - begun >= least, "it waited less than {least} ms");
    assert_one_each(&app).await;
}

#[tokio::test]
async fn a_nudge_does_not_take_the_place_of_a_comparison_that_was_asked_for() {
    let Some(mut app) = start(Db::Sqlite, "").await else { return };
    app.run_until_idle().await;
    let world = app.world();
    world
        .bc
        .change_vendor("V00020", VendorChange { delete: true, ..VendorChange::default() }, world.clock.now())
        .unwrap();
    app.advance(1);
    app.app.store.jobs().request(&app.connection(), DIRECTORY, Some("full"), app.app.now_ms()).await.unwrap();
    nudge(&app.app, &app.connection()).await.unwrap();
    app.run_until_idle().await;
    let gone = map(&app).await.into_iter().find(|row| row.number == "V00020").unwrap();
    assert_eq!(gone.presence, Presence::Gone, "only a comparison of everything shows that");
}
