//! Every path below `/api/v1`, with what it takes to use it. A path that is not here is not found, whoever asks.

use std::sync::Arc;

use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodRouter, get, post};
use domain::access::Need;

use super::{
    Api, attention, audit, connections, doctor, document, mappings, operate, orders, plans, proposals, records,
    reference, reviews, said, spend, status, tieout, transfers, users,
};

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Anybody who reaches the address: what the API is, and nothing of what it knows.
    Anyone,
    /// Whose token may do this.
    Token(Need),
}

/// One path with its method.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) gate: Gate,
    pub(super) answer: MethodRouter<Arc<Api>>,
}

/// Paths without a connection that a token of one connection may read, since they show it no other.
pub(super) const LISTS: [&str; 2] = ["/status", "/connections"];

fn show<H: Handler<T, Arc<Api>>, T: 'static>(path: &'static str, gate: Gate, handler: H) -> Route {
    Route { method: Method::GET, path, gate, answer: get(handler) }
}

fn act<H: Handler<T, Arc<Api>>, T: 'static>(path: &'static str, gate: Gate, handler: H) -> Route {
    Route { method: Method::POST, path, gate, answer: post(handler) }
}

/// The whole table.
pub(super) fn all() -> Vec<Route> {
    use Gate::{Anyone, Token};
    let [read, work, approve, administer] = [Need::Read, Need::Work, Need::Approve, Need::Administer].map(Token);
    vec![
        show("/", Anyone, reference::show),
        show("/openapi.json", Anyone, document::show),
        show("/status", read, status::show),
        show("/connections", read, connections::list),
        act("/connections/{connection}/jobs/{job}/run", work, connections::run_job),
        act("/connections/{connection}/examination", work, doctor::run),
        act("/connections/{connection}/secrets/{secret}", administer, doctor::replace_secret),
        show("/connections/{connection}/spend", read, spend::show),
        show("/connections/{connection}/records", read, records::list),
        show("/connections/{connection}/records/{record}", read, records::get),
        act("/connections/{connection}/records/{record}/retry", work, operate::retry),
        act("/connections/{connection}/records/{record}/skip", work, operate::skip),
        act("/connections/{connection}/records/{record}/replay", work, operate::replay),
        act("/connections/{connection}/retries", work, operate::retry_many),
        show("/connections/{connection}/attention", read, attention::show),
        show("/connections/{connection}/vendor-reviews", read, reviews::list),
        act("/connections/{connection}/vendor-reviews/{record}", work, reviews::answer),
        show("/connections/{connection}/vendor-proposals", read, proposals::list),
        act("/connections/{connection}/vendor-proposals", work, proposals::propose),
        act("/connections/{connection}/vendor-proposals/{id}/approve", approve, proposals::approve),
        act("/connections/{connection}/vendor-proposals/{id}/decline", approve, proposals::decline),
        show("/connections/{connection}/mappings", read, mappings::list),
        act("/connections/{connection}/mappings", work, mappings::say_one),
        show("/connections/{connection}/transfers", read, transfers::list),
        show("/connections/{connection}/transfers/{transfer}", read, transfers::get),
        show("/connections/{connection}/payables", read, transfers::payables),
        act("/connections/{connection}/transfers/{transfer}/match", work, said::together),
        act("/connections/{connection}/transfers/{transfer}/unmatch", work, said::apart),
        act("/connections/{connection}/transfers/{transfer}/reject", work, said::reject),
        act("/connections/{connection}/transfer-plans", work, plans::make),
        show("/connections/{connection}/transfer-orders", read, orders::list),
        act("/connections/{connection}/transfer-orders", work, plans::order),
        act("/connections/{connection}/transfer-orders/{id}/approve", approve, orders::approve),
        act("/connections/{connection}/transfer-orders/{id}/decline", work, orders::decline),
        show("/connections/{connection}/tie-out", read, tieout::show),
        show("/connections/{connection}/audit", read, audit::list),
        show("/connections/{connection}/audit/verification", read, audit::verify),
        show("/installation/audit", read, audit::list_installation),
        show("/installation/audit/verification", read, audit::verify_installation),
        show("/users", administer, users::list),
        act("/users", administer, users::add),
        act("/users/{user}/link", administer, users::link),
        act("/users/{user}/role", administer, users::role),
        act("/users/{user}/disable", administer, users::disable),
        act("/users/{user}/enable", administer, users::enable),
        act("/users/{user}/unbind", administer, users::unbind),
    ]
}
