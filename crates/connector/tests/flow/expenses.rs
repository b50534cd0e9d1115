//! The source `expenses`: approved card expenses in place of accounting records, for accounts whose token may not read those.

use connector::config::Source;
use connector::tieout::make;
use domain::hold::HoldCode;
use domain::id::{ConnectionId, RecordId};
use domain::stage::Stage;
use domain::tieout::{End, Period, Reason, TieOut, Unexplained};
use jiff::civil::date;
use rstest::rstest;
use sandbox::Options;
use sandbox::bc::{DocumentKind, LedgerDocument};
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::database::Db;
use crate::held::{a_vendor, card, hold_of};

const ID: &str = "expense_accr_one";

/// A connector for expenses, with a token that may read no more than it needs. The records of the sandbox are what its
/// expenses are made from; nobody asks for them.
async fn start(db: Db) -> Option<TestApp> {
    let mut app = TestApp::start_with(db, Options { records: 0, ..Options::default() }, "").await?;
    app.reconfigure(|settings| settings.brex.source = Source::Expenses).await;
    let scopes = ["companies.readonly", "expenses.card.readonly", "fields.read", "field_values.read"];
    app.world().brex.set_scopes(&scopes);
    Some(app)
}

/// An expense whose account is named as the option shows it.
fn expense(app: &TestApp, id: &str, option: &str, amount: f64) -> Value {
    let mut record = card(id, &a_vendor(app).1, "unknown", amount);
    let coding = &mut record["line_items"][0]["accounting_field_values"][0];
    coding["field_name"] = json!("GL Account");
    coding["field_value_name"] = json!(option);
    let link = format!("https://receipts.invalid/receipt_{id}.pdf");
    record["receipts"] = json!([{ "id": format!("receipt_{id}"), "download_uris": [link] }]);
    record
}

async fn arrives(app: &mut TestApp, record: &Value) {
    app.insert(record);
    app.poll_now().await;
    app.run_until_idle().await;
}

/// The one expense of most tests.
async fn travel_arrives(app: &mut TestApp) {
    let travel = expense(app, "accr_one", "64100 Travel", 12.5);
    arrives(app, &travel).await;
}

fn documents(app: &TestApp, id: &str) -> Vec<LedgerDocument> {
    app.world().bc.documents_by_marker(id)
}

fn edit(app: &TestApp, patch: &Value) {
    let world = app.world();
    world.clock.advance(jiff::SignedDuration::from_secs(60));
    world.brex.edit("accr_one", patch.as_object().unwrap(), world.clock.now()).unwrap();
}

fn calls(app: &TestApp, side: Side, method: &str, part: &str) -> u64 {
    let tally = app.world().meter.tally(side);
    tally.routes.iter().filter(|(route, _)| route.starts_with(method) && route.contains(part)).map(|(_, n)| n).sum()
}

async fn tie_out(app: &TestApp) -> TieOut {
    let connection = &app.app.connections[0];
    let period = Period { from: date(2020, 1, 1), to: date(2030, 12, 31) };
    make(&app.app, connection, &connection.identity().unwrap(), period).await.unwrap()
}

async fn problem(app: &TestApp) -> store::Problem {
    app.app.store.connections().get(&app.connection()).await.unwrap().unwrap().problem.expect("the connection is held")
}

#[rstest]
#[tokio::test]
async fn an_approved_expense_becomes_one_draft_and_brex_is_told_nothing(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = start(db).await else { return };
    travel_arrives(&mut app).await;
    let row = app.row(ID).await.unwrap();
    assert_eq!((row.stage, row.hold.clone(), row.source_id.as_deref()), (Stage::Exported, None, Some(ID)));
    let [document] = &documents(&app, ID)[..] else { panic!("one document") };
    assert_eq!((document.kind, &document.vendor_number), (DocumentKind::Invoice, &a_vendor(&app).0));
    assert_eq!((document.total, document.lines[0].number.as_str()), ("12.5".parse().unwrap(), "64100"));
    let receipts = app.app.store.receipts().find_many(&app.connection(), &[RecordId::new(ID)]).await.unwrap();
    assert!(receipts[0].attached_ms.is_some(), "the receipt is on the draft");
    let story = app.story(ID).await;
    let told = story.iter().find(|entry| entry.action == "exported").unwrap();
    assert!(told.detail.contains("expenses have no export status in Brex, so Brex is not told"), "{}", told.detail);

    app.poll_now().await;
    app.run_until_idle().await;
    app.restart().await;
    app.request("full_poll").await;
    app.run_until_idle().await;
    assert_eq!(app.row(ID).await.unwrap(), row, "looking again changes nothing");
    assert_eq!(app.world().bc.ledger().len(), 1);
    assert_eq!(calls(&app, Side::Brex, "", "accounting"), 0, "the accounting API was never asked");
    let hooks = app.app.connections[0].brex.list_subscriptions().await.unwrap();
    assert_eq!(hooks[0].event_types, ["TRANSFER_PROCESSED", "TRANSFER_FAILED"]);

    let tied = tie_out(&app).await;
    assert_eq!((tied.unexplained.len(), tied.items.len(), &tied.items[0].end), (0, 1, &End::Document));
    assert!(tied.is_closed(), "that Brex says nothing of the export is no difference");
    assert!(matches!(app.app.store.audit().verify(&app.connection()).await.unwrap(), store::Chain::Verified { .. }));
}

/// Every kind of expense that the sandbox has: each ends as one document, held, or not taken up.
#[tokio::test]
async fn the_zoo_s_expenses_tie_out() {
    let mut app = TestApp::start(Db::Sqlite, 120).await.unwrap();
    app.reconfigure(|settings| settings.brex.source = Source::Expenses).await;
    app.run_until_idle().await;
    let tied = tie_out(&app).await;
    let by_others = |found: &&Unexplained| found.reason != Reason::ExportedByOthers;
    assert_eq!(tied.unexplained.iter().filter(by_others).collect::<Vec<_>>(), Vec::<&Unexplained>::new());
    assert_eq!(tied.sums.documents.sums, tied.sums.ends["document"].sums, "to the cent");
    let exported = app.rows().await.iter().filter(|row| row.stage == Stage::Exported).count();
    assert!(exported > 20, "{exported}");
    assert_eq!(tied.sums.documents.count, exported);
}

#[tokio::test]
async fn options_are_understood_by_brex_s_own_ids_where_fields_may_be_read_and_by_names_else() {
    let mut app = start(Db::Sqlite).await.unwrap();
    let ready = app.sandbox.ready().brex.clone();
    app.world().brex.set_scopes(&["companies.readonly", "fields.write", "field_values.write"]);
    let made = async |path: &str, body: Value| {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let call = client.post(format!("{}{path}", ready.base_url.trim_end_matches('/')));
        let call = call.bearer_auth(&ready.token).header("idempotency-key", path).json(&body);
        call.send().await.unwrap().json::<Value>().await.unwrap()
    };
    let field = made("/v1/fields", json!({ "name": "GL Account", "group": "ACCOUNTING" })).await;
    let path = format!("/v1/fields/{}/values", field["brex_id"].as_str().unwrap());
    let value = made(&path, json!({ "items": [{ "value": "On the road", "value_id": "64100" }] })).await;
    let mut coded = expense(&app, "accr_one", "On the road", 12.5);
    coded["line_items"][0]["accounting_field_values"][0]["brex_field_value_id"] = value["items"][0]["brex_id"].clone();

    app.world().brex.set_scopes(&["companies.readonly", "expenses.card.readonly"]);
    arrives(&mut app, &coded).await;
    assert_eq!(hold_of(&app, ID).await, Some(HoldCode::AccountUnknown), "the name alone says no account");
    app.world().brex.set_scopes(&["companies.readonly", "expenses.card.readonly", "fields.read", "field_values.read"]);
    app.request("connect").await;
    app.request("master_data").await;
    app.run_until_idle().await;
    assert_eq!(documents(&app, ID)[0].lines[0].number, "64100");
    let asked = calls(&app, Side::Brex, "GET", "/v1/fields");
    app.poll_now().await;
    app.run_until_idle().await;
    assert_eq!(calls(&app, Side::Brex, "GET", "/v1/fields"), asked, "what is known is not asked for again");
}

#[tokio::test]
async fn an_edit_after_the_draft_is_told_as_for_records_and_so_is_an_expense_that_no_longer_stands() {
    for (patch, said) in [
        (json!({ "memo": "Lunch" }), None),
        (json!({ "amount": 99 }), Some("amount: planned 12.50 USD, found 99.00 USD")),
        (json!({ "status": "VOID" }), Some("type: planned CARD_EXPENSE_POST, found CARD_EXPENSE_VOID")),
    ] {
        let mut app = start(Db::Sqlite).await.unwrap();
        travel_arrives(&mut app).await;
        edit(&app, &patch);
        app.poll_now().await;
        app.run_until_idle().await;
        let hold = app.row(ID).await.unwrap().hold;
        assert_eq!(hold.as_ref().map(|hold| hold.code), said.map(|_| HoldCode::RecordChanged), "{patch}");
        assert!(hold.is_none_or(|hold| hold.sentence.contains(said.unwrap())));
        assert_eq!(documents(&app, ID).len(), 1);
    }
}

#[tokio::test]
async fn a_lost_answer_and_an_expense_that_is_taken_back_meanwhile_make_no_second_and_no_exported_document() {
    let mut app = start(Db::Sqlite).await.unwrap();
    app.world().faults.add(Fault::new(Side::Bc, FaultKind::DropAfter).method("POST").path_contains("purchaseInvoices"));
    travel_arrives(&mut app).await;
    assert_eq!(calls(&app, Side::Bc, "POST", "purchaseInvoices"), 1, "the document was looked for, not sent again");
    assert_eq!((documents(&app, ID).len(), app.row(ID).await.unwrap().stage), (1, Stage::Exported));

    app.insert(&expense(&app, "accr_two", "64100 Travel", 20.0));
    app.advance(31);
    app.poll_and_run(&[Stage::ResolveVendor, Stage::Map, Stage::Draft, Stage::Verify, Stage::Attach]).await;
    let world = app.world();
    let back = json!({ "status": "SUBMITTED" });
    world.brex.edit("accr_two", back.as_object().unwrap(), world.clock.now()).unwrap();
    app.advance(31);
    app.run_until_idle().await;
    let row = app.row("expense_accr_two").await.unwrap();
    assert_eq!((row.stage, row.hold.map(|hold| hold.code)), (Stage::MarkExported, Some(HoldCode::RecordNotReady)));
}

#[tokio::test]
async fn money_that_comes_back_becomes_a_credit_memo() {
    let mut app = start(Db::Sqlite).await.unwrap();
    let mut refund = expense(&app, "accr_one", "64100 Travel", 40.0);
    refund["type"] = json!("CARD_EXPENSE_REFUND");
    refund["line_items"][0]["type"] = json!("CREDIT");
    refund["line_items"][1]["type"] = json!("DEBIT");
    arrives(&mut app, &refund).await;
    let [memo] = &documents(&app, ID)[..] else { panic!("one document") };
    assert_eq!((memo.kind, memo.total), (DocumentKind::CreditMemo, "40".parse().unwrap()));
    assert_eq!(app.row(ID).await.unwrap().stage, Stage::Exported);
}

#[tokio::test]
async fn the_source_is_changed_only_while_nothing_was_taken_in_and_is_never_two_at_once() {
    let mut app = TestApp::start_with(Db::Sqlite, Options { records: 0, ..Options::default() }, "").await.unwrap();
    app.run_until_idle().await;
    app.reconfigure(|settings| settings.brex.source = Source::Expenses).await;
    travel_arrives(&mut app).await;
    assert_eq!(documents(&app, ID).len(), 1, "nothing was known before");

    app.reconfigure(|settings| settings.brex.source = Source::Accounting).await;
    app.request("full_poll").await;
    ticks(&mut app).await;
    let said = problem(&app).await;
    assert_eq!(said.code, "source_changed");
    assert!(
        said.sentence.contains("has records from brex.source = \"expenses\" and is now told to take \"accounting\"")
    );
    assert_eq!((app.rows().await.len(), app.world().bc.ledger().len()), (1, 1), "nothing is booked twice");

    app.reconfigure(|settings| settings.brex.source = Source::Expenses).await;
    app.run_until_idle().await;
    assert!(app.app.store.connections().get(&app.connection()).await.unwrap().unwrap().problem.is_none());
}

#[tokio::test]
async fn two_connections_between_the_same_companies_never_take_two_sources() {
    let mut app = TestApp::start_with(Db::Sqlite, Options { records: 0, ..Options::default() }, "").await.unwrap();
    app.add_neighbour(|neighbour| neighbour.brex.source = Source::Expenses).await;
    app.insert(&card("accr_one", &a_vendor(&app).1, "64100", 12.5));
    let neighbour = ConnectionId::new("neighbour").unwrap();
    for restarted in [false, true] {
        ticks(&mut app).await;
        let said = app.app.store.connections().get(&neighbour).await.unwrap().and_then(|row| row.problem).unwrap();
        assert_eq!(said.code, "source_twice", "{restarted}");
        assert!(said.sentence.starts_with("connections neighbour and main join the same"), "{}", said.sentence);
        assert_eq!(app.app.store.records().list(&neighbour, None, 10).await.unwrap(), []);
        app.restart().await;
    }
    assert_eq!(documents(&app, "accr_one").len(), 0, "and without names of legal entities neither works");
}

/// A connection that is held comes to no rest.
async fn ticks(app: &mut TestApp) {
    for _ in 0..20 {
        app.tick().await;
    }
}
