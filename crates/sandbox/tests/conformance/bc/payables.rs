//! What is owed to vendors by age, and what was bought from them.

use crate::bc::caller::{Caller, error, invoice};
use serde_json::{Value, json};

/// Posts an invoice that is due on a day.
async fn due(caller: &Caller, number: &str, date: &str, cost: u32) {
    let mut body = invoice(number);
    body["dueDate"] = json!(date);
    body["purchaseInvoiceLines"][0]["unitCost"] = json!(cost);
    let (status, draft) = caller.post("purchaseInvoices", body).await;
    assert_eq!(status, 201, "{draft}");
    assert_eq!(caller.post_document("purchaseInvoices", draft["id"].as_str().unwrap()).await.0, 204);
}

#[tokio::test]
async fn payables_are_aged_by_due_date_in_periods_of_thirty_days() {
    let caller = Caller::start().await;
    for (number, date, cost) in [
        ("A-1", "2026-03-02", 1),
        ("A-2", "2026-03-01", 10),
        ("A-3", "2026-01-31", 20),
        ("A-4", "2026-01-30", 100),
        ("A-5", "2025-11-01", 1000),
    ] {
        due(&caller, number, date, cost).await;
    }
    let vendor = caller.id_of("vendors", "V00001").await;
    let rows = caller.rows("agedAccountsPayables?$filter=vendorNumber eq 'V00001'").await;
    let (status, below) = caller.get(&format!("vendors({vendor})/agedAccountsPayable")).await;
    assert_eq!(status, 200, "{below}");
    for row in [&rows[0], &below] {
        let amounts = ["balanceDue", "currentAmount", "period1Amount", "period2Amount", "period3Amount"];
        let amounts: Vec<String> = amounts.iter().map(|name| row[*name].to_string()).collect();
        assert_eq!(amounts, ["1131", "1", "30", "100", "1000"]);
        assert_eq!((&row["vendorId"], &row["agedAsOfDate"]), (&json!(vendor), &json!("2026-03-02")));
    }
    let (status, refused) = caller.post("agedAccountsPayables", json!({})).await;
    assert_eq!((status.as_u16(), error(&refused).0.as_str()), (405, "BadRequest_MethodNotAllowed"));
}

#[tokio::test]
async fn vendor_purchases_have_a_key_of_three_parts() {
    let caller = Caller::start().await;
    due(&caller, "A-1", "2026-03-02", 70).await;
    let (_, memo) = caller
        .post(
            "purchaseCreditMemos",
            json!({"vendorNumber": "V00001", "vendorCreditMemoNumber": "C-1", "purchaseCreditMemoLines":
                [{"lineType": "Account", "lineObjectNumber": "60500", "quantity": 1, "unitCost": 20}]}),
        )
        .await;
    assert_eq!(caller.post_document("purchaseCreditMemos", memo["id"].as_str().unwrap()).await.0, 204);
    let row: Value = caller.rows("vendorPurchases?$filter=vendorNumber eq 'V00001'").await[0].clone();
    assert_eq!(row["totalPurchaseAmount"].to_string(), "50");
    let (id, name) = (row["vendorId"].as_str().unwrap(), row["name"].as_str().unwrap().replace('\'', "''"));
    let (status, one) = caller.get(&format!("vendorPurchases({id},'V00001','{name}')")).await;
    assert_eq!((status.as_u16(), &one["totalPurchaseAmount"]), (200, &json!(50)), "{one}");
    assert_eq!(caller.get(&format!("vendorPurchases({id},'V00001','Somebody else')")).await.0, 404);
    let text = "The number of keys specified in the URI does not match number of key properties for the resource 'Microsoft.NAV.vendorPurchase'.";
    for path in [format!("vendorPurchases({id})"), format!("vendorPurchases({id},'V00001')")] {
        let (status, refused) = caller.get(&path).await;
        assert_eq!((status.as_u16(), error(&refused)), (404, ("BadRequest_NotFound".to_owned(), text.to_owned())));
    }
    let (_, refused) = caller.get(&format!("vendors({id},'V00001')")).await;
    assert!(error(&refused).1.ends_with("for the resource 'Microsoft.NAV.vendor'."), "{refused}");
}
