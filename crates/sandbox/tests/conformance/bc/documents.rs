//! Purchase invoices and credit memos: creating, changing, deleting, dimensions.

use crate::bc::caller::{Caller, answer, error, invoice};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_deep_insert_creates_header_lines_and_dimensions_in_one_step() {
    let caller = Caller::start().await;
    let mut body = invoice("brx-1a ");
    body["dimensionSetLines"] = json!([{"code": "DEPARTMENT", "valueCode": "ADM"}]);
    body["purchaseInvoiceLines"][0]["dimensionSetLines"] = json!([{"code": "PROJECT", "valueCode": "P-14"}]);
    let (status, draft) = caller.post("purchaseInvoices", body).await;
    assert_eq!(status, 201, "{draft}");
    assert!(draft["@odata.context"].as_str().unwrap().ends_with("/purchaseInvoices/$entity"));
    assert!(draft.get("purchaseInvoiceLines").is_none(), "nested rows are not shown");
    assert_eq!(draft["vendorInvoiceNumber"], "BRX-1A");
    assert_eq!(draft["status"], "Draft");
    assert_eq!(draft["currencyCode"], "USD");
    assert_eq!(draft["currencyId"], "00000000-0000-0000-0000-000000000000");
    assert_eq!(draft["invoiceDate"], "2026-02-27");
    assert_eq!(draft["shortcutDimension1Code"], "ADM");
    assert_eq!(draft["totalAmountIncludingTax"].to_string(), "125.4");
    let id = draft["id"].as_str().unwrap();
    let path = format!("purchaseInvoices({id})/purchaseInvoiceLines?$expand=dimensionSetLines");
    let lines = caller.rows(&path).await;
    assert_eq!(lines[0]["lineObjectNumber"], "60500");
    assert_eq!(lines[0]["netAmountIncludingTax"].to_string(), "125.4");
    assert_eq!(lines[1]["sequence"], 20000);
    assert_eq!(lines[1]["lineType"], "Comment");
    let codes: Vec<_> = lines[0]["dimensionSetLines"].as_array().unwrap().iter().map(|row| &row["valueCode"]).collect();
    assert!(codes.contains(&&json!("ADM")) && codes.contains(&&json!("P-14")), "{codes:?}");
}

#[tokio::test]
async fn one_bad_line_leaves_nothing_behind() {
    let caller = Caller::start().await;
    let mut body = invoice("A-1");
    body["purchaseInvoiceLines"][1] = json!({"lineType": "Account", "lineObjectNumber": "99999", "quantity": 1});
    let (status, answered) = caller.post("purchaseInvoices", body).await;
    assert_eq!(status, 400);
    let expected = ("Application_DialogException".to_owned(), "Account does not exist.".to_owned());
    assert_eq!(error(&answered), expected);
    assert!(caller.rows("purchaseInvoices").await.is_empty());
}

#[tokio::test]
async fn bodies_that_business_central_refuses_are_refused() {
    let caller = Caller::start().await;
    let line =
        |number: &str| json!([{"lineType": "Account", "lineObjectNumber": number, "quantity": 1, "unitCost": 1}]);
    let dialog = "Application_DialogException";
    let field = "Application_FieldValidationException";
    let cases = [
        (json!({"vendorNumber": null}), "BadRequest_RequiredParamNotProvided", ""),
        (json!({"status": "Draft"}), "BadRequest_InvalidOperation", "Control 'status' is read-only."),
        (json!({"colour": "red"}), "BadRequest", ""),
        (json!({"postingDate": "yesterday"}), "BadRequest", ""),
        (json!({"vendorInvoiceNumber": "X".repeat(36)}), "Application_StringExceededLength", ""),
        (json!({"vendorNumber": "NOBODY"}), dialog, "The vendor cannot be found."),
        (json!({"vendorNumber": ""}), dialog, "A \"vendorNumber\" or a \"vendorID\" must be provided."),
        (json!({"currencyCode": "CAD"}), "Internal_DataNotFoundFilter", ""),
        (json!({"currencyCode": "XXX"}), dialog, "The \"currencyCode\" does not match to a Currency."),
        (
            json!({"purchaseInvoiceLines": line("10000")}),
            field,
            "Account Type must be equal to 'Posting'  in G/L Account: No.=10000. Current value is 'Heading'.",
        ),
        (
            json!({"purchaseInvoiceLines": line("20100")}),
            field,
            "Direct Posting must be equal to 'Yes'  in G/L Account: No.=20100. Current value is 'No'.",
        ),
        (
            json!({"purchaseInvoiceLines": line("64300")}),
            field,
            "Blocked must be equal to 'No'  in G/L Account: No.=64300. Current value is 'Yes'.",
        ),
        (
            json!({"dimensionSetLines": [{"code": "COLOUR", "valueCode": "RED"}]}),
            dialog,
            "The \"code\" does not match to a Dimension.",
        ),
        (
            json!({"dimensionSetLines": [{"code": "PROJECT", "valueCode": "P-77"}]}),
            dialog,
            "The \"valueCode\" does not match to a Dimension Value.",
        ),
        (
            json!({"dimensionSetLines": [{"code": "DEPARTMENT", "valueCode": "OLDOPS"}]}),
            dialog,
            "Dimension Value DEPARTMENT - OLDOPS is blocked.",
        ),
        (
            json!({"dimensionSetLines": [{"code": "PROJECT", "valueCode": "P-00"}]}),
            dialog,
            "Dimension Value Type for Dimension Value PROJECT - P-00 must not be Heading.",
        ),
    ];
    for (change, code, text) in cases {
        let mut body = invoice("A-1");
        let object = body.as_object_mut().unwrap();
        object.extend(change.as_object().unwrap().clone());
        let (status, answered) = caller.post("purchaseInvoices", body).await;
        let found = error(&answered);
        assert!(status.is_client_error(), "{change}: {answered}");
        assert_eq!(found.0, code, "{change}");
        assert!(text.is_empty() || found.1 == text, "{change}: {}", found.1);
    }
    assert!(caller.sandbox.world().bc.ledger().is_empty());
}

#[tokio::test]
async fn a_vendor_blocked_for_all_gets_no_documents_but_one_blocked_for_payment_does() {
    let caller = Caller::start().await;
    let vendors = caller.rows("vendors?$filter=blocked ne '_x0020_'&$orderby=number").await;
    for vendor in vendors {
        let mut body = invoice("A-1");
        body["vendorNumber"] = vendor["number"].clone();
        let (status, answered) = caller.post("purchaseInvoices", body).await;
        if vendor["blocked"] == "Payment" {
            assert_eq!(status, 201);
        } else {
            let number = vendor["number"].as_str().unwrap();
            let text = format!("You cannot create this type of document when Vendor {number} is blocked with type All");
            assert_eq!(error(&answered).1, text);
        }
    }
}

#[tokio::test]
async fn a_dimension_that_is_there_by_default_cannot_be_sent_again() {
    let caller = Caller::start().await;
    let mut body = invoice("A-1");
    body["purchaseInvoiceLines"][0] = json!({
        "lineType": "Account", "lineObjectNumber": "61300", "quantity": 1, "unitCost": 5,
        "dimensionSetLines": [{"code": "DEPARTMENT", "valueCode": "SALES"}],
    });
    let (status, answered) = caller.post("purchaseInvoices", body).await;
    assert_eq!(status, 400);
    assert!(error(&answered).1.starts_with("The dimension set line already exists."));
    // Insert first, then change what came by itself.
    let mut body = invoice("A-1");
    body["purchaseInvoiceLines"][0]["lineObjectNumber"] = json!("61300");
    let (_, draft) = caller.post("purchaseInvoices", body).await;
    let id = draft["id"].as_str().unwrap();
    let lines = caller.rows(&format!("purchaseInvoices({id})/purchaseInvoiceLines?$expand=dimensionSetLines")).await;
    let dimension = &lines[0]["dimensionSetLines"][0];
    assert_eq!(dimension["valueCode"], "MKT");
    assert_eq!(dimension["parentType"], "Purchase_x0020_Invoice_x0020_Line");
    let path = format!(
        "purchaseInvoices({id})/purchaseInvoiceLines({})/dimensionSetLines({})",
        lines[0]["id"].as_str().unwrap(),
        dimension["id"].as_str().unwrap()
    );
    let (status, changed) = caller.patch(&path, "*", json!({"valueCode": "SALES"})).await;
    assert_eq!((status.as_u16(), &changed["valueCode"]), (200, &json!("SALES")));
    assert_eq!(caller.delete(&path).await.0, 204);
    let (status, answered) = caller.get("dimensionSetLines").await;
    assert_eq!(status, 400);
    assert_eq!(error(&answered).1, "You must get to the parent first to get to the dimension set line.");
}

#[tokio::test]
async fn dates_follow_the_order_in_which_they_were_sent() {
    let caller = Caller::start().await;
    let sent = |dates: Value| {
        let mut body = json!({"vendorNumber": "V00002"});
        body.as_object_mut().unwrap().extend(dates.as_object().unwrap().clone());
        body
    };
    let cases = [
        (json!({}), "2026-03-02", "2026-03-02"),
        (json!({"invoiceDate": "2026-02-10"}), "2026-02-10", "2026-02-10"),
        (json!({"postingDate": "2026-02-20", "invoiceDate": "2026-02-10"}), "2026-02-20", "2026-02-10"),
        (json!({"invoiceDate": "2026-02-10", "postingDate": "2026-02-20"}), "2026-02-20", "2026-02-20"),
    ];
    for (dates, posting, document) in cases {
        let (status, draft) = caller.post("purchaseInvoices", sent(dates.clone())).await;
        assert_eq!(status, 201, "{draft}");
        assert_eq!((&draft["postingDate"], &draft["invoiceDate"]), (&json!(posting), &json!(document)), "{dates}");
    }
    let (_, draft) =
        caller.post("purchaseInvoices", sent(json!({"dueDate": "2026-05-05", "invoiceDate": "2026-02-10"}))).await;
    assert_eq!(draft["dueDate"], "2026-05-05");
}

#[tokio::test]
async fn a_line_needs_its_type_before_its_number() {
    let caller = Caller::start().await;
    let mut body = invoice("A-1");
    body["purchaseInvoiceLines"] = json!([{"lineObjectNumber": "60500", "lineType": "Account", "quantity": 1}]);
    assert_eq!(caller.post("purchaseInvoices", body).await.0, 400);
}

#[tokio::test]
async fn changes_need_the_etag_and_a_stale_one_is_a_conflict() {
    let caller = Caller::start().await;
    let draft = caller.draft("A-1").await;
    let path = format!("purchaseInvoices({})", draft["id"].as_str().unwrap());
    let url = caller.url(&path);
    let (status, body) = answer(caller.request(Method::PATCH, &url).json(&json!({}))).await;
    assert_eq!((status.as_u16(), error(&body).0.as_str()), (400, "BadRequest_InvalidToken"));
    let etag = draft["@odata.etag"].as_str().unwrap();
    let (status, same) = caller.patch(&path, etag, json!({})).await;
    assert_eq!(status, 200);
    assert_eq!(same["@odata.etag"], etag);
    let (status, changed) = caller.patch(&path, etag, json!({"vendorInvoiceNumber": "a-2"})).await;
    assert_eq!((status.as_u16(), &changed["vendorInvoiceNumber"]), (200, &json!("A-2")));
    let (status, body) = caller.patch(&path, etag, json!({"vendorInvoiceNumber": "A-3"})).await;
    assert_eq!((status.as_u16(), error(&body).0.as_str()), (409, "Request_EntityChanged"));
}

#[tokio::test]
async fn lines_of_a_draft_can_be_added_changed_and_removed() {
    let caller = Caller::start().await;
    let draft = caller.draft("A-1").await;
    let id = draft["id"].as_str().unwrap();
    let lines = format!("purchaseInvoices({id})/purchaseInvoiceLines");
    let account = caller.id_of("accounts", "64100").await;
    let body = json!({"accountId": account, "quantity": 2, "unitCost": 10.005, "discountPercent": 10});
    let (status, line) = caller.post(&lines, body).await;
    assert_eq!(status, 201, "{line}");
    assert_eq!((&line["sequence"], &line["lineType"]), (&json!(30000), &json!("Account")));
    assert_eq!(line["description"], "Travel");
    assert_eq!(line["amountExcludingTax"].to_string(), "18.01");
    let one = format!("purchaseInvoiceLines({})", line["id"].as_str().unwrap());
    let (status, body) = caller.patch(&one, "*", json!({"sequence": 5})).await;
    assert_eq!(status, 400);
    assert_eq!(error(&body).1, "The value for sequence cannot be modified. Delete and insert the line again.");
    let (status, _) = caller.patch(&one, "*", json!({"unitCost": 20, "discountPercent": 0})).await;
    assert_eq!(status, 200);
    let (_, header) = caller.get(&format!("purchaseInvoices({id})")).await;
    assert_eq!(header["totalAmountExcludingTax"].to_string(), "165.4");
    assert_eq!(caller.delete(&one).await.0, 204);
    assert_eq!(caller.rows(&lines).await.len(), 2);
    let filtered = caller.rows(&format!("purchaseInvoiceLines?$filter=documentId eq {id}")).await;
    assert_eq!(filtered.len(), 2);
    let (status, body) = caller.get("purchaseInvoiceLines").await;
    assert_eq!(status, 400);
    assert_eq!(error(&body).1, "You must specify an Id or a Document Id to get the lines.");
}

#[tokio::test]
async fn the_same_vendor_invoice_number_is_accepted_twice_on_drafts() {
    let caller = Caller::start().await;
    caller.draft("A-1").await;
    caller.draft("A-1").await;
    let rows = caller.rows("purchaseInvoices?$filter=vendorInvoiceNumber eq 'a-1' and vendorNumber eq 'V00001'").await;
    assert_eq!(rows.len(), 2);
}

#[tokio::test]
async fn a_deleted_draft_is_gone_with_its_lines() {
    let caller = Caller::start().await;
    let draft = caller.draft("A-1").await;
    let path = format!("purchaseInvoices({})", draft["id"].as_str().unwrap());
    assert_eq!(caller.delete(&path).await.0, 204);
    assert_eq!(caller.get(&path).await.0, 404);
    let next = caller.draft("A-2").await;
    assert_ne!(next["number"], draft["number"], "numbers are not used again");
}

#[tokio::test]
async fn amounts_of_a_foreign_currency_are_rounded_its_way() {
    let caller = Caller::start().await;
    let mut body = invoice("A-1");
    body["currencyCode"] = json!("JPY");
    let (status, draft) = caller.post("purchaseInvoices", body).await;
    assert_eq!(status, 201, "{draft}");
    assert_eq!(draft["currencyCode"], "JPY");
    assert_ne!(draft["currencyId"], "00000000-0000-0000-0000-000000000000");
    assert_eq!(draft["totalAmountIncludingTax"].to_string(), "125");
}

#[tokio::test]
async fn vendors_can_be_created_changed_and_deleted() {
    let caller = Caller::start().await;
    let (status, vendor) =
        caller.post("vendors", json!({"displayName": "Zebra Paper", "email": "a@zebra.example"})).await;
    assert_eq!(status, 201, "{vendor}");
    assert_eq!(vendor["number"], "V90001");
    assert_eq!(vendor["blocked"], "_x0020_");
    let path = format!("vendors({})", vendor["id"].as_str().unwrap());
    let (status, changed) = caller.patch(&path, "*", json!({"blocked": "All", "currencyCode": "EUR"})).await;
    assert_eq!(status, 200, "{changed}");
    assert_eq!((&changed["blocked"], &changed["currencyCode"]), (&json!("All"), &json!("EUR")));
    assert_eq!(caller.delete(&path).await.0, 204);
    let (status, body) = caller.post("vendors", json!({"number": "V00001", "displayName": "Twin"})).await;
    assert_eq!((status.as_u16(), error(&body).0.as_str()), (400, "Internal_EntityWithSameKeyExists"));
    let (status, body) = caller.post("vendors", json!({"displayName": "Bad", "balance": 5})).await;
    assert_eq!((status.as_u16(), error(&body).1.as_str()), (400, "Control 'balance' is read-only."));
}
