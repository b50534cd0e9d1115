//! Receives Brex's webhooks: checked over the raw body, kept in the inbox, answered after the commit.
//!
//! A delivery is a hint. Whoever forges one gets an empty 401; a forged one never reserves an id, since the signature is
//! checked first.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use clients::brex::webhook_signature::{Rejection, Verified, verify};
use data_encoding::HEXLOWER;
use domain::audit::Note;
use serde_json::json;
use sha2::{Digest, Sha256};
use store::Put;
use subtle::ConstantTimeEq;

use super::Web;
use crate::app::Connection;
use crate::subscriptions::fetch_secrets;

/// Deliveries may be this much older or newer than our clock, in seconds.
const TOLERANCE_SECONDS: u64 = 300;
/// Name of the source in the inbox.
const SOURCE: &str = "brex";

/// Takes one delivery.
pub(super) async fn receive(
    State(web): State<Arc<Web>>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let Some(connection) = connection_of(&web, &token) else { return StatusCode::NOT_FOUND };
    match check(&web, &connection, &headers, &body).await {
        Ok(verified) => keep(&web, &connection, &verified, &body).await,
        Err(rejection) => {
            reject(&web, &connection, &rejection).await;
            match rejection {
                Rejection::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                _ => StatusCode::UNAUTHORIZED,
            }
        }
    }
}

/// The connection whose address this is; compared in constant time.
fn connection_of(web: &Web, token: &str) -> Option<Arc<Connection>> {
    let is_it = |connection: &&Arc<Connection>| {
        connection.hook().token.is_some_and(|own| bool::from(own.as_bytes().ct_eq(token.as_bytes())))
    };
    web.app.connections.iter().find(is_it).cloned()
}

/// Checks the signature; on a mismatch the secrets are fetched once more, at a limited rate, since Brex may have rotated
/// them.
async fn check(web: &Web, connection: &Connection, headers: &HeaderMap, body: &[u8]) -> Result<Verified, Rejection> {
    let now_ms = web.app.now_ms();
    let attempt = || verify(headers, body, &connection.hook().secrets, now_ms.div_euclid(1_000), TOLERANCE_SECONDS);
    match attempt() {
        Err(Rejection::NoMatchingSignature | Rejection::SecretMissing) if web.refetches.allows(now_ms) => {
            if let Err(error) = fetch_secrets(&web.app, connection).await {
                tracing::warn!(connection = %connection.id, error = %error, "the webhook secrets could not be fetched");
            }
            attempt()
        }
        verdict => verdict,
    }
}

/// Stores the delivery and answers only after the commit.
async fn keep(web: &Web, connection: &Connection, verified: &Verified, body: &[u8]) -> StatusCode {
    let hash = HEXLOWER.encode(&Sha256::digest(body));
    let text = String::from_utf8_lossy(body);
    let inbox = web.app.store.inbox();
    match inbox.put(&connection.id, SOURCE, &verified.id, &hash, &text, web.app.now_ms()).await {
        Ok(Put::New) => {
            web.app.bell.notify_waiters();
            StatusCode::NO_CONTENT
        }
        Ok(Put::Duplicate) => StatusCode::NO_CONTENT,
        Ok(Put::Conflict) => {
            note(web, connection, "webhook_conflict", "the same id came again with another body", &verified.id).await;
            StatusCode::NO_CONTENT
        }
        Err(error) => {
            tracing::error!(connection = %connection.id, error = %crate::worker::chain(&error), "a webhook could not be kept");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

/// Counts a refused delivery and puts it into the trail, at a limited rate.
async fn reject(web: &Web, connection: &Connection, rejection: &Rejection) {
    tracing::warn!(connection = %connection.id, reason = rejection.reason(), "a webhook was refused");
    if web.rejections.allows(web.app.now_ms()) {
        note(web, connection, "webhook_refused", rejection.reason(), "unverified").await;
    }
}

async fn note(web: &Web, connection: &Connection, action: &str, why: &str, subject: &str) {
    let note = Note {
        action: action.to_owned(),
        subject: format!("webhook {subject}"),
        before: None,
        after: None,
        detail: json!({ "why": why }),
    };
    let app = &web.app;
    let written = app.store.audit().append_unleased(&connection.id, app.now_ms(), &app.actor(), &[note]).await;
    if let Err(error) = written {
        tracing::error!(connection = %connection.id, error = %crate::worker::chain(&error), "the audit trail could not be written");
    }
}
