//! Brex's webhooks: subscriptions, signed deliveries, retries by the sandbox's clock, and what can go wrong.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use crate::brex::caller::{Caller, NOW};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use jiff::{SignedDuration, Timestamp};
use sandbox::brex::{DeliveryCount, DeliveryState, signature};
use serde_json::{Value, json};

/// What the receiver got: id, timestamp, signatures, body.
pub(super) type Got = (String, i64, String, String);

#[derive(Default)]
pub(super) struct Inbox {
    pub(super) got: Mutex<Vec<Got>>,
    /// Statuses of the next answers; 200 after them.
    pub(super) answers: Mutex<VecDeque<u16>>,
}

async fn take(State(inbox): State<Arc<Inbox>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let text = |name: &str| headers[name].to_str().unwrap().to_owned();
    inbox.got.lock().unwrap().push((
        text("webhook-id"),
        text("webhook-timestamp").parse().unwrap(),
        text("webhook-signature"),
        String::from_utf8(body.to_vec()).unwrap(),
    ));
    let status = inbox.answers.lock().unwrap().pop_front().unwrap_or(200);
    StatusCode::from_u16(status).unwrap()
}

/// A subscribed receiver. The sender task is paused: only `deliver_due` sends.
pub(super) async fn subscribed() -> (Caller, Arc<Inbox>) {
    let caller = Caller::start().await;
    caller.world().brex.pause_deliveries(true);
    let inbox = Arc::new(Inbox::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let router = Router::new().route("/hook", post(take)).with_state(Arc::clone(&inbox));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let body = json!({ "url": url, "event_types": ["ACCOUNTING_RECORD_READY_FOR_EXPORT"] });
    let request = caller.request("POST", "/v1/webhooks").header("Idempotency-Key", "k1");
    assert_eq!(caller.send(request.json(&body)).await.0, 200);
    (caller, inbox)
}

pub(super) fn waiting(caller: &Caller) -> Vec<String> {
    let records = caller.world().brex.records();
    let waits = |status: &str| ["PREPARE", "REVIEW"].contains(&status);
    records.into_iter().filter(|report| waits(&report.review_status)).map(|report| report.id).collect()
}

pub(super) fn export(caller: &Caller, ids: &[String]) {
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    caller.world().brex.make_ready(&ids, caller.world().clock.now()).unwrap();
}

pub(super) async fn deliver(caller: &Caller) -> DeliveryCount {
    caller.world().brex.deliver_due(&caller.world().clock).await
}

#[tokio::test]
async fn one_export_action_sends_one_signed_event_with_all_ids() {
    let (caller, inbox) = subscribed().await;
    let ids = waiting(&caller);
    export(&caller, &ids[..2]);
    assert_eq!(deliver(&caller).await, DeliveryCount { delivered: 1, failed: 0 });
    let got = inbox.got.lock().unwrap();
    let (id, timestamp, signatures, body) = &got[0];
    assert!(id.starts_with("msg_"));
    assert_eq!(*timestamp, NOW.parse::<Timestamp>().unwrap().as_second());
    let event = format!(
        r#"{{"event_type":"ACCOUNTING_RECORD_READY_FOR_EXPORT","accountingRecordIds":["{}","{}"],"companyId":"{}"}}"#,
        ids[0],
        ids[1],
        caller.world().brex.company_id()
    );
    assert_eq!(*body, event);
    let secret = caller.world().brex.webhook_secret();
    assert_eq!(Some(signatures), signature(&secret, id, *timestamp, body.as_bytes()).as_ref());
}

#[tokio::test]
async fn during_a_rotation_both_secrets_sign() {
    let (caller, inbox) = subscribed().await;
    let old = caller.world().brex.webhook_secret();
    let new = caller.world().brex.rotate_secret();
    let (_, listed) = caller.get("/v1/webhooks/secrets").await;
    assert_eq!(listed, json!([{ "secret": old, "status": "PENDING_REVOKE" }, { "secret": new, "status": "ACTIVE" }]));
    export(&caller, &waiting(&caller)[..1]);
    deliver(&caller).await;
    let (id, timestamp, signatures, body) = inbox.got.lock().unwrap()[0].clone();
    let expected = [new, old].map(|secret| signature(&secret, &id, timestamp, body.as_bytes()).unwrap());
    assert_eq!(signatures, expected.join(" "));
    caller.world().brex.finish_rotation();
    assert_eq!(caller.get("/v1/webhooks/secrets").await.1.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_refused_event_comes_again_with_the_same_id_when_its_time_has_come() {
    let (caller, inbox) = subscribed().await;
    inbox.answers.lock().unwrap().extend([500, 503]);
    export(&caller, &waiting(&caller)[..1]);
    assert_eq!(deliver(&caller).await.failed, 1);
    assert_eq!(deliver(&caller).await, DeliveryCount::default());
    caller.world().clock.advance(SignedDuration::from_secs(5));
    assert_eq!(deliver(&caller).await.failed, 1);
    caller.world().clock.advance(SignedDuration::from_mins(5));
    assert_eq!(deliver(&caller).await.delivered, 1);
    let got = inbox.got.lock().unwrap();
    assert!(got.iter().all(|message| message.0 == got[0].0));
    assert_eq!(got[2].1 - got[0].1, 305);
}

#[tokio::test]
async fn an_event_is_given_up_after_eight_attempts() {
    let (caller, inbox) = subscribed().await;
    inbox.answers.lock().unwrap().extend([500; 9]);
    export(&caller, &waiting(&caller)[..1]);
    for _ in 0..10 {
        deliver(&caller).await;
        caller.world().clock.advance(SignedDuration::from_hours(10));
    }
    assert_eq!(inbox.got.lock().unwrap().len(), 8);
    assert_eq!(caller.world().brex.deliveries()[0].state, DeliveryState::GivenUp);
}

#[tokio::test]
async fn an_event_can_be_lost_repeated_and_forged() {
    let (caller, inbox) = subscribed().await;
    let ids = waiting(&caller);
    caller.world().brex.configure(|settings| settings.webhook_drop_percent = 100);
    export(&caller, &ids[..1]);
    assert_eq!(deliver(&caller).await, DeliveryCount::default());
    caller.world().brex.configure(|settings| settings.webhook_drop_percent = 0);
    export(&caller, &ids[1..2]);
    deliver(&caller).await;
    assert_eq!(caller.world().brex.repeat_deliveries(caller.world().clock.now()), 1);
    caller.world().brex.forge_event(&ids[..1], caller.world().clock.now());
    assert_eq!(deliver(&caller).await.delivered, 2);
    let got = inbox.got.lock().unwrap();
    let again = got.iter().filter(|message| message.0 == got[0].0).count();
    assert_eq!((got.len(), again), (3, 2));
    let secret = caller.world().brex.webhook_secret();
    let proven =
        |(id, at, signatures, body): &&Got| signature(&secret, id, *at, body.as_bytes()).as_ref() == Some(signatures);
    assert_eq!(got.iter().filter(proven).count(), 2);
}

#[tokio::test]
async fn the_sender_task_sends_a_new_event_by_itself() {
    let (caller, _inbox) = subscribed().await;
    caller.world().brex.pause_deliveries(false);
    let (told, mut heard) = tokio::sync::mpsc::channel::<()>(1);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://localhost:{}/", listener.local_addr().unwrap().port());
    let router = Router::new().route(
        "/",
        post(move || async move {
            told.send(()).await.unwrap();
        }),
    );
    tokio::spawn(async move { axum::serve(listener, router).await });
    let body = json!({ "url": url, "event_types": ["ACCOUNTING_RECORD_READY_FOR_EXPORT"] });
    let request = caller.request("POST", "/v1/webhooks").header("Idempotency-Key", "k2");
    caller.send(request.json(&body)).await;
    export(&caller, &waiting(&caller)[..1]);
    heard.recv().await.unwrap();
}

#[tokio::test]
async fn a_subscription_is_created_once_per_key_and_can_be_changed_and_deleted() {
    let caller = Caller::start().await;
    let body = json!({ "url": "https://example.com/hook", "event_types": ["TRANSFER_PROCESSED"] });
    let create = |key: &'static str| {
        let request = caller.request("POST", "/v1/webhooks").header("Idempotency-Key", key);
        caller.send(request.json(&body))
    };
    assert_eq!(caller.post("/v1/webhooks", &body).await.0, 400);
    let (_, first) = create("a").await;
    assert_eq!(create("a").await.1, first);
    assert_ne!(create("b").await.1, first);
    for field in ["id", "url", "event_types", "status"] {
        assert!(!first[field].is_null());
    }
    let (_, page) = caller.get("/v1/webhooks?limit=1").await;
    assert_eq!(page["items"], json!([first]));
    let (_, page) = caller.get(&format!("/v1/webhooks?cursor={}", page["next_cursor"].as_str().unwrap())).await;
    assert_eq!((page["items"].as_array().unwrap().len(), &page["next_cursor"]), (1, &Value::Null));
    let path = format!("/v1/webhooks/{}", first["id"].as_str().unwrap());
    assert_eq!(caller.send(caller.request("PUT", &path).json(&body)).await.0, 400);
    let mut change = body.clone();
    change["status"] = json!("INACTIVE");
    assert_eq!(caller.send(caller.request("PUT", &path).json(&change)).await.1["status"], "INACTIVE");
    assert_eq!(caller.send(caller.request("DELETE", &path)).await, (200, Value::Null));
    assert_eq!(caller.get(&path).await.0, 404);
}

#[tokio::test]
async fn a_subscription_needs_https_or_a_loopback_host() {
    let caller = Caller::start().await;
    for (url, expected) in [
        ("http://example.com/hook", 400),
        ("ftp://127.0.0.1/hook", 400),
        ("not a url", 400),
        ("http://[::1]:9/hook", 200),
        ("http://localhost:9/hook", 200),
    ] {
        let body = json!({ "url": url, "event_types": ["USER_UPDATED"] });
        let request = caller.request("POST", "/v1/webhooks").header("Idempotency-Key", url);
        assert_eq!(caller.send(request.json(&body)).await.0, expected, "{url}");
    }
    let body = json!({ "url": "https://example.com", "event_types": ["VENDOR_UPDATED"] });
    let request = caller.request("POST", "/v1/webhooks").header("Idempotency-Key", "e");
    assert_eq!(caller.send(request.json(&body)).await.0, 400);
}
