//! The port of Business Central: admits requests, makes calls of them, and writes answers with BC's headers.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::Response;
use axum::routing::get;

use super::auth::{self, Route};
use super::batch::{self, Batch, Manner};
use super::call::{Answer, Call, Content, execute};
use super::environments;
use super::error::Refusal;
use super::group::{self, Group};
use super::page;
use super::settings::Settings;
use super::upload::{self, Upload};
use super::webhooks;
use crate::world::World;

const JSON: HeaderValue = HeaderValue::from_static("application/json; odata.metadata=minimal; odata.streaming=true");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain");

/// The routes of Business Central: the API below `/v2.0/`, and a page for people at `/`.
pub fn router() -> Router<Arc<World>> {
    Router::new().route("/", get(page::documents)).fallback(serve)
}

async fn serve(State(world): State<Arc<World>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match respond(&world, &parts.method, &parts.uri, &parts.headers, body).await {
        Ok(response) => response,
        Err(refusal) => refused(&world, refusal, header(&parts.headers, &ACCEPT_LANGUAGE)),
    }
}

fn refused(world: &World, refusal: Refusal, language: Option<&str>) -> Response {
    let status = refusal.status;
    let settings = world.bc.settings();
    let mut response = written(world, Answer::refusal(&settings.adapt(refusal, language), &world.bc.ids));
    let pause = match status {
        StatusCode::TOO_MANY_REQUESTS => settings.limits.retry_after_seconds,
        StatusCode::SERVICE_UNAVAILABLE => settings.limits.unavailable_retry_after_seconds,
        _ => None,
    };
    if let Some(seconds) = pause {
        response.headers_mut().insert("retry-after", HeaderValue::from(seconds));
    }
    response
}

async fn respond(
    world: &World,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    if let Some(response) = environments::answer(world, method, uri.path(), headers) {
        return Ok(response);
    }
    let settings = world.bc.settings();
    if uri.path_and_query().is_some_and(|target| target.as_str().len() > settings.limits.url_bytes) {
        return Err(Refusal::url_too_long());
    }
    let host = header(headers, &HOST).unwrap_or("127.0.0.1");
    let no_route = || Refusal::no_route(&format!("http://{host}{uri}"));
    let route = auth::route(uri.path()).ok_or_else(no_route)?;
    auth::admit(world, headers, &route)?;
    if settings.upgrading {
        return Err(Refusal::unavailable());
    }
    let group = route.group.ok_or_else(no_route)?;
    let now = world.clock.now();
    let _admission = world.bc.limits.admit(&settings, now).await?;
    admitted(world, method, uri, headers, body, (&route, group), &settings).await
}

/// The answer to a request that has its slot.
async fn admitted(
    world: &World,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: Body,
    (route, group): (&Route<'_>, &'static Group),
    settings: &Settings,
) -> Result<Response, Refusal> {
    let limits = &settings.limits;
    let host = header(headers, &HOST).unwrap_or("127.0.0.1");
    let (body, upload) = if method == Method::PATCH && upload::is_content(route.rest) {
        (Bytes::new(), Some(Upload::read(body, limits.body_bytes).await?))
    } else {
        let maximum = usize::try_from(limits.body_bytes).unwrap_or(usize::MAX);
        (to_bytes(body, maximum).await.map_err(|_| Refusal::body_too_large())?, None)
    };
    let service = format!("http://{host}{}", route.service);
    if route.rest == "$batch" {
        return batch(world, method, headers, (&service, group), &body).await;
    }
    let worked = world.bc.limits.work(settings, &[method == Method::GET]).await;
    if worked.is_cancelled {
        return Err(Refusal::operation_timed_out());
    }
    let response = done(world, method, uri, headers, &body, upload, (&service, route, group)).await;
    if worked.is_unseen { Err(Refusal::gateway_timed_out()) } else { response }
}

/// The answer to a request for one thing, which is done now.
async fn done(
    world: &World,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &Bytes,
    upload: Option<Upload>,
    (service, route, group): (&str, &Route<'_>, &'static Group),
) -> Result<Response, Refusal> {
    let now = world.clock.now();
    let if_match = header(headers, &HeaderName::from_static("if-match"));
    let subscribing = webhooks::Request { method, service, path: route.rest, if_match, body };
    if group.path == group::V2.path
        && let Some(answer) = webhooks::answer(world, &subscribing).await
    {
        return answer.map(|answer| written(world, answer));
    }
    let mut call = call(method, uri, headers, (service, group), route, body);
    call.upload = upload;
    let answer = execute(&mut world.bc.lock(), &world.bc.ids, now, &call);
    Ok(written(world, answer))
}

fn call<'a>(
    method: &Method,
    uri: &'a Uri,
    headers: &HeaderMap,
    (service, group): (&'a str, &'static Group),
    route: &Route<'a>,
    body: &'a Bytes,
) -> Call<'a> {
    let named = |name: &'static str| header(headers, &HeaderName::from_static(name));
    Call {
        method: method.clone(),
        service,
        group,
        path: route.rest,
        query: uri.query().unwrap_or_default(),
        company: None,
        if_match: named("if-match").map(ToOwned::to_owned),
        prefer: preferences(headers),
        language: header(headers, &ACCEPT_LANGUAGE).map(ToOwned::to_owned),
        read_only: named("data-access-intent").is_some_and(|intent| intent.eq_ignore_ascii_case("ReadOnly")),
        body,
        upload: None,
    }
}

async fn batch(
    world: &World,
    method: &Method,
    headers: &HeaderMap,
    service: (&str, &'static Group),
    body: &[u8],
) -> Result<Response, Refusal> {
    if method != Method::POST {
        return Err(Refusal::verb(method.as_str(), "$batch", "Action"));
    }
    let batch = Batch::read(body)?;
    let settings = world.bc.settings();
    if settings.batch_counts_parts {
        world.bc.limits.count(batch.len().saturating_sub(1), &settings.limits, world.clock.now())?;
    }
    let manner = Manner {
        language: header(headers, &ACCEPT_LANGUAGE),
        continue_on_error: preferences(headers).contains("odata.continue-on-error"),
        snapshot: header(headers, &HeaderName::from_static("isolation"))
            .is_some_and(|isolation| isolation.eq_ignore_ascii_case("snapshot")),
    };
    // All of it has the time of one request. What was done when that is over stays done.
    let worked = world.bc.limits.work(&settings, &batch.reads()).await;
    let batch = batch.first(worked.parts);
    let answers = batch.run(&mut world.bc.lock(), &world.bc.ids, world.clock.now(), service, manner);
    if worked.is_cancelled {
        return Err(Refusal::operation_timed_out());
    }
    if worked.is_unseen {
        return Err(Refusal::gateway_timed_out());
    }
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
        Content::Bytes(bytes, kind) => (Some(HeaderValue::from_static(kind)), Body::from(bytes)),
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
