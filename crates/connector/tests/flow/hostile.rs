//! Records that nobody would want: each ends with its document or with a hold that says why, and hinders no other.

use domain::hold::HoldCode;
use domain::stage::Stage;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::database::Db;
use crate::held::{a_vendor, card};

/// A record whose amounts are all this one.
fn over(id: &str, vendor: &str, amount: f64, currency: &str) -> Value {
    let mut record = card(id, vendor, "64100", amount);
    let money = json!({ "amount": amount, "currency": currency });
    record["amount"] = money.clone();
    for line in record["line_items"].as_array_mut().unwrap() {
        line["amount"] = money.clone();
    }
    record
}

/// A record with its first line repeated.
fn of_many_lines(id: &str, vendor: &str, count: usize) -> Value {
    let mut record = card(id, vendor, "64100", 1.0);
    let lines = record["line_items"].as_array().unwrap().clone();
    let mut many: Vec<Value> = Vec::new();
    for index in 0..count {
        let mut line = lines[0].clone();
        line["id"] = json!(format!("accrli_{index}"));
        many.push(line);
    }
    let total = json!({ "amount": count, "currency": "USD" });
    let mut balance = lines[1].clone();
    balance["amount"] = total.clone();
    many.push(balance);
    record["amount"] = total;
    record["line_items"] = json!(many);
    record
}

async fn end_of(app: &TestApp, id: &str) -> Result<Stage, HoldCode> {
    let row = app.row(id).await.unwrap();
    row.hold.map_or(Ok(row.stage), |hold| Err(hold.code))
}

#[tokio::test]
async fn each_hostile_record_ends_with_its_document_or_with_a_clear_hold() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let (_, vendor) = a_vendor(&app);
    let mut cases: Vec<(Value, Result<Stage, HoldCode>)> = vec![
        (over("accr_zero", &vendor, 0.0, "USD"), Err(HoldCode::AmountZero)),
        (over("accr_precise", &vendor, 1.005, "USD"), Err(HoldCode::AmountPrecision)),
        (over("accr_half_yen", &vendor, 100.5, "JPY"), Err(HoldCode::AmountPrecision)),
        (over("accr_dinar", &vendor, 1.234, "KWD"), Err(HoldCode::CurrencyUnknown)),
        (over("accr_unknown", &vendor, 5.0, "XYZ"), Err(HoldCode::CurrencyUnknown)),
    ];
    let mut negative = card("accr_negative", &vendor, "64100", 12.5);
    negative["amount"]["amount"] = json!(-12.5);
    cases.push((negative, Ok(Stage::Exported)));
    let mut one_sided = card("accr_one_sided", &vendor, "64100", 12.5);
    one_sided["line_items"].as_array_mut().unwrap().pop();
    cases.push((one_sided, Ok(Stage::Exported)));
    let mut doubled = card("accr_doubled", &vendor, "64100", 12.5);
    let values = doubled["line_items"][0]["accounting_field_values"].as_array_mut().unwrap();
    values.extend(values.clone());
    cases.push((doubled, Ok(Stage::Exported)));
    let mut wordy = card("accr_wordy", &vendor, "64100", 12.5);
    wordy["memo"] = json!("\u{1f3aa} caf\u{e9}\n".repeat(200_000));
    cases.push((wordy, Ok(Stage::Exported)));
    cases.push((of_many_lines("accr_many", &vendor, 10_000), Ok(Stage::Exported)));
    for (record, _) in &cases {
        app.insert(record);
    }
    app.run_until_idle().await;
    for (record, expected) in &cases {
        let id = record["id"].as_str().unwrap();
        assert_eq!(end_of(&app, id).await, *expected, "{id}");
        let documents = app.world().bc.documents_by_marker(id);
        assert_eq!(documents.len(), usize::from(expected.is_ok()), "{id}");
    }
    let many = &app.world().bc.documents_by_marker("accr_many")[0];
    assert_eq!((many.total, many.lines.len()), (10_000.into(), 10_001));
    let wordy = &app.world().bc.documents_by_marker("accr_wordy")[0].lines[0].description;
    assert!(wordy.starts_with("\u{1f3aa} caf\u{e9} \u{1f3aa}") && wordy.encode_utf16().count() == 100, "{wordy}");
    app.assert_sound().await;
}
