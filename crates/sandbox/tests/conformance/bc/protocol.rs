//! What every answer has: statuses by verb, headers, and the codes of what is refused before any business rule.

use crate::bc::caller::{Caller, answer, error};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn each_verb_has_its_status() {
    let caller = Caller::start().await;
    let draft = caller.draft("A-1").await;
    let path = format!("purchaseInvoices({})", draft["id"].as_str().unwrap());
    assert_eq!(caller.get(&path).await.0, 200);
    let (status, changed) = caller.patch(&path, "*", json!({"vendorInvoiceNumber": "a-2"})).await;
    assert_eq!((status.as_u16(), &changed["vendorInvoiceNumber"]), (200, &json!("A-2")));
    let request = caller.request(Method::PATCH, &caller.url(&path)).header("If-Match", "*");
    assert_eq!(answer(request.header("Prefer", "return=minimal").json(&json!({}))).await.0, 200);
    let id = draft["id"].as_str().unwrap();
    assert_eq!(caller.post_document("purchaseInvoices", id).await, (204.try_into().unwrap(), json!(null)));
    let second = caller.draft("A-3").await;
    assert_eq!(caller.delete(&format!("purchaseInvoices({})", second["id"].as_str().unwrap())).await.0, 204);
    for preference in ["return-no-content", "return=minimal"] {
        let post = caller.request(Method::POST, &caller.url("vendors")).header("Prefer", preference);
        assert_eq!(answer(post.json(&json!({"displayName": "Quiet"}))).await, (204.try_into().unwrap(), json!(null)));
    }
}

#[tokio::test]
async fn every_answer_has_the_headers_that_support_asks_for() {
    let caller = Caller::start().await;
    for path in ["vendors?$top=1", "nothing"] {
        let response = caller.request(Method::GET, &caller.url(path)).send().await.unwrap();
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "application/json; odata.metadata=minimal; odata.streaming=true");
        assert_eq!(header("odata-version"), "4.0");
        assert_eq!((header("request-id").len(), header("ms-correlation-x").len()), (36, 36));
    }
}

#[tokio::test]
async fn an_etag_is_needed_to_change_and_must_be_the_present_one() {
    let caller = Caller::start().await;
    let path = format!("vendors({})", caller.id_of("vendors", "V00001").await);
    let changed = |etag: Option<&str>| {
        let request = caller.request(Method::PATCH, &caller.url(&path)).json(&json!({"city": "Boston"}));
        answer(etag.into_iter().fold(request, |request, etag| request.header("If-Match", etag)))
    };
    let (status, body) = changed(None).await;
    let text = "Could not validate the client concurrency token required by the service. Please provide a valid token in the client request.";
    assert_eq!((status.as_u16(), error(&body)), (400, ("BadRequest_InvalidToken".to_owned(), text.to_owned())));
    let before = caller.get(&path).await.1["@odata.etag"].as_str().unwrap().to_owned();
    assert_eq!(changed(Some(&before)).await.0, 200);
    let (status, body) = changed(Some(&before)).await;
    let text = "Another user has already changed the record.";
    assert_eq!((status.as_u16(), error(&body)), (409, ("Request_EntityChanged".to_owned(), text.to_owned())));
}

#[tokio::test]
async fn what_is_no_entity_is_a_bad_request_of_its_kind() {
    let caller = Caller::start().await;
    let cases = [
        (json!({"displayName": "A", "balance": 1}), "BadRequest_InvalidOperation", "Control 'balance' is read-only."),
        (
            json!({"displayName": "A", "colour": "red"}),
            "BadRequest",
            "The property 'colour' does not exist on type 'Microsoft.NAV.vendor'. Make sure to only use property names that are defined by the type.",
        ),
        (json!([]), "BadRequest", "Invalid Request Body"),
    ];
    for (body, code, text) in cases {
        let (status, answered) = caller.post("vendors", body).await;
        assert_eq!((status.as_u16(), error(&answered)), (400, (code.to_owned(), text.to_owned())));
    }
    let long = "x".repeat(101);
    let (status, answered) = caller.post("vendors", json!({"displayName": long})).await;
    let text =
        format!("The length of the string is 101, but it must be less than or equal to 100 characters. Value: {long}");
    assert_eq!((status.as_u16(), error(&answered)), (400, ("Application_StringExceededLength".to_owned(), text)));
    let (status, answered) = caller.patch("vendors", "*", json!({})).await;
    let text = "'PATCH' requests for 'vendors' of EdmType 'Collection' are not allowed within Microsoft Dynamics 365 Business Central OData web services.";
    assert_eq!((status.as_u16(), error(&answered)), (405, ("BadRequest_MethodNotAllowed".to_owned(), text.to_owned())));
}
