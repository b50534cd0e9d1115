//! What the app may do, and what Business Central says when it may not.

use crate::bc::caller::{Caller, answer, error, invoice};
use serde_json::{Value, json};

async fn configure(caller: &Caller, patch: Value) {
    let url = format!("{}/_sandbox/bc/settings", caller.sandbox.ready().control.base_url);
    let (status, body) = answer(caller.client.patch(url).json(&patch)).await;
    assert_eq!(status, 200, "{body}");
}

#[tokio::test]
async fn a_page_without_execute_permission_looks_like_a_server_error() {
    let caller = Caller::start().await;
    let id = caller.id_of("vendors", "V00001").await;
    configure(&caller, json!({"lacks": {"pages": ["vendors"]}})).await;
    let (status, body) = caller.get("vendors?$top=1").await;
    let text = "You do not have the following permissions on Page APIV2 - Vendors: Execute. To view details about your permissions, see the Effective Permissions page.";
    assert_eq!((status.as_u16(), error(&body)), (400, ("Internal_ServerError".to_owned(), text.to_owned())));
    assert_eq!(caller.get(&format!("vendors({id})/defaultDimensions")).await.0, 400);
    assert_eq!(caller.get("accounts?$top=1").await.0, 200);
}

#[tokio::test]
async fn each_right_on_a_table_is_missed_by_its_verb_only() {
    let caller = Caller::start().await;
    let draft = caller.draft("A-1").await;
    let path = format!("purchaseInvoices({})", draft["id"].as_str().unwrap());
    for (right, verb) in [("modify", "Modify"), ("delete", "Delete"), ("insert", "Insert")] {
        configure(&caller, json!({"lacks": {"tables": {"Purchase Header": [right]}}})).await;
        assert_eq!(caller.get(&path).await.0, 200);
        let (status, body) = match right {
            "modify" => caller.patch(&path, "*", json!({"dueDate": "2026-04-01"})).await,
            "delete" => caller.delete(&path).await,
            _ => caller.post("purchaseInvoices", invoice("A-2")).await,
        };
        let text = format!(
            "Sorry, the current permissions prevented the action. (TableData 38 Purchase Header {verb}: Base Application)"
        );
        assert_eq!((status.as_u16(), error(&body)), (400, ("Internal_ServerError".to_owned(), text)));
    }
    configure(&caller, json!({"permission_status": 403})).await;
    assert_eq!(caller.post("purchaseInvoices", invoice("A-2")).await.0, 403);
    assert_eq!(caller.sandbox.world().bc.ledger().len(), 1);
}

#[tokio::test]
async fn rows_that_are_nested_or_expanded_need_their_own_rights() {
    let caller = Caller::start().await;
    configure(&caller, json!({"lacks": {"tables": {"Purchase Line": ["insert", "read"]}}})).await;
    let (status, body) = caller.post("purchaseInvoices", invoice("A-1")).await;
    assert_eq!(status, 400, "{body}");
    assert!(error(&body).1.contains("(TableData 39 Purchase Line Insert: Base Application)"), "{body}");
    assert!(caller.sandbox.world().bc.ledger().is_empty());
    let (_, body) = caller.get("purchaseInvoices?$expand=purchaseInvoiceLines").await;
    assert!(error(&body).1.contains("(TableData 39 Purchase Line Read: Base Application)"), "{body}");
    assert_eq!(caller.get("purchaseInvoices").await.0, 200);
}

#[tokio::test]
async fn invoices_without_read_permission_are_a_dialog() {
    let caller = Caller::start().await;
    configure(&caller, json!({"lacks": {"tables": {"Purchase Header": ["read"]}}})).await;
    let (status, body) = caller.get("purchaseInvoices").await;
    let text = "You do not have permissions to read Purchase Invoices.";
    assert_eq!((status.as_u16(), error(&body)), (400, ("Application_DialogException".to_owned(), text.to_owned())));
}
