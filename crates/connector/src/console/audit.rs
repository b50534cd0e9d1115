//! Audit: the trail of a connection or of the installation, searched, and proved to be as it was written.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Path, Query, State};
use axum::response::Response;
use domain::audit::Entry;
use domain::id::ConnectionId;
use jiff::tz::TimeZone;
use serde::Deserialize;
use store::Chain;

use super::Console;
use super::guard::Person;
use super::page::{Frame, Oops, connection, render};
use super::show::{Stamp, stamp};
use crate::story;

/// Entries of a page.
const PAGE: i64 = 100;
/// Entries about one subject that are shown.
const OF_SUBJECT: i64 = 1_000;
/// The path's name for the trail that belongs to no connection.
const INSTALLATION: &str = "installation";

#[derive(Template)]
#[template(path = "console/audit.html")]
struct Page {
    frame: Frame,
    trail: String,
    subject: String,
    rows: Vec<Row>,
    older: Option<i64>,
    entries: i64,
}

struct Row {
    seq: i64,
    at: Stamp,
    actor: String,
    action: String,
    subject: String,
    sentence: String,
    hash: String,
}

#[derive(Default, Deserialize)]
pub(super) struct AuditQuery {
    #[serde(default)]
    subject: String,
    /// Entries before this one.
    before: Option<i64>,
}

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
    Path(name): Path<String>,
    Query(query): Query<AuditQuery>,
) -> Result<Response, Oops> {
    view(&console, person, name, &query, None).await
}

async fn view(
    console: &Console,
    person: Person,
    name: String,
    query: &AuditQuery,
    said: Option<String>,
) -> Result<Response, Oops> {
    let (id, zone) = trail(console, &name)?;
    let audit = console.app.store.audit();
    let newest = audit.newest(&id).await?;
    let subject = query.subject.trim();
    let (entries, older) = if subject.is_empty() {
        let before = query.before.unwrap_or(i64::MAX).min(newest.saturating_add(1));
        let entries = audit.list(&id, before.saturating_sub(PAGE + 1).max(0), PAGE).await?;
        let entries: Vec<Entry> = entries.into_iter().filter(|entry| entry.seq < before).collect();
        let older = entries.first().map(|entry| entry.seq).filter(|seq| *seq > 1);
        (entries, older)
    } else {
        (audit.list_for(&id, subject, OF_SUBJECT).await?, None)
    };
    let row = |entry: &Entry| Row {
        seq: entry.seq,
        at: stamp(entry.at_ms, &zone),
        actor: entry.actor.clone(),
        action: entry.action.clone(),
        subject: entry.subject.clone(),
        sentence: story::sentence(entry),
        hash: entry.hash.chars().take(12).collect(),
    };
    let about = console.app.connection(&id).map(AsRef::as_ref);
    Ok(render(&Page {
        frame: Frame::new(console, person, "audit", about).saying(said),
        trail: name,
        subject: subject.to_owned(),
        rows: entries.iter().rev().map(row).collect(),
        older,
        entries: newest,
    }))
}

fn trail(console: &Console, name: &str) -> Result<(ConnectionId, TimeZone), Oops> {
    if name == INSTALLATION && console.app.connections.iter().all(|connection| connection.id.as_str() != name) {
        return Ok((ConnectionId::installation(), TimeZone::UTC));
    }
    let found = connection(console, name)?;
    Ok((found.id.clone(), found.rules.zone.clone()))
}

/// Walks the whole chain.
pub(super) async fn verify(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
    Path(name): Path<String>,
) -> Result<Response, Oops> {
    let (id, _) = trail(&console, &name)?;
    let said = match console.app.store.audit().verify(&id).await? {
        Chain::Verified { entries, .. } => {
            format!("All {entries} entries are there, each follows from the one before.")
        }
        Chain::Broken(at) => format!("BROKEN: {at}"),
    };
    view(&console, person, name, &AuditQuery::default(), Some(said)).await
}
