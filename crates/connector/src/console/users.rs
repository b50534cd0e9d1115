//! Users: who may come in and what each may do. Passwords are never seen here: whoever is added gets a link to set one.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Extension, State};
use axum::response::Response;
use domain::access::{Role, user_name};
use domain::audit::Actor;
use serde::Deserialize;
use store::UserChange;

use super::Console;
use super::guard::Person;
use super::page::{Frame, Oops, render};
use super::show::{Stamp, stamp};
use super::tokens;
use crate::access;

#[derive(Template)]
#[template(path = "console/users.html")]
struct Page {
    frame: Frame,
    rows: Vec<Row>,
    roles: [Role; 4],
    tokens: Vec<tokens::Row>,
    told: Told,
}

/// What is told once.
#[derive(Default)]
pub(super) struct Told {
    /// What was just done.
    pub(super) said: Option<String>,
    /// A user and the path of an invitation.
    pub(super) invitation: Option<(String, String)>,
    /// A token and its secret.
    pub(super) token: Option<(String, String)>,
}

struct Row {
    name: String,
    role: Role,
    has_password: bool,
    has_microsoft: bool,
    is_disabled: bool,
    signed_in: Option<Stamp>,
}

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
) -> Result<Response, Oops> {
    page(&console, person, Told::default()).await
}

/// The page, with what is told once.
pub(super) async fn page(console: &Console, person: Person, mut told: Told) -> Result<Response, Oops> {
    let zone = console.app.zone();
    let users = console.app.store.users().list().await?;
    let row = |user: store::User| Row {
        has_password: user.password.is_some(),
        has_microsoft: user.microsoft.is_some(),
        is_disabled: user.disabled_ms.is_some(),
        signed_in: user.signed_in_ms.map(|ms| stamp(ms, &zone)),
        name: user.name,
        role: user.role,
    };
    let frame = Frame::new(console, person, "users", None).saying(told.said.take());
    let (rows, tokens) = (users.into_iter().map(row).collect(), tokens::rows(console).await?);
    Ok(render(&Page { frame, rows, roles: Role::ALL, tokens, told }))
}

#[derive(Deserialize)]
pub(super) struct Wish {
    user: String,
    /// `add`, `invite`, `role`, `disable`, `enable` or `unbind`.
    verb: String,
    #[serde(default)]
    role: String,
}

pub(super) async fn act(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
    Form(wish): Form<Wish>,
) -> Result<Response, Oops> {
    let app = &console.app;
    let name = user_name(&wish.user)
        .ok_or_else(|| Oops::Unusable("A name has 1 to 60 letters, digits, or any of . _ - @ +".to_owned()))?;
    let role = || Role::from_name(&wish.role).ok_or_else(|| Oops::Unusable("Choose a role.".to_owned()));
    let actor = Actor::Person(person.name.clone());
    let refused = |refusal: store::UserRefusal| Oops::Unusable(format!("{name}: {refusal}."));
    let change = match wish.verb.as_str() {
        "add" | "invite" => {
            let role = if wish.verb == "add" { Some(role()?) } else { None };
            let invited = access::invite(&app.store, &app.chance, &name, role, app.now_ms(), &actor).await?;
            let path = format!("/welcome?token={}", invited.map_err(refused)?);
            let told = Told { invitation: Some((name.clone(), path)), ..Told::default() };
            return page(&console, person, told).await;
        }
        "role" => UserChange::SetRole(role()?),
        "disable" => UserChange::Disable,
        "enable" => UserChange::Enable,
        "unbind" => UserChange::Unbind,
        other => return Err(Oops::Unusable(format!("There is nothing called {other:?} to do."))),
    };
    app.store.users().change(&name, &change, app.now_ms(), &actor).await?.map_err(refused)?;
    page(&console, person, Told { said: Some(format!("{name} is changed.")), ..Told::default() }).await
}
