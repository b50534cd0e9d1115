//! Master data: what can be read, created, changed and deleted, and what is refused.

use crate::bc::caller::{Caller, error, invoice};
use sandbox::bc::{DefaultChange, Rules, Validation, VendorChange};
use serde_json::{Value, json};

fn text(body: &Value, field: &str) -> String {
    body[field].as_str().unwrap().to_owned()
}

/// Creates, reads, changes and deletes a row.
async fn crud(set: &str, body: Value, change: Value) {
    let caller = Caller::start().await;
    let (status, made) = caller.post(set, body.clone()).await;
    assert_eq!(status, 201, "{set}: {made}");
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(&made[name], value, "{set}");
    }
    let path = format!("{set}({})", text(&made, "id"));
    assert_eq!(caller.get(&path).await.1["@odata.etag"], made["@odata.etag"]);
    assert!(made["lastModifiedDateTime"].is_string());
    let (status, body) = caller.post(set, body).await;
    assert_eq!((status.as_u16(), error(&body).0.as_str()), (400, "Internal_EntityWithSameKeyExists"), "{set}");
    let (status, changed) = caller.patch(&path, "*", change.clone()).await;
    assert_eq!(status, 200, "{set}: {changed}");
    for (name, value) in change.as_object().unwrap() {
        assert_eq!(&changed[name], value, "{set}");
    }
    assert_ne!(changed["@odata.etag"], made["@odata.etag"]);
    let (status, body) = caller.patch(&path, "*", json!({"lastModifiedDateTime": "2026-01-01T00:00:00Z"})).await;
    assert_eq!((status.as_u16(), error(&body).1.as_str()), (400, "Control 'lastModifiedDateTime' is read-only."));
    assert_eq!(caller.delete(&path).await.0, 204);
    assert_eq!(caller.get(&path).await.0, 404);
}

#[tokio::test]
async fn currencies_can_be_created_changed_and_deleted() {
    crud("currencies", json!({"code": "SEK", "displayName": "Swedish krona"}), json!({"amountRoundingPrecision": 1}))
        .await;
}

#[tokio::test]
async fn payment_methods_can_be_created_changed_and_deleted() {
    crud("paymentMethods", json!({"code": "WIRE", "displayName": "Wire"}), json!({"displayName": "Wire transfer"}))
        .await;
}

#[tokio::test]
async fn tax_groups_and_areas_can_be_created_changed_and_deleted() {
    crud("taxGroups", json!({"code": "FOOD", "displayName": "Food"}), json!({"displayName": "Food, taxed"})).await;
    crud("taxAreas", json!({"code": "MIAMI, FL", "displayName": "Miami"}), json!({"displayName": "Miami, FL"})).await;
}

#[tokio::test]
async fn bank_accounts_can_be_created_changed_and_deleted() {
    let body = json!({"number": "SAVINGS", "displayName": "Savings", "currencyCode": "EUR", "iban": "DE02"});
    crud("bankAccounts", body, json!({"currencyCode": "USD", "blocked": true})).await;
}

#[tokio::test]
async fn payment_terms_hold_date_formulas() {
    let body = json!({"code": "45 DAYS", "dueDateCalculation": "45D", "discountPercent": 2});
    crud("paymentTerms", body, json!({"discountDateCalculation": "8D"})).await;
    let caller = Caller::start().await;
    let (status, body) = caller.post("paymentTerms", json!({"code": "ODD", "dueDateCalculation": "soon"})).await;
    assert_eq!((status.as_u16(), error(&body).0.as_str()), (400, "Application_EvaluateException"));
    let (status, body) = caller.post("paymentTerms", json!({"displayName": "No code"})).await;
    assert_eq!((status.as_u16(), error(&body).0.as_str()), (400, "Application_FieldValidationException"));
}

#[tokio::test]
async fn the_company_information_can_be_changed_and_nothing_else_of_it() {
    let caller = Caller::start().await;
    let path = format!("companyInformation({})", text(&caller.rows("companyInformation").await[0], "id"));
    let (status, changed) = caller.patch(&path, "*", json!({"displayName": "Northwind"})).await;
    assert_eq!((status.as_u16(), &changed["displayName"]), (200, &json!("Northwind")));
    let (_, body) = caller.patch(&path, "*", json!({"currencyCode": "EUR"})).await;
    assert_eq!(error(&body).1, "Control 'currencyCode' is read-only.");
    assert_eq!(caller.post("companyInformation", json!({})).await.0, 405);
    assert_eq!(caller.delete(&path).await.0, 405);
}

#[tokio::test]
async fn what_is_read_only_refuses_all_three_verbs() {
    let caller = Caller::start().await;
    let sets = [
        "accounts",
        "dimensions",
        "dimensionValues",
        "currencyExchangeRates",
        "generalLedgerSetup",
        "accountingPeriods",
    ];
    for set in sets {
        let row = &caller.rows(&format!("{set}?$top=1")).await[0];
        assert!(row["id"].is_string() && row["lastModifiedDateTime"].is_string(), "{set}: {row}");
        let path = format!("{set}({})", text(row, "id"));
        let answers =
            [caller.post(set, json!({})).await, caller.patch(&path, "*", json!({})).await, caller.delete(&path).await];
        for (status, body) in answers {
            assert_eq!((status.as_u16(), error(&body).0.as_str()), (405, "BadRequest_MethodNotAllowed"), "{set}");
        }
    }
}

#[tokio::test]
async fn a_vendor_takes_payment_method_terms_and_currency_by_id() {
    let caller = Caller::start().await;
    let vendor = caller.id_of("vendors", "V00002").await;
    let path = format!("vendors({vendor})");
    let method = text(&caller.rows("paymentMethods?$filter=code eq 'CARD'").await[0], "id");
    let (status, changed) = caller.patch(&path, "*", json!({"paymentMethodId": method})).await;
    assert_eq!((status.as_u16(), &changed["paymentMethodId"]), (200, &json!(method)));
    let zero = "00000000-0000-0000-0000-000000000000";
    let (_, cleared) = caller.patch(&path, "*", json!({"paymentMethodId": zero})).await;
    assert_eq!(cleared["paymentMethodId"], zero);
    let cases = [
        ("paymentMethodId", "The \"paymentMethodId\" does not match to a Payment Method."),
        ("paymentTermsId", "The \"paymentTermsId\" does not match to a Payment Terms."),
        ("currencyId", "The \"currencyId\" does not match to a Currency."),
    ];
    for (field, text) in cases {
        let (status, body) = caller.patch(&path, "*", json!({field: "00000000-0000-0000-0000-00000000ffff"})).await;
        assert_eq!((status.as_u16(), error(&body).1.as_str()), (400, text));
    }
    let (_, body) = caller.patch(&path, "*", json!({"currencyCode": "XXX"})).await;
    assert_eq!(error(&body).1, "The \"currencyCode\" does not match to a Currency.");
}

#[tokio::test]
async fn the_vendor_series_decides_about_numbers() {
    let caller = Caller::start().await;
    let bc = &caller.sandbox.world().bc;
    bc.set_rules(Rules { manual_vendor_numbers: false, ..Rules::default() });
    let (status, body) = caller.post("vendors", json!({"number": "MINE", "displayName": "A"})).await;
    let manual = "You may not enter numbers manually. If you want to enter numbers manually, please activate Manual Nos. in No. Series VEND.";
    assert_eq!((status.as_u16(), error(&body).1.as_str()), (400, manual));
    bc.set_rules(Rules { vendor_series_end: Some(90_001), ..Rules::default() });
    assert_eq!(caller.post("vendors", json!({"displayName": "A"})).await.1["number"], "V90001");
    let (status, body) = caller.post("vendors", json!({"displayName": "B"})).await;
    let exhausted = "You cannot assign new numbers from the number series VEND.";
    assert_eq!((status.as_u16(), error(&body).1.as_str()), (400, exhausted));
}

#[tokio::test]
async fn a_vendor_without_posting_groups_is_created_but_cannot_be_used() {
    let caller = Caller::start().await;
    let world = caller.sandbox.world();
    world.bc.set_rules(Rules { vendor_template: false, ..Rules::default() });
    let (status, vendor) = caller.post("vendors", json!({"number": "BARE", "displayName": "Bare"})).await;
    assert_eq!(status, 201);
    let refused = || async {
        let (status, body) = caller.post("purchaseInvoices", json!({"vendorId": vendor["id"]})).await;
        assert_eq!((status.as_u16(), error(&body).0.as_str()), (400, "Application_FieldValidationException"));
        error(&body).1
    };
    let must = |group: &str| format!("{group} must have a value in Vendor: No.=BARE. It cannot be zero or empty.");
    assert_eq!(refused().await, must("Gen. Bus. Posting Group"));
    let group = Some("DOMESTIC".to_owned());
    let change = VendorChange { business_group: group.clone(), ..VendorChange::default() };
    world.bc.change_vendor("BARE", change, world.clock.now()).unwrap();
    assert_eq!(refused().await, must("Vendor Posting Group"));
    let change = VendorChange { posting_group: group, ..VendorChange::default() };
    world.bc.change_vendor("BARE", change, world.clock.now()).unwrap();
    assert_eq!(caller.post("purchaseInvoices", json!({"vendorId": vendor["id"]})).await.0, 201);
}

#[tokio::test]
async fn a_vendor_with_documents_cannot_be_deleted() {
    let caller = Caller::start().await;
    let draft = caller.draft("A-1").await;
    let path = format!("vendors({})", text(&draft, "vendorId"));
    let (status, body) = caller.delete(&path).await;
    assert_eq!((status.as_u16(), error(&body).0.as_str()), (400, "Application_DialogException"));
    assert_eq!(caller.post_document("purchaseInvoices", &text(&draft, "id")).await.0, 204);
    assert_eq!(caller.delete(&path).await.0, 400);
}

#[tokio::test]
async fn default_dimensions_hang_below_a_vendor_and_reach_new_documents() {
    let caller = Caller::start().await;
    let vendor = caller.id_of("vendors", "V00001").await;
    let set = format!("vendors({vendor})/defaultDimensions");
    let values = caller.rows("dimensionValues").await;
    let value = |code: &str| values.iter().find(|row| row["code"] == code).unwrap();
    let (status, made) = caller.post(&set, json!({"dimensionValueId": value("EAST")["id"]})).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!((&made["dimensionCode"], &made["dimensionValueCode"]), (&json!("REGION"), &json!("EAST")));
    assert_eq!((&made["parentType"], &made["parentId"]), (&json!("Vendor"), &json!(vendor)));
    assert_eq!(made["postingValidation"], "_x0020_");
    let draft = caller.draft("A-1").await;
    let dimensions = caller.rows(&format!("purchaseInvoices({})/dimensionSetLines", text(&draft, "id"))).await;
    assert!(dimensions.iter().any(|row| row["valueCode"] == "EAST"), "{dimensions:?}");
    let path = format!("{set}({})", text(&made, "id"));
    let body = json!({"dimensionValueId": value("WEST")["id"], "postingValidation": "Same_x0020_Code"});
    let (status, changed) = caller.patch(&path, "*", body).await;
    assert_eq!((status.as_u16(), &changed["dimensionValueCode"]), (200, &json!("WEST")));
    assert_eq!(changed["postingValidation"], "Same_x0020_Code");
    let (status, body) = caller.post(&set, json!({"dimensionId": made["dimensionId"]})).await;
    assert_eq!((status.as_u16(), error(&body).0.as_str()), (400, "Internal_EntityWithSameKeyExists"));
    assert_eq!(caller.delete(&path).await.0, 204);
    let left = caller.rows(&set).await;
    assert!(left.iter().all(|row| row["dimensionCode"] != "REGION"));
    let (_, body) = caller.get("defaultDimensions").await;
    assert_eq!(error(&body).1, "You must get to the parent first to get to the default dimensions.");
}

#[tokio::test]
async fn default_dimensions_that_do_not_fit_are_refused() {
    let caller = Caller::start().await;
    let vendor = caller.id_of("vendors", "V00001").await;
    let set = format!("vendors({vendor})/defaultDimensions");
    let dimensions = caller.rows("dimensions").await;
    let dimension = |code: &str| dimensions.iter().find(|row| row["code"] == code).unwrap()["id"].clone();
    let values = caller.rows("dimensionValues").await;
    let value = |code: &str| values.iter().find(|row| row["code"] == code).unwrap()["id"].clone();
    caller.sandbox.world().bc.set_rules(Rules { blocked_dimensions: vec!["PROJECT".to_owned()], ..Rules::default() });
    let nobody = "00000000-0000-0000-0000-00000000ffff";
    let cases = [
        (json!({"dimensionId": nobody}), "The \"dimensionId\" does not match to a Dimension."),
        (json!({"dimensionValueId": nobody}), "The \"dimensionValueId\" does not match to a Dimension Value."),
        (
            json!({"dimensionId": dimension("REGION"), "dimensionValueId": value("ADM")}),
            "The \"dimensionId\" and \"dimensionValueId\" match to different Dimension records.",
        ),
        (json!({"dimensionId": dimension("PROJECT")}), "Dimension PROJECT is blocked."),
        (json!({"dimensionValueId": value("OLDOPS")}), "Dimension Value DEPARTMENT - OLDOPS is blocked."),
    ];
    for (body, text) in cases {
        let (status, answered) = caller.post(&set, body).await;
        assert_eq!((status.as_u16(), error(&answered).1.as_str()), (400, text));
    }
    let (_, made) = caller.post(&set, json!({"dimensionValueId": value("EAST")})).await;
    let path = format!("{set}({})", text(&made, "id"));
    let (status, body) = caller.patch(&path, "*", json!({"dimensionId": dimension("DEPARTMENT")})).await;
    assert_eq!((status.as_u16(), error(&body).0.as_str()), (400, "Application_DialogException"));
}

#[tokio::test]
async fn vendor_and_account_defaults_meet_by_priority() {
    let caller = Caller::start().await;
    let world = caller.sandbox.world();
    let default = |value: &str| DefaultChange {
        dimension: "REGION".to_owned(),
        value: value.to_owned(),
        validation: Validation::Blank,
        allowed: Vec::new(),
    };
    world.bc.change_default("V00001", default("EAST"), world.clock.now()).unwrap();
    world.bc.change_default("60500", default("WEST"), world.clock.now()).unwrap();
    for (account_dimensions_win, expected) in [(true, "WEST"), (false, "EAST")] {
        world.bc.set_rules(Rules { account_dimensions_win, ..Rules::default() });
        let (_, draft) = caller.post("purchaseInvoices", invoice("A-1")).await;
        let lines = format!("purchaseInvoices({})/purchaseInvoiceLines?$expand=dimensionSetLines", text(&draft, "id"));
        let lines = caller.rows(&lines).await;
        assert_eq!(lines[0]["dimensionSetLines"][0]["valueCode"], expected);
    }
}
