//! The floor: a plain client that does the same job and remembers nothing. It lists the records, makes each document with one
//! request, five at once over connections that stay open, and reports the exports in batches of 100. Whatever is killed or answered
//! unclearly is lost or made twice; no product can do that, and none can be faster.

use std::time::Duration;

use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use reqwest::{Client, RequestBuilder};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::super::{Exit, Failure};
use super::real_time;

const AT_ONCE: usize = 5;
const PER_REPORT: usize = 100;
const PER_PAGE: u32 = 1_000;

/// What it is to do.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) ready: Value,
    pub(super) prefix: String,
}

/// How it went.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Done {
    pub(super) records: usize,
    pub(super) seconds: f64,
}

pub(super) async fn run(job: &Job) -> Result<Done, Failure> {
    let http = Client::builder().no_proxy().timeout(Duration::from_mins(1)).build().map_err(|error| failed(&error))?;
    let started = real_time::now();
    let floor = Floor::sign_in(http, &job.ready).await?;
    let mut records = floor.list().await?;
    records.retain(|record| text(record, "/id").starts_with(&job.prefix));
    let number = records.len();
    let mut reports = JoinSet::new();
    let made = stream::iter(records).map(|record| floor.create(record)).buffer_unordered(AT_ONCE);
    let mut batches = made.chunks(PER_REPORT);
    while let Some(batch) = batches.next().await {
        let results = batch.into_iter().collect::<Result<Vec<Value>, Failure>>()?;
        reports.spawn(floor.report(&results));
    }
    while let Some(reported) = reports.join_next().await {
        reported.map_err(|panic| Failure::new(Exit::Unexpected, panic.to_string()))??;
    }
    Ok(Done { records: number, seconds: started.elapsed().as_secs_f64() })
}

struct Floor {
    http: Client,
    brex: String,
    brex_token: String,
    invoices: String,
    bc_token: String,
}

impl Floor {
    async fn sign_in(http: Client, ready: &Value) -> Result<Self, Failure> {
        let tenant = text(ready, "/entra/tenant_id");
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", text(ready, "/entra/client_id")),
            ("client_secret", text(ready, "/entra/client_secret")),
            ("scope", "https://api.businesscentral.dynamics.com/.default"),
        ];
        let url = format!("{}/{tenant}/oauth2/v2.0/token", text(ready, "/entra/base_url"));
        let token = answer(http.post(url).form(&form)).await?;
        let [base, environment, company] =
            ["/bc/base_url", "/bc/environment", "/bc/company_id"].map(|path| text(ready, path));
        Ok(Self {
            brex: text(ready, "/brex/base_url").to_owned(),
            brex_token: text(ready, "/brex/token").to_owned(),
            invoices: format!("{base}/v2.0/{tenant}/{environment}/api/v2.0/companies({company})/purchaseInvoices"),
            bc_token: text(&token, "/access_token").to_owned(),
            http,
        })
    }

    async fn list(&self) -> Result<Vec<Value>, Failure> {
        let mut records = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let limit = PER_PAGE.to_string();
            let since = Timestamp::UNIX_EPOCH.to_string();
            let mut query = vec![
                ("review_status", "READY_FOR_EXPORT"),
                ("source_type", "CARD"),
                ("updated_at[gte]", &since),
                ("limit", &limit),
            ];
            if let Some(cursor) = &cursor {
                query.push(("cursor", cursor));
            }
            let url = format!("{}/v3/accounting/records", self.brex);
            let mut page = answer(self.http.get(url).bearer_auth(&self.brex_token).query(&query)).await?;
            if let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) {
                records.extend(items);
            }
            cursor = page.get("next_cursor").and_then(Value::as_str).filter(|next| !next.is_empty()).map(str::to_owned);
            if cursor.is_none() {
                return Ok(records);
            }
        }
    }

    /// Makes the document of a record. What Brex is to be told of it.
    async fn create(&self, record: Value) -> Result<Value, Failure> {
        let request = self.http.post(&self.invoices).bearer_auth(&self.bc_token).json(&document(&record));
        let made = answer(request).await?;
        let (id, number) = (text(&record, "/id"), text(&made, "/number"));
        let link = format!("https://businesscentral.dynamics.com/?page=51&filter=No.%20IS%20{number}");
        Ok(json!({ "accounting_record_id": id, "success": { "reference_id": number, "deep_link_url": link } }))
    }

    fn report(&self, results: &[Value]) -> impl Future<Output = Result<(), Failure>> + Send + use<> {
        let url = format!("{}/v3/accounting/records/export-results", self.brex);
        let key = uuid::Uuid::now_v7().to_string();
        let request = self.http.post(url).bearer_auth(&self.brex_token).header("Idempotency-Key", key);
        let request = request.json(&json!({ "results": results }));
        async move { answer(request).await.map(drop) }
    }
}

fn document(record: &Value) -> Value {
    let day = text(record, "/posted_at").get(..10).unwrap_or_default();
    let id = text(record, "/id");
    let empty = Vec::new();
    let lines = record.get("line_items").and_then(Value::as_array).unwrap_or(&empty);
    let debits = lines.iter().filter(|line| text(line, "/type") == "DEBIT");
    let coded = |line: &Value, field: &str| {
        let values = line.get("accounting_field_values").and_then(Value::as_array);
        let value = values.into_iter().flatten().find(|value| text(value, "/remote_field_id") == field);
        value.map(|value| text(value, "/remote_field_value_id").to_owned()).unwrap_or_default()
    };
    let mut made: Vec<Value> = Vec::new();
    let (mut vendor, mut department) = (String::new(), String::new());
    for line in debits {
        vendor = coded(line, "VENDOR");
        department = coded(line, "DIM_DEPARTMENT");
        made.push(json!({
            "lineType": "Account", "lineObjectNumber": coded(line, "GL_ACCOUNT"), "description": text(record, "/memo"),
            "quantity": 1, "unitCost": line.pointer("/amount/amount"),
        }));
    }
    made.push(json!({ "lineType": "Comment", "description": format!("Brex record {id}") }));
    let number = format!("FLOOR-{}", id.get(id.len().saturating_sub(20)..).unwrap_or(id));
    let mut document = json!({
        "vendorNumber": vendor, "postingDate": day, "invoiceDate": day, "vendorInvoiceNumber": number,
        "dimensionSetLines": [{ "code": "DEPARTMENT", "valueCode": department }],
        "purchaseInvoiceLines": made,
    });
    let currency = text(record, "/amount/currency");
    if currency != "USD" {
        document["currencyCode"] = json!(currency);
    }
    document
}

async fn answer(request: RequestBuilder) -> Result<Value, Failure> {
    let response = request.send().await.map_err(|error| failed(&error))?;
    let status = response.status();
    let body = response.bytes().await.map_err(|error| failed(&error))?;
    if !status.is_success() {
        let said = String::from_utf8_lossy(&body).into_owned();
        return Err(Failure::new(Exit::Unexpected, format!("the floor client was answered {status}: {said}")));
    }
    serde_json::from_slice(&body).map_err(|e| Failure::new(Exit::Unexpected, format!("the floor client: {e}")))
}

fn failed(error: &reqwest::Error) -> Failure {
    Failure::new(Exit::Unexpected, format!("the floor client: {error}"))
}

fn text<'v>(value: &'v Value, path: &str) -> &'v str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_default()
}
