//! Record types that a connection treats otherwise than by default.

use domain::hold::HoldCode;
use domain::record::TypePolicy;
use domain::stage::Stage;
use rstest::rstest;
use sandbox::Options;
use sandbox::bc::DocumentKind;
use serde_json::json;

use crate::app::TestApp;
use crate::database::Db;
use crate::held::{a_vendor, card, hold_of};

const DISPUTE: &str = "CARD_EXPENSE_DISPUTE";

/// A record of a type whose expense is on the credit side.
fn given_back(app: &TestApp, id: &str) -> serde_json::Value {
    let mut record = card(id, &a_vendor(app).1, "64100", 12.5);
    record["type"] = json!(DISPUTE);
    record["line_items"][0]["type"] = json!("CREDIT");
    record["line_items"][1]["type"] = json!("DEBIT");
    record
}

#[rstest]
#[tokio::test]
async fn a_type_becomes_what_the_connection_says(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let settings = "[connection.types]\nCARD_EXPENSE_DISPUTE = \"credit_memo\"\nCARD_EXPENSE_POST = \"not_spend\"\n";
    let options = Options { records: 1, ..Options::default() };
    let Some(mut app) = TestApp::start_with(db, options, settings).await else { return };
    app.insert(&given_back(&app, "accr_dispute"));
    app.insert(&card("accr_spend", &a_vendor(&app).1, "64100", 12.5));
    app.run_until_idle().await;
    assert_eq!(app.row("accr_dispute").await.unwrap().stage, Stage::Exported);
    assert_eq!(app.world().bc.documents_by_marker("accr_dispute")[0].kind, DocumentKind::CreditMemo);
    assert_eq!(app.row("accr_spend").await.unwrap().stage, Stage::NotSpend);
    let story = app.story("accr_spend").await;
    let why = story.iter().find(|entry| entry.action == "not_spend").unwrap();
    assert!(why.detail.contains("the connection says that CARD_EXPENSE_POST is not spend"), "{}", why.detail);
}

#[tokio::test]
async fn a_type_that_waited_goes_on_when_the_connection_has_learnt_what_it_is() {
    let mut app = TestApp::start(Db::Sqlite, 1).await.unwrap();
    app.insert(&given_back(&app, "accr_dispute"));
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, "accr_dispute").await, Some(HoldCode::RecordTypeUnknown));
    let set = |policy| {
        move |settings: &mut connector::config::ConnectionConfig| {
            settings.types.insert(DISPUTE.to_owned(), policy);
        }
    };
    app.reconfigure(set(TypePolicy::Hold)).await;
    app.request("master_data").await;
    app.run_until_idle().await;
    let hold = app.row("accr_dispute").await.unwrap().hold.unwrap();
    assert_eq!(hold.sentence, "the connection makes no document of the record type CARD_EXPENSE_DISPUTE");
    app.reconfigure(set(TypePolicy::NotSpend)).await;
    app.request("master_data").await;
    app.run_until_idle().await;
    let row = app.row("accr_dispute").await.unwrap();
    assert_eq!((row.stage, row.hold), (Stage::NotSpend, None));

    app.insert(&given_back(&app, "accr_second"));
    app.reconfigure(set(TypePolicy::Hold)).await;
    app.poll_now().await;
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, "accr_second").await, Some(HoldCode::RecordTypeUnknown));
    app.reconfigure(set(TypePolicy::CreditMemo)).await;
    app.request("master_data").await;
    app.run_until_idle().await;
    assert_eq!(app.row("accr_second").await.unwrap().stage, Stage::Exported);
}

/// Brex does not say whether a split is one record with several lines or a record for each part (brex.md §2.4).
#[tokio::test]
async fn a_split_is_booked_once_whether_it_is_one_record_or_a_record_for_each_part() {
    let mut app = TestApp::start(Db::Sqlite, 1).await.unwrap();
    let vendor = a_vendor(&app).1;
    let mut whole = card("accr_whole", &vendor, "64100", 30.0);
    let lines = whole["line_items"].as_array_mut().unwrap();
    let mut second = lines[0].clone();
    for (line, amount) in [(&mut lines[0], 10.0), (&mut second, 20.0)] {
        line["amount"]["amount"] = json!(amount);
    }
    second["id"] = json!("accrli_second");
    lines.push(second);
    app.insert(&whole);
    for (id, amount) in [("accr_part_1", 10.0), ("accr_part_2", 20.0)] {
        app.insert(&card(id, &vendor, "64100", amount));
    }
    app.run_until_idle().await;
    for (id, lines, total) in [("accr_whole", 2, 30), ("accr_part_1", 1, 10), ("accr_part_2", 1, 20)] {
        assert_eq!(app.row(id).await.unwrap().stage, Stage::Exported, "{id}");
        let document = app.world().bc.documents_by_marker(id).remove(0);
        let booked = document.lines.iter().filter(|line| line.line_type == "Account").count();
        assert_eq!((booked, document.total), (lines, total.into()), "{id}");
    }
    app.assert_sound().await;
}
