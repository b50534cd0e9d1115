//! The machine's clock is put forward or back, while the process runs or while it does not.

use domain::stage::Stage;
use rstest::rstest;
use sandbox::Options;
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;

use crate::app::{TestApp, start_of_time};
use crate::database::Db;
use crate::held::{a_vendor, card};

const HOUR: i64 = 60 * 60;

fn minutes_passed(app: &TestApp) -> i64 {
    app.world().clock.now().duration_since(start_of_time()).as_secs() / 60
}

/// A record whose document Business Central makes nine minutes late.
async fn arrives_late(app: &TestApp) {
    let late = FaultKind::LateCommit { seconds: 540, status: None };
    app.world().faults.add(Fault::new(Side::Bc, late).method("POST").times(1));
    let (_, name) = a_vendor(app);
    app.insert(&card("accr_late", &name, "64100", 12.5));
    app.request("full_poll").await;
}

async fn assert_made_once(app: &mut TestApp) {
    app.run_until_idle().await;
    app.advance(600);
    app.request("full_poll").await;
    app.run_until_idle().await;
    assert_eq!(app.agreement().duplicates, Vec::<String>::new());
    assert_eq!(app.world().bc.documents_by_marker("accr_late").len(), 1);
    app.assert_sound().await;
}

/// Several creates are under way, of which some come nine minutes late, when somebody sets the clock.
#[rstest]
#[case::an_hour_forward(HOUR)]
#[case::a_month_forward(30 * 24 * HOUR)]
#[case::an_hour_back(-HOUR)]
#[case::a_month_back(-30 * 24 * HOUR)]
#[tokio::test]
async fn a_clock_that_is_set_in_the_middle_of_the_work_ends_no_settle_window_and_holds_up_nothing(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[case] seconds: i64,
) {
    let Some(mut app) = TestApp::start(db, 30).await else { return };
    let late = FaultKind::LateCommit { seconds: 540, status: None };
    app.world().faults.add(Fault::new(Side::Bc, late).method("POST").times(4));
    while app.agreement().invoices == 0 {
        app.tick().await;
    }
    app.set_clock_by(seconds);
    let before = minutes_passed(&app);
    app.run_until_idle().await;
    app.assert_sound().await;
    let minutes = minutes_passed(&app) - before;
    assert!(minutes <= 25, "what was unclear is settled after 20 minutes, not after {minutes}");
    let connection = app.connection();
    let subject = format!("connection {connection}");
    let told = app.app.store.audit().list_for(&connection, &subject, 1_000).await.unwrap();
    let told: Vec<_> = told.iter().filter(|entry| entry.action == "clock_was_set").collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].detail, format!(r#"{{"seconds":{seconds}}}"#));
}

/// A clock that was ahead by an hour is put right between two processes: the second one does not wait for that hour to pass.
#[rstest]
#[tokio::test]
async fn a_clock_that_was_put_back_before_the_start_holds_up_nothing(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let options = Options { records: 10, ..Options::default() };
    let Some(mut app) = TestApp::start_with(db, options, "").await else { return };
    app.set_clock_by(HOUR);
    app.run_until_idle().await;
    app.down().await;
    app.set_clock_by(-HOUR);
    app.up(true).await;
    let (_, name) = a_vendor(&app);
    app.insert(&card("accr_after", &name, "64100", 12.5));
    let (world, memo) = (app.world(), serde_json::json!({ "memo": "just edited" }));
    world.brex.edit("accr_after", memo.as_object().unwrap(), world.clock.now()).unwrap();
    let before = minutes_passed(&app);
    while app.row("accr_after").await.is_none_or(|row| row.stage != Stage::Exported) {
        app.run_until_idle().await;
        app.advance(60);
        assert!(minutes_passed(&app) - before < 20, "nobody polled in time, which is every 15 minutes");
    }
    app.assert_sound().await;
}

/// The clock is put back while a request is under way whose answer is lost: what is written after the jump counts by the new time.
#[rstest]
#[case::an_hour_back(-HOUR)]
#[case::a_month_forward(30 * 24 * HOUR)]
#[tokio::test]
async fn a_clock_that_is_set_while_a_create_is_under_way_ends_no_settle_window(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[case] seconds: i64,
) {
    let Some(mut app) = TestApp::start(db, 1).await else { return };
    app.run_until_idle().await;
    arrives_late(&app).await;
    app.set_clock_during(Side::Bc, "POST", seconds);
    assert_made_once(&mut app).await;
}

/// A process dies while its clock is ahead; the next one has the right time, by which the lane is leased for hours.
#[rstest]
#[tokio::test]
async fn a_lease_from_a_clock_that_was_ahead_is_over_when_nobody_renews_it(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = TestApp::start(db, 10).await else { return };
    app.set_clock_by(5 * HOUR);
    app.die_after(Side::Bc, 3).await;
    app.set_clock_by(-5 * HOUR);
    app.restart().await;
    let before = minutes_passed(&app);
    while app.agreement().invoices == 0 {
        let again_ms = app.tick().await.lease_due_ms;
        app.advance(again_ms.map_or(1, |ms| (ms - app.app.now_ms()) / 1_000));
        assert!(minutes_passed(&app) - before < 2, "a lease lasts 30 seconds");
    }
    app.run_until_idle().await;
    app.assert_sound().await;
}

/// Found by the simulation: the process that follows one whose clock was put back took that for a second jump, ended the settle window
/// of what was on its way, and a second document came of it.
#[rstest]
#[tokio::test]
async fn a_clock_that_was_put_back_once_is_not_put_back_again_by_the_next_process(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(mut app) = TestApp::start(db, 30).await else { return };
    app.run_until_idle().await;
    app.set_clock_by(-5 * HOUR);
    app.run_until_idle().await;
    arrives_late(&app).await;
    while app.row("accr_late").await.is_none_or(|row| row.stage != Stage::Draft) {
        app.tick().await;
    }
    app.tick().await;
    app.advance(3);
    app.tick().await;
    assert_eq!(app.world().bc.documents_by_marker("accr_late").len(), 0, "it is on its way, and was looked for once");
    app.restart().await;
    assert_made_once(&mut app).await;
}
