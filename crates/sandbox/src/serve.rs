//! What every side has in common on the wire: binding, counting, and asking the fault plan.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::fault::Asked;
use crate::fault::apply::{Scene, hung_up};
use crate::meter::{Side, route_of};
use crate::wire::{Ending, Lines};
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
        tokio::spawn(async move {
            let service = router.into_make_service_with_connect_info::<Ending>();
            axum::serve(Lines(self.listener), service).with_graceful_shutdown(stop.cancelled_owned()).await
        })
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
    let asked = Asked { side, method: &method, route: &route, target: &target, now: world.clock.now() };
    let response = match world.faults.hit(&asked) {
        Some(kind) => {
            let line = request.extensions().get::<ConnectInfo<Ending>>().map(|info| info.0.clone());
            Scene { side, world: &world, line }.suffer(kind, request, next).await
        }
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
