//! The Expenses API: filters, expansions, custom fields, memos, and receipts that are uploaded.

use std::collections::HashSet;

use jiff::SignedDuration;
use sandbox::brex::{AccountingSettings, Splits};
use serde_json::{Value, json};

use super::caller::{Caller, client};

async fn list(caller: &Caller, query: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let (status, page) = caller.get(&format!("/v1/expenses?{query}{cursor}")).await;
        assert_eq!(status, 200, "{query}: {page}");
        found.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

/// A card expense of the newest purchases.
async fn card(caller: &Caller) -> Value {
    list(caller, "expense_type[]=CARD&status[]=APPROVED").await.pop().unwrap()
}

#[tokio::test]
async fn each_filter_of_expenses_keeps_what_it_names_and_only_that() {
    let caller = Caller::start().await;
    let all = list(&caller, "limit=100").await;
    let of = |key: &str, value: &Value| all.iter().filter(|expense| expense[key] == *value).count();
    let example = card(&caller).await;
    for (filter, key) in [
        ("user_id[]", "user_id"),
        ("expense_type[]", "expense_type"),
        ("status[]", "status"),
        ("payment_status[]", "payment_status"),
        ("spending_entity_id[]", "spending_entity_id"),
    ] {
        let value = example[key].as_str().unwrap();
        let found = list(&caller, &format!("{filter}={value}")).await;
        assert!(found.iter().all(|expense| expense[key] == value), "{filter}");
        assert_eq!(found.len(), of(key, &example[key]), "{filter}");
    }
    let two = list(&caller, "expense_type[]=BILLPAY&expense_type[]=REIMBURSEMENT").await;
    assert_eq!(two.len(), of("expense_type", &json!("BILLPAY")) + of("expense_type", &json!("REIMBURSEMENT")));
    for nobody in ["user_id[]=x", "budget_id[]=x", "spending_entity_id[]=x", "parent_expense_id[]=x", "status[]=DRAFT"]
    {
        assert_eq!(list(&caller, nobody).await, [Value::Null; 0], "{nobody}");
    }
    for name in ["purchased_at", "updated_at", "payment_posted_at"] {
        let middle = example[name].as_str().unwrap();
        let late = list(&caller, &format!("{name}_start={middle}")).await;
        let early = list(&caller, &format!("{name}_end={middle}")).await;
        assert!(late.iter().all(|expense| expense[name].as_str() >= Some(middle)));
        assert!(early.iter().all(|expense| expense[name].as_str() < Some(middle)));
        let dated = all.iter().filter(|expense| !expense[name].is_null()).count();
        assert_eq!(late.len() + early.len(), dated, "{name}");
        assert!(late.contains(&example) && !early.contains(&example));
    }
}

#[tokio::test]
async fn a_bad_filter_of_expenses_is_refused_with_its_name() {
    let caller = Caller::start().await;
    for (query, message) in [
        ("expense_type[]=CASH", "expense_type is invalid"),
        ("status[]=DONE", "status is invalid"),
        ("payment_status[]=PAID", "payment_status is invalid"),
        ("payment_posted_at_start=soon", "payment_posted_at_start is invalid"),
        ("load_custom_fields=maybe", "load_custom_fields is invalid"),
        ("cursor=expense_x", "cursor is invalid"),
        ("limit=101", "limit must be between 1 and 100"),
        ("expand[]=vendor", "Unsupported entity expansion"),
    ] {
        let expected = json!({ "type": "BAD_REQUEST", "message": message });
        assert_eq!(caller.get(&format!("/v1/expenses?{query}")).await, (400, expected));
    }
}

#[tokio::test]
async fn pages_of_expenses_are_complete_while_statuses_change() {
    let caller = Caller::start().await;
    let whole: HashSet<String> = list(&caller, "limit=100").await.iter().map(|item| item["id"].to_string()).collect();
    let (_, first) = caller.get("/v1/expenses?status[]=APPROVED&limit=3").await;
    let last = first["items"][2]["id"].clone();
    let record = caller.first(|record| record["source_id"] == last);
    let rest = async || {
        let cursor = first["next_cursor"].as_str().unwrap();
        caller.get(&format!("/v1/expenses?status[]=APPROVED&limit=2&cursor={cursor}")).await.1["items"].clone()
    };
    let before = rest().await;
    caller
        .world()
        .brex
        .edit(&record, json!({ "status": "VOID" }).as_object().unwrap(), caller.world().clock.now())
        .unwrap();
    assert_eq!(rest().await, before);
    let ids: HashSet<String> = list(&caller, "limit=7").await.iter().map(|item| item["id"].to_string()).collect();
    assert_eq!(ids, whole);
}

#[tokio::test]
async fn expansions_and_custom_fields_are_there_when_they_are_asked_for() {
    let caller = Caller::start().await;
    let wanted = |record: &Value| {
        record["type"] == "CARD_EXPENSE_POST" && record["receipts"].as_array().is_some_and(|list| !list.is_empty())
    };
    let record = caller.world().brex.record(&caller.first(wanted)).unwrap().record;
    let path = format!("/v1/expenses/{}", record["source_id"].as_str().unwrap());
    let (_, plain) = caller.get(&path).await;
    let absent = ["location", "department", "merchant", "user", "budget", "payment", "custom_fields"];
    assert!(absent.iter().all(|key| plain[*key].is_null()));
    assert_eq!(plain["receipts"], json!([{ "id": record["receipts"][0]["id"], "download_uris": null }]));
    let expand = ["location", "department", "merchant", "user", "budget", "payment", "receipts.download_uris"];
    let query = format!("expand[]={}&", expand.join("&expand[]="));
    let (_, full) = caller.get(&format!("{path}?{query}load_custom_fields=true")).await;
    assert_eq!(
        full["department"],
        json!({ "id": record["user"]["department_id"], "name": record["user"]["department_name"] })
    );
    assert_eq!(full["user"]["id"], record["user"]["id"]);
    assert_eq!(
        (&full["payment"]["paymentInstrument"]["type"], &full["payment"]["statusReason"]),
        (&json!("CARD"), &json!("APPROVED"))
    );
    assert!(full["merchant"]["mcc"].is_string());
    let link = full["receipts"][0]["download_uris"][0].as_str().unwrap();
    assert_eq!(client().get(link).send().await.unwrap().status(), 200);
    let coding = &record["line_items"][0]["accounting_field_values"][0];
    let expected = json!({ "key": coding["field_name"], "value": { "value_type": "SINGLE_VALUE", "data_type": "OPTION_STRING",
        "data": { "option_id": coding["brex_field_value_id"], "option_label": coding["field_value_name"] } } });
    assert_eq!(full["custom_fields"][0], expected);
    assert!(full["dashboard_url"].as_str().unwrap().ends_with(full["id"].as_str().unwrap()));
}

#[tokio::test]
async fn amounts_are_signed_and_an_expense_is_listed_once_however_many_records_it_has() {
    let caller = Caller::start().await;
    let refunds = |record: &Value| record["type"] == "CARD_EXPENSE_REFUND";
    let mut record = caller.world().brex.record(&caller.first(refunds)).unwrap().record;
    let id = record["source_id"].as_str().unwrap().to_owned();
    let amount =
        async || caller.get(&format!("/v1/expenses/{id}")).await.1["billing_amount"]["amount"].as_i64().unwrap();
    assert!(amount().await < 0, "whatever the sign of the record");
    record["id"] = json!("accr_second");
    record["type"] = json!("CARD_EXPENSE_POST");
    let expected = sandbox::brex::Expectation::Document;
    caller.world().brex.insert(&record.to_string(), expected, "the same expense").unwrap();
    assert!(amount().await > 0, "the newest record tells");
    let listed = list(&caller, "expense_type[]=CARD").await;
    assert_eq!(listed.iter().filter(|expense| expense["id"] == id.as_str()).count(), 1);
    let of_hand = json!({ "raw_descriptor": record["vendor"]["name"], "mcc": "", "country": "" });
    assert_eq!(caller.get(&format!("/v1/expenses/{id}?expand[]=merchant")).await.1["merchant"], of_hand);
}

#[tokio::test]
async fn card_expenses_have_paths_of_their_own_and_a_memo_that_can_be_changed() {
    let caller = Caller::start().await;
    let id = card(&caller).await["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/expenses/card/{id}");
    let put = |body: Value| caller.send(caller.request("PUT", &path).json(&body));
    assert_eq!(caller.get(&path).await, caller.get(&format!("/v1/expenses/{id}")).await);
    let (_, cards) = caller.get("/v1/expenses/card").await;
    assert!(cards["items"].as_array().unwrap().iter().all(|expense| expense["expense_type"] == "CARD"));
    let (status, changed) = put(json!({ "memo": "Café, second line", "category": "RENT" })).await;
    assert_eq!((status, &changed["memo"], changed.get("receipts")), (200, &json!("Café, second line"), None));
    let record = caller.first(|record| record["source_id"] == id.as_str());
    assert_eq!(caller.world().brex.record(&record).unwrap().record["memo"], "Café, second line");
    assert_eq!(put(json!({})).await.1["memo"], "Café, second line");
    assert_eq!(put(json!({ "memo": null })).await.1["memo"], Value::Null);
    let refusal = json!({ "type": "BAD_REQUEST", "message": "memo is invalid" });
    assert_eq!(put(json!({ "memo": 1 })).await, (400, refusal));
    let bill = list(&caller, "expense_type[]=BILLPAY").await[0]["id"].as_str().unwrap().to_owned();
    for other in [bill.as_str(), "expense_x"] {
        let path = format!("/v1/expenses/card/{other}");
        let missing = json!({ "type": "NOT_FOUND", "message": "Not Found" });
        assert_eq!(caller.get(&path).await, (404, missing.clone()));
        assert_eq!(caller.send(caller.request("PUT", &path).json(&json!({ "memo": "x" }))).await, (404, missing));
    }
    caller.world().brex.set_scopes(&["expenses.card.readonly"]);
    assert_eq!((caller.get(&path).await.0, put(json!({ "memo": "x" })).await.0), (200, 403));
}

#[tokio::test]
async fn an_uploaded_receipt_is_on_the_expense_once_its_file_has_come() {
    let caller = Caller::start().await;
    let id = card(&caller).await["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/expenses/card/{id}/receipt_upload");
    let receipts = async || caller.get(&format!("/v1/expenses/{id}")).await.1["receipts"].as_array().unwrap().clone();
    let before = receipts().await;
    let (status, given) = caller.post(&path, &json!({ "receipt_name": "lunch.png" })).await;
    assert_eq!(status, 201, "{given}");
    assert_eq!(receipts().await, before);
    let uri = given["uri"].as_str().unwrap();
    let put =
        async |uri: &str, size: usize| client().put(uri).body(vec![7; size]).send().await.unwrap().status().as_u16();
    let authorized = client().put(uri).bearer_auth("x").send().await.unwrap();
    assert_eq!(authorized.status(), 400);
    assert_eq!(put(&uri.replace("Signature=", "Signature=0"), 10).await, 403);
    assert_eq!(put(uri, 3_000_000).await, 200);
    assert_eq!(put(uri, 10).await, 200, "a second file under the same link");
    let after = receipts().await;
    assert_eq!((after.len(), &after.last().unwrap()["id"]), (before.len() + 1, &given["id"]));
    let record = caller.first(|record| record["source_id"] == id.as_str());
    let (_, record) = caller.get(&format!("/v3/accounting/records/{record}")).await;
    let link = record["receipts"].as_array().unwrap().last().unwrap()["download_uris"][0].as_str().unwrap().to_owned();
    assert_eq!(client().get(&link).send().await.unwrap().status(), 200);
    let (_, late) = caller.post(&path, &json!({ "receipt_name": "late.png" })).await;
    caller.world().clock.advance(SignedDuration::from_mins(31));
    assert_eq!(put(late["uri"].as_str().unwrap(), 10).await, 403);
    for body in [json!({}), json!({ "receipt_name": " " }), json!({ "receipt_name": 1 })] {
        assert_eq!(caller.post(&path, &body).await.0, 400, "{body}");
    }
    assert_eq!(
        caller.post("/v1/expenses/card/expense_x/receipt_upload", &json!({ "receipt_name": "a.png" })).await.0,
        404
    );
}

#[tokio::test]
async fn a_file_above_fifty_megabytes_is_refused() {
    let caller = Caller::start().await;
    let (_, given) = caller.post("/v1/expenses/card/receipt_match", &json!({ "receipt_name": "a.pdf" })).await;
    let body = vec![0; 50 * 1024 * 1024 + 1];
    let answer = client().put(given["uri"].as_str().unwrap()).body(body).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    assert!(answer.text().await.unwrap().contains("<Code>EntityTooLarge</Code>"));
}

#[tokio::test]
async fn a_receipt_without_an_expense_waits_until_it_is_matched() {
    let caller = Caller::start().await;
    let id = card(&caller).await["id"].clone();
    let (status, given) = caller.post("/v1/expenses/card/receipt_match", &json!({ "receipt_name": "a.pdf" })).await;
    assert_eq!(status, 201);
    let url = caller.control(&format!("/_sandbox/brex/receipts/{}/match", given["id"].as_str().unwrap()));
    let matched = async || caller.send(client().post(&url).json(&json!({ "expense_id": id }))).await.0;
    assert_eq!(matched().await, 404, "no file has come");
    client().put(given["uri"].as_str().unwrap()).body("%PDF").send().await.unwrap();
    caller.world().brex.restore(caller.world().brex.snapshot()).unwrap();
    assert_eq!(matched().await, 204);
    assert_eq!(matched().await, 404, "it is matched");
    let (_, expense) = caller.get(&format!("/v1/expenses/{}", id.as_str().unwrap())).await;
    assert_eq!(expense["receipts"].as_array().unwrap().last().unwrap()["id"], given["id"]);
}

#[tokio::test]
async fn the_parts_of_a_split_expense_name_their_parent() {
    let caller = Caller::start().await;
    let whole = |record: &Value| {
        let debits = record["line_items"].as_array().unwrap().iter().filter(|line| line["type"] == "DEBIT");
        record["type"] == "CARD_EXPENSE_POST" && debits.count() > 1
    };
    let record = caller.world().brex.record(&caller.first(whole)).unwrap().record;
    let parent = record["source_id"].as_str().unwrap();
    let accounting = AccountingSettings { splits: Splits::Records, ..AccountingSettings::default() };
    caller.world().brex.configure(|settings| settings.accounting = accounting);
    let (_, expense) = caller.get(&format!("/v1/expenses/{parent}")).await;
    assert_eq!(expense["status"], "SPLIT");
    let parts = list(&caller, &format!("parent_expense_id[]={parent}")).await;
    assert_eq!(parts.len(), record["line_items"].as_array().unwrap().len() - 1);
    let sum: i64 = parts.iter().map(|part| part["billing_amount"]["amount"].as_i64().unwrap()).sum();
    assert_eq!(expense["billing_amount"]["amount"], sum);
    assert!(list(&caller, "status[]=SPLIT").await.contains(&expense));
    let all = list(&caller, "limit=10").await;
    let ids: HashSet<String> = all.iter().map(|expense| expense["id"].to_string()).collect();
    assert_eq!(ids.len(), all.len());
}
