//! The receipts of a record are on its document, whole and once, or the record waits with a reason.

use domain::hold::HoldCode;
use domain::id::RecordId;
use domain::stage::Stage;
use rstest::rstest;
use sandbox::bc::{AttachmentView, DocumentAction, DocumentChange};
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;
use sandbox::{Options, brex::Expectation};
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::database::Db;
use crate::held::card;

async fn start(db: Db, settings: &str) -> Option<(TestApp, String)> {
    let mut app = TestApp::start_with(db, Options { records: 1, ..Options::default() }, settings).await?;
    app.run_until_idle().await;
    let directory = app.app.connections[0].directory();
    let usable = directory.vendors().iter().find(|vendor| vendor.blocked == domain::directory::Blocked::No);
    let name = usable.unwrap().name.clone();
    Some((app, name))
}

/// A coded card record with these receipts.
fn with_receipts(id: &str, vendor: &str, receipts: &[&str]) -> Value {
    let mut record = card(id, vendor, "64100", 12.5);
    let receipt =
        |name: &&str| json!({ "id": name, "download_uris": [format!("https://receipts.invalid/{name}.pdf")] });
    record["receipts"] = receipts.iter().map(receipt).collect();
    record
}

fn attachments(app: &TestApp, record: &str) -> Vec<AttachmentView> {
    let world = app.world();
    let documents = world.bc.documents_by_marker(record);
    assert_eq!(documents.len(), 1, "{record}");
    world.bc.attachments_of(documents[0].id)
}

/// Names and sizes, once each.
fn assert_attached(app: &TestApp, record: &str, receipts: &[&str]) {
    let mut files: Vec<String> = attachments(app, record).into_iter().map(|file| file.file_name).collect();
    files.sort();
    let mut wanted: Vec<String> = receipts.iter().map(|id| format!("brex-{id}.pdf")).collect();
    wanted.sort();
    assert_eq!(files, wanted, "{record}");
    assert!(attachments(app, record).iter().all(|file| file.size > 400 && !file.incoming));
}

async fn hold_of(app: &TestApp, record: &str) -> Option<(HoldCode, String)> {
    app.row(record).await.unwrap().hold.map(|hold| (hold.code, hold.sentence))
}

#[rstest]
#[tokio::test]
async fn receipts_are_attached_with_their_hash_before_the_export(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some((mut app, vendor)) = start(db, "").await else { return };
    app.insert(&with_receipts("accr_two", &vendor, &["receipt_a", "receipt_b"]));
    app.poll_now().await;
    app.run_until_idle().await;
    assert_eq!(app.row("accr_two").await.unwrap().stage, Stage::Exported);
    assert_attached(&app, "accr_two", &["receipt_a", "receipt_b"]);
    let actions = app.actions("accr_two").await;
    let place = |action: &str| actions.iter().position(|a| a == action).unwrap();
    assert!(place("verified") < place("receipts_attached") && place("receipts_attached") < place("exported"));
    let kept = app.app.store.receipts().find_many(&app.connection(), &[RecordId::new("accr_two")]).await.unwrap();
    for file in attachments(&app, "accr_two") {
        let row = kept.iter().find(|row| row.attachment_id == Some(file.id)).unwrap();
        assert_eq!((row.sha256.clone(), row.bytes), (file.sha256, i64::try_from(file.size).unwrap()));
        assert!(row.attached_ms.is_some() && row.sent_ms.is_none());
    }
    app.assert_sound().await;
}

#[tokio::test]
async fn lost_answers_and_deaths_attach_nothing_twice() {
    for requests in 1..12 {
        let (mut app, vendor) = start(Db::Sqlite, "").await.unwrap();
        let faults = &app.world().faults;
        let bc = |kind, method: &str| Fault::new(Side::Bc, kind).method(method).path_contains("documentAttachments");
        faults.add(bc(FaultKind::DropAfter, "POST"));
        faults.add(bc(FaultKind::LateCommit { seconds: 540, status: Some(504) }, "POST"));
        faults.add(bc(FaultKind::DropBefore, "PATCH"));
        faults.add(bc(FaultKind::DropAfter, "PATCH"));
        let brex = |kind| Fault::new(Side::Brex, kind).path_contains("/receipts/");
        faults.add(brex(FaultKind::TruncatedBody { keep: Some(100) }));
        faults.add(brex(FaultKind::Status { status: 503, body: None, retry_after: None }));
        app.insert(&with_receipts("accr_two", &vendor, &["receipt_a", "receipt_b"]));
        app.poll_now().await;
        app.die_after(Side::Bc, requests).await;
        app.restart().await;
        app.run_until_idle().await;
        assert_eq!(app.row("accr_two").await.unwrap().stage, Stage::Exported, "after {requests}");
        assert_attached(&app, "accr_two", &["receipt_a", "receipt_b"]);
        app.assert_sound().await;
    }
}

#[tokio::test]
async fn what_cannot_be_fetched_or_attached_waits_with_a_reason_and_goes_on_later() {
    let (mut app, vendor) = start(Db::Sqlite, "[connection.receipts]\nmax_megabytes = 1\n").await.unwrap();
    let fetch = |kind| Fault::new(Side::Brex, kind).path_contains("/receipts/");
    let answer = |status| FaultKind::Status { status, body: None, retry_after: None };
    let said = "The field fileName cannot be used.";
    let refusal = json!({ "error": { "code": "Application_DialogException", "message": said } });
    let refused = FaultKind::Status { status: 400, body: Some(refusal), retry_after: None };
    for (id, fault, code, words) in [
        ("accr_gone", fetch(answer(404)), HoldCode::ReceiptUnavailable, "its fresh link answers 404"),
        ("accr_denied", fetch(answer(403)), HoldCode::ReceiptUnavailable, "its fresh link answers 403"),
        ("accr_html", fetch(FaultKind::NotJson), HoldCode::ReceiptUnusable, "is no PDF and no picture"),
        (
            "accr_huge",
            fetch(FaultKind::HugeBody { bytes: 1_000_001 }),
            HoldCode::ReceiptUnusable,
            "is larger than 1 MB",
        ),
        (
            "accr_refused",
            Fault::new(Side::Bc, refused).method("POST").path_contains("documentAttachments"),
            HoldCode::ReceiptRefused,
            said,
        ),
    ] {
        app.world().faults.add(fault);
        app.insert(&with_receipts(id, &vendor, &["receipt_x"]));
        app.poll_now().await;
        app.run_until_idle().await;
        let (found, sentence) = hold_of(&app, id).await.unwrap_or_else(|| panic!("{id} is not held"));
        assert_eq!(found, code, "{sentence}");
        assert!(sentence.contains(words), "{sentence}");
        assert!(app.app.store.connections().get(&app.connection()).await.unwrap().unwrap().problem.is_none());
    }
    app.request("master_data").await;
    app.run_until_idle().await;
    for id in ["accr_gone", "accr_denied", "accr_html", "accr_huge", "accr_refused"] {
        assert_eq!(app.row(id).await.unwrap().stage, Stage::Exported, "{id}");
        assert_attached(&app, id, &["receipt_x"]);
    }
    app.assert_sound().await;
}

#[tokio::test]
async fn a_link_to_another_host_is_never_followed() {
    let (mut app, vendor) = start(Db::Sqlite, "").await.unwrap();
    let mut record = card("accr_else", &vendor, "64100", 12.5);
    record["receipts"] = json!([{ "id": "receipt_x", "download_uris": ["https://169.254.169.254/latest/meta-data"] }]);
    app.world().brex.insert(&record.to_string(), Expectation::Document, "made by a test").unwrap();
    app.poll_now().await;
    app.run_until_idle().await;
    let (code, sentence) = hold_of(&app, "accr_else").await.unwrap();
    assert_eq!(code, HoldCode::ReceiptUnavailable);
    assert!(sentence.contains("\"169.254.169.254\", which is not among receipts.hosts"), "{sentence}");
}

#[tokio::test]
async fn a_file_of_that_name_is_taken_over_if_it_is_the_same_and_never_overwritten_if_it_is_another() {
    let (mut app, vendor) = start(Db::Sqlite, "").await.unwrap();
    for id in ["accr_same", "accr_other"] {
        app.insert(&with_receipts(id, &vendor, &[&format!("receipt_{id}")]));
    }
    app.poll_and_run(&[Stage::ResolveVendor, Stage::Map, Stage::Draft, Stage::Verify]).await;
    let company = app.app.connections[0].bc.company(app.app.connections[0].identity().unwrap().bc_company);
    let other = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(other.path(), b"%PDF-1.4 of a person").unwrap();
    let document = app.world().bc.documents_by_marker("accr_other")[0].id;
    let kind = clients::bc::DocumentKind::Invoice;
    let made = company.create_attachment(kind, document, "brex-receipt_accr_other.pdf").await.unwrap();
    company.set_attachment_content(made.id, other.path(), 20).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(app.row("accr_same").await.unwrap().stage, Stage::Exported);
    let (code, sentence) = hold_of(&app, "accr_other").await.unwrap();
    assert_eq!(code, HoldCode::ReceiptRefused);
    assert!(sentence.contains("another file named brex-receipt_accr_other.pdf: 20 bytes there"), "{sentence}");
    assert_eq!(attachments(&app, "accr_other")[0].size, 20);

    // What we know of it is lost: the file is recognised by name and size, and not sent again.
    app.forget_everything().await;
    app.world()
        .brex
        .edit("accr_same", json!({ "review_status": "READY_FOR_EXPORT" }).as_object().unwrap(), app.world().clock.now())
        .unwrap();
    app.run_until_idle().await;
    assert_attached(&app, "accr_same", &["receipt_accr_same"]);
}

#[tokio::test]
async fn a_new_document_gets_the_receipts_anew_and_switched_off_none_do() {
    let (mut app, vendor) = start(Db::Sqlite, "").await.unwrap();
    app.insert(&with_receipts("accr_again", &vendor, &["receipt_x"]));
    app.poll_and_run(&[Stage::ResolveVendor, Stage::Map, Stage::Draft, Stage::Verify, Stage::Attach]).await;
    let world = app.world();
    let review = |status: &str| json!({ "review_status": status }).as_object().unwrap().clone();
    world.brex.edit("accr_again", &review("REVIEW"), world.clock.now()).unwrap();
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, "accr_again").await.unwrap().0, HoldCode::RecordNotReady);
    let document = world.bc.documents_by_marker("accr_again")[0].id;
    let delete = DocumentChange { action: Some(DocumentAction::Delete), ..DocumentChange::default() };
    world.bc.change_document(document, delete, world.clock.now()).unwrap();
    world.brex.edit("accr_again", &review("READY_FOR_EXPORT"), world.clock.now()).unwrap();
    crate::held::ask(&app, connector::flow::operator::Verb::Replay, "accr_again").await;
    app.run_until_idle().await;
    assert_eq!(app.row("accr_again").await.unwrap().stage, Stage::Exported);
    assert_ne!(world.bc.documents_by_marker("accr_again")[0].id, document);
    assert_attached(&app, "accr_again", &["receipt_x"]);

    let (mut app, vendor) = start(Db::Sqlite, "[connection.receipts]\nenabled = false\n").await.unwrap();
    app.insert(&with_receipts("accr_off", &vendor, &["receipt_x"]));
    app.poll_now().await;
    app.run_until_idle().await;
    assert_eq!(app.row("accr_off").await.unwrap().stage, Stage::Exported);
    assert!(attachments(&app, "accr_off").is_empty());
}
