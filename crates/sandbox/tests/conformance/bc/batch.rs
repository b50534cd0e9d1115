//! `$batch`: order, stopping, going on, rolling back, limits.

use crate::bc::caller::{Caller, answer, error, invoice};
use reqwest::{Method, RequestBuilder};
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;
use serde_json::{Value, json};

fn batch(caller: &Caller, requests: &[Value]) -> RequestBuilder {
    caller
        .request(Method::POST, &format!("{}/$batch", caller.service()))
        .header("Accept", "application/json")
        .json(&json!({"requests": requests}))
}

/// A good invoice, one for an unknown vendor, and a good one again.
fn good_bad_good(caller: &Caller) -> Vec<Value> {
    let mut bad = invoice("B-2");
    bad["vendorNumber"] = json!("NOBODY");
    [("1", invoice("B-1")), ("2", bad), ("3", invoice("B-3"))].map(|(id, body)| part(caller, id, &body)).to_vec()
}

/// The part of a batch that makes an invoice.
fn part(caller: &Caller, id: &str, body: &Value) -> Value {
    let url = format!("companies({})/purchaseInvoices", caller.sandbox.ready().bc.company_id);
    json!({"id": id, "method": "POST", "url": url, "headers": {"Content-Type": "application/json"}, "body": body})
}

fn statuses(body: &Value) -> Vec<u64> {
    body["responses"].as_array().unwrap().iter().map(|part| part["status"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_batch_stops_at_the_first_error() {
    let caller = Caller::start().await;
    let (status, body) = answer(batch(&caller, &good_bad_good(&caller))).await;
    assert_eq!(status, 200);
    assert_eq!(statuses(&body), [201, 400]);
    assert_eq!(error(&body["responses"][1]["body"]).1, "The vendor cannot be found.");
    assert_eq!(caller.sandbox.world().bc.ledger().len(), 1);
}

#[tokio::test]
async fn a_batch_goes_on_if_told_so() {
    let caller = Caller::start().await;
    let request = batch(&caller, &good_bad_good(&caller)).header("Prefer", "odata.continue-on-error");
    let (_, body) = answer(request).await;
    assert_eq!(statuses(&body), [201, 400, 201]);
    assert_eq!(body["responses"][2]["id"], "3");
}

#[tokio::test]
async fn a_snapshot_reports_success_for_what_it_took_back() {
    let caller = Caller::start().await;
    let request = batch(&caller, &good_bad_good(&caller)).header("Isolation", "snapshot");
    let (_, body) = answer(request).await;
    assert_eq!(statuses(&body), [201, 400]);
    let id = body["responses"][0]["body"]["id"].as_str().unwrap();
    assert_eq!(caller.get(&format!("purchaseInvoices({id})")).await.0, 404);
    assert!(caller.sandbox.world().bc.ledger().is_empty());
}

#[tokio::test]
async fn the_company_can_come_from_a_header_and_the_id_may_be_missing() {
    let caller = Caller::start().await;
    let part = json!({"method": "GET", "url": "vendors?$top=1", "headers": {"Company": "Northwind Supply, Inc."}});
    let (_, body) = answer(batch(&caller, &[part])).await;
    assert_eq!(statuses(&body), [200]);
    assert_eq!(body["responses"][0]["id"], Value::Null);
}

#[tokio::test]
async fn a_hundred_parts_are_the_most() {
    let caller = Caller::start().await;
    let part = json!({"id": "1", "method": "GET", "url": "companies"});
    let (status, body) = answer(batch(&caller, &vec![part.clone(); 100])).await;
    assert_eq!((status.as_u16(), statuses(&body).len()), (200, 100));
    let (status, body) = answer(batch(&caller, &vec![part; 101])).await;
    assert_eq!((status.as_u16(), error(&body).0.as_str()), (500, "Unknown"));
    assert!(error(&body).1.starts_with("The current batch message contains too many parts."));
}

#[tokio::test]
async fn a_change_set_of_several_requests_is_not_supported() {
    let caller = Caller::start().await;
    let part = json!({"id": "1", "method": "GET", "url": "companies", "atomicityGroup": "g"});
    assert_eq!(answer(batch(&caller, &[part.clone(), part])).await.0, 500);
}

#[tokio::test]
async fn without_asking_for_json_the_answer_is_multipart() {
    let caller = Caller::start().await;
    let body = json!({"requests": [{"id": "1", "method": "GET", "url": "companies"}]});
    let url = format!("{}/$batch", caller.service());
    let response = caller.request(Method::POST, &url).json(&body).send().await.unwrap();
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(kind.starts_with("multipart/mixed; boundary="), "{kind}");
    assert!(response.text().await.unwrap().contains("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn six_thousand_requests_in_five_minutes_are_the_most() {
    let caller = Caller::start().await;
    let part = json!({"id": "1", "method": "GET", "url": "companies?$select=id"});
    let parts = vec![part; 100];
    for _ in 0..60 {
        assert_eq!(answer(batch(&caller, &parts)).await.0, 200);
    }
    let (status, body) = caller.get("vendors?$top=1").await;
    assert_eq!(status, 429);
    let text = "Too many requests reached. Actual (6001). Maximum (6000).";
    assert_eq!(error(&body), ("Application_TooManyRequests".to_owned(), text.to_owned()));
    caller.sandbox.world().clock.advance(jiff::SignedDuration::from_mins(5));
    assert_eq!(caller.get("vendors?$top=1").await.0, 200);
}

#[tokio::test]
async fn a_batch_that_is_not_json_is_refused() {
    let caller = Caller::start().await;
    let body = "--b\r\nContent-Type: application/http\r\n\r\nGET companies HTTP/1.1\r\n\r\n\r\n--b--\r\n";
    let url = format!("{}/$batch", caller.service());
    let request = caller.request(Method::POST, &url).header("Content-Type", "multipart/mixed; boundary=b").body(body);
    let (status, answered) = answer(request).await;
    assert_eq!(
        (status.as_u16(), error(&answered)),
        (400, ("BadRequest".to_owned(), "Invalid Request Body".to_owned()))
    );
    let (status, answered) = answer(caller.request(Method::GET, &url)).await;
    assert_eq!((status.as_u16(), error(&answered).0.as_str()), (405, "BadRequest_MethodNotAllowed"));
}

#[tokio::test]
async fn a_batch_answered_in_part_was_executed_whole() {
    let caller = Caller::start().await;
    let world = caller.sandbox.world();
    world.faults.add(Fault::new(Side::Bc, FaultKind::PartOfBatch { keep: 1 }).path_contains("$batch"));
    let request = batch(&caller, &good_bad_good(&caller)).header("Prefer", "odata.continue-on-error");
    let (_, body) = answer(request).await;
    assert_eq!(statuses(&body), [201]);
    assert_eq!(world.bc.ledger().len(), 2);
}

/// Each part takes the time of a request of its own, and all of them together have the time of one.
#[tokio::test]
async fn the_parts_of_a_batch_take_their_time_one_after_another() {
    let caller = Caller::start().await;
    let world = caller.sandbox.world();
    world.bc.configure(|settings| (settings.latency.median_ms, settings.limits.operation_ms) = (20, 30));
    let (status, _) = answer(batch(&caller, &good_bad_good(&caller)[..1])).await;
    assert_eq!(status, 200);
    let two: Vec<Value> = ["B-4", "B-5"].map(|number| part(&caller, number, &invoice(number))).to_vec();
    let (status, _) = answer(batch(&caller, &two)).await;
    assert_eq!(status, 408);
    assert_eq!(world.bc.ledger().len(), 2, "the first part was done when the time was over");
}
