//! One expense is booked once, also where Brex shows both its approval and its fulfilment.

use connector::flow::operator::Verb;
use domain::hold::HoldCode;
use domain::record::TypePolicy;
use domain::stage::Stage;
use rstest::rstest;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::database::Db;
use crate::held::{a_vendor, ask, card, hold_of};

const APPROVAL: &str = "REIMBURSEMENT_EXPENSE_APPROVAL";
const POST: &str = "REIMBURSEMENT_EXPENSE_POST";

/// A reimbursement of an employee who has a vendor.
fn reimbursement(app: &TestApp, id: &str, type_name: &str) -> Value {
    let world = app.world();
    let employee = world.company.vendors.iter().find(|vendor| vendor.number.starts_with('E')).expect("an employee");
    let mut record = card(id, &a_vendor(app).1, "64100", 86.5);
    record["type"] = json!(type_name);
    record["source_type"] = json!("REIMBURSEMENT");
    record["source_id"] = json!("expense_dinner");
    record["vendor"] = Value::Null;
    record["user"] = json!({
        "id": "cuuser_1", "first_name": "Sam", "last_name": "Lee", "email": employee.email, "role": "EMPLOYEE",
        "status": "ACTIVE",
    });
    record
}

async fn arrives(app: &mut TestApp, record: &Value) {
    app.insert(record);
    app.poll_now().await;
    app.run_until_idle().await;
}

async fn stands(app: &TestApp, id: &str) -> Result<Stage, HoldCode> {
    let row = app.row(id).await.unwrap();
    row.hold.map_or(Ok(row.stage), |hold| Err(hold.code))
}

#[rstest]
#[tokio::test]
async fn approval_and_fulfilment_of_one_reimbursement_make_one_invoice_in_whatever_order_they_come(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    for order in [[APPROVAL, POST], [POST, APPROVAL]] {
        let Some(mut app) = TestApp::start(db, 1).await else { return };
        let [first, second] = order.map(|type_name| reimbursement(&app, &format!("accr_{type_name}"), type_name));
        let [first_id, second_id] = order.map(|type_name| format!("accr_{type_name}"));
        arrives(&mut app, &first).await;
        arrives(&mut app, &second).await;
        assert_eq!(stands(&app, &first_id).await, Ok(Stage::Exported));
        assert_eq!(stands(&app, &second_id).await, Err(HoldCode::ExpenseBooked));
        let sentence = app.row(&second_id).await.unwrap().hold.unwrap().sentence;
        assert_eq!(
            sentence,
            format!("the expense expense_dinner is booked by its record {first_id} of type {}", order[0])
        );
        app.restart().await;
        app.request("master_data").await;
        app.run_until_idle().await;
        assert_eq!(stands(&app, &second_id).await, Err(HoldCode::ExpenseBooked), "looking again books nothing");
        assert!(app.world().bc.documents_by_marker(&second_id).is_empty());
        app.assert_sound().await;
    }
}

#[tokio::test]
async fn of_two_that_come_together_the_approval_is_booked() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    for (id, type_name) in [("accr_a_post", POST), ("accr_b_approval", APPROVAL)] {
        app.insert(&reimbursement(&app, id, type_name));
    }
    app.run_until_idle().await;
    assert_eq!(stands(&app, "accr_b_approval").await, Ok(Stage::Exported));
    assert_eq!(stands(&app, "accr_a_post").await, Err(HoldCode::ExpenseBooked));
}

#[tokio::test]
async fn the_other_goes_on_once_the_first_is_set_aside_or_its_type_is_no_spend() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let mut approval = reimbursement(&app, "accr_approval", APPROVAL);
    approval["line_items"][0]["accounting_field_values"] = json!([]);
    app.insert(&approval);
    app.insert(&reimbursement(&app, "accr_post", POST));
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, "accr_approval").await, Some(HoldCode::AccountNotCoded));
    assert_eq!(hold_of(&app, "accr_post").await, Some(HoldCode::ExpenseBooked), "the approval still waits to be coded");
    ask(&app, Verb::Skip, "accr_approval").await;
    app.run_until_idle().await;
    app.request("master_data").await;
    app.run_until_idle().await;
    assert_eq!(stands(&app, "accr_post").await, Ok(Stage::Exported));

    let mut other = reimbursement(&app, "accr_other_post", POST);
    other["source_id"] = json!("expense_taxi");
    let mut approval = reimbursement(&app, "accr_other_approval", APPROVAL);
    approval["source_id"] = json!("expense_taxi");
    approval["line_items"][0]["accounting_field_values"] = json!([]);
    app.insert(&approval);
    arrives(&mut app, &other).await;
    assert_eq!(hold_of(&app, "accr_other_post").await, Some(HoldCode::ExpenseBooked));
    app.reconfigure(|settings| {
        settings.types.insert(APPROVAL.to_owned(), TypePolicy::NotSpend);
    })
    .await;
    app.request("master_data").await;
    app.run_until_idle().await;
    assert_eq!(stands(&app, "accr_other_post").await, Ok(Stage::Exported));
}
