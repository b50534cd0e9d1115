//! The checker finds what is wrong: against a small file of our own.

use serde_json::{Value, json};

use super::Api;

const FILE: &str = r##"{ "paths": {
    "/things/{id}": { "get": { "operationId": "getThing",
        "parameters": [{ "name": "limit", "in": "query", "schema": { "type": "integer" } },
            { "name": "kind[]", "in": "query", "schema": { "type": "array", "items": { "enum": ["A", "B"] } } }],
        "responses": { "200": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } } },
            "204": {}, "404": {} } } },
    "/things/own": { "post": { "operationId": "makeThing",
        "parameters": [{ "name": "Idempotency-Key", "in": "header", "required": true, "schema": { "type": "string" } }],
        "requestBody": { "required": true, "content": { "application/json": { "schema": { "type": "object",
            "oneOf": [{ "$ref": "#/components/schemas/ByName" }, { "$ref": "#/components/schemas/ByCode" }] } } } },
        "responses": { "200": {} } } } },
  "components": { "schemas": {
    "Base": { "type": "object", "required": ["id"], "properties": { "id": { "type": "string", "maxLength": 3 } } },
    "Thing": { "allOf": [{ "$ref": "#/components/schemas/Base" }, { "required": ["kind", "at"], "properties": {
        "kind": { "type": "string", "enum": ["A", "B"] },
        "at": { "type": "string", "format": "date-time" },
        "parts": { "type": "array", "minItems": 1, "items": { "$ref": "#/components/schemas/Base" } },
        "parent": { "nullable": true, "allOf": [{ "$ref": "#/components/schemas/Base" }] },
        "labels": { "type": "object", "additionalProperties": { "type": "string" } } } }] },
    "ByName": { "type": "object", "required": ["name"], "properties": { "name": { "type": "string" } } },
    "ByCode": { "type": "object", "required": ["code"], "properties": { "code": { "type": "integer" } } } } } }"##;

fn thing(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut thing = json!({ "id": "1", "kind": "A", "at": "2026-06-01T00:00:00Z", "parts": [{ "id": "2" }],
        "parent": null, "labels": { "a": "b" } });
    change(&mut thing);
    Api::parse(FILE).answer("GET", "/things/1", 200, &thing).into_iter().collect()
}

#[test]
fn the_checker_finds_missing_unknown_mistyped_and_wrong_values_in_answers() {
    let found = |expected: &str, change: fn(&mut Value)| assert_eq!(thing(change), [expected]);
    assert_eq!(thing(|_| {}), [""; 0]);
    found("Base.id is missing", |thing| drop(thing.as_object_mut().unwrap().remove("id")));
    found("Thing.at is missing", |thing| drop(thing.as_object_mut().unwrap().remove("at")));
    found("Thing.extra is not described", |thing| thing["extra"] = json!(1));
    found("Base.extra is not described", |thing| thing["parts"][0]["extra"] = json!(1));
    found("Base.id is not of type string", |thing| thing["id"] = json!(1));
    found("Base.id is longer than maxLength", |thing| thing["id"] = json!("1234"));
    found("Thing.kind is \"C\", which is not in the enum", |thing| thing["kind"] = json!("C"));
    found("Thing.kind is null", |thing| thing["kind"] = Value::Null);
    found("Thing.at has not the format date-time", |thing| thing["at"] = json!("2026-06-01"));
    found("Thing.parts is shorter than minItems", |thing| thing["parts"] = json!([]));
    found("Base.id is missing", |thing| thing["parent"] = json!({}));
    found("Thing.labels.a is not of type string", |thing| thing["labels"]["a"] = json!(1));
}

#[test]
fn the_checker_finds_answers_and_operations_that_are_not_described() {
    let api = Api::parse(FILE);
    let answer = |method: &str, path: &str, status, body: Value| {
        api.answer(method, path, status, &body).into_iter().collect::<Vec<_>>().join("; ")
    };
    assert_eq!(answer("GET", "/nothing", 200, Value::Null), "GET /nothing is not described");
    assert_eq!(answer("GET", "/things/1", 201, Value::Null), "getThing 201 is not described");
    assert_eq!(answer("GET", "/things/1", 204, Value::Null), "");
    assert_eq!(answer("GET", "/things/1", 204, json!({})), "getThing 204 has a body that is not described");
    assert_eq!(answer("GET", "/things/1", 404, json!({ "type": "NOT_FOUND", "message": "Not Found" })), "");
    assert_eq!(answer("GET", "/things/1", 404, json!({ "type": "NOT_FOUND" })), "getThing 404.message is missing");
    assert_eq!(answer("GET", "/things/1", 404, Value::Null), "getThing 404 is null");
}

#[test]
fn the_checker_finds_what_is_wrong_with_a_request() {
    let api = Api::parse(FILE);
    let request = |method: &str, path: &str, headers: &[&str], body: Option<Value>| {
        api.request(method, path, headers, body.as_ref()).into_iter().collect::<Vec<_>>().join("; ")
    };
    let key = &["idempotency-key"];
    assert_eq!(request("GET", "/things/1?limit=5&kind[]=A&kind[]=B", &[], None), "");
    assert_eq!(request("GET", "/things/1?limit=x", &[], None), "getThing limit is not of type integer");
    assert_eq!(request("GET", "/things/1?limit=1&limit=2", &[], None), "getThing takes limit once");
    assert_eq!(request("GET", "/things/1?kind[]=C", &[], None), "getThing kind[] is \"C\", which is not in the enum");
    assert_eq!(request("GET", "/things/1?page=2", &[], None), "getThing has no parameter page");
    assert_eq!(request("GET", "/things/1", &[], Some(json!({}))), "getThing takes no body");
    assert_eq!(request("POST", "/things/own", key, Some(json!({ "name": "x" }))), "");
    assert_eq!(request("POST", "/things/own", key, None), "makeThing needs a body");
    assert_eq!(
        request("POST", "/things/own", &[], Some(json!({ "code": 1 }))),
        "makeThing needs the header Idempotency-Key"
    );
    assert_eq!(
        request("POST", "/things/own", key, Some(json!({ "name": "x", "code": 1 }))),
        "makeThing fits 2 of its forms"
    );
    assert!(request("POST", "/things/own", key, Some(json!({ "name": 1 }))).contains("fits none of its forms"));
}
