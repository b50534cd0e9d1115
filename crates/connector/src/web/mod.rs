//! What the process answers to others: webhooks and a health check. Nothing here decides about records.

mod brex_hook;
mod limit;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::timeout::RequestBodyTimeoutLayer;

use crate::app::App;
use limit::Limit;

/// Largest webhook body.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;
/// A sender gets this long for a whole body.
const BODY_DEADLINE: Duration = Duration::from_secs(10);

/// What the handlers share.
pub struct Web {
    app: Arc<App>,
    rejections: Limit,
    refetches: Limit,
}

/// The routes.
pub fn router(app: Arc<App>) -> Router {
    let web = Arc::new(Web { app, rejections: Limit::per_minute(10), refetches: Limit::per_minute(1) });
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/hooks/brex/{token}", post(brex_hook::receive))
        .fallback(|| async { StatusCode::NOT_FOUND })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(RequestBodyTimeoutLayer::new(BODY_DEADLINE))
        .with_state(web)
}

/// The address is taken, or may not be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: choose another address with the key listen")]
pub struct ListenError {
    address: SocketAddr,
    #[source]
    source: std::io::Error,
}

/// Takes the address. Port 0 takes a free one.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).await.map_err(|source| ListenError { address, source })
}

/// Answers until cancelled; requests under way are finished.
pub async fn serve(listener: TcpListener, app: Arc<App>, stop: CancellationToken) -> std::io::Result<()> {
    axum::serve(listener, router(app)).with_graceful_shutdown(stop.cancelled_owned()).await
}
