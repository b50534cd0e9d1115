//! The fields of Brex and their values.

use clients::Kind;
use clients::brex::{NewField, NewValue, ValueChange, ValueData};

use crate::server::{Seen, Server, json};

const FIELD: &str = r#"{"brex_id":"extended_field_gl","name":"G/L Account","remote_id":"GL_ACCOUNT","updated_at":"2026-06-01T12:00:00Z","is_disabled":false,"group":"ERP"}"#;
const VALUE: &str = r#"{"brex_id":"efo_gl_61300","remote_id":"61300","value_id":"61300","value":"61300 Advertising","field_id":"extended_field_gl","updated_at":"2026-06-01T12:00:01Z","is_disabled":false}"#;

#[tokio::test]
async fn a_field_is_made_in_the_group_erp_under_its_key() {
    let server = Server::start(|_, _| json(200, FIELD)).await;
    let key = uuid::uuid!("5d115c9c-44e3-ea11-bb43-000d3a2feca1");
    let field = NewField {
        name: "G/L Account".to_owned(),
        remote_id: "GL_ACCOUNT".to_owned(),
        integration_id: "int_abc123".to_owned(),
    };
    let made = server.brex().create_field(key, &field).await.unwrap();
    assert_eq!((made.brex_id.as_str(), made.group.as_deref()), ("extended_field_gl", Some("ERP")));
    let [seen]: [Seen; 1] = server.seen().try_into().unwrap();
    assert_eq!((seen.method.as_str(), seen.uri.path()), ("POST", "/v1/fields"));
    assert_eq!(seen.header("idempotency-key"), Some("5d115c9c-44e3-ea11-bb43-000d3a2feca1"));
    let body = r#"{"group":"ERP","name":"G/L Account","remote_id":"GL_ACCOUNT","integration_id":"int_abc123"}"#;
    assert_eq!(seen.body, body);
}

#[tokio::test]
async fn values_are_made_and_changed_in_one_call_each() {
    let server = Server::start(|_, _| json(200, &format!(r#"{{"items":[{VALUE}]}}"#))).await;
    let client = server.brex();
    let value =
        NewValue { value: "61300 Advertising".to_owned(), value_id: "61300".to_owned(), remote_id: "61300".to_owned() };
    let made = client.create_field_values(uuid::Uuid::nil(), "extended_field_gl", &[value]).await.unwrap();
    assert_eq!(made[0].remote_id.as_deref(), Some("61300"));
    let change = ValueChange {
        brex_id: "efo_gl_61300".to_owned(),
        data: ValueData { is_disabled: Some(true), ..ValueData::default() },
    };
    client.update_field_values("extended_field_gl", &[change]).await.unwrap();
    let [create, update]: [Seen; 2] = server.seen().try_into().unwrap();
    assert_eq!((create.method.as_str(), create.uri.path()), ("POST", "/v1/fields/extended_field_gl/values"));
    assert_eq!(create.body, r#"{"items":[{"value":"61300 Advertising","value_id":"61300","remote_id":"61300"}]}"#);
    assert_eq!((update.method.as_str(), update.uri.path()), ("PUT", "/v1/fields/extended_field_gl/values"));
    assert_eq!(update.body, r#"{"items":[{"brex_id":"efo_gl_61300","data":{"is_disabled":true}}]}"#);
}

#[tokio::test]
async fn lists_are_read_to_their_end_and_a_repeated_cursor_is_an_error() {
    let server = Server::start(|place, _| {
        let next = if place == 0 { "\"a\"" } else { "null" };
        json(200, &format!(r#"{{"items":[{VALUE}],"next_cursor":{next}}}"#))
    })
    .await;
    assert_eq!(server.brex().list_field_values("extended_field_gl").await.unwrap().len(), 2);
    let [one, two]: [Seen; 2] = server.seen().try_into().unwrap();
    assert_eq!((one.option("limit").as_deref(), two.option("cursor").as_deref()), (Some("1000"), Some("a")));
    let server = Server::start(|_, _| json(200, r#"{"items":[],"next_cursor":"a"}"#)).await;
    assert_eq!(server.brex().list_fields().await.unwrap_err().kind(), Kind::Unreadable);
}
