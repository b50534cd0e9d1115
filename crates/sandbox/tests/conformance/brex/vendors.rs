//! Vendors of the Payments API, and `Idempotency-Key`.

use crate::brex::caller::Caller;
use jiff::SignedDuration;
use sandbox::Options;
use sandbox::brex::{NameCase, NameMatch, NullInUpdate, OtherBody, Repeat, Role};
use serde_json::{Value, json};

const VENDORS: &str = "/v1/vendors";

/// A sandbox without records, and so without vendors.
async fn empty() -> Caller {
    Caller::start_with(Options { records: 0, ..Options::default() }).await
}

async fn create(caller: &Caller, key: &str, body: &Value) -> (u16, Value) {
    caller.send(caller.request("POST", VENDORS).header("Idempotency-Key", key).json(body)).await
}

async fn named(caller: &Caller, name: &str) -> Value {
    let (status, body) = create(caller, name, &json!({ "company_name": name })).await;
    assert_eq!(status, 200, "{body}");
    body
}

async fn put(caller: &Caller, id: &Value, body: &Value) -> (u16, Value) {
    caller.send(caller.request("PUT", &path(id)).json(body)).await
}

fn path(id: &Value) -> String {
    format!("{VENDORS}/{}", id.as_str().unwrap())
}

fn ach() -> Value {
    json!({ "type": "ACH", "routing_number": "021000021", "account_number": "3818193555",
            "account_type": "CHECKING", "account_class": "BUSINESS" })
}

fn address() -> Value {
    json!({ "line1": "1 Farm Road", "city": "Honesdale", "state": "PA", "country": "US", "postal_code": "18431" })
}

fn wire() -> Value {
    json!({ "type": "DOMESTIC_WIRE", "routing_number": "021000021", "account_number": "3818193555",
            "address": address() })
}

fn cheque(recipient: &str) -> Value {
    json!({ "type": "CHEQUE", "mailing_address": address(), "recipient_name": recipient })
}

fn with(details: &[Value]) -> Value {
    let accounts: Vec<Value> = details.iter().map(|details| json!({ "details": details })).collect();
    json!({ "company_name": "Schrute Farms", "payment_accounts": accounts })
}

#[tokio::test]
async fn a_vendor_is_made_with_a_payment_account_of_each_rail_and_read_back() {
    let caller = empty().await;
    let mut body = with(&[ach(), wire(), cheque("Dwight Schrute")]);
    body["email"] = json!("ap@example.com");
    let (status, vendor) = create(&caller, "a", &body).await;
    assert_eq!(status, 200, "{vendor}");
    assert!(vendor["id"].as_str().unwrap().starts_with("pdcont_"));
    assert_eq!((&vendor["email"], &vendor["phone"]), (&json!("ap@example.com"), &Value::Null));
    let accounts = vendor["payment_accounts"].as_array().unwrap();
    assert_eq!(accounts.len(), 3);
    for (account, kind) in accounts.iter().zip(["ACH", "DOMESTIC_WIRE", "CHEQUE"]) {
        assert_eq!(account["details"]["type"], kind);
        assert!(account["details"]["payment_instrument_id"].as_str().unwrap().starts_with("pdinstl_"));
    }
    assert_eq!(accounts[0]["details"]["account_number"], "3818193555");
    assert_eq!(caller.get(&path(&vendor["id"])).await, (200, vendor));
    assert_eq!(caller.get("/v1/vendors/pdcont_x").await, (404, json!({ "type": "NOT_FOUND", "message": "Not Found" })));
    assert_eq!(caller.get("/v1/vendors/%FF").await.0, 404);
}

#[tokio::test]
async fn a_vendor_that_is_not_as_documented_is_refused_with_the_name_of_the_field() {
    let caller = empty().await;
    let mut bad_routing = ach();
    bad_routing["routing_number"] = json!("021000022");
    let mut boxed = wire();
    boxed["address"]["line1"] = json!("P.O. Box 7");
    let mut abroad = wire();
    abroad["address"]["country"] = json!("USA");
    let mut classless = ach();
    classless["account_class"] = Value::Null;
    for (body, field) in [
        (json!({}), "company_name"),
        (json!({ "company_name": " " }), "company_name"),
        (json!({ "company_name": 7 }), "company_name"),
        (json!({ "company_name": "Café Müller" }), "company_name"),
        (json!({ "company_name": "A", "email": "nobody" }), "email"),
        (json!({ "company_name": "A", "email": "a@b@c.de" }), "email"),
        (json!({ "company_name": "A", "phone": "☎" }), "phone"),
        (json!({ "company_name": "A", "payment_accounts": {} }), "payment_accounts"),
        (json!({ "company_name": "A", "payment_accounts": [{}] }), "details"),
        (with(&[ach(), ach()]), "payment_accounts"),
        (with(&[bad_routing]), "routing_number"),
        (with(&[classless]), "account_class"),
        (with(&[boxed]), "line1"),
        (with(&[abroad]), "country"),
        (with(&[cheque(&"x".repeat(41))]), "recipient_name"),
        (with(&[json!({ "type": "INTERNATIONAL_WIRE", "swift_code": "X", "iban": "Y", "address": {} })]), "type"),
    ] {
        let expected = json!({ "type": "BAD_REQUEST", "message": format!("{field} is invalid") });
        assert_eq!(create(&caller, "k", &body).await, (400, expected), "{body}");
    }
    let text = caller.request("POST", VENDORS).header("Idempotency-Key", "k").body("[not json");
    assert_eq!(caller.send(text).await.0, 400);
    assert_eq!(caller.get(VENDORS).await.1["items"], json!([]));
}

#[tokio::test]
async fn a_vendor_name_is_unique_until_its_vendor_is_gone() {
    let caller = empty().await;
    let first = named(&caller, "Acme").await;
    let second = named(&caller, "Bolt").await;
    assert_eq!(create(&caller, "k", &json!({ "company_name": "ACME" })).await.0, 400);
    assert_eq!(put(&caller, &second["id"], &json!({ "company_name": "acme" })).await.0, 400);
    assert_eq!(put(&caller, &first["id"], &json!({ "company_name": "ACME" })).await.0, 200);
    caller.world().brex.configure(|settings| {
        settings.payments.vendor_name_case = NameCase::Counts;
        settings.payments.vendor_name_taken_status = 409;
    });
    assert_eq!(create(&caller, "k", &json!({ "company_name": "ACME" })).await.0, 409);
    assert_eq!(create(&caller, "k", &json!({ "company_name": "acme" })).await.0, 200);
    assert_eq!(caller.send(caller.request("DELETE", &path(&first["id"]))).await, (200, Value::Null));
    assert_eq!(caller.send(caller.request("DELETE", &path(&first["id"]))).await.0, 404);
    assert_eq!(create(&caller, "l", &json!({ "company_name": "ACME" })).await.0, 200);
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_keeps_the_payment_instrument() {
    let caller = empty().await;
    let mut body = with(&[ach()]);
    body["phone"] = json!("1");
    let (_, made) = create(&caller, "a", &body).await;
    let instrument = &made["payment_accounts"][0]["details"]["payment_instrument_id"];
    let mut other = ach();
    other["account_number"] = json!("999");
    let change = json!({ "phone": null, "payment_accounts": [{ "details": other }, { "details": wire() }] });
    let (status, changed) = put(&caller, &made["id"], &change).await;
    assert_eq!((status, &changed["phone"], &changed["company_name"]), (200, &json!("1"), &json!("Schrute Farms")));
    let accounts = changed["payment_accounts"].as_array().unwrap();
    assert_eq!((accounts.len(), &accounts[0]["details"]["account_number"]), (2, &json!("999")));
    assert_eq!(&accounts[0]["details"]["payment_instrument_id"], instrument);
    let partial = json!({ "payment_accounts": [{ "details": { "type": "ACH", "account_number": "1" } }] });
    assert_eq!(put(&caller, &made["id"], &partial).await.0, 400);
    caller.world().brex.configure(|settings| settings.payments.vendor_null = NullInUpdate::Clears);
    assert_eq!(put(&caller, &made["id"], &json!({ "phone": null })).await.1["phone"], Value::Null);
    assert_eq!(put(&caller, &json!("pdcont_x"), &json!({})).await.0, 404);
}

#[tokio::test]
async fn vendors_are_listed_in_pages_and_found_by_name() {
    let caller = empty().await;
    for name in ["Acme", "Acme Two", "Bolt"] {
        named(&caller, name).await;
    }
    let names = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap();
        items.iter().map(|item| item["company_name"].as_str().unwrap().to_owned()).collect()
    };
    let (_, first) = caller.get("/v1/vendors?limit=2").await;
    assert_eq!(names(&first), ["Acme", "Acme Two"]);
    caller.send(caller.request("DELETE", &path(&first["items"][1]["id"]))).await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let (_, second) = caller.get(&format!("/v1/vendors?limit=2&cursor={cursor}")).await;
    assert_eq!((names(&second), &second["next_cursor"]), (vec!["Bolt".to_owned()], &Value::Null));
    named(&caller, "Acme Three").await;
    assert_eq!(names(&caller.get("/v1/vendors?name=acme").await.1), ["Acme"]);
    caller.world().brex.configure(|settings| settings.payments.vendor_name_match = NameMatch::Prefix);
    assert_eq!(names(&caller.get("/v1/vendors?name=acme").await.1), ["Acme", "Acme Three"]);
    for query in ["limit=0", "limit=1001", "limit=x", "cursor=x", "limit=1&limit=2"] {
        assert_eq!(caller.get(&format!("/v1/vendors?{query}")).await.0, 400, "{query}");
    }
    assert_eq!(caller.get("/v1/vendors?limit=1000").await.0, 200);
}

#[tokio::test]
async fn only_people_who_may_pay_see_vendors_and_only_with_a_business_account() {
    let caller = empty().await;
    let message = "Only account admin, ap clerks and bookkeepers can access contacts";
    let refusal = (401, json!({ "type": "UNAUTHORIZED", "message": message }));
    caller.world().brex.configure(|settings| settings.payments.role = Role::Employee);
    assert_eq!(caller.get(VENDORS).await, refusal);
    caller.world().brex.configure(|settings| {
        settings.payments.role = Role::Bookkeeper;
        settings.payments.cash_account = false;
    });
    assert_eq!(create(&caller, "k", &json!({ "company_name": "A" })).await, refusal);
    caller.world().brex.configure(|settings| settings.payments.cash_account = true);
    assert_eq!(caller.get(VENDORS).await.0, 200);
}

#[tokio::test]
async fn reading_and_changing_vendors_need_different_scopes() {
    let caller = empty().await;
    caller.world().brex.set_scopes(&["vendors.readonly"]);
    assert_eq!(caller.get(VENDORS).await.0, 200);
    let (status, body) = create(&caller, "k", &json!({ "company_name": "A" })).await;
    assert_eq!((status, &body["type"]), (403, &json!("FORBIDDEN")));
    caller.world().brex.set_scopes(&["vendors"]);
    assert_eq!(caller.get(VENDORS).await.0, 403);
    assert_eq!(create(&caller, "k", &json!({ "company_name": "A" })).await.0, 200);
}

#[tokio::test]
async fn international_wires_are_set_up_in_the_dashboard_only() {
    let caller = empty().await;
    let body = json!([with(&[
        json!({ "type": "INTERNATIONAL_WIRE", "swift_code": "DEUTDEFF", "iban": "DE89370400440532013000", "address": {} })
    ])]);
    let request = crate::brex::caller::client().post(caller.control("/_sandbox/brex/vendors")).json(&body);
    let (status, made) = caller.send(request).await;
    assert_eq!(status, 200, "{made}");
    let (_, vendor) = caller.get(&path(&made[0]["id"])).await;
    assert_eq!(vendor["payment_accounts"][0]["details"]["iban"], "DE89370400440532013000");
}

#[tokio::test]
async fn a_repeated_key_does_the_work_once() {
    let caller = empty().await;
    let body = json!({ "company_name": "A" });
    assert_eq!(caller.post(VENDORS, &body).await.0, 400);
    assert_eq!(create(&caller, " ", &body).await.0, 400);
    assert_eq!(create(&caller, &"k".repeat(256), &body).await.0, 400);
    assert_eq!(create(&caller, "k", &json!({})).await.0, 400);
    let first = create(&caller, "k", &body).await;
    assert_eq!(first.0, 200);
    assert_eq!(create(&caller, "k", &body).await, first);
    assert_eq!(create(&caller, "k", &json!({ "company_name": "B" })).await, first);
    caller.world().brex.configure(|settings| settings.idempotency.other_body = OtherBody::Refused);
    assert_eq!(create(&caller, "k", &json!({ "company_name": "B" })).await.0, 400);
    caller.world().brex.configure(|settings| settings.idempotency.repeat = Repeat::Ignored);
    assert_eq!(create(&caller, "k", &body).await, (200, Value::Null));
    assert_eq!(caller.get(VENDORS).await.1["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_is_forgotten_after_its_time_or_when_there_are_too_many() {
    let caller = empty().await;
    let body = |name: &str| json!({ "company_name": name });
    assert_eq!(create(&caller, "a", &body("A")).await.0, 200);
    caller.world().clock.advance(SignedDuration::from_hours(24));
    assert_eq!(create(&caller, "a", &body("A")).await.0, 400);
    caller.world().brex.configure(|settings| settings.idempotency.count = 1);
    assert_eq!(create(&caller, "b", &body("B")).await.0, 200);
    assert_eq!(create(&caller, "c", &body("C")).await.0, 200);
    assert_eq!(create(&caller, "c", &body("C")).await.0, 200);
    assert_eq!(create(&caller, "b", &body("B")).await.0, 400);
}

#[tokio::test]
async fn vendors_and_keys_survive_a_restart() {
    let caller = empty().await;
    let first = create(&caller, "a", &json!({ "company_name": "A" })).await;
    let snapshot = caller.world().brex.snapshot();
    let other = empty().await;
    other.world().brex.restore(snapshot).unwrap();
    let request = other.request("POST", VENDORS).header("Idempotency-Key", "a");
    let token = other.world().brex.token();
    assert_eq!(other.send(request.bearer_auth(token).json(&json!({ "company_name": "A" }))).await, first);
    named(&other, "B").await;
    assert_eq!(other.get(VENDORS).await.1["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn fifty_thousand_vendors_are_found_by_name_and_id() {
    let caller = empty().await;
    let brex = &caller.world().brex;
    brex.configure(|settings| settings.payments.vendor_name_match = NameMatch::Prefix);
    let ids: Vec<Value> = (0..50_000)
        .map(|number| brex.add_vendor(&json!({ "company_name": format!("Vendor {number:05}") })).unwrap()["id"].clone())
        .collect();
    for number in (0..50_000).step_by(2_500) {
        let (_, page) = caller.get(&format!("/v1/vendors?name=vendor%20{number:05}")).await;
        assert_eq!(page["items"][0]["id"], ids[number]);
        assert_eq!(caller.get(&path(&ids[number])).await.1["company_name"], format!("Vendor {number:05}"));
    }
}
