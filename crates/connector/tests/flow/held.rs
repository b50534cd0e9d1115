//! Holds: the right code, the right person, and release by itself when the cause is gone.

use connector::flow::operator::{Request, Verb};
use domain::hold::{Fixer, HoldCode};
use domain::stage::Stage;
use sandbox::bc::{DocumentChange, SetupChange, VendorChange};
use serde_json::json;

use crate::app::TestApp;
use crate::database::Db;

/// A plain card record, coded to an account number, at a merchant.
pub(crate) fn card(id: &str, merchant: &str, account: &str, amount: f64) -> serde_json::Value {
    let line = |side: &str, coding: serde_json::Value| {
        json!({
            "id": format!("accrli_{id}_{side}"), "type": side,
            "amount": { "amount": amount, "currency": "USD" }, "accounting_field_values": coding,
        })
    };
    let coding = json!([{
        "brex_field_id": "extended_field_gl", "remote_field_id": "GL_ACCOUNT", "brex_field_value_id": "efo_1",
        "remote_field_value_id": account,
    }]);
    json!({
        "id": id, "type": "CARD_EXPENSE_POST", "review_status": "READY_FOR_EXPORT", "source_type": "CARD",
        "source_id": format!("expense_{id}"), "amount": { "amount": amount, "currency": "USD" },
        "erp_posting_date": "2026-06-20T15:00:00Z", "posted_at": "2026-06-20T15:00:00Z",
        "updated_at": "2026-06-21T15:00:00Z", "version": 1,
        "vendor": { "id": "pmch_1", "name": merchant }, "receipts": [],
        "line_items": [line("DEBIT", coding), line("CREDIT", json!([]))],
    })
}

pub(crate) fn a_vendor(app: &TestApp) -> (String, String) {
    let world = app.world();
    let free = world.company.vendors.iter().filter(|v| format!("{:?}", v.blocked).contains("No"));
    let names: Vec<_> = world.company.vendors.iter().map(|v| domain::directory::normal_name(&v.name)).collect();
    let unique = |name: &str| names.iter().filter(|n| **n == domain::directory::normal_name(name)).count() == 1;
    let vendor = free.into_iter().find(|v| unique(&v.name) && v.currency.is_empty()).expect("a plain vendor");
    (vendor.number.clone(), vendor.name.clone())
}

pub async fn hold_of(app: &TestApp, record: &str) -> Option<HoldCode> {
    app.row(record).await.unwrap().hold.map(|hold| hold.code)
}

#[tokio::test]
async fn a_blocked_vendor_holds_the_record_and_unblocking_releases_it() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let (number, name) = a_vendor(&app);
    let world = app.world();
    let block = |blocked| VendorChange { blocked: Some(blocked), ..VendorChange::default() };
    world.bc.change_vendor(&number, block(sandbox::company::Blocked::All), world.clock.now()).unwrap();
    app.insert(&card("accr_blocked", &name, "64100", 12.5));
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, "accr_blocked").await, Some(HoldCode::VendorBlocked));
    assert_eq!(HoldCode::VendorBlocked.fixer(), Fixer::Bookkeeper);

    world.bc.change_vendor(&number, block(sandbox::company::Blocked::No), world.clock.now()).unwrap();
    app.request("master_data").await;
    app.run_until_idle().await;
    assert_eq!(app.row("accr_blocked").await.unwrap().stage, Stage::Exported);
    assert!(app.actions("accr_blocked").await.contains(&"released".to_owned()));
    app.assert_sound().await;
}

#[tokio::test]
async fn a_vendor_blocked_between_check_and_write_holds_with_business_centrals_reason() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    app.run_until_idle().await;
    let (number, name) = a_vendor(&app);
    let world = app.world();
    let blocked = VendorChange { blocked: Some(sandbox::company::Blocked::All), ..VendorChange::default() };
    world.bc.change_vendor(&number, blocked, world.clock.now()).unwrap();
    app.insert(&card("accr_late", &name, "64100", 12.5));
    app.poll_now().await;
    app.run_until_idle().await;
    let row = app.row("accr_late").await.unwrap();
    let hold = row.hold.expect("held");
    assert_eq!(hold.code, HoldCode::VendorBlocked);
    assert!(hold.sentence.contains("is blocked with type All"), "{}", hold.sentence);
    assert_eq!(row.stage, Stage::Draft);
    app.assert_sound().await;
}

#[tokio::test]
async fn a_closed_period_holds_and_opening_it_releases() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let (_, name) = a_vendor(&app);
    let world = app.world();
    let open_from = |date: &str| SetupChange { allow_posting_from: date.parse().ok(), ..SetupChange::default() };
    world.bc.change_setup(&open_from("2026-06-25"), world.clock.now());
    app.insert(&card("accr_closed", &name, "64100", 12.5));
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, "accr_closed").await, Some(HoldCode::PostingPeriodClosed));
    world.bc.change_setup(&open_from("2026-06-01"), world.clock.now());
    app.request("master_data").await;
    app.run_until_idle().await;
    assert_eq!(app.row("accr_closed").await.unwrap().stage, Stage::Exported);
}

#[tokio::test]
async fn a_draft_that_a_user_changed_before_the_comparison_is_never_exported() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let (_, name) = a_vendor(&app);
    app.run_until_idle().await;
    app.insert(&card("accr_edited", &name, "64100", 12.5));
    app.poll_and_run(&[Stage::ResolveVendor, Stage::Map, Stage::Draft]).await;
    let world = app.world();
    let id = world.bc.documents_by_marker("accr_edited")[0].id;
    let dearer = DocumentChange { unit_cost: Some("99.99".parse().unwrap()), ..DocumentChange::default() };
    world.bc.change_document(id, dearer, world.clock.now()).unwrap();
    app.run_until_idle().await;
    let row = app.row("accr_edited").await.unwrap();
    assert_eq!(row.hold.as_ref().map(|h| h.code), Some(HoldCode::DocumentDiffers));
    assert!(row.hold.unwrap().sentence.contains("planned 12.5, found 99.99"));
    assert_eq!(world.brex.record("accr_edited").unwrap().review_status, "READY_FOR_EXPORT");

    let right = DocumentChange { unit_cost: Some("12.50".parse().unwrap()), ..DocumentChange::default() };
    world.bc.change_document(id, right, world.clock.now()).unwrap();
    app.request("master_data").await;
    app.run_until_idle().await;
    assert_eq!(app.row("accr_edited").await.unwrap().stage, Stage::Exported);
    app.assert_sound().await;
}

#[tokio::test]
async fn an_edit_in_brex_after_the_document_was_made_holds_with_before_and_after() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let (_, name) = a_vendor(&app);
    app.run_until_idle().await;
    app.insert(&card("accr_changed", &name, "64100", 12.5));
    app.poll_and_run(&[Stage::ResolveVendor, Stage::Map, Stage::Draft]).await;
    let world = app.world();
    let patch = json!({ "erp_posting_date": "2026-06-22T15:00:00Z" });
    world.brex.edit("accr_changed", patch.as_object().unwrap(), world.clock.now()).unwrap();
    app.run_until_idle().await;
    let hold = app.row("accr_changed").await.unwrap().hold.expect("held");
    assert_eq!(hold.code, HoldCode::RecordChanged);
    assert!(hold.sentence.contains("posting date"), "{}", hold.sentence);
    ask(&app, Verb::Retry, "accr_changed").await;
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, "accr_changed").await, Some(HoldCode::RecordChanged), "a retry does not wave it through");
    assert_eq!(world.bc.documents_by_marker("accr_changed").len(), 1);
    assert_eq!(world.brex.record("accr_changed").unwrap().exports.len(), 0);
}

/// Brex shows the processor for some merchants: coding one of them says nothing about the next.
#[tokio::test]
async fn coding_is_not_remembered_for_the_name_of_a_payment_processor() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let (number, _) = a_vendor(&app);
    let mut coded = card("accr_first", "Square", "64100", 20.0);
    coded["line_items"][0]["accounting_field_values"].as_array_mut().unwrap().push(json!({
        "brex_field_id": "extended_field_vendor", "remote_field_id": "VENDOR", "brex_field_value_id": "efo_2",
        "remote_field_value_id": number,
    }));
    app.insert(&coded);
    app.run_until_idle().await;
    assert_eq!(app.row("accr_first").await.unwrap().stage, Stage::Exported);
    app.insert(&card("accr_second", "Square", "64100", 10.0));
    app.poll_now().await;
    app.run_until_idle().await;
    let second = app.row("accr_second").await.unwrap();
    assert_ne!(second.vendor_number, Some(number));
    assert!(second.hold.is_some());
}

#[tokio::test]
async fn a_vendor_coded_once_is_remembered_for_the_merchants_next_record() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let (number, _) = a_vendor(&app);
    app.insert(&card("accr_second", "ZZTOP 4471 PARTS", "64100", 10.0));
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, "accr_second").await, Some(HoldCode::VendorNotFound));

    let mut coded = card("accr_first", "ZZTOP 4471 PARTS", "64100", 20.0);
    coded["line_items"][0]["accounting_field_values"].as_array_mut().unwrap().push(json!({
        "brex_field_id": "extended_field_vendor", "remote_field_id": "VENDOR", "brex_field_value_id": "efo_2",
        "remote_field_value_id": number,
    }));
    app.insert(&coded);
    app.poll_now().await;
    app.run_until_idle().await;
    let second = app.row("accr_second").await.unwrap();
    assert_eq!((second.stage, second.vendor_number), (Stage::Exported, Some(number)));
    let story = app.story("accr_second").await;
    assert!(story.iter().any(|entry| entry.detail.contains("coded in Brex on accr_first")));
    app.assert_sound().await;
}

#[tokio::test]
async fn a_document_typed_by_hand_with_the_bills_number_is_a_possible_duplicate() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let (_, name) = a_vendor(&app);
    let mut bill = card("accr_bill", &name, "65100", 500.0);
    bill["type"] = json!("BILL_EXPENSE");
    bill["source_type"] = json!("BILL");
    bill["invoice_number"] = json!("inv-77");
    let mut twin = bill.clone();
    twin["id"] = json!("accr_twin");
    app.insert(&bill);
    app.run_until_idle().await;
    assert_eq!(app.row("accr_bill").await.unwrap().stage, Stage::Exported);
    assert_eq!(app.world().bc.documents_by_number("INV-77").len(), 1);
    app.insert(&twin);
    app.poll_now().await;
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, "accr_twin").await, Some(HoldCode::PossibleDuplicate));
    assert_eq!(app.world().bc.documents_by_number("INV-77").len(), 1);
}

#[tokio::test]
async fn an_unreadable_record_is_held_and_does_not_fail_its_page() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let (_, name) = a_vendor(&app);
    let mut broken = card("accr_broken", &name, "64100", 10.0);
    broken["line_items"][0]["amount"] = json!({ "amount": "ten", "currency": "USD" });
    app.insert(&broken);
    app.insert(&card("accr_fine", &name, "64100", 10.0));
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, "accr_broken").await, Some(HoldCode::RecordUnreadable));
    assert_eq!(app.row("accr_fine").await.unwrap().stage, Stage::Exported);
}

#[tokio::test]
async fn a_document_that_was_refused_is_planned_anew_once_the_bookkeeper_recodes_the_record() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    app.run_until_idle().await;
    let (_, name) = a_vendor(&app);
    let world = app.world();
    let blocked = sandbox::bc::AccountChange { blocked: Some(true), ..Default::default() };
    world.bc.change_account("64200", blocked, world.clock.now()).unwrap();
    app.insert(&card("accr_recoded", &name, "64200", 33.0));
    app.poll_now().await;
    app.run_until_idle().await;
    let row = app.row("accr_recoded").await.unwrap();
    assert_eq!((row.stage, row.hold.map(|hold| hold.code)), (Stage::Draft, Some(HoldCode::AccountUnusable)));

    let recoded = card("accr_recoded", &name, "64100", 33.0);
    let patch = json!({ "line_items": recoded["line_items"] });
    world.brex.edit("accr_recoded", patch.as_object().unwrap(), world.clock.now()).unwrap();
    app.poll_now().await;
    app.run_until_idle().await;
    assert_eq!(app.row("accr_recoded").await.unwrap().stage, Stage::Exported);
    assert_eq!(world.bc.documents_by_marker("accr_recoded")[0].lines[0].number, "64100");
    app.assert_sound().await;
}

#[tokio::test]
async fn an_edit_that_is_taken_back_in_brex_releases_the_record() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    app.run_until_idle().await;
    let (_, name) = a_vendor(&app);
    app.insert(&card("accr_back", &name, "64100", 12.5));
    app.poll_and_run(&[Stage::ResolveVendor, Stage::Map, Stage::Draft]).await;
    let world = app.world();
    let date = |day: &str| json!({ "erp_posting_date": day }).as_object().unwrap().clone();
    world.brex.edit("accr_back", &date("2026-06-22T15:00:00Z"), world.clock.now()).unwrap();
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, "accr_back").await, Some(HoldCode::RecordChanged));
    world.brex.edit("accr_back", &date("2026-06-20T15:00:00Z"), world.clock.now()).unwrap();
    app.poll_now().await;
    app.run_until_idle().await;
    assert_eq!(app.row("accr_back").await.unwrap().stage, Stage::Exported);
    app.assert_sound().await;
}

pub(crate) async fn ask(app: &TestApp, verb: Verb, record: &str) {
    ask_for(app, verb, record, None).await;
}

pub(crate) async fn ask_from(app: &TestApp, record: &str, from: Stage) {
    ask_for(app, Verb::Replay, record, Some(from)).await;
}

async fn ask_for(app: &TestApp, verb: Verb, record: &str, from: Option<Stage>) {
    let record = domain::id::RecordId::new(record);
    let request =
        Request { verb, record, person: "kim".to_owned(), reason: "booked by hand".to_owned(), from, rev: None };
    let argument = serde_json::to_string(&request).unwrap();
    let jobs = app.app.store.jobs();
    jobs.request(&app.connection(), &request.job(), Some(&argument), app.app.now_ms()).await.unwrap();
}

#[tokio::test]
async fn a_person_sets_a_held_record_aside_but_not_one_that_has_a_document() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let exported = app.world().brex.records()[0].id.clone();
    app.insert(&card("accr_aside", "Nobody Knows This Shop", "64100", 12.5));
    app.run_until_idle().await;
    ask(&app, Verb::Skip, "accr_aside").await;
    ask(&app, Verb::Skip, &exported).await;
    app.run_until_idle().await;
    let row = app.row("accr_aside").await.unwrap();
    assert_eq!((row.stage, row.hold), (Stage::Skipped, None));
    let entry = app.story("accr_aside").await.pop().unwrap();
    assert_eq!((entry.action.as_str(), entry.actor.as_str()), ("skipped", "person:kim"));
    assert!(entry.detail.contains("booked by hand"));
    assert_eq!(app.row(&exported).await.unwrap().stage, Stage::Exported);
    assert_eq!(app.actions(&exported).await.pop().as_deref(), Some("request_refused"));
    app.assert_sound().await;
}

#[tokio::test]
async fn a_retry_looks_again_at_once() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let (number, _) = a_vendor(&app);
    app.insert(&card("accr_again", "Nobody Knows This Shop", "64100", 12.5));
    app.run_until_idle().await;
    let before = hold_of(&app, "accr_again").await;
    assert!(matches!(before, Some(HoldCode::VendorNotFound | HoldCode::VendorReview)), "{before:?}");
    ask(&app, Verb::Retry, "accr_again").await;
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, "accr_again").await, before, "still the same cause");
    let named = VendorChange { name: Some("Nobody Knows This Shop".to_owned()), ..VendorChange::default() };
    let world = app.world();
    world.bc.change_vendor(&number, named, world.clock.now()).unwrap();
    app.request("master_data").await;
    app.run_until_idle().await;
    assert_eq!(app.row("accr_again").await.unwrap().stage, Stage::Exported);
    assert!(app.actions("accr_again").await.contains(&"retry_requested".to_owned()));
}

#[tokio::test]
async fn a_draft_deleted_by_a_user_is_reported_and_made_again_only_when_a_person_says_so() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    app.run_until_idle().await;
    let (_, name) = a_vendor(&app);
    app.insert(&card("accr_deleted", &name, "64100", 12.5));
    app.poll_and_run(&[Stage::ResolveVendor, Stage::Map, Stage::Draft]).await;
    ask(&app, Verb::Replay, "accr_deleted").await;
    let world = app.world();
    let id = world.bc.documents_by_marker("accr_deleted")[0].id;
    let delete = DocumentChange { action: Some(sandbox::bc::DocumentAction::Delete), ..DocumentChange::default() };
    world.bc.change_document(id, delete, world.clock.now()).unwrap();
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, "accr_deleted").await, Some(HoldCode::DocumentMissing));
    assert!(app.actions("accr_deleted").await.contains(&"request_refused".to_owned()), "it was not held yet");

    ask(&app, Verb::Replay, "accr_deleted").await;
    app.run_until_idle().await;
    assert_eq!(app.row("accr_deleted").await.unwrap().stage, Stage::Exported);
    assert_eq!(world.bc.documents_by_marker("accr_deleted").len(), 1);
    app.assert_sound().await;
}

#[tokio::test]
async fn a_record_that_brex_takes_back_before_its_export_waits_and_goes_on_or_is_set_aside() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    app.run_until_idle().await;
    let (_, name) = a_vendor(&app);
    let world = app.world();
    let review = |status: &str| json!({ "review_status": status }).as_object().unwrap().clone();
    for id in ["accr_wait", "accr_away", "accr_gone"] {
        app.insert(&card(id, &name, "64100", 12.5));
    }
    app.poll_and_run(&[Stage::ResolveVendor, Stage::Map, Stage::Draft, Stage::Verify, Stage::Attach]).await;
    for id in ["accr_wait", "accr_away", "accr_gone"] {
        world.brex.edit(id, &review("REVIEW"), world.clock.now()).unwrap();
    }
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, "accr_wait").await, Some(HoldCode::RecordNotReady));

    world.brex.edit("accr_wait", &review("READY_FOR_EXPORT"), world.clock.now()).unwrap();
    world.brex.edit("accr_gone", &review("READY_FOR_EXPORT"), world.clock.now()).unwrap();
    for id in ["accr_away", "accr_gone"] {
        let id = world.bc.documents_by_marker(id)[0].id;
        let delete = DocumentChange { action: Some(sandbox::bc::DocumentAction::Delete), ..DocumentChange::default() };
        world.bc.change_document(id, delete, world.clock.now()).unwrap();
    }
    ask(&app, Verb::Skip, "accr_away").await;
    app.request("master_data").await;
    app.run_until_idle().await;
    assert_eq!(app.row("accr_wait").await.unwrap().stage, Stage::Exported);
    assert_eq!(app.row("accr_away").await.unwrap().stage, Stage::Skipped);
    assert_eq!(hold_of(&app, "accr_gone").await, Some(HoldCode::DocumentMissing), "never exported without a document");
    app.assert_sound().await;
}
