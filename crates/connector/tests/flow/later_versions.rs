//! Bills come again with every edit: the draft follows as long as it is ours alone, whatever answer gets lost; else the record is
//! held with what changed on either side.

use domain::hold::HoldCode;
use domain::stage::Stage;
use rstest::rstest;
use sandbox::Options;
use sandbox::bc::{DocumentAction, DocumentChange, LedgerDocument};
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::database::Db;
use crate::held::{a_vendor, hold_of};

const ID: &str = "accr_bill";

fn line(id: &str, side: &str, account: &str, amount: f64, department: Option<&str>) -> Value {
    let field = |remote: &str, value: &str| json!({ "brex_field_id": remote, "remote_field_id": remote, "brex_field_value_id": "efo_1", "remote_field_value_id": value });
    let coding: Vec<Value> = match side {
        "DEBIT" => std::iter::once(field("GL_ACCOUNT", account))
            .chain(department.map(|value| field("DIM_DEPARTMENT", value)))
            .collect(),
        _ => Vec::new(),
    };
    json!({ "id": id, "type": side, "amount": { "amount": amount, "currency": "USD" }, "accounting_field_values": coding })
}

fn bill(payee: &str) -> Value {
    json!({
        "id": ID, "type": "BILL_EXPENSE", "review_status": "REVIEW", "source_type": "BILL", "source_id": "expense_b",
        "amount": { "amount": 125.0, "currency": "USD" }, "erp_posting_date": "2026-06-10T00:00:00Z",
        "posted_at": "2026-06-11T15:00:00Z", "updated_at": "2026-06-21T15:00:00Z", "due_at": "2026-07-10T00:00:00Z",
        "invoice_number": "INV-1", "version": 1, "vendor": { "id": "pdcont_1", "name": payee }, "receipts": [],
        "line_items": [
            line("a", "DEBIT", "64100", 100.0, Some("SALES")), line("b", "DEBIT", "61300", 25.0, None),
            line("c", "CREDIT", "", 125.0, None),
        ],
    })
}

/// Everything that can change at once: dates, number, an account, an amount, a dimension taken away and one given, a line more.
fn later() -> Value {
    json!({
        "amount": { "amount": 160.0, "currency": "USD" }, "erp_posting_date": "2026-06-12T00:00:00Z",
        "due_at": "2026-07-20T00:00:00Z", "invoice_number": "INV-1A",
        "line_items": [
            line("a", "DEBIT", "64100", 90.0, None), line("b", "DEBIT", "64200", 25.0, Some("SALES")),
            line("d", "DEBIT", "61300", 45.0, Some("SALES")), line("c", "CREDIT", "", 160.0, None),
        ],
    })
}

async fn exported(db: Db) -> Option<TestApp> {
    let mut app = TestApp::start_with(db, Options { records: 1, ..Options::default() }, "").await?;
    let (_, name) = a_vendor(&app);
    app.insert(&bill(&name));
    app.run_until_idle().await;
    assert_eq!(app.row(ID).await.unwrap().stage, Stage::Exported);
    Some(app)
}

async fn edit(app: &TestApp, patch: &Value) {
    app.advance(60);
    let world = app.world();
    world.brex.edit(ID, patch.as_object().unwrap(), world.clock.now()).unwrap();
    app.poll_now().await;
}

fn document(app: &TestApp) -> LedgerDocument {
    let mut found = app.world().bc.documents_by_marker(ID);
    assert_eq!(found.len(), 1);
    found.remove(0)
}

fn change(app: &TestApp, change: DocumentChange) {
    let world = app.world();
    world.bc.change_document(document(app).id, change, world.clock.now()).unwrap();
}

async fn assert_revised(app: &TestApp) {
    let row = app.row(ID).await.unwrap();
    assert_eq!((row.stage, row.hold), (Stage::Exported, None));
    let document = document(app);
    assert_eq!((document.external_number.as_str(), document.total.to_string().parse()), ("INV-1A", Ok(160.0)));
    assert_eq!(row.document_key.as_deref(), Some("INV-1A"));
    let lines: Vec<(String, String, bool)> = document
        .lines
        .iter()
        .filter(|line| line.line_type == "Account")
        .map(|line| {
            let line = serde_json::to_value(line).unwrap();
            let has = line["dimensions"].to_string().contains("SALES");
            (line["number"].to_string().replace('"', ""), line["amount"].to_string(), has)
        })
        .collect();
    assert_eq!(lines.iter().map(|line| line.2).collect::<Vec<_>>(), [false, true, true], "{lines:?}");
    let intents = app.app.store.intents().list_for(&app.connection(), &domain::id::RecordId::new(ID)).await.unwrap();
    assert!(intents.iter().all(|intent| intent.outcome.is_some()));
    app.assert_sound().await;
}

#[rstest]
#[tokio::test]
async fn a_later_version_of_a_bill_changes_its_own_draft(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = exported(db).await else { return };
    let before = document(&app);
    edit(&app, &later()).await;
    app.run_until_idle().await;
    assert_revised(&app).await;
    let after = document(&app);
    assert_eq!((before.id, &before.number), (after.id, &after.number), "the same draft");
    let story = app.story(ID).await;
    let told = story.iter().find(|entry| entry.action == "revision_committed").unwrap();
    assert!(told.detail.contains("\"before\":") && told.detail.contains("INV-1A"), "{}", told.detail);
    app.request("full_poll").await;
    let (entries, ledger) = (app.story(ID).await.len(), app.world().bc.ledger());
    app.run_until_idle().await;
    assert_eq!(
        (app.story(ID).await.len(), app.world().bc.ledger()),
        (entries, ledger),
        "the same version again is no news"
    );
}

#[rstest]
#[tokio::test]
async fn fewer_lines_and_the_way_back_to_the_first_version_are_followed_too(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(mut app) = exported(db).await else { return };
    let (_, name) = a_vendor(&app);
    let fewer = json!({ "amount": { "amount": 7.0, "currency": "USD" }, "line_items": [
        line("b", "DEBIT", "61300", 7.0, None), line("c", "CREDIT", "", 7.0, None),
    ] });
    edit(&app, &fewer).await;
    app.run_until_idle().await;
    assert_eq!(document(&app).total.to_string().parse(), Ok(7.0));
    let mut first = bill(&name);
    for key in ["version", "updated_at", "id"] {
        first.as_object_mut().unwrap().remove(key);
    }
    edit(&app, &first).await;
    app.run_until_idle().await;
    assert_eq!(document(&app).total.to_string().parse(), Ok(125.0));
    assert_eq!(app.row(ID).await.unwrap().stage, Stage::Exported);
    app.assert_sound().await;
}

#[rstest]
#[tokio::test]
async fn a_lost_answer_to_any_change_of_the_draft_changes_nothing_about_the_end(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[values("PATCH", "POST", "DELETE")] method: &str,
) {
    let error = |status| FaultKind::Status { status, body: None, retry_after: None };
    for kind in [FaultKind::DropAfter, FaultKind::DropBefore, error(500), error(429), error(409)] {
        for skip in 0..2 {
            let Some(mut app) = exported(db).await else { return };
            let fault = Fault::new(Side::Bc, kind.clone()).method(method).path_contains("purchaseInvoices(").skip(skip);
            app.world().faults.add(fault);
            edit(&app, &later()).await;
            app.run_until_idle().await;
            assert_revised(&app).await;
        }
    }
}

#[rstest]
#[tokio::test]
async fn a_process_that_dies_at_any_moment_of_a_change_ends_in_the_same_draft(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    for requests in [1, 2, 3, 5, 7, 9, 11, 13, 15] {
        let Some(mut app) = exported(db).await else { return };
        edit(&app, &later()).await;
        app.die_after(Side::Bc, requests).await;
        app.restart().await;
        app.run_until_idle().await;
        assert_revised(&app).await;
    }
}

#[rstest]
#[tokio::test]
async fn changing_a_draft_twice_changes_nothing(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = exported(db).await else { return };
    edit(&app, &later()).await;
    app.poll_and_run(&[]).await;
    app.run_stage_twice(Stage::Revise).await;
    app.run_until_idle().await;
    assert_revised(&app).await;
}

#[tokio::test]
async fn a_draft_that_a_person_changed_is_left_alone_and_both_changes_are_named_until_it_is_put_back() {
    let Some(mut app) = exported(Db::Sqlite).await else { return };
    change(&app, DocumentChange { unit_cost: "101".parse().ok(), ..DocumentChange::default() });
    let ledger = app.world().bc.ledger();
    edit(&app, &later()).await;
    app.run_until_idle().await;
    let hold = app.row(ID).await.unwrap().hold.unwrap();
    assert_eq!(hold.code, HoldCode::RecordChanged);
    for text in ["invoice number: was INV-1, is INV-1A", "line 1 amount: was 100", "planned 100, found 101"] {
        assert!(hold.sentence.contains(text), "{text} is not in: {}", hold.sentence);
    }
    assert_eq!(app.world().bc.ledger(), ledger);
    app.request("master_data").await;
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, ID).await, Some(HoldCode::RecordChanged));
    change(&app, DocumentChange { unit_cost: "100".parse().ok(), ..DocumentChange::default() });
    app.request("master_data").await;
    app.run_until_idle().await;
    assert_revised(&app).await;
}

#[tokio::test]
async fn a_posted_bill_is_held_with_what_changed_and_stays_as_it_is() {
    let Some(mut app) = exported(Db::Sqlite).await else { return };
    change(&app, DocumentChange { action: Some(DocumentAction::Post), ..DocumentChange::default() });
    let ledger = app.world().bc.ledger();
    edit(&app, &later()).await;
    app.run_until_idle().await;
    let hold = app.row(ID).await.unwrap().hold.unwrap();
    assert_eq!(hold.code, HoldCode::RecordChanged);
    assert!(hold.sentence.contains("is posted") && hold.sentence.contains("INV-1A"), "{}", hold.sentence);
    assert_eq!(app.world().bc.ledger(), ledger);
}

#[tokio::test]
async fn a_version_that_cannot_be_mapped_another_payee_and_a_taken_number_wait_for_a_person() {
    let Some(mut app) = exported(Db::Sqlite).await else { return };
    let ledger = app.world().bc.ledger();
    let mut unknown = later();
    unknown["line_items"][0]["accounting_field_values"][0]["remote_field_value_id"] = json!("99999");
    edit(&app, &unknown).await;
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, ID).await, Some(HoldCode::AccountUnknown));
    let other = app.world().company.vendors.iter().find(|v| v.name != a_vendor(&app).1).unwrap().name.clone();
    let mut payee = later();
    payee["vendor"] = json!({ "id": "pdcont_2", "name": other });
    edit(&app, &payee).await;
    app.run_until_idle().await;
    assert!(hold_of(&app, ID).await.is_some());
    assert_eq!(app.world().bc.ledger(), ledger);
    let mut right = later();
    right["vendor"] = json!({ "id": "pdcont_1", "name": a_vendor(&app).1 });
    edit(&app, &right).await;
    app.run_until_idle().await;
    assert_revised(&app).await;
}

#[tokio::test]
async fn a_draft_that_is_still_on_its_way_follows_before_it_is_exported() {
    let options = Options { records: 1, ..Options::default() };
    let Some(mut app) = TestApp::start_with(Db::Sqlite, options, "").await else { return };
    app.run_until_idle().await;
    let (_, name) = a_vendor(&app);
    app.insert(&bill(&name));
    app.poll_and_run(&[Stage::ResolveVendor, Stage::Map, Stage::Draft, Stage::Verify]).await;
    edit(&app, &later()).await;
    app.run_until_idle().await;
    assert_revised(&app).await;
    let actions = app.actions(ID).await;
    let place = |name: &str| actions.iter().position(|action| action == name).unwrap();
    assert!(place("revised") < place("exported"), "{actions:?}");
}

#[tokio::test]
async fn what_lines_no_longer_share_leaves_the_header_and_reaches_no_new_line() {
    let Some(mut app) = exported(Db::Sqlite).await else { return };
    let of = |app: &TestApp| {
        let document = document(app);
        let accounts = document.lines.iter().filter(|line| line.line_type == "Account");
        let lines: Vec<Option<String>> = accounts.map(|line| line.dimensions.get("DEPARTMENT").cloned()).collect();
        (document.dimensions.get("DEPARTMENT").cloned(), lines)
    };
    let sales = || Some("SALES".to_owned());
    let shared = [line("a", "DEBIT", "64100", 100.0, Some("SALES")), line("b", "DEBIT", "64200", 25.0, Some("SALES"))];
    edit(&app, &json!({ "line_items": [shared[0], shared[1], line("c", "CREDIT", "", 125.0, None)] })).await;
    app.run_until_idle().await;
    assert_eq!(of(&app), (sales(), vec![sales(), sales()]));
    // The answer to the call that takes it off gets lost.
    let fault = Fault::new(Side::Bc, FaultKind::DropAfter).path_contains("/dimensionSetLines").method("DELETE");
    app.world().faults.add(fault);
    let mut split = vec![line("a", "DEBIT", "64100", 60.0, Some("SALES")), shared[1].clone()];
    split.extend([line("d", "DEBIT", "64110", 40.0, None), line("c", "CREDIT", "", 125.0, None)]);
    edit(&app, &json!({ "line_items": split })).await;
    app.run_until_idle().await;
    assert_eq!(of(&app), (None, vec![sales(), sales(), None]));
    let row = app.row(ID).await.unwrap();
    assert_eq!((row.stage, row.hold), (Stage::Exported, None));
    app.assert_sound().await;
}
