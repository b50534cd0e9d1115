//! Tokens of the admin API, on the page of the users: made and revoked by admins, each secret shown this once.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Extension, State};
use axum::response::Response;
use domain::access::Role;
use domain::audit::Actor;
use domain::id::ConnectionId;
use serde::Deserialize;
use store::ApiToken;

use super::Console;
use super::guard::Person;
use super::page::{Oops, connection};
use super::users::{Told, page};
use crate::access::tokens::{Wanted, create, day_of, last_used, stands};

/// A token as the page shows it.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) user: Option<String>,
    pub(super) role: Role,
    pub(super) connection: Option<String>,
    pub(super) stands: &'static str,
    pub(super) until: String,
    pub(super) last_used: Option<String>,
}

/// Every token.
pub(super) async fn rows(console: &Console) -> Result<Vec<Row>, store::Error> {
    let now_ms = console.app.now_ms();
    let row = |token: ApiToken| Row {
        stands: stands(&token, now_ms),
        until: day_of(token.expires_ms),
        last_used: last_used(&token),
        connection: token.connection.as_ref().map(ConnectionId::to_string),
        name: token.name,
        user: token.user,
        role: token.role,
    };
    Ok(console.app.store.api_tokens().list().await?.into_iter().map(row).collect())
}

#[derive(Deserialize)]
pub(super) struct Wish {
    /// `create` or `revoke`.
    verb: String,
    #[serde(default)]
    token: String,
    #[serde(default)]
    user: String,
    #[serde(default)]
    role: String,
    /// A connection; all if empty.
    #[serde(default)]
    only: String,
    #[serde(default)]
    days: String,
}

pub(super) async fn act(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
    Form(wish): Form<Wish>,
) -> Result<Response, Oops> {
    let app = &console.app;
    match wish.verb.as_str() {
        "create" => {
            let unusable = |what: &str| Oops::Unusable(format!("Choose {what}."));
            let only = Some(wish.only.as_str()).filter(|name| !name.is_empty());
            let wanted = Wanted {
                name: wish.token,
                user: wish.user,
                role: Role::from_name(&wish.role).ok_or_else(|| unusable("a role"))?,
                connection: only.map(|name| connection(&console, name)).transpose()?.map(|found| found.id.clone()),
                days: wish.days.parse().map_err(|_| unusable("a number of days"))?,
            };
            let made = create(&app.store, &app.chance, &wanted, app.now_ms(), &person.name).await?;
            let made = made.map_err(|why| Oops::Unusable(format!("{why}.")))?;
            let told = Told { token: Some((made.token.name, made.secret)), ..Told::default() };
            page(&console, person, told).await
        }
        "revoke" => {
            let actor = Actor::Person(person.name.clone());
            let revoked = app.store.api_tokens().revoke(&wish.token, app.now_ms(), &actor).await?;
            revoked.map_err(|refusal| Oops::NotFound(format!("{refusal}.")))?;
            let told = Told { said: Some(format!("{} can be used no more.", wish.token)), ..Told::default() };
            page(&console, person, told).await
        }
        other => Err(Oops::Unusable(format!("There is nothing called {other:?} to do."))),
    }
}
