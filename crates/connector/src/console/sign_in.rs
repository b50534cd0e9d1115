//! Signing in and out, and setting a password with an invitation.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Extension, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::Console;
use super::guard::{Person, session_cookie};
use super::page::{Oops, render};
use crate::access::{AcceptError, SignIn};
use crate::words::counted;

#[derive(Template)]
#[template(path = "console/sign_in.html")]
struct SignInPage<'a> {
    back: &'a str,
    problem: Option<String>,
    said: Option<&'static str>,
    /// Where people sign in with their Microsoft accounts, if they may.
    microsoft: Option<String>,
}

#[derive(Template)]
#[template(path = "console/welcome.html")]
struct WelcomePage<'a> {
    token: &'a str,
    name: Option<String>,
    problem: Option<String>,
}

/// Where somebody signs in who wanted to see `back`.
pub(super) fn address(back: &str) -> String {
    with_back("/sign-in", back)
}

fn with_back(path: &str, back: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("back", back).finish();
    format!("{path}?{query}")
}

fn by_microsoft(console: &Console, back: &str) -> Option<String> {
    console.microsoft.as_ref().map(|_| with_back("/sign-in/microsoft", back))
}

#[derive(Deserialize)]
pub(super) struct FormQuery {
    #[serde(default)]
    pub(super) back: String,
    #[serde(default)]
    set: bool,
}

pub(super) async fn form(State(console): State<Arc<Console>>, Query(query): Query<FormQuery>) -> Response {
    let said = query.set.then_some("The password is set. Sign in with it.");
    let back = inside(&query.back);
    render(&SignInPage { back, problem: None, said, microsoft: by_microsoft(&console, back) })
}

#[derive(Deserialize)]
pub(super) struct Credentials {
    name: String,
    password: String,
    #[serde(default)]
    back: String,
}

pub(super) async fn sign_in(
    State(console): State<Arc<Console>>,
    Form(typed): Form<Credentials>,
) -> Result<Response, Oops> {
    let back = inside(&typed.back);
    let problem = match console.access.sign_in(&typed.name, &typed.password).await? {
        SignIn::Granted(session) => {
            return Ok(([(header::SET_COOKIE, session_cookie(&session))], Redirect::to(back)).into_response());
        }
        SignIn::Wrong => "The name or the password is wrong.".to_owned(),
        SignIn::Blocked(minutes) => {
            format!("There were too many wrong passwords for this name. Try again in {}.", counted(minutes, "minute"))
        }
    };
    let microsoft = by_microsoft(&console, back);
    let page = render(&SignInPage { back, problem: Some(problem), said: None, microsoft });
    Ok((StatusCode::UNAUTHORIZED, page).into_response())
}

/// A path of ours, whatever was asked for: nobody is sent elsewhere after signing in.
pub(super) fn inside(back: &str) -> &str {
    let is_path =
        back.starts_with('/') && !back.starts_with("//") && !back.contains(|c: char| c == '\\' || c.is_ascii_control());
    if is_path { back } else { "/" }
}

pub(super) async fn sign_out(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
) -> Result<Response, Oops> {
    console.access.sign_out(&person.session, &person.name).await?;
    let cookie = format!("{}; Max-Age=0", session_cookie(""));
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/sign-in")).into_response())
}

#[derive(Deserialize)]
pub(super) struct WelcomeQuery {
    #[serde(default)]
    token: String,
}

pub(super) async fn welcome(
    State(console): State<Arc<Console>>,
    Query(query): Query<WelcomeQuery>,
) -> Result<Response, Oops> {
    let name = console.access.invited(&query.token).await?;
    let problem = name.is_none().then(|| AcceptError::Gone.to_string());
    let status = if name.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    Ok((status, render(&WelcomePage { token: &query.token, name, problem })).into_response())
}

#[derive(Deserialize)]
pub(super) struct Accept {
    token: String,
    password: String,
    again: String,
}

pub(super) async fn accept(State(console): State<Arc<Console>>, Form(typed): Form<Accept>) -> Result<Response, Oops> {
    let problem = if typed.password == typed.again {
        match console.access.accept(&typed.token, &typed.password).await {
            Ok(_) => return Ok(Redirect::to("/sign-in?set=true").into_response()),
            Err(AcceptError::Store(error)) => return Err(error.into()),
            Err(error) => error.to_string(),
        }
    } else {
        "the two passwords differ".to_owned()
    };
    let name = console.access.invited(&typed.token).await?;
    let page = render(&WelcomePage { token: &typed.token, name, problem: Some(problem) });
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

#[cfg(test)]
mod tests {
    use super::{address, inside};

    #[test]
    fn nobody_is_sent_elsewhere() {
        assert_eq!(inside("/c/main/records?stage=map"), "/c/main/records?stage=map");
        for elsewhere in
            ["", "https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example", "/a\r\nb"]
        {
            assert_eq!(inside(elsewhere), "/", "{elsewhere:?}");
        }
        assert_eq!(address("/c/main/records?a=b&c=d"), "/sign-in?back=%2Fc%2Fmain%2Frecords%3Fa%3Db%26c%3Dd");
    }
}
