//! `$batch`: parts in their order, stopping at the first error unless told otherwise, in one transaction if told so.

use std::fmt::Write as _;

use axum::http::{Method, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::State;
use super::call::{Answer, Call, Content, execute};
use super::error::Refusal;
use super::group::Group;
use crate::ids::Ids;

/// The most parts of one batch.
pub(super) const MAXIMUM: usize = 100;

/// The body of a batch.
#[derive(Debug, Deserialize)]
pub(super) struct Batch {
    requests: Vec<Part>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    id: Option<Value>,
    method: String,
    url: String,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    body: Option<Value>,
    #[serde(default)]
    atomicity_group: Option<String>,
}

impl Part {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).and_then(|(_, value)| value.as_str())
    }
}

/// How a batch is run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner<'a> {
    /// `Accept-Language`, for parts that name none.
    pub(super) language: Option<&'a str>,
    /// `Prefer: odata.continue-on-error`
    pub(super) continue_on_error: bool,
    /// `Isolation: snapshot`
    pub(super) snapshot: bool,
}

impl Batch {
    pub(super) fn read(body: &[u8]) -> Result<Self, Refusal> {
        let batch: Self = serde_json::from_slice(body).map_err(|_| Refusal::bad_request("Invalid Request Body"))?;
        if batch.requests.len() > MAXIMUM {
            return Err(Refusal::batch_too_large(MAXIMUM));
        }
        let mut groups: Vec<&String> = batch.requests.iter().filter_map(|part| part.atomicity_group.as_ref()).collect();
        let all = groups.len();
        groups.sort_unstable();
        groups.dedup();
        if groups.len() < all {
            return Err(Refusal::change_set());
        }
        Ok(batch)
    }

    pub(super) fn len(&self) -> usize {
        self.requests.len()
    }

    /// The first so many parts.
    pub(super) fn first(mut self, parts: usize) -> Self {
        self.requests.truncate(parts);
        self
    }

    /// Which parts only read.
    pub(super) fn reads(&self) -> Vec<bool> {
        self.requests.iter().map(|part| part.method.eq_ignore_ascii_case("GET")).collect()
    }

    /// Runs the parts; the answers to those that ran. After a failure in a snapshot nothing is kept, although the
    /// earlier parts still report success.
    pub(super) fn run(
        &self,
        state: &mut State,
        ids: &Ids,
        now: Timestamp,
        (service, group): (&str, &'static Group),
        manner: Manner<'_>,
    ) -> Vec<(Option<Value>, Answer)> {
        let mut before = manner.snapshot.then(|| state.tables.clone());
        let mut answers = Vec::with_capacity(self.requests.len());
        let mut failed = false;
        for part in &self.requests {
            let answer = run_part(part, state, ids, now, (service, group), manner.language);
            // Posting commits what came before it, and itself if it succeeds.
            if manner.snapshot && part.url.to_ascii_lowercase().contains("/microsoft.nav.post") {
                before = Some(state.tables.clone());
            }
            let first = answers.is_empty();
            let error = answer.status.is_client_error() || answer.status.is_server_error();
            answers.push((part.id.clone(), answer));
            failed |= error;
            // A snapshot whose first part fails ends there in any case.
            let stops = !manner.continue_on_error || (manner.snapshot && first);
            if error && stops {
                break;
            }
        }
        if let (Some(before), true) = (before, failed) {
            state.tables = before;
        }
        answers
    }
}

fn run_part(
    part: &Part,
    state: &mut State,
    ids: &Ids,
    now: Timestamp,
    (service, group): (&str, &'static Group),
    language: Option<&str>,
) -> Answer {
    let Ok(method) = Method::from_bytes(part.method.to_ascii_uppercase().as_bytes()) else {
        return Answer::refusal(&Refusal::bad_request("Invalid Request Body"), ids);
    };
    if part.url.len() > state.tables.settings.limits.url_bytes {
        return Answer::refusal(&Refusal::url_too_long(), ids);
    }
    if part.url.contains("://") {
        return Answer::refusal(&Refusal::no_route(&part.url), ids);
    }
    let (path, query) = part.url.split_once('?').unwrap_or((&part.url, ""));
    let body = part.body.as_ref().map_or_else(Vec::new, |body| body.to_string().into_bytes());
    let call = Call {
        method,
        service,
        group,
        path: path.trim_start_matches('/'),
        query,
        company: part.header("company").map(ToOwned::to_owned),
        if_match: part.header("if-match").map(ToOwned::to_owned),
        prefer: part.header("prefer").unwrap_or_default().to_owned(),
        language: part.header("accept-language").or(language).map(ToOwned::to_owned),
        read_only: part.header("data-access-intent").is_some_and(|intent| intent.eq_ignore_ascii_case("ReadOnly")),
        body: &body,
        upload: None,
    };
    execute(state, ids, now, &call)
}

/// The JSON answer to a batch.
pub(super) fn as_json(answers: Vec<(Option<Value>, Answer)>) -> Value {
    let responses = answers.into_iter().map(|(id, answer)| {
        let mut response = Map::new();
        response.insert("id".to_owned(), id.unwrap_or(Value::Null));
        response.insert("status".to_owned(), answer.status.as_u16().into());
        let content_type = match answer.body {
            Content::Text(_) => Some("text/plain"),
            Content::Bytes(_, kind) => Some(kind),
            Content::Json(_) => Some("application/json; odata.metadata=minimal"),
            Content::Nothing => None,
        };
        let mut headers = Map::new();
        headers.extend(content_type.map(|kind| ("content-type".to_owned(), kind.into())));
        headers.insert("odata-version".to_owned(), "4.0".into());
        response.insert("headers".to_owned(), headers.into());
        match answer.body {
            Content::Json(body) => drop(response.insert("body".to_owned(), body)),
            Content::Bytes(bytes, _) => {
                drop(response.insert("body".to_owned(), data_encoding::BASE64.encode(&bytes).into()));
            }
            Content::Text(text) => drop(response.insert("body".to_owned(), text.into())),
            Content::Nothing => {}
        }
        Value::Object(response)
    });
    json!({"responses": responses.collect::<Vec<_>>()})
}

/// The answer to a batch that did not ask for JSON.
pub(super) fn as_multipart(answers: Vec<(Option<Value>, Answer)>, boundary: &str) -> String {
    let mut text = String::new();
    for (_, answer) in answers {
        let status: StatusCode = answer.status;
        let body = match answer.body {
            Content::Json(body) => body.to_string(),
            Content::Text(body) => body,
            Content::Bytes(bytes, _) => data_encoding::BASE64.encode(&bytes),
            Content::Nothing => String::new(),
        };
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "--{boundary}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nHTTP/1.1 {status}\r\nContent-Type: application/json; odata.metadata=minimal\r\nOData-Version: 4.0\r\n\r\n{body}\r\n"
        );
    }
    text + "--" + boundary + "--\r\n"
}
