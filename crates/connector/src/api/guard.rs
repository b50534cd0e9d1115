//! The one door: whether the request is meant for us, whose token it carries, and whether the route lets that token in.
//! Cookies are not looked at, so that no page elsewhere can make a browser ask in a person's name.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::RequestExt as _;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{RawPathParams, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Method};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use domain::audit::{Actor, Note};
use domain::id::ConnectionId;
use serde_json::json;

use super::problem::{Code, Problem};
use super::routes::{Gate, Route};
use super::{Api, BASE};
use crate::access::tokens::{self, Holder, NotGood};
use crate::web::{dress, host_of, is_ours};

/// Largest body.
const BODY_MAX: usize = 256 * 1024;
/// A caller gets this long to send one.
const BODY_DEADLINE: Duration = Duration::from_secs(10);

/// Who calls, as the handlers get it.
#[derive(Clone)]
pub(super) struct Caller(Holder);

impl Caller {
    /// Who signs what is said: the user of the token, or the service.
    pub(super) fn person(&self) -> String {
        self.0.person()
    }

    /// Whether a connection is any of the token's business.
    pub(super) fn sees(&self, connection: &ConnectionId) -> bool {
        self.0.connection.as_ref().is_none_or(|own| own == connection)
    }

    /// The user of the token: an approval is the word of a person, and a service is none.
    pub(super) fn user(&self) -> Result<&str, Problem> {
        let text = || {
            let text = format!("The token {} is that of a service: this takes the token of a user.", self.0.token);
            Problem::new(Code::NeedsPerson, text)
        };
        self.0.user.as_deref().ok_or_else(text)
    }

    /// Puts into the trail that the token is used to change something. It stands before the entry of what is done, which the
    /// person signs.
    pub(super) async fn note(
        &self,
        api: &Api,
        connection: &ConnectionId,
        operation: &str,
        subject: String,
    ) -> Result<(), Problem> {
        let note = Note {
            action: "api_used".to_owned(),
            subject,
            before: None,
            after: None,
            detail: json!({ "operation": operation, "user": self.0.user }),
        };
        let (app, actor) = (&api.app, Actor::Token(self.0.token.clone()));
        Ok(app.store.audit().append_unleased(connection, app.now_ms(), &actor, &[note]).await?)
    }
}

/// The table as a router, with the door in front of each route.
pub(super) fn guarded(routes: Vec<Route>, api: Arc<Api>) -> Router {
    let mut guarded = Router::new();
    for Route { path, gate, answer, .. } in routes {
        let door = from_fn_with_state((Arc::clone(&api), gate, path), enter);
        guarded = guarded.route(path, answer.route_layer(door));
    }
    guarded
        .method_not_allowed_fallback(|method: Method| async move {
            Problem::new(Code::Method, format!("There is no {method} on this path."))
        })
        .fallback(|| async { Problem::not_found(format!("There is no such path: see {BASE}.")) })
        .layer(from_fn_with_state(Arc::clone(&api), for_us))
        .layer(from_fn(dress))
        .with_state(api)
}

/// Refuses what was meant for another host: a name that somebody else made point at this machine.
async fn for_us(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    if is_ours(host_of(&request), api.url.as_ref().and_then(url::Url::host_str)) {
        return next.run(request).await;
    }
    Problem::new(Code::OtherHost, "Set console.url in the configuration to the address that callers use.")
        .into_response()
}

/// Lets in whom the gate lets in.
async fn enter(
    State((api, gate, path)): State<(Arc<Api>, Gate, &'static str)>,
    request: Request,
    next: Next,
) -> Response {
    match let_in(&api, gate, path, request).await {
        Ok(request) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

async fn let_in(api: &Api, gate: Gate, path: &str, mut request: Request) -> Result<Request, Problem> {
    let Gate::Token(need) = gate else { return Ok(request) };
    let holder = holder(api, request.headers()).await?;
    if !holder.role.may(need) {
        let text = format!("This takes more than the role {} that the token {} has now.", holder.role, holder.token);
        return Err(Problem::new(Code::Role, text));
    }
    if let Some(own) = &holder.connection {
        stays(own, path, &mut request).await?;
    }
    if request.method() == Method::POST {
        request = whole(request).await?;
    }
    request.extensions_mut().insert(Caller(holder));
    Ok(request)
}

/// A token of one connection sees no other, and nothing that belongs to none. What lists connections shows it its own only.
async fn stays(own: &ConnectionId, path: &str, request: &mut Request) -> Result<(), Problem> {
    if super::routes::LISTS.contains(&path) {
        return Ok(());
    }
    let params = request.extract_parts::<RawPathParams>().await;
    let params = params.map_err(|error| Problem::new(Code::Unreadable, error.to_string()))?;
    if params.iter().any(|(name, value)| name == "connection" && value == own.as_str()) {
        return Ok(());
    }
    Err(Problem::new(Code::OtherConnection, format!("The token is for the connection {own} only.")))
}

/// The request again, with its whole body.
async fn whole(request: Request) -> Result<Request, Problem> {
    let (parts, body) = request.into_parts();
    match tokio::time::timeout(BODY_DEADLINE, to_bytes(body, BODY_MAX)).await {
        Ok(Ok(bytes)) => Ok(Request::from_parts(parts, Body::from(bytes))),
        Ok(Err(_)) => Err(Problem::new(Code::TooLarge, format!("A body has at most {BODY_MAX} bytes."))),
        Err(_) => Err(Problem::new(Code::Late, "Send the whole body within 10 seconds.")),
    }
}

/// Who holds the token that a request carries.
async fn holder(api: &Api, headers: &HeaderMap) -> Result<Holder, Problem> {
    let none = || Problem::new(Code::Unauthorized, "Send Authorization: Bearer mlc_… with a token that may be used.");
    let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (scheme, secret) = sent.split_once(' ').unwrap_or_default();
    let secret = secret.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || secret.is_empty() {
        return Err(none());
    }
    let now_ms = api.app.now_ms();
    let print = tokens::fingerprint(secret);
    let is_known = api.known.lock().unwrap_or_else(PoisonError::into_inner).contains(&print);
    if !is_known && !api.wrong.has_room(now_ms) {
        return Err(Problem::new(Code::TooMany, "Try again in a minute."));
    }
    let found = if tokens::is_secret(secret) { tokens::holder(&api.app, secret).await? } else { Err(NotGood::Unknown) };
    match found {
        Ok(holder) => {
            api.known.lock().unwrap_or_else(PoisonError::into_inner).insert(print);
            Ok(holder)
        }
        Err(why) => {
            api.wrong.allows(now_ms);
            note_wrong(api, why, now_ms).await?;
            Err(none())
        }
    }
}

/// Somebody who tries is in the trail of the installation, with the name of a token whose time is over, and a few times a minute
/// only: whoever guesses must not fill the database.
async fn note_wrong(api: &Api, why: NotGood, now_ms: i64) -> Result<(), Problem> {
    if !api.notes.allows(now_ms) {
        return Ok(());
    }
    let (name, is_over) = match why {
        NotGood::Unknown => ("(unknown)".to_owned(), false),
        NotGood::Over(name) => (name, true),
    };
    let note = Note {
        action: "token_refused".to_owned(),
        subject: format!("token {name}"),
        before: None,
        after: None,
        detail: json!({ "over": is_over }),
    };
    let (app, here) = (&api.app, ConnectionId::installation());
    Ok(app.store.audit().append_unleased(&here, now_ms, &app.actor(), &[note]).await?)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::extract::Request;
    use futures::stream;
    use tokio::time::Instant;

    use super::{BODY_DEADLINE, BODY_MAX, whole};

    #[tokio::test(start_paused = true)]
    async fn a_body_that_drips_or_has_no_end_is_given_up() {
        let problem = async |body| whole(Request::new(body)).await.err().map(|problem| format!("{problem:?}"));
        let began = Instant::now();
        let dripping = Body::from_stream(stream::pending::<Result<&str, std::convert::Infallible>>());
        assert!(problem(dripping).await.is_some_and(|text| text.contains("Late")));
        assert_eq!(began.elapsed(), BODY_DEADLINE);
        assert!(problem(Body::from(vec![b'a'; BODY_MAX + 1])).await.is_some_and(|text| text.contains("TooLarge")));
        assert_eq!(problem(Body::from("{}")).await, None);
    }
}
