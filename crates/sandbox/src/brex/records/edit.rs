//! What people do to records in Brex's dashboard: code them, edit them, click Export. And what only a test does:
//! insert one as it is.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::Brex;
use super::super::export::ExportResult;
use super::super::fields::PushedCoding;
use super::shape::BillEvents;
use super::stored::{Expectation, Purchase, Stored, spend_side};
use super::{EXPORTED, READY};
use crate::ids::Ids;

/// Why a record was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeRefused {
    /// There is no such record.
    #[error("no accounting record {0}")]
    Unknown(String),
    /// Exported records are edited in the ERP only.
    #[error("accounting record {0} is already exported")]
    Exported(String),
    /// There is no such line on the record.
    #[error("no line {0} on the record")]
    UnknownLine(String),
    /// What was given, or what it would become, is not a record.
    #[error("not an accounting record: {0}")]
    Unreadable(String),
}

/// A field value that a person chooses for a line.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldCoding {
    /// `GL_ACCOUNT`, `VENDOR`, `DIM_DEPARTMENT`...
    pub remote_field_id: String,
    /// The ERP's id of the value; none takes the coding away.
    #[serde(default)]
    pub remote_field_value_id: Option<String>,
    /// How the value is shown.
    #[serde(default)]
    pub field_value_name: Option<String>,
}

/// A record with what the sandbox knows about it.
#[derive(Debug, Clone, Serialize)]
pub struct RecordReport {
    /// `accr_...`
    pub id: String,
    /// `CARD_EXPENSE_POST`...
    #[serde(rename = "type")]
    pub record_type: String,
    /// `READY_FOR_EXPORT`...
    pub review_status: String,
    /// What a careful accountant expects at this moment.
    pub expect: Expectation,
    /// What is expected once the record is ready.
    pub expect_when_ready: Expectation,
    /// A few words on that.
    pub why: String,
    /// The number of the BC vendor that the document must be on, where that is certain.
    pub expected_vendor: Option<String>,
    /// The results that the ERP reported, oldest first.
    pub exports: Vec<ExportResult>,
    /// The record itself.
    pub record: Value,
}

impl RecordReport {
    fn new(stored: &Stored) -> Self {
        Self {
            id: stored.face.id.clone(),
            record_type: stored.face.record_type.clone(),
            review_status: stored.face.review_status.clone(),
            expect: stored.expected_now(),
            expect_when_ready: stored.expectation,
            why: stored.why.clone(),
            expected_vendor: stored.expected_vendor.clone(),
            exports: stored.exports.clone(),
            record: stored.value(),
        }
    }
}

/// Where a card was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merchant {
    /// As the card network wrote it.
    pub raw_descriptor: String,
    /// Merchant category code; may be blank.
    pub mcc: String,
    /// Country code; may be blank.
    pub country: String,
}

impl Brex {
    /// All records, oldest posting first.
    pub fn records(&self) -> Vec<RecordReport> {
        self.lock().journal.iter().map(RecordReport::new).collect()
    }

    /// Shows every record to `see`, oldest posting first.
    pub fn each_record(&self, mut see: impl FnMut(RecordReport)) {
        for stored in self.lock().journal.iter() {
            see(RecordReport::new(stored));
        }
    }

    /// How many records whose id begins with `prefix` have this review status. Cheap enough to be asked all the time.
    pub fn count_at(&self, prefix: &str, review_status: &str) -> usize {
        let of = |stored: &&Stored| stored.face.review_status == review_status && stored.face.id.starts_with(prefix);
        self.lock().journal.iter().filter(of).count()
    }

    /// One record.
    pub fn record(&self, id: &str) -> Option<RecordReport> {
        self.lock().journal.get(id).map(RecordReport::new)
    }

    /// Takes a record's JSON text in as it is; a record with the same id is replaced.
    pub fn insert(&self, raw: &str, expectation: Expectation, why: &str) -> Result<String, ChangeRefused> {
        let stored = Stored::read(raw.to_owned()).map_err(|error| ChangeRefused::Unreadable(error.to_string()))?;
        let id = stored.face.id.clone();
        self.lock().journal.insert(Stored { expectation, why: why.to_owned(), ..stored });
        Ok(id)
    }

    /// Says where the card was used, as the Expenses API tells it.
    pub fn bought_from(&self, id: &str, merchant: Merchant) -> Result<(), ChangeRefused> {
        let mut state = self.lock();
        let stored = state.journal.get_mut(id).ok_or_else(|| ChangeRefused::Unknown(id.to_owned()))?;
        let Merchant { raw_descriptor, mcc, country } = merchant;
        stored.purchase = Some(Purchase { purchased_at: stored.face.posted_at, raw_descriptor, mcc, country });
        Ok(())
    }

    /// Says anew what is expected of a record, after it was changed.
    pub fn expect(&self, id: &str, expectation: Expectation, why: &str) -> Result<(), ChangeRefused> {
        let mut state = self.lock();
        let stored = state.journal.get_mut(id).ok_or_else(|| ChangeRefused::Unknown(id.to_owned()))?;
        stored.expectation = expectation;
        why.clone_into(&mut stored.why);
        Ok(())
    }

    /// Sets field values on one line, or on all lines of the spend side.
    pub fn code(
        &self,
        id: &str,
        line_id: Option<&str>,
        values: &[FieldCoding],
        now: Timestamp,
    ) -> Result<(), ChangeRefused> {
        let mut state = self.lock();
        let ids = state.draw();
        let pushed = |coding: &FieldCoding| {
            state.fields.pushed(&coding.remote_field_id, coding.remote_field_value_id.as_deref())
        };
        let values: Vec<_> = values.iter().map(|coding| (coding.clone(), pushed(coding))).collect();
        state.journal.change(id, now, |record| {
            refuse_exported(id, record)?;
            code_lines(record, line_id, &values, &ids)
        })?;
        Ok(())
    }

    /// Replaces top-level fields of a record. A number as `amount` sets the total, and the lines too if there are
    /// just two of them.
    pub fn edit(&self, id: &str, patch: &Map<String, Value>, now: Timestamp) -> Result<(), ChangeRefused> {
        self.lock().journal.change(id, now, |record| {
            for (name, value) in patch {
                if name == "amount" && value.is_number() {
                    set_amount(record, value)?;
                } else {
                    record.insert(name.clone(), value.clone());
                }
            }
            Ok(())
        })?;
        Ok(())
    }

    /// What a click on Export does for all these records together: they become ready, one event goes out. Those
    /// that are ready already are left as they are; nothing happens if one is unknown or exported.
    pub fn make_ready(&self, ids: &[&str], now: Timestamp) -> Result<(), ChangeRefused> {
        let mut state = self.lock();
        let mut waiting = Vec::new();
        for &id in ids {
            let record = state.journal.get(id).ok_or_else(|| ChangeRefused::Unknown(id.to_owned()))?;
            match record.face.review_status.as_str() {
                EXPORTED => return Err(ChangeRefused::Exported(id.to_owned())),
                READY => {}
                _ => waiting.push(id.to_owned()),
            }
        }
        for id in &waiting {
            state.journal.change(id, now, |record| {
                record.insert("review_status".to_owned(), json!(READY));
                Ok(())
            })?;
        }
        if state.settings.accounting.bill_events == BillEvents::NotSent {
            waiting.retain(|id| state.journal.get(id).is_some_and(|record| record.face.source_type != "BILL"));
        }
        if !waiting.is_empty() {
            state.announce_ready(&waiting, now);
        }
        drop(state);
        self.wake_sender();
        Ok(())
    }
}

fn refuse_exported(id: &str, record: &Map<String, Value>) -> Result<(), ChangeRefused> {
    if record.get("review_status").and_then(Value::as_str) == Some(EXPORTED) {
        return Err(ChangeRefused::Exported(id.to_owned()));
    }
    Ok(())
}

fn set_amount(record: &mut Map<String, Value>, amount: &Value) -> Result<(), ChangeRefused> {
    let refused = || ChangeRefused::Unreadable("an amount is no object".to_owned());
    let set = |of: Option<&mut Value>| {
        let of = of.and_then(Value::as_object_mut).ok_or_else(refused)?;
        of.insert("amount".to_owned(), amount.clone());
        Ok(())
    };
    set(record.get_mut("amount"))?;
    let lines = record.get_mut("line_items").and_then(Value::as_array_mut);
    lines.filter(|lines| lines.len() == 2).into_iter().flatten().try_for_each(|line| set(line.get_mut("amount")))
}

fn code_lines(
    record: &mut Map<String, Value>,
    line_id: Option<&str>,
    values: &[(FieldCoding, Option<PushedCoding>)],
    ids: &Ids,
) -> Result<(), ChangeRefused> {
    let side = spend_side(&Value::Object(record.clone()));
    let mut found = false;
    let lines = record.get_mut("line_items").and_then(Value::as_array_mut);
    for line in lines.into_iter().flatten() {
        let wanted = match line_id {
            Some(id) => line["id"] == id,
            None => line["type"] == side,
        };
        if wanted {
            found = true;
            for (value, pushed) in values {
                code_line(line, value, pushed.as_ref(), ids);
            }
        }
    }
    if found { Ok(()) } else { Err(ChangeRefused::UnknownLine(line_id.unwrap_or(side).to_owned())) }
}

/// Replaces the value of the same field, or adds one.
fn code_line(line: &mut Value, coding: &FieldCoding, pushed: Option<&PushedCoding>, ids: &Ids) {
    let Some(values) = line.get_mut("accounting_field_values").and_then(Value::as_array_mut) else {
        return;
    };
    let index = values.iter().position(|value| value["remote_field_id"] == coding.remote_field_id.as_str());
    let index = index.unwrap_or_else(|| {
        values.push(json!({
            "brex_field_id": ids.prefixed("extended_field"),
            "remote_field_id": coding.remote_field_id,
            "field_name": coding.remote_field_id,
            "brex_field_value_id": null,
            "remote_field_value_id": null,
            "field_value_name": null,
            "type": "IDENTIFIER",
        }));
        values.len() - 1
    });
    let value = &mut values[index];
    value["brex_field_value_id"] =
        coding.remote_field_value_id.as_ref().map_or(Value::Null, |_| Value::String(ids.prefixed("efo")));
    value["remote_field_value_id"] = json!(coding.remote_field_value_id);
    value["field_value_name"] = json!(coding.field_value_name);
    if let Some(pushed) = pushed {
        value["brex_field_id"] = json!(pushed.field_id);
        value["field_name"] = json!(pushed.field_name);
        if let Some((id, name)) = &pushed.value {
            value["brex_field_value_id"] = json!(id);
            value["field_value_name"] = json!(name);
        }
    }
}
