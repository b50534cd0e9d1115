//! The routes of people who sign in: the login page, the keys, and the metadata that names both.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde_json::json;
use url::Url;
use uuid::Uuid;

use super::people::{Wish, declined};
use super::refusal::Refusal;
use super::{Directory, Entra, OtherTenant, host_of};
use crate::world::World;

/// `openid-configuration`
pub(super) async fn metadata(
    State(world): State<Arc<World>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Err(refusal) = own(&world.entra, &tenant) {
        return refusal.answer(world.entra.settings().description, &world.entra.ids, world.clock.now());
    }
    let base = format!("http://{}/{}", host_of(&headers), world.entra.tenant_id());
    Json(json!({
        "issuer": format!("{base}/v2.0"),
        "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{base}/oauth2/v2.0/token"),
        "jwks_uri": format!("{base}/discovery/v2.0/keys"),
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
    }))
    .into_response()
}

/// The keys that verify id tokens.
pub(super) async fn keys(State(world): State<Arc<World>>, headers: HeaderMap) -> Response {
    let issuer = format!("http://{}/{}/v2.0", host_of(&headers), world.entra.tenant_id());
    Json(json!({ "keys": [world.entra.doorway.key().as_jwk(&issuer)] })).into_response()
}

/// The login page: the accounts to choose from.
pub(super) async fn authorize(
    State(world): State<Arc<World>>,
    Path(tenant): Path<String>,
    Query(wish): Query<Wish>,
    RawQuery(query): RawQuery,
) -> Response {
    if let Err(refusal) = asked(&world.entra, &tenant, &wish) {
        return refusal.page();
    }
    let query = escaped(&query.unwrap_or_default());
    let mut list = String::new();
    for person in world.entra.people() {
        let (id, name, account) = (person.object_id, escaped(&person.display_name), escaped(&person.user_name));
        // Writing to a string cannot fail.
        let _ = write!(list, "<li><a href=\"authorize/as/{id}?{query}\">{name}</a> {account}</li>");
    }
    let text = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <link rel=\"icon\" href=\"data:,\"><title>Sign in to your account</title></head><body>\
         <main><h1>Pick an account</h1><p>The sandbox stands for the login page of Microsoft.</p><ul>{list}</ul>\
         <p><a href=\"authorize/decline?{query}\">Cancel</a></p></main></body></html>"
    );
    Html(text).into_response()
}

/// Somebody chose an account.
pub(super) async fn choose(
    State(world): State<Arc<World>>,
    Path((tenant, account)): Path<(String, Uuid)>,
    Query(wish): Query<Wish>,
) -> Response {
    let entra = &world.entra;
    let redirect = match asked(entra, &tenant, &wish) {
        Ok(redirect) => redirect,
        Err(refusal) => return refusal.page(),
    };
    match entra.people().into_iter().find(|person| person.object_id == account) {
        Some(person) => {
            let url = entra.doorway.admit(person, &wish, &redirect, &entra.ids, world.clock.now());
            Redirect::to(url.as_str()).into_response()
        }
        None => (StatusCode::NOT_FOUND, "there is no such account").into_response(),
    }
}

/// Somebody did not want to.
pub(super) async fn decline(
    State(world): State<Arc<World>>,
    Path(tenant): Path<String>,
    Query(wish): Query<Wish>,
) -> Response {
    match asked(&world.entra, &tenant, &wish) {
        Ok(redirect) => Redirect::to(declined(&redirect, &wish).as_str()).into_response(),
        Err(refusal) => refusal.page(),
    }
}

fn asked(entra: &Entra, tenant: &str, wish: &Wish) -> Result<Url, Refusal> {
    own(entra, tenant)?;
    let client = wish.client_id.as_deref().unwrap_or_default();
    if !entra.is_app(client) {
        return Err(Refusal::app(client, Directory::Own.domain()));
    }
    wish.checked()
}

/// People are in the directory of the app only.
pub(super) fn own(entra: &Entra, tenant: &str) -> Result<(), Refusal> {
    let found = entra.directory(tenant, OtherTenant::Absent);
    found.map(drop).ok_or_else(|| Refusal::tenant("invalid_request", tenant))
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
