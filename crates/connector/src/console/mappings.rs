//! Mappings: what people said coded values of Brex mean in Business Central. A held record asks; this page shows what was answered.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Extension, Path, Query, State};
use axum::response::Response;
use serde::Deserialize;
use store::ValueMeaning;

use super::Console;
use super::guard::Person;
use super::page::{Frame, Oops, Said as WasSaid, connection, done, render};
use super::record::asked;
use super::show::{Stamp, stamp};
use super::vendors::mirror;
use crate::app::Connection;
use crate::meanings::{Said, SayError, say};

#[derive(Template)]
#[template(path = "console/mappings.html")]
struct Page {
    frame: Frame,
    rows: Vec<Row>,
    /// What the configuration says: field, value and what it means.
    configured: Vec<(String, String, String)>,
}

/// What somebody said.
struct Row {
    field: String,
    value: String,
    target: String,
    by: String,
    at: Stamp,
    reason: String,
}

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
    Path(name): Path<String>,
    Query(said): Query<WasSaid>,
) -> Result<Response, Oops> {
    let connection = connection(&console, &name)?;
    let zone = &connection.rules.zone;
    let row = |said: ValueMeaning| Row {
        field: said.meaning.field,
        value: said.meaning.value,
        target: said.meaning.target,
        by: said.said_by,
        at: stamp(said.said_ms, zone),
        reason: said.reason,
    };
    let said = match said.said.as_str() {
        "said" => Some("Kept. Records that wait for it go on within seconds.".to_owned()),
        "taken-back" => Some("Taken back. Documents that were made stay as they are.".to_owned()),
        _ => None,
    };
    let rows = console.app.store.value_meanings().list(&connection.id).await?.into_iter().map(row).collect();
    let frame = Frame::new(&console, person, "mappings", Some(connection)).saying(said);
    Ok(render(&Page { frame, rows, configured: configured(connection) }))
}

fn configured(connection: &Connection) -> Vec<(String, String, String)> {
    let tables = connection.rules.values.iter();
    let rows = tables
        .flat_map(|(field, table)| table.iter().map(|(value, target)| (field.clone(), value.clone(), target.clone())));
    rows.collect()
}

#[derive(Deserialize)]
pub(super) struct Word {
    field: String,
    value: String,
    /// Empty takes back what was said.
    #[serde(default)]
    target: String,
    reason: String,
    /// The record that asked.
    #[serde(default)]
    record: String,
}

pub(super) async fn act(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
    Path(name): Path<String>,
    Form(word): Form<Word>,
) -> Result<Response, Oops> {
    let connection = connection(&console, &name)?;
    let target = Some(word.target.trim().to_owned()).filter(|target| !target.is_empty());
    let said = Said { field: word.field, value: word.value, target, reason: word.reason, person: person.name };
    let directory = mirror(&console, &connection.id).await?;
    let kept =
        say(&console.app.store, &connection.id, &connection.rules, &directory, &said, console.app.now_ms()).await;
    let kept = kept.map_err(|error| match error {
        SayError::NotTaken(why) => Oops::Unusable(format!("That is not taken: {why}.")),
        SayError::Store(error) => error.into(),
    })?;
    if word.record.is_empty() {
        return Ok(done(&console, &name, "mappings", if kept.is_some() { "said" } else { "taken-back" }));
    }
    console.app.bell.notify_waiters();
    Ok(asked(&name, &word.record))
}
