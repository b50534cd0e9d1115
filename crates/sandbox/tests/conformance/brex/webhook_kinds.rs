//! Brex's webhooks beyond those of the export: other events, groups, revoked secrets, endpoints that do not take events.

use jiff::SignedDuration;
use sandbox::brex::{SecretStatus, SubscriptionStatus};
use serde_json::{Value, json};

use super::caller::{Caller, client};
use super::webhooks::{deliver, subscribed, waiting};

/// The types of the reference, section 6.
const TYPES: [&str; 20] = [
    "REFERRAL_CREATED",
    "REFERRAL_ACTIVATED",
    "REFERRAL_APPLICATION_STATUS_CHANGED",
    "TRANSFER_PROCESSED",
    "TRANSFER_FAILED",
    "EXPENSE_PAYMENT_UPDATED",
    "USER_UPDATED",
    "EMBEDDED_CARD_TRANSACTION_UPDATED",
    "EMBEDDED_CARD_UPDATED",
    "EMBEDDED_ACCOUNT_UPDATED",
    "EMBEDDED_CARD_SHIPPING_UPDATED",
    "EMBEDDED_DISPUTE_UPDATED",
    "PARTNERSHIP_INTEGRATION_CONNECTION_UPDATED",
    "EMBEDDED_CARD_AUTHORIZATION",
    "EMBEDDED_FRAUD_ALERT",
    "EMBEDDED_BILLING_GROUP_UPDATED",
    "EMBEDDED_LEGAL_ENTITY_UPDATED",
    "EMBEDDED_BILLING_STATEMENT_UPDATED",
    "EMBEDDED_USER_STATUS_UPDATED",
    "ACCOUNTING_RECORD_READY_FOR_EXPORT",
];

async fn subscribe(caller: &Caller, body: &Value) -> (u16, Value) {
    // A key has at most 255 characters.
    let key: String = body.to_string().chars().take(200).collect();
    let request = caller.request("POST", "/v1/webhooks").header("Idempotency-Key", key);
    caller.send(request.json(body)).await
}

/// A caller who subscribed to one type; nothing is sent.
async fn listening(event_type: &str) -> Caller {
    let caller = Caller::start().await;
    caller.world().brex.pause_deliveries(true);
    let body = json!({ "url": "https://example.com/", "event_types": [event_type] });
    assert_eq!(subscribe(&caller, &body).await.0, 200);
    caller
}

fn events(caller: &Caller) -> Vec<Value> {
    let deliveries = caller.world().brex.deliveries();
    deliveries.iter().map(|delivery| serde_json::from_str(&delivery.body).unwrap()).collect()
}

#[tokio::test]
async fn every_documented_event_type_can_be_subscribed_to_and_no_other() {
    let caller = Caller::start().await;
    let all = json!({ "url": "https://example.com/", "event_types": TYPES });
    let (status, made) = subscribe(&caller, &all).await;
    assert_eq!((status, &made["event_types"]), (200, &json!(TYPES)));
    for wrong in [
        json!([]),
        json!(["BILL_UPDATED"]),
        json!(["USER_UPDATED", "FIELD_UPDATED"]),
        json!("USER_UPDATED"),
        json!([1]),
    ] {
        let body = json!({ "url": "https://example.com/", "event_types": wrong });
        let refusal = json!({ "type": "BAD_REQUEST", "message": "event_types is invalid" });
        assert_eq!(subscribe(&caller, &body).await, (400, refusal), "{wrong}");
    }
}

#[tokio::test]
async fn a_group_is_for_partners_only() {
    let caller = Caller::start().await;
    let body = json!({ "url": "https://example.com/", "event_types": ["USER_UPDATED"], "group_id": "wg_1" });
    let refusal = json!({ "type": "BAD_REQUEST", "message": "group_id is invalid" });
    assert_eq!(subscribe(&caller, &body).await, (400, refusal));
    caller.world().brex.configure(|settings| settings.webhooks.partner = true);
    let (status, made) = subscribe(&caller, &body).await;
    assert_eq!((status, &made["group_id"]), (200, &json!("wg_1")));
    let path = format!("/v1/webhooks/{}", made["id"].as_str().unwrap());
    let change = json!({ "url": "https://example.com/", "event_types": ["USER_UPDATED"], "status": "ACTIVE" });
    let (_, changed) = caller.send(caller.request("PUT", &path).json(&change)).await;
    assert_eq!(changed["group_id"], Value::Null);
}

#[tokio::test]
async fn a_user_who_changes_is_told_with_the_attributes_that_are_others_now() {
    let caller = listening("USER_UPDATED").await;
    let (_, page) = caller.get("/v2/users").await;
    let user = &page["items"][1];
    let id = user["id"].as_str().unwrap();
    let url = caller.control(&format!("/_sandbox/brex/users/{id}"));
    let patch = async |body: Value| caller.send(client().patch(&url).json(&body)).await.0;
    let change = json!({ "status": "DISABLED", "department_id": user["department_id"], "manager_id": null });
    assert_eq!(patch(change.clone()).await, 204);
    assert_eq!(patch(change).await, 204, "nothing is another now");
    assert_eq!(patch(json!({ "email": "x" })).await, 400);
    assert_eq!(patch(json!({ "status": 1 })).await, 400);
    let expected = json!({ "event_type": "USER_UPDATED", "user_id": id, "company_id": caller.world().brex.company_id(),
        "updated_attributes": ["STATUS", "MANAGER_ID"] });
    assert_eq!(events(&caller), [expected]);
    assert_eq!(caller.get(&format!("/v2/users/{id}")).await.1["status"], "DISABLED");
}

#[tokio::test]
async fn an_authorization_is_told_in_minor_units_and_nothing_is_booked() {
    let caller = listening("EXPENSE_PAYMENT_UPDATED").await;
    let records = caller.world().brex.records().len();
    let url = caller.control("/_sandbox/brex/authorizations");
    let mut body = json!({ "payment_status": "PENDING", "payment_status_reason": "APPROVED", "payment_type": "PURCHASE",
        "raw_descriptor": "AWS EMEA", "cents": 1999 });
    let (status, made) = caller.send(client().post(&url).json(&body)).await;
    assert_eq!(status, 200, "{made}");
    body["payment_status"] = json!("DECLINED");
    body["expense_id"] = made["expense_id"].clone();
    body["version"] = json!(2);
    caller.send(client().post(&url).json(&body)).await;
    let told = events(&caller);
    for (event, version, payment_status) in [(&told[0], 1, "PENDING"), (&told[1], 2, "DECLINED")] {
        for field in
            ["event_type", "payment_status_reason", "payment_type", "company_id", "card_id", "payment_description"]
        {
            assert!(event[field].is_string(), "{field}");
        }
        assert_eq!((&event["expense_id"], &event["payment_status"]), (&made["expense_id"], &json!(payment_status)));
        assert_eq!((&event["version"], &event["billing_amount"]["amount"]), (&json!(version), &json!(1999)));
        assert_eq!(event["merchant"]["raw_descriptor"], "AWS EMEA");
    }
    assert_eq!(caller.world().brex.records().len(), records);
    let path = format!("/v1/expenses/{}", made["expense_id"].as_str().unwrap());
    assert_eq!(caller.get(&path).await.0, 404);
}

#[tokio::test]
async fn an_event_needs_the_scope_of_what_it_tells() {
    let caller = listening("USER_UPDATED").await;
    let (_, page) = caller.get("/v2/users").await;
    let id = page["items"][0]["id"].as_str().unwrap();
    let change = |status: &str| {
        let patch = json!({ "status": status });
        let now = caller.world().clock.now();
        caller.world().brex.update_user(id, patch.as_object().unwrap(), now).unwrap();
    };
    caller.world().brex.set_scopes(&["openid", "departments"]);
    change("DISABLED");
    assert_eq!(events(&caller).len(), 0);
    caller.world().brex.set_scopes(&["users.readonly"]);
    change("ACTIVE");
    assert_eq!(events(&caller).len(), 1);
}

#[tokio::test]
async fn revoked_secrets_are_listed_only_if_that_is_switched_on_and_never_sign() {
    let (caller, inbox) = subscribed().await;
    let old = caller.world().brex.webhook_secret();
    caller.world().brex.rotate_secret();
    caller.world().brex.finish_rotation();
    let listed = async || caller.get("/v1/webhooks/secrets").await.1.as_array().unwrap().clone();
    assert_eq!(listed().await.len(), 1);
    caller.world().brex.configure(|settings| settings.webhooks.revoked_secrets_listed = true);
    assert!(listed().await.contains(&json!({ "secret": old, "status": "REVOKED" })));
    assert_eq!(caller.world().brex.webhooks().secrets[0].status, SecretStatus::Revoked);
    let now = caller.world().clock.now();
    caller.world().brex.announce(&waiting(&caller)[..1], now);
    deliver(&caller).await;
    assert_eq!(inbox.got.lock().unwrap()[0].2.split(' ').count(), 1);
}

#[tokio::test]
async fn a_subscription_that_never_takes_an_event_may_end_as_error() {
    let (caller, inbox) = subscribed().await;
    caller.world().brex.configure(|settings| {
        settings.webhooks.given_up_is_error = true;
        settings.webhooks.retries = 1;
    });
    inbox.answers.lock().unwrap().extend([500; 2]);
    let now = caller.world().clock.now();
    caller.world().brex.announce(&["accr_1".to_owned()], now);
    assert_eq!(deliver(&caller).await.failed, 1);
    caller.world().clock.advance(SignedDuration::from_secs(5));
    assert_eq!(caller.world().brex.subscriptions()[0].status, SubscriptionStatus::Active);
    assert_eq!(deliver(&caller).await.failed, 1);
    let (_, page) = caller.get("/v1/webhooks").await;
    assert_eq!(page["items"][0]["status"], "ERROR");
    caller.world().brex.announce(&["accr_1".to_owned()], now);
    assert_eq!(caller.world().brex.deliveries().len(), 1);
}

#[tokio::test]
async fn a_repeated_key_changes_a_field_its_values_and_a_subscription_once() {
    let caller = Caller::start().await;
    let send = async |method: &str, path: &str, key: &str, body: &Value| {
        let request = caller.request(method, path).header("Idempotency-Key", key);
        let (status, answer) = caller.send(request.json(body)).await;
        assert_eq!(status, 200, "{method} {path}: {answer}");
        answer
    };
    let field = send("POST", "/v1/fields", "1", &json!({ "name": "A", "group": "USER" })).await;
    let field = format!("/v1/fields/{}", field["brex_id"].as_str().unwrap());
    let values = format!("{field}/values");
    send("POST", &values, "2", &json!({ "items": [{ "value": "a", "remote_id": "1" }] })).await;
    let hook = json!({ "url": "https://a.example/", "event_types": ["USER_UPDATED"], "status": "ACTIVE" });
    let made = send("POST", "/v1/webhooks", "3", &hook).await;
    let subscription = format!("/v1/webhooks/{}", made["id"].as_str().unwrap());
    let other = json!({ "url": "https://b.example/", "event_types": ["USER_UPDATED"], "status": "INACTIVE" });
    let value = |text: &str| json!({ "items": [{ "remote_id": "1", "data": { "value": text } }] });
    for (path, first, second) in [
        (&field, json!({ "name": "B" }), json!({ "name": "C" })),
        (&values, value("b"), value("c")),
        (&subscription, other, hook),
    ] {
        let answer = send("PUT", path, "k", &first).await;
        let before = caller.get(path).await;
        assert_eq!(send("PUT", path, "k", &second).await, answer, "the key is known, so nothing is done");
        assert_eq!(caller.get(path).await, before);
        assert_ne!(send("PUT", path, "another", &second).await, answer);
        send("PUT", path, "a third", &first).await;
        caller.send(caller.request("PUT", path).json(&second)).await;
        assert_ne!(caller.get(path).await, before, "without a key everything is done");
    }
}

#[tokio::test]
async fn keys_count_in_the_accounting_api_only_if_that_is_switched_on() {
    let caller = Caller::start().await;
    let [first, second] = caller.two_ready();
    let report = async |id: &str| {
        let body = json!({ "results": [{ "accounting_record_id": id, "success": {} }] });
        let request = caller.request("POST", "/v3/accounting/records/export-results").header("Idempotency-Key", "k");
        caller.send(request.json(&body)).await
    };
    assert_eq!((report(&first).await.0, report(&first).await.0), (200, 422));
    caller.world().brex.configure(|settings| settings.idempotency.accounting = true);
    let answer = report(&second).await;
    assert_eq!((answer.0, report(&second).await), (200, answer));
}
