//! Audit: the trail of a connection or of the installation, a page at a time, and whether it is as it was written.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::audit::Entry;
use domain::id::ConnectionId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Chain;
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::extract::{Params, Place};
use super::problem::Problem;
use super::show::{cursor, limit, one_more, place, time};
use crate::story;

/// Which entries are shown.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AuditQuery {
    /// Only the newest entries about this: a record's id, `user ann`, `token nightly`. One page only.
    subject: Option<String>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
    /// Rows of a page.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<u16>,
}

/// A page of a trail, in the order in which it was written.
#[derive(Serialize, ToSchema)]
pub(super) struct Trail {
    /// The entries.
    entries: Vec<AuditEntry>,
    /// What `cursor` takes for the entries after these. It is there also at the end, so that whoever keeps it can ask later for
    /// what came since; none with `subject`.
    next: Option<String>,
    /// Whether there are more entries now.
    more: bool,
}

/// An entry of a trail.
#[derive(Serialize, ToSchema)]
pub(super) struct AuditEntry {
    /// Its number; they count up without a gap.
    seq: i64,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// Who did it.
    #[schema(example = "token:nightly")]
    actor: String,
    /// What happened, by its stable name.
    action: String,
    /// What it happened to.
    subject: String,
    /// Its state before.
    before: Option<String>,
    /// Its state after.
    after: Option<String>,
    /// The facts.
    #[schema(value_type = Value)]
    detail: Value,
    /// The same for people.
    sentence: String,
    /// The hash of the entry before.
    previous: String,
    /// The hash of this entry.
    hash: String,
}

fn entry(entry: &Entry) -> AuditEntry {
    AuditEntry {
        seq: entry.seq,
        at: time(entry.at_ms),
        actor: entry.actor.clone(),
        action: entry.action.clone(),
        subject: entry.subject.clone(),
        before: entry.before.clone(),
        after: entry.after.clone(),
        detail: serde_json::from_str(&entry.detail).unwrap_or_default(),
        sentence: story::sentence(entry),
        previous: entry.previous.clone(),
        hash: entry.hash.clone(),
    }
}

/// List the trail of a connection.
///
/// From the first entry on, a page at a time.
#[utoipa::path(get, path = "/connections/{connection}/audit", operation_id = "list_audit", tag = "audit",
    params(AuditQuery), responses((status = 200, description = "A page of the trail.", body = Trail)))]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Place(name): Place<String>,
    Params(query): Params<AuditQuery>,
) -> Result<Json<Trail>, Problem> {
    trail(&api, &api.connection(&name)?.id, &query).await
}

/// List the trail of the installation.
///
/// Users, tokens and sign-ins.
#[utoipa::path(get, path = "/installation/audit", operation_id = "list_installation_audit", tag = "installation",
    params(AuditQuery), responses((status = 200, description = "A page of the trail.", body = Trail)))]
pub(super) async fn list_installation(
    State(api): State<Arc<Api>>,
    Params(query): Params<AuditQuery>,
) -> Result<Json<Trail>, Problem> {
    trail(&api, &ConnectionId::installation(), &query).await
}

async fn trail(api: &Api, id: &ConnectionId, query: &AuditQuery) -> Result<Json<Trail>, Problem> {
    let (audit, limit) = (api.app.store.audit(), limit(query.limit)?);
    if let Some(subject) = query.subject.as_deref().map(str::trim).filter(|subject| !subject.is_empty()) {
        if query.cursor.is_some() {
            return Err(Problem::unusable("Entries about one subject have one page only: leave the cursor out."));
        }
        let entries = audit.list_for(id, subject, one_more(limit) - 1).await?;
        return Ok(Json(Trail { entries: entries.iter().map(entry).collect(), next: None, more: false }));
    }
    let after = query.cursor.as_deref().map_or(Ok(0), place::<i64>)?;
    let mut entries = audit.list(id, after.max(0), one_more(limit)).await?;
    let more = entries.len() > limit;
    entries.truncate(limit);
    let next = cursor(&entries.last().map_or(after, |last| last.seq));
    Ok(Json(Trail { entries: entries.iter().map(entry).collect(), next, more }))
}

/// What a look at the whole trail says.
#[derive(Serialize, ToSchema)]
pub(super) struct Verification {
    /// Whether every entry follows from the one before, and the last is the head.
    whole: bool,
    /// How many entries are good.
    entries: i64,
    /// The hash of the last one, if all are good.
    head: Option<String>,
    /// Where it is broken.
    problem: Option<String>,
}

/// Verify the trail of a connection.
///
/// Walks the whole chain.
#[utoipa::path(get, path = "/connections/{connection}/audit/verification", operation_id = "verify_audit",
    tag = "audit", responses((status = 200, description = "What the look says.", body = Verification)))]
pub(super) async fn verify(
    State(api): State<Arc<Api>>,
    Place(name): Place<String>,
) -> Result<Json<Verification>, Problem> {
    walk(&api, &api.connection(&name)?.id).await
}

/// Verify the trail of the installation.
///
/// Walks the whole chain.
#[utoipa::path(get, path = "/installation/audit/verification", operation_id = "verify_installation_audit",
    tag = "installation", responses((status = 200, description = "What the look says.", body = Verification)))]
pub(super) async fn verify_installation(State(api): State<Arc<Api>>) -> Result<Json<Verification>, Problem> {
    walk(&api, &ConnectionId::installation()).await
}

async fn walk(api: &Api, id: &ConnectionId) -> Result<Json<Verification>, Problem> {
    Ok(Json(match api.app.store.audit().verify(id).await? {
        Chain::Verified { entries, head } => Verification { whole: true, entries, head: Some(head), problem: None },
        Chain::Broken(at) => {
            Verification { whole: false, entries: at.good_entries(), head: None, problem: Some(at.to_string()) }
        }
    }))
}
