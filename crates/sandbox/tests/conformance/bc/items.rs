//! Items, their variants and units of measure, and lines that name them.

use crate::bc::caller::{Caller, error};
use serde_json::{Value, json};

const ZERO: &str = "00000000-0000-0000-0000-000000000000";

fn id(body: &Value) -> String {
    body["id"].as_str().unwrap().to_owned()
}

/// The lines of a new draft, and of a new credit memo.
async fn drafts(caller: &Caller) -> [(String, &'static str); 2] {
    let draft = caller.draft("A-1").await;
    let (_, memo) =
        caller.post("purchaseCreditMemos", json!({"vendorNumber": "V00001", "vendorCreditMemoNumber": "C-1"})).await;
    [
        (format!("purchaseInvoices({})/purchaseInvoiceLines", id(&draft)), "purchaseInvoiceLines"),
        (format!("purchaseCreditMemos({})/purchaseCreditMemoLines", id(&memo)), "purchaseCreditMemoLines"),
    ]
}

#[tokio::test]
async fn items_and_units_can_be_created_changed_and_deleted() {
    let caller = Caller::start().await;
    let (status, unit) = caller.post("unitsOfMeasure", json!({"code": "box", "displayName": "Box"})).await;
    assert_eq!((status.as_u16(), &unit["code"]), (201, &json!("BOX")), "{unit}");
    let body = json!({
        "number": "2000", "displayName": "Label", "type": "Non-Inventory", "baseUnitOfMeasureId": unit["id"],
        "unitCost": 2.5, "taxGroupCode": "SUPPLIES", "generalProductPostingGroupCode": "retail",
    });
    let (status, item) = caller.post("items", body).await;
    assert_eq!(status, 201, "{item}");
    assert_eq!((&item["type"], &item["baseUnitOfMeasureCode"]), (&json!("Non_x002D_Inventory"), &json!("BOX")));
    let path = format!("items({})", id(&item));
    let (_, changed) = caller.patch(&path, "*", json!({"displayName": "Labels"})).await;
    assert_eq!(changed["displayName"], "Labels");
    for (body, text) in [
        (json!({"taxGroupId": item["id"]}), "The \"taxGroupId\" does not match to a Tax Group."),
        (json!({"taxGroupCode": "NONE"}), "The \"taxGroupCode\" does not match to a Tax Group."),
        (
            json!({"baseUnitOfMeasureId": item["id"]}),
            "The \"baseUnitOfMeasureId\" does not match to a Unit of Measure.",
        ),
        (json!({"itemCategoryCode": "NONE"}), "The \"itemCategoryCode\" does not match to a Item Category."),
        (
            json!({"type": "Invalid Type"}),
            "'Invalid Type' is not an option. The existing options are: Inventory,Service,Non_x002D_Inventory",
        ),
    ] {
        let (status, refused) = caller.patch(&path, "*", body).await;
        assert_eq!((status.as_u16(), error(&refused).1.as_str()), (400, text));
    }
    let (_, twin) = caller.post("items", json!({"number": "2000"})).await;
    assert_eq!(error(&twin).1, "The Item already exists. Identification fields and values: No.='2000'");
    assert_eq!(caller.delete(&path).await.0, 204);
    assert_eq!(caller.delete(&format!("unitsOfMeasure({})", id(&unit))).await.0, 204);
}

#[tokio::test]
async fn variants_hang_below_an_item_and_name_it_by_id_or_number() {
    let caller = Caller::start().await;
    let (tape, box_id) = (caller.id_of("items", "1000").await, caller.id_of("items", "1010").await);
    let set = format!("items({tape})/itemVariants");
    let (status, below) = caller.post(&set, json!({"code": "clear", "description": "Clear tape"})).await;
    assert_eq!(status, 201, "{below}");
    assert_eq!(
        (&below["itemId"], &below["itemNumber"], &below["code"]),
        (&json!(tape), &json!("1000"), &json!("CLEAR"))
    );
    let (status, _) = caller.post("itemVariants", json!({"itemNumber": "1010", "code": "CLEAR"})).await;
    assert_eq!(status, 201, "another item may have the same code");
    assert_eq!(caller.rows(&set).await.len(), 1);
    for (body, text) in [
        (
            json!({"itemNumber": "1000", "code": "CLEAR"}),
            "The Item Variant already exists. Identification fields and values: Item No.='1000',Code='CLEAR'",
        ),
        (json!({"itemId": below["id"], "code": "X"}), "The \"itemId\" does not match to an Item."),
        (json!({"itemNumber": "NONE", "code": "X"}), "The \"itemNumber\" does not match to an Item."),
        (
            json!({"itemId": box_id, "itemNumber": "1000", "code": "X"}),
            "The item values do not match to a specific Item.",
        ),
    ] {
        let (status, refused) = caller.post("itemVariants", body).await;
        assert_eq!((status.as_u16(), error(&refused).1.as_str()), (400, text));
    }
    let (status, nested) = caller.post("items", json!({"number": "3000", "itemVariants": [{"code": "X"}]})).await;
    assert_eq!((status.as_u16(), error(&nested).0.as_str()), (400, "BadRequest"));
}

#[tokio::test]
async fn a_line_takes_over_what_its_item_says() {
    let caller = Caller::start().await;
    let tape = caller.id_of("items", "1000").await;
    for (lines, set) in drafts(&caller).await {
        let (status, line) = caller.post(&lines, json!({"itemId": tape, "quantity": 4})).await;
        assert_eq!(status, 201, "{line}");
        for (name, value) in [
            ("lineType", "Item"),
            ("lineObjectNumber", "1000"),
            ("description", "Packing tape"),
            ("unitOfMeasureCode", "PCS"),
            ("accountId", ZERO),
            ("itemId", tape.as_str()),
            ("itemVariantId", ZERO),
        ] {
            assert_eq!(line[name], value, "{name}");
        }
        assert_eq!((line["unitCost"].to_string(), line["netAmount"].to_string()), ("2.5".to_owned(), "10".to_owned()));
        let one = format!("{set}({})", id(&line));
        let (_, changed) = caller.patch(&one, "*", json!({"unitOfMeasureCode": "hour"})).await;
        assert_eq!(changed["unitOfMeasureCode"], "HOUR");
        let (_, expanded) = caller.get(&format!("{one}?$expand=item,unitOfMeasure")).await;
        assert_eq!((&expanded["item"]["number"], &expanded["unitOfMeasure"]["code"]), (&json!("1000"), &json!("HOUR")));
        let (_, by_number) = caller.post(&lines, json!({"lineType": "Item", "lineObjectNumber": "support"})).await;
        assert_eq!((&by_number["description"], &by_number["quantity"]), (&json!("Support"), &json!(0)));
        let (_, blanked) = caller.patch(&one, "*", json!({"lineType": "Account"})).await;
        assert_eq!((&blanked["itemId"], &blanked["unitOfMeasureCode"]), (&json!(ZERO), &json!("")));
        let (_, refused) = caller.post(&lines, json!({"description": "x", "unitOfMeasureCode": "PCS"})).await;
        assert_eq!(error(&refused).1, "Unit of Measure can be set only for lines with type Item.");
    }
}

#[tokio::test]
async fn the_variant_of_a_line_must_be_one_of_its_item() {
    let caller = Caller::start().await;
    let tape = caller.id_of("items", "1000").await;
    let (_, right) = caller.post("itemVariants", json!({"itemId": tape, "code": "CLEAR"})).await;
    let (_, wrong) = caller.post("itemVariants", json!({"itemNumber": "1010", "code": "LARGE"})).await;
    for (lines, _) in drafts(&caller).await {
        let (status, line) =
            caller.post(&lines, json!({"itemId": tape, "itemVariantId": right["id"], "quantity": 1})).await;
        assert_eq!((status.as_u16(), &line["itemVariantId"]), (201, &right["id"]), "{line}");
        let before = caller.rows(&lines).await.len();
        let (status, refused) = caller.post(&lines, json!({"itemId": tape, "itemVariantId": wrong["id"]})).await;
        assert_eq!((status.as_u16(), error(&refused).0.as_str()), (400, "Internal_InvalidTableRelation"));
        assert_eq!(caller.rows(&lines).await.len(), before);
    }
}

#[tokio::test]
async fn the_type_of_a_line_follows_the_item_that_is_patched() {
    let caller = Caller::start().await;
    let tape = caller.id_of("items", "1000").await;
    for (lines, set) in drafts(&caller).await {
        let (_, line) =
            caller.post(&lines, json!({"lineType": "Account", "lineObjectNumber": "60500", "quantity": 1})).await;
        let one = format!("{set}({})", id(&line));
        let (status, changed) = caller.patch(&one, "*", json!({"itemId": tape})).await;
        assert_eq!(
            (status.as_u16(), &changed["lineType"], &changed["lineObjectNumber"]),
            (200, &json!("Item"), &json!("1000"))
        );
        assert_eq!(changed["accountId"], ZERO);
        let (_, refused) = caller.patch(&one, "*", json!({"itemId": ZERO, "lineObjectNumber": "1010"})).await;
        assert_eq!(error(&refused).1, "The value for \"lineObjectNumber\" cannot be modified.");
    }
}

#[tokio::test]
async fn items_are_posted_to_the_purchase_account_unless_they_are_blocked() {
    let caller = Caller::start().await;
    let item = format!("items({})", caller.id_of("items", "1000").await);
    let line = json!({"lineType": "Item", "lineObjectNumber": "1000", "quantity": 2});
    let body = json!({"vendorNumber": "V00001", "vendorInvoiceNumber": "A-1", "purchaseInvoiceLines": [line]});
    let (status, draft) = caller.post("purchaseInvoices", body.clone()).await;
    assert_eq!(status, 201, "{draft}");
    assert_eq!(caller.patch(&item, "*", json!({"blocked": true})).await.0, 200);
    let text = "Blocked must be equal to 'No'  in Item: No.=1000. Current value is 'Yes'.";
    let (_, refused) = caller.post_document("purchaseInvoices", &id(&draft)).await;
    assert_eq!(error(&refused), ("Application_DialogException".to_owned(), text.to_owned()));
    let (_, refused) = caller.post("purchaseInvoices", body).await;
    assert_eq!(error(&refused), ("Application_FieldValidationException".to_owned(), text.to_owned()));
    assert_eq!(caller.patch(&item, "*", json!({"blocked": false})).await.0, 200);
    assert_eq!(caller.post_document("purchaseInvoices", &id(&draft)).await.0, 204);
    let account = &caller.rows("accounts?$filter=number eq '50100'").await[0];
    assert_eq!(account["netChange"].to_string(), "5");
}
