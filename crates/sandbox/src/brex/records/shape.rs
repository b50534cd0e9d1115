//! How records look and move where no source tells how the real ones do: the switches, and what they change in a record
//! before it is served. With the defaults a record is served as it is kept, to the byte.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value, json};

use super::stored::{Stored, other_side, spend_side};

/// The switches of the Accounting API.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccountingSettings {
    /// The sign of a refund's or repayment's total.
    pub refund_total: RefundTotal,
    /// The status that a bill shows until it is exported.
    pub bill_status: BillStatus,
    /// Which bills export-results takes.
    pub bill_results: BillResults,
    /// Whether an event tells of a bill.
    pub bill_events: BillEvents,
    /// Where a record goes after a reported failure.
    pub after_failure: AfterFailure,
    /// How the parts of a split expense appear.
    pub splits: Splits,
    /// Which lines `single_entry` keeps.
    pub single_entry: SingleEntry,
    /// The remote id of an account that the balancing lines are coded with, as admins may map it; none if absent.
    pub balancing_account: Option<String>,
}

/// The sign of the total of a refund or repayment; lines are positive always.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundTotal {
    /// Some are positive, some negative.
    #[default]
    AsKept,
    /// All are positive.
    Positive,
    /// All are negative.
    Negative,
}

/// What a bill shows as `review_status`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BillStatus {
    /// Some are in review, some ready.
    #[default]
    #[serde(rename = "as_kept")]
    AsKept,
    /// Always this.
    Prepare,
    /// Always this.
    Review,
    /// Always this.
    ReadyForExport,
}

/// Which bills may be reported as exported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BillResults {
    /// Those that show `READY_FOR_EXPORT`, as with all records.
    #[default]
    WhenReady,
    /// Any that is not exported yet.
    Always,
    /// None.
    Never,
}

/// Whether `ACCOUNTING_RECORD_READY_FOR_EXPORT` names bills.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BillEvents {
    /// It does.
    #[default]
    Sent,
    /// It does not.
    NotSent,
}

/// The status after a failure was reported: by the words of the 422 it leaves `READY_FOR_EXPORT`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AfterFailure {
    /// A person looks at it once more.
    #[default]
    Review,
    /// A person codes it once more.
    Prepare,
    /// It does not move after all.
    ReadyForExport,
}

/// How a split expense appears.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Splits {
    /// As several lines of one record.
    #[default]
    Lines,
    /// As one record for each part, with an expense of its own.
    Records,
}

/// What a single-entry record keeps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SingleEntry {
    /// The lines of what was bought, on whichever side they are.
    #[default]
    SpendSide,
    /// The DEBIT lines.
    Debit,
}

impl AccountingSettings {
    /// The status as it is shown.
    pub(in crate::brex) fn review_status<'a>(&self, record: &'a Stored) -> &'a str {
        let kept = record.face.review_status.as_str();
        if record.face.source_type != "BILL" || kept == super::EXPORTED {
            return kept;
        }
        match self.bill_status {
            BillStatus::AsKept => kept,
            BillStatus::Prepare => super::PREPARE,
            BillStatus::Review => super::REVIEW,
            BillStatus::ReadyForExport => super::READY,
        }
    }

    /// Whether a result may be reported about it.
    pub(in crate::brex) fn takes_results(&self, record: &Stored) -> bool {
        let ready = self.review_status(record) == super::READY;
        match self.bill_results {
            _ if record.face.source_type != "BILL" => ready,
            BillResults::WhenReady => ready,
            BillResults::Always => record.face.review_status != super::EXPORTED,
            BillResults::Never => false,
        }
    }

    /// The record's text as it is served, before links are signed.
    pub(super) fn shown(&self, record: &Stored, single: bool) -> String {
        let as_kept = Self { single_entry: self.single_entry, ..Self::default() };
        if !single && *self == as_kept {
            return record.raw.clone();
        }
        let Ok(mut fields) = serde_json::from_str::<Map<String, Value>>(&record.raw) else {
            return record.raw.clone();
        };
        let spend = spend_side(&Value::Object(fields.clone()));
        fields.insert("review_status".to_owned(), json!(self.review_status(record)));
        if record.face.record_type.ends_with("_REFUND") || record.face.record_type.ends_with("_REPAYMENT") {
            self.sign(&mut fields);
        }
        if let Some(lines) = fields.get_mut("line_items").and_then(Value::as_array_mut) {
            if let Some(account) = &self.balancing_account {
                lines
                    .iter_mut()
                    .filter(|line| line["type"] == other_side(spend))
                    .for_each(|line| balance(line, account));
            }
            let kept = if self.single_entry == SingleEntry::Debit { "DEBIT" } else { spend };
            lines.retain(|line| !single || line["type"] == kept);
        }
        Value::Object(fields).to_string()
    }

    fn sign(&self, fields: &mut Map<String, Value>) {
        let negative = match self.refund_total {
            RefundTotal::AsKept => return,
            RefundTotal::Positive => false,
            RefundTotal::Negative => true,
        };
        for name in ["amount", "original_amount"] {
            let amount = fields.get_mut(name).and_then(|money| money.get_mut("amount"));
            if let Some(amount) = amount
                && let Ok(mut value) = amount.to_string().parse::<Decimal>()
                && !value.is_zero()
            {
                value.set_sign_negative(negative);
                *amount = value.to_string().parse::<Number>().map_or(Value::Null, Value::Number);
            }
        }
    }
}

/// Codes a line that is not coded.
fn balance(line: &mut Value, account: &str) {
    let Some(values) = line.get_mut("accounting_field_values").and_then(Value::as_array_mut) else {
        return;
    };
    if values.is_empty() {
        values.push(json!({
            "brex_field_id": "extended_field_gl",
            "remote_field_id": "GL_ACCOUNT",
            "field_name": "GL Account",
            "brex_field_value_id": format!("efo_{account}"),
            "remote_field_value_id": account,
            "field_value_name": account,
            "type": "IDENTIFIER",
        }));
    }
}
