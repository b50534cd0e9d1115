//! Coding lists: what can be chosen in Brex is what Business Central has, and nothing is made twice.

use connector::coding_lists::plan::plan;
use connector::coding_lists::{CODING_LISTS, FULL, standing};
use rstest::rstest;
use sandbox::Options;
use sandbox::bc::{AccountChange, VendorChange};
use sandbox::company::Blocked;
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::database::Db;

const ON: &str = "[connection.coding_lists]\nenabled = true\nvendors = true\ndimensions = [\"DEPARTMENT\"]\nintegration_vendor = \"ERP_A\"\n";

async fn start(db: Db, settings: &str) -> Option<TestApp> {
    let mut app = TestApp::start_with(db, Options { records: 1, ..Options::default() }, settings).await?;
    app.run_until_idle().await;
    Some(app)
}

/// A comparison of everything, as `coding-lists sync` asks for it.
async fn sync(app: &mut TestApp) {
    app.advance(1);
    app.app.store.jobs().request(&app.connection(), CODING_LISTS, Some(FULL), app.app.now_ms()).await.unwrap();
    app.run_until_idle().await;
}

/// Asks Brex, as a person with the token would.
async fn brex(app: &TestApp, path: &str) -> Value {
    let ready = app.sandbox.ready();
    let request = reqwest::Client::builder()
        .build()
        .unwrap()
        .get(format!("{}{path}", ready.brex.base_url))
        .bearer_auth(&ready.brex.token);
    serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
}

/// The values of the field with a remote id, by code, and whether they can be chosen.
pub(crate) async fn offered(app: &TestApp, remote_id: &str) -> Vec<(String, String, bool)> {
    let fields = brex(app, "/v1/fields?limit=1000").await;
    let fields: Vec<&Value> =
        fields["items"].as_array().unwrap().iter().filter(|field| field["remote_id"] == json!(remote_id)).collect();
    let [field] = fields.as_slice() else { panic!("one field {remote_id}, not {}", fields.len()) };
    let values = brex(app, &format!("/v1/fields/{}/values?limit=1000", field["brex_id"].as_str().unwrap())).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let one = |value: &Value| (text(&value["value_id"]), text(&value["value"]), value["is_disabled"] == json!(false));
    let mut values: Vec<_> = values["items"].as_array().unwrap().iter().map(one).collect();
    values.sort();
    values
}

/// What Business Central has, as the mirror shows it.
fn in_bc(app: &TestApp, remote_id: &str) -> Vec<(String, String, bool)> {
    let directory = app.app.connections[0].directory();
    let wanted = match remote_id {
        "GL_ACCOUNT" => domain::coding_list::accounts(directory.accounts()),
        "VENDOR" => domain::coding_list::vendors(directory.vendors()),
        dimension => domain::coding_list::dimension_values(&dimension[4..], directory.values()),
    };
    let mut wanted: Vec<_> = wanted.into_iter().map(|value| (value.code, value.label, true)).collect();
    wanted.sort();
    wanted
}

const FIELDS: [&str; 3] = ["GL_ACCOUNT", "VENDOR", "DIM_DEPARTMENT"];

#[rstest]
#[tokio::test]
async fn the_lists_are_made_once_and_then_cost_nothing(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = start(db, ON).await else { return };
    for field in FIELDS {
        let wanted = in_bc(&app, field);
        assert!(!wanted.is_empty());
        assert_eq!(offered(&app, field).await, wanted, "{field}");
    }
    assert_eq!(app.actions("coding_list VENDOR").await, ["coding_field_created", "coding_values_created"]);
    let before = app.world().meter.tally(Side::Brex).requests;
    app.request(CODING_LISTS).await;
    app.run_until_idle().await;
    assert_eq!(app.world().meter.tally(Side::Brex).requests, before, "nothing changed, so nobody is asked");
    sync(&mut app).await;
    let writes = app.world().meter.tally(Side::Brex).requests - before;
    assert_eq!(writes, 4, "one list of fields and three of values");
}

#[tokio::test]
async fn what_changes_in_business_central_changes_in_brex() {
    let mut app = start(Db::Sqlite, ON).await.unwrap();
    let world = app.world();
    let blocked = AccountChange { blocked: Some(true), ..AccountChange::default() };
    world.bc.change_account("60500", blocked, world.clock.now()).unwrap();
    let renamed = VendorChange { name: Some("Another Name Ltd".to_owned()), ..VendorChange::default() };
    world.bc.change_vendor("V00001", renamed, world.clock.now()).unwrap();
    let all = VendorChange { blocked: Some(Blocked::All), ..VendorChange::default() };
    world.bc.change_vendor("V00002", all, world.clock.now()).unwrap();
    app.request("master_data").await;
    app.request(CODING_LISTS).await;
    app.run_until_idle().await;
    let find = async |field: &str, code: &str| {
        offered(&app, field).await.into_iter().find(|(value, _, _)| value == code).unwrap()
    };
    assert!(!find("GL_ACCOUNT", "60500").await.2);
    assert_eq!(find("VENDOR", "V00001").await.1, "V00001 Another Name Ltd");
    assert!(!find("VENDOR", "V00002").await.2);
    let unblocked = AccountChange { blocked: Some(false), ..AccountChange::default() };
    world.bc.change_account("60500", unblocked, world.clock.now()).unwrap();
    app.request("master_data").await;
    app.request(CODING_LISTS).await;
    app.run_until_idle().await;
    assert_eq!(offered(&app, "GL_ACCOUNT").await, in_bc(&app, "GL_ACCOUNT"));
}

#[tokio::test]
async fn lost_answers_and_deaths_make_nothing_twice() {
    for requests in (1..14).step_by(2) {
        let options = Options { records: 1, ..Options::default() };
        let mut app = TestApp::start_with(Db::Sqlite, options, ON).await.unwrap();
        let world = app.world();
        for path in ["/v3/accounting/integration", "/v1/fields"] {
            let lost = Fault::new(Side::Brex, FaultKind::DropAfter).method("POST").path_contains(path);
            world.faults.add(lost.times(2));
        }
        let away = FaultKind::LateCommit { seconds: 540, status: Some(504) };
        world.faults.add(Fault::new(Side::Brex, away).method("POST").path_contains("/values"));
        app.die_after(Side::Brex, requests).await;
        app.restart().await;
        app.run_until_idle().await;
        app.advance(3_600);
        sync(&mut app).await;
        for field in FIELDS {
            assert_eq!(offered(&app, field).await, in_bc(&app, field), "{field} after {requests} requests");
        }
        app.assert_sound().await;
    }
}

#[tokio::test]
async fn one_refused_value_stops_no_other_and_is_named() {
    let options = Options { records: 1, ..Options::default() };
    let mut app = TestApp::start_with(Db::Sqlite, options, ON).await.unwrap();
    let world = app.world();
    world.brex.configure(|settings| settings.fields.ascii_only = true);
    let name = VendorChange { name: Some("Bäckerei".to_owned()), ..VendorChange::default() };
    world.bc.change_vendor("V00003", name, world.clock.now()).unwrap();
    app.run_until_idle().await;
    let standing = standing(&app.app, &app.app.connections[0], "VENDOR").await.unwrap().unwrap();
    assert!(standing.problems.iter().any(|problem| problem.contains("V00003 Bäckerei")), "{standing:?}");
    let offered = offered(&app, "VENDOR").await;
    assert!(offered.iter().all(|(code, _, _)| code != "V00003"));
    assert_eq!(offered.len(), in_bc(&app, "VENDOR").len() - standing.problems.len());
}

#[tokio::test]
async fn the_plan_reads_only_and_is_empty_after_a_run() {
    let options = Options { records: 1, ..Options::default() };
    let mut app = TestApp::start_with(Db::Sqlite, options, ON).await.unwrap();
    app.prepare().await;
    let steps = plan(&app.app.connections[0]).await.unwrap();
    assert!(steps.iter().all(|step| step.makes_field && !step.difference.create.is_empty()));
    assert_eq!(brex(&app, "/v1/fields").await["items"], json!([]));
    app.run_until_idle().await;
    let steps = plan(&app.app.connections[0]).await.unwrap();
    assert!(steps.iter().all(|step| !step.makes_field && step.difference.is_empty()));
}

#[tokio::test]
async fn what_a_person_has_to_do_is_said_and_records_go_on() {
    let without = "[connection.coding_lists]\nenabled = true\ndimensions = [\"NOWHERE\"]\n";
    let app = start(Db::Sqlite, without).await.unwrap();
    let problems = async |field: &str| {
        standing(&app.app, &app.app.connections[0], field).await.unwrap().unwrap().problems.join("; ")
    };
    assert!(problems("GL_ACCOUNT").await.contains("coding_lists.integration_vendor"));
    assert!(problems("DIM_NOWHERE").await.contains("the dimension NOWHERE is not in Business Central"));

    let mut app = TestApp::start_with(Db::Sqlite, Options { records: 1, ..Options::default() }, ON).await.unwrap();
    let world = app.world();
    world.brex.connect_other("CAMPFIRE", "x", world.clock.now());
    app.run_until_idle().await;
    let said = standing(&app.app, &app.app.connections[0], "VENDOR").await.unwrap().unwrap().problems.join("; ");
    assert!(said.contains("integration of CAMPFIRE is active"), "{said}");

    let mut app = TestApp::start_with(Db::Sqlite, Options { records: 1, ..Options::default() }, ON).await.unwrap();
    let refused = FaultKind::Status { status: 403, body: None, retry_after: None };
    app.world().faults.add(Fault::new(Side::Brex, refused).path_contains("/v1/fields").times(9));
    app.run_until_idle().await;
    app.assert_sound().await;
    let jobs = app.app.store.jobs().list(&app.connection()).await.unwrap();
    let job = jobs.into_iter().find(|job| job.kind == CODING_LISTS).unwrap();
    assert!(job.error.unwrap().contains("it needs the scopes fields.write"));
}
