//! What an IT person asks: does everything work that a connection needs, and a new secret in the place of an old one.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use jiff::civil::Date;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Api;
use super::extract::{Body, Place};
use super::guard::Caller;
use super::problem::Problem;
use crate::doctor::{Finding, Verdict, examine};
use crate::secrets::replace::{ReplaceError, Which, replace};

/// What every check came to.
#[derive(Serialize, ToSchema)]
pub(super) struct Examined {
    /// Whether none failed.
    ok: bool,
    /// The checks.
    checks: Vec<Check>,
}

/// A check.
#[derive(Serialize, ToSchema)]
struct Check {
    /// What was tried.
    tried: &'static str,
    /// `ok`, `warning` or `failed`.
    result: &'static str,
    /// What was found, and what to do.
    said: String,
    /// The code of the problem, if it is one.
    code: Option<String>,
}

fn check(Finding { check, result, said, code, .. }: Finding) -> Check {
    let result = match result {
        Verdict::Ok => "ok",
        Verdict::Warning => "warning",
        Verdict::Failed => "failed",
    };
    Check { tried: check, result, said, code }
}

/// Examine a connection.
///
/// Asks both systems for everything that the connection needs, and writes nothing there.
#[utoipa::path(post, path = "/connections/{connection}/examination", operation_id = "examine_connection", tag = "connections",
    responses((status = 200, description = "What every check came to.", body = Examined)))]
pub(super) async fn run(State(api): State<Arc<Api>>, Place(name): Place<String>) -> Result<Json<Examined>, Problem> {
    let findings = examine(&api.app, api.connection(&name)?).await?;
    let ok = findings.iter().all(|finding| finding.result != Verdict::Failed);
    Ok(Json(Examined { ok, checks: findings.into_iter().map(check).collect() }))
}

/// A new secret.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSecret {
    /// The secret, or the certificate with its key as PEM.
    #[schema(value_type = String, format = Password, write_only, max_length = 20000)]
    secret: SecretString,
    /// The day on which it ends, if that is known.
    #[schema(value_type = Option<String>, format = Date)]
    ends: Option<Date>,
}

/// What became of it.
#[derive(Serialize, ToSchema)]
pub(super) struct Replaced {
    /// Whether it is another one than before.
    replaced: bool,
}

/// Put a new secret in the place of an old one.
///
/// `brex` is the user token, `entra` the client secret or certificate. It is tried at its system first; one that does not work replaces none.
/// The same secret again changes nothing. None can be read.
#[utoipa::path(post, path = "/connections/{connection}/secrets/{secret}", operation_id = "replace_secret", tag = "connections",
    request_body = NewSecret, responses((status = 200, description = "It is used from now on.", body = Replaced),
        (status = 409, description = "It does not work, is somebody else's, or is kept elsewhere.")))]
pub(super) async fn replace_secret(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Place((name, which)): Place<(String, String)>,
    Body(NewSecret { secret, ends }): Body<NewSecret>,
) -> Result<Json<Replaced>, Problem> {
    let connection = api.connection(&name)?;
    let found = Which::named(&which).ok_or_else(|| Problem::not_found("There is no such secret: brex or entra."))?;
    caller.note(&api, &connection.id, "replace_secret", found.as_str().to_owned()).await?;
    match replace(&api.app, connection, found, &secret, ends, &caller.person()).await {
        Ok(replaced) => Ok(Json(Replaced { replaced })),
        Err(ReplaceError::Store(error)) => Err(error.into()),
        Err(why @ (ReplaceError::Empty | ReplaceError::Unusable(_))) => Err(Problem::unusable(format!("{why}."))),
        Err(why) => Err(Problem::refused(why)),
    }
}
