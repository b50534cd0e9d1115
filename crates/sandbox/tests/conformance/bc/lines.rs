//! The rows of the AL tests about lines and headers: every form of reading, defaults, and the discount of the invoice.

use crate::bc::caller::{Caller, error, invoice};
use rust_decimal::Decimal;
use sandbox::bc::{InvoiceDiscount, VendorChange};
use serde_json::{Value, json};

const ZERO: &str = "00000000-0000-0000-0000-000000000000";

fn id(body: &Value) -> String {
    body["id"].as_str().unwrap().to_owned()
}

/// A draft credit memo with one line over 100.
async fn memo(caller: &Caller) -> Value {
    let line = json!({"lineType": "Account", "lineObjectNumber": "60500", "quantity": 1, "unitCost": 100});
    let body = json!({"vendorNumber": "V00001", "vendorCreditMemoNumber": "CR-1", "purchaseCreditMemoLines": [line]});
    let (status, memo) = caller.post("purchaseCreditMemos", body).await;
    assert_eq!(status, 201, "{memo}");
    memo
}

/// From 200 on, ten percent are taken off.
fn set_terms(caller: &Caller) {
    let terms = InvoiceDiscount { minimum: Decimal::from(200), percent: Decimal::TEN };
    let change = VendorChange { invoice_discount: Some(terms), ..VendorChange::default() };
    let world = caller.sandbox.world();
    world.bc.change_vendor("V00001", change, world.clock.now()).unwrap();
}

fn line(cost: u32) -> Value {
    json!({"lineType": "Account", "lineObjectNumber": "64100", "quantity": 1, "unitCost": cost})
}

async fn discount(caller: &Caller, path: &str) -> (String, String) {
    let (_, row) = caller.get(path).await;
    (row["discountAmount"].to_string(), row["totalAmountExcludingTax"].to_string())
}

#[tokio::test]
async fn a_line_is_read_directly_and_below_its_document() {
    let caller = Caller::start().await;
    let draft = caller.draft("A-1").await;
    for (set, lines, document) in [
        ("purchaseInvoices", "purchaseInvoiceLines", id(&draft)),
        ("purchaseCreditMemos", "purchaseCreditMemoLines", id(&memo(&caller).await)),
    ] {
        let row = caller.rows(&format!("{set}({document})/{lines}")).await[0].clone();
        let (status, direct) = caller.get(&format!("{lines}({})", id(&row))).await;
        assert_eq!((status.as_u16(), &direct["documentId"]), (200, &json!(document)));
        let (status, below) = caller.get(&format!("{set}({document})/{lines}({})", id(&row))).await;
        assert_eq!(status, 200, "{below}");
        for (name, value) in row.as_object().unwrap() {
            assert_eq!((&direct[name], &below[name]), (value, value), "{name}");
        }
        let filtered = caller.rows(&format!("{lines}?$filter=documentId eq {document}&$top=1")).await;
        assert_eq!(filtered[0]["id"], row["id"]);
    }
}

#[tokio::test]
async fn a_new_line_and_a_new_invoice_have_the_defaults_that_the_pages_have() {
    let caller = Caller::start().await;
    let vendor = caller.rows("vendors?$filter=number eq 'V00001'").await[0].clone();
    let company = caller.rows("companyInformation").await[0].clone();
    let (status, draft) = caller.post("purchaseInvoices", json!({"vendorId": vendor["id"]})).await;
    assert_eq!(status, 201, "{draft}");
    for (of_invoice, of_vendor) in [
        ("vendorNumber", "number"),
        ("payToVendorNumber", "number"),
        ("payToVendorId", "id"),
        ("vendorName", "displayName"),
        ("payToName", "displayName"),
        ("buyFromAddressLine1", "addressLine1"),
        ("buyFromCity", "city"),
        ("buyFromState", "state"),
        ("buyFromCountry", "country"),
        ("buyFromPostCode", "postalCode"),
        ("payToAddressLine1", "addressLine1"),
        ("payToPostCode", "postalCode"),
        ("currencyCode", "currencyCode"),
        ("currencyId", "currencyId"),
    ] {
        assert_eq!(draft[of_invoice], vendor[of_vendor], "{of_invoice}");
    }
    for (of_invoice, of_company) in
        [("shipToName", "displayName"), ("shipToAddressLine1", "addressLine1"), ("shipToPostCode", "postalCode")]
    {
        assert_eq!(draft[of_invoice], company[of_company], "{of_invoice}");
    }
    assert_eq!((&draft["postingDate"], &draft["invoiceDate"]), (&json!("2026-03-02"), &json!("2026-03-02")));
    assert_eq!((&draft["status"], &draft["discountAmount"]), (&json!("Draft"), &json!(0)));
    let lines = format!("purchaseInvoices({})/purchaseInvoiceLines", id(&draft));
    let account = caller.rows("accounts?$filter=number eq '64100'").await[0].clone();
    let (status, line) = caller.post(&lines, json!({"accountId": account["id"], "quantity": 2})).await;
    assert_eq!(status, 201, "{line}");
    for (name, value) in [
        ("lineType", json!("Account")),
        ("lineObjectNumber", account["number"].clone()),
        ("description", account["displayName"].clone()),
        ("description2", json!("")),
        ("sequence", json!(10_000)),
        ("unitCost", json!(0)),
        ("discountPercent", json!(0)),
        ("itemId", json!(ZERO)),
        ("unitOfMeasureCode", json!("")),
        ("taxCode", json!("")),
        ("expectedReceiptDate", json!("0001-01-01")),
    ] {
        assert_eq!(line[name], value, "{name}");
    }
}

#[tokio::test]
async fn every_field_of_an_invoice_that_can_be_written_is_modified() {
    let caller = Caller::start().await;
    let draft = caller.draft("A-1").await;
    let pay_to = caller.id_of("vendors", "V00002").await;
    let body = json!({
        "postingDate": "2026-02-20", "invoiceDate": "2026-02-19", "dueDate": "2026-04-01", "vendorInvoiceNumber": "A-2",
        "payToVendorId": pay_to, "shipToName": "Annex", "shipToContact": "Ann", "buyFromAddressLine1": "1 Main",
        "buyFromAddressLine2": "Rear", "buyFromCity": "Boston", "buyFromCountry": "US", "buyFromState": "MA",
        "buyFromPostCode": "02101", "shipToAddressLine1": "2 Main", "shipToCity": "Salem", "shipToState": "MA",
        "shipToCountry": "US", "shipToPostCode": "01970", "shortcutDimension1Code": "ADM", "currencyCode": "EUR", "discountAmount": 5,
    });
    let (status, changed) = caller.patch(&format!("purchaseInvoices({})", id(&draft)), "*", body.clone()).await;
    assert_eq!(status, 200, "{changed}");
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(changed[name], *value, "{name}");
    }
    assert_eq!((&changed["id"], &changed["number"]), (&draft["id"], &draft["number"]));
    assert_eq!(caller.get(&format!("purchaseInvoices({})", id(&draft))).await.1["dueDate"], "2026-04-01");
}

#[tokio::test]
async fn the_percentage_of_an_invoice_discount_follows_new_changed_and_deleted_lines() {
    let caller = Caller::start().await;
    set_terms(&caller);
    let memo = memo(&caller).await;
    let (_, draft) =
        caller.post("purchaseInvoices", json!({"vendorNumber": "V00001", "purchaseInvoiceLines": [line(100)]})).await;
    for (path, lines) in [
        (format!("purchaseInvoices({})", id(&draft)), "purchaseInvoiceLines"),
        (format!("purchaseCreditMemos({})", id(&memo)), "purchaseCreditMemoLines"),
    ] {
        let told = |discount: &str, total: &str| (discount.to_owned(), total.to_owned());
        assert_eq!(discount(&caller, &path).await, told("0", "100"));
        let (status, added) = caller.post(&format!("{path}/{lines}"), line(150)).await;
        assert_eq!(status, 201, "{added}");
        assert_eq!(discount(&caller, &path).await, told("25", "225"));
        let added = format!("{lines}({})", id(&added));
        assert_eq!(caller.patch(&added, "*", json!({"unitCost": 900})).await.0, 200);
        assert_eq!(discount(&caller, &path).await, told("100", "900"));
        assert_eq!(caller.delete(&added).await.0, 204);
        assert_eq!(discount(&caller, &path).await, told("0", "100"), "below the minimum");
    }
}

#[tokio::test]
async fn a_discount_set_by_hand_is_kept_when_lines_change() {
    let caller = Caller::start().await;
    set_terms(&caller);
    let draft = caller.draft("A-1").await;
    let memo = memo(&caller).await;
    for (path, lines) in [
        (format!("purchaseInvoices({})", id(&draft)), "purchaseInvoiceLines"),
        (format!("purchaseCreditMemos({})", id(&memo)), "purchaseCreditMemoLines"),
    ] {
        assert_eq!(caller.patch(&path, "*", json!({"discountAmount": 7})).await.0, 200);
        let (_, added) = caller.post(&format!("{path}/{lines}"), line(1000)).await;
        assert_eq!(discount(&caller, &path).await.0, "7");
        let added = format!("{lines}({})", id(&added));
        assert_eq!(caller.patch(&added, "*", json!({"unitCost": 2000})).await.0, 200);
        assert_eq!(discount(&caller, &path).await.0, "7");
        assert_eq!(caller.delete(&added).await.0, 204);
        assert_eq!(discount(&caller, &path).await.0, "7");
    }
}

#[tokio::test]
async fn lines_of_credit_memos_obey_the_rules_of_invoice_lines() {
    let caller = Caller::start().await;
    let memo = memo(&caller).await;
    let lines = format!("purchaseCreditMemos({})/purchaseCreditMemoLines", id(&memo));
    let (status, line) = caller.post(&lines, json!({"sequence": 15_000, "description": "a remark"})).await;
    assert_eq!((status.as_u16(), &line["sequence"], &line["lineType"]), (201, &json!(15_000), &json!("Comment")));
    let (_, again) = caller.post(&lines, json!({"sequence": 15_000, "description": "again"})).await;
    assert_eq!(error(&again).1, "You cannot insert a line with a duplicate sequence number.");
    let first = format!("purchaseCreditMemoLines({})", id(&caller.rows(&lines).await[0]));
    for (body, text) in [
        (json!({"sequence": 1}), "The value for sequence cannot be modified. Delete and insert the line again."),
        (json!({"documentId": ZERO}), "The value for \"documentId\" cannot be modified."),
        (json!({"lineObjectNumber": "64100"}), "The value for \"lineObjectNumber\" cannot be modified."),
        (json!({"netAmount": 5}), "Control 'netAmount' is read-only."),
    ] {
        let (status, answered) = caller.patch(&first, "*", body).await;
        assert_eq!((status.as_u16(), error(&answered).1.as_str()), (400, text));
    }
    let (_, changed) = caller.patch(&first, "*", json!({"quantity": 2, "discountPercent": 50})).await;
    assert_eq!(
        (changed["discountAmount"].to_string(), changed["netAmount"].to_string()),
        ("100".to_owned(), "100".to_owned())
    );
    let (_, blanked) = caller.patch(&first, "*", json!({"lineType": "Comment"})).await;
    assert_eq!((&blanked["accountId"], &blanked["lineObjectNumber"]), (&json!(ZERO), &json!("")));
    assert_eq!(caller.delete(&first).await.0, 204);
    let (_, fresh) = caller
        .post(&lines, json!({"lineType": "Account", "lineObjectNumber": "60500", "quantity": 1, "unitCost": 3}))
        .await;
    assert_eq!(caller.post_document("purchaseCreditMemos", &id(&memo)).await.0, 204);
    assert_eq!(caller.rows(&lines).await.len(), 2, "lines of a posted credit memo are read the same way");
    let (_, refused) = caller.delete(&format!("purchaseCreditMemoLines({})", id(&fresh))).await;
    assert_eq!(error(&refused).1, "The credit memo has been posted and can no longer be modified.");
}

#[tokio::test]
async fn an_invoice_that_is_not_there_is_not_changed() {
    let caller = Caller::start().await;
    let mut body = invoice("A-1");
    body["payToVendorNumber"] = json!("NOBODY");
    let (_, refused) = caller.post("purchaseInvoices", body).await;
    assert_eq!(error(&refused).1, "The pay-to vendor cannot be found.");
    assert_eq!(caller.patch(&format!("purchaseInvoices({ZERO})"), "*", json!({})).await.0, 404);
    assert!(caller.rows("purchaseInvoices").await.is_empty());
}
