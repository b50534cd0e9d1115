//! Credit memos and discounts, and lists that hold drafts and posted documents together.

use crate::bc::caller::{Caller, error};
use sandbox::bc::{DocumentAction, DocumentChange, SumBy};
use serde_json::{Value, json};

const NOBODY: &str = "00000000-0000-0000-0000-00000000ffff";

fn id(body: &Value) -> String {
    body["id"].as_str().unwrap().to_owned()
}

async fn memo(caller: &Caller) -> Value {
    let body = json!({
        "vendorNumber": "V00001", "vendorCreditMemoNumber": "CR-1",
        "purchaseCreditMemoLines": [
            {"lineType": "Account", "lineObjectNumber": "60500", "quantity": 1, "unitCost": 100},
        ],
    });
    let (status, memo) = caller.post("purchaseCreditMemos", body).await;
    assert_eq!(status, 201, "{memo}");
    memo
}

#[tokio::test]
async fn a_discount_on_a_credit_memo_is_set_and_cleared_by_hand() {
    let caller = Caller::start().await;
    let path = format!("purchaseCreditMemos({})", id(&memo(&caller).await));
    for (discount, total) in [("10", "90"), ("0", "100")] {
        let amount: Value = discount.parse().unwrap();
        let (status, changed) = caller.patch(&path, "*", json!({"discountAmount": amount})).await;
        assert_eq!(status, 200, "{changed}");
        assert_eq!(changed["discountAmount"].to_string(), discount);
        assert_eq!(changed["totalAmountExcludingTax"].to_string(), total);
        let line = &caller.rows(&format!("{path}/purchaseCreditMemoLines")).await[0];
        assert_eq!(line["invoiceDiscountAllocation"].to_string(), discount);
        assert_eq!(line["netAmount"].to_string(), total);
    }
}

#[tokio::test]
async fn a_new_line_keeps_the_invoice_discount_and_takes_its_share() {
    let caller = Caller::start().await;
    let draft = caller.draft("A-1").await;
    let path = format!("purchaseInvoices({})", id(&draft));
    assert_eq!(caller.patch(&path, "*", json!({"discountAmount": 10})).await.0, 200);
    let lines = format!("{path}/purchaseInvoiceLines");
    let body = json!({"lineType": "Account", "lineObjectNumber": "64100", "quantity": 1, "unitCost": 125.4});
    let (_, added) = caller.post(&lines, body).await;
    assert_eq!(added["invoiceDiscountAllocation"].to_string(), "5");
    assert_eq!(caller.get(&path).await.1["discountAmount"].to_string(), "10");
    assert_eq!(caller.delete(&format!("purchaseInvoiceLines({})", id(&added))).await.0, 204);
    assert_eq!(caller.rows(&lines).await[0]["invoiceDiscountAllocation"].to_string(), "10");
}

#[tokio::test]
async fn cancelling_is_refused_on_drafts_and_on_credit_memos_that_correct_nothing() {
    let caller = Caller::start().await;
    let memo = memo(&caller).await;
    let cancel = format!("purchaseCreditMemos({})/Microsoft.NAV.cancel", id(&memo));
    let (_, body) = caller.post(&cancel, json!({})).await;
    assert_eq!(error(&body).1, "The action can be applied to a posted credit memo only.");
    assert_eq!(caller.post_document("purchaseCreditMemos", &id(&memo)).await.0, 204);
    let (status, body) = caller.post(&cancel, json!({})).await;
    let text = "You cannot cancel this posted purchase credit memo because it is not a corrective document.";
    assert_eq!((status.as_u16(), error(&body).1.as_str()), (400, text));
    assert_eq!(caller.get(&format!("purchaseCreditMemos({})", id(&memo))).await.1["status"], "Open");
    let (_, body) = caller.post(&format!("purchaseCreditMemos({NOBODY})/Microsoft.NAV.cancel"), json!({})).await;
    assert_eq!(error(&body).1, "The credit memo cannot be found.");
}

#[tokio::test]
async fn a_corrective_credit_memo_is_cancelled_once_by_a_corrective_invoice() {
    let caller = Caller::start().await;
    let world = caller.sandbox.world();
    let draft = caller.draft("A-1").await;
    let correct = DocumentChange { action: Some(DocumentAction::Correct), ..DocumentChange::default() };
    let key = id(&draft).parse().unwrap();
    assert!(world.bc.change_document(key, correct.clone(), world.clock.now()).is_err(), "a draft is not corrected");
    assert_eq!(caller.post_document("purchaseInvoices", &id(&draft)).await.0, 204);
    world.bc.change_document(key, correct.clone(), world.clock.now()).unwrap();
    assert!(world.bc.change_document(key, correct, world.clock.now()).is_err(), "nor a cancelled one");
    let invoice = caller.get(&format!("purchaseInvoices({})", id(&draft))).await.1;
    let memo = &caller.rows("purchaseCreditMemos").await[0];
    assert_eq!((&invoice["status"], &memo["status"]), (&json!("Canceled"), &json!("Corrective")));
    assert_eq!((&memo["invoiceId"], &memo["invoiceNumber"]), (&invoice["id"], &invoice["number"]));
    assert_eq!(memo["totalAmountIncludingTax"], invoice["totalAmountIncludingTax"]);
    let balance = || async { caller.rows("vendors?$filter=number eq 'V00001'").await[0]["balance"].to_string() };
    assert_eq!(balance().await, "0");
    let cancel = format!("purchaseCreditMemos({})/Microsoft.NAV.cancel", id(memo));
    assert_eq!(caller.post(&cancel, json!({})).await.0, 204);
    assert_eq!(caller.get(&format!("purchaseCreditMemos({})", id(memo))).await.1["status"], "Canceled");
    let states: Vec<Value> =
        caller.rows("purchaseInvoices?$orderby=number").await.into_iter().map(|mut row| row["status"].take()).collect();
    assert_eq!(states, [json!("Canceled"), json!("Corrective")]);
    assert_eq!(balance().await, "125.4");
    let (_, body) = caller.post(&cancel, json!({})).await;
    assert_eq!(error(&body).1, "The credit memo cannot be cancelled because it has already been canceled.");
    let sum: rust_decimal::Decimal = world.bc.entry_sums(SumBy::Account).into_values().sum();
    assert!(sum.is_zero(), "{sum}");
}

#[tokio::test]
async fn a_credit_memo_needs_a_line_and_references_that_exist() {
    let caller = Caller::start().await;
    let (_, empty) = caller.post("purchaseCreditMemos", json!({"vendorNumber": "V00001"})).await;
    let (_, body) = caller.post_document("purchaseCreditMemos", &id(&empty)).await;
    assert_eq!(error(&body).1, "Please add at least one line item to the credit memo.");
    let path = format!("purchaseCreditMemos({})", id(&empty));
    let cases = [
        (json!({"vendorReturnReasonId": NOBODY}), "The \"vendorReturnReasonId\" does not match to a Reason Code."),
        (json!({"shipmentMethodId": NOBODY}), "The \"shipmentMethodId\" does not match to a Shipment Method."),
        (json!({"paymentTermsId": NOBODY}), "The \"paymentTermsId\" does not match to a Payment Terms."),
        (
            json!({"invoiceNumber": "NONE"}),
            "The \"invoiceId\" and \"invoiceNumber\" do not match to a specific Invoice.",
        ),
        (json!({"pricesIncludeTax": true}), "Control 'pricesIncludeTax' is read-only."),
    ];
    for (change, text) in cases {
        let (status, body) = caller.patch(&path, "*", change).await;
        assert_eq!((status.as_u16(), error(&body).1.as_str()), (400, text));
    }
}

#[tokio::test]
async fn the_type_of_a_line_follows_the_account_that_is_patched() {
    let caller = Caller::start().await;
    let lines = format!("purchaseCreditMemos({})/purchaseCreditMemoLines", id(&memo(&caller).await));
    let (_, line) = caller.post(&lines, json!({"description": "a remark"})).await;
    assert_eq!(line["lineType"], "Comment");
    let account = caller.id_of("accounts", "64100").await;
    let path = format!("purchaseCreditMemoLines({})", id(&line));
    let (status, changed) = caller.patch(&path, "*", json!({"accountId": account})).await;
    assert_eq!((status.as_u16(), &changed["lineType"]), (200, &json!("Account")));
    assert_eq!(changed["lineObjectNumber"], "64100");
}

#[tokio::test]
async fn drafts_and_posted_invoices_are_in_one_set() {
    let caller = Caller::start().await;
    let (first, _second) = (caller.draft("A-1").await, caller.draft("A-2").await);
    assert_eq!(caller.post_document("purchaseInvoices", &id(&first)).await.0, 204);
    let rows = caller.rows("purchaseInvoices?$orderby=vendorInvoiceNumber&$select=status").await;
    let states: Vec<&str> = rows.iter().map(|row| row["status"].as_str().unwrap()).collect();
    assert_eq!(states, ["Open", "Draft"]);
    let lines = caller.rows(&format!("purchaseInvoices({})/purchaseInvoiceLines", id(&first))).await;
    assert_eq!(lines.len(), 2, "lines of posted invoices are read the same way");
}
