//! The admin API under `/api/v1`: what the console shows and does, for programs. A floor beside the console and like it: it
//! reads what commands read, leaves requests as commands do, and decides nothing. Start reading at `routes`, which lists every
//! path and who may use it; each resource has a file. `document` describes all of it.

mod attention;
mod audit;
mod connections;
mod doctor;
mod document;
mod extract;
mod guard;
mod mappings;
mod operate;
mod orders;
mod plans;
mod problem;
mod proposals;
mod records;
mod reference;
mod reviews;
mod routes;
mod said;
mod show;
mod spend;
mod status;
mod tieout;
mod transfers;
mod users;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::Method;
use domain::id::ConnectionId;
use url::Url;

use crate::app::{App, Connection};
use crate::web::Limit;
use problem::Problem;
pub use routes::Gate;

/// Where everything here is.
pub const BASE: &str = "/api/v1";
/// Wrong tokens a minute, of all callers together. After that only tokens that were good before are looked at.
const WRONG_TOKENS: u32 = 60;
/// Entries a minute in the trail about wrong tokens.
const NOTES: u32 = 10;

/// What the handlers share.
struct Api {
    app: Arc<App>,
    /// How callers reach us; without it only by an address of numbers, or as localhost.
    url: Option<Url>,
    wrong: Limit,
    notes: Limit,
    /// Hashes of tokens that were good: who guesses takes nothing from them.
    known: Mutex<BTreeSet<String>>,
}

impl Api {
    /// The connection of a path.
    fn connection(&self, name: &str) -> Result<&Arc<Connection>, Problem> {
        let found = ConnectionId::new(name).ok().and_then(|id| self.app.connection(&id));
        found.ok_or_else(|| Problem::not_found("There is no connection of this name."))
    }
}

/// Every path: its method, the path below [`BASE`], and who may use it.
pub fn table() -> Vec<(Method, &'static str, Gate)> {
    routes::all().into_iter().map(|route| (route.method, route.path, route.gate)).collect()
}

/// The OpenAPI document.
pub fn document() -> serde_json::Value {
    document::made().clone()
}

/// Everything below [`BASE`].
pub(crate) fn router(app: Arc<App>, url: Option<Url>) -> Router {
    let api = Api {
        app,
        url,
        wrong: Limit::per_minute(WRONG_TOKENS),
        notes: Limit::per_minute(NOTES),
        known: Mutex::default(),
    };
    guard::guarded(routes::all(), Arc::new(api))
}
