//! A started sandbox with a logged-in Business Central client, shared by the tests of that side.

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use sandbox::{Options, Sandbox};
use serde_json::{Value, json};

/// The moment at which the clock of every test stands.
pub(crate) const START: &str = "2026-03-02T10:00:00Z";

/// A sandbox and the means to talk to it.
pub(crate) struct Caller {
    pub(crate) sandbox: Sandbox,
    pub(crate) client: Client,
    pub(crate) token: String,
}

impl Caller {
    pub(crate) async fn start() -> Self {
        Self::start_with(Options { records: 1, start: Some(START.parse().unwrap()), ..Options::default() }).await
    }

    pub(crate) async fn start_with(options: Options) -> Self {
        let sandbox = Sandbox::start(options).await.expect("the sandbox starts");
        let world = sandbox.world();
        let (token, _) = world.entra.issue_token(world.clock.now());
        let client = Client::builder().no_proxy().build().expect("a client");
        Self { sandbox, client, token }
    }

    /// `{base}/v2.0/{tenant}/{environment}/api/v2.0`
    pub(crate) fn service(&self) -> String {
        let ready = self.sandbox.ready();
        format!("{}/v2.0/{}/{}/api/v2.0", ready.bc.base_url, ready.entra.tenant_id, ready.bc.environment)
    }

    /// A URL within the company.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}/companies({})/{path}", self.service(), self.sandbox.ready().bc.company_id)
    }

    pub(crate) fn request(&self, method: Method, url: &str) -> RequestBuilder {
        self.client.request(method, url).bearer_auth(&self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        answer(self.request(Method::GET, &self.url(path))).await
    }

    /// The rows of a collection.
    pub(crate) async fn rows(&self, path: &str) -> Vec<Value> {
        let (status, body) = self.get(path).await;
        assert_eq!(status, 200, "{body}");
        body["value"].as_array().unwrap().clone()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        answer(self.request(Method::POST, &self.url(path)).json(&body)).await
    }

    pub(crate) async fn patch(&self, path: &str, if_match: &str, body: Value) -> (StatusCode, Value) {
        answer(self.request(Method::PATCH, &self.url(path)).header("If-Match", if_match).json(&body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> (StatusCode, Value) {
        answer(self.request(Method::DELETE, &self.url(path))).await
    }

    /// The id of a row by its number.
    pub(crate) async fn id_of(&self, set: &str, number: &str) -> String {
        let rows = self.rows(&format!("{set}?$filter=number eq '{number}'&$select=id")).await;
        rows[0]["id"].as_str().unwrap().to_owned()
    }

    /// A draft purchase invoice that is fine.
    pub(crate) async fn draft(&self, number: &str) -> Value {
        let (status, body) = self.post("purchaseInvoices", invoice(number)).await;
        assert_eq!(status, 201, "{body}");
        body
    }

    pub(crate) async fn post_document(&self, set: &str, id: &str) -> (StatusCode, Value) {
        let url = self.url(&format!("{set}({id})/Microsoft.NAV.post"));
        answer(self.request(Method::POST, &url)).await
    }
}

/// Status and JSON body, null if empty.
pub(crate) async fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.expect("an answer");
    let status = response.status();
    let text = response.text().await.expect("a body");
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// The body of a purchase invoice that is fine.
pub(crate) fn invoice(number: &str) -> Value {
    json!({
        "vendorNumber": "V00001", "postingDate": "2026-03-01", "invoiceDate": "2026-02-27",
        "vendorInvoiceNumber": number,
        "purchaseInvoiceLines": [
            {"lineType": "Account", "lineObjectNumber": "60500", "description": "Hosting", "quantity": 1, "unitCost": 125.40},
            {"lineType": "Comment", "description": "Brex record accr_1"},
        ],
    })
}

/// Code and message without the correlation id.
pub(crate) fn error(body: &Value) -> (String, String) {
    let error = &body["error"];
    let message = error["message"].as_str().unwrap_or_default();
    let message = message.split("  CorrelationId:  ").next().unwrap_or_default();
    (error["code"].as_str().unwrap_or_default().to_owned(), message.to_owned())
}
