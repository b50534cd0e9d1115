//! Refunds are applied to the posted invoice of their own purchase, and to nothing else.

use domain::document::PlannedDocument;
use domain::stage::Stage;
use rstest::rstest;
use sandbox::bc::{DocumentAction, DocumentChange, DocumentStatus};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::TestApp;
use crate::database::Db;
use crate::held::{a_vendor, card};

fn refund(app: &TestApp, id: &str, source: &str, amount: f64) -> Value {
    let mut record = card(id, &a_vendor(app).1, "64100", amount);
    record["type"] = json!("CARD_EXPENSE_REFUND");
    record["source_id"] = json!(source);
    record["line_items"][0]["type"] = json!("CREDIT");
    record["line_items"][1]["type"] = json!("DEBIT");
    record
}

/// The purchase `accr_bought` of 100 dollars, exported.
async fn bought(db: Db) -> Option<TestApp> {
    let mut app = TestApp::start(db, 1).await?;
    app.insert(&card("accr_bought", &a_vendor(&app).1, "64100", 100.0));
    app.run_until_idle().await;
    app.assert_sound().await;
    Some(app)
}

fn act(app: &TestApp, id: Uuid, action: DocumentAction) {
    let world = app.world();
    let change = DocumentChange { action: Some(action), ..DocumentChange::default() };
    world.bc.change_document(id, change, world.clock.now()).unwrap();
}

fn document(app: &TestApp, record: &str) -> sandbox::bc::LedgerDocument {
    app.world().bc.documents_by_marker(record).remove(0)
}

async fn give_back(app: &mut TestApp, id: &str, source: &str, amount: f64) {
    app.insert(&refund(app, id, source, amount));
    app.poll_now().await;
    app.run_until_idle().await;
    assert_eq!(app.row(id).await.unwrap().stage, Stage::Exported);
}

async fn plan(app: &TestApp, id: &str) -> PlannedDocument {
    serde_json::from_str(app.row(id).await.unwrap().plan.as_deref().unwrap()).unwrap()
}

async fn why(app: &TestApp, id: &str) -> String {
    let story = app.story(id).await;
    let mapped = story.iter().rev().find(|entry| entry.action == "mapped").unwrap();
    let detail: Value = serde_json::from_str(&mapped.detail).unwrap();
    detail["why"]["refund"].as_str().unwrap().to_owned()
}

#[rstest]
#[tokio::test]
async fn a_refund_is_applied_to_the_posted_invoice_of_its_expense_and_closes_it(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(mut app) = bought(db).await else { return };
    let invoice = document(&app, "accr_bought").id;
    act(&app, invoice, DocumentAction::Post);
    give_back(&mut app, "accr_back", "expense_accr_bought", 100.0).await;
    let number = document(&app, "accr_bought").number;
    let applied = plan(&app, "accr_back").await.applies_to.expect("linked");
    assert_eq!((applied.id, applied.number.as_str()), (invoice, number.as_str()));
    let said = format!("linked to the posted invoice {number} of accr_bought, on the same expense");
    assert_eq!(why(&app, "accr_back").await, said);
    assert_eq!(app.agreement().duplicates, Vec::<String>::new());
    // Business Central knows it, too: posting the credit memo closes the invoice.
    act(&app, document(&app, "accr_back").id, DocumentAction::Post);
    assert_eq!(document(&app, "accr_bought").status, DocumentStatus::Paid);
}

#[tokio::test]
async fn a_refund_of_an_unposted_a_foreign_or_an_unknown_purchase_is_made_without_a_link() {
    let mut app = bought(Db::Sqlite).await.unwrap();
    let number = document(&app, "accr_bought").number;
    for (id, source, said) in [
        ("accr_early", "expense_accr_bought", format!("the invoice {number} of accr_bought is not posted")),
        ("accr_alone", "expense_other", "no purchase on the expense expense_other is known here".to_owned()),
    ] {
        give_back(&mut app, id, source, 40.0).await;
        assert_eq!(plan(&app, id).await.applies_to, None);
        assert_eq!(why(&app, id).await, format!("not linked to an invoice: {said}"));
    }
    let mut again = card("accr_again", &a_vendor(&app).1, "64100", 100.0);
    again["source_id"] = json!("expense_accr_bought");
    app.insert(&again);
    act(&app, document(&app, "accr_bought").id, DocumentAction::Post);
    give_back(&mut app, "accr_which", "expense_accr_bought", 40.0).await;
    assert_eq!(
        why(&app, "accr_which").await,
        "not linked to an invoice: 2 purchases are on the expense expense_accr_bought"
    );
    assert_eq!(app.agreement().duplicates, Vec::<String>::new());
}

#[tokio::test]
async fn an_invoice_that_is_paid_between_plan_and_write_costs_the_link_and_nothing_else() {
    let mut app = bought(Db::Sqlite).await.unwrap();
    let invoice = document(&app, "accr_bought").id;
    act(&app, invoice, DocumentAction::Post);
    app.insert(&refund(&app, "accr_back", "expense_accr_bought", 40.0));
    app.poll_and_run(&[Stage::ResolveVendor, Stage::Map]).await;
    assert!(plan(&app, "accr_back").await.applies_to.is_some());
    act(&app, invoice, DocumentAction::Pay);
    app.run_until_idle().await;
    // The credit memo still names the invoice; whoever posts it decides.
    assert_eq!(app.row("accr_back").await.unwrap().stage, Stage::Exported);
    give_back(&mut app, "accr_late", "expense_accr_bought", 10.0).await;
    let number = document(&app, "accr_bought").number;
    assert_eq!(
        why(&app, "accr_late").await,
        format!("not linked to an invoice: the invoice {number} of accr_bought is paid already")
    );
    assert_eq!(app.agreement().duplicates, Vec::<String>::new());
}
