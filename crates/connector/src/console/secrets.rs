//! Secrets: what there is, since when and until when. A new one can be put in; none can be read.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Extension, Path, Query, State};
use axum::response::Response;
use jiff::civil::Date;
use secrecy::SecretString;
use serde::Deserialize;
use store::SealedSecret;

use super::Console;
use super::guard::Person;
use super::page::{Frame, Oops, Said, connection, done, render};
use super::show::{Stamp, stamp};
use crate::app::Connection;
use crate::secrets::replace::{ReplaceError, Which, replace};

#[derive(Template)]
#[template(path = "console/secrets.html")]
struct Page {
    frame: Frame,
    name: String,
    secrets: Vec<Secret>,
}

/// What is known of a secret.
struct Secret {
    which: &'static str,
    what: &'static str,
    host: String,
    /// Where it is, if it is not in the vault.
    elsewhere: Option<String>,
    is_certificate: bool,
    since: Option<Stamp>,
    ends: Option<String>,
}

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
    Path(name): Path<String>,
    Query(said): Query<Said>,
) -> Result<Response, Oops> {
    let connection = connection(&console, &name)?;
    let sealed = console.app.vault().list(&connection.id).await?;
    let secrets = Which::ALL.map(|which| secret(connection, which, &sealed)).into();
    let said = match said.said.as_str() {
        "replaced" => Some("Replaced. It was tried, and is used from now on."),
        "same" => Some("That is the secret that was there already."),
        _ => None,
    };
    let frame = Frame::new(&console, person, "connections", Some(connection)).still().saying(said.map(str::to_owned));
    Ok(render(&Page { frame, name, secrets }))
}

fn secret(connection: &Connection, which: Which, sealed: &[SealedSecret]) -> Secret {
    let slot = which.slot(connection);
    let found = sealed.iter().find(|one| one.system == slot.system && one.purpose == slot.purpose);
    let day = |ms: i64| crate::clock::day(ms, &jiff::tz::TimeZone::UTC).to_string();
    let is_certificate = which == Which::Entra && connection.settings.entra.certificate.is_some();
    Secret {
        which: which.as_str(),
        what: match which {
            Which::Brex => "Brex user token",
            Which::Entra if is_certificate => "Certificate of the app registration",
            Which::Entra => "Client secret of the app registration",
        },
        host: slot.host.to_owned(),
        elsewhere: which.source(connection).shown(),
        is_certificate,
        since: found.map(|one| stamp(one.rotated_ms.unwrap_or(one.created_ms), &connection.rules.zone)),
        ends: found.and_then(|one| one.expires_ms).map(day),
    }
}

#[derive(Deserialize)]
pub(super) struct Wish {
    which: String,
    secret: SecretString,
    #[serde(default)]
    ends: String,
}

/// Puts a new secret in the place of the old one.
pub(super) async fn act(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
    Path(name): Path<String>,
    Form(wish): Form<Wish>,
) -> Result<Response, Oops> {
    let connection = connection(&console, &name)?;
    let which = Which::named(&wish.which).ok_or_else(|| Oops::Unusable("There is no such secret.".to_owned()))?;
    let ends = Some(wish.ends.trim()).filter(|text| !text.is_empty()).map(str::parse::<Date>).transpose();
    let ends = ends.map_err(|_| Oops::Unusable("The day on which it ends is written as 2027-06-30.".to_owned()))?;
    match replace(&console.app, connection, which, &wish.secret, ends, &person.name).await {
        Ok(is_new) => Ok(done(&console, &name, "secrets", if is_new { "replaced" } else { "same" })),
        Err(ReplaceError::Store(error)) => Err(error.into()),
        Err(why) => Err(Oops::Unusable(format!("{why}."))),
    }
}
