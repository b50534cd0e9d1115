//! Tax on documents: codes that were coded or ruled stand on the lines, prices include VAT where the connection says so, and
//! a total that tax changed is never exported.

use std::collections::BTreeMap;

use connector::coding_lists::CODING_LISTS;
use domain::hold::HoldCode;
use domain::stage::Stage;
use rstest::rstest;
use sandbox::Options;
use sandbox::bc::{DocumentChange, Rules, TaxCode, TaxSystem};
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::coding_lists::offered;
use crate::database::Db;
use crate::held::{a_vendor, card, hold_of};

/// A company with 19 % VAT on supplies.
fn vat() -> Rules {
    let code = |percent: i64, identifier: &str| TaxCode { percent: percent.into(), identifier: identifier.to_owned() };
    let codes = [("SUPPLIES", code(19, "VAT19")), ("NONTAXABLE", code(0, "VAT0"))];
    let tax_codes: BTreeMap<_, _> = codes.into_iter().map(|(name, code)| (name.to_owned(), code)).collect();
    Rules { tax: TaxSystem::Vat, tax_codes, ..Rules::default() }
}

async fn start(db: Db, rules: Rules, settings: &str) -> Option<TestApp> {
    let app = TestApp::start_with(db, Options { records: 1, ..Options::default() }, settings).await?;
    app.world().bc.set_rules(rules);
    Some(app)
}

/// A record coded to a tax code.
fn coded(app: &TestApp, id: &str, tax: &str, amount: f64) -> Value {
    let mut record = card(id, &a_vendor(app).1, "64100", amount);
    let coding = record["line_items"][0]["accounting_field_values"].as_array_mut().unwrap();
    coding.push(json!({
        "brex_field_id": "extended_field_tax", "remote_field_id": "TAX_CODE", "field_name": "Tax Code",
        "brex_field_value_id": "efo_tax", "remote_field_value_id": tax,
    }));
    record
}

/// The same as a refund.
fn refund(app: &TestApp, id: &str, tax: &str, amount: f64) -> Value {
    let mut record = coded(app, id, tax, amount);
    record["type"] = json!("CARD_EXPENSE_REFUND");
    record["line_items"][0]["type"] = json!("CREDIT");
    record["line_items"][1]["type"] = json!("DEBIT");
    record
}

#[rstest]
#[tokio::test]
async fn with_vat_in_the_prices_the_document_comes_to_what_was_paid(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let settings = "[connection.tax]\nprices_include_tax = true\n";
    let Some(mut app) = start(db, vat(), settings).await else { return };
    app.insert(&coded(&app, "accr_vat", "SUPPLIES", 119.0));
    app.insert(&coded(&app, "accr_odd", "supplies", 0.99));
    app.run_until_idle().await;
    for (id, total) in [("accr_vat", "119"), ("accr_odd", "0.99")] {
        assert_eq!(app.row(id).await.unwrap().stage, Stage::Exported, "{id}");
        let document = app.world().bc.documents_by_marker(id).remove(0);
        assert_eq!((document.total, document.lines[0].tax_code.as_str()), (total.parse().unwrap(), "SUPPLIES"), "{id}");
    }
    let story = app.story("accr_vat").await;
    let mapped: Value = story
        .iter()
        .find(|entry| entry.action == "mapped")
        .map(|entry| serde_json::from_str(&entry.detail).unwrap())
        .unwrap();
    assert_eq!(mapped["why"]["lines"][0]["tax"], json!({ "coded": { "field": "Tax Code", "by": "number" } }));
    assert_eq!(mapped["why"]["tax"], "a tax code on every line; unit costs include VAT");
    app.assert_sound().await;
}

#[tokio::test]
async fn tax_on_top_of_what_was_paid_is_held_with_both_sums_and_correcting_the_draft_releases() {
    let mut app = start(Db::Sqlite, vat(), "").await.unwrap();
    app.insert(&coded(&app, "accr_net", "SUPPLIES", 119.0));
    app.run_until_idle().await;
    let hold = app.row("accr_net").await.unwrap().hold.expect("held");
    assert_eq!(hold.code, HoldCode::TaxDiffers);
    let sums = "comes to 141.61 USD in Business Central, 22.61 USD of it tax; the record says 119.00 USD";
    assert!(hold.sentence.ends_with(sums), "{}", hold.sentence);
    let world = app.world();
    assert_eq!(world.brex.record("accr_net").unwrap().review_status, "READY_FOR_EXPORT");
    let net = DocumentChange { unit_cost: Some(100.into()), ..DocumentChange::default() };
    let id = world.bc.documents_by_marker("accr_net")[0].id;
    world.bc.change_document(id, net, world.clock.now()).unwrap();
    app.request("master_data").await;
    app.run_until_idle().await;
    assert_eq!(app.row("accr_net").await.unwrap().stage, Stage::Exported);
    assert_eq!(world.bc.documents_by_marker("accr_net")[0].total, 119.into());
}

#[tokio::test]
async fn a_credit_memo_cannot_be_told_that_prices_include_vat_so_its_total_decides() {
    let settings = "[connection.tax]\nprices_include_tax = true\n";
    let mut app = start(Db::Sqlite, vat(), settings).await.unwrap();
    app.insert(&refund(&app, "accr_taxed", "SUPPLIES", 119.0));
    app.insert(&refund(&app, "accr_plain", "NONTAXABLE", 40.0));
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, "accr_taxed").await, Some(HoldCode::TaxDiffers));
    assert_eq!(app.row("accr_plain").await.unwrap().stage, Stage::Exported);
}

#[tokio::test]
async fn a_sales_tax_company_carries_the_code_and_never_prices_with_tax() {
    let mut app = start(Db::Sqlite, Rules::default(), "[connection.tax]\ndefault = \"Nontaxable\"\n").await.unwrap();
    app.insert(&coded(&app, "accr_coded", "SUPPLIES", 12.5));
    app.insert(&card("accr_default", &a_vendor(&app).1, "64100", 12.5));
    app.run_until_idle().await;
    for (id, code) in [("accr_coded", "SUPPLIES"), ("accr_default", "NONTAXABLE")] {
        assert_eq!(app.row(id).await.unwrap().stage, Stage::Exported, "{id}");
        assert_eq!(app.world().bc.documents_by_marker(id)[0].lines[0].tax_code, code);
    }
    app.assert_sound().await;

    let settings = "[connection.tax]\nprices_include_tax = true\n";
    let mut app = start(Db::Sqlite, Rules::default(), settings).await.unwrap();
    app.insert(&card("accr_gross", &a_vendor(&app).1, "64100", 12.5));
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, "accr_gross").await, Some(HoldCode::PricesExcludeTax));
    // The company gets VAT, and the next refresh sees it.
    app.world().bc.set_rules(vat());
    app.request("master_data").await;
    app.run_until_idle().await;
    assert_eq!(app.row("accr_gross").await.unwrap().stage, Stage::Exported);
    app.assert_sound().await;
}

/// A bill whose lines are coded to these tax codes and amounts.
fn bill(app: &TestApp, version: i64, lines: &[(&str, &str, f64)]) -> Value {
    let mut record = coded(app, "accr_bill", "SUPPLIES", 0.0);
    let total = (lines.iter().map(|(_, _, amount)| amount * 100.0).sum::<f64>()).round() / 100.0;
    let model = record["line_items"][0].clone();
    let mut items: Vec<Value> = Vec::new();
    for (id, tax, amount) in lines {
        let mut line = model.clone();
        line["id"] = json!(id);
        line["amount"]["amount"] = json!(amount);
        line["accounting_field_values"][1]["remote_field_value_id"] = json!(tax);
        items.push(line);
    }
    let mut balance = record["line_items"][1].clone();
    balance["amount"]["amount"] = json!(total);
    items.push(balance);
    record["line_items"] = json!(items);
    record["amount"]["amount"] = json!(total);
    record["type"] = json!("BILL_EXPENSE");
    record["source_type"] = json!("BILL");
    record["review_status"] = json!("REVIEW");
    record["due_at"] = json!("2026-07-10T00:00:00Z");
    record["invoice_number"] = json!("INV-77");
    record["version"] = json!(version);
    record
}

#[rstest]
#[tokio::test]
async fn a_later_version_of_a_bill_changes_tax_codes_and_amounts_of_its_own_draft(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let settings = "[connection.tax]\nprices_include_tax = true\n";
    let Some(mut app) = start(db, vat(), settings).await else { return };
    app.insert(&bill(&app, 1, &[("a", "SUPPLIES", 119.0), ("b", "SUPPLIES", 11.9)]));
    app.run_until_idle().await;
    assert_eq!(app.row("accr_bill").await.unwrap().stage, Stage::Exported);
    let later = bill(&app, 2, &[("a", "NONTAXABLE", 50.0), ("b", "SUPPLIES", 23.8), ("c", "SUPPLIES", 0.99)]);
    app.advance(60);
    let world = app.world();
    let patch: serde_json::Map<String, Value> =
        ["amount", "line_items"].map(|key| (key.to_owned(), later[key].clone())).into_iter().collect();
    world.brex.edit("accr_bill", &patch, world.clock.now()).unwrap();
    app.poll_now().await;
    app.run_until_idle().await;
    let row = app.row("accr_bill").await.unwrap();
    assert_eq!((row.stage, row.hold), (Stage::Exported, None));
    let documents = app.world().bc.documents_by_marker("accr_bill");
    assert_eq!(documents.len(), 1, "the same draft");
    let lines = documents[0].lines.iter().filter(|line| line.line_type == "Account");
    let codes: Vec<&str> = lines.map(|line| line.tax_code.as_str()).collect();
    assert_eq!(codes, ["NONTAXABLE", "SUPPLIES", "SUPPLIES"]);
    assert_eq!(documents[0].total, "74.79".parse().unwrap());
    app.assert_sound().await;
}

#[tokio::test]
async fn an_unknown_tax_code_is_held_before_anything_is_written_and_making_it_releases() {
    let mut app = start(Db::Sqlite, vat(), "").await.unwrap();
    app.insert(&coded(&app, "accr_new", "ZERO", 12.5));
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, "accr_new").await, Some(HoldCode::TaxCodeUnknown));
    assert_eq!(app.world().bc.documents_by_marker("accr_new").len(), 0);
    make_tax_group(&app, "ZERO").await;
    app.request("master_data").await;
    app.run_until_idle().await;
    assert_eq!(app.row("accr_new").await.unwrap().stage, Stage::Exported);
    assert_eq!(app.world().bc.documents_by_marker("accr_new")[0].lines[0].tax_code, "ZERO");
    app.assert_sound().await;
}

/// Makes a tax group as an administrator would.
async fn make_tax_group(app: &TestApp, code: &str) {
    let ready = app.sandbox.ready();
    let client = reqwest::Client::builder().build().unwrap();
    let client_id = ready.entra.client_id.to_string();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client_id.as_str()),
        ("client_secret", &ready.entra.client_secret),
        ("scope", "https://api.businesscentral.dynamics.com/.default"),
    ];
    let url = format!("{}/{}/oauth2/v2.0/token", ready.entra.base_url, ready.entra.tenant_id);
    let body = form.map(|(key, value)| format!("{key}={}", value.replace('/', "%2F").replace(':', "%3A"))).join("&");
    let request = client.post(url).header("content-type", "application/x-www-form-urlencoded").body(body);
    let token: Value = serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap();
    let company = app.app.connections[0].identity().unwrap().bc_company;
    let (tenant, environment) = (&ready.entra.tenant_id, &ready.bc.environment);
    let url = format!("{}/v2.0/{tenant}/{environment}/api/v2.0/companies({company})/taxGroups", ready.bc.base_url);
    let request = client.post(url).bearer_auth(token["access_token"].as_str().unwrap());
    let request = request.header("content-type", "application/json").body(json!({ "code": code }).to_string());
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
}

#[tokio::test]
async fn the_tax_codes_are_offered_in_brex_when_they_are_switched_on() {
    let settings = "[connection.coding_lists]\nenabled = true\ntax_codes = true\nintegration_vendor = \"ERP_A\"\n";
    let mut app = start(Db::Sqlite, vat(), settings).await.unwrap();
    app.run_until_idle().await;
    let directory = app.app.connections[0].directory();
    let codes = domain::coding_list::tax_codes(&directory.setup.tax.codes);
    let mut wanted: Vec<_> = codes.iter().map(|code| (code.code.clone(), code.label.clone(), true)).collect();
    wanted.sort();
    assert_eq!(offered(&app, "TAX_CODE").await, wanted);
    // What is chosen there comes back with Business Central's id.
    let id = codes.iter().find(|code| code.code == "NONTAXABLE").unwrap().id.to_string();
    app.insert(&coded(&app, "accr_chosen", &id, 12.5));
    app.request(CODING_LISTS).await;
    app.poll_now().await;
    app.run_until_idle().await;
    assert_eq!(app.row("accr_chosen").await.unwrap().stage, Stage::Exported);
    assert_eq!(app.world().bc.documents_by_marker("accr_chosen")[0].lines[0].tax_code, "NONTAXABLE");
    app.assert_sound().await;
}
