//! Paying over the admin API: planned, ordered as planned, and nothing else; and a record taken up again from a stage.

use domain::access::Role;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::api::{Door, token_of};
use crate::app::TestApp;
use crate::database::Db;
use crate::pay::{orders, ready};
use crate::transfers::{compare, invoice};

const PLANS: &str = "/connections/main/transfer-plans";
const ORDERS: &str = "/connections/main/transfer-orders";

fn named(numbers: &[&str]) -> Value {
    let invoices: Vec<Value> = numbers.iter().map(|number| json!({ "invoice": number })).collect();
    json!({ "invoices": invoices })
}

fn as_planned(plan: &Value, numbers: &[&str]) -> Value {
    let mut order = named(numbers);
    order["plan"] = plan.clone();
    order
}

#[rstest::rstest]
#[tokio::test]
async fn what_was_planned_is_ordered_once_and_what_changed_is_not(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = ready(db, "four_eyes = true\n").await else { return };
    invoice(&app, "INV-7002", 30_000).await;
    compare(&mut app).await;
    let door = Door::open(&app).await;
    let [kim, vic] = [token_of(&app, "kit", Role::Bookkeeper).await, token_of(&app, "val", Role::Viewer).await];
    let [kim, vic] = [door.with(&kim), door.with(&vic)];
    assert_eq!(vic.post(PLANS, named(&["INV-7001"])).await.1["code"], "role");
    let (status, plan) = kim.post(PLANS, named(&["INV-7001", "INV-0"])).await;
    assert_eq!((status, &plan["plan"]), (StatusCode::OK, &json!(null)), "something stands against it: {plan}");
    assert_eq!(plan["lines"][1]["against"][0]["code"], "unknown_invoice");
    assert_eq!(plan["lines"][0]["amount"], "1200.00");

    let (_, plan) = kim.post(PLANS, named(&["INV-7001"])).await;
    assert_eq!((&plan["total"], &plan["lines"][0]["rail"]), (&json!("1200.00"), &json!("ACH")));
    let mark = &plan["plan"];
    assert_eq!(mark.as_str().unwrap().len(), 64);
    for (numbers, mark) in [(&["INV-7002"], mark), (&["INV-7001"], &json!("0"))] {
        let (status, why) = kim.post(ORDERS, as_planned(mark, numbers)).await;
        assert_eq!((status, &why["code"]), (StatusCode::CONFLICT, &json!("refused")), "{why}");
    }
    assert!(orders(&app).await.is_empty(), "nothing was ordered so far");
    let (status, ordered) = kim.post(ORDERS, as_planned(mark, &["INV-7001"])).await;
    assert_eq!(status, StatusCode::CREATED, "{ordered}");
    assert_eq!(
        (&ordered["orders"][0]["state"], &ordered["orders"][0]["ordered_by"]),
        (&json!("proposed"), &json!("kit"))
    );
    let again = kim.post(ORDERS, as_planned(mark, &["INV-7001"])).await;
    assert_eq!(again, (StatusCode::CREATED, ordered), "the same again is the same");
    let lee = token_of(&app, "lea", Role::Bookkeeper).await;
    let other = door.with(&lee).post(ORDERS, as_planned(mark, &["INV-7001"])).await;
    assert_eq!(other.0, StatusCode::CONFLICT, "another person's order is another one: {}", other.1);
    assert_eq!(orders(&app).await.len(), 1);
    for unusable in [json!({ "invoices": [] }), json!({ "invoices": [{ "invoice": "x", "amount": 1 }] }), json!([])] {
        assert!(kim.post(PLANS, unusable).await.0.is_client_error());
    }
}

#[tokio::test]
async fn a_connection_that_does_not_pay_plans_nothing() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    app.run_until_idle().await;
    let door = Door::open(&app).await;
    let secret = token_of(&app, "ann", Role::Approver).await;
    let (status, why) = door.with(&secret).post(PLANS, named(&["INV-1"])).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(why["detail"].as_str().unwrap().contains("transfers.pay.enabled is false"), "{why}");
}

#[tokio::test]
async fn a_record_is_taken_up_again_from_a_stage_that_does_something() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    app.run_until_idle().await;
    let made = app.agreement().invoices;
    let id = app.app.store.records().list(&app.connection(), None, 9).await.unwrap().remove(0).id;
    let door = Door::open(&app).await;
    let secret = token_of(&app, "ann", Role::Bookkeeper).await;
    let ann = door.with(&secret);
    let path = format!("/connections/main/records/{id}/replay");
    for stage in ["exported", "nowhere"] {
        let (status, why) = ann.post(&path, json!({ "reason": "again", "from": stage })).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{stage}");
        assert!(why["detail"].as_str().unwrap().contains("verify"), "the stages are named: {why}");
    }
    let asked = ann.post(&path, json!({ "reason": "the auditor asks", "from": "verify" })).await;
    assert_eq!(asked.0, StatusCode::ACCEPTED, "{asked:?}");
    app.run_until_idle().await;
    let story = app.story(id.as_str()).await;
    let replayed = story.iter().find(|entry| entry.action == "replayed").expect("it was taken up");
    assert!(replayed.detail.contains("\"from\":\"verify\"") && replayed.actor.contains("ann"), "{replayed:?}");
    assert_eq!(app.agreement().invoices, made, "no second document");
    app.assert_sound().await;
}
