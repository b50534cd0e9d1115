//! Receives Business Central's notifications, and shakes hands with it when a subscription is made or renewed.
//!
//! There is no signature: the client state is all that tells a notification from a forged one. Any answer but a success,
//! 408, 429 or 5xx makes Business Central delete the subscription (business-central.md 7.4), so that nothing that claims
//! to be a notification is ever refused: it is taken, told in the trail, and has no effect.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use clients::bc::{Notification, Resource};
use data_encoding::HEXLOWER;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest, Sha256};
use store::{Delivery, Put};
use subtle::{Choice, ConstantTimeEq as _};
use tracing::Instrument as _;

use super::gate::{Gate, Unread};
use super::{Address, Web};
use crate::app::Connection;
use crate::subscriptions::change::Change;
use crate::subscriptions::{self, bc::hash_of};
use crate::worker::chain;

/// Name of the source in the inbox.
pub(crate) const SOURCE: &str = "bc";

/// One payload gathers every subscription with the same address, each with up to 1,000 notifications of some 500 bytes.
const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;

/// Business Central's tokens are a GUID; nobody may have a book echoed.
const MAX_TOKEN_BYTES: usize = 1_024;

/// Takes one payload, or shakes hands. Which method Business Central shakes hands by is not documented.
pub(super) async fn receive(
    State(web): State<Arc<Web>>,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let found = match web.find(&token, Address::Bc).await {
        Ok(found) => found,
        Err(error) => {
            tracing::error!(error = %chain(&error), "the addresses of the notifications could not be read");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    };
    let asked = handshake(query.as_deref().unwrap_or_default());
    match (found, asked, method) {
        (Some(_), Some(answer), Method::GET | Method::POST) => answer,
        (Some((connection, gate)), None, Method::POST) => {
            take(&web, connection, gate, &headers, body).await.into_response()
        }
        (None, None, Method::POST) => StatusCode::ACCEPTED.into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The answer to a handshake, if the query asks for one.
pub fn handshake(query: &str) -> Option<Response> {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "validationToken").map(|(_, value)| shake_hands(value.into_owned()))
}

/// Says the token back, in a form that no browser runs.
fn shake_hands(token: String) -> Response {
    if token.len() > MAX_TOKEN_BYTES {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let inert = [
        (CONTENT_TYPE, "text/plain; charset=utf-8"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (CACHE_CONTROL, "no-store"),
    ];
    (inert, token).into_response()
}

async fn take(web: &Web, connection: &Connection, gate: &Gate, headers: &HeaderMap, body: Body) -> StatusCode {
    let body = match gate.read(headers, body, MAX_BODY_BYTES, web.app.now_ms()).await {
        Ok(body) => body,
        Err(unread) => {
            refuse(web, connection, gate, "it was not read to its end").await;
            return if unread == Unread::Flood {
                StatusCode::TOO_MANY_REQUESTS
            } else {
                StatusCode::SERVICE_UNAVAILABLE
            };
        }
    };
    let Ok((notifications, unreadable)) = Notification::list(&body) else {
        refuse(web, connection, gate, "its body cannot be read").await;
        return StatusCode::ACCEPTED;
    };
    let (genuine, forged) = match judge(web, connection, gate, notifications).await {
        Ok(judged) => judged,
        Err(error) => {
            tracing::error!(connection = %connection.id, error = %chain(&error), "the client states could not be read");
            return StatusCode::SERVICE_UNAVAILABLE;
        }
    };
    if !forged.is_empty() {
        refuse(web, connection, gate, "its client state is not known").await;
    }
    let deliveries: Vec<Delivery> = genuine.iter().filter_map(|one| delivery(connection, one)).collect();
    if unreadable > 0 || deliveries.len() < genuine.len() {
        refuse(web, connection, gate, "it names nothing of this company").await;
    }
    let span = tracing::debug_span!("web.delivery", connection = %connection.id, source = SOURCE);
    keep(web, connection, &deliveries).instrument(span).await
}

/// Parts genuine from forged. A state that is not known here may have been given by another process since: the store is asked once
/// more, at a limited rate.
async fn judge(
    web: &Web,
    connection: &Connection,
    gate: &Gate,
    notifications: Vec<Notification>,
) -> Result<(Vec<Notification>, Vec<Notification>), store::Error> {
    let part = |all: Vec<Notification>| {
        let states = connection.hook().client_states;
        all.into_iter().partition(|one: &Notification| is_known(&states, &one.client_state))
    };
    let (mut genuine, unknown): (Vec<_>, Vec<_>) = part(notifications);
    if unknown.is_empty() || !gate.refetches.allows(web.app.now_ms()) {
        return Ok((genuine, unknown));
    }
    subscriptions::recall(&web.app, connection).await?;
    let (known, forged): (Vec<_>, Vec<_>) = part(unknown);
    genuine.extend(known);
    Ok((genuine, forged))
}

/// Compares with every state, so that the time taken does not tell which one was near.
fn is_known(states: &[String], sent: &SecretString) -> bool {
    let sent = sent.expose_secret();
    let hash = hash_of(sent);
    let known = states.iter().fold(Choice::from(0), |any, state| any | state.as_bytes().ct_eq(hash.as_bytes()));
    bool::from(known) && !sent.is_empty()
}

/// What is kept of a notification: which row or set, and what happened. Never the client state, and no address to call.
fn delivery(connection: &Connection, notification: &Notification) -> Option<Delivery> {
    let resource = Resource::parse(&notification.resource)?;
    let identity = connection.identity()?;
    if resource.company != identity.bc_company {
        return None;
    }
    let Notification { subscription_id, resource: named, change, modified, .. } = notification;
    // A notification has no id: what tells it from others is business-central.md 7.4, "duplicates".
    let parts = serde_json::json!([subscription_id, named, change.as_str(), modified]).to_string();
    let event_id = HEXLOWER.encode(&Sha256::digest(parts));
    let payload = Change::of(&resource, change).to_json();
    Some(Delivery { body_hash: event_id.clone(), event_id, payload })
}

/// Stores what came and answers only after the commit; on 503 Business Central sends it again.
async fn keep(web: &Web, connection: &Connection, deliveries: &[Delivery]) -> StatusCode {
    if deliveries.is_empty() {
        return StatusCode::ACCEPTED;
    }
    let kept = web.app.store.inbox().put(&connection.id, SOURCE, deliveries, web.app.now_ms()).await;
    web.app.pulse.delivery(&connection.id, SOURCE, kept.is_ok());
    match kept {
        Ok(puts) => {
            if puts.contains(&Put::New) {
                web.app.bell.notify_waiters();
            }
            StatusCode::ACCEPTED
        }
        Err(error) => {
            tracing::error!(connection = %connection.id, error = %chain(&error), "a notification could not be kept");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

/// Puts what has no effect into the trail, at a limited rate.
async fn refuse(web: &Web, connection: &Connection, gate: &Gate, why: &str) {
    tracing::warn!(connection = %connection.id, why, "a notification has no effect");
    web.app.pulse.delivery(&connection.id, SOURCE, false);
    if gate.notes.allows(web.app.now_ms()) {
        web.note(connection, "notification_refused", why, "of Business Central").await;
    }
}
