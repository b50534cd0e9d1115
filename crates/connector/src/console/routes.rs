//! Every page and every action, with what it takes to use it. A path that is not here is not found, whoever asks.

use std::sync::Arc;

use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodRouter, get, post};
use domain::access::Need;

use crate::access::BACK;

use super::{
    Console, assets, attention, audit, close, connect, connections, doctor, evaluation, mappings, microsoft, overview,
    pay, record, records, secrets, sign_in, tokens, transfers, users, vendors,
};

/// Who may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Anybody who reaches the address: signing in and what that page needs.
    Anyone,
    /// Who is signed in and may do this.
    Person(Need),
}

/// One page or action.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) gate: Gate,
    pub(super) answer: MethodRouter<Arc<Console>>,
}

fn show<H: Handler<T, Arc<Console>>, T: 'static>(path: &'static str, gate: Gate, handler: H) -> Route {
    Route { method: Method::GET, path, gate, answer: get(handler) }
}

fn act<H: Handler<T, Arc<Console>>, T: 'static>(path: &'static str, gate: Gate, handler: H) -> Route {
    Route { method: Method::POST, path, gate, answer: post(handler) }
}

/// The whole table.
pub(super) fn all() -> Vec<Route> {
    use Gate::{Anyone, Person};
    let [read, work, approve, administer] = [Need::Read, Need::Work, Need::Approve, Need::Administer].map(Person);
    vec![
        show("/sign-in", Anyone, sign_in::form),
        act("/sign-in", Anyone, sign_in::sign_in),
        show("/sign-in/microsoft", Anyone, microsoft::go),
        show(BACK, Anyone, microsoft::back),
        show("/welcome", Anyone, sign_in::welcome),
        act("/welcome", Anyone, sign_in::accept),
        show("/assets/{name}", Anyone, assets::asset),
        act("/sign-out", read, sign_in::sign_out),
        show("/", read, overview::show),
        show("/c/{connection}/spend.csv", read, overview::spend_csv),
        show("/c/{connection}/records", read, records::show),
        show("/c/{connection}/records.csv", read, records::csv),
        act("/c/{connection}/records", work, records::many),
        show("/c/{connection}/records/{record}", read, record::show),
        act("/c/{connection}/records/{record}", work, record::act),
        show("/c/{connection}/attention", read, attention::show),
        show("/c/{connection}/vendors", read, vendors::show),
        show("/c/{connection}/vendors/evaluation", read, evaluation::show),
        act("/c/{connection}/vendors/answer", work, vendors::answer),
        act("/c/{connection}/vendors/propose", work, vendors::propose),
        act("/c/{connection}/vendors/decide", approve, vendors::decide),
        show("/c/{connection}/mappings", read, mappings::show),
        act("/c/{connection}/mappings", work, mappings::act),
        show("/c/{connection}/transfers", read, transfers::show),
        act("/c/{connection}/transfers", work, transfers::act),
        show("/c/{connection}/pay", read, pay::show),
        act("/c/{connection}/pay/order", work, pay::order),
        act("/c/{connection}/pay/approve", approve, pay::approve),
        act("/c/{connection}/pay/decline", work, pay::decline),
        show("/c/{connection}/close", read, close::show),
        show("/c/{connection}/close/page", read, close::page),
        show("/c/{connection}/audit", read, audit::show),
        act("/c/{connection}/audit/verify", read, audit::verify),
        show("/connections", read, connections::show),
        show("/connect", administer, connect::show),
        act("/connect", administer, connect::act),
        act("/c/{connection}/jobs", work, connections::run_job),
        show("/c/{connection}/doctor", read, doctor::show),
        act("/c/{connection}/doctor", work, doctor::run),
        show("/c/{connection}/secrets", administer, secrets::show),
        act("/c/{connection}/secrets", administer, secrets::act),
        show("/users", administer, users::show),
        act("/users", administer, users::act),
        act("/users/tokens", administer, tokens::act),
    ]
}
