//! The sandbox without sockets: four routers that are called like functions.

use std::sync::Arc;

use axum::Router;

use crate::control;
use crate::meter::Side;
use crate::ready::Ready;
use crate::serve::observed;
use crate::world::World;

/// What listens on four ports when the sandbox is started. Requests are counted and disturbed here as they are there,
/// but for what needs a connection: nothing goes stale. A dropped connection is a body that fails.
///
/// Nobody sends webhooks by itself: call [`crate::brex::Brex::deliver_due`], or run [`crate::brex::spawn_deliveries`].
#[derive(Debug, Clone)]
pub struct Routers {
    /// Stands for `https://api.brex.com`.
    pub brex: Router,
    /// Stands for `https://login.microsoftonline.com`.
    pub entra: Router,
    /// Stands for `https://api.businesscentral.dynamics.com`.
    pub bc: Router,
    /// Everything below `/_sandbox/`.
    pub control: Router,
    /// The credentials; its base URLs lead nowhere.
    pub ready: Ready,
}

/// The routers of a world that [`World::open`] has made.
pub fn routers(world: &Arc<World>) -> Routers {
    let urls = ["brex", "entra", "bc", "control"].map(|side| format!("http://{side}.sandbox.invalid"));
    routers_at(world, Ready::of(world, urls))
}

pub(crate) fn routers_at(world: &Arc<World>, ready: Ready) -> Routers {
    let side = |side: Side| observed(side.router(), side, world);
    Routers {
        brex: side(Side::Brex),
        entra: side(Side::Entra),
        bc: side(Side::Bc),
        control: control::router(ready.clone()).with_state(Arc::clone(world)),
        ready,
    }
}
