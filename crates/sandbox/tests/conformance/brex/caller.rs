//! A caller of the sandbox's Brex port, with a clock that stands still.

use std::sync::Arc;

use sandbox::{Options, Sandbox, World};
use serde_json::{Value, json};

/// Where the clock stands.
pub(crate) const NOW: &str = "2026-06-20T12:00:00Z";

/// A plain client: no proxy, no redirects.
pub(crate) fn client() -> reqwest::Client {
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    builder.no_proxy().build().unwrap()
}

/// A running sandbox and a client with its token.
pub(crate) struct Caller {
    pub(crate) sandbox: Sandbox,
    client: reqwest::Client,
}

impl Caller {
    /// The sandbox of seed 1.
    pub(crate) async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    /// Any sandbox, frozen at [`NOW`].
    pub(crate) async fn start_with(options: Options) -> Self {
        let start = Some(NOW.parse().unwrap());
        Self { sandbox: Sandbox::start(Options { start, ..options }).await.unwrap(), client: client() }
    }

    /// Everything the sandbox knows.
    pub(crate) fn world(&self) -> Arc<World> {
        self.sandbox.world()
    }

    /// The Brex port.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.ready().brex.base_url)
    }

    /// The control port.
    pub(crate) fn control(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.ready().control.base_url)
    }

    /// A request with the token that was valid at the start.
    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method.parse().unwrap(), self.url(path)).bearer_auth(&self.sandbox.ready().brex.token)
    }

    /// Status and JSON body, null if there is none.
    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// GET.
    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.send(self.request("GET", path)).await
    }

    /// The exact text of an answer.
    pub(crate) async fn text(&self, path: &str) -> String {
        self.request("GET", path).send().await.unwrap().text().await.unwrap()
    }

    /// POST with a JSON body.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.send(self.request("POST", path).json(body)).await
    }

    /// Reports export results.
    pub(crate) async fn export(&self, results: &Value) -> (u16, Value) {
        self.post("/v3/accounting/records/export-results", &json!({ "results": results })).await
    }

    /// The records of a query, over all pages.
    pub(crate) async fn all(&self, query: &str) -> Vec<Value> {
        let mut records = Vec::new();
        let mut cursor = String::new();
        loop {
            let (status, page) = self.get(&format!("/v3/accounting/records?{query}{cursor}")).await;
            assert_eq!(status, 200, "{page}");
            records.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return records,
            }
        }
    }

    /// The id of the first record of a kind.
    pub(crate) fn first(&self, wanted: impl Fn(&Value) -> bool) -> String {
        let records = self.world().brex.records();
        records.into_iter().find(|report| wanted(&report.record)).unwrap().id
    }

    /// Two card records that are ready for export.
    pub(crate) fn two_ready(&self) -> [String; 2] {
        let records = self.world().brex.records();
        let mut ids = records
            .into_iter()
            .filter(|report| report.review_status == "READY_FOR_EXPORT" && report.record["source_type"] == "CARD")
            .map(|report| report.id);
        [ids.next().unwrap(), ids.next().unwrap()]
    }
}
