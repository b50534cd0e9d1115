//! Batches: each operation has its own outcome, and a missing one is only sometimes "not executed".

use clients::bc::{BatchMode, DocumentKind, MAX_BATCH_OPERATIONS};
use clients::{Effect, Kind, Retry};
use uuid::Uuid;

use crate::bc_documents::new_document;
use crate::server::{Seen, Server, json};

const INVOICE: Uuid = uuid::uuid!("5d115c9c-44e3-ea11-bb43-000d3a2feca1");

fn created(id: &str) -> String {
    format!(
        r#"{{"id":"{id}","status":201,"headers":{{"content-type":"application/json"}},"body":{{"id":"{INVOICE}","number":"108001"}}}}"#
    )
}

fn refused(id: &str) -> String {
    format!(
        r#"{{"id":"{id}","status":400,"headers":{{}},"body":{{"error":{{"code":"Application_DialogException","message":"Account does not exist.  CorrelationId:  6a1f."}}}}}}"#
    )
}

fn answer(parts: &[String]) -> String {
    format!(r#"{{"responses":[{}]}}"#, parts.join(","))
}

#[tokio::test]
async fn each_operation_of_a_batch_has_its_own_outcome() {
    let body = answer(&[
        refused("1"),
        created("0"),
        r#"{"id":"2","status":429,"headers":{"Retry-After":"7"},"body":null}"#.to_owned(),
        r#"{"id":"3","status":404,"body":{"error":{"code":"Internal_RecordNotFound","message":"m"}}}"#.to_owned(),
        r#"{"id":null,"status":200}"#.to_owned(),
    ]);
    let server = Server::start(move |_, _| json(200, &body)).await;
    let mut batch = server.company().with_fresh_reads().batch(BatchMode::ContinueOnError);
    for number in ["A", "B", "C"] {
        batch.create_document(DocumentKind::Invoice, &new_document(number)).unwrap();
    }
    let read = batch.get_document(DocumentKind::CreditMemo, INVOICE);
    let lost = batch.create_document(DocumentKind::Invoice, &new_document("D")).unwrap();
    let outcome = batch.send().await.unwrap();
    assert_eq!(outcome.document(0).unwrap().number, "108001");
    let error = outcome.document(1).unwrap_err();
    assert_eq!((error.kind(), error.effect(), error.is_refusal()), (Kind::Refused, Effect::None, true));
    assert_eq!((error.operation(), error.api_message()), ("create_document", Some("Account does not exist.")));
    let error = outcome.document(2).unwrap_err();
    assert_eq!((error.retry(), error.effect()), (Retry::After(7000), Effect::None));
    assert!(outcome.found_document(read).unwrap().is_none());
    let error = outcome.document(lost).unwrap_err();
    assert_eq!((error.kind(), error.effect()), (Kind::Unreadable, Effect::Unknown));

    let [seen]: [Seen; 1] = server.seen().try_into().unwrap();
    assert!(seen.uri.path().ends_with("/api/v2.0/$batch"));
    assert_eq!(seen.header("prefer"), Some("odata.continue-on-error"));
    let sent: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
    let part = &sent["requests"][0];
    assert_eq!((&part["id"], &part["method"]), (&"0".into(), &"POST".into()));
    assert_eq!(part["url"], "companies(f64eba74-dacd-4854-a584-1834f68cfc3a)/purchaseInvoices");
    assert_eq!(part["headers"]["Content-Type"], "application/json");
    assert_eq!(part["body"]["vendorInvoiceNumber"], "A");
    assert!(seen.body.contains(r#""unitCost":125.40"#));
    assert_eq!(sent["requests"][3]["headers"]["Data-Access-Intent"], "ReadWrite");
}

#[tokio::test]
async fn after_a_failure_that_stops_the_batch_the_rest_was_not_executed() {
    let body = answer(&[created("0"), refused("1")]);
    let server = Server::start(move |_, _| json(200, &body)).await;
    let mut batch = server.company().batch(BatchMode::StopOnError);
    for number in ["A", "B", "C"] {
        batch.create_document(DocumentKind::Invoice, &new_document(number)).unwrap();
    }
    let outcome = batch.send().await.unwrap();
    assert_eq!(server.seen()[0].header("prefer"), None);
    assert!(outcome.document(0).is_ok());
    assert_eq!(outcome.document(2).unwrap_err().effect(), Effect::None);
}

#[tokio::test]
async fn a_batch_that_fails_as_a_whole_leaves_its_writes_unknown() {
    let server = Server::start(|_, _| json(504, "")).await;
    let mut batch = server.company().batch(BatchMode::ContinueOnError);
    batch.create_document(DocumentKind::Invoice, &new_document("A")).unwrap();
    assert_eq!(batch.send().await.unwrap_err().effect(), Effect::Unknown);

    let mut batch = server.company().batch(BatchMode::ContinueOnError);
    batch.get_document(DocumentKind::Invoice, INVOICE);
    assert_eq!(batch.send().await.unwrap_err().effect(), Effect::None);
}

#[tokio::test]
async fn a_batch_over_the_limit_is_not_sent() {
    let server = Server::start(|_, _| json(200, r#"{"responses":[]}"#)).await;
    let mut batch = server.company().batch(BatchMode::ContinueOnError);
    for _ in 0..=MAX_BATCH_OPERATIONS {
        batch.get_document(DocumentKind::Invoice, INVOICE);
    }
    assert_eq!(batch.send().await.unwrap_err().kind(), Kind::Unreachable);
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_read_only_client_does_not_send_a_batch_with_writes() {
    let server = Server::start(|_, _| json(200, r#"{"responses":[]}"#)).await;
    let company = server.bc_over(Server::http().read_only()).company(crate::server::COMPANY);
    let mut batch = company.batch(BatchMode::ContinueOnError);
    batch.create_document(DocumentKind::Invoice, &new_document("A")).unwrap();
    assert_eq!(batch.send().await.unwrap_err().kind(), Kind::ReadOnly);
    assert!(server.seen().is_empty());
}

/// An extension may commit and then fail, and what is said about the whole is said about none of its parts.
#[tokio::test]
async fn a_batch_that_is_refused_as_a_whole_leaves_its_writes_unknown() {
    for status in [400, 404] {
        let server = Server::start(move |_, _| json(status, r#"{"error":{"code":"BadRequest","message":"no"}}"#)).await;
        let mut batch = server.company().batch(BatchMode::ContinueOnError);
        batch.create_document(DocumentKind::Invoice, &new_document("A")).unwrap();
        let error = batch.send().await.unwrap_err();
        assert_eq!(error.effect(), Effect::Unknown);
        let shared = error.shared();
        assert_eq!(
            (shared.kind(), shared.effect(), shared.status(), shared.api_message()),
            (error.kind(), error.effect(), error.status(), error.api_message())
        );
    }
}
