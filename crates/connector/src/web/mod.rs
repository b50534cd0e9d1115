//! What the process answers to others: webhooks, notifications and a health check. Nothing here decides about records.

mod bc_hook;
mod brex_hook;
mod gate;
mod headers;
mod host;
mod limit;
mod listen;
mod room;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{any, get, post};
use domain::audit::Note;
use domain::id::ConnectionId;
use serde_json::json;
use subtle::ConstantTimeEq;
use tokio_util::sync::CancellationToken;

use crate::app::{App, Connection, Hook};
use crate::worker::chain;
use crate::{identity, subscriptions};
pub use bc_hook::handshake;
pub(crate) use brex_hook::SOURCE as BREX;
use gate::Gate;
pub(crate) use headers::dress;
pub(crate) use host::{host_of, is_ours};
pub(crate) use limit::Limit;
pub use listen::{ListenError, Listener, bind};

/// Looks a minute into the store for an address that is not known: another process may have made it.
const RECALLS: u32 = 10;

/// Who delivers to us.
pub(crate) const SOURCES: [&str; 2] = [bc_hook::SOURCE, BREX];

/// What the handlers share.
struct Web {
    app: Arc<App>,
    gates: BTreeMap<ConnectionId, Gates>,
    recalls: Limit,
}

/// The limits of a connection's addresses: who floods one takes nothing from the other.
struct Gates {
    brex: Gate,
    bc: Gate,
}

/// Which of a connection's addresses.
#[derive(Clone, Copy)]
enum Address {
    Brex,
    Bc,
}

impl Address {
    /// The unguessable part of it.
    fn token(self, hook: &Hook) -> Option<&str> {
        match self {
            Self::Brex => hook.token.as_deref(),
            Self::Bc => hook.bc_token.as_deref(),
        }
    }

    fn gate(self, gates: &Gates) -> &Gate {
        match self {
            Self::Brex => &gates.brex,
            Self::Bc => &gates.bc,
        }
    }
}

/// The routes.
pub fn router(app: Arc<App>) -> Router {
    let gates = || Gates { brex: Gate::new(), bc: Gate::new() };
    let gates = app.connections.iter().map(|connection| (connection.id.clone(), gates())).collect();
    let web = Arc::new(Web { app, gates, recalls: Limit::per_minute(RECALLS) });
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/hooks/brex/{token}", post(brex_hook::receive))
        .route("/hooks/bc/{token}", any(bc_hook::receive))
        .fallback(|| async { StatusCode::NOT_FOUND })
        .with_state(web)
}

/// Answers until cancelled; requests under way are finished. From the call on, others may be told to deliver to us.
pub fn serve(listener: Listener, app: Arc<App>, stop: CancellationToken) -> impl Future<Output = ()> + Send {
    app.set_receiving();
    listener.answer(router(app), stop)
}

impl Web {
    /// The connection whose address this is, with its limits; tokens are compared in constant time.
    async fn find(&self, token: &str, address: Address) -> Result<Option<(&Arc<Connection>, &Gate)>, store::Error> {
        if let Some(found) = self.known(token, address) {
            return Ok(Some(found));
        }
        if self.recalls.allows(self.app.now_ms()) {
            for connection in &self.app.connections {
                subscriptions::recall(&self.app, connection).await?;
                if connection.identity().is_none() {
                    identity::recall(&self.app, connection).await?;
                }
            }
        }
        Ok(self.known(token, address))
    }

    fn known(&self, token: &str, address: Address) -> Option<(&Arc<Connection>, &Gate)> {
        let is_it = |connection: &&Arc<Connection>| {
            let hook = connection.hook();
            address.token(&hook).is_some_and(|own| bool::from(own.as_bytes().ct_eq(token.as_bytes())))
        };
        let connection = self.app.connections.iter().find(is_it)?;
        Some((connection, address.gate(self.gates.get(&connection.id)?)))
    }

    /// Puts something that only outsiders can have done into the trail.
    async fn note(&self, connection: &Connection, action: &str, why: &str, subject: &str) {
        let note = Note {
            action: action.to_owned(),
            subject: format!("webhook {subject}"),
            before: None,
            after: None,
            detail: json!({ "why": why }),
        };
        let app = &self.app;
        let written = app.store.audit().append_unleased(&connection.id, app.now_ms(), &app.actor(), &[note]).await;
        if let Err(error) = written {
            tracing::error!(connection = %connection.id, error = %chain(&error), "the audit trail could not be written");
        }
    }
}
