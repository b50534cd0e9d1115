//! Users: who may come in, for admins.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::problem::Problem;
use super::show::time;
use crate::access::stands;

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
