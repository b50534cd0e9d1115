//! Users: who may come in and what each may do, for admins.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use domain::access::{Role, user_name};
use domain::audit::Actor;
use domain::id::ConnectionId;
use serde::{Deserialize, Serialize};
use store::{UserChange, UserRefusal};
use utoipa::ToSchema;

use super::Api;
use super::extract::{Body, Place};
use super::guard::Caller;
use super::problem::Problem;
use super::show::time;
use crate::access::{invite, stands};

/// Everybody.
#[derive(Serialize, ToSchema)]
pub(super) struct Users {
    /// The users, by name.
    users: Vec<User>,
}

/// A person who may use the console.
#[derive(Serialize, ToSchema)]
pub(super) struct User {
    /// The name to sign in with.
    name: String,
    /// `viewer`, `bookkeeper`, `approver` or `admin`.
    role: &'static str,
    /// `may sign in`, `invited` or `disabled`.
    stands: &'static str,
    /// When the user was added.
    #[schema(format = DateTime)]
    added: String,
    /// When the person last signed in.
    #[schema(format = DateTime)]
    signed_in: Option<String>,
}

fn user(user: store::User) -> User {
    let stands = stands(&user);
    User {
        name: user.name,
        role: user.role.as_str(),
        stands,
        added: time(user.created_ms),
        signed_in: user.signed_in_ms.map(time),
    }
}

/// List the users.
///
/// For admins. Passwords are in no answer.
#[utoipa::path(get, path = "/users", operation_id = "list_users", tag = "installation",
    responses((status = 200, description = "The users.", body = Users)))]
pub(super) async fn list(State(api): State<Arc<Api>>) -> Result<Json<Users>, Problem> {
    let users = api.app.store.users().list().await?;
    Ok(Json(Users { users: users.into_iter().map(user).collect() }))
}

/// What a user may do.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum UserRole {
    /// Reads.
    Viewer,
    /// Also works.
    Bookkeeper,
    /// Also approves.
    Approver,
    /// Also looks after users.
    Admin,
}

impl UserRole {
    fn role(self) -> Role {
        match self {
            Self::Viewer => Role::Viewer,
            Self::Bookkeeper => Role::Bookkeeper,
            Self::Approver => Role::Approver,
            Self::Admin => Role::Admin,
        }
    }
}

/// Somebody who is to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewUser {
    /// Name or mail address to sign in with; for a Microsoft account, what Microsoft calls it.
    #[schema(min_length = 1, max_length = 60, example = "ann@example.com")]
    name: String,
    /// What the person may do.
    role: UserRole,
}

/// Another role.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OtherRole {
    /// What the person may do from now on.
    role: UserRole,
}

/// A link that sets the password.
#[derive(Serialize, ToSchema)]
pub(super) struct Invitation {
    /// Whose it is.
    name: String,
    /// Below the address of the console; it works once, for a day, and no other answer has it.
    link: String,
}

/// Add a user.
///
/// For admins. The link sets the password; people who sign in with Microsoft do not need it.
#[utoipa::path(post, path = "/users", operation_id = "add_user", tag = "installation", request_body = NewUser,
    responses((status = 201, description = "Added.", body = Invitation),
        (status = 409, description = "There is a user of this name.")))]
pub(super) async fn add(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Body(new): Body<NewUser>,
) -> Result<(StatusCode, Json<Invitation>), Problem> {
    let text = || format!("{:?} cannot be a name: use 1 to 60 letters, digits, or any of . _ - @ +.", new.name);
    let name = user_name(&new.name).ok_or_else(|| Problem::unusable(text()))?;
    Ok((StatusCode::CREATED, Json(invited(&api, &caller, name, Some(new.role.role())).await?)))
}

/// Make a new link that sets a user's password.
///
/// For admins. An earlier link ends.
#[utoipa::path(post, path = "/users/{user}/link", operation_id = "invite_user", tag = "installation",
    responses((status = 201, description = "The link.", body = Invitation)))]
pub(super) async fn link(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Place(name): Place<String>,
) -> Result<(StatusCode, Json<Invitation>), Problem> {
    Ok((StatusCode::CREATED, Json(invited(&api, &caller, named(&name)?, None).await?)))
}

/// Give a user another role.
///
/// For admins. It counts from the next request of the user on.
#[utoipa::path(post, path = "/users/{user}/role", operation_id = "set_user_role", tag = "installation", request_body = OtherRole,
    responses((status = 200, description = "The user as it stands.", body = User),
        (status = 409, description = "It is the last admin.")))]
pub(super) async fn role(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Place(name): Place<String>,
    Body(other): Body<OtherRole>,
) -> Result<Json<User>, Problem> {
    changed(&api, &caller, &name, &UserChange::SetRole(other.role.role())).await
}

/// Let a user do nothing any more.
///
/// For admins. Every session ends.
#[utoipa::path(post, path = "/users/{user}/disable", operation_id = "disable_user", tag = "installation",
    responses((status = 200, description = "The user as it stands.", body = User),
        (status = 409, description = "It is the last admin.")))]
pub(super) async fn disable(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Place(name): Place<String>,
) -> Result<Json<User>, Problem> {
    changed(&api, &caller, &name, &UserChange::Disable).await
}

/// Let a user in again.
///
/// For admins.
#[utoipa::path(post, path = "/users/{user}/enable", operation_id = "enable_user", tag = "installation",
    responses((status = 200, description = "The user as it stands.", body = User)))]
pub(super) async fn enable(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Place(name): Place<String>,
) -> Result<Json<User>, Problem> {
    changed(&api, &caller, &name, &UserChange::Enable).await
}

/// Let go of a user's Microsoft account.
///
/// For admins. The next account of the user's name is bound anew; every session ends.
#[utoipa::path(post, path = "/users/{user}/unbind", operation_id = "unbind_user", tag = "installation",
    responses((status = 200, description = "The user as it stands.", body = User)))]
pub(super) async fn unbind(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Place(name): Place<String>,
) -> Result<Json<User>, Problem> {
    changed(&api, &caller, &name, &UserChange::Unbind).await
}

async fn invited(api: &Api, caller: &Caller, name: String, role: Option<Role>) -> Result<Invitation, Problem> {
    let (app, actor) = (&api.app, Actor::Person(caller.person()));
    caller.note(api, &ConnectionId::installation(), "invite_user", format!("user {name}")).await?;
    let invited = invite(&app.store, &app.chance, &name, role, app.now_ms(), &actor).await?;
    let token = invited.map_err(|why| refused(&name, why))?;
    Ok(Invitation { link: format!("/welcome?token={token}"), name })
}

async fn changed(api: &Api, caller: &Caller, name: &str, change: &UserChange) -> Result<Json<User>, Problem> {
    let (app, name) = (&api.app, named(name)?);
    let actor = Actor::Person(caller.person());
    caller.note(api, &ConnectionId::installation(), "change_user", format!("user {name}")).await?;
    app.store.users().change(&name, change, app.now_ms(), &actor).await?.map_err(|why| refused(&name, why))?;
    let found = app.store.users().get(&name).await?.ok_or_else(|| refused(&name, UserRefusal::Unknown))?;
    Ok(Json(user(found)))
}

/// What cannot be a name is nobody's.
fn named(text: &str) -> Result<String, Problem> {
    user_name(text).ok_or_else(|| Problem::not_found(format!("There is no user {text:?}.")))
}

fn refused(name: &str, why: UserRefusal) -> Problem {
    match why {
        UserRefusal::Unknown => Problem::not_found(format!("There is no user {name}.")),
        UserRefusal::Exists | UserRefusal::LastAdmin => Problem::refused(format!("{name}: {why}")),
    }
}
