//! The vendor directory of Brex.

use clients::brex::VendorFields;
use clients::{Effect, Kind};

use crate::server::{Seen, Server, empty, json};

/// As in the reference, bank details included; unknown fields must not fail it.
const VENDOR: &str = r#"{"id":"pdcont_ckt6g23823883x0fek","company_name":"Schrute Farms","email":"ap@example.com","phone":null,"new":1,
  "payment_accounts":[{"details":{"type":"ACH","payment_instrument_id":"pdinstl_1","routing_number":"021000021","account_number":"3818193555"}}]}"#;

fn named(name: &str) -> VendorFields {
    VendorFields { company_name: Some(name.to_owned()), ..VendorFields::default() }
}

#[tokio::test]
async fn a_vendor_is_created_under_its_key_and_only_what_is_given_is_sent() {
    let server = Server::start(|_, _| json(200, VENDOR)).await;
    let client = server.brex();
    let key = uuid::uuid!("5d115c9c-44e3-ea11-bb43-000d3a2feca1");
    let made = client.create_vendor(key, &named("Schrute Farms")).await.unwrap();
    assert_eq!(
        (made.id.as_str(), made.email.as_deref(), made.phone),
        ("pdcont_ckt6g23823883x0fek", Some("ap@example.com"), None)
    );
    let email = VendorFields { email: Some("a@example.com".to_owned()), ..VendorFields::default() };
    client.update_vendor("pdcont_1", &email).await.unwrap();
    let [create, update]: [Seen; 2] = server.seen().try_into().unwrap();
    assert_eq!((create.method.as_str(), create.uri.path()), ("POST", "/v1/vendors"));
    assert_eq!(create.header("idempotency-key"), Some("5d115c9c-44e3-ea11-bb43-000d3a2feca1"));
    assert_eq!(create.body, r#"{"company_name":"Schrute Farms"}"#);
    assert_eq!((update.method.as_str(), update.uri.path()), ("PUT", "/v1/vendors/pdcont_1"));
    assert_eq!(update.body, r#"{"email":"a@example.com"}"#);
}

#[tokio::test]
async fn bank_details_are_not_kept() {
    let server = Server::start(|_, _| json(200, VENDOR)).await;
    let vendor = server.brex().get_vendor("pdcont_1").await.unwrap().unwrap();
    assert!(!format!("{vendor:?}").contains("3818193555"));
}

#[tokio::test]
async fn the_directory_is_read_page_by_page_and_a_repeated_cursor_is_an_error() {
    let server = Server::start(|place, _| {
        let next = if place == 0 { "\"a\"" } else { "\"\"" };
        json(200, &format!(r#"{{"items":[{VENDOR}],"next_cursor":{next}}}"#))
    })
    .await;
    let client = server.brex();
    let first = client.list_vendors(None).await.unwrap();
    assert_eq!(first.next_cursor.as_deref(), Some("a"));
    assert_eq!(client.list_vendors(Some("a")).await.unwrap().next_cursor, None);
    let [one, two]: [Seen; 2] = server.seen().try_into().unwrap();
    assert_eq!((one.option("limit").as_deref(), one.option("cursor")), (Some("1000"), None));
    assert_eq!(two.option("cursor").as_deref(), Some("a"));

    let server = Server::start(|_, _| json(200, r#"{"items":[],"next_cursor":"a"}"#)).await;
    assert_eq!(server.brex().list_vendors(Some("a")).await.unwrap_err().kind(), Kind::Unreadable);
    assert_eq!(server.brex().find_vendors_by_name("x").await.unwrap_err().kind(), Kind::Unreadable);
}

#[tokio::test]
async fn a_name_is_looked_up_over_all_pages() {
    let server = Server::start(|place, _| {
        let next = if place == 0 { "\"a\"" } else { "null" };
        json(200, &format!(r#"{{"items":[{VENDOR}],"next_cursor":{next}}}"#))
    })
    .await;
    assert_eq!(server.brex().find_vendors_by_name("Schrute & Co").await.unwrap().len(), 2);
    assert_eq!(server.seen()[1].option("name").as_deref(), Some("Schrute & Co"));
}

#[tokio::test]
async fn a_refusal_is_definite_and_a_server_error_is_not() {
    let refused = r#"{"type":"BAD_REQUEST","message":"company_name is invalid"}"#;
    let server = Server::start(move |place, _| if place == 0 { json(400, refused) } else { empty(502) }).await;
    let client = server.brex();
    let error = client.create_vendor(uuid::Uuid::nil(), &named("Caf\u{e9}")).await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (Kind::Refused, Effect::None));
    assert_eq!(error.api_message(), Some("company_name is invalid"));
    assert_eq!(client.create_vendor(uuid::Uuid::nil(), &named("Cafe")).await.unwrap_err().effect(), Effect::Unknown);
}

#[tokio::test]
async fn a_vendor_that_is_gone_is_not_found_and_counts_as_deleted() {
    let server = Server::start(|_, _| json(404, r#"{"type":"NOT_FOUND","message":"Not Found"}"#)).await;
    let client = server.brex();
    assert_eq!(client.get_vendor("pdcont_1").await.unwrap(), None);
    client.delete_vendor("pdcont_1").await.unwrap();
    assert_eq!(server.seen()[1].method.as_str(), "DELETE");
}
