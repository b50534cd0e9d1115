//! What set-up and status do to purchase documents, at creation and at posting.

use crate::bc::caller::{Caller, error, invoice};
use sandbox::bc::{
    Combination, DefaultChange, DocumentAction, DocumentChange, PostingSetup, Rules, Validation, VendorChange,
};
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
async fn an_approval_workflow_stands_before_posting() {
    let caller = Caller::start().await;
    let world = caller.sandbox.world();
    world.bc.set_rules(Rules { approval_workflow: true, ..Rules::default() });
    let draft = caller.draft("A-1").await;
    let number = draft["number"].as_str().unwrap();
    let text = format!("Purchase Invoice {number} must be approved and released before you can perform this action.");
    assert_eq!(refusal(&caller, &draft).await, text);
    let change = DocumentChange { action: Some(DocumentAction::Release), ..DocumentChange::default() };
    world.bc.change_document(id(&draft).parse().unwrap(), change, world.clock.now()).unwrap();
    let (status, body) = caller.get(&format!("purchaseInvoices({})", id(&draft))).await;
    assert_eq!((status.as_u16(), &body["status"]), (200, &json!("Draft")));
    assert_eq!(caller.post_document("purchaseInvoices", &id(&draft)).await.0, 204);
}

#[tokio::test]
async fn a_released_document_cannot_be_changed_until_it_is_reopened() {
    let caller = Caller::start().await;
    let world = caller.sandbox.world();
    let draft = caller.draft("A-1").await;
    let path = format!("purchaseInvoices({})", id(&draft));
    let change = |action| DocumentChange { action: Some(action), ..DocumentChange::default() };
    let key = id(&draft).parse().unwrap();
    world.bc.change_document(key, change(DocumentAction::Release), world.clock.now()).unwrap();
    let number = draft["number"].as_str().unwrap();
    let text = format!(
        "Status must be equal to 'Open'  in Purchase Header: Document Type=Invoice, No.={number}. Current value is 'Released'."
    );
    let (status, body) = caller.patch(&path, "*", json!({"vendorInvoiceNumber": "A-2"})).await;
    assert_eq!(
        (status.as_u16(), error(&body)),
        (400, ("Application_FieldValidationException".to_owned(), text.clone()))
    );
    let (_, body) = caller.post(&format!("{path}/purchaseInvoiceLines"), json!({"description": "more"})).await;
    assert_eq!(error(&body).1, text);
    world.bc.change_document(key, change(DocumentAction::Reopen), world.clock.now()).unwrap();
    assert_eq!(caller.patch(&path, "*", json!({"vendorInvoiceNumber": "A-2"})).await.0, 200);
    let (_, memo) = caller.post("purchaseCreditMemos", json!({"vendorNumber": "V00001"})).await;
    world.bc.change_document(id(&memo).parse().unwrap(), change(DocumentAction::Release), world.clock.now()).unwrap();
    assert_eq!(caller.get(&format!("purchaseCreditMemos({})", id(&memo))).await.1["status"], "Open");
}

#[tokio::test]
async fn the_posting_set_up_is_asked_at_posting() {
    let caller = Caller::start().await;
    let bc = &caller.sandbox.world().bc;
    let draft = caller.draft("A-1").await;
    let cases = [
        (
            Rules { general_posting_setup: PostingSetup::Missing, ..Rules::default() },
            "The General Posting Setup does not exist. Identification fields and values: Gen. Bus. Posting Group='DOMESTIC',Gen. Prod. Posting Group='MISC'",
        ),
        (
            Rules { vat_posting_setup: PostingSetup::Missing, ..Rules::default() },
            "The VAT Posting Setup does not exist. Identification fields and values: VAT Bus. Posting Group='DOMESTIC',VAT Prod. Posting Group='MISC'",
        ),
        (
            Rules { general_posting_setup: PostingSetup::Blocked, ..Rules::default() },
            "Setup is blocked in General Posting Setup for Gen. Bus. Posting Group DOMESTIC and Gen. Prod. Posting Group MISC.",
        ),
        (
            Rules { check_totals: true, ..Rules::default() },
            "Doc. Amount Incl. VAT (0) is not equal to total of lines (125.4)",
        ),
    ];
    for (rules, text) in cases {
        bc.set_rules(rules);
        assert_eq!(refusal(&caller, &draft).await, text);
    }
    bc.set_rules(Rules::default());
    assert_eq!(caller.post_document("purchaseInvoices", &id(&draft)).await.0, 204);
}

#[tokio::test]
async fn default_dimensions_demand_a_value_the_same_value_or_none() {
    let caller = Caller::start().await;
    let world = caller.sandbox.world();
    let mut body = invoice("A-1");
    body["purchaseInvoiceLines"][0]["dimensionSetLines"] = json!([{"code": "REGION", "valueCode": "EAST"}]);
    let (status, draft) = caller.post("purchaseInvoices", body).await;
    assert_eq!(status, 201, "{draft}");
    let cases = [
        (
            ("DEPARTMENT", "", Validation::CodeMandatory, ""),
            "Select a Dimension Value Code for the Dimension Code DEPARTMENT for G/L Account 60500.",
        ),
        (
            ("REGION", "WEST", Validation::SameCode, ""),
            "The Dimension Value Code must be WEST for Dimension Code REGION for G/L Account 60500. Currently it's EAST.",
        ),
        (
            ("DEPARTMENT", "ADM", Validation::SameCode, ""),
            "The Dimension Code DEPARTMENT with Dimension Value Code ADM is required for G/L Account 60500.",
        ),
        (("REGION", "", Validation::NoCode, ""), "Dimension Code REGION must be blank for G/L Account 60500."),
        (
            ("REGION", "", Validation::Blank, "SOUTH"),
            "Dimension value REGION, EAST is not allowed for G/L Account, 60500.",
        ),
    ];
    for ((dimension, value, validation, allowed), text) in cases {
        let change = DefaultChange {
            dimension: dimension.to_owned(),
            value: value.to_owned(),
            validation,
            allowed: allowed.split(',').filter(|value| !value.is_empty()).map(ToOwned::to_owned).collect(),
        };
        world.bc.change_default("60500", change, world.clock.now()).unwrap();
        assert_eq!(refusal(&caller, &draft).await, text);
        let harmless = DefaultChange { dimension: dimension.to_owned(), ..DefaultChange::default() };
        world.bc.change_default("60500", harmless, world.clock.now()).unwrap();
    }
    assert_eq!(caller.post_document("purchaseInvoices", &id(&draft)).await.0, 204);
}

#[tokio::test]
async fn blocked_dimensions_values_and_combinations_are_refused_at_posting() {
    let caller = Caller::start().await;
    let world = caller.sandbox.world();
    let mut body = invoice("A-1");
    body["dimensionSetLines"] =
        json!([{"code": "REGION", "valueCode": "EAST"}, {"code": "DEPARTMENT", "valueCode": "ADM"}]);
    let (_, draft) = caller.post("purchaseInvoices", body).await;
    let pair = |code: &str, value: &str| (code.to_owned(), value.to_owned());
    let blocks = |first, second| Rules { combinations: vec![Combination { first, second }], ..Rules::default() };
    let cases = [
        (Rules { blocked_dimensions: vec!["REGION".to_owned()], ..Rules::default() }, "Dimension REGION is blocked."),
        (
            blocks(pair("DEPARTMENT", ""), pair("REGION", "")),
            "Dimensions DEPARTMENT and REGION can't be used concurrently.",
        ),
        (
            blocks(pair("DEPARTMENT", "ADM"), pair("REGION", "EAST")),
            "Dimension combinations DEPARTMENT - ADM and REGION - EAST can't be used concurrently.",
        ),
    ];
    for (rules, text) in cases {
        world.bc.set_rules(rules);
        assert_eq!(refusal(&caller, &draft).await, text);
    }
    world.bc.set_rules(blocks(pair("DEPARTMENT", "ADM"), pair("REGION", "WEST")));
    world.bc.block_dimension_value("REGION", "EAST", true, world.clock.now()).unwrap();
    assert_eq!(refusal(&caller, &draft).await, "Dimension Value REGION - EAST is blocked.");
    world.bc.block_dimension_value("REGION", "EAST", false, world.clock.now()).unwrap();
    assert_eq!(caller.post_document("purchaseInvoices", &id(&draft)).await.0, 204);
}

#[tokio::test]
async fn a_vendor_blocked_for_privacy_gets_and_posts_nothing() {
    let caller = Caller::start().await;
    let world = caller.sandbox.world();
    let draft = caller.draft("A-1").await;
    let change = VendorChange { privacy_blocked: Some(true), ..VendorChange::default() };
    world.bc.change_vendor("V00001", change, world.clock.now()).unwrap();
    let (_, body) = caller.post("purchaseInvoices", invoice("A-2")).await;
    let text = "You cannot create this type of document when Vendor V00001 is blocked for privacy.";
    assert_eq!(error(&body).1, text);
    let text = "You cannot post this type of document when Vendor V00001 is blocked for privacy.";
    assert_eq!(refusal(&caller, &draft).await, text);
}

#[tokio::test]
async fn the_date_settings_change_what_is_filled_in() {
    let caller = Caller::start().await;
    let bc = &caller.sandbox.world().bc;
    bc.set_rules(Rules { link_document_date: false, ..Rules::default() });
    let dates = json!({"vendorNumber": "V00001", "invoiceDate": "2026-02-10", "postingDate": "2026-02-20"});
    let (_, draft) = caller.post("purchaseInvoices", dates).await;
    assert_eq!((&draft["invoiceDate"], &draft["postingDate"]), (&json!("2026-02-10"), &json!("2026-02-20")));
    bc.set_rules(Rules { default_posting_date: false, ..Rules::default() });
    let mut body = invoice("A-1");
    body.as_object_mut().unwrap().remove("postingDate");
    let (_, draft) = caller.post("purchaseInvoices", body).await;
    assert_eq!((&draft["postingDate"], &draft["invoiceDate"]), (&json!("0001-01-01"), &json!("2026-02-27")));
    let text = refusal(&caller, &draft).await;
    assert!(text.starts_with("Posting Date must have a value in Purchase Header: Document Type=Invoice"), "{text}");
}

#[tokio::test]
async fn a_posted_document_can_be_deleted_before_the_date_of_the_set_up() {
    let caller = Caller::start().await;
    let bc = &caller.sandbox.world().bc;
    let draft = caller.draft("A-1").await;
    caller.post_document("purchaseInvoices", &id(&draft)).await;
    let path = format!("purchaseInvoices({})", id(&draft));
    let (_, body) = caller.delete(&path).await;
    let text = "The date Allow Document Deletion Before must be set on the page Purchases & Payables Setup before deleting purchase documents.";
    assert_eq!(error(&body).1, text);
    bc.set_rules(Rules { deletion_before: "2026-01-01".parse().ok(), ..Rules::default() });
    let (_, body) = caller.delete(&path).await;
    assert_eq!(error(&body).1, "You cannot delete posted purchase documents that are posted after 01/01/26.");
    bc.set_rules(Rules { deletion_before: "2026-03-02".parse().ok(), ..Rules::default() });
    assert_eq!(caller.delete(&path).await.0, 204);
    assert_eq!(caller.get(&path).await.0, 404);
}

#[tokio::test]
async fn the_quantity_of_an_account_line_is_zero_unless_the_set_up_says_one() {
    let caller = Caller::start().await;
    let bc = &caller.sandbox.world().bc;
    for (account_quantity_one, quantity) in [(false, 0), (true, 1)] {
        bc.set_rules(Rules { account_quantity_one, ..Rules::default() });
        let draft = caller.draft("A-1").await;
        let lines = format!("purchaseInvoices({})/purchaseInvoiceLines", id(&draft));
        let body = json!({"lineType": "Account", "lineObjectNumber": "60500", "unitCost": 5});
        let (status, line) = caller.post(&lines, body).await;
        assert_eq!((status.as_u16(), &line["quantity"]), (201, &json!(quantity)), "{line}");
    }
}

#[tokio::test]
async fn line_numbers_documents_and_objects_stay_as_they_are() {
    let caller = Caller::start().await;
    let draft = caller.draft("A-1").await;
    let lines = format!("purchaseInvoices({})/purchaseInvoiceLines", id(&draft));
    let (status, line) = caller.post(&lines, json!({"sequence": 15_000, "description": "between"})).await;
    assert_eq!((status.as_u16(), &line["sequence"], &line["lineType"]), (201, &json!(15_000), &json!("Comment")));
    let (_, body) = caller.post(&lines, json!({"sequence": 15_000, "description": "again"})).await;
    assert_eq!(error(&body).1, "You cannot insert a line with a duplicate sequence number.");
    let first = &caller.rows(&lines).await[0];
    let path = format!("purchaseInvoiceLines({})", id(first));
    let nobody = "00000000-0000-0000-0000-00000000ffff";
    let cases = [
        (json!({"documentId": nobody}), "The value for \"documentId\" cannot be modified."),
        (json!({"lineObjectNumber": "64100"}), "The value for \"lineObjectNumber\" cannot be modified."),
        (
            json!({"itemId": nobody, "accountId": first["accountId"]}),
            "Both \"itemId\" and \"accountId\" are specified. Specify only one of them.",
        ),
        (json!({"itemId": nobody}), "Item does not exist."),
        (json!({"accountId": nobody}), "Account does not exist."),
    ];
    for (body, text) in cases {
        let (status, answered) = caller.patch(&path, "*", body).await;
        assert_eq!((status.as_u16(), error(&answered).1.as_str()), (400, text));
    }
    let (status, changed) = caller.patch(&path, "*", json!({"lineType": "Comment"})).await;
    assert_eq!((status.as_u16(), &changed["lineObjectNumber"]), (200, &json!("")));
    assert_eq!(changed["accountId"], "00000000-0000-0000-0000-000000000000");
    let (_, body) = caller.post("purchaseInvoiceLines", json!({"description": "nowhere"})).await;
    assert_eq!(error(&body).1, "You must specify a document id to get the lines.");
    let (_, body) = caller.post("purchaseInvoiceLines", json!({"documentId": nobody, "description": "x"})).await;
    assert_eq!(error(&body).1, "No document with the specified ID exists.");
}

#[tokio::test]
async fn header_dimensions_reach_lines_by_shortcut_but_not_by_dimension_lines() {
    let caller = Caller::start().await;
    let draft = caller.draft("A-1").await;
    let path = format!("purchaseInvoices({})", id(&draft));
    let lines = format!("{path}/purchaseInvoiceLines?$expand=dimensionSetLines");
    let body = json!({"code": "REGION", "valueCode": "EAST"});
    assert_eq!(caller.post(&format!("{path}/dimensionSetLines"), body.clone()).await.0, 201);
    assert_eq!(caller.rows(&lines).await[0]["dimensionSetLines"], json!([]));
    let (_, again) = caller.post(&format!("{path}/dimensionSetLines"), body).await;
    assert!(error(&again).1.starts_with("The dimension set line already exists."));
    assert_eq!(caller.patch(&path, "*", json!({"shortcutDimension1Code": "adm"})).await.0, 200);
    assert_eq!(caller.rows(&lines).await[0]["dimensionSetLines"][0]["valueCode"], "ADM");
}
