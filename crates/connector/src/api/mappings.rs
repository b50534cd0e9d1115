//! Mappings: which coded values nobody understands is told by the holds; here people say what they mean.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use serde::{Deserialize, Serialize};
use store::ValueMeaning;
use utoipa::ToSchema;

use super::Api;
use super::extract::{Body, Place};
use super::guard::Caller;
use super::problem::Problem;
use super::reviews::mirror;
use super::show::time;
use crate::meanings::{Said, SayError, say};

/// What people said.
#[derive(Serialize, ToSchema)]
pub(super) struct Mappings {
    /// Each value with what it means, by field and value.
    mappings: Vec<Mapping>,
}

/// What a coded value of Brex means in Business Central.
#[derive(Serialize, ToSchema)]
pub(super) struct Mapping {
    /// Id or name of the field.
    field: String,
    /// Id or name of the value.
    value: String,
    /// Number of the account, or code of the dimension value or tax.
    target: String,
    /// Why.
    reason: String,
    /// Who said so.
    said_by: String,
    /// When.
    #[schema(format = DateTime)]
    said_at: String,
}

fn mapping(said: ValueMeaning) -> Mapping {
    Mapping {
        field: said.meaning.field,
        value: said.meaning.value,
        target: said.meaning.target,
        reason: said.reason,
        said_by: said.said_by,
        said_at: time(said.said_ms),
    }
}

/// List what people said coded values mean.
///
/// The tables of the configuration are not among them.
#[utoipa::path(get, path = "/connections/{connection}/mappings", operation_id = "list_mappings", tag = "mappings",
    responses((status = 200, description = "The mappings.", body = Mappings)))]
pub(super) async fn list(State(api): State<Arc<Api>>, Place(name): Place<String>) -> Result<Json<Mappings>, Problem> {
    let said = api.app.store.value_meanings().list(&api.connection(&name)?.id).await?;
    Ok(Json(Mappings { mappings: said.into_iter().map(mapping).collect() }))
}

/// What a value means.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Word {
    /// Id or name of the field, as Brex has it.
    #[schema(example = "GL_ACCOUNT", max_length = 500)]
    field: String,
    /// Id or name of the value, as Brex has it.
    #[schema(max_length = 500)]
    value: String,
    /// Number of the account, or code of the dimension value or tax; none takes back what was said.
    target: Option<String>,
    /// Why; kept in the audit trail.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// What stands now.
#[derive(Serialize, ToSchema)]
pub(super) struct Stands {
    /// The field.
    field: String,
    /// The value.
    value: String,
    /// What it means; none if what was said is taken back.
    target: Option<String>,
}

/// Say what a coded value means.
///
/// Records that wait for it go on within seconds; documents that were made stay as they are. The same word again changes nothing.
#[utoipa::path(post, path = "/connections/{connection}/mappings", operation_id = "say_mapping", tag = "mappings",
    request_body = Word, responses((status = 200, description = "What stands now.", body = Stands),
        (status = 409, description = "There is no such account, value or tax code, or nothing to take back.")))]
pub(super) async fn say_one(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Place(name): Place<String>,
    Body(word): Body<Word>,
) -> Result<Json<Stands>, Problem> {
    let (app, connection) = (&api.app, api.connection(&name)?);
    let (field, value) = (word.field.clone(), word.value.clone());
    let said = Said {
        field: word.field,
        value: word.value,
        target: word.target,
        reason: word.reason,
        person: caller.person(),
    };
    let directory = mirror(&api, &connection.id).await?;
    caller.note(&api, &connection.id, "say_mapping", format!("value {value} of {field}")).await?;
    let kept = say(&app.store, &connection.id, &connection.rules, &directory, &said, app.now_ms()).await;
    let kept = kept.map_err(|error| match error {
        SayError::NotTaken(why) => Problem::refused(why),
        SayError::Store(error) => error.into(),
    })?;
    app.bell.notify_waiters();
    Ok(Json(Stands { field, value, target: kept.map(|meaning| meaning.target) }))
}
