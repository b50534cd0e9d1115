//! JSON against a schema of OpenAPI 3: what does not fit, named after the nearest schema with a name.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;

/// How many forms of a `oneOf` must fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forms {
    /// In answers: Brex's own forms overlap, such as those of a custom field's text and option.
    AtLeastOne,
    /// In requests, which say which of several things they mean by exactly one key.
    ExactlyOne,
}

/// Collects what is wrong.
pub(super) struct Checker<'a> {
    document: &'a Value,
    forms: Forms,
    /// References under way at a value. A form may be made of the schema that it is a form of.
    open: Vec<(String, *const Value)>,
    pub(super) wrong: BTreeSet<String>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(document: &'a Value, forms: Forms) -> Self {
        Self { document, forms, open: Vec::new(), wrong: BTreeSet::new() }
    }

    /// A value against a schema, with the keys that no part of the schema describes.
    pub(super) fn check(&mut self, schema: &'a Value, value: &Value, place: &str) {
        self.check_parts(schema, value, place);
        let Some(fields) = value.as_object() else {
            return;
        };
        let mut known = Known::default();
        self.collect(schema, &mut known, &mut BTreeSet::new());
        if known.open || known.properties.is_empty() {
            return;
        }
        let name = name_of(schema).unwrap_or_else(|| place.to_owned());
        for key in fields.keys().filter(|key| !known.properties.contains_key(key.as_str())) {
            self.note(&format!("{name}.{key}"), "is not described");
        }
    }

    fn note(&mut self, place: &str, what: &str) {
        self.wrong.insert(format!("{place} {what}"));
    }

    fn resolve(&self, reference: &str) -> &'a Value {
        let found = self.document.pointer(reference.trim_start_matches('#'));
        found.unwrap_or_else(|| panic!("{reference} is not in the file"))
    }

    /// Everything but unknown keys: they are looked at once for all parts together.
    fn check_parts(&mut self, schema: &'a Value, value: &Value, place: &str) {
        if let Some(reference) = schema["$ref"].as_str() {
            let visit = (reference.to_owned(), std::ptr::from_ref(value));
            if !self.open.contains(&visit) {
                self.open.push(visit);
                let name = reference.rsplit('/').next().unwrap_or(place);
                self.check_parts(self.resolve(reference), value, name);
                self.open.pop();
            }
            return;
        }
        if value.is_null() {
            if !self.is_nullable(schema) {
                self.note(place, "is null");
            }
            return;
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.check_parts(part, value, place);
        }
        self.check_forms(schema, value, place);
        let fits = match schema["type"].as_str() {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("boolean") => value.is_boolean(),
            Some("integer") => value.is_i64() || value.is_u64(),
            Some("number") => value.is_number(),
            _ => true,
        };
        if !fits {
            self.note(place, &format!("is not of type {}", schema["type"].as_str().unwrap_or_default()));
            return;
        }
        if schema["enum"].as_array().is_some_and(|known| !known.contains(value)) {
            self.note(place, &format!("is {value}, which is not in the enum"));
        }
        self.check_limits(schema, value, place);
        self.check_members(schema, value, place);
    }

    /// Null fits if the schema says so itself, or through a part of it (`allOf: [X, { nullable: true }]`).
    fn is_nullable(&self, schema: &Value) -> bool {
        match schema["$ref"].as_str() {
            Some(reference) => self.is_nullable(self.resolve(reference)),
            None => {
                schema["nullable"] == true
                    || schema["allOf"].as_array().is_some_and(|parts| parts.iter().any(|part| part["nullable"] == true))
                    || schema.as_object().is_some_and(serde_json::Map::is_empty)
            }
        }
    }

    fn check_forms(&mut self, schema: &'a Value, value: &Value, place: &str) {
        let Some(forms) = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array()) else {
            return;
        };
        let discriminator = &schema["discriminator"];
        let told = discriminator["propertyName"].as_str().and_then(|name| value[name].as_str());
        if let Some(reference) = told.and_then(|told| discriminator["mapping"][told].as_str()) {
            let visit = (reference.to_owned(), std::ptr::from_ref(value));
            if !self.open.contains(&visit) {
                self.open.push(visit);
                let name = reference.rsplit('/').next().unwrap_or(place);
                self.check_parts(self.resolve(reference), value, name);
                self.open.pop();
            }
            return;
        }
        let mut fitting = 0;
        let mut best: Option<BTreeSet<String>> = None;
        for form in forms {
            let mut trial = Checker { open: self.open.clone(), ..Checker::new(self.document, self.forms) };
            trial.check_parts(form, value, place);
            fitting += usize::from(trial.wrong.is_empty());
            if best.as_ref().is_none_or(|best| trial.wrong.len() < best.len()) {
                best = Some(trial.wrong);
            }
        }
        if fitting == 0 {
            self.note(place, "fits none of its forms");
            self.wrong.extend(best.unwrap_or_default());
        } else if fitting > 1 && self.forms == Forms::ExactlyOne && schema["oneOf"].is_array() {
            self.note(place, &format!("fits {fitting} of its forms"));
        }
    }

    fn check_limits(&mut self, schema: &Value, value: &Value, place: &str) {
        let length = match value {
            Value::String(text) => u64::try_from(text.chars().count()).ok(),
            Value::Array(items) => u64::try_from(items.len()).ok(),
            _ => None,
        };
        let [least, most] = if value.is_array() { ["minItems", "maxItems"] } else { ["minLength", "maxLength"] };
        let beyond = |limit: &str| schema[limit].as_u64().zip(length);
        if beyond(least).is_some_and(|(limit, length)| length < limit) {
            self.note(place, &format!("is shorter than {least}"));
        }
        if beyond(most).is_some_and(|(limit, length)| length > limit) {
            self.note(place, &format!("is longer than {most}"));
        }
        if let Some(number) = value.as_f64() {
            let outside = schema["minimum"].as_f64().is_some_and(|limit| number < limit)
                || schema["maximum"].as_f64().is_some_and(|limit| number > limit);
            if outside {
                self.note(place, "is outside its limits");
            }
        }
        let fits = match (schema["format"].as_str(), value) {
            (Some("date-time"), Value::String(text)) => text.contains('T') && text.parse::<Timestamp>().is_ok(),
            (Some("date"), Value::String(text)) => text.len() == 10 && text.parse::<Date>().is_ok(),
            (Some("email"), Value::String(text)) => text.contains('@'),
            (Some("uri"), Value::String(text)) => url::Url::parse(text).is_ok(),
            (Some("int32"), Value::Number(number)) => {
                number.as_i64().is_some_and(|number| i32::try_from(number).is_ok())
            }
            (Some("int64"), Value::Number(number)) => number.is_i64(),
            _ => true,
        };
        if !fits {
            self.note(place, &format!("has not the format {}", schema["format"].as_str().unwrap_or_default()));
        }
    }

    fn check_members(&mut self, schema: &'a Value, value: &Value, place: &str) {
        for item in value.as_array().into_iter().flatten().filter(|_| schema["items"].is_object()) {
            self.check(&schema["items"], item, &format!("{place}[]"));
        }
        let Some(fields) = value.as_object() else {
            return;
        };
        for key in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !fields.contains_key(key) {
                self.note(&format!("{place}.{key}"), "is missing");
            }
        }
        for (key, member) in fields {
            let inner = format!("{place}.{key}");
            match (&schema["properties"][key], &schema["additionalProperties"]) {
                (Value::Null, additional) if additional.is_object() => self.check(additional, member, &inner),
                (Value::Null, _) => {}
                // A null is named after the key that has it, not after the schema that forbids it.
                (property, _) if member.is_null() => {
                    if !self.is_nullable(property) {
                        self.note(&inner, "is null");
                    }
                }
                (property, _) => self.check(property, member, &inner),
            }
        }
    }

    /// All keys that any part of a schema describes.
    fn collect(&self, schema: &'a Value, known: &mut Known<'a>, seen: &mut BTreeSet<&'a str>) {
        if let Some(reference) = schema["$ref"].as_str() {
            if seen.insert(reference) {
                self.collect(self.resolve(reference), known, seen);
            }
            return;
        }
        known.open |= schema["additionalProperties"] == true || schema["additionalProperties"].is_object();
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            known.properties.insert(key, property);
        }
        for parts in ["allOf", "oneOf", "anyOf"] {
            for part in schema[parts].as_array().into_iter().flatten() {
                self.collect(part, known, seen);
            }
        }
        // Some files list fewer forms than the discriminator tells apart.
        let mapping = schema["discriminator"]["mapping"].as_object();
        for reference in mapping.into_iter().flat_map(serde_json::Map::values).filter_map(Value::as_str) {
            if seen.insert(reference) {
                self.collect(self.resolve(reference), known, seen);
            }
        }
    }
}

/// The keys of an object, and whether it may have others.
#[derive(Default)]
struct Known<'a> {
    properties: BTreeMap<&'a str, &'a Value>,
    open: bool,
}

/// The name of the schema that is referred to, also as the only named part of an `allOf`.
fn name_of(schema: &Value) -> Option<String> {
    let direct = schema["$ref"].as_str();
    let part = || schema["allOf"].as_array()?.iter().find_map(|part| part["$ref"].as_str());
    let reference = direct.or_else(part)?;
    reference.rsplit('/').next().map(str::to_owned)
}
