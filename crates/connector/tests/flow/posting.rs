//! Posting, where the connection says so: exactly what was planned, at most once, whatever answer gets lost; what stands in
//! the way is held and goes on by itself.

use domain::hold::HoldCode;
use domain::stage::Stage;
use rstest::rstest;
use sandbox::Options;
use sandbox::bc::{DocumentAction, DocumentChange, DocumentStatus, SetupChange, VendorChange};
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;
use serde_json::json;

use crate::app::TestApp;
use crate::database::Db;
use crate::held::{a_vendor, card, hold_of};

pub(crate) const POST: &str = "[connection.post]\nenabled = true\n";
const ID: &str = "accr_post";
const BEFORE: [Stage; 5] = [Stage::ResolveVendor, Stage::Map, Stage::Draft, Stage::Verify, Stage::Attach];

async fn start(db: Db) -> Option<TestApp> {
    start_with(db, "").await
}

async fn start_with(db: Db, settings: &str) -> Option<TestApp> {
    let options = Options { records: 1, ..Options::default() };
    let mut app = TestApp::start_with(db, options, &format!("{settings}{POST}")).await?;
    app.run_until_idle().await;
    let (_, name) = a_vendor(&app);
    app.insert(&card(ID, &name, "64100", 12.5));
    Some(app)
}

/// The same with the draft made, compared and complete, so that posting is what comes next.
async fn at_posting(db: Db) -> Option<TestApp> {
    let app = start(db).await?;
    app.poll_and_run(&BEFORE).await;
    assert_eq!(app.row(ID).await.unwrap().stage, Stage::Post);
    Some(app)
}

fn posts(app: &TestApp) -> u64 {
    let tally = app.world().meter.tally(Side::Bc);
    tally.routes.iter().filter(|(route, _)| route.contains("Microsoft.NAV.post")).map(|(_, n)| n).sum()
}

fn on_post(kind: FaultKind) -> Fault {
    Fault::new(Side::Bc, kind).method("POST").path_contains("Microsoft.NAV.post")
}

fn status(app: &TestApp, record: &str) -> DocumentStatus {
    let found = app.world().bc.documents_by_marker(record);
    assert_eq!(found.len(), 1);
    found[0].status
}

fn change(app: &TestApp, change: DocumentChange) {
    let world = app.world();
    let id = world.bc.documents_by_marker(ID)[0].id;
    world.bc.change_document(id, change, world.clock.now()).unwrap();
}

async fn assert_posted_and_told(app: &TestApp) {
    let row = app.row(ID).await.unwrap();
    assert_eq!((row.stage, row.hold), (Stage::Exported, None));
    let document = &app.world().bc.documents_by_marker(ID)[0];
    assert_eq!((document.status, row.document_no.as_deref()), (DocumentStatus::Open, Some(document.number.as_str())));
    assert_eq!((Some(document.id), row.posted_ms.is_some()), (row.document_id, true));
    let intents = app.app.store.intents().list_for(&app.connection(), &domain::id::RecordId::new(ID)).await.unwrap();
    let outcomes: Vec<_> = intents.iter().filter_map(|i| i.outcome).collect();
    assert_eq!(outcomes.len(), intents.len(), "no intent stays open");
    assert_eq!(outcomes.iter().filter(|o| **o == store::Outcome::Posted).count(), 1);
    app.assert_sound().await;
}

#[rstest]
#[tokio::test]
async fn a_posted_document_is_reported_with_its_posted_number_and_page(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = at_posting(db).await else { return };
    let draft = app.row(ID).await.unwrap().document_no.unwrap();
    app.run_until_idle().await;
    assert_posted_and_told(&app).await;
    let posted = app.row(ID).await.unwrap().document_no.unwrap();
    assert_ne!(draft, posted);
    let export = serde_json::to_value(&app.world().brex.record(ID).unwrap().exports[0]).unwrap().to_string();
    assert!(export.contains(&format!("\"{posted}\"")) && export.contains("page=138"), "{export}");
    assert_eq!(posts(&app), 1 + u64::from(app.agreement().invoices > 1));
}

#[tokio::test]
async fn a_credit_memo_is_posted_too() {
    let Some(mut app) = start(Db::Sqlite).await else { return };
    let (_, name) = a_vendor(&app);
    let mut refund = card("accr_refund", &name, "64100", 7.25);
    refund["type"] = json!("CARD_EXPENSE_REFUND");
    refund["line_items"][0]["type"] = json!("CREDIT");
    refund["line_items"][1]["type"] = json!("DEBIT");
    app.insert(&refund);
    app.poll_now().await;
    app.run_until_idle().await;
    assert_eq!(status(&app, "accr_refund"), DocumentStatus::Open);
    let row = app.row("accr_refund").await.unwrap();
    assert_eq!((row.stage, row.posted_ms.is_some()), (Stage::Exported, true));
    let export = serde_json::to_value(&app.world().brex.record("accr_refund").unwrap().exports[0]).unwrap().to_string();
    assert!(export.contains("page=140"), "{export}");
    app.assert_sound().await;
}

#[rstest]
#[tokio::test]
async fn a_lost_answer_to_posting_is_resolved_by_the_status(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let error = |status| FaultKind::Status { status, body: None, retry_after: None };
    let late = FaultKind::LateCommit { seconds: 540, status: Some(504) };
    let failed = FaultKind::CommitThen400 { message: "an extension failed".to_owned() };
    for (kind, calls) in [
        (FaultKind::DropAfter, 1),
        (FaultKind::DropBefore, 2),
        (error(500), 2),
        (error(504), 2),
        (error(429), 2),
        (late, 1),
        (failed, 1),
    ] {
        let Some(mut app) = at_posting(db).await else { return };
        let before = posts(&app);
        app.world().faults.add(on_post(kind.clone()));
        app.run_until_idle().await;
        assert_eq!(posts(&app) - before, calls, "{kind:?}");
        assert_posted_and_told(&app).await;
    }
}

#[rstest]
#[tokio::test]
async fn a_process_that_dies_at_any_moment_of_posting_posts_once(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    for requests in 1..=8 {
        let Some(mut app) = at_posting(db).await else { return };
        app.die_after(Side::Bc, requests).await;
        app.restart().await;
        app.run_until_idle().await;
        assert_posted_and_told(&app).await;
    }
}

#[rstest]
#[tokio::test]
async fn posting_twice_changes_nothing(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = at_posting(db).await else { return };
    app.run_stage_twice(Stage::Post).await;
    app.run_until_idle().await;
    assert_posted_and_told(&app).await;
}

#[tokio::test]
async fn an_approval_is_waited_for_and_the_document_posted_by_itself_once_it_is_there() {
    let Some(mut app) = start(Db::Sqlite).await else { return };
    let world = app.world();
    world.bc.set_rules(sandbox::bc::Rules { approval_workflow: true, ..world.bc.rules() });
    app.poll_now().await;
    app.run_until_idle().await;
    let row = app.row(ID).await.unwrap();
    assert_eq!(row.hold.as_ref().map(|hold| hold.code), Some(HoldCode::ApprovalRequired));
    assert!(row.hold.unwrap().sentence.contains("must be approved and released"));
    assert_eq!(world.brex.record(ID).unwrap().review_status, "READY_FOR_EXPORT", "nothing is told before it is posted");
    app.request("master_data").await;
    app.run_until_idle().await;
    assert_eq!(status(&app, ID), DocumentStatus::Draft);
    change(&app, DocumentChange { action: Some(DocumentAction::Release), ..DocumentChange::default() });
    app.request("master_data").await;
    app.run_until_idle().await;
    assert_posted_and_told(&app).await;
}

#[tokio::test]
async fn what_business_central_says_to_posting_holds_with_its_code_and_goes_on_when_it_is_mended() {
    let Some(mut app) = at_posting(Db::Sqlite).await else { return };
    let world = app.world();
    let open_from = |date: &str| SetupChange { allow_posting_from: date.parse().ok(), ..SetupChange::default() };
    world.bc.change_setup(&open_from("2026-06-25"), world.clock.now());
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, ID).await, Some(HoldCode::PostingPeriodClosed));
    world.bc.change_setup(&open_from("2026-06-01"), world.clock.now());
    let number = app.row(ID).await.unwrap().vendor_number.unwrap();
    let block = |blocked| VendorChange { blocked: Some(blocked), ..VendorChange::default() };
    world.bc.change_vendor(&number, block(sandbox::company::Blocked::All), world.clock.now()).unwrap();
    app.request("master_data").await;
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, ID).await, Some(HoldCode::VendorBlocked));
    world.bc.change_vendor(&number, block(sandbox::company::Blocked::No), world.clock.now()).unwrap();
    let used = sandbox::bc::Rules { accounts_without_group: ["64100".to_owned()].into(), ..world.bc.rules() };
    let was = world.bc.rules();
    world.bc.set_rules(used);
    app.request("master_data").await;
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, ID).await, Some(HoldCode::PostingSetupMissing));
    world.bc.set_rules(was);
    app.request("master_data").await;
    app.run_until_idle().await;
    assert_posted_and_told(&app).await;
}

#[tokio::test]
async fn a_number_that_the_ledger_has_already_is_held_and_stays_a_draft() {
    let Some(mut app) = start(Db::Sqlite).await else { return };
    let world = app.world();
    app.poll_and_run(&BEFORE).await;
    let first = app.row(ID).await.unwrap();
    let key = first.document_key.clone().unwrap();
    let (_, name) = a_vendor(&app);
    app.insert(&card("accr_twin", &name, "64100", 12.5));
    app.poll_and_run(&BEFORE).await;
    let twin = world.bc.documents_by_marker("accr_twin")[0].id;
    let number = DocumentChange { external_number: Some(key), ..DocumentChange::default() };
    let post = DocumentChange { action: Some(DocumentAction::Post), ..number };
    world.bc.change_document(twin, post, world.clock.now()).unwrap();
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, ID).await, Some(HoldCode::DocumentNumberUsed));
    assert_eq!(status(&app, ID), DocumentStatus::Draft);
}

#[tokio::test]
async fn a_draft_that_a_person_changed_is_never_posted() {
    let Some(mut app) = at_posting(Db::Sqlite).await else { return };
    change(&app, DocumentChange { unit_cost: "13".parse().ok(), ..DocumentChange::default() });
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, ID).await, Some(HoldCode::DocumentDiffers));
    assert_eq!((status(&app, ID), posts_of(&app)), (DocumentStatus::Draft, 0));
    change(&app, DocumentChange { unit_cost: "12.5".parse().ok(), ..DocumentChange::default() });
    app.request("master_data").await;
    app.run_until_idle().await;
    assert_posted_and_told(&app).await;
}

/// Documents other than those of the first run.
fn posts_of(app: &TestApp) -> usize {
    app.world().bc.documents_by_marker(ID).iter().filter(|d| d.status != DocumentStatus::Draft).count()
}

#[tokio::test]
async fn a_record_that_was_edited_or_taken_back_in_brex_is_not_posted() {
    let edits = [
        (json!({ "erp_posting_date": "2026-06-22T15:00:00Z" }), HoldCode::RecordChanged),
        (json!({ "review_status": "REVIEW" }), HoldCode::RecordNotReady),
    ];
    for (patch, code) in edits {
        let Some(mut app) = at_posting(Db::Sqlite).await else { return };
        let world = app.world();
        world.brex.edit(ID, patch.as_object().unwrap(), world.clock.now()).unwrap();
        app.run_until_idle().await;
        assert_eq!(hold_of(&app, ID).await, Some(code));
        assert_eq!(status(&app, ID), DocumentStatus::Draft);
    }
}

#[tokio::test]
async fn a_document_that_a_person_posted_or_deleted_first_is_told_apart() {
    let Some(mut app) = at_posting(Db::Sqlite).await else { return };
    let before = posts(&app);
    change(&app, DocumentChange { action: Some(DocumentAction::Post), ..DocumentChange::default() });
    app.run_until_idle().await;
    assert_posted_and_told(&app).await;
    assert_eq!(posts(&app), before);
    let Some(mut app) = at_posting(Db::Sqlite).await else { return };
    change(&app, DocumentChange { action: Some(DocumentAction::Delete), ..DocumentChange::default() });
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, ID).await, Some(HoldCode::DocumentMissing));
}

#[tokio::test]
async fn a_draft_whose_period_closed_before_it_was_posted_moves_to_the_next_open_day_if_the_policy_says_so() {
    let Some(mut app) = start_with(Db::Sqlite, "period_policy = \"next_open\"\n").await else { return };
    app.poll_and_run(&BEFORE).await;
    let world = app.world();
    let setup = SetupChange { allow_posting_from: "2026-06-25".parse().ok(), ..SetupChange::default() };
    world.bc.change_setup(&setup, world.clock.now());
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, ID).await, Some(HoldCode::PostingPeriodClosed), "the newest set-up is not known yet");
    app.request("master_data").await;
    app.run_until_idle().await;
    assert_posted_and_told(&app).await;
    let document = &world.bc.documents_by_marker(ID)[0];
    assert_eq!(document.posting_date.to_string(), "2026-06-25");
    assert_eq!(document.document_date.to_string(), "2026-06-20", "the day of the purchase stays");
}
