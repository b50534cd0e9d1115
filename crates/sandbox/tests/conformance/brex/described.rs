//! Every answer of the Brex side against Brex's own OpenAPI files.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::{Value, json};

use crate::brex::caller::{Caller, client};
use crate::openapi::{Api, never_seen, unexpected};

/// A caller whose every answer is checked.
pub(super) struct Checked {
    pub(super) caller: Caller,
    pub(super) api: Api,
    pub(super) seen: BTreeSet<String>,
}

impl Checked {
    /// None if Brex's file is not at hand.
    pub(super) async fn start(file: &str) -> Option<Self> {
        let api = Api::brex(file)?;
        Some(Self { caller: Caller::start().await, api, seen: BTreeSet::new() })
    }

    /// Sends, checks that the answer has the status and is as described, and gives its body.
    pub(super) async fn ask(&mut self, method: &str, path: &str, body: Option<&Value>, expected: u16) -> Value {
        // The same call has the same key, and a key has at most 255 characters.
        let mut hasher = DefaultHasher::new();
        (method, path, body.map(Value::to_string)).hash(&mut hasher);
        let mut request = self.caller.request(method, path).header("Idempotency-Key", hasher.finish());
        if let Some(body) = body {
            request = request.json(body);
        }
        let (status, answer) = self.caller.send(request).await;
        assert_eq!(status, expected, "{method} {path}: {answer}");
        let wrong = self.api.answer(method, path.split('?').next().unwrap(), status, &answer);
        self.seen.extend(wrong.iter().cloned());
        assert_eq!(unexpected(wrong), [""; 0], "{method} {path}");
        answer
    }

    /// The same without a token, and with one that may do nothing.
    pub(super) async fn refused(&mut self, method: &str, path: &str) {
        let (status, answer) = self.caller.send(client().request(method.parse().unwrap(), self.caller.url(path))).await;
        assert_eq!(status, 401);
        assert_eq!(unexpected(self.api.answer(method, path, status, &answer)), [""; 0]);
        self.caller.world().brex.set_scopes(&["openid"]);
        self.ask(method, path, None, 403).await;
        self.caller.world().brex.issue_token();
        self.caller.world().brex.set_scopes(sandbox::brex::ALL_SCOPES);
    }
}

const RECORDS: &str = "/v3/accounting/records";
const INTEGRATION: &str = "/v3/accounting/integration";

#[tokio::test]
async fn accounting_records_are_as_described() {
    let Some(mut checked) = Checked::start("accounting-1.0.0-alpha.json").await else { return };
    let page = checked.ask("GET", &format!("{RECORDS}?updated_at[gt]=2000-01-01&limit=500"), None, 200).await;
    for record in page["items"].as_array().unwrap() {
        let id = record["id"].as_str().unwrap();
        checked.ask("GET", &format!("{RECORDS}/{id}"), None, 200).await;
        checked.ask("GET", &format!("{RECORDS}/{id}?single_entry=true"), None, 200).await;
    }
    checked.ask("GET", &format!("{RECORDS}/accr_x"), None, 404).await;
    checked.ask("GET", &format!("{RECORDS}?limit=0"), None, 400).await;
    for path in [RECORDS.to_owned(), format!("{RECORDS}/accr_x")] {
        checked.refused("GET", &path).await;
    }
    let names = ["AccountingRecordDetailed", "AccountingRecordLineItem", "AccountingFieldValue", "User"];
    assert_eq!(never_seen(&checked.seen, &names), [""; 0]);
}

#[tokio::test]
async fn export_results_are_as_described() {
    let Some(mut checked) = Checked::start("accounting-1.0.0-alpha.json").await else { return };
    let path = format!("{RECORDS}/export-results");
    let [first, second] = checked.caller.two_ready();
    let failed = |id: &str| json!({ "accounting_record_id": id, "failure": { "error_message": "blocked" } });
    let booked = |id: &str| json!({ "accounting_record_id": id, "success": { "reference_id": "1" } });
    for (results, expected) in [
        (json!([booked("accr_x")]), 404),
        (json!([booked(&first), failed(&first)]), 422),
        (json!([booked(&first), failed(&second)]), 200),
        (json!([booked(&first)]), 422),
        (json!([]), 400),
    ] {
        checked.ask("POST", &path, Some(&json!({ "results": results })), expected).await;
    }
    checked.refused("POST", &path).await;
}

#[tokio::test]
async fn integrations_are_as_described() {
    let Some(mut checked) = Checked::start("accounting-1.0.0-alpha.json").await else { return };
    let body = |vendor: &str, account: &str| json!({ "vendor": vendor, "vendor_account_id": account });
    let made = checked.ask("POST", INTEGRATION, Some(&body("ERP_A", "a")), 200).await;
    checked.ask("POST", INTEGRATION, Some(&body("ERP_A", "b")), 409).await;
    checked.ask("POST", INTEGRATION, Some(&body("ERP_B", "a")), 409).await;
    checked.ask("POST", INTEGRATION, Some(&json!({})), 400).await;
    let one = format!("{INTEGRATION}/{}", made["integration_id"].as_str().unwrap());
    checked.ask("POST", &format!("{one}/disconnect"), None, 200).await;
    checked.ask("POST", &format!("{one}/disconnect"), None, 409).await;
    checked.ask("POST", &format!("{one}/reactivate"), None, 200).await;
    for action in ["disconnect", "reactivate"] {
        checked.ask("POST", &format!("{INTEGRATION}/int_x/{action}"), None, 404).await;
        checked.refused("POST", &format!("{one}/{action}")).await;
    }
    checked.refused("POST", INTEGRATION).await;
    let id_key = |settings: &mut sandbox::brex::Settings| settings.integration_id_key = sandbox::brex::IdKey::Id;
    checked.caller.world().brex.configure(id_key);
    checked.ask("POST", INTEGRATION, Some(&body("ERP_A", "a")), 200).await;
    assert_eq!(never_seen(&checked.seen, &["Integration"]), [""; 0]);
}

#[tokio::test]
async fn the_recorded_record_differs_from_the_description_as_the_sandbox_does() {
    let Some(api) = Api::brex("accounting-1.0.0-alpha.json") else { return };
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/reference/brex-openapi");
    let text = std::fs::read_to_string(format!("{folder}/recorded-accounting-record.json")).unwrap();
    let recorded: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(unexpected(api.named("AccountingRecordDetailed", &recorded)), [""; 0]);
    let caller = Caller::start().await;
    let id = caller.first(|record| record["vendor"]["name"] == "Vendor H");
    let imitated = caller.world().brex.record(&id).unwrap().record;
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(keys(&imitated), keys(&recorded));
    for index in 0..2 {
        assert_eq!(keys(&imitated["line_items"][index]), keys(&recorded["line_items"][index]));
    }
    let coding = "/line_items/0/accounting_field_values/0";
    assert_eq!(keys(imitated.pointer(coding).unwrap()), keys(recorded.pointer(coding).unwrap()));
    assert_eq!(keys(&imitated["vendor"]), keys(&recorded["vendor"]));
}

#[tokio::test]
async fn fields_and_values_are_as_described() {
    let Some(mut checked) = Checked::start("fields-1.0.0-beta.json").await else { return };
    let field = checked.ask("POST", "/v1/fields", Some(&json!({ "name": "Project", "group": "USER" })), 200).await;
    checked.ask("POST", "/v1/fields", Some(&json!({})), 400).await;
    let one = format!("/v1/fields/{}", field["brex_id"].as_str().unwrap());
    let values = format!("{one}/values");
    checked.ask("GET", "/v1/fields", None, 200).await;
    checked.ask("GET", &one, None, 200).await;
    checked.ask("PUT", &one, Some(&json!({ "name": "Job" })), 200).await;
    let items = json!({ "items": [{ "value": "A", "remote_id": "a", "value_id": "1" }] });
    let made = checked.ask("POST", &values, Some(&items), 200).await;
    checked.ask("GET", &values, None, 200).await;
    checked.ask("GET", &format!("{values}/{}", made["items"][0]["brex_id"].as_str().unwrap()), None, 200).await;
    let change = json!({ "items": [{ "remote_id": "a", "data": { "is_disabled": true } }] });
    checked.ask("PUT", &values, Some(&change), 200).await;
    checked.ask("PUT", &values, Some(&json!({ "items": 1 })), 400).await;
    checked.ask("DELETE", &values, Some(&json!({ "items": [{ "value_id": "1" }] })), 200).await;
    checked.ask("GET", &format!("{values}/efo_x"), None, 404).await;
    checked.ask("DELETE", &one, None, 200).await;
    checked.ask("DELETE", &one, None, 404).await;
    for (method, path) in
        [("GET", "/v1/fields"), ("POST", "/v1/fields"), ("PUT", one.as_str()), ("GET", values.as_str())]
    {
        checked.refused(method, path).await;
    }
}

#[tokio::test]
async fn webhook_subscriptions_and_secrets_are_as_described() {
    let Some(mut checked) = Checked::start("webhooks-0.1.json").await else { return };
    let body = json!({ "url": "https://example.com/hook", "event_types": ["USER_UPDATED"] });
    let made = checked.ask("POST", "/v1/webhooks", Some(&body), 200).await;
    checked.ask("POST", "/v1/webhooks", Some(&json!({})), 400).await;
    let one = format!("/v1/webhooks/{}", made["id"].as_str().unwrap());
    checked.ask("GET", "/v1/webhooks", None, 200).await;
    checked.ask("GET", "/v1/webhooks/secrets", None, 200).await;
    checked.ask("GET", &one, None, 200).await;
    let change = json!({ "url": body["url"], "event_types": body["event_types"], "status": "INACTIVE" });
    checked.ask("PUT", &one, Some(&change), 200).await;
    checked.ask("PUT", &one, Some(&body), 400).await;
    checked.ask("DELETE", &one, None, 200).await;
    checked.ask("GET", &one, None, 404).await;
    assert_eq!(never_seen(&checked.seen, &["WebhookSubscription"]), [""; 0]);
}

#[tokio::test]
async fn the_company_and_the_user_of_the_token_are_as_described() {
    let Some(mut checked) = Checked::start("team-1.0.json").await else { return };
    for path in ["/v2/company", "/v2/users/me"] {
        checked.ask("GET", path, None, 200).await;
        checked.refused("GET", path).await;
    }
}

#[tokio::test]
async fn departments_locations_entities_and_users_are_as_described() {
    let Some(mut checked) = Checked::start("team-1.0.json").await else { return };
    for path in ["/v2/departments", "/v2/locations", "/v2/legal_entities", "/v2/users"] {
        let page = checked.ask("GET", path, None, 200).await;
        for item in page["items"].as_array().unwrap() {
            checked.ask("GET", &format!("{path}/{}", item["id"].as_str().unwrap()), None, 200).await;
        }
    }
    for path in ["/v2/departments", "/v2/locations"] {
        checked.ask("POST", path, Some(&json!({ "name": "North" })), 200).await;
    }
}

#[tokio::test]
async fn expenses_are_as_described() {
    let Some(mut checked) = Checked::start("expenses-0.1.json").await else { return };
    let all = "expand[]=merchant&expand[]=user&expand[]=location&expand[]=department&expand[]=payment\
        &expand[]=receipts.download_uris&load_custom_fields=true";
    let mut cursor = String::new();
    loop {
        let page = checked.ask("GET", &format!("/v1/expenses?{all}&limit=50{cursor}"), None, 200).await;
        for item in page["items"].as_array().unwrap() {
            checked.ask("GET", &format!("/v1/expenses/{}", item["id"].as_str().unwrap()), None, 200).await;
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let cards = checked.ask("GET", "/v1/expenses/card", None, 200).await;
    let one = format!("/v1/expenses/card/{}", cards["items"][0]["id"].as_str().unwrap());
    checked.ask("GET", &one, None, 200).await;
    checked.ask("PUT", &one, Some(&json!({ "memo": "x" })), 200).await;
    checked.ask("PUT", &one, Some(&json!({ "memo": 1 })), 400).await;
    let name = json!({ "receipt_name": "a.pdf" });
    for path in [format!("{one}/receipt_upload"), "/v1/expenses/card/receipt_match".to_owned()] {
        checked.ask("POST", &path, Some(&name), 201).await;
        checked.ask("POST", &path, Some(&json!({})), 400).await;
    }
    checked.ask("GET", "/v1/expenses?limit=101", None, 400).await;
    checked.ask("GET", "/v1/expenses/expense_x", None, 404).await;
    checked.refused("GET", "/v1/expenses").await;
    assert_eq!(never_seen(&checked.seen, &["ExpandableExpense"]), [""; 0]);
}
