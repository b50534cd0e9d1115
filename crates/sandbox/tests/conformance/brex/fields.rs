//! Brex's Fields API: what an ERP pushes, and how codings refer to it.

use serde_json::{Value, json};

use crate::brex::caller::Caller;

async fn ask(caller: &Caller, method: &str, path: &str, key: &str, body: &Value) -> (u16, Value) {
    let request = caller.request(method, path).json(body);
    caller.send(if method == "POST" { request.header("Idempotency-Key", key) } else { request }).await
}

/// A caller with the ERP field `GL_ACCOUNT`, and the path of its values.
async fn with_field() -> (Caller, String) {
    let caller = Caller::start().await;
    let body = json!({ "vendor": "ERP_A", "vendor_account_id": "a" });
    let (_, integration) = caller.post("/v3/accounting/integration", &body).await;
    let body = json!({ "name": "G/L Account", "group": "ERP", "remote_id": "GL_ACCOUNT",
        "integration_id": integration["integration_id"], "is_disabled": false });
    let (status, field) = ask(&caller, "POST", "/v1/fields", "field", &body).await;
    assert_eq!((status, &field["remote_id"], &field["group"]), (200, &json!("GL_ACCOUNT"), &json!("ERP")));
    assert_eq!(ask(&caller, "POST", "/v1/fields", "field", &body).await.1, field);
    (caller, format!("/v1/fields/{}", field["brex_id"].as_str().unwrap()))
}

fn accounts(numbers: std::ops::Range<u32>) -> Value {
    let item = |number| json!({ "value": format!("{number} x"), "value_id": format!("{number}"), "remote_id": format!("r{number}") });
    json!({ "items": numbers.map(item).collect::<Vec<_>>() })
}

#[tokio::test]
async fn an_erp_field_needs_an_integration_and_fixed_keys() {
    let (caller, path) = with_field().await;
    for (body, expected) in [
        (json!({ "name": "X", "group": "ERP" }), 400),
        (json!({ "name": "X", "group": "ERP", "integration_id": "int_x" }), 400),
        (json!({ "name": "X", "group": "OTHER" }), 400),
        (json!({ "group": "USER" }), 400),
        (json!({ "name": "X", "group": "USER", "remote_id": "GL_ACCOUNT" }), 400),
        (json!({ "name": "X", "group": "TRAVEL" }), 200),
    ] {
        assert_eq!(ask(&caller, "POST", "/v1/fields", &body.to_string(), &body).await.0, expected, "{body}");
    }
    assert_eq!(caller.post("/v1/fields", &json!({ "name": "X", "group": "USER" })).await.0, 400);
    for body in [json!({ "remote_id": "Y" }), json!({ "group": "USER" }), json!({ "is_disabled": 1 })] {
        assert_eq!(ask(&caller, "PUT", &path, "", &body).await.0, 400, "{body}");
    }
    let (_, changed) = ask(&caller, "PUT", &path, "", &json!({ "name": null, "is_disabled": true })).await;
    assert_eq!((&changed["name"], &changed["is_disabled"]), (&json!("G/L Account"), &json!(true)));
    assert_eq!(caller.get("/v1/fields?limit=1").await.1["items"][0], changed);
    assert_eq!(caller.send(caller.request("DELETE", &path)).await, (200, Value::Null));
    assert_eq!(caller.get(&path).await.0, 404);
    assert_eq!(caller.get(&format!("{path}/values")).await.0, 404);
}

#[tokio::test]
async fn thousands_of_values_are_pushed_in_batches_and_found() {
    let (caller, path) = with_field().await;
    let path = format!("{path}/values");
    assert_eq!(ask(&caller, "POST", &path, "k0", &accounts(0..1001)).await.0, 400);
    assert_eq!(ask(&caller, "POST", &path, "k0", &accounts(0..0)).await.0, 400);
    assert_eq!(caller.post(&path, &accounts(0..1)).await.0, 400);
    for batch in 0..5 {
        let body = accounts(batch * 1000..(batch + 1) * 1000);
        let (status, made) = ask(&caller, "POST", &path, &format!("b{batch}"), &body).await;
        assert_eq!((status, made["items"].as_array().unwrap().len()), (200, 1000));
        assert_eq!(ask(&caller, "POST", &path, &format!("b{batch}"), &body).await.1, made);
    }
    let mut seen = 0;
    let mut cursor = String::new();
    loop {
        let (_, page) = caller.get(&format!("{path}?limit=1000{cursor}")).await;
        seen += page["items"].as_array().unwrap().len();
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, 5000);
    for filter in ["remote_id[]=r4321", "value_id[]=4321", "value=4321%20x"] {
        let (_, page) = caller.get(&format!("{path}?{filter}")).await;
        assert_eq!(page["items"][0]["remote_id"], "r4321");
        assert_eq!(page["items"].as_array().unwrap().len(), 1);
    }
    for query in ["limit=1001", "limit=0", "cursor=efo_x"] {
        assert_eq!(caller.get(&format!("{path}?{query}")).await.0, 400, "{query}");
    }
}

#[tokio::test]
async fn values_are_changed_and_deleted_by_exactly_one_key() {
    let (caller, path) = with_field().await;
    let path = format!("{path}/values");
    let (_, made) = ask(&caller, "POST", &path, "a", &accounts(0..3)).await;
    let first = made["items"][0]["brex_id"].as_str().unwrap();
    let data = json!({ "value": "0 old", "is_disabled": true });
    for item in [
        json!({ "brex_id": first, "data": data }),
        json!({ "remote_id": "r0", "data": data }),
        json!({ "value_id": "0", "data": data }),
    ] {
        let (status, changed) = ask(&caller, "PUT", &path, "", &json!({ "items": [item] })).await;
        assert_eq!((status, &changed["items"][0]["value"]), (200, &json!("0 old")));
    }
    let two = json!({ "items": [{ "remote_id": "r0", "value_id": "0", "data": data }] });
    assert_eq!(ask(&caller, "PUT", &path, "", &two).await.0, 400);
    assert_eq!(ask(&caller, "DELETE", &path, "", &json!({ "items": [{}] })).await.0, 400);
    let items = json!({ "items": [{ "remote_id": "r1" }, { "value_id": "2" }] });
    assert_eq!(ask(&caller, "DELETE", &path, "", &items).await, (200, json!({ "count": 2 })));
    assert_eq!(ask(&caller, "DELETE", &path, "", &items).await.0, 404);
    assert_eq!(caller.get(&format!("{path}/{first}")).await.1["is_disabled"], true);
    caller.world().brex.set_scopes(&["field_values.write"]);
    assert_eq!(ask(&caller, "DELETE", &path, "", &items).await.0, 403);
}

#[tokio::test]
async fn a_bad_item_takes_its_batch_along_unless_switched() {
    let (caller, path) = with_field().await;
    let path = format!("{path}/values");
    let twice = json!({ "items": [{ "value": "a", "remote_id": "1" }, { "value": "b", "remote_id": "1" }] });
    assert_eq!(ask(&caller, "POST", &path, "a", &twice).await.0, 400);
    assert_eq!(caller.get(&path).await.1["items"], json!([]));
    caller.world().brex.configure(|settings| settings.fields.atomic_batches = false);
    assert_eq!(ask(&caller, "POST", &path, "a", &twice).await.0, 400);
    assert_eq!(caller.get(&path).await.1["items"].as_array().unwrap().len(), 1);
    caller.world().brex.configure(|settings| settings.fields.remote_ids_unique = false);
    assert_eq!(ask(&caller, "POST", &path, "a", &twice).await.0, 200);
    let accent = json!({ "items": [{ "value": "Café" }] });
    assert_eq!(ask(&caller, "POST", &path, "b", &accent).await.0, 200);
    caller.world().brex.configure(|settings| settings.fields.ascii_only = true);
    assert_eq!(ask(&caller, "POST", &path, "c", &accent).await.0, 400);
}

#[tokio::test]
async fn a_coding_refers_to_the_pushed_field_and_value() {
    let (caller, path) = with_field().await;
    let (_, made) = ask(&caller, "POST", &format!("{path}/values"), "a", &accounts(7..8)).await;
    let id = caller.first(|record| record["review_status"] == "REVIEW" && record["source_type"] == "CARD");
    let values: Vec<sandbox::brex::FieldCoding> =
        serde_json::from_value(json!([{ "remote_field_id": "GL_ACCOUNT", "remote_field_value_id": "r7" }])).unwrap();
    caller.world().brex.code(&id, None, &values, caller.world().clock.now()).unwrap();
    let (_, record) = caller.get(&format!("/v3/accounting/records/{id}")).await;
    let coded = &record["line_items"][0]["accounting_field_values"][0];
    assert_eq!(coded["brex_field_id"], path.trim_start_matches("/v1/fields/"));
    assert_eq!(coded["brex_field_value_id"], made["items"][0]["brex_id"]);
    assert_eq!(coded["field_value_name"], "7 x");
    let other = Caller::start().await;
    other.world().brex.restore(caller.world().brex.snapshot()).unwrap();
    assert_eq!(other.world().brex.snapshot(), caller.world().brex.snapshot());
}

#[tokio::test]
async fn fields_are_found_by_id_and_listed_in_pages() {
    let (caller, path) = with_field().await;
    for name in ["Department", "Project"] {
        let body = json!({ "name": name, "group": "ACCOUNTING", "remote_id": null });
        assert_eq!(ask(&caller, "POST", "/v1/fields", name, &body).await.0, 200);
    }
    let all = caller.get("/v1/fields?limit=1000").await.1;
    assert_eq!(all["next_cursor"], Value::Null);
    let all = all["items"].as_array().unwrap();
    assert_eq!((&all[0]["name"], &all[2]["name"]), (&json!("G/L Account"), &json!("Project")));
    let id = path.trim_start_matches("/v1/fields/");
    let two = format!("/v1/fields?field_id[]={id}&field_id[]={}", all[2]["brex_id"].as_str().unwrap());
    assert_eq!(caller.get(&two).await.1["items"], json!([all[0], all[2]]));
    let (_, first) = caller.get("/v1/fields?limit=2").await;
    let (_, rest) = caller.get(&format!("/v1/fields?cursor={}", first["next_cursor"].as_str().unwrap())).await;
    assert_eq!((&rest["items"], &rest["next_cursor"]), (&json!([all[2]]), &Value::Null));
    for query in ["limit=1001", "limit=0", "cursor=x"] {
        assert_eq!(caller.get(&format!("/v1/fields?{query}")).await.0, 400, "{query}");
    }
}

#[tokio::test]
async fn each_part_of_fields_needs_its_own_scope() {
    let (caller, path) = with_field().await;
    let values = format!("{path}/values");
    let (_, made) = ask(&caller, "POST", &values, "a", &accounts(0..1)).await;
    let value = format!("{values}/{}", made["items"][0]["brex_id"].as_str().unwrap());
    let named = json!({ "name": "X", "group": "USER" });
    let change = json!({ "items": [{ "remote_id": "r0", "data": {} }] });
    let nothing = json!({});
    let all = [
        ("GET", "/v1/fields", &nothing, &["fields.read", "fields.write"][..]),
        ("POST", "/v1/fields", &named, &["fields.write"]),
        ("GET", path.as_str(), &nothing, &["fields.read", "fields.write"]),
        ("PUT", &path, &nothing, &["fields.write"]),
        ("GET", &values, &nothing, &["field_values.read", "field_values.write"]),
        ("GET", &value, &nothing, &["field_values.read", "field_values.write"]),
        ("POST", &values, &accounts(1..2), &["field_values.write"]),
        ("PUT", &values, &change, &["field_values.write"]),
    ];
    for (method, path, body, scopes) in all {
        for scope in ["fields.read", "fields.write", "field_values.read", "field_values.write"] {
            caller.world().brex.set_scopes(&[scope]);
            let (status, answered) = ask(&caller, method, path, &format!("{method}{path}{scope}"), body).await;
            let expected = if scopes.contains(&scope) { 200 } else { 403 };
            assert_eq!(status, expected, "{method} {path} with {scope}: {answered}");
        }
    }
}

#[tokio::test]
async fn changes_of_values_come_in_batches_of_one_to_a_thousand() {
    let (caller, path) = with_field().await;
    let path = format!("{path}/values");
    assert_eq!(ask(&caller, "POST", &path, "a", &accounts(0..1000)).await.0, 200);
    let items = |count: usize, data: bool| {
        let mut item = json!({ "remote_id": "r0" });
        if data {
            item["data"] = json!({ "is_disabled": true });
        }
        json!({ "items": vec![item; count] })
    };
    for (method, data) in [("PUT", true), ("DELETE", false)] {
        for count in [0, 1001] {
            assert_eq!(ask(&caller, method, &path, "", &items(count, data)).await.0, 400, "{method} {count}");
        }
        assert_eq!(ask(&caller, method, &path, "", &items(1, data)).await.0, 200, "{method}");
    }
    let (_, found) = caller.get(&format!("{path}?limit=1000")).await;
    assert_eq!(found["items"].as_array().unwrap().len(), 999);
    let id = found["items"][5]["brex_id"].as_str().unwrap();
    assert_eq!(caller.get(&format!("{path}?brex_id[]={id}")).await.1["items"], json!([found["items"][5]]));
}
