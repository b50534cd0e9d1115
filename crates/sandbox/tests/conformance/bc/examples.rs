//! The published example requests are accepted, and the answers have the fields of the published ones in their order.

use crate::bc::caller::Caller;
use serde_json::{Value, json};

const INVOICE: &str = "id number postingDate invoiceDate dueDate vendorInvoiceNumber vendorId vendorNumber vendorName payToName payToContact payToVendorId payToVendorNumber shipToName shipToContact buyFromAddressLine1 buyFromAddressLine2 buyFromCity buyFromCountry buyFromState buyFromPostCode shipToAddressLine1 shipToAddressLine2 shipToCity shipToCountry shipToState shipToPostCode payToAddressLine1 payToAddressLine2 payToCity payToCountry payToState payToPostCode shortcutDimension1Code shortcutDimension2Code currencyId currencyCode orderId orderNumber purchaser pricesIncludeTax discountAmount discountAppliedBeforeTax totalAmountExcludingTax totalTaxAmount totalAmountIncludingTax status lastModifiedDateTime";
const LINE: &str = "id documentId sequence itemId accountId lineType lineObjectNumber description description2 unitOfMeasureId unitOfMeasureCode unitCost quantity discountAmount discountPercent discountAppliedBeforeTax amountExcludingTax taxCode taxPercent totalTaxAmount amountIncludingTax invoiceDiscountAllocation netAmount netTaxAmount netAmountIncludingTax expectedReceiptDate itemVariantId locationId";
const DIMENSION: &str = "id code consolidationCode parentId parentType displayName valueId valueCode valueConsolidationCode valueDisplayName";
const ATTACHMENT: &str = "id fileName byteSize attachmentContent@odata.mediaEditLink attachmentContent@odata.mediaReadLink parentType parentId lineNumber documentFlowSales documentFlowPurchase lastModifiedDateTime";

/// Creates a row; its fields are those of the published answer.
async fn create(caller: &Caller, path: &str, body: Value, fields: &str) -> Value {
    let (status, row) = caller.post(path, body).await;
    assert_eq!(status, 201, "{row}");
    let names: Vec<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
    let names: Vec<&str> = names.into_iter().filter(|name| !name.starts_with("@odata")).collect();
    assert_eq!(names.join(" "), fields, "{path}");
    row
}

#[tokio::test]
async fn the_published_requests_are_accepted_and_answered_with_the_published_fields() {
    let caller = Caller::start().await;
    let (status, _) = caller.post("vendors", json!({"number": "20000", "displayName": "First Up Consultants"})).await;
    assert_eq!(status, 201);
    let body = json!({
        "vendorNumber": "20000", "invoiceDate": "2026-03-01", "postingDate": "2026-03-01", "dueDate": "2026-03-31",
        "vendorInvoiceNumber": "BRX-107001", "dimensionSetLines": [{"code": "DEPARTMENT", "valueCode": "ADM"}],
        "purchaseInvoiceLines": [
            {"lineType": "Account", "lineObjectNumber": "60500", "description": "SaaS subscription", "quantity": 1,
             "unitCost": 125.40, "dimensionSetLines": [{"code": "PROJECT", "valueCode": "P-14"}]},
            {"lineType": "Comment", "description": "Brex expense expenses_123"},
        ],
    });
    let invoice = create(&caller, "purchaseInvoices", body, INVOICE).await;
    assert_eq!(invoice["totalAmountIncludingTax"].to_string(), "125.4");
    let id = invoice["id"].as_str().unwrap();
    // The header's department is on the new line already, so the published one is changed and not added.
    let body = json!({"lineType": "Account", "lineObjectNumber": "60500", "description": "Travel", "quantity": 1,
        "unitCost": 88.10, "taxCode": "NONTAXABLE", "dimensionSetLines": [{"code": "REGION", "valueCode": "EAST"}]});
    let line = create(&caller, &format!("purchaseInvoices({id})/purchaseInvoiceLines"), body, LINE).await;
    assert_eq!((&line["sequence"], line["unitCost"].to_string().as_str()), (&json!(30_000), "88.1"));
    let path = format!("purchaseInvoiceLines({})/dimensionSetLines", line["id"].as_str().unwrap());
    let row = create(&caller, &path, json!({"code": "PROJECT", "valueCode": "P-14"}), DIMENSION).await;
    assert_eq!(row["parentType"], "Purchase_x0020_Invoice_x0020_Line");
    let body = json!({"fileName": "receipt.pdf", "parentType": "Purchase_x0020_Invoice", "parentId": id});
    create(&caller, "documentAttachments", body, ATTACHMENT).await;
    assert_eq!(caller.post_document("purchaseInvoices", id).await.0, 204);
    let journal = caller.rows("vendorPaymentJournals").await[0]["id"].as_str().unwrap().to_owned();
    let account = caller.id_of("accounts", "10110").await;
    let path = format!("vendorPaymentJournals({journal})");
    assert_eq!(caller.patch(&path, "*", json!({"balancingAccountId": account})).await.0, 200);
    let body = json!({"vendorNumber": "20000", "postingDate": "2026-03-15", "externalDocumentNumber": "BREX-PAY-1",
        "amount": 213.50, "appliesToInvoiceId": id, "description": "Brex payment"});
    let (status, payment) = caller.post(&format!("{path}/vendorPayments"), body).await;
    assert_eq!((status.as_u16(), &payment["lineNumber"]), (201, &json!(10_000)), "{payment}");
    assert_eq!(caller.post_document("journals", &journal).await.0, 204);
    let (_, paid) = caller.get(&format!("purchaseInvoices({id})")).await;
    assert_eq!(paid["status"], "Paid");
}
