//! Receives Brex's webhooks: checked over the raw body, kept in the inbox, answered after the commit.
//!
//! A delivery is a hint. Whoever forges one gets an empty 401; a forged one never reserves an id, since the signature is
//! checked first.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use clients::brex::webhook_signature::{DEFAULT_TOLERANCE_SECONDS, MAX_BODY_BYTES, Rejection, Verified, verify};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use store::{Delivery, Put};
use tracing::Instrument as _;

use super::gate::{Gate, Unread};
use super::{Address, Web};
use crate::app::{App, Connection};
use crate::subscriptions::brex::fetch_secrets;
use crate::worker::chain;

/// Name of the source in the inbox.
pub(crate) const SOURCE: &str = "brex";

/// Takes one delivery.
pub(super) async fn receive(
    State(web): State<Arc<Web>>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> StatusCode {
    let (connection, gate) = match web.find(&token, Address::Brex).await {
        Ok(Some(found)) => found,
        Ok(None) => return StatusCode::NOT_FOUND,
        Err(error) => {
            tracing::error!(error = %chain(&error), "the addresses of the webhooks could not be read");
            return StatusCode::SERVICE_UNAVAILABLE;
        }
    };
    let body = match gate.read(&headers, body, MAX_BODY_BYTES, web.app.now_ms()).await {
        Ok(body) => body,
        Err(Unread::TooLarge) => {
            reject(&web, connection, gate, Rejection::BodyTooLarge).await;
            return StatusCode::PAYLOAD_TOO_LARGE;
        }
        Err(unread) => {
            web.app.pulse.delivery(&connection.id, SOURCE, false);
            let flood = unread == Unread::Flood;
            return if flood { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::REQUEST_TIMEOUT };
        }
    };
    match check(&web.app, connection, gate, &headers, &body).await {
        Ok(verified) => {
            let span = tracing::debug_span!("web.delivery", connection = %connection.id, source = SOURCE);
            keep(&web, connection, &verified, &body).instrument(span).await
        }
        Err(rejection) => {
            reject(&web, connection, gate, rejection).await;
            StatusCode::UNAUTHORIZED
        }
    }
}

/// Checks the signature; on a mismatch the secrets are fetched once more, at a limited rate, since Brex may have rotated
/// them.
async fn check(
    app: &App,
    connection: &Connection,
    gate: &Gate,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Verified, Rejection> {
    let now_ms = app.now_ms();
    let attempt =
        || verify(headers, body, &connection.hook().secrets, now_ms.div_euclid(1_000), DEFAULT_TOLERANCE_SECONDS);
    match attempt() {
        Err(Rejection::NoMatchingSignature | Rejection::SecretMissing) if gate.refetches.allows(now_ms) => {
            if let Err(error) = fetch_secrets(app, connection).await {
                tracing::warn!(connection = %connection.id, error = %chain(&error), "the webhook secrets could not be fetched");
            }
            attempt()
        }
        verdict => verdict,
    }
}

/// Stores the delivery and answers only after the commit.
async fn keep(web: &Web, connection: &Connection, verified: &Verified, body: &[u8]) -> StatusCode {
    let delivery = Delivery {
        event_id: verified.id.clone(),
        body_hash: HEXLOWER.encode(&Sha256::digest(body)),
        payload: String::from_utf8_lossy(body).into_owned(),
    };
    let kept = web.app.store.inbox().put(&connection.id, SOURCE, &[delivery], web.app.now_ms()).await;
    web.app.pulse.delivery(&connection.id, SOURCE, kept.is_ok());
    match kept {
        Ok(puts) if puts.contains(&Put::New) => {
            web.app.bell.notify_waiters();
            StatusCode::NO_CONTENT
        }
        Ok(puts) => {
            if puts.contains(&Put::Conflict) {
                let why = "the same id came again with another body";
                web.note(connection, "webhook_conflict", why, &verified.id).await;
            }
            StatusCode::NO_CONTENT
        }
        Err(error) => {
            tracing::error!(connection = %connection.id, error = %chain(&error), "a webhook could not be kept");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

/// Puts a refused delivery into the trail, at a limited rate.
async fn reject(web: &Web, connection: &Connection, gate: &Gate, rejection: Rejection) {
    tracing::warn!(connection = %connection.id, reason = rejection.reason(), "a webhook was refused");
    web.app.pulse.delivery(&connection.id, SOURCE, false);
    if gate.notes.allows(web.app.now_ms()) {
        web.note(connection, "webhook_refused", rejection.reason(), "unverified").await;
    }
}
