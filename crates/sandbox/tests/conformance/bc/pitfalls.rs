//! The pitfalls for integrators that are about entities, and refusals that the other files do not cause.

use crate::bc::caller::{Caller, answer, error, invoice};
use reqwest::Method;
use sandbox::bc::{Combination, DefaultChange, Rules, Validation};
use serde_json::{Value, json};

fn id(body: &Value) -> String {
    body["id"].as_str().unwrap().to_owned()
}

async fn refusal(caller: &Caller, draft: &Value) -> String {
    let (status, body) = caller.post_document("purchaseInvoices", &id(draft)).await;
    assert_eq!((status.as_u16(), error(&body).0.as_str()), (400, "Application_DialogException"), "{body}");
    error(&body).1
}

#[tokio::test]
async fn the_local_currency_is_sent_in_any_form_and_shown_by_its_code() {
    let caller = Caller::start().await;
    let zero = "00000000-0000-0000-0000-000000000000";
    for sent in [json!({}), json!({"currencyCode": "USD"}), json!({"currencyCode": ""}), json!({"currencyId": zero})] {
        let mut body = invoice("A-1");
        body.as_object_mut().unwrap().extend(sent.as_object().unwrap().clone());
        let (status, draft) = caller.post("purchaseInvoices", body).await;
        assert_eq!((status.as_u16(), &draft["currencyCode"]), (201, &json!("USD")), "{draft}");
        assert_eq!(draft["currencyId"], zero);
    }
    assert!(caller.rows("currencies?$filter=code eq 'USD'").await.is_empty());
    let mut body = invoice("A-1");
    body["currencyCode"] = json!("XXX");
    let (_, refused) = caller.post("purchaseInvoices", body).await;
    assert_eq!(error(&refused).1, "The \"currencyCode\" does not match to a Currency.");
}

#[tokio::test]
async fn a_foreign_currency_needs_a_rate_on_or_before_the_posting_date() {
    let caller = Caller::start().await;
    for (currency, date) in [("CAD", "2026-03-01"), ("EUR", "2001-01-01")] {
        let mut body = invoice("A-1");
        body["currencyCode"] = json!(currency);
        body["postingDate"] = json!(date);
        let (status, refused) = caller.post("purchaseInvoices", body).await;
        assert_eq!((status.as_u16(), error(&refused).0.as_str()), (404, "Internal_DataNotFoundFilter"));
        assert!(error(&refused).1.starts_with("There is no Currency Exchange Rate within the filter. Filters: "));
    }
}

#[tokio::test]
async fn unit_costs_keep_five_decimals_and_line_amounts_two() {
    let caller = Caller::start().await;
    let draft = caller.draft("A-1").await;
    let lines = format!("purchaseInvoices({})/purchaseInvoiceLines", id(&draft));
    let cost: Value = "0.123456789".parse().unwrap();
    let body = json!({"lineType": "Account", "lineObjectNumber": "60500", "quantity": 3, "unitCost": cost});
    let (_, line) = caller.post(&lines, body).await;
    assert_eq!(
        (line["unitCost"].to_string(), line["netAmount"].to_string()),
        ("0.12346".to_owned(), "0.37".to_owned())
    );
}

#[tokio::test]
async fn the_cost_of_a_line_is_called_unit_cost() {
    let caller = Caller::start().await;
    let draft = caller.draft("A-1").await;
    let lines = format!("purchaseInvoices({})/purchaseInvoiceLines", id(&draft));
    let body = json!({"lineType": "Account", "lineObjectNumber": "60500", "quantity": 1, "directUnitCost": 5});
    let (status, refused) = caller.post(&lines, body).await;
    assert_eq!((status.as_u16(), error(&refused).0.as_str()), (400, "BadRequest"));
    assert!(error(&refused).1.contains("'directUnitCost'"), "{refused}");
}

#[tokio::test]
async fn posting_cannot_be_taken_back_by_a_snapshot_that_fails_later() {
    let caller = Caller::start().await;
    let draft = caller.draft("A-1").await;
    let company = caller.sandbox.ready().bc.company_id;
    let part = |number: u8, path: &str, body: Value| json!({"id": number.to_string(), "method": "POST", "url": format!("companies({company})/{path}"), "body": body});
    let post = format!("purchaseInvoices({})/Microsoft.NAV.post", id(&draft));
    let parts = [
        part(1, "vendors", json!({"number": "BEFORE", "displayName": "Committed by posting"})),
        part(2, &post, json!({})),
        part(3, "vendors", json!({"number": "AFTER", "displayName": "Taken back"})),
        part(4, "vendors", json!({"number": "BEFORE", "displayName": "Fails"})),
    ];
    let request = caller.request(Method::POST, &format!("{}/$batch", caller.service()));
    let request = request.header("Accept", "application/json").header("Isolation", "snapshot");
    let (status, body) = answer(request.json(&json!({"requests": parts}))).await;
    assert_eq!(status, 200, "{body}");
    let statuses: Vec<u64> =
        body["responses"].as_array().unwrap().iter().map(|row| row["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [201, 204, 201, 400]);
    assert_eq!(caller.get(&format!("purchaseInvoices({})", id(&draft))).await.1["status"], "Open");
    assert_eq!(caller.rows("vendors?$filter=number eq 'BEFORE'").await.len(), 1);
    assert!(caller.rows("vendors?$filter=number eq 'AFTER'").await.is_empty());
}

#[tokio::test]
async fn posting_tells_one_error_at_a_time() {
    let caller = Caller::start().await;
    let mut body = invoice("");
    body["postingDate"] = json!("2001-01-01");
    let (_, draft) = caller.post("purchaseInvoices", body).await;
    let path = format!("purchaseInvoices({})", id(&draft));
    assert!(refusal(&caller, &draft).await.starts_with("You need to enter the document number of the document"));
    assert_eq!(caller.patch(&path, "*", json!({"vendorInvoiceNumber": "A-1"})).await.0, 200);
    assert_eq!(refusal(&caller, &draft).await, "Posting Date is not within your range of allowed posting dates.");
    assert_eq!(caller.patch(&path, "*", json!({"postingDate": "2026-03-01"})).await.0, 200);
    assert_eq!(caller.post_document("purchaseInvoices", &id(&draft)).await.0, 204);
}

#[tokio::test]
async fn a_1099_code_stands_on_vendors_and_not_on_invoices() {
    let caller = Caller::start().await;
    let path = format!("vendors({})", caller.id_of("vendors", "V00001").await);
    let (status, vendor) = caller.patch(&path, "*", json!({"irs1099Code": "misc-01"})).await;
    assert_eq!((status.as_u16(), &vendor["irs1099Code"]), (200, &json!("MISC-01")));
    let mut body = invoice("A-1");
    body["irs1099Code"] = json!("MISC-01");
    let (status, refused) = caller.post("purchaseInvoices", body).await;
    assert_eq!((status.as_u16(), error(&refused).0.as_str()), (400, "BadRequest"));
}

#[tokio::test]
async fn every_read_only_field_and_every_length_is_guarded() {
    let caller = Caller::start().await;
    let draft = caller.draft("A-1").await;
    let path = format!("purchaseInvoices({})", id(&draft));
    for name in [
        "id",
        "number",
        "vendorName",
        "payToName",
        "payToContact",
        "payToAddressLine1",
        "orderId",
        "orderNumber",
        "discountAppliedBeforeTax",
        "totalAmountExcludingTax",
        "totalTaxAmount",
        "totalAmountIncludingTax",
        "status",
        "lastModifiedDateTime",
    ] {
        let (status, refused) = caller.patch(&path, "*", json!({name: draft[name]})).await;
        assert_eq!((status.as_u16(), error(&refused).1), (400, format!("Control '{name}' is read-only.")));
    }
    for (name, length) in [
        ("vendorInvoiceNumber", 35),
        ("shipToName", 100),
        ("buyFromAddressLine1", 100),
        ("buyFromAddressLine2", 50),
        ("buyFromCity", 30),
        ("buyFromCountry", 10),
        ("buyFromPostCode", 20),
        ("shortcutDimension1Code", 20),
    ] {
        let text = "X".repeat(length + 1);
        let (_, refused) = caller.patch(&path, "*", json!({name: text})).await;
        let told = format!(
            "The length of the string is {}, but it must be less than or equal to {length} characters. Value: {text}",
            length + 1
        );
        assert_eq!(error(&refused), ("Application_StringExceededLength".to_owned(), told));
    }
    let (status, kept) = caller.patch(&path, "*", json!({"vendorInvoiceNumber": "x".repeat(35)})).await;
    assert_eq!((status.as_u16(), &kept["vendorInvoiceNumber"]), (200, &json!("X".repeat(35))));
}

#[tokio::test]
async fn codes_come_back_in_capitals_wherever_they_are_sent() {
    let caller = Caller::start().await;
    let mut body = invoice(" inv-1a ");
    body["vendorNumber"] = json!("v00001");
    body["dimensionSetLines"] = json!([{"code": "region", "valueCode": "east"}]);
    let (status, draft) = caller.post("purchaseInvoices", body).await;
    assert_eq!((status.as_u16(), &draft["vendorInvoiceNumber"]), (201, &json!("INV-1A")), "{draft}");
    let (_, vendor) = caller.post("vendors", json!({"number": " zeb-1 ", "displayName": " Zebra "})).await;
    assert_eq!((&vendor["number"], &vendor["displayName"]), (&json!("ZEB-1"), &json!(" Zebra ")));
    let journal = caller.rows("vendorPaymentJournals").await;
    let path = format!("vendorPaymentJournals({})/vendorPayments", id(&journal[0]));
    let body = json!({"vendorNumber": "v00001", "externalDocumentNumber": "pay-1", "amount": 1});
    assert_eq!(caller.post(&path, body).await.1["externalDocumentNumber"], "PAY-1");
}

#[tokio::test]
async fn an_account_without_a_product_posting_group_stops_posting() {
    let caller = Caller::start().await;
    let draft = caller.draft("A-1").await;
    let rules = Rules { accounts_without_group: vec!["60500".to_owned()], ..Rules::default() };
    caller.sandbox.world().bc.set_rules(rules);
    let number = draft["number"].as_str().unwrap();
    let text = format!(
        "Gen. Prod. Posting Group must have a value in Purchase Line: Document Type=Invoice, Document No.={number}, Line No.=10000. It cannot be zero or empty."
    );
    assert_eq!(refusal(&caller, &draft).await, text);
}

#[tokio::test]
async fn a_deleted_value_and_a_default_without_one_stop_posting() {
    let caller = Caller::start().await;
    let world = caller.sandbox.world();
    let draft = caller.draft("A-1").await;
    let default = DefaultChange {
        dimension: "PROJECT".to_owned(),
        value: String::new(),
        validation: Validation::SameCode,
        allowed: Vec::new(),
    };
    world.bc.change_default("60500", default, world.clock.now()).unwrap();
    let text = "The PROJECT dimension is the default dimension, and it must have a value. You can set the value on the Default Dimensions page.";
    assert_eq!(refusal(&caller, &draft).await, text);
    let path = format!("purchaseInvoices({})/dimensionSetLines", id(&draft));
    assert_eq!(caller.post(&path, json!({"code": "REGION", "valueCode": "EAST"})).await.0, 201);
    world.bc.delete_dimension_value("REGION", "EAST", world.clock.now()).unwrap();
    assert_eq!(refusal(&caller, &draft).await, "Dimension Value REGION - EAST is missing.");
    let values = caller.rows("dimensionValues?$filter=code eq 'EAST'").await;
    assert!(values.is_empty());
}

#[tokio::test]
async fn a_forbidden_combination_can_name_the_document_and_the_line() {
    let caller = Caller::start().await;
    let bc = &caller.sandbox.world().bc;
    bc.configure(|settings| settings.dimension_context = true);
    let mut body = invoice("A-1");
    body["purchaseInvoiceLines"][0]["dimensionSetLines"] =
        json!([{"code": "REGION", "valueCode": "EAST"}, {"code": "PROJECT", "valueCode": "P-14"}]);
    let (_, draft) = caller.post("purchaseInvoices", body).await;
    let pair = |code: &str| (code.to_owned(), String::new());
    let combinations = vec![Combination { first: pair("PROJECT"), second: pair("REGION") }];
    bc.set_rules(Rules { combinations, ..Rules::default() });
    let number = draft["number"].as_str().unwrap();
    let text = format!(
        "The combination of dimensions used in Invoice {number}, line no. 10000 is blocked. Dimensions PROJECT and REGION can't be used concurrently."
    );
    assert_eq!(refusal(&caller, &draft).await, text);
}

#[tokio::test]
async fn dimension_set_lines_need_a_code_and_a_value_that_fit() {
    let caller = Caller::start().await;
    let (_, memo) = caller.post("purchaseCreditMemos", json!({"vendorNumber": "V00001"})).await;
    let journal = id(&caller.rows("journals").await[0]);
    let (_, line) = caller.post(&format!("journals({journal})/journalLines"), json!({"accountNumber": "60500"})).await;
    let dimension = id(&caller.rows("dimensions?$filter=code eq 'REGION'").await[0]);
    let nobody = "00000000-0000-0000-0000-00000000ffff";
    let parents = [
        (format!("purchaseCreditMemos({})", id(&memo)), "Purchase_x0020_Credit_x0020_Memo"),
        (format!("journals({journal})/journalLines({})", id(&line)), "Journal_x0020_Line"),
    ];
    for (parent, kind) in parents {
        let set = format!("{parent}/dimensionSetLines");
        for (body, text) in [
            (json!({"valueCode": "EAST"}), "The \"id\" or \"code\" field must be filled in."),
            (json!({"code": "REGION"}), "The \"valueId\" or \"valueCode\" field must be filled in."),
            (json!({"id": nobody, "valueCode": "EAST"}), "The \"id\" does not match to a Dimension."),
            (json!({"code": "NONE", "valueCode": "EAST"}), "The \"code\" does not match to a Dimension."),
            (
                json!({"id": dimension, "code": "PROJECT", "valueCode": "EAST"}),
                "The dimension field values do not match to a specific Dimension.",
            ),
            (json!({"code": "REGION", "valueId": nobody}), "The \"valueId\" does not match to a Dimension Value."),
            (json!({"code": "REGION", "valueCode": "P-14"}), "The \"valueCode\" does not match to a Dimension Value."),
        ] {
            let (status, refused) = caller.post(&set, body).await;
            assert_eq!((status.as_u16(), error(&refused).1.as_str()), (400, text), "{set}");
        }
        let (status, made) = caller.post(&set, json!({"code": "REGION", "valueCode": "EAST"})).await;
        assert_eq!((status.as_u16(), &made["id"], &made["parentType"]), (201, &json!(dimension), &json!(kind)));
        let one = format!("{set}({dimension})");
        let (status, changed) = caller.patch(&one, "*", json!({"valueCode": "WEST"})).await;
        assert_eq!((status.as_u16(), &changed["valueDisplayName"]), (200, &json!("West")));
        assert_eq!(caller.delete(&one).await.0, 204);
        assert!(caller.rows(&set).await.is_empty());
    }
}
