//! What people ask for about records: look again, set aside, plan anew; one or many. The worker does it within seconds and says
//! in the record's story what came of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use domain::id::RecordId;
use domain::stage::Stage;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Api;
use super::extract::{Body, Place};
use super::guard::Caller;
use super::problem::Problem;
use super::records::find;
use super::show::{Reason, matches, record_id, unknown_record};
use crate::flow::operator::{Request, Verb, ask};

/// Most records that are asked for at once.
const MANY: usize = 500;

/// What was asked for.
#[derive(Serialize, ToSchema)]
pub(super) struct Requested {
    /// `retry`, `skip` or `replay`.
    asked: &'static str,
    /// The records.
    records: Vec<String>,
    /// Who asks, as the story says it.
    person: String,
}

type Answer = Result<(StatusCode, Json<Requested>), Problem>;

/// Look at a held record again now.
///
/// With `If-Match`, the worker leaves a record alone that changed since that version, and says so in its story.
#[utoipa::path(post, path = "/connections/{connection}/records/{record}/retry", operation_id = "retry_record",
    tag = "records", request_body = Reason,
    params(("If-Match" = Option<String>, Header, description = "The version that was looked at.")),
    responses((status = 202, description = "Asked for.", body = Requested),
        (status = 412, description = "It has changed since.")))]
pub(super) async fn retry(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Place(place): Place<(String, String)>,
    headers: HeaderMap,
    Body(reason): Body<Reason>,
) -> Answer {
    one(&api, &caller, Verb::Retry.into(), &place, &headers, &reason).await
}

/// Set a record aside for good.
///
/// The worker refuses while a document of ours can be in Business Central, and says so in the story.
#[utoipa::path(post, path = "/connections/{connection}/records/{record}/skip", operation_id = "skip_record",
    tag = "records", request_body = Reason,
    params(("If-Match" = Option<String>, Header, description = "The version that was looked at.")),
    responses((status = 202, description = "Asked for.", body = Requested),
        (status = 412, description = "It has changed since.")))]
pub(super) async fn skip(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Place(place): Place<(String, String)>,
    headers: HeaderMap,
    Body(reason): Body<Reason>,
) -> Answer {
    one(&api, &caller, Verb::Skip.into(), &place, &headers, &reason).await
}

/// How a record is taken up again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Replay {
    /// Why; kept in the audit trail.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S", example = "the account was set up again")]
    reason: String,
    /// The stage from which on it is done again. None: planned anew, since its draft was deleted.
    #[schema(example = "verify")]
    from: Option<String>,
}

/// Take a record up again: from a stage, or planned anew since its draft was deleted.
///
/// The worker refuses what could make a second document, and says so in the story.
#[utoipa::path(post, path = "/connections/{connection}/records/{record}/replay", operation_id = "replay_record",
    tag = "records", request_body = Replay,
    params(("If-Match" = Option<String>, Header, description = "The version that was looked at.")),
    responses((status = 202, description = "Asked for.", body = Requested),
        (status = 412, description = "It has changed since.")))]
pub(super) async fn replay(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Place(place): Place<(String, String)>,
    headers: HeaderMap,
    Body(Replay { reason, from }): Body<Replay>,
) -> Answer {
    let from = from.map(|text| stage(&text)).transpose()?;
    one(&api, &caller, Asked { verb: Verb::Replay, from }, &place, &headers, &Reason { reason }).await
}

/// A stage by its name.
fn stage(name: &str) -> Result<Stage, Problem> {
    let unknown = || {
        let names: Vec<&str> = Stage::REPLAYABLE.iter().map(|stage| stage.as_str()).collect();
        Problem::unusable(format!("from is a stage that can be done again: {}.", names.join(", ")))
    };
    let stage: Stage = name.parse().map_err(|_| unknown())?;
    if Stage::REPLAYABLE.contains(&stage) { Ok(stage) } else { Err(unknown()) }
}

/// What is asked for.
struct Asked {
    verb: Verb,
    from: Option<Stage>,
}

impl From<Verb> for Asked {
    fn from(verb: Verb) -> Self {
        Self { verb, from: None }
    }
}

async fn one(
    api: &Api,
    caller: &Caller,
    Asked { verb, from }: Asked,
    (name, record): &(String, String),
    headers: &HeaderMap,
    reason: &Reason,
) -> Answer {
    let connection = api.connection(name)?;
    let reason = reason.text()?.to_owned();
    let row = find(api, connection, record).await?;
    let rev = matches(headers, row.rev)?.then_some(row.rev);
    caller.note(api, &connection.id, verb.as_str(), row.id.to_string()).await?;
    let request = Request { verb, record: row.id, person: caller.person(), reason, from, rev };
    if !ask(&api.app, &connection.id, &request).await? {
        return Err(unknown_record(record));
    }
    let records = vec![request.record.to_string()];
    Ok((StatusCode::ACCEPTED, Json(Requested { asked: verb.as_str(), records, person: request.person })))
}

/// Several records.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Many {
    /// Their ids.
    #[schema(min_items = 1, max_items = 500)]
    records: Vec<String>,
    /// Why; kept in the audit trail.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S", example = "the account was set up again")]
    reason: String,
}

/// Look at many held records again now.
///
/// All of them or none: if one is not known, nothing is asked for.
#[utoipa::path(post, path = "/connections/{connection}/retries", operation_id = "retry_records", tag = "records",
    request_body = Many, responses((status = 202, description = "Asked for.", body = Requested)))]
pub(super) async fn retry_many(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Place(name): Place<String>,
    Body(Many { records, reason }): Body<Many>,
) -> Answer {
    let connection = api.connection(&name)?;
    let reason = Reason { reason }.text()?.to_owned();
    if records.is_empty() || records.len() > MANY {
        return Err(Problem::unusable(format!("Name 1 to {MANY} records.")));
    }
    let ids = records.iter().map(|text| record_id(text)).collect::<Result<BTreeSet<RecordId>, _>>()?;
    let ids: Vec<RecordId> = ids.into_iter().collect();
    let known = api.app.store.records().find_many(&connection.id, &ids).await?;
    if let Some(unknown) = ids.iter().find(|id| known.iter().all(|row| row.id != **id)) {
        return Err(unknown_record(unknown.as_str()));
    }
    let (verb, person) = (Verb::Retry, caller.person());
    for id in &ids {
        caller.note(&api, &connection.id, verb.as_str(), id.to_string()).await?;
        let request =
            Request { verb, record: id.clone(), person: person.clone(), reason: reason.clone(), from: None, rev: None };
        ask(&api.app, &connection.id, &request).await?;
    }
    let records = ids.iter().map(RecordId::to_string).collect();
    Ok((StatusCode::ACCEPTED, Json(Requested { asked: verb.as_str(), records, person })))
}
