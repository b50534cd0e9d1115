//! Makes a fault happen to a request: instead of acting, around acting, or to the answer.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use futures::StreamExt as _;
use futures::stream::{self, Stream};
use jiff::SignedDuration;
use serde_json::json;

use super::FaultKind;
use crate::late;
use crate::meter::Side;
use crate::wire::Ending;
use crate::world::World;

const HTML: &str =
    "<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n";
const PIECE: usize = 64 * 1024;

/// Where a fault happens.
pub(crate) struct Scene<'a> {
    pub(crate) side: Side,
    pub(crate) world: &'a Arc<World>,
    /// The connection; none where a router is called without one.
    pub(crate) line: Option<Ending>,
}

impl Scene<'_> {
    /// The answer under a fault; none if the connection closes.
    pub(crate) async fn suffer(&self, kind: FaultKind, request: Request, next: Next) -> Option<Response> {
        tracing::info!(side = ?self.side, ?kind, path = request.uri().path(), "applying a planned fault");
        match kind {
            FaultKind::Status { status, body, retry_after } => Some(planned(status, body.as_ref(), retry_after)),
            FaultKind::Answer { status, headers, text } => {
                let mut response = answer(status, Body::from(text));
                for (name, value) in headers {
                    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                        response.headers_mut().insert(name, value);
                    }
                }
                Some(response)
            }
            FaultKind::Contention { form, status } => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::CONFLICT);
                let body = form.body(request.uri().path(), status, &self.world.ids);
                Some(planned(status.as_u16(), Some(&body), None))
            }
            FaultKind::Redirect { status, location } => {
                let mut response = answer(status, Body::empty());
                if let Ok(location) = HeaderValue::try_from(location) {
                    response.headers_mut().insert(header::LOCATION, location);
                }
                Some(response)
            }
            FaultKind::DropBefore => None,
            FaultKind::DropAfter => {
                // The answer is thrown away, but what was done stays done.
                next.run(request).await;
                None
            }
            FaultKind::LateCommit { seconds, status } => {
                let delay = SignedDuration::from_secs(i64::from(seconds));
                match late::hold(self.world, self.side, delay, request).await {
                    Ok(()) => status.map(|status| answer(status, Body::empty())),
                    // Nobody works for hours on what is not allowed.
                    Err(request) => Some(next.run(request).await),
                }
            }
            kind => Some(self.act(kind, request, next).await),
        }
    }

    /// The kinds that act at once and answer.
    async fn act(&self, kind: FaultKind, request: Request, next: Next) -> Response {
        match &kind {
            FaultKind::Delay { ms } => pause(*ms).await,
            FaultKind::RevokeToken => self.world.revoke_tokens(self.side),
            FaultKind::MoveClock { seconds } => self.world.clock.advance(SignedDuration::from_secs(*seconds)),
            _ => {}
        }
        let response = next.run(request).await;
        match kind {
            FaultKind::CommitThen400 { message } if response.status().is_success() => self.dialog(&message),
            FaultKind::TruncatedBody { keep } => truncated(response, keep).await,
            FaultKind::PartOfBatch { keep } => part_of_batch(response, keep).await,
            FaultKind::NotJson => replaced(&response, HeaderValue::from_static("text/html"), Body::from(HTML)),
            FaultKind::EmptyBody => answer(response.status().as_u16(), Body::empty()),
            FaultKind::HugeBody { bytes } => {
                replaced(&response, HeaderValue::from_static("application/json"), Body::from_stream(huge(bytes)))
            }
            FaultKind::SlowDrip { bytes, every_ms } => dripping(response, bytes, every_ms).await,
            FaultKind::StaleConnection => {
                if let Some(line) = &self.line {
                    line.set();
                }
                response
            }
            _ => response,
        }
    }

    /// The error that an extension's `Error(text)` makes of a request that it has committed.
    fn dialog(&self, message: &str) -> Response {
        let body = match self.side {
            Side::Bc => {
                let message = format!("{message}  CorrelationId:  {}.", self.world.ids.guid());
                json!({"error": {"code": "Application_DialogException", "message": message}})
            }
            Side::Brex | Side::Entra => json!({"message": message}),
        };
        planned(400, Some(&body), None)
    }
}

fn answer(status: u16, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

fn planned(status: u16, body: Option<&serde_json::Value>, retry_after: Option<u32>) -> Response {
    let mut response = answer(status, body.map_or_else(Body::empty, |body| Body::from(body.to_string())));
    let headers = response.headers_mut();
    if body.is_some() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The same status with another body.
fn replaced(response: &Response, kind: HeaderValue, body: Body) -> Response {
    let mut spoiled = answer(response.status().as_u16(), body);
    spoiled.headers_mut().insert(header::CONTENT_TYPE, kind);
    spoiled
}

async fn part_of_batch(response: Response, keep: usize) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(whole) = to_bytes(body, usize::MAX).await else {
        return hung_up();
    };
    let Ok(mut batch) = serde_json::from_slice::<serde_json::Value>(&whole) else {
        return Response::from_parts(parts, Body::from(whole));
    };
    if let Some(responses) = batch.get_mut("responses").and_then(serde_json::Value::as_array_mut) {
        responses.truncate(keep);
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(batch.to_string()))
}

async fn truncated(response: Response, keep: Option<usize>) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(whole) = to_bytes(body, usize::MAX).await else {
        return hung_up();
    };
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let kept = whole.slice(..keep.unwrap_or(whole.len() / 2).min(whole.len()));
    let cut = stream::once(async {
        // Only a turn in which there is nothing to write lets the server flush what it has.
        tokio::task::yield_now().await;
        Err(std::io::Error::other("cut by the fault plan"))
    });
    Response::from_parts(parts, Body::from_stream(stream::once(async { Ok(kept) }).chain(cut)))
}

async fn dripping(response: Response, bytes: usize, every_ms: u64) -> Response {
    let (parts, body) = response.into_parts();
    let Ok(whole) = to_bytes(body, usize::MAX).await else {
        return hung_up();
    };
    let pieces = stream::unfold(whole, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        pause(every_ms).await;
        let piece = rest.split_to(bytes.min(rest.len()));
        Some((Ok::<Bytes, Infallible>(piece), rest))
    });
    Response::from_parts(parts, Body::from_stream(pieces))
}

/// A JSON object with one long text in it, of exactly `size` bytes if that is enough for the object.
fn huge(size: u64) -> impl Stream<Item = Result<Bytes, Infallible>> {
    const HEAD: &[u8] = b"{\"value\":\"";
    const TAIL: &[u8] = b"\"}";
    let filler = size.saturating_sub((HEAD.len() + TAIL.len()) as u64);
    let piece = Bytes::from(vec![b'x'; PIECE]);
    let middle = stream::unfold(filler, move |left| {
        let length = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let part = piece.slice(..length);
        async move { (left > 0).then(|| (part, left - length as u64)) }
    });
    let head = stream::once(async { Bytes::from_static(HEAD) });
    head.chain(middle).chain(stream::once(async { Bytes::from_static(TAIL) })).map(Ok)
}

async fn pause(ms: u64) {
    #[expect(clippy::disallowed_methods, reason = "the delay that was planned")]
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

/// A response whose body fails before its first byte: the server closes the connection and sends nothing of it,
/// not even the status line, because the head is flushed together with the first body bytes.
pub(crate) fn hung_up() -> Response {
    let failure = stream::once(async { Err::<Vec<u8>, _>(std::io::Error::other("dropped by the fault plan")) });
    Response::new(Body::from_stream(failure))
}
