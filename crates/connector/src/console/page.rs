//! What every page has: who is looking, which connection, the way to the others, and what to show when something is wrong.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use domain::access::Need;
use domain::id::ConnectionId;
use serde::Deserialize;

use super::Console;
use super::guard::Person;
use crate::app::Connection;
use crate::stop::Stop;
use crate::worker::chain;

/// The frame of a page.
pub(super) struct Frame {
    pub(super) person: Person,
    /// The name of the page in the navigation.
    pub(super) here: &'static str,
    /// The connection that the page is about, or the first.
    pub(super) connection: String,
    /// All of them.
    pub(super) connections: Vec<String>,
    /// Whether the page stays as it is until somebody does something.
    pub(super) is_still: bool,
    /// What was just done.
    pub(super) said: Option<String>,
}

impl Frame {
    /// The frame of a page about a connection, or about all.
    pub(super) fn new(console: &Console, person: Person, here: &'static str, connection: Option<&Connection>) -> Self {
        let connections: Vec<String> = console.app.connections.iter().map(|c| c.id.to_string()).collect();
        let connection = connection.map(|c| c.id.to_string()).or_else(|| connections.first().cloned());
        Self { person, here, connection: connection.unwrap_or_default(), connections, is_still: false, said: None }
    }

    /// With a sentence about what was just done.
    pub(super) fn saying(self, said: Option<String>) -> Self {
        Self { said, ..self }
    }

    /// A page that does not fetch itself again, though its neighbours do.
    pub(super) fn still(self) -> Self {
        Self { is_still: true, ..self }
    }

    /// Whether the page fetches itself again every few seconds.
    pub(super) fn shows_news(&self) -> bool {
        !self.is_still && matches!(self.here, "overview" | "attention" | "records" | "transfers" | "connections")
    }

    pub(super) fn may_work(&self) -> bool {
        self.person.may(Need::Work)
    }

    pub(super) fn may_approve(&self) -> bool {
        self.person.may(Need::Approve)
    }

    pub(super) fn may_administer(&self) -> bool {
        self.person.may(Need::Administer)
    }
}

/// Why there is no page.
pub(super) enum Oops {
    /// There is no such thing.
    NotFound(String),
    /// What was sent cannot be used; the sentence says why.
    Unusable(String),
    /// One of the systems or the database does not answer.
    Broken(String),
}

impl IntoResponse for Oops {
    fn into_response(self) -> Response {
        match self {
            Self::NotFound(text) => message(StatusCode::NOT_FOUND, "Not found", &text),
            Self::Unusable(text) => message(StatusCode::UNPROCESSABLE_ENTITY, "That cannot be done", &text),
            Self::Broken(text) => message(StatusCode::SERVICE_UNAVAILABLE, "This does not work at the moment", &text),
        }
    }
}

impl From<store::Error> for Oops {
    fn from(error: store::Error) -> Self {
        tracing::error!(error = %chain(&error), "a page could not be made");
        Self::Broken(format!("The database says: {error}. The log has the details."))
    }
}

impl From<Stop> for Oops {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Store(error) => error.into(),
            other => Self::Broken(other.to_string()),
        }
    }
}

#[derive(Template)]
#[template(path = "console/message.html")]
struct Message<'a> {
    title: &'a str,
    text: &'a str,
}

/// A page that says one thing.
pub(super) fn message(status: StatusCode, title: &str, text: &str) -> Response {
    (status, render(&Message { title, text })).into_response()
}

/// The page, or the sentence that it could not be made.
pub(super) fn render(page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => {
            tracing::error!(error = %error, "a page could not be made");
            (StatusCode::INTERNAL_SERVER_ERROR, "the page could not be made; the log has the details").into_response()
        }
    }
}

/// Back to a page of a connection after something was done, with the word for it, and with the worker told that there is something new.
pub(super) fn done(console: &Console, connection: &str, page: &str, said: &str) -> Response {
    console.app.bell.notify_waiters();
    Redirect::to(&format!("/c/{connection}/{page}?said={said}")).into_response()
}

/// What a page was asked to say of what was just done.
#[derive(Deserialize)]
pub(super) struct Said {
    #[serde(default)]
    pub(super) said: String,
}

/// A file that a spreadsheet opens.
pub(super) fn csv_file(name: &str, content: Body) -> Response {
    let name = format!("attachment; filename=\"{name}.csv\"");
    let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    (headers, content).into_response()
}

/// The connection of a path.
pub(super) fn connection<'a>(console: &'a Console, name: &str) -> Result<&'a Arc<Connection>, Oops> {
    let id = ConnectionId::new(name).ok();
    let found = id.and_then(|id| console.app.connection(&id));
    found.ok_or_else(|| Oops::NotFound("There is no connection of this name.".to_owned()))
}
