//! A record as it is kept: its JSON text exactly as served, the few fields that queries need, and what a careful
//! accountant would expect of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use super::super::export::ExportResult;
use super::{PREPARE, REVIEW};

/// How many results of one record are remembered.
const RESULTS: usize = 20;

/// What a careful accountant expects to become of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expectation {
    /// One document in Business Central.
    Document,
    /// No document; a person must look at it first.
    Held,
    /// Never a document: money moved, nothing was bought.
    NotSpend,
    /// Nothing yet: it was not exported in Brex.
    NotReady,
}

/// Facts of the purchase that only the Expenses API tells.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::brex) struct Purchase {
    pub(in crate::brex) purchased_at: Timestamp,
    pub(in crate::brex) raw_descriptor: String,
    pub(in crate::brex) mcc: String,
    pub(in crate::brex) country: String,
}

/// A record with what the sandbox knows about it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::brex) struct Stored {
    pub(in crate::brex) raw: String,
    pub(in crate::brex) face: Face,
    /// What is expected once it is ready.
    pub(in crate::brex) expectation: Expectation,
    pub(in crate::brex) why: String,
    /// The number of the BC vendor that the document must be on, where that is certain.
    pub(in crate::brex) expected_vendor: Option<String>,
    pub(in crate::brex) purchase: Option<Purchase>,
    /// The newest results.
    pub(in crate::brex) exports: Vec<ExportResult>,
    /// How many older ones there were.
    #[serde(default)]
    pub(in crate::brex) exports_forgotten: usize,
    /// The expense that its expense is a part of.
    #[serde(default)]
    pub(in crate::brex) parent: Option<String>,
}

/// The fields of a record that queries look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::brex) struct Face {
    pub(in crate::brex) id: String,
    #[serde(rename = "type")]
    pub(in crate::brex) record_type: String,
    pub(in crate::brex) review_status: String,
    pub(in crate::brex) source_type: String,
    pub(in crate::brex) source_id: Option<String>,
    pub(in crate::brex) posted_at: Timestamp,
    pub(in crate::brex) updated_at: Timestamp,
    pub(in crate::brex) version: Number,
}

impl Stored {
    /// A record from its JSON text, or why it is none.
    pub(in crate::brex) fn read(mut raw: String) -> Result<Self, serde_json::Error> {
        let face = serde_json::from_str(&raw)?;
        // There may be a hundred thousand of them.
        raw.shrink_to_fit();
        Ok(Self {
            raw,
            face,
            expectation: Expectation::Held,
            why: "inserted by hand".to_owned(),
            expected_vendor: None,
            purchase: None,
            exports: Vec::new(),
            exports_forgotten: 0,
            parent: None,
        })
    }

    /// The expectation at this moment. Bills do not wait for a click.
    pub(in crate::brex) fn expected_now(&self) -> Expectation {
        let waits = match self.face.review_status.as_str() {
            PREPARE => true,
            REVIEW => self.face.source_type != "BILL",
            _ => false,
        };
        if waits { Expectation::NotReady } else { self.expectation }
    }

    /// The record as JSON.
    pub(in crate::brex) fn value(&self) -> Value {
        serde_json::from_str(&self.raw).unwrap_or(Value::Null)
    }
}

impl Stored {
    /// Remembers a result. One that comes again and again must not fill the memory.
    pub(in crate::brex) fn note(&mut self, result: ExportResult) {
        if self.exports.len() >= RESULTS {
            self.exports.remove(0);
            self.exports_forgotten += 1;
        }
        self.exports.push(result);
    }
}

/// The side of the lines that say what the money was spent on: the coded one, else DEBIT.
pub(in crate::brex) fn spend_side(record: &Value) -> &'static str {
    let coded = |line: &&Value| line["accounting_field_values"].as_array().is_some_and(|values| !values.is_empty());
    match record["line_items"].as_array().and_then(|lines| lines.iter().find(coded)) {
        Some(line) if line["type"] == "CREDIT" => "CREDIT",
        _ => "DEBIT",
    }
}

/// The side across.
pub(super) fn other_side(side: &str) -> &'static str {
    if side == "DEBIT" { "CREDIT" } else { "DEBIT" }
}
