//! One record: what Brex has and what Business Central was to get, side by side, and its whole story.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Extension, Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::audit::Entry;
use domain::document::PlannedDocument;
use domain::hold::HoldCode;
use domain::id::RecordId;
use domain::record::{CodedField, Line, Side};
use serde::Deserialize;
use store::{ReceiptRow, RecordRow};

use super::guard::Person;
use super::page::{Frame, Oops, connection, render};
use super::show::{Item, Stamp, item, stamp};
use super::{Console, records};
use crate::app::Connection;
use crate::flow::{map, source};
use crate::meanings::{self, Question};
use crate::{mirror, story};

/// More entries than any record has.
const ALL: i64 = 10_000;

#[derive(Template)]
#[template(path = "console/record.html")]
struct Page {
    frame: Frame,
    item: Item,
    what_to_do: Option<&'static str>,
    /// Coded values that nobody understands.
    questions: Vec<Question>,
    brex: BrexSide,
    plan: Option<PlannedDocument>,
    receipts: Vec<ReceiptRow>,
    steps: Vec<Step>,
    payload: String,
    is_done: bool,
}

/// What Brex has.
struct BrexSide {
    facts: Vec<(&'static str, String)>,
    lines: Vec<BrexLine>,
}

/// A line with its coding.
struct BrexLine {
    side: &'static str,
    amount: String,
    coding: String,
}

/// An entry of the trail.
struct Step {
    at: Stamp,
    actor: String,
    sentence: String,
}

#[derive(Deserialize)]
pub(super) struct Said {
    #[serde(default)]
    asked: bool,
}

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
    Path((name, record)): Path<(String, String)>,
    Query(said): Query<Said>,
) -> Result<Response, Oops> {
    let connection = connection(&console, &name)?;
    let (store, zone) = (&console.app.store, &connection.rules.zone);
    let id = RecordId::new(record);
    let row = store.records().get(&connection.id, &id).await?;
    let row = row.ok_or_else(|| Oops::NotFound(format!("The record {id} is not known here.")))?;
    let payloads = store.payloads().get_many(&connection.id, &[(id.clone(), row.version)]).await?;
    let payload = payloads.into_iter().next().map(|payload| payload.payload).unwrap_or_default();
    let entries = store.audit().list_for(&connection.id, id.as_str(), ALL).await?;
    let step = |entry: &Entry| Step {
        at: stamp(entry.at_ms, zone),
        actor: entry.actor.clone(),
        sentence: story::sentence(entry),
    };
    let said =
        said.asked.then(|| "Asked for. The worker does it within seconds; load this page again to see it.".to_owned());
    Ok(render(&Page {
        frame: Frame::new(&console, person, "records", Some(connection)).saying(said),
        item: item(&row, zone),
        what_to_do: row.hold.as_ref().map(|hold| hold.code.what_to_do()),
        questions: questions(&console, connection, &row, &payload).await?,
        brex: brex_side(connection, &row, &payload),
        plan: map::plan_of(&row),
        receipts: store.receipts().find_many(&connection.id, std::slice::from_ref(&id)).await?,
        steps: entries.iter().map(step).collect(),
        payload: pretty(&payload),
        is_done: row.stage.is_done(),
    }))
}

/// What a person is asked about the coding of a record that is held for it.
async fn questions(
    console: &Console,
    connection: &Connection,
    row: &RecordRow,
    payload: &str,
) -> Result<Vec<Question>, Oops> {
    let codes = [HoldCode::AccountUnknown, HoldCode::DimensionUnknown, HoldCode::TaxCodeUnknown];
    if !row.hold.as_ref().is_some_and(|hold| codes.contains(&hold.code)) {
        return Ok(Vec::new());
    }
    let store = &console.app.store;
    let (Ok(record), Some(directory)) =
        (source::read(connection, payload), mirror::stored(store, &connection.id).await?)
    else {
        return Ok(Vec::new());
    };
    Ok(meanings::questions(&record, &*meanings::rules(store, connection).await?, &directory))
}

/// The facts of the record, and its lines with their coding.
fn brex_side(connection: &Connection, row: &RecordRow, payload: &str) -> BrexSide {
    let mut facts = vec![
        ("Type", super::show::words(&row.record_type)),
        ("Version", row.version.to_string()),
        ("Merchant", row.merchant.clone().unwrap_or_default()),
        ("Posting date", row.posting_date.clone().unwrap_or_default()),
    ];
    let Ok(record) = source::read(connection, payload) else { return BrexSide { facts, lines: Vec::new() } };
    facts.push(("Amount", record.amount.to_string()));
    let line = |line: &Line| {
        let coding: Vec<String> = line.coding.iter().map(coded).collect();
        BrexLine { side: side(line.side), amount: line.amount.to_string(), coding: coding.join(", ") }
    };
    BrexSide { facts, lines: record.lines.iter().map(line).collect() }
}

fn side(side: Side) -> &'static str {
    match side {
        Side::Debit => "debit",
        Side::Credit => "credit",
    }
}

fn coded(coded: &CodedField) -> String {
    let [field, value] = [(&coded.field_name, &coded.field), (&coded.value_name, &coded.value)]
        .map(|(name, id)| name.as_deref().or(id.as_deref()).unwrap_or("?"));
    format!("{field}: {value}")
}

/// JSON as people read it; what cannot be read stays as it is.
fn pretty(payload: &str) -> String {
    serde_json::from_str::<serde_json::Value>(payload)
        .and_then(|value| serde_json::to_string_pretty(&value))
        .unwrap_or_else(|_| payload.to_owned())
}

#[derive(Deserialize)]
pub(super) struct Wish {
    verb: String,
    reason: String,
}

pub(super) async fn act(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
    Path((name, record)): Path<(String, String)>,
    Form(wish): Form<Wish>,
) -> Result<Response, Oops> {
    let connection = connection(&console, &name)?;
    let (verb, reason) = (records::verb(&wish.verb)?, records::reason(&wish.reason)?);
    records::ask(&console.app, connection, verb, &record, &person, reason).await?;
    Ok(asked(&name, &record))
}

/// Back to the page of a record after something was asked for.
pub(super) fn asked(connection: &str, record: &str) -> Response {
    let record: String = url::form_urlencoded::byte_serialize(record.as_bytes()).collect();
    Redirect::to(&format!("/c/{connection}/records/{record}?asked=true")).into_response()
}
