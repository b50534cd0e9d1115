//! What whoever watches over the process asks: is it alive, can it work, and the numbers. It has an address of its own, since
//! webhooks come from the whole internet and these answers are for nobody there.

mod exposition;
mod metrics;
mod names;
mod ready;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::web::{Listener, is_ours};

/// The answers change no faster than this, however often they are asked for.
const METRICS_MS: i64 = 10_000;
const READY_MS: i64 = 1_000;

/// What the handlers share.
struct Operations {
    app: Arc<App>,
    token: Option<SecretString>,
    metrics: Kept<String>,
    ready: Kept<Result<(), &'static str>>,
}

/// The last answer and when it was found. Who asks while it is looked for waits for it.
type Kept<T> = Mutex<Option<(i64, T)>>;

/// The routes. Only the metrics ask for the token: the other answers say nothing about anybody.
pub fn router(app: Arc<App>, token: Option<SecretString>) -> Router {
    let operations = Operations { app, token, metrics: Mutex::default(), ready: Mutex::default() };
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .fallback(|| async { StatusCode::NOT_FOUND })
        .with_state(Arc::new(operations))
}

/// Answers until cancelled; requests under way are finished.
pub fn serve(
    listener: Listener,
    app: Arc<App>,
    token: Option<SecretString>,
    stop: CancellationToken,
) -> impl Future<Output = ()> + Send {
    listener.answer(router(app, token), stop)
}

async fn ready(State(operations): State<Arc<Operations>>) -> Response {
    let app = &operations.app;
    match kept(&operations.ready, app.now_ms(), READY_MS, || ready::check(app)).await {
        Ok(()) => "ok\n".into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")).into_response(),
    }
}

async fn metrics(State(operations): State<Arc<Operations>>, headers: HeaderMap) -> Response {
    let app = &operations.app;
    match &operations.token {
        Some(token) if !sends(&headers, token) => {
            return (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")]).into_response();
        }
        None if !asks_us(&headers) => return StatusCode::MISDIRECTED_REQUEST.into_response(),
        _ => {}
    }
    let text = kept(&operations.metrics, app.now_ms(), METRICS_MS, || metrics::read(app)).await;
    ([(CONTENT_TYPE, exposition::CONTENT_TYPE), (CACHE_CONTROL, "no-store")], text).into_response()
}

async fn kept<T: Clone, F: Future<Output = T>>(last: &Kept<T>, now_ms: i64, lasts_ms: i64, find: impl Fn() -> F) -> T {
    let mut last = last.lock().await;
    if let Some((found_ms, found)) = &*last
        && now_ms.saturating_sub(*found_ms) < lasts_ms
    {
        return found.clone();
    }
    let found = find().await;
    *last = Some((now_ms, found.clone()));
    found
}

fn sends(headers: &HeaderMap, token: &SecretString) -> bool {
    let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    sent.is_some_and(|sent| bool::from(sent.as_bytes().ct_eq(token.expose_secret().as_bytes())))
}

/// No page in a browser of this machine can ask in its own name.
fn asks_us(headers: &HeaderMap) -> bool {
    headers.get(HOST).and_then(|host| host.to_str().ok()).is_some_and(|host| is_ours(host, None))
}
