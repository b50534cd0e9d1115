//! What subscriptions are told: what is recorded, what is sent when, and what a receiver's answer does.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::bc::caller::{Caller, answer};
use crate::bc::hooks::{after, quiet, subscribe};
use crate::bc::receiver::{Got, Receiver};
use sandbox::bc::{DocumentAction, DocumentChange, RetrySchedule, VendorChange};
use sandbox::fault::{Fault, FaultKind, WebhookFault};
use sandbox::meter::Side;

fn change_vendor(caller: &Caller, number: &str, change: VendorChange) -> String {
    let world = caller.sandbox.world();
    world.bc.change_vendor(number, change, world.clock.now()).unwrap().to_string()
}

fn renamed(caller: &Caller, number: &str, name: &str) -> String {
    change_vendor(caller, number, VendorChange { name: Some(name.to_owned()), ..VendorChange::default() })
}

fn kinds(payload: &Got) -> Vec<&str> {
    payload.body["value"].as_array().unwrap().iter().map(|entry| entry["changeType"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_change_is_told_thirty_seconds_later_with_bcs_headers() {
    let (caller, receiver) = quiet().await;
    let subscription = subscribe(&caller, &receiver, "vendors").await;
    let id = renamed(&caller, "V00001", "Another name");
    receiver.payloads();
    assert_eq!(after(&caller, 29).await, 0);
    assert_eq!(after(&caller, 1).await, 1);
    let payload = receiver.payloads().remove(0);
    assert_eq!((payload.method.as_str(), payload.query.as_str()), ("POST", "t=42"));
    assert_eq!(payload.client_request_id, payload.correlation);
    assert_eq!(payload.client_request_id.len(), 36);
    let entry = payload.body["value"][0].as_object().unwrap();
    let keys = "subscriptionId clientState expirationDateTime resource changeType lastModifiedDateTime";
    assert_eq!(entry.keys().collect::<Vec<_>>(), keys.split(' ').collect::<Vec<_>>());
    assert_eq!(entry["subscriptionId"], subscription["subscriptionId"]);
    assert_eq!(entry["resource"], format!("{}({id})", subscription["resource"].as_str().unwrap()));
    assert_eq!(entry["changeType"], "updated");
    assert_eq!(entry["expirationDateTime"], "2026-03-05T10:00:00Z");
    assert_eq!(entry["lastModifiedDateTime"], "2026-03-02T10:00:00.000Z");
    assert_eq!(after(&caller, 3600).await, 0);
}

#[tokio::test]
async fn updates_are_merged_but_created_and_deleted_are_not() {
    let (caller, receiver) = quiet().await;
    subscribe(&caller, &receiver, "vendors").await;
    renamed(&caller, "NEW1", "First");
    renamed(&caller, "NEW1", "Second");
    renamed(&caller, "NEW1", "Third");
    change_vendor(&caller, "NEW1", VendorChange { delete: true, ..VendorChange::default() });
    after(&caller, 30).await;
    assert_eq!(kinds(&receiver.payloads()[0]), ["created", "updated", "deleted"]);
}

#[tokio::test]
async fn every_way_to_change_a_purchase_invoice_notifies_its_header() {
    let (caller, receiver) = quiet().await;
    subscribe(&caller, &receiver, "purchaseInvoices").await;
    let draft = caller.draft("A-1").await;
    let id = draft["id"].as_str().unwrap().to_owned();
    after(&caller, 30).await;
    let created = receiver.payloads().remove(0);
    assert_eq!(kinds(&created)[0], "created");
    let lines = caller.rows(&format!("purchaseInvoices({id})/purchaseInvoiceLines")).await;
    let line = lines[0]["id"].as_str().unwrap();
    let path = format!("purchaseInvoices({id})/purchaseInvoiceLines({line})");
    assert_eq!(caller.patch(&path, "*", json!({"unitCost": 9})).await.0, 200);
    after(&caller, 30).await;
    let updated = receiver.payloads().remove(0);
    assert_eq!(kinds(&updated), ["updated"]);
    assert!(updated.body["value"][0]["resource"].as_str().unwrap().ends_with(&format!("purchaseInvoices({id})")));
    assert_eq!(caller.post_document("purchaseInvoices", &id).await.0, 204);
    after(&caller, 30).await;
    assert_eq!(kinds(&receiver.payloads()[0]), ["updated"]);
    let world = caller.sandbox.world();
    let paid = DocumentChange { action: Some(DocumentAction::Pay), ..DocumentChange::default() };
    world.bc.change_document(id.parse().unwrap(), paid, world.clock.now()).unwrap();
    after(&caller, 30).await;
    assert_eq!(kinds(&receiver.payloads()[0]), ["updated"]);
}

#[tokio::test]
async fn posting_tells_of_its_ledger_entries() {
    let (caller, receiver) = quiet().await;
    subscribe(&caller, &receiver, "generalLedgerEntries").await;
    let draft = caller.draft("A-1").await;
    assert_eq!(after(&caller, 30).await, 0);
    assert_eq!(caller.post_document("purchaseInvoices", draft["id"].as_str().unwrap()).await.0, 204);
    receiver.payloads();
    assert_eq!(after(&caller, 30).await, 1);
    let payload = receiver.payloads().remove(0);
    let entries = caller.rows("generalLedgerEntries").await.len();
    assert_eq!(kinds(&payload), vec!["created"; entries]);
}

#[tokio::test]
async fn a_change_that_was_taken_back_is_not_told() {
    let (caller, receiver) = quiet().await;
    subscribe(&caller, &receiver, "purchaseInvoices").await;
    let company = caller.sandbox.ready().bc.company_id;
    let url = format!("companies({company})/purchaseInvoices");
    let mut bad = crate::bc::caller::invoice("B-2");
    bad["vendorNumber"] = json!("NOBODY");
    let part = |id: &str, body: Value| json!({"id": id, "method": "POST", "url": url, "body": body});
    let batch = json!({"requests": [part("1", crate::bc::caller::invoice("B-1")), part("2", bad)]});
    let request = caller.request(Method::POST, &format!("{}/$batch", caller.service()));
    let request = request.header("Accept", "application/json").header("Isolation", "snapshot").json(&batch);
    let (_, body) = answer(request).await;
    assert_eq!(body["responses"][0]["status"], 201);
    assert_eq!(after(&caller, 30).await, 0);
}

#[tokio::test]
async fn too_many_changes_become_one_collection() {
    let (caller, receiver) = quiet().await;
    caller.sandbox.world().bc.configure(|settings| settings.webhooks.collection_threshold = 2);
    let subscription = subscribe(&caller, &receiver, "vendors").await;
    for number in ["N1", "N2", "N3"] {
        renamed(&caller, number, number);
    }
    after(&caller, 30).await;
    let payload = receiver.payloads().remove(0);
    assert_eq!(kinds(&payload), ["collection"]);
    let resource = subscription["resource"].as_str().unwrap();
    let filtered = format!("{resource}?$filter=lastModifiedDateTime%20gt%202026-03-02T09:59:59.950Z");
    assert_eq!(payload.body["value"][0]["resource"], filtered);
    for number in ["N4", "N5"] {
        renamed(&caller, number, number);
    }
    change_vendor(&caller, "N5", VendorChange { delete: true, ..VendorChange::default() });
    after(&caller, 30).await;
    let payload = receiver.payloads().remove(0);
    assert_eq!((kinds(&payload), &payload.body["value"][0]["resource"]), (vec!["collection"], &json!(resource)));
}

#[tokio::test]
async fn refusals_to_be_retried_follow_the_schedule_until_the_subscription_goes() {
    let (caller, receiver) = quiet().await;
    subscribe(&caller, &receiver, "vendors").await;
    receiver.answers(&[500, 408, 429, 503, 500, 500]);
    renamed(&caller, "V00001", "Another name");
    receiver.payloads();
    assert_eq!(after(&caller, 30).await, 1);
    for wait in [60, 60, 600, 6_000, 60_000] {
        assert_eq!(after(&caller, wait - 1).await, 0, "{wait}");
        assert_eq!(caller.sandbox.world().bc.webhooks().subscriptions.len(), 1);
        assert_eq!(after(&caller, 1).await, 1, "{wait}");
    }
    assert_eq!(receiver.payloads().len(), 6);
    assert!(caller.sandbox.world().bc.webhooks().subscriptions.is_empty());
}

#[tokio::test]
async fn the_documented_schedule_has_one_more_long_wait() {
    let (caller, receiver) = quiet().await;
    caller.sandbox.world().bc.configure(|settings| settings.webhooks.retries = RetrySchedule::Documentation);
    subscribe(&caller, &receiver, "vendors").await;
    receiver.answers(&[500; 6]);
    renamed(&caller, "V00001", "Another name");
    for wait in [30, 60, 60, 600, 6_000, 60_000, 60_000] {
        assert_eq!(after(&caller, wait).await, 1, "{wait}");
    }
    assert_eq!(caller.sandbox.world().bc.webhooks().subscriptions.len(), 1);
}

#[tokio::test]
async fn changes_during_an_outage_are_told_with_the_retry() {
    let (caller, receiver) = quiet().await;
    subscribe(&caller, &receiver, "vendors").await;
    receiver.answers(&[500]);
    renamed(&caller, "N1", "Name");
    after(&caller, 30).await;
    receiver.payloads();
    renamed(&caller, "N2", "Name");
    assert_eq!(after(&caller, 60).await, 1);
    assert_eq!(kinds(&receiver.payloads()[0]), ["created", "created"]);
}

#[tokio::test]
async fn any_other_answer_deletes_the_subscription() {
    for status in [302, 400, 401, 404, 410] {
        let (caller, receiver) = quiet().await;
        subscribe(&caller, &receiver, "vendors").await;
        receiver.answers(&[status]);
        renamed(&caller, "V00001", "Another name");
        after(&caller, 30).await;
        assert!(caller.sandbox.world().bc.webhooks().subscriptions.is_empty(), "{status}");
    }
}

#[tokio::test]
async fn an_expired_subscription_produces_nothing() {
    let (caller, receiver) = quiet().await;
    subscribe(&caller, &receiver, "vendors").await;
    receiver.payloads();
    caller.sandbox.world().clock.advance(SignedDuration::from_hours(72));
    renamed(&caller, "V00001", "Another name");
    assert_eq!(after(&caller, 30).await, 0);
    assert!(receiver.payloads().is_empty());
}

#[tokio::test]
async fn subscriptions_of_one_url_share_a_payload() {
    let (caller, receiver) = quiet().await;
    subscribe(&caller, &receiver, "vendors").await;
    subscribe(&caller, &receiver, "purchaseInvoices").await;
    subscribe(&caller, &receiver, "vendors").await;
    renamed(&caller, "V00001", "Another name");
    receiver.payloads();
    caller.draft("A-1").await;
    assert_eq!(after(&caller, 30).await, 1);
    let payload = receiver.payloads().remove(0);
    let value = payload.body["value"].as_array().unwrap();
    let about = |set: &str| value.iter().filter(|entry| entry["resource"].as_str().unwrap().contains(set)).count();
    assert_eq!((about("/vendors("), about("/purchaseInvoices(") > 0), (2, true));
}

#[tokio::test]
async fn notifications_can_be_forged_lost_and_a_copied_environment_has_no_subscriptions() {
    let (caller, receiver) = quiet().await;
    subscribe(&caller, &receiver, "vendors").await;
    receiver.payloads();
    let control = &caller.sandbox.ready().control.base_url;
    let post = async |path: &str, body: Value| {
        answer(caller.client.post(format!("{control}/_sandbox/bc/{path}")).json(&body)).await
    };
    let row = caller.id_of("vendors", "V00001").await;
    let (_, body) = post("webhooks/forge", json!({"id": row})).await;
    assert_eq!(body, json!({"receivers": 1}));
    assert_ne!(receiver.payloads()[0].body["value"][0]["clientState"], "k3J9");
    renamed(&caller, "V00001", "Another name");
    assert_eq!(post("webhooks/drop", json!({})).await.1, json!({"dropped": 1}));
    assert_eq!(after(&caller, 30).await, 0);
    let patch = json!({"webhooks": {"disorder": "twice"}});
    let url = format!("{control}/_sandbox/bc/settings");
    assert_eq!(answer(caller.client.patch(&url).json(&patch)).await.0, 200);
    assert_eq!(answer(caller.client.patch(&url).json(&json!({"colour": 1}))).await.0, 400);
    renamed(&caller, "V00001", "One more name");
    caller.sandbox.world().clock.advance(SignedDuration::from_secs(30));
    assert_eq!(post("webhooks/deliver", json!({})).await.1, json!({"payloads": 1}));
    let twice = receiver.payloads();
    assert_eq!((twice.len(), &twice[0].body), (2, &twice[1].body));
    assert_eq!(post("copy", json!({})).await.0, 204);
    let (_, report) = answer(caller.client.get(format!("{control}/_sandbox/bc/webhooks"))).await;
    assert_eq!(report["subscriptions"], json!([]));
}

#[tokio::test]
async fn what_waits_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let options = || sandbox::Options {
        records: 1,
        start: Some(crate::bc::caller::START.parse().unwrap()),
        state: Some(folder.path().join("state.json")),
        ..sandbox::Options::default()
    };
    let receiver = Receiver::start().await;
    let caller = Caller::start_with(options()).await;
    caller.sandbox.world().bc.pause_notifications(true);
    subscribe(&caller, &receiver, "vendors").await;
    renamed(&caller, "V00001", "Another name");
    receiver.payloads();
    caller.sandbox.stop().await.unwrap();
    let caller = Caller::start_with(options()).await;
    renamed(&caller, "V00002", "Another name");
    assert_eq!(after(&caller, 30).await, 1);
    assert_eq!(kinds(&receiver.payloads()[0]), ["updated", "updated"]);
}

#[tokio::test]
async fn notifications_are_disturbed_by_the_plan_like_requests() {
    let (caller, receiver) = quiet().await;
    subscribe(&caller, &receiver, "vendors").await;
    let told = async |kind: WebhookFault| {
        caller.sandbox.world().faults.add(Fault::new(Side::Bc, FaultKind::Webhook(kind)));
        for number in ["V00001", "V00002"] {
            renamed(&caller, number, &format!("{kind:?}"));
        }
        after(&caller, 30).await;
        receiver.payloads()
    };
    assert!(told(WebhookFault::Drop).await.is_empty());
    assert_eq!(after(&caller, 100_000).await, 0, "what is dropped is not tried again");
    let double = told(WebhookFault::Double).await;
    assert_eq!(double.len(), 2);
    assert_eq!(double[0].body, double[1].body);
    let forged = told(WebhookFault::Forge).await;
    assert!(forged[0].body["value"][0]["clientState"].as_str().unwrap().starts_with("forged-"));
    let in_order = |got: &Got| {
        let moments = got.body["value"].as_array().unwrap().iter();
        moments.map(|entry| entry["resource"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let mut reordered = in_order(&told(WebhookFault::Reorder).await[0]);
    reordered.reverse();
    assert_eq!(reordered, in_order(&double[0]));
    assert!(told(WebhookFault::Late { seconds: 60 }).await.is_empty());
    renamed(&caller, "V00003", "Meanwhile");
    after(&caller, 60).await;
    assert_eq!(receiver.payloads()[0].body["value"].as_array().unwrap().len(), 3, "with what came meanwhile");
}
