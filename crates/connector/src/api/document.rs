//! The OpenAPI document: what the handlers say about themselves, and what the table and the door add for all of them.

use std::sync::LazyLock;

use axum::Json;
use axum::http::Method;
use domain::access::{Need, Role};
use serde_json::{Map, Value, json};
use utoipa::OpenApi as _;

use super::problem::{Code, MEDIA, ProblemBody};
use super::routes::{self, Gate, Route};
use super::{
    BASE, attention, audit, connections, doctor, mappings, operate, orders, plans, proposals, records, reference,
    reviews, said, spend, status,
};
use super::{tieout, transfers, users};

/// What it is, in the words of its reference.
const ABOUT: &str = "What the console shows and does, for programs. Send `Authorization: Bearer mlc_…` with a token that an \
     admin made (`ml-connector tokens create`, or the page Users). A token may do what its role may, and no more than its \
     user. Times are in UTC, amounts are decimals in text. A refusal is a problem (RFC 9457) with a stable `code`.";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "ml-connector admin API", description = ABOUT),
    paths(
        reference::show,
        show,
        status::show,
        connections::list,
        connections::run_job,
        doctor::run,
        doctor::replace_secret,
        spend::show,
        records::list,
        records::get,
        operate::retry,
        operate::skip,
        operate::replay,
        operate::retry_many,
        attention::show,
        reviews::list,
        reviews::answer,
        proposals::list,
        proposals::propose,
        proposals::approve,
        proposals::decline,
        mappings::list,
        mappings::say_one,
        transfers::list,
        transfers::get,
        transfers::payables,
        said::together,
        said::apart,
        said::reject,
        plans::make,
        orders::list,
        plans::order,
        orders::approve,
        orders::decline,
        tieout::show,
        audit::list,
        audit::verify,
        audit::list_installation,
        audit::verify_installation,
        users::list,
        users::add,
        users::link,
        users::role,
        users::disable,
        users::enable,
        users::unbind,
    ),
    components(schemas(ProblemBody))
)]
struct Said;

/// The document, made once.
pub(super) fn made() -> &'static Value {
    static MADE: LazyLock<Value> = LazyLock::new(make);
    &MADE
}

fn make() -> Value {
    let mut document = serde_json::to_value(Said::openapi()).unwrap_or_default();
    document["servers"] = json!([{ "url": BASE }]);
    document["components"]["securitySchemes"] = json!({
        "token": { "type": "http", "scheme": "bearer", "description": "A token of the admin API (mlc_…)." }
    });
    for route in routes::all() {
        let method = route.method.as_str().to_ascii_lowercase();
        if let Some(operation) = document["paths"][route.path][&method].as_object_mut() {
            complete(operation, &route);
        }
    }
    document
}

/// Adds who may call, what stands in the path, and every refusal.
fn complete(operation: &mut Map<String, Value>, route: &Route) {
    let Route { method, path, gate, .. } = route;
    operation.insert("security".to_owned(), security(*gate));
    if let Gate::Token(need) = gate {
        operation.insert("x-role".to_owned(), json!(least(*need)));
    }
    let has_query = parameters(operation).iter().any(|parameter| parameter["in"] == "query");
    let has_body = operation.contains_key("requestBody");
    let mut all: Vec<Value> = names(path).map(in_path).collect();
    all.extend(parameters(operation).iter().cloned());
    if !all.is_empty() {
        operation.insert("parameters".to_owned(), json!(all));
    }
    let mut codes = vec![Code::OtherHost];
    if *gate != Gate::Anyone {
        codes.extend([Code::Unauthorized, Code::Role, Code::TooMany, Code::Unavailable]);
    }
    if method == Method::POST {
        codes.extend([Code::Late, Code::TooLarge]);
    }
    if names(path).next().is_some() {
        codes.extend([Code::Unreadable, Code::NotFound]);
    }
    if has_query || has_body {
        codes.extend([Code::Unreadable, Code::Unusable]);
    }
    if has_body {
        codes.push(Code::NotJson);
    }
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    for code in codes {
        let status = code.status().as_u16().to_string();
        responses.entry(status).or_insert_with(|| json!({ "description": format!("{}.", code.title()) }));
    }
    responses.sort_keys();
    for (status, response) in responses {
        if status.starts_with(['4', '5']) {
            let reference = json!({ "$ref": "#/components/schemas/Problem" });
            response["content"] = json!({ MEDIA: { "schema": reference } });
        }
    }
}

fn parameters(operation: &Map<String, Value>) -> &[Value] {
    operation.get("parameters").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn security(gate: Gate) -> Value {
    if gate == Gate::Anyone { json!([]) } else { json!([{ "token": [] }]) }
}

/// The least role that may do it.
fn least(need: Need) -> &'static str {
    Role::ALL.into_iter().find(|role| role.may(need)).map_or("", Role::as_str)
}

/// The names in the braces of a path.
fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn in_path(name: &str) -> Value {
    let text = json!({ "type": "string", "minLength": 1 });
    let (description, schema) = match name {
        "connection" => (
            "The name of the connection.",
            json!({ "type": "string", "pattern": "^[a-z0-9_-]{1,40}$", "examples": ["main"] }),
        ),
        "record" => ("The id of the record in Brex.", text),
        "transfer" => ("The id of the transfer in Brex.", text),
        "job" => ("The name of the job.", text),
        "user" => ("The name of the user.", text),
        "id" => ("Its number.", json!({ "type": "integer", "format": "int64" })),
        _ => ("", text),
    };
    json!({ "name": name, "in": "path", "required": true, "description": description, "schema": schema })
}

/// This document.
///
/// OpenAPI 3.1.
#[utoipa::path(get, path = "/openapi.json", operation_id = "get_openapi", tag = "reference",
    responses((status = 200, description = "The document.", body = Object)))]
pub(super) async fn show() -> Json<&'static Value> {
    Json(made())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::collections::BTreeSet;

    use super::{made, routes};

    #[test]
    fn the_document_and_the_table_have_the_same_paths_and_each_has_a_name_of_its_own() {
        let document = made();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        let mut described = BTreeSet::new();
        let mut ids = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                described.insert(format!("{} {path}", method.to_ascii_uppercase()));
                assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{path}");
                assert!(!operation["summary"].as_str().unwrap().is_empty(), "{path}");
                assert!(operation["tags"][0].is_string(), "{path}");
            }
        }
        let table: BTreeSet<String> =
            routes::all().iter().map(|route| format!("{} {}", route.method, route.path)).collect();
        assert_eq!(described, table);
    }
}
