//! Posting invoices and credit memos, and what becomes of them.

use crate::bc::caller::{Caller, error, invoice};
use sandbox::bc::{DocumentStatus, SetupChange, VendorChange};
use sandbox::company::Blocked;
use serde_json::{Value, json};

async fn refusal(caller: &Caller, draft: &Value) -> String {
    let (status, body) = caller.post_document("purchaseInvoices", draft["id"].as_str().unwrap()).await;
    assert_eq!(status, 400);
    let (code, text) = error(&body);
    assert_eq!(code, "Application_DialogException");
    text
}

#[tokio::test]
async fn posting_keeps_the_id_and_changes_number_and_status() {
    let caller = Caller::start().await;
    let draft = caller.draft("A-1").await;
    let id = draft["id"].as_str().unwrap();
    assert_eq!(caller.post_document("purchaseInvoices", id).await.0, 204);
    let (_, posted) = caller.get(&format!("purchaseInvoices({id})")).await;
    assert_eq!(posted["status"], "Open");
    assert_ne!(posted["number"], draft["number"]);
    assert_eq!(refusal(&caller, &draft).await, "The action can be applied to a draft invoice only.");
    let vendor = &caller.rows("vendors?$filter=number eq 'V00001'").await[0];
    assert_eq!(vendor["balance"].to_string(), "125.4");
}

#[tokio::test]
async fn a_posted_document_can_no_longer_be_changed() {
    let caller = Caller::start().await;
    let draft = caller.draft("A-1").await;
    let id = draft["id"].as_str().unwrap();
    let lines = caller.rows(&format!("purchaseInvoices({id})/purchaseInvoiceLines")).await;
    caller.post_document("purchaseInvoices", id).await;
    let path = format!("purchaseInvoices({id})");
    let text = "The invoice has been posted and can no longer be modified.";
    let (_, body) = caller.patch(&path, "*", json!({"vendorInvoiceNumber": "B"})).await;
    assert_eq!(error(&body).1, text);
    let (_, body) = caller.post(&format!("{path}/purchaseInvoiceLines"), json!({"description": "more"})).await;
    assert_eq!(error(&body).1, text);
    let (_, body) = caller.delete(&format!("purchaseInvoiceLines({})", lines[0]["id"].as_str().unwrap())).await;
    assert_eq!(error(&body).1, text);
    assert_eq!(caller.delete(&path).await.0, 400);
    // Only dimensions can.
    let body = json!({"code": "REGION", "valueCode": "EAST"});
    assert_eq!(caller.post(&format!("{path}/dimensionSetLines"), body).await.0, 201);
}

#[tokio::test]
async fn a_vendor_invoice_number_can_be_posted_once_per_vendor() {
    let caller = Caller::start().await;
    let (first, second) = (caller.draft("A-1").await, caller.draft("A-1").await);
    assert_eq!(caller.post_document("purchaseInvoices", first["id"].as_str().unwrap()).await.0, 204);
    assert_eq!(refusal(&caller, &second).await, "Purchase Invoice A-1 already exists for this vendor.");
    let mut other = invoice("A-1");
    other["vendorNumber"] = json!("V00002");
    let (_, other) = caller.post("purchaseInvoices", other).await;
    assert_eq!(caller.post_document("purchaseInvoices", other["id"].as_str().unwrap()).await.0, 204);
}

#[tokio::test]
async fn posting_refuses_what_creating_accepted() {
    let caller = Caller::start().await;
    let cases = [
        (
            json!({"vendorInvoiceNumber": ""}),
            "You need to enter the document number of the document from the vendor in the Vendor Invoice No. field, so that this document stays linked to the original.",
        ),
        (json!({"postingDate": "2024-01-01"}), "Posting Date is not within your range of allowed posting dates."),
        (
            json!({"purchaseInvoiceLines": []}),
            "There is nothing to post because the document does not contain a quantity or amount.",
        ),
        (
            json!({"purchaseInvoiceLines": [{"lineType": "Account", "lineObjectNumber": "60500", "quantity": -1, "unitCost": 5}]}),
            "Amount must be negative in Gen. Journal Line Journal Template Name='',Journal Batch Name='',Line No.='0'.",
        ),
        (
            json!({"purchaseInvoiceLines": [{"lineType": "Account", "lineObjectNumber": "65400", "quantity": 1, "unitCost": 5}]}),
            "Select a Dimension Value Code for the Dimension Code DEPARTMENT for G/L Account 65400.",
        ),
    ];
    for (change, text) in cases {
        let mut body = invoice("A-1");
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let (status, draft) = caller.post("purchaseInvoices", body).await;
        assert_eq!(status, 201, "{draft}");
        assert_eq!(refusal(&caller, &draft).await, text);
    }
    let posted = caller.sandbox.world().bc.ledger().into_iter().filter(|found| found.status != DocumentStatus::Draft);
    assert_eq!(posted.count(), 0);
}

#[tokio::test]
async fn what_a_user_changes_meanwhile_counts_at_posting() {
    let caller = Caller::start().await;
    let world = caller.sandbox.world();
    let draft = caller.draft("A-1").await;
    let change = VendorChange { blocked: Some(Blocked::All), ..VendorChange::default() };
    world.bc.change_vendor("V00001", change, world.clock.now()).unwrap();
    let text = "You cannot post this type of document when Vendor V00001 is blocked with type All";
    assert_eq!(refusal(&caller, &draft).await, text);
    let change = VendorChange { blocked: Some(Blocked::No), ..VendorChange::default() };
    world.bc.change_vendor("V00001", change, world.clock.now()).unwrap();
    let late = Some("2026-03-02".parse().unwrap());
    world.bc.change_setup(&SetupChange { allow_posting_from: late, ..SetupChange::default() }, world.clock.now());
    let text = "Posting Date is not within your range of allowed posting dates.";
    assert_eq!(refusal(&caller, &draft).await, text);
}

#[tokio::test]
async fn a_credit_memo_settles_the_invoice_it_is_applied_to() {
    let caller = Caller::start().await;
    let draft = caller.draft("A-1").await;
    let invoice = draft["id"].as_str().unwrap();
    let memo = json!({
        "vendorNumber": "V00001", "creditMemoDate": "2026-03-01", "vendorCreditMemoNumber": "cr-1", "invoiceId": invoice,
        "purchaseCreditMemoLines": [
            {"lineType": "Account", "lineObjectNumber": "60500", "quantity": 1, "unitCost": 125.4},
        ],
    });
    let (_, body) = caller.post("purchaseCreditMemos", memo.clone()).await;
    assert_eq!(error(&body).1, "The \"invoiceId\" does not match to an Invoice.");
    caller.post_document("purchaseInvoices", invoice).await;
    let (status, memo) = caller.post("purchaseCreditMemos", memo).await;
    assert_eq!(status, 201, "{memo}");
    assert_eq!(memo["vendorCreditMemoNumber"], "CR-1");
    let id = memo["id"].as_str().unwrap();
    assert_eq!(caller.post_document("purchaseCreditMemos", id).await.0, 204);
    let (_, paid) = caller.get(&format!("purchaseInvoices({invoice})")).await;
    assert_eq!(paid["status"], "Paid");
    let (_, body) = caller.post_document("purchaseCreditMemos", id).await;
    assert_eq!(error(&body).1, "The action can be applied to a draft credit memo only.");
}

#[tokio::test]
async fn lines_of_a_credit_memo_have_no_second_description() {
    let caller = Caller::start().await;
    let body =
        json!({"vendorNumber": "V00001", "purchaseCreditMemoLines": [{"description": "a", "description2": "b"}]});
    let (status, body) = caller.post("purchaseCreditMemos", body).await;
    assert_eq!((status.as_u16(), error(&body).0.as_str()), (400, "BadRequest"));
}

#[tokio::test]
async fn an_unknown_document_cannot_be_posted() {
    let caller = Caller::start().await;
    let (status, body) = caller.post_document("purchaseInvoices", "00000000-0000-0000-0000-00000000ffff").await;
    assert_eq!(status, 400);
    assert_eq!(error(&body).1, "The invoice cannot be found.");
}
