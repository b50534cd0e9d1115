//! The port of Business Central: admits requests, makes calls of them, and writes answers with BC's headers.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::Response;
use axum::routing::get;
use jiff::Timestamp;

use super::auth::{self, Route};
use super::batch::{self, Batch, Manner};
use super::call::{Answer, Call, Content, execute};
use super::error::Refusal;
use super::page;
use crate::world::World;

const JSON: HeaderValue = HeaderValue::from_static("application/json; odata.metadata=minimal; odata.streaming=true");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain");
/// The largest request body.
const BODY_MAXIMUM: usize = 350 * 1024 * 1024;

/// The routes of Business Central: the API below `/v2.0/`, and a page for people at `/`.
pub fn router() -> Router<Arc<World>> {
    Router::new().route("/", get(page::documents)).fallback(serve)
}

async fn serve(State(world): State<Arc<World>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match respond(&world, &parts.method, &parts.uri, &parts.headers, body).await {
        Ok(response) => response,
        Err(refusal) => written(&world, Answer::refusal(&refusal, &world.bc.ids)),
    }
}

async fn respond(
    world: &World,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let route = auth::route(uri.path()).ok_or_else(|| Refusal::no_route(&uri.to_string()))?;
    auth::admit(world, headers, &route)?;
    let now = world.clock.now();
    let _admission = world.bc.limits.admit(now).await?;
    let body = to_bytes(body, BODY_MAXIMUM).await.map_err(|_| Refusal::body_too_large())?;
    let host = header(headers, &HOST).unwrap_or("127.0.0.1");
    let service = format!("http://{host}{}", route.service);
    if route.rest == "$batch" {
        return batch(world, method, headers, &service, &body, now);
    }
    let call = call(method, uri, headers, &service, &route, &body);
    let answer = execute(&mut world.bc.lock(), &world.bc.ids, now, &call);
    Ok(written(world, answer))
}

fn call<'a>(
    method: &Method,
    uri: &'a Uri,
    headers: &HeaderMap,
    service: &'a str,
    route: &Route<'a>,
    body: &'a Bytes,
) -> Call<'a> {
    let named = |name: &'static str| header(headers, &HeaderName::from_static(name));
    Call {
        method: method.clone(),
        service,
        path: route.rest,
        query: uri.query().unwrap_or_default(),
        company: None,
        if_match: named("if-match").map(ToOwned::to_owned),
        prefer: preferences(headers),
        read_only: named("data-access-intent").is_some_and(|intent| intent.eq_ignore_ascii_case("ReadOnly")),
        body,
    }
}

fn batch(
    world: &World,
    method: &Method,
    headers: &HeaderMap,
    service: &str,
    body: &[u8],
    now: Timestamp,
) -> Result<Response, Refusal> {
    if method != Method::POST {
        return Err(Refusal::verb(method.as_str(), "$batch", "Action"));
    }
    let batch = Batch::read(body)?;
    world.bc.limits.count(batch.len().saturating_sub(1), now)?;
    let manner = Manner {
        continue_on_error: preferences(headers).contains("odata.continue-on-error"),
        snapshot: header(headers, &HeaderName::from_static("isolation"))
            .is_some_and(|isolation| isolation.eq_ignore_ascii_case("snapshot")),
    };
    let answers = batch.run(&mut world.bc.lock(), &world.bc.ids, now, service, manner);
    if header(headers, &ACCEPT).is_some_and(|accept| accept.contains("application/json")) {
        return Ok(written(world, Answer::json(StatusCode::OK, batch::as_json(answers))));
    }
    let boundary = format!("batchresponse_{}", world.bc.ids.guid());
    let text = batch::as_multipart(answers, &boundary);
    let mut response = written(world, Answer { status: StatusCode::OK, body: Content::Text(text) });
    if let Ok(kind) = HeaderValue::try_from(format!("multipart/mixed; boundary={boundary}")) {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    Ok(response)
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn preferences(headers: &HeaderMap) -> String {
    let all = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    all.collect::<Vec<_>>().join(",")
}

fn written(world: &World, answer: Answer) -> Response {
    let (kind, body) = match answer.body {
        Content::Nothing => (None, Body::empty()),
        Content::Json(body) => (Some(JSON), Body::from(body.to_string())),
        Content::Text(text) => (Some(TEXT), Body::from(text)),
    };
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    if let Some(kind) = kind {
        headers.insert(CONTENT_TYPE, kind);
    }
    headers.insert("odata-version", HeaderValue::from_static("4.0"));
    for name in ["request-id", "ms-correlation-x"] {
        if let Ok(id) = HeaderValue::try_from(world.bc.ids.guid().to_string()) {
            headers.insert(HeaderName::from_static(name), id);
        }
    }
    response
}
