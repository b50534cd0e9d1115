//! What every side has in common on the wire: binding, counting, and making planned faults happen.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::fault::FaultKind;
use crate::meter::{Side, route_of};
use crate::world::World;

/// A bound socket with its address.
pub(crate) struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

impl Bound {
    /// Binds a port of the loopback interface; `None` takes a free one.
    pub(crate) async fn bind(port: Option<u16>) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.unwrap_or(0))).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Serves `router` until `stop` is cancelled.
    pub(crate) fn serve(self, router: Router<()>, stop: CancellationToken) -> JoinHandle<std::io::Result<()>> {
        tokio::spawn(
            async move { axum::serve(self.listener, router).with_graceful_shutdown(stop.cancelled_owned()).await },
        )
    }
}

/// Counts each request of `router` and applies the fault plan to it.
pub(crate) fn observed(router: Router<Arc<World>>, side: Side, world: &Arc<World>) -> Router<()> {
    router.layer(from_fn_with_state((side, Arc::clone(world)), observe)).with_state(Arc::clone(world))
}

async fn observe(State((side, world)): State<(Side, Arc<World>)>, request: Request, next: Next) -> Response {
    let method = request.method().to_string();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| route_of(request.uri().path()), |matched| matched.as_str().to_owned());
    let target = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
    // A caller that hangs up drops this future in the middle: the guard still counts the end.
    let mut counted = Counted::begin(&world, side, &method, &route);
    let response = match world.faults.hit(side, &method, &target) {
        Some(kind) => suffer(kind, side, &world, request, next).await,
        None => Some(next.run(request).await),
    };
    counted.status = response.as_ref().map(|response| response.status().as_u16());
    response.unwrap_or_else(hung_up)
}

struct Counted<'a> {
    world: &'a World,
    side: Side,
    status: Option<u16>,
}

impl<'a> Counted<'a> {
    fn begin(world: &'a World, side: Side, method: &str, route: &str) -> Self {
        world.meter.begin(side, method, route);
        Self { world, side, status: None }
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.world.meter.end(self.side, self.status);
    }
}

/// The answer under a fault; none if the connection closes.
async fn suffer(kind: FaultKind, side: Side, world: &World, request: Request, next: Next) -> Option<Response> {
    tracing::info!(?side, ?kind, path = request.uri().path(), "applying a planned fault");
    match kind {
        FaultKind::Status { status, body, retry_after } => Some(planned(status, body.as_ref(), retry_after)),
        FaultKind::Delay { ms } => {
            #[expect(clippy::disallowed_methods, reason = "the delay that was planned")]
            tokio::time::sleep(Duration::from_millis(ms)).await;
            Some(next.run(request).await)
        }
        FaultKind::DropBefore => None,
        FaultKind::DropAfter => {
            // The answer is thrown away, but what was done stays done.
            next.run(request).await;
            None
        }
        FaultKind::RevokeToken => {
            world.revoke_tokens(side);
            Some(next.run(request).await)
        }
    }
}

fn planned(status: u16, body: Option<&serde_json::Value>, retry_after: Option<u32>) -> Response {
    let mut response = Response::new(body.map_or_else(Body::empty, |body| Body::from(body.to_string())));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if body.is_some() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// A response whose body fails before its first byte: the server closes the connection and sends nothing of it,
/// not even the status line, because the head is flushed together with the first body bytes.
fn hung_up() -> Response {
    let failure =
        futures::stream::once(async { Err::<Vec<u8>, _>(std::io::Error::other("dropped by the fault plan")) });
    Response::new(Body::from_stream(failure))
}
