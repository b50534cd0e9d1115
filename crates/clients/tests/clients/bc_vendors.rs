//! Making a vendor and looking for one by name.

use clients::bc::{Blocked, NewVendor};
use clients::{Effect, Kind};
use serde_json::json;

use crate::server::{Server, json};

const ID: &str = "f7a5738a-44e3-ea11-bb43-000d3a2feca1";

fn wanted(country: &str, email: &str) -> NewVendor {
    NewVendor { name: "O'Hara & Sons".to_owned(), country: country.to_owned(), email: email.to_owned() }
}

#[tokio::test]
async fn a_vendor_is_made_blocked_with_type_all_and_without_what_is_not_known() {
    let answer = json!({ "id": ID, "number": "V10", "displayName": "O'Hara & Sons", "blocked": "All" }).to_string();
    let server = Server::start(move |_, _| json(201, &answer)).await;
    let company = server.company();
    let made = company.create_vendor(&wanted("US", "")).await.unwrap();
    assert_eq!((made.id.to_string().as_str(), made.number.as_str(), made.blocked), (ID, "V10", Blocked::All));
    company.create_vendor(&wanted("", "ap@ohara.example")).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen[0].method, "POST");
    assert!(seen[0].uri.path().ends_with("/vendors"), "{}", seen[0].uri);
    let sent = |place: usize| serde_json::from_str::<serde_json::Value>(&seen[place].body).unwrap();
    assert_eq!(sent(0), json!({ "displayName": "O'Hara & Sons", "country": "US", "blocked": "All" }));
    assert_eq!(sent(1), json!({ "displayName": "O'Hara & Sons", "email": "ap@ohara.example", "blocked": "All" }));
}

#[tokio::test]
async fn only_vendors_of_exactly_the_name_are_found() {
    let row = |place: u32, name: &str| json!({ "id": format!("f7a5738a-44e3-ea11-bb43-{place:012}"), "number": "V1", "displayName": name });
    let page = json!({ "value": [row(1, "O'HARA & SONS"), row(2, "O'Hara & Sons")] }).to_string();
    let server = Server::start(move |_, _| json(200, &page)).await;
    let found = server.company().with_fresh_reads().find_vendors_named("O'Hara & Sons").await.unwrap();
    assert_eq!(found.iter().map(|vendor| vendor.display_name.as_str()).collect::<Vec<_>>(), ["O'Hara & Sons"]);
    let seen = &server.seen()[0];
    assert_eq!(seen.option("$filter").as_deref(), Some("displayName eq 'O''Hara & Sons'"));
    assert_eq!(seen.header("data-access-intent"), Some("ReadWrite"));
}

#[tokio::test]
async fn a_create_is_sent_once_and_says_whether_it_may_have_been_done() {
    let said = json!({ "error": { "code": "Application_DialogException", "message": "You cannot assign new numbers from the number series VEND.  CorrelationId:  1b2c." } });
    for (status, body, kind, effect) in [
        (400, said.to_string(), Kind::Refused, Effect::None),
        (400, include_str!("../fixtures/bc/error_permission.json").to_owned(), Kind::Forbidden, Effect::None),
        (429, include_str!("../fixtures/bc/error_throttled.json").to_owned(), Kind::Throttled, Effect::None),
        (504, String::new(), Kind::ServerError, Effect::Unknown),
        (201, "{\"id\":".to_owned(), Kind::Unreadable, Effect::Unknown),
    ] {
        let server = Server::start(move |_, _| json(status, &body)).await;
        let error = server.company().create_vendor(&wanted("", "")).await.unwrap_err();
        assert_eq!((error.kind(), error.effect()), (kind, effect), "{status}");
        assert_eq!(server.seen().len(), 1, "{status}");
    }
}
