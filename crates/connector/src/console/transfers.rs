//! Transfers: what was paid through Brex against what Business Central is owed; matched by hand where it has to be.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Extension, Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::Console;
use super::guard::Person;
use super::page::{Frame, Oops, connection, render};
use super::show::{Stamp, stamp};
use crate::transfers::TRANSFERS;
use crate::transfers::say::{self, Named, SayError, Word};
use crate::transfers::view::{SeenDocument, SeenTransfer, View};

/// Rows of each list that are shown.
const SHOWN: usize = 200;

#[derive(Template)]
#[template(path = "console/transfers.html")]
struct Page {
    frame: Frame,
    is_enabled: bool,
    only: String,
    transfers: Vec<SeenTransfer>,
    documents: Vec<SeenDocument>,
    hidden: usize,
    compared: Option<Stamp>,
}

#[derive(Deserialize)]
pub(super) struct TransfersQuery {
    /// A verdict; empty for what is not matched.
    #[serde(default)]
    only: String,
    #[serde(default)]
    said: bool,
}

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
    Path(name): Path<String>,
    Query(query): Query<TransfersQuery>,
) -> Result<Response, Oops> {
    let connection = connection(&console, &name)?;
    let zone = &connection.rules.zone;
    let today = crate::clock::day(console.app.now_ms(), zone);
    let View { transfers, documents, reconciled_ms } = View::load(&console.app.store, &connection.id, today).await?;
    let only = if query.only.is_empty() { "open".to_owned() } else { query.only };
    let is_shown = |verdict: Option<&str>| match only.as_str() {
        "all" => true,
        "open" => matches!(verdict, None | Some("unmatched" | "partly")),
        wanted => verdict == Some(wanted),
    };
    let mut transfers: Vec<_> = transfers.into_iter().filter(|seen| is_shown(seen.verdict)).collect();
    let mut documents: Vec<_> = documents.into_iter().filter(|seen| is_shown(Some(seen.verdict))).collect();
    let hidden = transfers.len().saturating_sub(SHOWN) + documents.len().saturating_sub(SHOWN);
    transfers.truncate(SHOWN);
    documents.truncate(SHOWN);
    let said = query.said.then(|| "Noted. Everything is compared again within seconds.".to_owned());
    Ok(render(&Page {
        frame: Frame::new(&console, person, "transfers", Some(connection)).saying(said),
        is_enabled: connection.settings.transfers.enabled,
        only,
        transfers,
        documents,
        hidden,
        compared: reconciled_ms.map(|ms| stamp(ms, zone)),
    }))
}

#[derive(Deserialize)]
pub(super) struct Hand {
    transfer: String,
    /// `match` or `unmatch`.
    verb: String,
    /// Numbers of the documents, by comma; the suggestion's if empty.
    #[serde(default)]
    documents: String,
    reason: String,
}

pub(super) async fn act(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
    Path(name): Path<String>,
    Form(hand): Form<Hand>,
) -> Result<Response, Oops> {
    let (app, connection) = (&console.app, connection(&console, &name)?);
    let word = Word { transfer: hand.transfer, person: person.name, reason: hand.reason.trim().to_owned() };
    let documents = hand.documents.split(',').map(str::trim).filter(|number| !number.is_empty());
    let named: Vec<Named> = documents.map(|number| Named { document: number.to_owned(), amount: None }).collect();
    let now_ms = app.now_ms();
    let said = match hand.verb.as_str() {
        "match" => say::together(&app.store, &connection.id, &word, &named, now_ms).await,
        "unmatch" => say::apart(&app.store, &connection.id, &word, now_ms).await,
        other => return Err(Oops::Unusable(format!("There is nothing called {other:?} to do."))),
    };
    match said {
        Ok(_) => {
            if connection.settings.transfers.enabled {
                app.store.jobs().nudge(&connection.id, TRANSFERS, now_ms).await?;
                app.bell.notify_waiters();
            }
            Ok(Redirect::to(&format!("/c/{name}/transfers?said=true")).into_response())
        }
        Err(SayError::Refused(why)) => Err(Oops::Unusable(format!("{why}."))),
        Err(SayError::Store(error)) => Err(error.into()),
    }
}
