//! Several calls in one request (`$batch`), for back-fills. Each operation has its own outcome; one that is missing from
//! the answer of a write may still have been executed.
//! <https://learn.microsoft.com/dynamics365/business-central/dev-itpro/webservices/use-odata-batch>

use std::collections::HashMap;

use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::document::Document;
use super::new_document::{DocumentKind, NewDocument};
use super::{Company, asked, failure};
use crate::answer::Answer;
use crate::call::{CREATE_TIMEOUT, Call, unsendable};
use crate::error::Error;
use crate::kind::{Access, Asked, Effect, Kind, Retry};

/// The most operations that Business Central takes in one batch.
pub const MAX_BATCH_OPERATIONS: usize = 100;

const OPERATION: &str = "send_batch";

/// What happens after an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchMode {
    /// The operations after it are not executed and have no answer.
    StopOnError,
    /// The others are executed all the same.
    ContinueOnError,
}

/// A batch being put together.
#[derive(Debug)]
pub struct Batch {
    company: Company,
    mode: BatchMode,
    parts: Vec<(Asked, Part)>,
}

#[derive(Debug, Serialize)]
struct Part {
    id: String,
    method: &'static str,
    url: String,
    headers: PartHeaders,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Box<RawValue>>,
}

#[derive(Debug, Default, Serialize)]
struct PartHeaders {
    #[serde(rename = "Content-Type", skip_serializing_if = "Option::is_none")]
    content_type: Option<&'static str>,
    #[serde(rename = "Accept-Language")]
    accept_language: &'static str,
    #[serde(rename = "Data-Access-Intent", skip_serializing_if = "Option::is_none")]
    data_access_intent: Option<&'static str>,
}

impl Company {
    /// An empty batch for this company.
    pub fn batch(&self, mode: BatchMode) -> Batch {
        Batch { company: self.clone(), mode, parts: Vec::new() }
    }
}

impl Batch {
    /// How many operations it holds.
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// Whether it holds no operation.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Adds the creation of a draft; gives the place by which its outcome is asked for.
    pub fn create_document(&mut self, kind: DocumentKind, document: &NewDocument) -> Result<usize, Error> {
        let asked = asked("create_document", Access::Write);
        let body = serde_json::value::to_raw_value(&document.body(kind)).map_err(|error| unsendable(asked, error))?;
        let url = format!("companies({})/{}", self.company.id, kind.set());
        Ok(self.push(asked, "POST", url, Some(body)))
    }

    /// Adds the reading of a document; gives the place by which its outcome is asked for.
    pub fn get_document(&mut self, kind: DocumentKind, id: Uuid) -> usize {
        let url = format!("companies({})/{}?$expand={}", self.company.id, kind.one(id), kind.expansion());
        self.push(asked("get_document", Access::Read), "GET", url, None)
    }

    fn push(&mut self, asked: Asked, method: &'static str, url: String, body: Option<Box<RawValue>>) -> usize {
        let place = self.parts.len();
        let headers = PartHeaders {
            content_type: body.is_some().then_some("application/json"),
            accept_language: "en-US",
            data_access_intent: (self.company.fresh && body.is_none()).then_some("ReadWrite"),
        };
        self.parts.push((asked, Part { id: place.to_string(), method, url, headers, body }));
        place
    }

    /// Sends the batch; it counts as its operations for the pace. An error here concerns all its operations; with
    /// [`Effect::Unknown`] each of them may have been executed. So it is if the batch as a whole is refused: that is said about none of
    /// them, and what an extension commits before it fails stays committed.
    pub async fn send(self) -> Result<BatchAnswer, Error> {
        #[derive(Serialize)]
        struct Body<'a> {
            requests: Vec<&'a Part>,
        }
        let writes = self.parts.iter().any(|(asked, _)| asked.access == Access::Write);
        let asked = asked(OPERATION, if writes { Access::Write } else { Access::Read });
        if self.parts.len() > MAX_BATCH_OPERATIONS {
            return Err(unsendable(asked, "the batch has too many operations"));
        }
        let url = self.company.client.url(asked, &["$batch"])?;
        let mut call = Call::new(asked, Method::POST, url).timeout(CREATE_TIMEOUT).counting_as(self.parts.len());
        if self.mode == BatchMode::ContinueOnError {
            call = call.header("prefer", "odata.continue-on-error");
        }
        let call = call.json(&Body { requests: self.parts.iter().map(|(_, part)| part).collect() })?;
        let answer = self.company.client.send(call).await.map_err(|error| match error.kind() {
            Kind::Refused | Kind::NotFound => error.with_effect(Effect::Unknown),
            _ => error,
        })?;
        let operations = self.parts.into_iter().map(|(asked, _)| asked).collect();
        Ok(BatchAnswer { mode: self.mode, operations, responses: read_responses(&answer)? })
    }
}

/// The outcomes of a batch.
#[derive(Debug)]
pub struct BatchAnswer {
    mode: BatchMode,
    operations: Vec<Asked>,
    responses: HashMap<String, Response>,
}

#[derive(Debug, Deserialize)]
struct Response {
    id: Option<String>,
    status: u16,
    #[serde(default)]
    headers: Option<HashMap<String, serde_json::Value>>,
    body: Option<Box<RawValue>>,
}

fn read_responses(answer: &Answer) -> Result<HashMap<String, Response>, Error> {
    #[derive(Deserialize)]
    struct Body {
        responses: Vec<Response>,
    }
    let Body { responses } = answer.json()?;
    Ok(responses.into_iter().filter_map(|response| Some((response.id.clone()?, response))).collect())
}

impl BatchAnswer {
    /// The document that the operation at `place` created or read.
    pub fn document(&self, place: usize) -> Result<Document, Error> {
        self.outcome(place)?.json()
    }

    /// The document that the operation at `place` read, or nothing if it does not exist.
    pub fn found_document(&self, place: usize) -> Result<Option<Document>, Error> {
        match self.outcome(place) {
            Ok(answer) => answer.json().map(Some),
            Err(error) if failure::is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn outcome(&self, place: usize) -> Result<Answer, Error> {
        let Some(&asked) = self.operations.get(place) else {
            return Err(unsendable(asked(OPERATION, Access::Read), "the batch has no such operation"));
        };
        match self.responses.get(&place.to_string()) {
            Some(response) => failure::success(response.to_answer(asked)?),
            None => Err(self.missing(asked, place)),
        }
    }

    /// No response: perhaps executed, unless the batch stops at errors and did so before.
    fn missing(&self, asked: Asked, place: usize) -> Error {
        let stopped_before = (0..place).any(|earlier| {
            self.responses.get(&earlier.to_string()).is_some_and(|response| !(200..300).contains(&response.status))
        });
        let effect = match self.mode {
            BatchMode::StopOnError if stopped_before => Effect::None,
            BatchMode::StopOnError | BatchMode::ContinueOnError => Effect::Unknown,
        };
        Error::new(asked, Kind::Unreadable, Retry::Soon, effect)
            .with_source("the batch answer has no response for this operation")
    }
}

impl Response {
    fn to_answer(&self, asked: Asked) -> Result<Answer, Error> {
        let status = StatusCode::from_u16(self.status).map_err(|error| Error::unreadable(asked, error))?;
        let mut headers = HeaderMap::new();
        let wait = self.headers.iter().flatten().find(|(name, _)| name.eq_ignore_ascii_case(RETRY_AFTER.as_str()));
        let wait = wait.map(|(_, value)| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        if let Some(wait) = wait.and_then(|text| HeaderValue::from_str(&text).ok()) {
            headers.insert(RETRY_AFTER, wait);
        }
        let body = self.body.as_ref().map(|body| body.get().as_bytes().to_vec()).unwrap_or_default();
        Ok(Answer::new(asked, status, headers, body))
    }
}
