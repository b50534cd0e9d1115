//! A hold clears by itself when its cause is gone, in Brex or in Business Central: code by code.

use domain::hold::HoldCode;
use domain::stage::Stage;
use rstest::rstest;
use sandbox::Options;
use sandbox::bc::VendorChange;
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::database::Db;
use crate::held::{a_vendor, card};

async fn start(db: Db) -> Option<TestApp> {
    let mut app = TestApp::start_with(db, Options { records: 1, ..Options::default() }, "").await?;
    app.run_until_idle().await;
    Some(app)
}

async fn stands(app: &TestApp, id: &str) -> Result<Stage, HoldCode> {
    let row = app.row(id).await.unwrap();
    row.hold.map_or(Ok(row.stage), |hold| Err(hold.code))
}

fn coded(field: &str, value: &str) -> Value {
    json!({ "brex_field_id": field, "remote_field_id": field, "brex_field_value_id": "efo_1", "remote_field_value_id": value })
}

/// A bill without holds.
fn bill(id: &str, vendor: &str) -> Value {
    let mut record = card(id, vendor, "64100", 12.5);
    record["type"] = json!("BILL_EXPENSE");
    record["source_type"] = json!("BILL");
    record["review_status"] = json!("REVIEW");
    record["due_at"] = json!("2026-07-10T00:00:00Z");
    record["invoice_number"] = json!(format!("INV-{id}").to_uppercase().chars().take(30).collect::<String>());
    record
}

/// What is wrong with a record, as the field that a person in Brex mends: what holds, the record as it should be, the field,
/// and its value as it comes first.
fn wrong_in_brex(vendor: &str) -> Vec<(HoldCode, Value, &'static str, Value)> {
    let good = |id: &str| card(id, vendor, "64100", 12.5);
    let lines = |change: &dyn Fn(&mut Value)| {
        let mut lines = good("x")["line_items"].clone();
        change(&mut lines);
        lines
    };
    let coding = |fields: Value| lines(&|lines| lines[0]["accounting_field_values"] = fields.clone());
    let money = |amount: Value| json!({ "amount": amount, "currency": "USD" });
    let account = || coded("GL_ACCOUNT", "64100");
    let dimension = |value: &str| coded("DIM_DEPARTMENT", value);
    let two_accounts = json!([account(), coded("G/L Account", "64200")]);
    vec![
        (HoldCode::VendorMissing, good("accr_no_vendor"), "vendor", Value::Null),
        (
            HoldCode::VendorNotFound,
            good("accr_other_vendor"),
            "vendor",
            json!({ "id": "pmch_9", "name": "Xyzzy Quux Grue" }),
        ),
        (HoldCode::AccountNotCoded, good("accr_uncoded"), "line_items", coding(json!([]))),
        (HoldCode::AccountUnknown, good("accr_gone"), "line_items", coding(json!([coded("GL_ACCOUNT", "99999")]))),
        (HoldCode::AccountUnusable, good("accr_heading"), "line_items", coding(json!([coded("GL_ACCOUNT", "10000")]))),
        (
            HoldCode::DimensionUnknown,
            good("accr_value"),
            "line_items",
            coding(json!([account(), dimension("NOWHERE")])),
        ),
        (HoldCode::CodingContradicts, good("accr_twice"), "line_items", coding(two_accounts)),
        (
            HoldCode::LineSumMismatch,
            good("accr_sum"),
            "line_items",
            lines(&|lines| lines[0]["amount"]["amount"] = json!(12.4)),
        ),
        (HoldCode::AmountZero, good("accr_zero"), "amount", money(json!(0))),
        (HoldCode::AmountPrecision, good("accr_precise"), "amount", money(json!(12.505))),
        (HoldCode::RecordTypeUnknown, good("accr_type"), "type", json!("INVOICE")),
        (HoldCode::PostingPeriodClosed, good("accr_date"), "erp_posting_date", json!("2031-06-20T15:00:00Z")),
        (HoldCode::InvoiceNumberMissing, bill("accr_bill_none", vendor), "invoice_number", Value::Null),
        (HoldCode::InvoiceNumberTooLong, bill("accr_bill_long", vendor), "invoice_number", json!("9".repeat(36))),
    ]
}

#[rstest]
#[tokio::test]
async fn what_is_mended_in_brex_is_booked(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = start(db).await else { return };
    let (_, vendor) = a_vendor(&app);
    let cases = wrong_in_brex(&vendor);
    let id = |record: &Value| record["id"].as_str().unwrap().to_owned();
    for (_, good, field, bad) in &cases {
        let mut record = good.clone();
        record[*field] = bad.clone();
        app.insert(&record);
    }
    app.poll_now().await;
    app.run_until_idle().await;
    for (code, good, ..) in &cases {
        assert_eq!(stands(&app, &id(good)).await, Err(*code), "{}", id(good));
    }
    app.advance(60);
    for (_, good, field, _) in &cases {
        let world = app.world();
        let mut patch = serde_json::Map::new();
        patch.insert((*field).to_owned(), good[*field].clone());
        world.brex.edit(&id(good), &patch, world.clock.now()).unwrap();
        if good["type"] != "BILL_EXPENSE" {
            app.click_export(&id(good));
        }
    }
    app.poll_now().await;
    app.run_until_idle().await;
    for (code, good, ..) in &cases {
        assert_eq!(stands(&app, &id(good)).await, Ok(Stage::Exported), "{code}");
    }
    app.assert_sound().await;
}

/// What Business Central says (business-central.md 5 and 8), and what it means.
const REFUSALS: [(HoldCode, &str); 14] = [
    (
        HoldCode::PostingSetupMissing,
        "Gen. Prod. Posting Group must have a value in G/L Account: No.=64100. It cannot be zero or empty.",
    ),
    (HoldCode::UpgradeNeeded, "You must run the data upgrade for this API page"),
    (
        HoldCode::AccountUnusable,
        "Direct Posting must be equal to 'Yes'  in G/L Account: No.=64100. Current value is 'No'.",
    ),
    (
        HoldCode::DimensionMissing,
        "Select a Dimension Value Code for the Dimension Code DEPARTMENT for G/L Account 64100.",
    ),
    (
        HoldCode::DimensionNotAllowed,
        "The Dimension Value Code must be SALES for Dimension Code DEPARTMENT for Vendor V00001.",
    ),
    (HoldCode::DimensionUnusable, "Dimension DEPARTMENT is blocked."),
    (HoldCode::DimensionCombination, "Dimensions DEPARTMENT and PROJECT can't be used concurrently."),
    (HoldCode::PostingPeriodClosed, "Posting Date is not within your range of allowed posting dates."),
    (
        HoldCode::ExchangeRateMissing,
        "There is no Currency Exchange Rate within the filter. Filters: Currency Code: CAD, Starting Date: ..06/20/26",
    ),
    (HoldCode::VendorBlocked, "You cannot create this type of document when Vendor V00001 is blocked with type All"),
    (HoldCode::NumberSeries, "You cannot assign new numbers from the number series P-INV on 06/20/26."),
    (HoldCode::TotalCheckOn, "Doc. Amount Incl. VAT (0.00) is not equal to total of lines (12.50)."),
    (HoldCode::ApprovalRequired, "The document must be approved and released before you can perform this action."),
    (HoldCode::DocumentRefused, "Something that nobody has seen yet."),
];

#[rstest]
#[tokio::test]
async fn what_business_central_refused_is_booked_once_it_no_longer_does(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = start(db).await else { return };
    let (_, vendor) = a_vendor(&app);
    for (code, text) in REFUSALS {
        let id = format!("accr_{code}");
        let body = json!({ "error": { "code": "Application_DialogException", "message": format!("{text}  CorrelationId:  1.") } });
        let refuses = FaultKind::Status { status: 400, body: Some(body), retry_after: None };
        app.world().faults.add(Fault::new(Side::Bc, refuses).method("POST").path_contains("purchaseInvoices").times(1));
        app.insert(&card(&id, &vendor, "64100", 12.5));
        app.poll_now().await;
        app.run_until_idle().await;
        assert_eq!(stands(&app, &id).await, Err(code), "{text}");
        app.request("master_data").await;
        app.run_until_idle().await;
        assert_eq!(stands(&app, &id).await, Ok(Stage::Exported), "{text}");
        assert_eq!(app.world().bc.documents_by_marker(&id).len(), 1, "{text}");
    }
    app.assert_sound().await;
}

#[tokio::test]
async fn what_is_mended_at_the_vendors_of_business_central_is_booked() {
    let Some(mut app) = start(Db::Sqlite).await else { return };
    let world = app.world();
    let (number, vendor) = a_vendor(&app);
    let twin = world.company.vendors.iter().rev().find(|other| other.number != number && other.number.starts_with('V'));
    let twin = twin.unwrap().clone();
    let rename = |name: &str| VendorChange { name: Some(name.to_owned()), ..VendorChange::default() };
    world.bc.change_vendor(&twin.number, rename(&vendor), world.clock.now()).unwrap();
    let employee = world.company.vendors.iter().find(|vendor| vendor.number.starts_with('E')).unwrap().clone();
    let mut reimbursed = card("accr_employee", &vendor, "64100", 12.5);
    reimbursed["type"] = json!("REIMBURSEMENT_EXPENSE_APPROVAL");
    reimbursed["source_type"] = json!("REIMBURSEMENT");
    reimbursed["vendor"] = Value::Null;
    reimbursed["user"] = json!({
        "id": "cuuser_1", "first_name": "Sam", "last_name": "Lee", "email": "sam.lee@elsewhere.example", "role": "EMPLOYEE",
        "status": "ACTIVE",
    });
    app.insert(&reimbursed);
    app.insert(&card("accr_two_of_a_name", &vendor, "64100", 12.5));
    app.request("master_data").await;
    app.poll_now().await;
    app.run_until_idle().await;
    assert_eq!(stands(&app, "accr_employee").await, Err(HoldCode::EmployeeVendorMissing));
    assert_eq!(stands(&app, "accr_two_of_a_name").await, Err(HoldCode::VendorReview));
    world.bc.change_vendor(&twin.number, rename(&twin.name), world.clock.now()).unwrap();
    let moved = VendorChange { email: Some("sam.lee@elsewhere.example".to_owned()), ..VendorChange::default() };
    world.bc.change_vendor(&employee.number, moved, world.clock.now()).unwrap();
    app.request("master_data").await;
    app.run_until_idle().await;
    assert_eq!(stands(&app, "accr_employee").await, Ok(Stage::Exported));
    assert_eq!(stands(&app, "accr_two_of_a_name").await, Ok(Stage::Exported));
    app.assert_sound().await;
}

#[tokio::test]
async fn an_export_that_brex_refused_is_taken_once_it_no_longer_does() {
    let Some(mut app) = start(Db::Sqlite).await else { return };
    let (_, vendor) = a_vendor(&app);
    let body = json!({
        "error_code": "NOT_FOUND", "message": "Record ids not found.",
        "details": { "not_found_export_entry_source_ids": ["accr_refused"] },
    });
    let refuses = FaultKind::Status { status: 404, body: Some(body), retry_after: None };
    app.world().faults.add(Fault::new(Side::Brex, refuses).method("POST").path_contains("export-results").times(1));
    app.insert(&card("accr_refused", &vendor, "64100", 12.5));
    app.poll_now().await;
    app.run_until_idle().await;
    assert_eq!(stands(&app, "accr_refused").await, Err(HoldCode::ExportRefused));
    app.request("master_data").await;
    app.run_until_idle().await;
    assert_eq!(stands(&app, "accr_refused").await, Ok(Stage::Exported));
    app.assert_sound().await;
}
