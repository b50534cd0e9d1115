//! Points of the documents that nobody has confirmed, texts that differ between the two kinds, and single rows expanded.

use crate::bc::caller::{Caller, error, invoice};
use sandbox::bc::{BlankEnum, ClientId, Rules};
use serde_json::{Value, json};

fn id(body: &Value) -> String {
    body["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_id_that_is_sent_is_refused_ignored_or_stored() {
    let caller = Caller::start().await;
    let bc = &caller.sandbox.world().bc;
    let chosen = "5d115c9c-44e3-ea11-bb43-000d3a2feca1";
    let mut invoice = invoice("A-1");
    invoice["id"] = json!(chosen);
    let vendor = json!({"id": "5d115c9c-44e3-ea11-bb43-000d3a2feca2", "displayName": "Zebra"});
    for (set, body) in [("purchaseInvoices", invoice), ("vendors", vendor)] {
        bc.configure(|settings| settings.client_id = ClientId::Refused);
        let (status, refused) = caller.post(set, body.clone()).await;
        assert_eq!((status.as_u16(), error(&refused).1.as_str()), (400, "Control 'id' is read-only."));
        bc.configure(|settings| settings.client_id = ClientId::Ignored);
        let (status, ignored) = caller.post(set, body.clone()).await;
        assert_eq!(status, 201);
        assert_ne!(ignored["id"], body["id"]);
        bc.configure(|settings| settings.client_id = ClientId::Stored);
        let (status, stored) = caller.post(set, body.clone()).await;
        assert_eq!((status.as_u16(), &stored["id"]), (201, &body["id"]));
        let (status, again) = caller.post(set, body).await;
        assert_eq!((status.as_u16(), error(&again).0.as_str()), (400, "Internal_EntityWithSameKeyExists"));
    }
}

#[tokio::test]
async fn the_blank_enum_member_can_be_limited_to_one_form() {
    let caller = Caller::start().await;
    let bc = &caller.sandbox.world().bc;
    let path = format!("vendors({})", caller.id_of("vendors", "V00001").await);
    for (form, readable, escaped) in
        [(BlankEnum::Both, 200, 200), (BlankEnum::Escaped, 400, 200), (BlankEnum::Readable, 200, 400)]
    {
        bc.configure(|settings| settings.blank_enum = form);
        assert_eq!(caller.patch(&path, "*", json!({"blocked": " "})).await.0, readable);
        assert_eq!(caller.patch(&path, "*", json!({"blocked": "_x0020_"})).await.0, escaped);
    }
}

#[tokio::test]
async fn the_answer_to_a_deep_insert_can_lack_the_totals() {
    let caller = Caller::start().await;
    caller.sandbox.world().bc.configure(|settings| settings.deep_insert_totals = false);
    let draft = caller.draft("A-1").await;
    assert_eq!(draft["totalAmountIncludingTax"].to_string(), "0");
    let (_, read) = caller.get(&format!("purchaseInvoices({})", id(&draft))).await;
    assert_eq!(read["totalAmountIncludingTax"].to_string(), "125.4");
}

#[tokio::test]
async fn dimension_errors_can_name_the_document_and_the_line() {
    let caller = Caller::start().await;
    let bc = &caller.sandbox.world().bc;
    bc.configure(|settings| settings.dimension_context = true);
    let mut body = invoice("A-1");
    body["purchaseInvoiceLines"][0]["dimensionSetLines"] = json!([{"code": "REGION", "valueCode": "EAST"}]);
    let (_, draft) = caller.post("purchaseInvoices", body).await;
    bc.set_rules(Rules { blocked_dimensions: vec!["REGION".to_owned()], ..Rules::default() });
    let (_, refused) = caller.post_document("purchaseInvoices", &id(&draft)).await;
    let number = draft["number"].as_str().unwrap();
    let text =
        format!("The dimensions used in Invoice {number}, line no. 10000 are invalid. Dimension REGION is blocked.");
    assert_eq!(error(&refused).1, text);
}

#[tokio::test]
async fn a_posted_number_that_is_taken_stops_posting() {
    let caller = Caller::start().await;
    let bc = &caller.sandbox.world().bc;
    let (first, second) = (caller.draft("A-1").await, caller.draft("A-2").await);
    assert_eq!(caller.post_document("purchaseInvoices", &id(&first)).await.0, 204);
    let (_, posted) = caller.get(&format!("purchaseInvoices({})", id(&first))).await;
    let number = posted["number"].as_str().unwrap();
    bc.set_rules(Rules { posted_number: number.parse().ok(), ..Rules::default() });
    let (status, refused) = caller.post_document("purchaseInvoices", &id(&second)).await;
    let text = format!(
        "Cannot post the purchase invoice because its ID, {number}, is already assigned to a record. Update the number series and try again."
    );
    assert_eq!((status.as_u16(), error(&refused).1), (400, text));
    bc.set_rules(Rules::default());
    assert_eq!(caller.post_document("purchaseInvoices", &id(&second)).await.0, 204);
}

#[tokio::test]
async fn invoices_and_credit_memos_word_some_refusals_differently() {
    let caller = Caller::start().await;
    let nobody = json!({"vendorNumber": "NOBODY"});
    let two = json!({"vendorId": caller.id_of("vendors", "V00001").await, "vendorNumber": "V00002"});
    let cases = [
        ("purchaseInvoices", json!({}), "A \"vendorNumber\" or a \"vendorID\" must be provided."),
        ("purchaseCreditMemos", json!({}), "A \"vendorNumber\" or a \"vendorId\" must be provided."),
        ("purchaseInvoices", nobody.clone(), "The vendor cannot be found."),
        ("purchaseCreditMemos", nobody, "The buy-from vendor cannot be found."),
        ("purchaseCreditMemos", two, "The buy-from vendor values do not match to a Vendor."),
    ];
    for (set, body, text) in cases {
        let (status, answered) = caller.post(set, body).await;
        assert_eq!((status.as_u16(), error(&answered).1.as_str()), (400, text), "{set}");
    }
    let (_, answered) = caller.get("purchaseCreditMemoLines").await;
    assert_eq!(error(&answered).1, "You must specify an id or a Document Id to get the lines.");
}

#[tokio::test]
async fn single_rows_can_be_expanded_and_unknown_ones_are_refused() {
    let caller = Caller::start().await;
    let draft = caller.draft("A-1").await;
    let expand = "$expand=vendor($select=number;$expand=currency),currency,purchaseInvoiceLines($expand=account)";
    let (status, row) = caller.get(&format!("purchaseInvoices({})?{expand}", id(&draft))).await;
    assert_eq!(status, 200, "{row}");
    assert_eq!(row["vendor"]["number"], "V00001");
    assert_eq!((&row["currency"], &row["vendor"]["currency"]), (&Value::Null, &Value::Null));
    let lines = &row["purchaseInvoiceLines"];
    assert_eq!((&lines[0]["account"]["number"], &lines[1]["account"]), (&json!("60500"), &Value::Null));
    let (status, refused) = caller.get(&format!("purchaseInvoices({})?$expand=paymentTerm", id(&draft))).await;
    assert_eq!((status.as_u16(), error(&refused).0.as_str()), (400, "BadRequest"));
}

#[tokio::test]
async fn dimension_set_lines_are_read_below_an_invoice_and_keep_their_dimension() {
    let caller = Caller::start().await;
    let draft = caller.draft("A-1").await;
    let lines = format!("purchaseInvoices({})/dimensionSetLines", id(&draft));
    let (_, line) = caller.post(&lines, json!({"code": "REGION", "valueCode": "EAST"})).await;
    assert_eq!(caller.rows(&lines).await[0]["parentId"], draft["id"]);
    let (status, body) = caller.patch(&format!("{lines}({})", id(&line)), "*", json!({"code": "PROJECT"})).await;
    assert_eq!((status.as_u16(), error(&body).1.as_str()), (400, "The \"id\" and \"code\" fields cannot be modified."));
    let (status, body) = caller.post("dimensionSetLines", json!({"code": "REGION", "valueCode": "EAST"})).await;
    let text = "You must get to the parent first to create a dimension set line.";
    assert_eq!((status.as_u16(), error(&body).1.as_str()), (400, text));
}
