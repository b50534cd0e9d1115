//! Signing in with a Microsoft account: the way there, and the way back.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use clients::entra::SignInError;
use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use subtle::ConstantTimeEq as _;

use super::Console;
use super::guard::{cookie, session_cookie};
use super::page::{Oops, message, render};
use super::sign_in::{FormQuery, inside};
use crate::access::{Microsoft, Recognised, trip_token};
use crate::worker::chain;

/// What a browser holds while it is away. It comes back from another site, so this one is sent along then, too.
const TRIP: &str = "__Host-trip";
const TRIP_SECONDS: u32 = 600;
/// A longer way back is forgotten.
const BACK_MAX: usize = 1_000;

#[derive(Template)]
#[template(path = "console/signed_in.html")]
struct SignedIn<'a> {
    back: &'a str,
}

/// Sends the browser to Microsoft.
pub(super) async fn go(State(console): State<Arc<Console>>, Query(query): Query<FormQuery>) -> Result<Response, Oops> {
    let microsoft = known(&console)?;
    let token = trip_token(&console.app.chance);
    let address = microsoft.people().address(&microsoft.trip(&token));
    let address = address.map_err(|error| Oops::Broken(format!("Microsoft Entra ID has no address: {error}.")))?;
    let back = inside(&query.back);
    let back = if back.len() > BACK_MAX { "/" } else { back };
    let held = format!("{token}.{}", BASE64URL_NOPAD.encode(back.as_bytes()));
    let cookie = format!("{TRIP}={held}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={TRIP_SECONDS}");
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(address.as_str())).into_response())
}

/// What Microsoft sends the browser back with.
#[derive(Deserialize)]
pub(super) struct Answer {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// Takes the browser back.
pub(super) async fn back(
    State(console): State<Arc<Console>>,
    headers: HeaderMap,
    Query(answer): Query<Answer>,
) -> Result<Response, Oops> {
    let microsoft = known(&console)?;
    let Some((token, back)) = cookie(&headers, TRIP).and_then(|held| held.split_once('.')) else {
        return Ok(again("This browser did not begin to sign in here, or took longer than ten minutes."));
    };
    let trip = microsoft.trip(token);
    let state = answer.state.unwrap_or_default();
    if !bool::from(state.as_bytes().ct_eq(trip.state.as_bytes())) {
        return Ok(again("Microsoft answered another attempt to sign in than the last one of this browser."));
    }
    let Some(code) = answer.code else {
        return Ok(again(&refused(&answer.error.unwrap_or_default(), &answer.error_description.unwrap_or_default())));
    };
    let now = crate::clock::timestamp(console.app.now_ms());
    let identity = match microsoft.people().redeem(&trip, &code, now).await {
        Ok(identity) => identity,
        Err(error) => return Ok(not_told(&error)),
    };
    match console.access.recognise(&identity).await? {
        Recognised::Granted(session) => {
            let back = BASE64URL_NOPAD.decode(back.as_bytes()).ok().and_then(|back| String::from_utf8(back).ok());
            let page = render(&SignedIn { back: inside(&back.unwrap_or_default()) });
            let cookies = [(header::SET_COOKIE, session_cookie(&session)), (header::SET_COOKIE, forgotten())];
            Ok((AppendHeaders(cookies), page).into_response())
        }
        Recognised::Stranger(called) => {
            let text = format!(
                "Microsoft says that you are {called}. No user of that name may sign in here with this account: an admin adds one \
                 on the page Users, or lets go of the account that the user had before."
            );
            Ok(([(header::SET_COOKIE, forgotten())], message(StatusCode::FORBIDDEN, "Not a user", &text))
                .into_response())
        }
    }
}

fn known(console: &Console) -> Result<&Microsoft, Oops> {
    let text =
        "Signing in with Microsoft is not set up: the section [console.microsoft] of the configuration is missing.";
    console.microsoft.as_ref().ok_or_else(|| Oops::NotFound(text.to_owned()))
}

fn forgotten() -> String {
    format!("{TRIP}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0")
}

fn again(why: &str) -> Response {
    message(
        StatusCode::BAD_REQUEST,
        "You are not signed in",
        &format!("{why} Go back to the sign-in page and try again."),
    )
}

/// What Microsoft refused. Its words come with the browser, so anybody could have written them: only the number is shown.
fn refused(error: &str, description: &str) -> String {
    let number = description.strip_prefix("AADSTS").map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
    let number = number.flatten().filter(|number| !number.is_empty() && number.len() < 10);
    let known = ["access_denied", "consent_required", "interaction_required", "login_required", "server_error"];
    let error = known.into_iter().find(|known| *known == error).unwrap_or("another error");
    tracing::info!(error, number, "Microsoft did not sign somebody in");
    match number {
        Some(number) => format!("Microsoft did not sign you in (AADSTS{number})."),
        None => "Microsoft did not sign you in.".to_owned(),
    }
}

fn not_told(error: &SignInError) -> Response {
    tracing::warn!(error = %chain(error), "Microsoft did not tell who somebody is");
    let text = match error {
        SignInError::Call(error) => match error.code() {
            Some(code) => format!("Microsoft refused to say who you are ({code}). The log has its words."),
            None => "Microsoft does not answer at the moment. Try again in a minute.".to_owned(),
        },
        SignInError::Untrusted(_) => format!("{error}. The log has more."),
    };
    message(StatusCode::BAD_GATEWAY, "You are not signed in", &text)
}
