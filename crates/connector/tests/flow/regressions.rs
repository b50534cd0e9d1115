//! Mistakes that were found in review, each with the story that shows it is mended.

use connector::transfers::TRANSFERS;
use domain::hold::HoldCode;
use domain::id::RecordId;
use domain::stage::Stage;
use sandbox::Options;
use sandbox::bc::{DocumentAction, DocumentChange, VendorChange};
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::database::Db;
use crate::held::{a_vendor, card};
use crate::transfers::ON;

const REFUSED: FaultKind = FaultKind::Status { status: 400, body: None, retry_after: None };

fn bill(id: &str, vendor: &str, number: &str) -> Value {
    let mut record = card(id, vendor, "64100", 75.0);
    record["type"] = json!("BILL_EXPENSE");
    record["source_type"] = json!("BILL");
    record["review_status"] = json!("REVIEW");
    record["invoice_number"] = json!(number);
    record
}

async fn held(app: &TestApp, record: &str) -> Option<HoldCode> {
    app.row(record).await.unwrap().hold.map(|hold| hold.code)
}

async fn stage(app: &TestApp, record: &str) -> Stage {
    app.row(record).await.unwrap().stage
}

/// The row of a job stays when the job is switched off. While it was due, the connection looked every millisecond for work that
/// nobody did.
#[tokio::test]
async fn what_is_switched_off_while_it_is_due_wakes_nobody() {
    let mut app = TestApp::start_with(Db::Sqlite, Options { records: 1, ..Options::default() }, ON).await.unwrap();
    app.run_until_idle().await;
    app.reconfigure(|settings| settings.transfers.enabled = false).await;
    app.run_until_idle().await;
    app.request(TRANSFERS).await;
    let tick = app.tick().await;
    assert!(!tick.worked && tick.jobs_due_ms.is_some_and(|due| due > app.app.now_ms()), "{tick:?}");
}

/// An empty directory says nothing about anybody's vendors.
#[tokio::test]
async fn before_the_master_data_was_ever_read_no_record_is_held_for_its_vendor() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let away = FaultKind::Status { status: 503, body: None, retry_after: None };
    app.world().faults.add(Fault::new(Side::Bc, away).path_contains("/vendors").times(6));
    app.run_until_idle().await;
    let record = app.world().brex.records()[0].id.clone();
    assert!(!app.actions(&record).await.contains(&"held".to_owned()));
    assert_eq!(stage(&app, &record).await, Stage::Exported);
}

#[tokio::test]
async fn a_vendor_with_a_currency_of_its_own_gets_the_document_in_the_records_currency() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let (number, name) = a_vendor(&app);
    let world = app.world();
    let euro = VendorChange { currency: Some("EUR".to_owned()), ..VendorChange::default() };
    world.bc.change_vendor(&number, euro, world.clock.now()).unwrap();
    app.insert(&card("accr_usd", &name, "64100", 12.5));
    app.run_until_idle().await;
    assert_eq!(stage(&app, "accr_usd").await, Stage::Exported);
    let documents = app.world().bc.documents_by_marker("accr_usd");
    assert_eq!(documents[0].currency, "USD");
    app.assert_sound().await;
}

#[tokio::test]
async fn two_bills_of_one_number_that_come_at_once_make_one_document() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let (_, name) = a_vendor(&app);
    for id in ["accr_bill_1", "accr_bill_2"] {
        app.insert(&bill(id, &name, "INV-77"));
    }
    app.run_until_idle().await;
    assert_eq!(app.world().bc.documents_by_number("INV-77").len(), 1);
    let codes = [held(&app, "accr_bill_1").await, held(&app, "accr_bill_2").await];
    assert!(codes.contains(&None) && codes.contains(&Some(HoldCode::PossibleDuplicate)), "{codes:?}");
}

/// Found by reading: the second was looked up while the first, of an earlier batch, was still being made.
#[tokio::test]
async fn two_bills_of_one_number_in_batches_that_are_made_one_behind_the_other_make_one_document() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let (_, name) = a_vendor(&app);
    app.insert(&bill("accr_000", &name, "INV-78"));
    for place in 1..120 {
        app.insert(&card(&format!("accr_{place:03}"), &name, "64100", 12.5));
    }
    app.insert(&bill("accr_120", &name, "inv-78"));
    // What becomes of the first is not known for a while.
    let late = FaultKind::LateCommit { seconds: 60, status: None };
    app.world().faults.add(Fault::new(Side::Bc, late).method("POST").path_contains("purchaseInvoices").times(5));
    app.run_until_idle().await;
    assert_eq!(app.world().bc.documents_by_number("INV-78").len(), 1);
    let codes = [held(&app, "accr_000").await, held(&app, "accr_120").await];
    assert!(codes.contains(&None) && codes.contains(&Some(HoldCode::PossibleDuplicate)), "{codes:?}");
}

/// More of them than are taken at once wait for the first, and what is due behind them is made all the same.
#[tokio::test]
async fn many_bills_of_one_number_do_not_stand_in_the_way_of_what_comes_after_them() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let (_, name) = a_vendor(&app);
    for place in 0..120 {
        app.insert(&bill(&format!("accr_{place:03}"), &name, "INV-80"));
    }
    for place in 120..150 {
        app.insert(&card(&format!("accr_{place:03}"), &name, "64100", 12.5));
    }
    app.run_until_idle().await;
    for place in 120..150 {
        assert_eq!(app.world().bc.documents_by_marker(&format!("accr_{place:03}")).len(), 1, "{place}");
    }
    assert_eq!(app.world().bc.documents_by_number("INV-80").len(), 1);
    let mut duplicates = 0;
    for place in 0..120 {
        duplicates += usize::from(held(&app, &format!("accr_{place:03}")).await == Some(HoldCode::PossibleDuplicate));
    }
    assert_eq!(duplicates, 119);
}

/// Found by reading: between the refusal for a default dimension and the second intent nothing showed that the first was being made.
#[tokio::test]
async fn two_bills_of_one_number_of_which_the_first_meets_default_dimensions_make_one_document() {
    let options = Options { records: 1, ..Options::default() };
    let Some(mut app) = TestApp::start_with(Db::Sqlite, options, "header_dimensions = false").await else { return };
    let (_, name) = a_vendor(&app);
    // Advertising brings a department of its own, and nobody knows it before the first refusal.
    let advertising = |id: &str, number: &str| {
        let mut record = bill(id, &name, number);
        let coding = record["line_items"][0]["accounting_field_values"].as_array_mut().unwrap();
        coding[0]["remote_field_value_id"] = json!("61300");
        coding.push(json!({
            "brex_field_id": "extended_field_DEPARTMENT", "remote_field_id": "DIM_DEPARTMENT",
            "brex_field_value_id": "efo_2", "remote_field_value_id": "SALES",
        }));
        record
    };
    for place in 0..100 {
        app.insert(&advertising(&format!("accr_{place:03}"), &format!("INV-{place}")));
        app.insert(&advertising(&format!("accr_{:03}", place + 100), &format!("inv-{place}")));
    }
    app.run_until_idle().await;
    for place in 0..100 {
        assert_eq!(app.world().bc.documents_by_number(&format!("INV-{place}")).len(), 1, "INV-{place}");
        let codes =
            [held(&app, &format!("accr_{place:03}")).await, held(&app, &format!("accr_{:03}", place + 100)).await];
        assert!(codes.contains(&None) && codes.contains(&Some(HoldCode::PossibleDuplicate)), "{codes:?}");
    }
}

#[tokio::test]
async fn a_number_that_cannot_be_looked_up_stops_no_other_record() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 30).await else { return };
    let (_, name) = a_vendor(&app);
    app.insert(&bill("accr_odd", &name, "ODD-NUMBER"));
    app.world().faults.add(Fault::new(Side::Bc, REFUSED).method("GET").path_contains("ODD-NUMBER").times(100_000));
    for _ in 0..60 {
        app.tick().await;
    }
    assert_eq!(stage(&app, "accr_odd").await, Stage::Draft);
    let exported = app.rows().await.iter().filter(|row| row.stage == Stage::Exported).count();
    assert!(exported > 15, "{exported} exported");
    app.world().faults.clear();
    app.run_until_idle().await;
    assert_eq!(stage(&app, "accr_odd").await, Stage::Exported);
    app.assert_sound().await;
}

#[tokio::test]
async fn an_id_that_brex_refuses_stops_no_other_of_its_webhook() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    app.run_until_idle().await;
    let (_, name) = a_vendor(&app);
    let mut waiting = card("accr_good", &name, "64100", 12.5);
    waiting["review_status"] = json!("REVIEW");
    let mut odd = waiting.clone();
    odd["id"] = json!("accr_odd");
    app.insert(&waiting);
    app.insert(&odd);
    app.world().faults.add(Fault::new(Side::Brex, REFUSED).method("GET").path_contains("accr_odd").times(100_000));
    let world = app.world();
    world.brex.make_ready(&["accr_good", "accr_odd"], world.clock.now()).unwrap();
    world.brex.deliver_due(&world.clock).await;
    for _ in 0..8 {
        app.tick().await;
    }
    assert_eq!(stage(&app, "accr_good").await, Stage::Exported);
    app.world().faults.clear();
}

/// Found by reading: attempts that Business Central surely did not carry out were counted as attempts without a clear answer.
#[tokio::test]
async fn attempts_that_were_not_carried_out_are_not_counted_as_unclear() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let record = app.world().brex.records()[0].id.clone();
    let status = |status, times| {
        let kind = FaultKind::Status { status, body: None, retry_after: None };
        Fault::new(Side::Bc, kind).method("POST").path_contains("purchaseInvoices").times(times)
    };
    app.world().faults.add(status(429, 4));
    app.world().faults.add(status(500, 1));
    app.run_until_idle().await;
    assert_eq!((stage(&app, &record).await, held(&app, &record).await), (Stage::Exported, None));
    let attempts = app.app.store.intents().list_for(&app.connection(), &RecordId::new(&*record)).await.unwrap();
    assert_eq!(attempts.len(), 6);
    app.assert_sound().await;
}

#[tokio::test]
async fn five_attempts_that_end_with_nothing_are_shown_to_a_person() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let record = app.world().brex.records()[0].id.clone();
    let broken = FaultKind::Status { status: 500, body: None, retry_after: None };
    app.world().faults.add(Fault::new(Side::Bc, broken).method("POST").path_contains("purchaseInvoices").times(5));
    app.run_until_idle().await;
    assert_eq!(held(&app, &record).await, Some(HoldCode::DocumentRefused));
    app.request("master_data").await;
    app.run_until_idle().await;
    assert_eq!(stage(&app, &record).await, Stage::Exported, "it goes on by itself at the next look");
    app.assert_sound().await;
}

/// The first request came through after the settle window: the second attempt finds two, and a person decides.
#[tokio::test]
async fn a_first_attempt_that_comes_late_is_found_beside_the_second_and_held() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let record = app.world().brex.records()[0].id.clone();
    let lost = FaultKind::DropBefore;
    app.prepare().await;
    app.world().faults.add(Fault::new(Side::Bc, lost).method("POST").path_contains("purchaseInvoices"));
    while !app.actions(&record).await.contains(&"settled_as_absent".to_owned()) {
        // Less than the lease lasts: a new holder of the lane would begin to look anew.
        app.advance(20);
        app.poll_and_run(&Stage::WORKING).await;
    }
    app.poll_and_run(&[Stage::Draft]).await;
    assert_eq!((attempts(&app, &record).await, app.world().bc.ledger().len()), (2, 1));
    let row = app.row(&record).await.unwrap();
    let plan: domain::document::PlannedDocument = serde_json::from_str(row.plan.as_deref().unwrap()).unwrap();
    let connection = &app.app.connections[0];
    let company = connection.bc.company(connection.identity().unwrap().bc_company);
    let late = connector::flow::new_document(&plan, "USD");
    company.create_document(clients::bc::DocumentKind::Invoice, &late).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(held(&app, &record).await, Some(HoldCode::DuplicateDocuments));
    assert!(app.world().brex.record(&record).unwrap().exports.is_empty());

    crate::held::ask(&app, connector::flow::operator::Verb::Skip, &record).await;
    app.run_until_idle().await;
    assert_eq!(held(&app, &record).await, Some(HoldCode::DuplicateDocuments), "two documents cannot be set aside");

    let world = app.world();
    let one = world.bc.documents_by_marker(&record)[0].id;
    let delete = DocumentChange { action: Some(DocumentAction::Delete), ..DocumentChange::default() };
    world.bc.change_document(one, delete, world.clock.now()).unwrap();
    app.request("master_data").await;
    app.run_until_idle().await;
    assert_eq!(stage(&app, &record).await, Stage::Exported, "whichever of the two was deleted");
    app.assert_sound().await;
}

async fn attempts(app: &TestApp, record: &str) -> usize {
    app.app.store.intents().list_for(&app.connection(), &RecordId::new(record)).await.unwrap().len()
}
