//! `POST /v3/accounting/records/export-results`: a batch is taken whole or refused whole.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use super::Brex;
use super::error::Refusal;
use super::gate::Caller;
use super::idempotency::Key;
use super::input::Payload;
use super::records::{AfterFailure, ChangeRefused, EXPORTED, PREPARE, READY, REVIEW};
use crate::world::World;

/// What the ERP reported about a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportResult {
    /// When it was taken.
    pub at: Timestamp,
    /// Success or failure.
    pub outcome: Outcome,
}

/// How the export ended in the ERP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The record is in the books.
    Success {
        /// The ERP's number of the document.
        reference_id: Option<String>,
        /// A link to it.
        deep_link_url: Option<String>,
    },
    /// It is not.
    Failure {
        /// Shown to the Brex user.
        error_message: String,
    },
}

/// All results of one record.
#[derive(Debug, Clone, Serialize)]
pub struct ExportReport {
    /// `accr_...`
    pub record_id: String,
    /// Where the record stands now.
    pub review_status: String,
    /// How many results were taken.
    pub count: usize,
    /// The newest results, oldest first.
    pub results: Vec<ExportResult>,
}

type Entry = (String, Outcome);

pub(super) fn router() -> Router<Arc<World>> {
    Router::new().route("/v3/accounting/records/export-results", post(export_results))
}

async fn export_results(
    _caller: Caller,
    State(world): State<Arc<World>>,
    key: Key,
    payload: Payload,
) -> Result<Response, Refusal> {
    let now = world.clock.now();
    let mut state = world.brex.lock();
    let key = key.of_accounting(&state.settings.idempotency);
    state.once(&key, &payload.0, now, |state| {
        let body: Value =
            serde_json::from_slice(&payload.0).map_err(|_| Refusal::invalid("Request body is not valid JSON."))?;
        let entries = entries(&body, state.settings.ascii_only)?;
        state.check_batch(&entries)?;
        let ids: Vec<String> = entries.iter().map(|(id, _)| id.clone()).collect();
        for (id, outcome) in entries {
            state.take_result(&id, outcome, now).map_err(|error| Refusal::invalid(&error.to_string()))?;
        }
        Ok(json!({ "updated_accounting_record_ids": ids }))
    })
}

fn entries(body: &Value, ascii_only: bool) -> Result<Vec<Entry>, Refusal> {
    let results = body["results"].as_array().ok_or_else(|| Refusal::invalid("results must be an array."))?;
    if results.is_empty() {
        return Err(Refusal::invalid("results must have at least 1 item."));
    }
    results.iter().map(|item| entry(item, ascii_only)).collect()
}

fn entry(item: &Value, ascii_only: bool) -> Result<Entry, Refusal> {
    let id =
        item["accounting_record_id"].as_str().ok_or_else(|| Refusal::invalid("accounting_record_id is required."))?;
    let outcome = match (item.get("success"), item.get("failure")) {
        (Some(success), None) => success_of(success, ascii_only)?,
        (None, Some(failure)) => failure_of(failure, ascii_only)?,
        _ => return Err(Refusal::invalid("exactly one of success and failure is required.")),
    };
    Ok((id.to_owned(), outcome))
}

fn success_of(success: &Value, ascii_only: bool) -> Result<Outcome, Refusal> {
    let fields = success.as_object().ok_or_else(|| Refusal::invalid("success must be an object."))?;
    let reference_id = match fields.get("reference_id") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(free_text("reference_id", text, ascii_only)?),
        Some(_) => return Err(Refusal::invalid("reference_id must be a string.")),
    };
    let deep_link_url = match fields.get("deep_link_url") {
        None => None,
        Some(Value::String(text)) if Url::parse(text).is_ok() => Some(text.clone()),
        Some(_) => return Err(Refusal::invalid("deep_link_url must be a URL.")),
    };
    Ok(Outcome::Success { reference_id, deep_link_url })
}

fn failure_of(failure: &Value, ascii_only: bool) -> Result<Outcome, Refusal> {
    let message = failure["error_message"].as_str().ok_or_else(|| Refusal::invalid("error_message is required."))?;
    Ok(Outcome::Failure { error_message: free_text("error_message", message, ascii_only)? })
}

/// Brex says of its whole platform that free text in a POST is ASCII only.
fn free_text(name: &str, text: &str, ascii_only: bool) -> Result<String, Refusal> {
    if ascii_only && !text.is_ascii() {
        return Err(Refusal::invalid(&format!("{name} is invalid")));
    }
    Ok(text.to_owned())
}

impl super::state::State {
    /// Nothing of the batch is taken if one entry cannot be.
    fn check_batch(&self, entries: &[Entry]) -> Result<(), Refusal> {
        let mut seen = BTreeSet::new();
        let mut twice = BTreeSet::new();
        let mut unknown = Vec::new();
        let mut not_ready = Vec::new();
        for (id, _) in entries {
            if !seen.insert(id.as_str()) {
                twice.insert(id.as_str());
                continue;
            }
            match self.journal.get(id) {
                None => unknown.push(id),
                Some(record) if !self.settings.accounting.takes_results(record) => not_ready.push(id),
                Some(_) => {}
            }
        }
        if !unknown.is_empty() {
            return Err(Refusal::detailed(
                StatusCode::NOT_FOUND,
                "NOT_FOUND",
                "Record ids not found.",
                &json!({ "not_found_export_entry_source_ids": unknown }),
            ));
        }
        if !twice.is_empty() {
            return Err(Refusal::detailed(
                StatusCode::UNPROCESSABLE_ENTITY,
                "DUPLICATE_ACCOUNTING_RECORD_IDS",
                "Duplicate record ids.",
                &json!({ "duplicate_accounting_record_ids": twice }),
            ));
        }
        if !not_ready.is_empty() {
            return Err(Refusal::detailed(
                StatusCode::UNPROCESSABLE_ENTITY,
                "ACCOUNTING_RECORD_NOT_READY_FOR_EXPORT",
                "Record is not READY_FOR_EXPORT.",
                &json!({ "not_ready_for_export_accounting_record_ids": not_ready }),
            ));
        }
        Ok(())
    }

    /// After a failure the record goes back, so that a person can mend it and export it again.
    fn take_result(&mut self, id: &str, outcome: Outcome, now: Timestamp) -> Result<(), ChangeRefused> {
        let status = match outcome {
            Outcome::Success { .. } => EXPORTED,
            Outcome::Failure { .. } => match self.settings.accounting.after_failure {
                AfterFailure::Review => REVIEW,
                AfterFailure::Prepare => PREPARE,
                AfterFailure::ReadyForExport => READY,
            },
        };
        let record = self.journal.change(id, now, |fields| {
            fields.insert("review_status".to_owned(), json!(status));
            Ok(())
        })?;
        record.note(ExportResult { at: now, outcome });
        Ok(())
    }
}

impl Brex {
    /// How many records the queries of the Accounting API have looked at since the start, to tell whether they scan.
    pub fn records_visited(&self) -> u64 {
        self.lock().journal.visited()
    }

    /// The export results of every record that got one.
    pub fn exports(&self) -> Vec<ExportReport> {
        self.lock()
            .journal
            .iter()
            .filter(|record| !record.exports.is_empty())
            .map(|record| ExportReport {
                record_id: record.face.id.clone(),
                review_status: record.face.review_status.clone(),
                count: record.exports_forgotten + record.exports.len(),
                results: record.exports.clone(),
            })
            .collect()
    }
}
