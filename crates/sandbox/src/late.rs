//! Requests that were answered, or cut off, before they take effect: they are held until the clock has moved on.
//!
//! Business Central goes on working after its caller has given up, and may commit minutes later.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Waker};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tower::ServiceExt as _;

use crate::meter::Side;
use crate::world::World;

/// A request that will take effect.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HeldRequest {
    /// When, by the sandbox's clock.
    pub due_at: Timestamp,
    /// Who was asked.
    pub side: Side,
    /// Method.
    pub method: String,
    /// Path and query.
    pub target: String,
    headers: Vec<(String, String)>,
    /// In base64.
    body: String,
}

/// All requests that are held.
#[derive(Debug, Default)]
pub(crate) struct Late {
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    next: u64,
    requests: BTreeMap<u64, HeldRequest>,
}

impl Late {
    /// What is held, in the order in which it came.
    pub(crate) fn held(&self) -> Vec<HeldRequest> {
        self.lock().requests.values().cloned().collect()
    }

    fn put(&self, request: HeldRequest) -> u64 {
        let mut held = self.lock();
        held.next += 1;
        let number = held.next;
        held.requests.insert(number, request);
        number
    }

    fn take(&self, number: u64) -> Option<HeldRequest> {
        self.lock().requests.remove(&number)
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Holds a request until the clock has moved on by `delay`. One whose token does not open that side comes back.
pub(crate) async fn hold(
    world: &Arc<World>,
    side: Side,
    delay: SignedDuration,
    request: Request,
) -> Result<(), Request> {
    if !is_admitted(world, side, request.headers()) {
        return Err(request);
    }
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let headers = parts.headers.iter().filter(|(name, _)| *name != header::AUTHORIZATION);
    let due_at = world.clock.now().saturating_add(delay).unwrap_or(Timestamp::MAX);
    let held = HeldRequest {
        due_at,
        side,
        method: parts.method.to_string(),
        target: parts.uri.path_and_query().map_or_else(String::new, ToString::to_string),
        headers: headers
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect(),
        body: STANDARD.encode(&body),
    };
    schedule(world, held);
    Ok(())
}

/// Puts what a state file held back on the agenda of the clock. Must be called within a runtime.
pub(crate) fn restore(world: &Arc<World>, held: Vec<HeldRequest>) {
    for request in held {
        schedule(world, request);
    }
}

fn schedule(world: &Arc<World>, request: HeldRequest) {
    let due_at = request.due_at;
    let number = world.late.put(request);
    let runtime = Handle::current();
    let held_by: Weak<World> = Arc::downgrade(world);
    world.clock.at(due_at, move || {
        if let Some(world) = held_by.upgrade() {
            commit(&world, number, &runtime);
        }
    });
    if !world.clock.is_frozen() {
        let wait = Duration::try_from(due_at.duration_since(world.clock.now())).unwrap_or_default();
        let waiting: Weak<World> = Arc::downgrade(world);
        tokio::spawn(async move {
            #[expect(clippy::disallowed_methods, reason = "a running clock rings when its time has come")]
            tokio::time::sleep(wait).await;
            if let Some(world) = waiting.upgrade() {
                world.clock.ring();
            }
        });
    }
}

/// Lets the request take effect. It is over when this returns, unless that side is made to work for a while on each
/// request: then the runtime goes on with it.
fn commit(world: &Arc<World>, number: u64, runtime: &Handle) {
    let Some(held) = world.late.take(number) else {
        return;
    };
    let Some(request) = request_of(world, &held) else {
        tracing::error!(target = held.target, "a held request cannot be made again");
        return;
    };
    tracing::info!(side = ?held.side, path = held.target, "a late request takes effect");
    let router = held.side.router().with_state(Arc::clone(world));
    let mut effect: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
        match router.oneshot(request).await {
            Ok(answer) => tracing::info!(status = answer.status().as_u16(), "a late request has taken effect"),
            Err(never) => match never {},
        }
    });
    let _entered = runtime.enter();
    if effect.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
        runtime.spawn(effect);
    }
}

/// The request with a token of this moment: the one that it came with was looked at when it came.
fn request_of(world: &World, held: &HeldRequest) -> Option<Request> {
    let body = STANDARD.decode(&held.body).ok()?;
    let mut request = Request::builder().method(held.method.as_str()).uri(&held.target).body(Body::from(body)).ok()?;
    for (name, value) in &held.headers {
        let name = HeaderName::try_from(name).ok()?;
        request.headers_mut().append(name, HeaderValue::try_from(value).ok()?);
    }
    let token = match held.side {
        Side::Brex => world.brex.token(),
        Side::Bc | Side::Entra => world.entra.issue_token(world.clock.now()).0,
    };
    let bearer = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
    request.headers_mut().insert(header::AUTHORIZATION, bearer);
    Some(request)
}

fn is_admitted(world: &World, side: Side, headers: &HeaderMap) -> bool {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token = bearer.split_once(' ').map_or("", |(_, token)| token);
    match side {
        Side::Brex => world.brex.token() == token,
        Side::Bc => world.entra.accepts(token, world.clock.now()),
        Side::Entra => true,
    }
}
