//! Brex is told why a record cannot be booked: once, in the words of Attention, never while a document may exist; and the
//! record comes back when a person exports it again.

use connector::flow::operator::Verb;
use domain::failure::FailureState;
use domain::hold::HoldCode;
use domain::stage::Stage;
use rstest::rstest;
use sandbox::bc::{DocumentChange, VendorChange};
use sandbox::brex::{AfterFailure, Outcome};
use sandbox::company::Blocked;
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;
use serde_json::json;

use crate::app::TestApp;
use crate::database::Db;
use crate::held::{a_vendor, ask, card, hold_of};

const ID: &str = "accr_failing";
const ON: &str = "[connection.failures]\nreport = \"definite\"\n";
const JOB: &str = connector::flow::failures::FAILURES;
const WAYS: [AfterFailure; 3] = [AfterFailure::Review, AfterFailure::Prepare, AfterFailure::ReadyForExport];

/// A connector that has not run yet, with a vendor that is blocked and a record of it.
async fn blocked(db: Db, settings: &str, after: AfterFailure) -> Option<TestApp> {
    let options = sandbox::Options { records: 1, ..sandbox::Options::default() };
    let app = TestApp::start_with(db, options, settings).await?;
    app.world().brex.configure(|settings| settings.accounting.after_failure = after);
    let name = block(&app, Blocked::All);
    app.insert(&card(ID, &name, "64100", 12.5));
    Some(app)
}

fn block(app: &TestApp, blocked: Blocked) -> String {
    let (number, name) = a_vendor(app);
    let world = app.world();
    let change = VendorChange { blocked: Some(blocked), ..VendorChange::default() };
    world.bc.change_vendor(&number, change, world.clock.now()).unwrap();
    name
}

async fn unblock(app: &mut TestApp) {
    block(app, Blocked::No);
    app.request("master_data").await;
    app.run_until_idle().await;
}

/// Everything that may tell a second time gets the chance to.
async fn run_again(app: &mut TestApp) {
    for _ in 0..3 {
        for job in [JOB, "poll", "master_data", "full_poll", "recheck"] {
            app.request(job).await;
        }
        app.run_until_idle().await;
        app.advance(3_600);
    }
}

fn told(app: &TestApp, record: &str) -> Vec<String> {
    let exports = app.world().brex.record(record).unwrap().exports;
    let message = |outcome| match outcome {
        Outcome::Failure { error_message } => Some(error_message),
        Outcome::Success { .. } => None,
    };
    exports.into_iter().filter_map(|result| message(result.outcome)).collect()
}

fn status(app: &TestApp) -> String {
    app.world().brex.record(ID).unwrap().review_status
}

fn documents(app: &TestApp) -> usize {
    app.world().bc.documents_by_marker(ID).len()
}

fn on_results(kind: FaultKind) -> Fault {
    Fault::new(Side::Brex, kind).method("POST").path_contains("export-results")
}

fn calls(app: &TestApp) -> u64 {
    let tally = app.world().meter.tally(Side::Brex);
    tally.routes.iter().filter(|(route, _)| route.contains("export-results")).map(|(_, number)| number).sum()
}

async fn assert_booked_once(app: &TestApp) {
    assert_eq!(app.row(ID).await.unwrap().stage, Stage::Exported);
    assert_eq!((documents(app), status(app).as_str()), (1, "EXPORTED"));
    app.assert_sound().await;
}

#[rstest]
#[tokio::test]
async fn a_hold_is_told_once_in_the_words_of_attention_and_booked_after_the_next_export(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    for after in [AfterFailure::Review, AfterFailure::Prepare] {
        let Some(mut app) = blocked(db, ON, after).await else { return };
        app.run_until_idle().await;
        let hold = app.row(ID).await.unwrap().hold.unwrap();
        let message = format!("{}. {}", hold.sentence, HoldCode::VendorBlocked.what_to_do());
        assert_eq!(told(&app, ID), std::slice::from_ref(&message));
        app.restart().await;
        run_again(&mut app).await;
        assert_eq!(told(&app, ID), [message], "{after:?}");
        let row = app.row(ID).await.unwrap();
        assert_eq!(row.hold.unwrap().code, HoldCode::VendorBlocked, "it still waits for a person");
        assert_eq!(row.failure.unwrap().state, FailureState::Left);
        block(&app, Blocked::No);
        app.click_export(ID);
        app.request("master_data").await;
        app.run_until_idle().await;
        run_again(&mut app).await;
        assert_booked_once(&app).await;
        assert_eq!(told(&app, ID).len(), 1);
    }
}

#[rstest]
#[tokio::test]
async fn a_lost_answer_is_read_back_and_told_once(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    for after in WAYS {
        for kind in [FaultKind::DropAfter, FaultKind::DropBefore] {
            let Some(mut app) = blocked(db, ON, after).await else { return };
            app.world().faults.add(on_results(kind.clone()).times(1));
            // Another record of the sandbox is exported first: the fault is for the failure.
            app.run_until_idle().await;
            app.restart().await;
            run_again(&mut app).await;
            assert_eq!(told(&app, ID).len(), 1, "{after:?} {kind:?}");
            assert_eq!(hold_of(&app, ID).await, Some(HoldCode::VendorBlocked), "{after:?} {kind:?}");
            assert!(app.actions(ID).await.contains(&"failure_reported".to_owned()));
        }
    }
}

#[rstest]
#[tokio::test]
async fn a_process_that_dies_anywhere_tells_once(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    for (place, after) in WAYS.into_iter().enumerate() {
        let mut reported = 0;
        // Each moment with one way or another, and some on the other database: what differs between them is not told apart here.
        let (first, every) = if db == Db::Sqlite { (1 + u64::try_from(place % 2).unwrap(), 2) } else { (1, 4) };
        for requests in (first..=14).step_by(every) {
            let Some(mut app) = blocked(db, ON, after).await else { return };
            app.die_after(Side::Brex, requests).await;
            reported += told(&app, ID).len();
            app.restart().await;
            run_again(&mut app).await;
            assert_eq!(told(&app, ID).len(), 1, "{after:?}, dead after {requests} requests");
            unblock(&mut app).await;
            // One that stayed ready went on by itself.
            if after != AfterFailure::ReadyForExport {
                app.click_export(ID);
                app.poll_now().await;
                app.run_until_idle().await;
            }
            assert_booked_once(&app).await;
        }
        assert!(reported > 0, "some died after Brex was told");
    }
}

#[tokio::test]
async fn a_record_that_stays_ready_goes_on_by_itself_and_is_told_once() {
    let Some(mut app) = blocked(Db::Sqlite, ON, AfterFailure::ReadyForExport).await else { return };
    app.run_until_idle().await;
    run_again(&mut app).await;
    assert_eq!((told(&app, ID).len(), status(&app).as_str()), (1, "READY_FOR_EXPORT"));
    assert_eq!(app.row(ID).await.unwrap().failure.unwrap().state, FailureState::Stayed);
    unblock(&mut app).await;
    assert_booked_once(&app).await;
}

#[rstest]
#[tokio::test]
async fn a_record_whose_cause_is_gone_waits_until_it_is_exported_again(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = blocked(db, ON, AfterFailure::Review).await else { return };
    app.run_until_idle().await;
    unblock(&mut app).await;
    let row = app.row(ID).await.unwrap();
    assert_eq!((row.stage, row.hold, documents(&app)), (Stage::Waiting, None, 0));
    run_again(&mut app).await;
    assert_eq!((app.row(ID).await.unwrap().stage, documents(&app)), (Stage::Waiting, 0));
    app.click_export(ID);
    app.poll_now().await;
    app.run_until_idle().await;
    assert_booked_once(&app).await;
}

/// Whether Brex makes a new version when a person exports again is not documented.
#[tokio::test]
async fn a_second_export_is_taken_up_in_the_version_that_is_known() {
    let Some(mut app) = blocked(Db::Sqlite, ON, AfterFailure::Prepare).await else { return };
    app.run_until_idle().await;
    let mut record = app.world().brex.record(ID).unwrap().record;
    assert_eq!(json!(app.row(ID).await.unwrap().version), record["version"]);
    record["review_status"] = json!("READY_FOR_EXPORT");
    record["updated_at"] = json!(app.world().clock.now().to_string());
    block(&app, Blocked::No);
    app.insert(&record);
    app.poll_now().await;
    app.request("master_data").await;
    app.run_until_idle().await;
    assert_booked_once(&app).await;
}

#[tokio::test]
async fn the_same_hold_after_another_export_is_told_again() {
    let Some(mut app) = blocked(Db::Sqlite, ON, AfterFailure::Review).await else { return };
    app.run_until_idle().await;
    app.click_export(ID);
    app.poll_now().await;
    app.run_until_idle().await;
    run_again(&mut app).await;
    assert_eq!((told(&app, ID).len(), status(&app).as_str()), (2, "REVIEW"));
}

#[tokio::test]
async fn what_business_central_refused_is_told_and_not_sent_again_before_the_next_export() {
    let options = sandbox::Options { records: 1, ..sandbox::Options::default() };
    let Some(mut app) = TestApp::start_with(Db::Sqlite, options, ON).await else { return };
    app.run_until_idle().await;
    let name = block(&app, Blocked::All);
    app.insert(&card(ID, &name, "64100", 12.5));
    app.poll_now().await;
    app.run_until_idle().await;
    let row = app.row(ID).await.unwrap();
    assert_eq!((row.stage, row.hold.unwrap().code), (Stage::Draft, HoldCode::VendorBlocked));
    assert_eq!(told(&app, ID).len(), 1);
    unblock(&mut app).await;
    ask(&app, Verb::Retry, ID).await;
    run_again(&mut app).await;
    assert_eq!((hold_of(&app, ID).await, documents(&app)), (Some(HoldCode::VendorBlocked), 0));
    assert!(app.actions(ID).await.contains(&"request_refused".to_owned()));
    app.click_export(ID);
    app.poll_now().await;
    app.run_until_idle().await;
    assert_booked_once(&app).await;
    assert_eq!(told(&app, ID).len(), 1);
}

/// Five attempts without a clear answer: any of them may still come true.
#[rstest]
#[tokio::test]
async fn a_record_whose_attempts_are_unclear_is_never_told_of(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let options = sandbox::Options { records: 1, ..sandbox::Options::default() };
    let Some(mut app) = TestApp::start_with(db, options, ON).await else { return };
    app.run_until_idle().await;
    let (_, name) = a_vendor(&app);
    app.insert(&card(ID, &name, "64100", 12.5));
    let lost = Fault::new(Side::Bc, FaultKind::DropBefore).method("POST").path_contains("purchaseInvoices");
    app.world().faults.add(lost.times(5));
    app.poll_now().await;
    for _ in 0..40 {
        app.tick().await;
        app.request(JOB).await;
        assert_eq!(told(&app, ID), Vec::<String>::new(), "its outcome is open");
    }
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, ID).await, Some(HoldCode::DocumentRefused));
    app.request(JOB).await;
    app.run_until_idle().await;
    assert_eq!(told(&app, ID), Vec::<String>::new());
}

#[rstest]
#[tokio::test]
async fn a_record_that_has_a_document_is_never_told_of(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let options = sandbox::Options { records: 1, ..sandbox::Options::default() };
    let Some(mut app) = TestApp::start_with(db, options, ON).await else { return };
    app.run_until_idle().await;
    let (_, name) = a_vendor(&app);
    app.insert(&card(ID, &name, "64100", 12.5));
    app.poll_and_run(&[Stage::ResolveVendor, Stage::Map, Stage::Draft]).await;
    let world = app.world();
    let id = world.bc.documents_by_marker(ID)[0].id;
    let dearer = DocumentChange { unit_cost: Some("99.99".parse().unwrap()), ..DocumentChange::default() };
    world.bc.change_document(id, dearer, world.clock.now()).unwrap();
    app.run_until_idle().await;
    run_again(&mut app).await;
    assert_eq!(hold_of(&app, ID).await, Some(HoldCode::DocumentDiffers));
    assert_eq!(told(&app, ID), Vec::<String>::new());
    // The database is lost, and with it that there is one.
    block(&app, Blocked::All);
    app.forget_everything().await;
    run_again(&mut app).await;
    assert_eq!(hold_of(&app, ID).await, Some(HoldCode::VendorBlocked));
    assert_eq!((told(&app, ID), documents(&app)), (Vec::new(), 1));
}

#[tokio::test]
async fn nothing_is_told_by_default_nor_of_other_codes_nor_before_its_time() {
    let later = format!("{ON}after_hours = 12\n");
    let others = format!("{ON}codes = [\"account_not_coded\"]\n");
    for (settings, in_time) in [("", false), (others.as_str(), false), (later.as_str(), true)] {
        let Some(mut app) = blocked(Db::Sqlite, settings, AfterFailure::Review).await else { return };
        app.run_until_idle().await;
        run_again(&mut app).await;
        assert_eq!(told(&app, ID), Vec::<String>::new(), "{settings}");
        app.advance(12 * 3_600);
        app.run_until_idle().await;
        app.poll_now().await;
        app.run_until_idle().await;
        assert_eq!(told(&app, ID).len(), usize::from(in_time), "{settings}");
    }
}

#[tokio::test]
async fn many_are_told_with_one_call_and_one_that_brex_refuses_stops_no_other() {
    let Some(mut app) = blocked(Db::Sqlite, ON, AfterFailure::Review).await else { return };
    let (_, name) = a_vendor(&app);
    let ids: Vec<String> = (0..30).map(|number| format!("accr_many_{number:02}")).collect();
    for id in &ids {
        app.insert(&card(id, &name, "64100", 12.5));
    }
    app.run_until_idle().await;
    assert!(ids.iter().all(|id| told(&app, id).len() == 1));
    assert!(calls(&app) <= 2, "the failures, and the export of the sandbox's own record: {}", calls(&app));
    // The first three refusals: of the whole, of its first half, and so on, until one stands alone.
    for id in &ids[..4] {
        app.click_export(id);
    }
    let refusal = FaultKind::Status {
        status: 400,
        body: Some(json!({ "message": "error_message is invalid" })),
        retry_after: None,
    };
    app.world().faults.add(on_results(refusal).times(3));
    app.poll_now().await;
    app.run_until_idle().await;
    run_again(&mut app).await;
    let times: Vec<usize> = ids[..4].iter().map(|id| told(&app, id).len()).collect();
    assert_eq!(times.iter().sum::<usize>(), 4 + 3, "{times:?}");
    let refused = times.iter().position(|times| *times == 1).unwrap();
    assert_eq!(app.row(&ids[refused]).await.unwrap().failure.unwrap().state, FailureState::Refused);
    assert!(app.actions(&ids[refused]).await.contains(&"failure_refused".to_owned()));
}
