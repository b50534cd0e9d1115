//! Attention: what waits for a person, by cause.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use store::{Count, Filter};
use utoipa::ToSchema;

use super::Api;
use super::connections::{ConnectionProblem, problem};
use super::extract::Place;
use super::problem::Problem;
use super::records::{HoldName, Record, record};

/// Records that are shown of each cause; all of them are in the list of records, with `hold`.
const SHOWN: i64 = 20;

/// What waits for a person.
#[derive(Serialize, ToSchema)]
pub(super) struct Attention {
    /// What holds the whole connection.
    problem: Option<ConnectionProblem>,
    /// What is held, by cause: those of one person together, the most first.
    groups: Vec<Group>,
}

/// What has one cause.
#[derive(Serialize, ToSchema)]
pub(super) struct Group {
    /// The code, which has a page in `docs/codes`.
    #[schema(value_type = HoldName)]
    code: &'static str,
    /// Who can fix it.
    who: &'static str,
    /// What that person does.
    what_to_do: &'static str,
    /// How many records.
    number: i64,
    /// The newest of them, at most 20.
    records: Vec<Record>,
}

/// Show what waits for a person.
///
/// Grouped by cause, with who can fix it and how.
#[utoipa::path(get, path = "/connections/{connection}/attention", operation_id = "get_attention", tag = "records",
    responses((status = 200, description = "What waits.", body = Attention)))]
pub(super) async fn show(State(api): State<Arc<Api>>, Place(name): Place<String>) -> Result<Json<Attention>, Problem> {
    let (connection, store) = (api.connection(&name)?, &api.app.store);
    let row = store.connections().get(&connection.id).await?;
    let mut groups = Vec::new();
    for (code, number) in Count::by_hold(&store.records().counts(&connection.id).await?) {
        let rows = store.records().page(&connection.id, Filter::HeldFor(code), None, SHOWN).await?;
        groups.push(Group {
            code: code.as_str(),
            who: code.fixer().as_str(),
            what_to_do: code.what_to_do(),
            number,
            records: rows.iter().map(record).collect(),
        });
    }
    groups.sort_by_key(|group| (group.who, std::cmp::Reverse(group.number)));
    Ok(Json(Attention { problem: row.as_ref().and_then(problem), groups }))
}
