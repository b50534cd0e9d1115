//! The console: what arrived, what waits, why, and the buttons to mend it. Pages are made here and work without JavaScript;
//! what is decided is decided on the floors below. Start reading at `routes`, which lists every page and who may see it.

mod assets;
mod attention;
mod audit;
mod charts;
mod close;
mod connect;
mod connections;
mod doctor;
mod evaluation;
mod guard;
mod mappings;
mod microsoft;
mod overview;
mod page;
mod pay;
mod record;
mod records;
mod routes;
mod secrets;
mod show;
mod sign_in;
mod tokens;
mod transfers;
mod users;
mod vendors;

use std::sync::Arc;

use axum::Router;
use axum::http::Method;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::access::{Access, Microsoft};
use crate::api;
use crate::app::App;
use crate::web::Listener;

pub use routes::Gate;

/// What the pages share.
struct Console {
    app: Arc<App>,
    access: Access,
    /// How browsers reach us; without it only by an address of numbers, or as localhost.
    url: Option<Url>,
    /// How people sign in with their Microsoft accounts, if they may.
    microsoft: Option<Microsoft>,
    /// What people typed to connect two systems.
    drafts: connect::Drafts,
}

/// How browsers come in.
#[derive(Clone, Debug, Default)]
pub struct Entrance {
    /// The address that they use; without it only one of numbers, or localhost.
    pub url: Option<Url>,
    /// How people sign in with their Microsoft accounts, if they may.
    pub microsoft: Option<Microsoft>,
}

/// Every page and action: its method, its path, and who may use it.
pub fn table() -> Vec<(Method, &'static str, Gate)> {
    routes::all().into_iter().map(|route| (route.method, route.path, route.gate)).collect()
}

/// The pages, and the admin API below [`api::BASE`].
pub fn router(app: Arc<App>, entrance: Entrance) -> Router {
    let access = Access::new(Arc::clone(&app));
    let Entrance { url, microsoft } = entrance;
    let api = api::router(Arc::clone(&app), url.clone());
    guard::guarded(routes::all(), Arc::new(Console { app, access, url, microsoft, drafts: connect::Drafts::default() }))
        .nest_service(api::BASE, api)
}

/// Answers until cancelled; requests under way are finished.
pub fn serve(
    listener: Listener,
    app: Arc<App>,
    entrance: Entrance,
    stop: CancellationToken,
) -> impl Future<Output = ()> + Send {
    listener.answer(router(app, entrance), stop)
}
