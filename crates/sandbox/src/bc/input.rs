//! Reads the body of a POST or PATCH against a set's schema: types, lengths, read-only and unknown properties.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::document::currency;
use super::error::Refusal;
use super::schema::{BLANK, BLANK_DATE, Field, Kind};
use super::sets::EntitySet;

/// A value of a field's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scalar {
    Guid(Uuid),
    /// Text, code (already upper-cased and trimmed) or enum member (in its escaped form).
    Text(String),
    Decimal(Decimal),
    Int(i64),
    Bool(bool),
    /// None is BC's blank date.
    Date(Option<Date>),
}

/// A checked body: fields in the order received, nested rows apart.
#[derive(Debug, Default)]
pub(crate) struct Input {
    pub(crate) fields: Vec<(&'static str, Scalar)>,
    pub(crate) nested: Vec<(&'static str, Vec<Map<String, Value>>)>,
}

impl Input {
    /// Checks a body. `deep` says whether nested rows may come with it.
    pub(crate) fn read(set: &dyn EntitySet, body: &Map<String, Value>, deep: bool) -> Result<Self, Refusal> {
        let schema = set.schema();
        let mut input = Self::default();
        for (name, value) in body {
            if name.contains('@') {
                continue;
            }
            if let Some(field) = schema.field(name) {
                if !field.writable {
                    return Err(Refusal::read_only(name));
                }
                input.fields.push((field.name, scalar(field, value)?));
            } else if let Some(nav) = set.navigation(name) {
                if !deep {
                    return Err(Refusal::bad_request(format!(
                        "The navigation property '{name}' cannot be changed by PATCH."
                    )));
                }
                input.nested.push((nav.schema().set, rows(name, value)?));
            } else {
                return Err(Refusal::unknown_property(name, schema.entity));
            }
        }
        Ok(input)
    }

    /// The value of a field, if it was sent.
    pub(crate) fn get(&self, name: &str) -> Option<&Scalar> {
        self.fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value)
    }

    pub(crate) fn guid(&self, name: &str) -> Option<Uuid> {
        match self.get(name) {
            Some(Scalar::Guid(id)) => Some(*id),
            _ => None,
        }
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Scalar::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The nested rows of a set, none if not sent.
    pub(crate) fn rows(&self, set: &str) -> impl Iterator<Item = &Map<String, Value>> {
        self.nested.iter().filter(move |(name, _)| *name == set).flat_map(|(_, rows)| rows)
    }
}

fn rows(name: &str, value: &Value) -> Result<Vec<Map<String, Value>>, Refusal> {
    let refuse = || Refusal::bad_request(format!("A collection of entities is expected for '{name}'."));
    let rows = value.as_array().ok_or_else(refuse)?;
    rows.iter().map(|row| row.as_object().cloned().ok_or_else(refuse)).collect()
}

fn scalar(field: &Field, value: &Value) -> Result<Scalar, Refusal> {
    if value.is_null() {
        return Err(Refusal::required(field.name));
    }
    let refuse = || Refusal::not_convertible(&literal(value), field.kind.edm());
    match field.kind {
        Kind::Guid => {
            let text = value.as_str().ok_or_else(refuse)?;
            Uuid::try_parse(text).map(Scalar::Guid).map_err(|_| Refusal::invalid_guid())
        }
        Kind::Code(length) => {
            let text = value.as_str().ok_or_else(refuse)?.trim().to_uppercase();
            limited(text, length)
        }
        Kind::Text(length) => limited(value.as_str().ok_or_else(refuse)?.to_owned(), length),
        Kind::Enum(members) => member(value.as_str().ok_or_else(refuse)?, members),
        Kind::Decimal => {
            let amount = number(value).ok_or_else(refuse)?;
            currency::within(amount).map(Scalar::Decimal)
        }
        Kind::Int => value.as_i64().filter(|number| i32::try_from(*number).is_ok()).map(Scalar::Int).ok_or_else(refuse),
        Kind::Int64 => value.as_i64().map(Scalar::Int).ok_or_else(refuse),
        Kind::Bool => value.as_bool().map(Scalar::Bool).ok_or_else(refuse),
        Kind::Date => {
            let refuse = || Refusal::bad_request("Unable to convert value to Date");
            let text = value.as_str().ok_or_else(refuse)?;
            let date: Date = text.parse().map_err(|_| refuse())?;
            if date.year() < 1 {
                return Err(refuse());
            }
            Ok(Scalar::Date((text != BLANK_DATE).then_some(date)))
        }
        Kind::DateTime | Kind::Stream => Err(Refusal::read_only(field.name)),
    }
}

fn literal(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// Strings of AL are UTF-16.
fn limited(text: String, maximum: usize) -> Result<Scalar, Refusal> {
    if text.encode_utf16().count() > maximum {
        return Err(Refusal::too_long(&text, maximum));
    }
    Ok(Scalar::Text(text))
}

/// A JSON number with the digits that were sent.
fn number(value: &Value) -> Option<Decimal> {
    let text = value.as_number()?.to_string();
    text.parse().or_else(|_| Decimal::from_scientific(&text)).ok()
}

/// The escaped member name of a readable or escaped one.
pub(crate) fn member(text: &str, members: &[&str]) -> Result<Scalar, Refusal> {
    let wanted = if text.trim().is_empty() { BLANK.to_owned() } else { escape(text) };
    members
        .iter()
        .find(|member| member.eq_ignore_ascii_case(&wanted) || member.eq_ignore_ascii_case(text))
        .map(|member| Scalar::Text((*member).to_owned()))
        .ok_or_else(|| Refusal::not_an_option(text, members))
}

fn escape(text: &str) -> String {
    text.replace(' ', "_x0020_").replace('-', "_x002D_").replace('(', "_x0028_").replace(')', "_x0029_")
}
