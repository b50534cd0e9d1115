//! What every call passes first: the bearer token, its scopes and the rate limit; and the trace id on every answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::map_response;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};

use super::error::{Api, Refusal};
use super::state::State;
use super::token::TokenStatus;
use crate::world::World;

const TRACE_ID: HeaderName = HeaderName::from_static("x-brex-trace-id");
const LIMIT_WINDOW: SignedDuration = SignedDuration::from_secs(60);

/// Proof that the call may go on. Every handler of the API takes it first.
#[derive(Debug)]
pub(super) struct Caller;

impl FromRequestParts<Arc<World>> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, world: &Arc<World>) -> Result<Self, Refusal> {
        let bearer = parts
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.strip_prefix("Bearer "));
        world.brex.lock().admit(bearer, &parts.method, parts.uri.path(), world.clock.now())?;
        Ok(Self)
    }
}

/// Unknown paths and methods are refused only after the token was looked at, as any gateway does.
pub(super) async fn not_found(_caller: Caller, uri: Uri) -> Refusal {
    Refusal::not_found(Api::of(uri.path()))
}

/// Puts `X-Brex-Trace-Id` on every answer of `router`.
pub(super) fn with_trace_id(router: Router<Arc<World>>) -> Router<Arc<World>> {
    let answered = Arc::new(AtomicU64::new(0));
    router.layer(map_response(move |mut response: Response| {
        let number = answered.fetch_add(1, Ordering::Relaxed) + 1;
        async move {
            if let Ok(value) = HeaderValue::try_from(format!("{number:032x}")) {
                response.headers_mut().insert(TRACE_ID, value);
            }
            response
        }
    }))
}

/// Any one of these scopes suffices; none is needed where the list is empty.
fn scopes(method: &Method, path: &str) -> &'static [&'static str] {
    if path.starts_with("/v3/accounting/integration") {
        &["accounting.integration.write"]
    } else if path.starts_with("/v3/accounting/records") && method == Method::POST {
        &["accounting.record.write"]
    } else if path.starts_with("/v3/accounting/records") {
        &["accounting.record.read", "accounting.record.write"]
    } else if path.starts_with("/v1/expenses") {
        if method == Method::GET { &["expenses.card.readonly", "expenses.card"] } else { &["expenses.card"] }
    } else if path.starts_with("/v1/fields/") && path.contains("/values") {
        match *method {
            Method::GET => &["field_values.read", "field_values.write"],
            Method::DELETE => &["fields.write"],
            _ => &["field_values.write"],
        }
    } else if path.starts_with("/v1/fields") {
        if method == Method::GET { &["fields.read", "fields.write"] } else { &["fields.write"] }
    } else if path.starts_with("/v2/company") {
        &["companies.readonly"]
    } else if let Some(scopes) = team_scopes(method == Method::GET, path) {
        scopes
    } else {
        payment_scopes(method == Method::GET, path)
    }
}

/// Of the Team API. A scope to write includes reading.
fn team_scopes(reads: bool, path: &str) -> Option<&'static [&'static str]> {
    Some(match path.split('/').nth(2)? {
        "users" if path.starts_with("/v2/") => &["users.readonly", "users"],
        "legal_entities" => &["legal_entities.readonly", "legal_entities"],
        "departments" if reads => &["departments.readonly", "departments"],
        "departments" => &["departments"],
        "locations" if reads => &["locations.readonly", "locations"],
        "locations" => &["locations"],
        _ => return None,
    })
}

/// Of the Payments and Transactions APIs. A scope to write does not include reading.
fn payment_scopes(reads: bool, path: &str) -> &'static [&'static str] {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match parts.as_slice() {
        ["v1", "vendors", ..] if reads => &["vendors.readonly"],
        ["v1", "vendors", ..] => &["vendors"],
        ["v1", "transfers", ..] if reads => &["transfers.readonly", "incoming_transfers"],
        ["v1", "transfers", ..] => &["transfers"],
        ["v1", "incoming_transfers", ..] => &["incoming_transfers"],
        ["v1", "linked_accounts", ..] => &["linked_accounts.readonly"],
        ["v2", "accounts", "card", "primary", "statements"] => &["statements.card.readonly"],
        ["v2", "accounts", "cash", _, "statements"] => &["statements.cash.readonly"],
        ["v2", "accounts", "card", ..] => &["accounts.card.readonly"],
        ["v2", "accounts", "cash", ..] => &["accounts.cash.readonly"],
        ["v2", "transactions", "card", ..] => &["transactions.card.readonly"],
        ["v2", "transactions", "cash", ..] => &["transactions.cash.readonly"],
        _ => &[],
    }
}

impl State {
    fn admit(&mut self, bearer: Option<&str>, method: &Method, path: &str, now: Timestamp) -> Result<(), Refusal> {
        let api = Api::of(path);
        let unauthorized = |message| Refusal::of(api, StatusCode::UNAUTHORIZED, "UNAUTHORIZED", message);
        let forbidden = |message| Refusal::of(api, StatusCode::FORBIDDEN, "FORBIDDEN", message);
        let idle_days = self.settings.token_idle_days;
        let Some(token) = bearer.and_then(|value| self.tokens.iter_mut().find(|token| token.value == value)) else {
            return Err(unauthorized("Authentication credentials are missing or invalid."));
        };
        token.use_at(now, idle_days);
        match token.status {
            TokenStatus::Active => {}
            TokenStatus::Revoked => return Err(unauthorized("PERMISSION_DENIED: Invalid or Revoked Token")),
            TokenStatus::Expired => return Err(forbidden("Expired token")),
        }
        let needed = scopes(method, path);
        if !needed.is_empty() && !needed.iter().any(|&scope| token.scopes.contains(scope)) {
            return Err(forbidden("The token does not have the required scope."));
        }
        self.count_request(now)
    }

    /// 1,000 in any 60 seconds of the sandbox's clock; a refused call does not count.
    fn count_request(&mut self, now: Timestamp) -> Result<(), Refusal> {
        while let Some(&oldest) = self.recent_requests.front() {
            // A clock that was set back must not lock the caller out.
            if now.duration_since(oldest) < LIMIT_WINDOW && oldest <= now {
                break;
            }
            self.recent_requests.pop_front();
        }
        if self.recent_requests.len() >= self.settings.requests_per_minute {
            return Err(Refusal::too_many(&self.settings));
        }
        self.recent_requests.push_back(now);
        Ok(())
    }
}
