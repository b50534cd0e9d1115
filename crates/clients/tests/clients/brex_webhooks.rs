//! Webhook subscriptions of Brex and their secrets.

use clients::brex::{NewSubscription, SubscriptionStatus, WebhookSecretStatus};
use clients::{Effect, Kind};
use secrecy::ExposeSecret as _;

use crate::server::{Seen, Server, empty, json};

const SUBSCRIPTION: &str = r#"{"id":"wsub_1","group_id":null,"url":"https://connector.example/hook","event_types":["ACCOUNTING_RECORD_READY_FOR_EXPORT"],"status":"ACTIVE"}"#;

fn subscription() -> NewSubscription {
    NewSubscription {
        url: "https://connector.example/hook".parse().unwrap(),
        event_types: vec!["ACCOUNTING_RECORD_READY_FOR_EXPORT".to_owned()],
    }
}

#[tokio::test]
async fn a_subscription_is_made_under_its_key_and_changed() {
    let server = Server::start(|_, _| json(200, SUBSCRIPTION)).await;
    let client = server.brex();
    let key = uuid::uuid!("5d115c9c-44e3-ea11-bb43-000d3a2feca1");
    let made = client.create_subscription(key, &subscription()).await.unwrap();
    assert_eq!((made.id.as_str(), made.status), ("wsub_1", SubscriptionStatus::Active));
    client.update_subscription("wsub_1", &subscription(), &SubscriptionStatus::Inactive).await.unwrap();
    let [create, update]: [Seen; 2] = server.seen().try_into().unwrap();
    assert_eq!(create.header("idempotency-key"), Some("5d115c9c-44e3-ea11-bb43-000d3a2feca1"));
    assert_eq!(
        create.body,
        r#"{"url":"https://connector.example/hook","event_types":["ACCOUNTING_RECORD_READY_FOR_EXPORT"]}"#
    );
    assert_eq!((update.method.as_str(), update.uri.path()), ("PUT", "/v1/webhooks/wsub_1"));
    assert!(update.body.ends_with(r#""status":"INACTIVE"}"#));
}

#[tokio::test]
async fn subscriptions_are_listed_over_all_pages() {
    let server = Server::start(|place, _| {
        let next = if place == 0 { "\"a\"" } else { "null" };
        json(200, &format!(r#"{{"items":[{SUBSCRIPTION}],"next_cursor":{next}}}"#))
    })
    .await;
    assert_eq!(server.brex().list_subscriptions().await.unwrap().len(), 2);
    assert_eq!(server.seen()[1].option("cursor").as_deref(), Some("a"));

    let server = Server::start(|_, _| json(200, r#"{"items":[],"next_cursor":"a"}"#)).await;
    assert_eq!(server.brex().list_subscriptions().await.unwrap_err().kind(), Kind::Unreadable);
}

#[tokio::test]
async fn deleting_a_subscription_that_is_gone_succeeds() {
    let server = Server::start(|place, _| empty([200, 404, 500][place])).await;
    let client = server.brex();
    client.delete_subscription("wsub_1").await.unwrap();
    client.delete_subscription("wsub_1").await.unwrap();
    assert_eq!(client.delete_subscription("wsub_1").await.unwrap_err().effect(), Effect::Unknown);
}

#[tokio::test]
async fn secrets_come_with_their_status_and_are_not_printed() {
    let body = r#"[{"secret":"whsec_123","status":"ACTIVE"},{"secret":"whsec_456","status":"PENDING_REVOKE"},{"secret":"whsec_789","status":"LOST"}]"#;
    let server = Server::start(move |_, _| json(200, body)).await;
    let secrets = server.brex().list_webhook_secrets().await.unwrap();
    assert_eq!(secrets[0].secret.expose_secret(), "whsec_123");
    assert_eq!(secrets[1].status, WebhookSecretStatus::PendingRevoke);
    assert_eq!(secrets[2].status.as_str(), "LOST");
    assert!(!format!("{secrets:?}").contains("whsec_"));
}
