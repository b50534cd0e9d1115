//! A person splits an expense. No source tells how the parts appear, so a switch does: as lines of one record, or as one
//! record for each part, of a child expense whose parent has the status `SPLIT`.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Number, Value, json};

use super::super::Brex;
use super::super::state::State;
use super::EXPORTED;
use super::edit::ChangeRefused;
use super::shape::Splits;
use super::stored::{Stored, other_side, spend_side};

impl Brex {
    /// Splits a record that is not exported into parts of these amounts, which must sum to its total. Gives the ids of
    /// the records that hold them.
    pub fn split(&self, id: &str, amounts: &[Decimal], now: Timestamp) -> Result<Vec<String>, ChangeRefused> {
        let mut state = self.lock();
        let ids = state.draw();
        state.journal.change(id, now, |record| {
            if record.get("review_status").is_some_and(|status| status == EXPORTED) {
                return Err(ChangeRefused::Exported(id.to_owned()));
            }
            let unreadable = |why: &str| ChangeRefused::Unreadable(why.to_owned());
            let whole = Value::Object(record.clone());
            let total = decimal(&whole["amount"]).ok_or_else(|| unreadable("it has no amount"))?.abs();
            if amounts.len() < 2
                || amounts.iter().try_fold(Decimal::ZERO, |sum, part| sum.checked_add(*part)) != Some(total)
                || amounts.iter().any(|part| *part <= Decimal::ZERO)
            {
                return Err(unreadable("the parts do not sum to the total"));
            }
            let side = spend_side(&whole);
            let lines = record.get_mut("line_items").and_then(Value::as_array_mut);
            let lines = lines.ok_or_else(|| unreadable("it has no lines"))?;
            let index = lines.iter().position(|line| line["type"] == side);
            let first = index.map(|index| lines[index].clone()).ok_or_else(|| unreadable("it has no lines"))?;
            let mut parts: Vec<Value> = amounts.iter().map(|&part| of_amount(&first, part)).collect();
            for line in &mut parts {
                line["id"] = json!(ids.prefixed("accrli"));
            }
            lines.retain(|line| line["type"] != side);
            lines.splice(0..0, parts);
            Ok(())
        })?;
        if state.settings.accounting.splits == Splits::Records { state.part(id) } else { Ok(vec![id.to_owned()]) }
    }
}

impl State {
    /// Makes records of their own of the parts of every split expense that is not exported.
    pub(in crate::brex) fn part_all(&mut self) {
        let split = |record: &&Stored| {
            let value = record.value();
            let side = spend_side(&value);
            let parts = value["line_items"]
                .as_array()
                .map_or(0, |lines| lines.iter().filter(|line| line["type"] == side).count());
            parts > 1 && record.face.review_status != EXPORTED && record.face.source_type == "CARD"
        };
        let ids: Vec<String> = self.journal.iter().filter(split).map(|record| record.face.id.clone()).collect();
        for id in ids {
            if let Err(error) = self.part(&id) {
                tracing::warn!(%error, "an expense could not be split");
            }
        }
    }

    fn part(&mut self, id: &str) -> Result<Vec<String>, ChangeRefused> {
        let whole = self.journal.get(id).ok_or_else(|| ChangeRefused::Unknown(id.to_owned()))?.clone();
        let value = whole.value();
        let side = spend_side(&value);
        let lines = value["line_items"].as_array().cloned().unwrap_or_default();
        let balancing = lines.iter().find(|line| line["type"] == other_side(side)).cloned();
        let mut parts = Vec::new();
        for line in lines.iter().filter(|line| line["type"] == side) {
            let part = self.child(&value, line, balancing.as_ref());
            let read = Stored::read(part.to_string()).map_err(|error| ChangeRefused::Unreadable(error.to_string()))?;
            parts.push(Stored {
                raw: read.raw,
                face: read.face,
                parent: whole.face.source_id.clone(),
                ..whole.clone()
            });
        }
        self.journal.remove(id);
        let ids = parts.iter().map(|part| part.face.id.clone()).collect();
        if let Some(source) = &whole.face.source_id {
            self.split_expenses.insert(source.clone(), whole);
        }
        for part in parts {
            self.journal.insert(part);
        }
        Ok(ids)
    }

    /// The record of one part: its amount is the line's, which may have none in the original currency.
    fn child(&mut self, whole: &Value, line: &Value, balancing: Option<&Value>) -> Value {
        let ids = self.draw();
        let mut part = whole.clone();
        part["id"] = json!(ids.prefixed("accr"));
        part["source_id"] = json!(ids.prefixed("expense"));
        let mut across = balancing.cloned().unwrap_or_else(|| json!({}));
        across["id"] = json!(ids.prefixed("accrli"));
        for holder in [&mut part, &mut across] {
            for name in ["amount", "original_amount"] {
                holder[name] = line[name].clone();
            }
            if holder.get("billing_amount").is_some() {
                holder["billing_amount"] = line["amount"].clone();
            }
        }
        part["line_items"] = json!([line, across]);
        part
    }
}

/// The line with another amount; its original amount is not known then, unless it is in the same currency.
fn of_amount(line: &Value, amount: Decimal) -> Value {
    let mut line = line.clone();
    let number = amount.to_string().parse::<Number>().map_or(Value::Null, Value::Number);
    let currency = line["amount"]["currency"].clone();
    for name in ["amount", "original_amount", "billing_amount"] {
        let money = line.get_mut(name).filter(|money| !money.is_null());
        if let Some(money) = money {
            *money = if money["currency"] == currency {
                json!({ "amount": number, "currency": currency })
            } else {
                Value::Null
            };
        }
    }
    line
}

fn decimal(money: &Value) -> Option<Decimal> {
    money["amount"].as_number()?.to_string().parse().ok()
}
