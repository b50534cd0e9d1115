//! BC vendors in the Brex vendor directory: created once, linked, renamed, and left as the policy says.

use connector::vendors::directory::plan::plan;
use connector::vendors::directory::{DIRECTORY, nudge, subject};
use domain::brex_vendor::State;
use rstest::rstest;
use sandbox::Options;
use sandbox::bc::VendorChange;
use sandbox::brex::Role;
use sandbox::company::Blocked;
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;
use serde_json::{Value, json};
use store::BrexVendorRow;

use crate::app::TestApp;
use crate::database::Db;

pub const ON: &str = "[connection.directory]\nenabled = true\n";

/// A connector with the directory switched on under further settings, and BC vendors to choose from by number.
pub async fn start(db: Db, settings: &str) -> Option<TestApp> {
    let options = Options { records: 1, ..Options::default() };
    TestApp::start_with(db, options, &format!("{ON}{settings}")).await
}

/// What Brex holds, bank details included.
pub fn in_brex(app: &TestApp) -> Vec<Value> {
    let state = app.world().brex.snapshot();
    let places = state["vendors"]["vendors"].as_array().unwrap();
    places.iter().map(|place| place[1].clone()).collect()
}

pub async fn map(app: &TestApp) -> Vec<BrexVendorRow> {
    app.app.store.brex_vendors().list(&app.connection()).await.unwrap()
}

async fn row(app: &TestApp, number: &str) -> BrexVendorRow {
    map(app).await.into_iter().find(|row| row.number == number).expect("in the map")
}

fn named(app: &TestApp, name: &str) -> Vec<Value> {
    in_brex(app).into_iter().filter(|vendor| vendor["company_name"] == json!(name)).collect()
}

fn change(app: &TestApp, number: &str, change: VendorChange) {
    let world = app.world();
    world.bc.change_vendor(number, change, world.clock.now()).unwrap();
}

/// A run over everything, as `vendors directory sync` asks for it.
async fn sync(app: &mut TestApp) {
    app.advance(1);
    app.app.store.jobs().request(&app.connection(), DIRECTORY, Some("full"), app.app.now_ms()).await.unwrap();
    app.run_until_idle().await;
}

async fn history(app: &TestApp, number: &str) -> Vec<String> {
    app.actions(&subject(&row(app, number).await)).await
}

/// Every BC vendor that may be paid stands for exactly one Brex vendor, and the other way round.
pub async fn assert_one_each(app: &TestApp) {
    let rows = map(app).await;
    let here: Vec<_> = rows.iter().filter(|row| row.state == State::Here).collect();
    let mut vendors = in_brex(app);
    assert_eq!(here.len(), vendors.len());
    vendors.sort_by_key(|vendor| vendor["id"].as_str().map(str::to_owned));
    vendors.dedup_by_key(|vendor| vendor["id"].clone());
    let mut ids: Vec<_> = here.iter().map(|row| row.brex_id.clone().unwrap()).collect();
    ids.sort();
    let found: Vec<_> = vendors.iter().map(|vendor| vendor["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, found);
}

fn some_vendor() -> Fault {
    Fault::new(Side::Brex, FaultKind::DropAfter).path_contains("/v1/vendors")
}

fn writes(app: &TestApp) -> u64 {
    let tally = app.world().meter.tally(Side::Brex);
    let vendors = tally.routes.iter().filter(|(route, _)| route.contains("/v1/vendors") && !route.starts_with("GET"));
    vendors.map(|(_, number)| number).sum()
}

#[rstest]
#[tokio::test]
async fn every_vendor_that_may_be_paid_is_created_once_and_a_second_run_changes_nothing(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(mut app) = start(db, "").await else { return };
    app.run_until_idle().await;
    assert_one_each(&app).await;
    assert!(in_brex(&app).len() > 40);
    assert!(map(&app).await.iter().all(|row| row.due_ms.is_none() && row.hold.is_none()));
    for vendor in in_brex(&app) {
        assert!(vendor["company_name"].as_str().unwrap().is_ascii());
        assert_eq!(vendor["accounts"], Value::Null, "bank details are never written");
    }
    let (rows, sent, entries) =
        (map(&app).await, writes(&app), app.app.store.audit().list(&app.connection(), 0, 100_000).await.unwrap().len());
    sync(&mut app).await;
    app.restart().await;
    app.advance(90_000);
    app.run_until_idle().await;
    let strip = |rows: Vec<BrexVendorRow>| {
        rows.into_iter().map(|row| (row.bc_id, row.name, row.brex_id, row.written)).collect::<Vec<_>>()
    };
    assert_eq!((strip(map(&app).await), writes(&app)), (strip(rows), sent));
    let after = app.app.store.audit().list(&app.connection(), 0, 100_000).await.unwrap();
    assert!(after.iter().skip(entries).all(|entry| !entry.action.starts_with("brex_vendor")));
    app.assert_sound().await;
}

#[tokio::test]
async fn namesakes_get_their_number_and_foreign_letters_are_folded_and_both_are_told() {
    let Some(mut app) = start(Db::Sqlite, "").await else { return };
    change(&app, "V00001", VendorChange { name: Some("Müller & Søn".to_owned()), ..Default::default() });
    change(&app, "V00002", VendorChange { name: Some("Muller & Son".to_owned()), ..Default::default() });
    change(&app, "V00003", VendorChange { name: Some("株式会社".to_owned()), ..Default::default() });
    app.run_until_idle().await;
    for (number, name) in [("V00001", "Muller & Son"), ("V00002", "Muller & Son (V00002)"), ("V00003", "V00003")] {
        assert_eq!(row(&app, number).await.name.as_deref(), Some(name));
        assert_eq!(named(&app, name).len(), 1, "{name}");
        assert_eq!(history(&app, number).await, ["brex_vendor_named", "brex_vendor_creating", "brex_vendor_created"]);
    }
    assert_one_each(&app).await;
}

#[tokio::test]
async fn a_vendor_that_is_in_brex_already_is_linked_and_its_bank_details_stay() {
    let Some(mut app) = start(Db::Sqlite, "").await else { return };
    change(&app, "V00001", VendorChange { name: Some("Acme Inc".to_owned()), ..Default::default() });
    let bank = json!({ "company_name": "ACME  Inc", "payment_accounts": [{ "details": { "type": "ACH", "routing_number": "021000021",
        "account_number": "3818193555", "account_type": "CHECKING", "account_class": "BUSINESS" } }] });
    app.world().brex.add_vendor(&bank).unwrap();
    let before = in_brex(&app)[0]["accounts"].clone();
    app.run_until_idle().await;
    let vendor = in_brex(&app).remove(0);
    assert_eq!(row(&app, "V00001").await.brex_id.as_deref(), vendor["id"].as_str());
    assert_eq!(vendor["accounts"], before);
    assert!(vendor["email"].is_string(), "what it lacked is filled in");
    assert_eq!(history(&app, "V00001").await, ["brex_vendor_linked", "brex_vendor_updated"]);
    assert_one_each(&app).await;
}

#[tokio::test]
async fn a_new_name_in_bc_comes_over_after_a_nudge_and_bank_details_stay() {
    let Some(mut app) = start(Db::Sqlite, "").await else { return };
    app.run_until_idle().await;
    let id = row(&app, "V00001").await.brex_id;
    app.advance(60);
    change(&app, "V00001", VendorChange { name: Some("New Name".to_owned()), ..Default::default() });
    nudge(&app.app, &app.connection()).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(named(&app, "New Name")[0]["id"].as_str(), id.as_deref());
    assert_eq!(history(&app, "V00001").await.last().map(String::as_str), Some("brex_vendor_updated"));
}

#[rstest]
#[case::keep("keep")]
#[case::rename("rename")]
#[case::delete("delete")]
#[tokio::test]
async fn a_vendor_that_is_blocked_or_deleted_is_left_as_the_policy_says(#[case] policy: &str) {
    let settings = format!("on_block = \"{policy}\"\non_delete = \"{policy}\"\n");
    let Some(mut app) = start(Db::Sqlite, &settings).await else { return };
    app.run_until_idle().await;
    let (blocked, gone) = (row(&app, "V00001").await, row(&app, "V00020").await);
    change(&app, "V00001", VendorChange { blocked: Some(Blocked::Payment), ..Default::default() });
    change(&app, "V00020", VendorChange { delete: true, ..Default::default() });
    sync(&mut app).await;
    for (row, mark) in [(&blocked, " (blocked in BC)"), (&gone, " (deleted in BC)")] {
        let name = row.name.clone().unwrap();
        let found = in_brex(&app).into_iter().find(|vendor| vendor["id"].as_str() == row.brex_id.as_deref());
        let found = found.map(|vendor| vendor["company_name"].as_str().unwrap().to_owned());
        let expected = match policy {
            "keep" => Some(name),
            "rename" => Some(format!("{name}{mark}")),
            _ => None,
        };
        assert_eq!(found, expected);
    }
    change(&app, "V00001", VendorChange { blocked: Some(Blocked::No), ..Default::default() });
    sync(&mut app).await;
    assert_eq!(named(&app, &blocked.bc_name).len(), 1, "a vendor that is free again is there under its name");
    assert_one_each(&app).await;
}

#[tokio::test]
async fn a_linked_vendor_is_never_deleted() {
    let Some(mut app) = start(Db::Sqlite, "on_block = \"delete\"\n").await else { return };
    change(&app, "V00001", VendorChange { name: Some("Acme Inc".to_owned()), ..Default::default() });
    app.world().brex.add_vendor(&json!({ "company_name": "Acme Inc" })).unwrap();
    app.run_until_idle().await;
    change(&app, "V00001", VendorChange { blocked: Some(Blocked::All), ..Default::default() });
    sync(&mut app).await;
    assert_eq!(named(&app, "Acme Inc").len(), 1);
    assert!(row(&app, "V00001").await.hold_text.unwrap().contains("it was in Brex before the connector"));
}

#[rstest]
#[case::the_person_wins("", "By Hand")]
#[case::bc_wins("edits = \"bc_wins\"\n", "Acme Inc")]
#[tokio::test]
async fn a_name_that_a_person_changed_in_brex_is_kept_or_written_again(#[case] settings: &str, #[case] expected: &str) {
    let Some(mut app) = start(Db::Sqlite, settings).await else { return };
    change(&app, "V00001", VendorChange { name: Some("Acme Inc".to_owned()), ..Default::default() });
    app.run_until_idle().await;
    let id = row(&app, "V00001").await.brex_id.unwrap();
    let by_hand = clients::brex::VendorFields { company_name: Some("By Hand".to_owned()), ..Default::default() };
    app.app.connections[0].brex.update_vendor(&id, &by_hand).await.unwrap();
    sync(&mut app).await;
    assert_eq!(named(&app, expected).len(), 1);
    assert_one_each(&app).await;
}

#[rstest]
#[case::the_person_wins("", 0)]
#[case::bc_wins("edits = \"bc_wins\"\n", 1)]
#[tokio::test]
async fn a_vendor_that_a_person_deleted_in_brex_is_held_or_created_again(#[case] settings: &str, #[case] there: usize) {
    let Some(mut app) = start(Db::Sqlite, settings).await else { return };
    app.run_until_idle().await;
    let before = row(&app, "V00001").await;
    app.app.connections[0].brex.delete_vendor(&before.brex_id.unwrap()).await.unwrap();
    sync(&mut app).await;
    assert_eq!(named(&app, &before.name.unwrap()).len(), there);
    assert_eq!(
        row(&app, "V00001").await.hold.map(domain::brex_vendor::VendorHold::as_str),
        (there == 0).then_some("deleted_in_brex")
    );
}

#[rstest]
#[tokio::test]
async fn a_lost_answer_makes_no_second_vendor(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[values(FaultKind::DropBefore, FaultKind::DropAfter, FaultKind::Status { status: 500, body: None, retry_after: None })]
    kind: FaultKind,
) {
    let Some(mut app) = start(db, "").await else { return };
    app.world().faults.add(Fault { kind, ..some_vendor() }.method("POST").times(30));
    app.run_until_idle().await;
    assert_eq!(app.world().faults.pending(), [], "every fault came to pass");
    assert_one_each(&app).await;
    app.assert_sound().await;
}

#[tokio::test]
async fn a_repeat_that_is_ignored_without_an_answer_is_settled_by_the_name() {
    let Some(mut app) = start(Db::Sqlite, "").await else { return };
    app.world().brex.configure(|settings| settings.idempotency.repeat = sandbox::brex::Repeat::Ignored);
    let away = FaultKind::Status { status: 503, body: None, retry_after: None };
    app.world().faults.add(some_vendor().method("POST"));
    app.world().faults.add(Fault::new(Side::Brex, away).method("GET").path_contains("/v1/vendors?name").times(2));
    app.run_until_idle().await;
    assert_one_each(&app).await;
}

#[rstest]
#[tokio::test]
async fn throttling_is_waited_for(#[values(None, Some(30))] retry_after: Option<u32>) {
    let Some(mut app) = start(Db::Sqlite, "").await else { return };
    let begun = app.app.now_ms();
    let throttled = FaultKind::Status { status: 429, body: None, retry_after };
    app.world().faults.add(Fault { kind: throttled, ..some_vendor() }.method("POST").skip(5).times(9));
    app.run_until_idle().await;
    assert!(app.app.now_ms() - begun >= retry_after.map_or(1, |seconds| i64::from(seconds) * 1_000));
    assert_one_each(&app).await;
}

#[tokio::test]
async fn a_token_that_may_not_see_vendors_holds_the_directory_and_no_record() {
    let Some(mut app) = start(Db::Sqlite, "").await else { return };
    app.world().brex.configure(|settings| settings.payments.role = Role::Employee);
    app.run_until_idle().await;
    app.assert_sound().await;
    assert!(app.app.store.connections().get(&app.connection()).await.unwrap().unwrap().problem.is_none());
    let jobs = app.app.store.jobs().list(&app.connection()).await.unwrap();
    let error = jobs.into_iter().find(|job| job.kind == DIRECTORY).unwrap().error.unwrap();
    assert!(error.contains("account admin, AP clerk or bookkeeper") && error.contains("Only account admin"), "{error}");
    assert_eq!(app.rows().await.len(), 1, "records go on");
    app.world().brex.configure(|settings| settings.payments.role = Role::Bookkeeper);
    sync(&mut app).await;
    assert_one_each(&app).await;
    assert!(!in_brex(&app).is_empty());
}

#[tokio::test]
async fn what_brex_refuses_waits_with_its_words_and_is_tried_again_when_asked() {
    let Some(mut app) = start(Db::Sqlite, "numbers = [\"V00001\"]\n").await else { return };
    let refused = FaultKind::Status {
        status: 400,
        body: Some(json!({ "type": "BAD_REQUEST", "message": "company_name is invalid" })),
        retry_after: None,
    };
    app.world().faults.add(Fault { kind: refused, ..some_vendor() }.method("POST"));
    app.run_until_idle().await;
    assert!(row(&app, "V00001").await.hold_text.unwrap().ends_with("Brex says: company_name is invalid"));
    assert!(in_brex(&app).is_empty());
    sync(&mut app).await;
    assert_eq!(in_brex(&app).len(), 1, "the filter lets one vendor through");
    assert_one_each(&app).await;
}

#[tokio::test]
async fn a_dry_run_names_what_a_run_would_do_and_writes_nothing() {
    let Some(mut app) = start(Db::Sqlite, "seconds = 1000000\n").await else { return };
    app.world().faults.add(
        Fault { kind: FaultKind::Status { status: 503, body: None, retry_after: None }, ..some_vendor() }.times(1),
    );
    app.tick().await;
    app.tick().await;
    app.world().faults.clear();
    app.world().brex.add_vendor(&json!({ "company_name": "georgia POWER company" })).unwrap();
    let (rows, vendors) = (map(&app).await, in_brex(&app));
    let steps = plan(&app.app, &app.app.connections[0]).await.unwrap();
    assert_eq!((map(&app).await, in_brex(&app), writes(&app)), (rows, vendors, 0));
    let number = |verb: &str| steps.iter().filter(|step| step.verb == verb).count();
    assert_eq!(number("link"), 1);
    app.run_until_idle().await;
    assert_eq!(number("create") + 1, in_brex(&app).len());
    let left = plan(&app.app, &app.app.connections[0]).await.unwrap();
    let left: Vec<_> = left.iter().map(|step| (step.verb, &step.row.number, &step.detail)).collect();
    assert_eq!(left, [], "nothing is left to do");
}

#[tokio::test]
async fn a_directory_that_is_off_calls_nobody() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    app.app.store.jobs().request(&app.connection(), DIRECTORY, None, app.app.now_ms()).await.unwrap();
    for _ in 0..20 {
        app.tick().await;
    }
    let routes = app.world().meter.tally(Side::Brex).routes;
    assert!(routes.keys().all(|route| !route.contains("/v1/vendors")), "{routes:?}");
    assert!(map(&app).await.is_empty());
}

#[rstest]
#[tokio::test]
async fn a_process_that_dies_after_any_request_leaves_one_vendor_each(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = start(db, "").await else { return };
    for _ in 0..25 {
        app.die_after(Side::Brex, 7).await;
        app.restart().await;
    }
    app.run_until_idle().await;
    assert_one_each(&app).await;
    app.assert_sound().await;
}
