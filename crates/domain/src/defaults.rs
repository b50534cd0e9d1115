//! Rules for what the coding leaves open: which account, dimensions and tax code a line gets by its merchant, employee, type or
//! another of its fields. What is coded is never overruled.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::record::{Line, Record};

/// One rule. All conditions that it names must hold; one without conditions always does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DefaultRule {
    /// The merchant's name; `*` stands for anything.
    pub merchant: Option<String>,
    /// The employee's e-mail address; `*` stands for anything.
    pub user: Option<String>,
    /// The record's type in Brex; `*` stands for anything.
    pub record_type: Option<String>,
    /// Fields of the line, such as department or category, by id or name, with the value's id or name.
    pub fields: BTreeMap<String, String>,
    /// The G/L account's number or name.
    pub account: Option<String>,
    /// Dimension codes with the value's code or name.
    pub dimensions: BTreeMap<String, String>,
    /// The tax code's code or name.
    pub tax: Option<String>,
}

impl DefaultRule {
    /// Whether the rule speaks about this line.
    pub fn fits(&self, line: &Line, record: &Record) -> bool {
        let holds = |pattern: Option<&String>, text: Option<&str>| match (pattern, text) {
            (None, _) => true,
            (Some(pattern), Some(text)) => is_like(pattern, text),
            (Some(_), None) => false,
        };
        holds(self.merchant.as_ref(), record.merchant.as_ref().map(|m| m.name.as_str()))
            && holds(self.user.as_ref(), record.person.as_ref().map(|p| p.email.as_str()))
            && holds(self.record_type.as_ref(), Some(&record.type_name))
            && self.fields.iter().all(|(field, value)| has(line, field, value))
    }
}

/// Whether the line carries this value in this field.
fn has(line: &Line, field: &str, value: &str) -> bool {
    line.coding.iter().any(|coded| {
        let names = [coded.field.as_deref(), coded.field_name.as_deref()];
        let values = [coded.value(), coded.value_name()];
        names.into_iter().flatten().any(|name| same(name, field))
            && values.into_iter().flatten().any(|text| is_like(value, text))
    })
}

/// Equal but for case and blanks around it.
pub(crate) fn same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// Whether the text is as the pattern says, but for case; `*` stands for any text.
fn is_like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.trim().to_lowercase(), text.trim().to_lowercase());
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        let Some((_, after)) = text.split_once(part) else { return false };
        text = after;
    }
    text.ends_with(last)
}
