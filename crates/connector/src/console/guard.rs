//! The one door: who asks, whether the route lets that person in, whether a form comes from our own page, and the headers
//! of every answer.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use domain::access::{Need, Role};
use subtle::ConstantTimeEq;

use super::page::{Oops, message};
use super::routes::{Gate, Route};
use super::{Console, sign_in};
use crate::access::form_token;
use crate::web::{dress, host_of, is_ours};

/// Name of the cookie: with this prefix browsers take it only over TLS (or from this machine), for this host and all paths.
pub(super) const COOKIE: &str = "__Host-session";
/// What makes a browser hold a session, and no page elsewhere send it along.
pub(super) fn session_cookie(session: &str) -> String {
    format!("{COOKIE}={session}; Path=/; Secure; HttpOnly; SameSite=Strict")
}

/// Largest form.
const FORM_MAX: usize = 256 * 1024;
/// Largest form of somebody who is not signed in: a name, a password twice, an invitation.
const SIGN_IN_MAX: usize = 8 * 1024;
/// A browser gets this long to send one.
const FORM_DEADLINE: Duration = Duration::from_secs(10);

/// Who asks, as the handlers get it. It cannot be printed, since it holds what the browser signs in with.
#[derive(Clone)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) role: Role,
    /// What each form of this session carries.
    pub(super) form_token: String,
    /// What the browser holds.
    pub(super) session: String,
}

impl Person {
    /// Whether a button for this is of any use to the person.
    pub(super) fn may(&self, need: Need) -> bool {
        self.role.may(need)
    }
}

/// The table as a router, with the door in front of each route.
pub(super) fn guarded(routes: Vec<Route>, console: Arc<Console>) -> Router {
    let mut guarded = Router::new();
    for Route { path, gate, answer, .. } in routes {
        guarded = guarded.route(path, answer.layer(from_fn_with_state((Arc::clone(&console), gate), enter)));
    }
    guarded
        .fallback(|| async { (StatusCode::NOT_FOUND, "there is no such page") })
        .layer(from_fn_with_state(Arc::clone(&console), for_us))
        .layer(from_fn(dress))
        .with_state(console)
}

/// Refuses what was meant for another host: a name that somebody else made point at this machine.
async fn for_us(State(console): State<Arc<Console>>, request: Request, next: Next) -> Response {
    if is_ours(host_of(&request), console.url.as_ref().and_then(url::Url::host_str)) {
        return next.run(request).await;
    }
    let text =
        "this is not the address of the console: set console.url in the configuration to the one that browsers use";
    (StatusCode::MISDIRECTED_REQUEST, text).into_response()
}

/// Lets in whom the gate lets in.
async fn enter(State((console, gate)): State<(Arc<Console>, Gate)>, mut request: Request, next: Next) -> Response {
    let posts = request.method() != Method::GET && request.method() != Method::HEAD;
    if posts && !comes_from_us(request.headers()) {
        return message(
            StatusCode::FORBIDDEN,
            "This did not come from a page of the console",
            "Go back and try again.",
        );
    }
    let Gate::Person(need) = gate else {
        if !posts {
            return next.run(request).await;
        }
        return match form(request, SIGN_IN_MAX).await {
            Ok((parts, bytes)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
            Err(refusal) => refusal,
        };
    };
    let person = match person(&console, request.headers()).await {
        Ok(Some(person)) => person,
        Ok(None) => return to_sign_in(&request),
        Err(error) => return Oops::from(error).into_response(),
    };
    if !person.may(need) {
        let text = format!("This takes more than the role {} that {} has.", person.role, person.name);
        return message(StatusCode::FORBIDDEN, "Not for your role", &text);
    }
    if posts {
        request = match with_form_token(request, &person.form_token).await {
            Ok(request) => request,
            Err(refusal) => return refusal,
        };
    }
    request.extensions_mut().insert(person);
    next.run(request).await
}

/// A page is shown after signing in; an action has to be done again.
fn to_sign_in(request: &Request) -> Response {
    let back = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let back = if request.method() == Method::GET { back } else { "/" };
    Redirect::to(&sign_in::address(back)).into_response()
}

/// Browsers say where a form comes from; who says nothing is no browser, and has to say it, too.
fn comes_from_us(headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text(&HeaderName::from_static("sec-fetch-site")) {
        return site == "same-origin";
    }
    let (origin, host) = (text(&header::ORIGIN), text(&header::HOST));
    let origin = origin.and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    origin.is_some() && origin == host
}

async fn person(console: &Console, headers: &HeaderMap) -> Result<Option<Person>, store::Error> {
    let Some(session) = cookie(headers, COOKIE) else { return Ok(None) };
    // A page that looks for news by itself is no sign that somebody is there.
    let is_used = !headers.contains_key("hx-request");
    let found = console.access.session(session, is_used).await?;
    Ok(found.map(|found| Person {
        name: found.user,
        role: found.role,
        form_token: form_token(session),
        session: session.to_owned(),
    }))
}

/// What the browser holds for us under this name.
pub(super) fn cookie<'h>(headers: &'h HeaderMap, called: &str) -> Option<&'h str> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    pairs
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == called).then_some(value))
}

/// A request with its whole form, if it came in time.
async fn form(request: Request, max: usize) -> Result<(Parts, Bytes), Response> {
    let (parts, body) = request.into_parts();
    match tokio::time::timeout(FORM_DEADLINE, to_bytes(body, max)).await {
        Ok(Ok(bytes)) => Ok((parts, bytes)),
        Ok(Err(_)) => {
            let text = "Choose fewer and try again.";
            Err(message(StatusCode::PAYLOAD_TOO_LARGE, "That was too much at once", text))
        }
        Err(_) => Err(message(StatusCode::REQUEST_TIMEOUT, "That took too long", "Go back and try again.")),
    }
}

/// The request again, if its form carries the session's token.
async fn with_form_token(request: Request, expected: &str) -> Result<Request, Response> {
    let (parts, bytes) = form(request, FORM_MAX).await?;
    if !carries(&bytes, expected) {
        return Err(message(
            StatusCode::FORBIDDEN,
            "This form is too old",
            "Go back, load the page again, and repeat.",
        ));
    }
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

fn carries(form: &Bytes, expected: &str) -> bool {
    url::form_urlencoded::parse(form)
        .any(|(name, value)| name == "form_token" && bool::from(value.as_bytes().ct_eq(expected.as_bytes())))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::extract::Request;
    use axum::http::StatusCode;
    use futures::stream;
    use tokio::time::Instant;

    use super::{FORM_DEADLINE, FORM_MAX, form};

    #[tokio::test(start_paused = true)]
    async fn a_form_that_drips_or_has_no_end_is_given_up() {
        let status = async |body| form(Request::new(body), FORM_MAX).await.err().map(|refusal| refusal.status());
        let began = Instant::now();
        let dripping = Body::from_stream(stream::pending::<Result<&str, std::convert::Infallible>>());
        assert_eq!(status(dripping).await, Some(StatusCode::REQUEST_TIMEOUT));
        assert_eq!(began.elapsed(), FORM_DEADLINE);
        assert_eq!(status(Body::from(vec![b'a'; FORM_MAX + 1])).await, Some(StatusCode::PAYLOAD_TOO_LARGE));
        assert_eq!(status(Body::from("name=ann")).await, None);
    }
}
