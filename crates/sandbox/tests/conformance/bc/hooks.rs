//! Push subscriptions: handshake, life, and which resources there are.

use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::bc::caller::{Caller, answer, error};
use crate::bc::receiver::Receiver;
use sandbox::bc::HandshakeMethod;

fn subscriptions(caller: &Caller) -> String {
    format!("{}/subscriptions", caller.service())
}

fn wanted(caller: &Caller, receiver: &Receiver, set: &str) -> Value {
    let company = caller.sandbox.ready().bc.company_id;
    json!({
        "notificationUrl": receiver.url,
        "resource": format!("/api/v2.0/companies({company})/{set}"),
        "clientState": "k3J9",
    })
}

pub(super) async fn subscribe(caller: &Caller, receiver: &Receiver, set: &str) -> Value {
    let request = caller.request(Method::POST, &subscriptions(caller)).json(&wanted(caller, receiver, set));
    let (status, body) = answer(request).await;
    assert_eq!(status, 201, "{body}");
    body
}

fn one(caller: &Caller, subscription: &Value) -> String {
    format!("{}('{}')", subscriptions(caller), subscription["subscriptionId"].as_str().unwrap())
}

/// Moves the clock and sends what is due.
pub(super) async fn after(caller: &Caller, seconds: i64) -> usize {
    let world = caller.sandbox.world();
    world.clock.advance(SignedDuration::from_secs(seconds));
    world.bc.deliver_due(&world.clock).await
}

/// A caller and a receiver; nothing is sent but by the test.
pub(super) async fn quiet() -> (Caller, Receiver) {
    let caller = Caller::start().await;
    caller.sandbox.world().bc.pause_notifications(true);
    (caller, Receiver::start().await)
}

#[tokio::test]
async fn a_subscription_shakes_hands_and_lives_three_days() {
    let (caller, receiver) = quiet().await;
    let subscription = subscribe(&caller, &receiver, "vendors").await;
    let handshake = receiver.inbox.lock().unwrap().got.remove(0);
    assert_eq!(handshake.method, "POST");
    assert!(handshake.query.starts_with("t=42&validationToken="), "{}", handshake.query);
    assert_eq!(subscription["subscriptionId"].as_str().unwrap().len(), 32);
    assert_eq!(subscription["expirationDateTime"], "2026-03-05T10:00:00.000Z");
    assert_eq!(subscription["clientState"], "k3J9");
    assert!(subscription["@odata.etag"].as_str().unwrap().starts_with("W/\""));
    let (_, list) = answer(caller.request(Method::GET, &subscriptions(&caller))).await;
    assert_eq!(list["value"][0]["@odata.etag"], subscription["@odata.etag"]);
    assert_eq!(answer(caller.request(Method::GET, &one(&caller, &subscription).replace('\'', ""))).await.0, 404);
    after(&caller, 72 * 3600).await;
    assert!(caller.sandbox.world().bc.webhooks().subscriptions.is_empty());
}

#[tokio::test]
async fn without_the_token_there_is_no_subscription() {
    let (caller, receiver) = quiet().await;
    receiver.inbox.lock().unwrap().mute = true;
    let create = || caller.request(Method::POST, &subscriptions(&caller)).json(&wanted(&caller, &receiver, "vendors"));
    assert_eq!(answer(create()).await.0, 400);
    assert!(caller.sandbox.world().bc.webhooks().subscriptions.is_empty());
    receiver.inbox.lock().unwrap().mute = false;
    caller.sandbox.world().bc.configure(|settings| settings.webhooks.handshake_method = HandshakeMethod::Get);
    assert_eq!(answer(create()).await.0, 201);
    assert_eq!(receiver.inbox.lock().unwrap().got[1].method, "GET");
}

#[tokio::test]
async fn renewing_needs_the_etag_and_shakes_hands_again() {
    let (caller, receiver) = quiet().await;
    let subscription = subscribe(&caller, &receiver, "vendors").await;
    let url = one(&caller, &subscription);
    after(&caller, 600).await;
    let renew = || caller.request(Method::PATCH, &url).json(&wanted(&caller, &receiver, "vendors"));
    let (status, body) = answer(renew()).await;
    assert_eq!((status.as_u16(), error(&body).0.as_str()), (400, "BadRequest_InvalidToken"));
    let etag = subscription["@odata.etag"].as_str().unwrap();
    let (status, renewed) = answer(renew().header("If-Match", etag)).await;
    assert_eq!((status, &renewed["expirationDateTime"]), (StatusCode::OK, &json!("2026-03-05T10:10:00.000Z")));
    assert_eq!(receiver.inbox.lock().unwrap().got.len(), 2);
    let (status, body) = answer(renew().header("If-Match", etag)).await;
    assert_eq!((status.as_u16(), error(&body).0.as_str()), (409, "Request_EntityChanged"));
    assert_eq!(answer(caller.request(Method::DELETE, &url)).await.0, 400);
    assert_eq!(answer(caller.request(Method::DELETE, &url).header("If-Match", "*")).await.0, 204);
    assert_eq!(answer(caller.request(Method::GET, &url)).await.0, 404);
}

#[tokio::test]
async fn only_supported_resources_can_be_subscribed_to() {
    let (caller, receiver) = quiet().await;
    let company = caller.sandbox.ready().bc.company_id;
    let post = async |resource: String| {
        let body = json!({"notificationUrl": receiver.url, "resource": resource, "clientState": ""});
        answer(caller.request(Method::POST, &subscriptions(&caller)).json(&body)).await.0.as_u16()
    };
    assert_eq!(post(format!("companies({company})/vendors")).await, 201);
    assert_eq!(post(format!("api/v2.0/companies({company})/purchaseInvoices")).await, 201);
    assert_eq!(post(caller.url("accounts")).await, 201);
    assert_eq!(post(format!("companies({company})/purchaseInvoiceLines")).await, 400);
    assert_eq!(post(format!("companies({company})/nonsense")).await, 404);
    assert_eq!(post("companies(00000000-0000-0000-0000-00000000ffff)/vendors".to_owned()).await, 404);
}

#[tokio::test]
async fn there_are_two_hundred_subscriptions_at_most() {
    let (caller, receiver) = quiet().await;
    caller.sandbox.world().bc.configure(|settings| settings.webhooks.maximum = 1);
    subscribe(&caller, &receiver, "vendors").await;
    let request = caller.request(Method::POST, &subscriptions(&caller)).json(&wanted(&caller, &receiver, "vendors"));
    assert_eq!(answer(request).await.0, 400);
    assert_eq!(sandbox::bc::Settings::default().webhooks.maximum, 200);
}
