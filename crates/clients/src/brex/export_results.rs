//! Telling Brex what became of records. A call is taken as a whole or not at all: the ids that stand in its way are
//! named. <https://developer.brex.com/openapi/accounting_api/>

use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{Client, failure};
use crate::answer::Answer;
use crate::error::Error;

/// What became of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportResult {
    /// It was exported.
    Success {
        /// The record.
        record_id: String,
        /// The id or number on the other side.
        reference_id: Option<String>,
        /// Where the document can be seen.
        deep_link_url: Option<Url>,
    },
    /// It was refused.
    Failure {
        /// The record.
        record_id: String,
        /// Why, for the people in Brex.
        error_message: String,
    },
}

/// What Brex says to the results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportAnswer {
    /// These records were updated.
    Accepted {
        /// The ids.
        ids: Vec<String>,
    },
    /// Nothing was taken: these ids are unknown.
    NotFound {
        /// The ids.
        ids: Vec<String>,
    },
    /// Nothing was taken: these records are not ready for export. After a lost answer that includes those that were
    /// taken the first time: read them, and exported means done.
    NotReady {
        /// The ids.
        ids: Vec<String>,
    },
    /// Nothing was taken: these ids were given more than once.
    Duplicate {
        /// The ids.
        ids: Vec<String>,
    },
}

#[derive(Serialize)]
struct Item<'a> {
    accounting_record_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    success: Option<SuccessBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailureBody<'a>>,
}

/// The deep link may be absent but never null.
#[derive(Serialize)]
struct SuccessBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    reference_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deep_link_url: Option<&'a str>,
}

#[derive(Serialize)]
struct FailureBody<'a> {
    error_message: &'a str,
}

#[derive(Default, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_field_names, reason = "the names of the wire")]
struct Details {
    not_found_export_entry_source_ids: Option<Vec<String>>,
    not_ready_for_export_accounting_record_ids: Option<Vec<String>>,
    duplicate_accounting_record_ids: Option<Vec<String>>,
}

impl ExportResult {
    fn item(&self) -> Item<'_> {
        match self {
            Self::Success { record_id, reference_id, deep_link_url } => Item {
                accounting_record_id: record_id,
                success: Some(SuccessBody {
                    reference_id: reference_id.as_deref(),
                    deep_link_url: deep_link_url.as_ref().map(Url::as_str),
                }),
                failure: None,
            },
            Self::Failure { record_id, error_message } => {
                Item { accounting_record_id: record_id, success: None, failure: Some(FailureBody { error_message }) }
            }
        }
    }
}

impl Client {
    /// Reports what became of records; at least one, none twice.
    pub async fn report_export_results(&self, results: &[ExportResult]) -> Result<ExportAnswer, Error> {
        #[derive(Serialize)]
        struct Body<'a> {
            results: Vec<Item<'a>>,
        }
        #[derive(Deserialize)]
        struct Accepted {
            updated_accounting_record_ids: Vec<String>,
        }
        let body = Body { results: results.iter().map(ExportResult::item).collect() };
        let path = ["v3", "accounting", "records", "export-results"];
        let call = self.write("report_export_results", Method::POST, &path)?.json(&body)?;
        let answer = self.exchange(call).await?;
        if let Some(refusal) = refusal(&answer) {
            return Ok(refusal);
        }
        let accepted: Accepted = failure::success(answer)?.json()?;
        Ok(ExportAnswer::Accepted { ids: accepted.updated_accounting_record_ids })
    }
}

/// A refusal that names the ids it is about; any other one is an error.
fn refusal(answer: &Answer) -> Option<ExportAnswer> {
    if !matches!(answer.status(), StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY) {
        return None;
    }
    let (code, details) = failure::details::<Details>(answer)?;
    let named = |ids: Option<Vec<String>>| ids.filter(|ids| !ids.is_empty());
    match code.as_str() {
        "NOT_FOUND" => named(details.not_found_export_entry_source_ids).map(|ids| ExportAnswer::NotFound { ids }),
        "ACCOUNTING_RECORD_NOT_READY_FOR_EXPORT" => {
            named(details.not_ready_for_export_accounting_record_ids).map(|ids| ExportAnswer::NotReady { ids })
        }
        "DUPLICATE_ACCOUNTING_RECORD_IDS" => {
            named(details.duplicate_accounting_record_ids).map(|ids| ExportAnswer::Duplicate { ids })
        }
        _ => None,
    }
}
