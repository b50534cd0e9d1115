//! The reference as a page: the document, made readable without any script.

use std::sync::LazyLock;

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use serde_json::Value;

use super::document::made;
use super::problem::Code;
use super::routes::{self, Route};

#[derive(Template)]
#[template(path = "api/reference.html")]
struct Page {
    about: String,
    tags: Vec<(String, Vec<Operation>)>,
    shapes: Vec<Shape>,
    codes: [Code; 16],
}

/// A path with its method.
struct Operation {
    id: String,
    method: String,
    path: String,
    role: String,
    summary: String,
    text: String,
    parameters: Vec<Field>,
    body: Option<String>,
    answers: Vec<Answer>,
}

/// A status with what comes with it.
struct Answer {
    status: String,
    text: String,
    shape: Option<String>,
}

/// An object that is sent or answered.
struct Shape {
    name: String,
    text: String,
    fields: Vec<Field>,
}

/// A value of one.
struct Field {
    name: String,
    kind: String,
    /// The shape to look at.
    shape: Option<String>,
    is_required: bool,
    text: String,
}

/// This reference, as a page.
///
/// For people: it needs neither a token nor a script.
#[utoipa::path(get, path = "/", operation_id = "get_reference", tag = "reference",
    responses((status = 200, description = "The page.", body = String, content_type = "text/html; charset=utf-8")))]
pub(super) async fn show() -> Response {
    // Anybody may ask for it, so it is made once.
    static MADE: LazyLock<Result<String, askama::Error>> = LazyLock::new(|| page(made()).render());
    match &*MADE {
        Ok(text) => Html(text.as_str()).into_response(),
        Err(error) => {
            tracing::error!(error = %error, "the reference could not be made");
            (StatusCode::INTERNAL_SERVER_ERROR, "the reference could not be made").into_response()
        }
    }
}

fn page(document: &Value) -> Page {
    let mut tags: Vec<(String, Vec<Operation>)> = Vec::new();
    for Route { method, path, .. } in routes::all() {
        let described = &document["paths"][path][method.as_str().to_ascii_lowercase()];
        let tag = text(&described["tags"][0]);
        let one = operation(path, method.as_str(), described);
        match tags.iter_mut().find(|(known, _)| *known == tag) {
            Some((_, operations)) => operations.push(one),
            None => tags.push((tag, vec![one])),
        }
    }
    // What the API is about comes first.
    tags.sort_by_key(|(tag, _)| tag == "reference");
    let shapes = document["components"]["schemas"].as_object().into_iter().flatten();
    Page {
        about: text(&document["info"]["description"]),
        tags,
        shapes: shapes.map(|(name, schema)| shape(name, schema)).collect(),
        codes: Code::ALL,
    }
}

fn operation(path: &str, method: &str, described: &Value) -> Operation {
    let parameters = described["parameters"].as_array().into_iter().flatten();
    let answers = described["responses"].as_object().into_iter().flatten();
    Operation {
        id: text(&described["operationId"]),
        method: method.to_owned(),
        path: path.to_owned(),
        role: text(&described["x-role"]),
        summary: text(&described["summary"]),
        text: text(&described["description"]),
        parameters: parameters.map(parameter).collect(),
        body: described["requestBody"]["content"].as_object().and_then(|content| named(content.values().next()?)),
        answers: answers
            .map(|(status, response)| Answer {
                status: status.clone(),
                text: text(&response["description"]),
                shape: response["content"].as_object().and_then(|content| named(content.values().next()?)),
            })
            .collect(),
    }
}

/// The shape that the content of a body refers to.
fn named(content: &Value) -> Option<String> {
    content["schema"]["$ref"].as_str()?.rsplit('/').next().map(str::to_owned)
}

fn parameter(parameter: &Value) -> Field {
    Field {
        name: text(&parameter["name"]),
        kind: format!("{} in the {}", kind(&parameter["schema"]), text(&parameter["in"])),
        shape: None,
        is_required: parameter["required"] == true,
        text: text(&parameter["description"]),
    }
}

fn shape(name: &str, schema: &Value) -> Shape {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let fields = schema["properties"].as_object().into_iter().flatten().map(|(name, schema)| Field {
        name: name.clone(),
        kind: kind(schema),
        shape: referred(schema),
        is_required: required.contains(&name.as_str()),
        text: text(&schema["description"]),
    });
    let values = schema["enum"].as_array().map(|values| values.iter().map(text).collect::<Vec<_>>().join(", "));
    let told = [text(&schema["description"]), values.map(|values| format!("One of: {values}.")).unwrap_or_default()];
    Shape { name: name.to_owned(), text: told.join(" ").trim().to_owned(), fields: fields.collect() }
}

/// What a value is, in a word or two.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next()) {
        return name.to_owned();
    }
    for several in ["oneOf", "anyOf", "allOf"] {
        if let Some(kinds) = schema[several].as_array() {
            return kinds.iter().map(kind).collect::<Vec<_>>().join(" or ");
        }
    }
    let word = match &schema["type"] {
        Value::Array(types) => types.iter().map(text).collect::<Vec<_>>().join(" or "),
        one => text(one),
    };
    if word.contains("array") {
        return format!("list of {}", kind(&schema["items"]));
    }
    let format = schema["format"].as_str().map(|format| format!(" ({format})"));
    let values = schema["enum"].as_array().map(|values| values.iter().map(text).collect::<Vec<_>>().join(", "));
    let values = values.map(|values| format!(": {values}"));
    format!("{word}{}{}", format.unwrap_or_default(), values.unwrap_or_default())
}

/// The shape that a value or a part of it refers to.
fn referred(schema: &Value) -> Option<String> {
    let own = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next()).map(str::to_owned);
    let several = ["oneOf", "anyOf", "allOf"].into_iter().filter_map(|word| schema[word].as_array()).flatten();
    own.or_else(|| several.chain([&schema["items"]]).find_map(|part| part.is_object().then(|| referred(part))?))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
