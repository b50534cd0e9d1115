//! Holds requests and answers against Brex's OpenAPI files, where they are at hand (`../shared/reference/brex-openapi`
//! beside the project); without them a check prints that it skips. What the sandbox does otherwise on purpose stands in
//! [`differences`], each with the section of the reference that asks for it.

mod differences;
mod schema;
mod self_test;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

pub(crate) use self::differences::{never_seen, unexpected};
use self::schema::{Checker, Forms};

/// An OpenAPI 3 file.
pub(crate) struct Api {
    document: Value,
}

/// One operation of a file.
struct Operation<'a> {
    id: String,
    shared: &'a Value,
    own: &'a Value,
}

impl Api {
    /// From the text of a file.
    pub(crate) fn parse(text: &str) -> Self {
        Self { document: serde_json::from_str(text).unwrap() }
    }

    /// One of Brex's files, if it is there.
    pub(crate) fn brex(file: &str) -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference/brex-openapi");
        let Ok(text) = std::fs::read_to_string(folder.join(file)) else {
            println!("skipped: {file} is not there");
            return None;
        };
        Some(Self::parse(&text))
    }

    /// What is wrong with an answer. An empty body is `Null`.
    pub(crate) fn answer(&self, method: &str, path: &str, status: u16, body: &Value) -> BTreeSet<String> {
        let Some(operation) = self.operation(method, path) else {
            return BTreeSet::from([format!("{method} {path} is not described")]);
        };
        let answer = &operation.own["responses"][status.to_string()];
        let described = &answer["content"]["application/json"]["schema"];
        let place = format!("{} {status}", operation.id);
        if described.is_object() {
            return self.check(described, body, &place, Forms::AtLeastOne);
        }
        match status {
            // The files give most errors no body; all of one API have the same one.
            400.. if body.is_null() && status == 429 => BTreeSet::new(),
            400.. => self.check(&self.error(), body, &place, Forms::AtLeastOne),
            _ if answer.is_null() => BTreeSet::from([format!("{place} is not described")]),
            _ if !body.is_null() => BTreeSet::from([format!("{place} has a body that is not described")]),
            _ => BTreeSet::new(),
        }
    }

    /// What is wrong with a request: the names and values of its query, its headers, its body.
    pub(crate) fn request(
        &self,
        method: &str,
        path_and_query: &str,
        headers: &[&str],
        body: Option<&Value>,
    ) -> BTreeSet<String> {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let Some(operation) = self.operation(method, path) else {
            return BTreeSet::from([format!("{method} {path} is not described")]);
        };
        let mut wrong = self.query(&operation, query);
        for parameter in self.parameters(&operation, "header") {
            let name = parameter["name"].as_str().unwrap();
            if parameter["required"] == true && !headers.iter().any(|header| header.eq_ignore_ascii_case(name)) {
                wrong.insert(format!("{} needs the header {name}", operation.id));
            }
        }
        let described = &operation.own["requestBody"];
        match (body, &described["content"]["application/json"]["schema"]) {
            (Some(body), schema) if schema.is_object() => {
                wrong.extend(self.check(schema, body, &operation.id, Forms::ExactlyOne));
            }
            (Some(_), _) => {
                wrong.insert(format!("{} takes no body", operation.id));
            }
            (None, _) if described["required"] == true => {
                wrong.insert(format!("{} needs a body", operation.id));
            }
            (None, _) => {}
        }
        wrong
    }

    /// What is wrong with a value that a named schema describes.
    pub(crate) fn named(&self, schema: &str, value: &Value) -> BTreeSet<String> {
        let reference = json!({ "$ref": format!("#/components/schemas/{schema}") });
        self.check(&reference, value, schema, Forms::AtLeastOne)
    }

    fn check(&self, schema: &Value, value: &Value, place: &str, forms: Forms) -> BTreeSet<String> {
        let mut checker = Checker::new(&self.document, forms);
        checker.check(schema, value, place);
        checker.wrong
    }

    /// The file's own shape of an error, else the platform's (reference 7.4).
    fn error(&self) -> Value {
        if self.document["components"]["schemas"]["AccountingErrorResponse"].is_object() {
            return json!({ "$ref": "#/components/schemas/AccountingErrorResponse" });
        }
        let text = json!({ "type": "string" });
        json!({ "type": "object", "required": ["type", "message"],
            "properties": { "type": text, "message": text, "code": text } })
    }

    /// A path without parameters goes before one with them.
    fn operation(&self, method: &str, path: &str) -> Option<Operation<'_>> {
        let paths = self.document["paths"].as_object()?;
        let fits = |template: &&String| {
            let (wanted, given): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
            wanted.len() == given.len() && wanted.iter().zip(&given).all(|(w, g)| w.starts_with('{') || w == g)
        };
        let method = method.to_lowercase();
        let found = paths.keys().filter(fits).filter(|template| paths[*template][&method].is_object());
        let template = found.min_by_key(|template| template.matches('{').count())?;
        let shared = &paths[template];
        let own = &shared[&method];
        let id = own["operationId"].as_str().map_or_else(|| format!("{method} {template}"), str::to_owned);
        Some(Operation { id, shared, own })
    }

    fn parameters<'a>(&'a self, operation: &Operation<'a>, place: &'static str) -> Vec<&'a Value> {
        let lists = [&operation.shared["parameters"], &operation.own["parameters"]];
        let all = lists.into_iter().filter_map(Value::as_array).flatten();
        let resolve = |parameter: &'a Value| match parameter["$ref"].as_str() {
            Some(reference) => self.document.pointer(reference.trim_start_matches('#')).unwrap(),
            None => parameter,
        };
        all.map(resolve).filter(|parameter| parameter["in"] == place).collect()
    }

    fn query(&self, operation: &Operation<'_>, query: &str) -> BTreeSet<String> {
        let described = self.parameters(operation, "query");
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let mut wrong = BTreeSet::new();
        for (name, text) in &pairs {
            let Some(parameter) = described.iter().find(|parameter| parameter["name"] == name.as_str()) else {
                wrong.insert(format!("{} has no parameter {name}", operation.id));
                continue;
            };
            let schema = &parameter["schema"];
            let repeatable = schema["type"] == "array";
            if !repeatable && pairs.iter().filter(|(other, _)| other == name).count() > 1 {
                wrong.insert(format!("{} takes {name} once", operation.id));
            }
            let schema = if repeatable { &schema["items"] } else { schema };
            // The text of a number or a boolean is its JSON, that of a string is not.
            let read = match schema["type"].as_str() {
                Some("integer" | "number" | "boolean") => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
                _ => json!(text),
            };
            wrong.extend(self.check(schema, &read, &format!("{} {name}", operation.id), Forms::ExactlyOne));
        }
        for parameter in described.iter().filter(|parameter| parameter["required"] == true) {
            let name = parameter["name"].as_str().unwrap();
            if !pairs.iter().any(|(given, _)| given == name) {
                wrong.insert(format!("{} needs the parameter {name}", operation.id));
            }
        }
        wrong
    }
}
