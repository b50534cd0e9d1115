//! `/v1/fields`: the coding fields of the account and their values, as an ERP pushes them.
//!
//! How a batch fails, whether remote ids are unique, and the key of a delete's count are not documented: see
//! [`super::Settings`]. Everything is found by an index, so a field may have many thousands of values.

mod book;
mod values;

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

pub(super) use self::book::{Field, FieldBook, PushedCoding};

use super::error::{Api, Refusal};
use super::gate::Caller;
use super::idempotency::Key;
use super::input::{Id, Payload};
use super::records::Pairs;
use super::state::State as BrexState;
use crate::world::World;

const GROUPS: &[&str] = &["ACCOUNTING", "USER", "ERP", "TRAVEL"];
const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1000;

type Answer = Result<Json<Value>, Refusal>;
type Object = Map<String, Value>;

pub(super) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/v1/fields", get(list).post(create))
        .route("/v1/fields/{id}", get(one).put(update).delete(remove))
        .merge(values::router())
}

async fn list(_caller: Caller, State(world): State<Arc<World>>, RawQuery(query): RawQuery) -> Answer {
    let pairs = Pairs::parse(query.as_deref());
    let ids: Vec<&str> = pairs.all("field_id[]").collect();
    let state = world.brex.lock();
    let wanted = |field: &&Field| ids.is_empty() || ids.contains(&field.brex_id.as_str());
    page(&pairs, state.fields.fields.iter().filter(wanted), |field| &field.brex_id)
}

async fn one(_caller: Caller, State(world): State<Arc<World>>, Id(id): Id) -> Answer {
    Ok(Json(json!(world.brex.lock().field(&id)?)))
}

async fn create(
    _caller: Caller,
    State(world): State<Arc<World>>,
    key: Key,
    Payload(body): Payload,
) -> Result<Response, Refusal> {
    let now = world.clock.now();
    world.brex.lock().once(&key.required()?, &body, now, |state| state.add_field(&body, now).map(|field| json!(field)))
}

/// `remote_id`, `group` and `integration_id` are no keys of this body.
async fn update(
    _caller: Caller,
    State(world): State<Arc<World>>,
    Id(id): Id,
    key: Key,
    Payload(body): Payload,
) -> Result<Response, Refusal> {
    let now = world.clock.now();
    world.brex.lock().once(&key, &body, now, |state| {
        state.field(&id)?;
        let body = object(&body, &["name", "is_disabled"])?;
        let (name, disabled) = (state.label(&body, "name")?, flag(&body)?);
        let field = state.fields.get_mut(&id).ok_or_else(|| Refusal::not_found(Api::Platform))?;
        field.name = name.or(field.name.take());
        field.is_disabled = disabled.unwrap_or(field.is_disabled);
        field.updated_at = format!("{now:.3}");
        Ok(json!(field))
    })
}

async fn remove(_caller: Caller, State(world): State<Arc<World>>, Id(id): Id) -> Result<StatusCode, Refusal> {
    let mut state = world.brex.lock();
    state.field(&id)?;
    state.fields.remove(&id);
    Ok(StatusCode::OK)
}

impl BrexState {
    fn add_field(&mut self, body: &[u8], now: Timestamp) -> Result<Field, Refusal> {
        let body = object(body, &["name", "group", "remote_id", "integration_id", "is_disabled"])?;
        let group = text(&body, "group")?.filter(|group| GROUPS.contains(group)).ok_or_else(|| invalid("group"))?;
        let integration = text(&body, "integration_id")?;
        if group == "ERP" || integration.is_some() {
            let known = integration.is_some_and(|id| self.integrations.iter().any(|known| known.integration_id == id));
            if !known {
                return Err(invalid("integration_id"));
            }
        }
        let remote_id = text(&body, "remote_id")?.map(str::to_owned);
        let taken = |field: &Field| field.remote_id.is_some() && field.remote_id == remote_id;
        if self.settings.fields.remote_ids_unique && self.fields.fields.iter().any(taken) {
            return Err(invalid("remote_id"));
        }
        let field = Field {
            brex_id: self.draw().prefixed("extended_field"),
            name: Some(self.label(&body, "name")?.ok_or_else(|| invalid("name"))?),
            remote_id,
            updated_at: format!("{now:.3}"),
            is_disabled: flag(&body)?.unwrap_or(false),
            group: group.to_owned(),
        };
        self.fields.add(field.clone());
        Ok(field)
    }

    fn field(&self, id: &str) -> Result<&Field, Refusal> {
        self.fields.get(id).ok_or_else(|| Refusal::not_found(Api::Platform))
    }

    /// Free text that people read.
    fn label(&self, body: &Object, name: &str) -> Result<Option<String>, Refusal> {
        let text = text(body, name)?;
        match text {
            Some(text) if text.is_empty() || (self.settings.fields.ascii_only && !text.is_ascii()) => {
                Err(invalid(name))
            }
            _ => Ok(text.map(str::to_owned)),
        }
    }
}

/// A page of what is left behind the cursor, which is the id of the last one shown.
fn page<'a, T: serde::Serialize + 'a>(
    pairs: &Pairs,
    found: impl Iterator<Item = &'a T>,
    id: impl Fn(&T) -> &str,
) -> Answer {
    let once = |name| pairs.one(name).map_err(invalid);
    let limit = match once("limit")?.map(str::parse) {
        None => DEFAULT_LIMIT,
        Some(Ok(limit)) if (1..=MAX_LIMIT).contains(&limit) => limit,
        Some(_) => return Err(Refusal::bad_request("limit must be between 1 and 1000")),
    };
    let mut found = found.peekable();
    if let Some(cursor) = once("cursor")?
        && !found.by_ref().any(|item| id(item) == cursor)
    {
        return Err(invalid("cursor"));
    }
    let items: Vec<&T> = found.by_ref().take(limit).collect();
    let next_cursor = found.peek().and_then(|_| items.last()).map(|last| id(last));
    Ok(Json(json!({ "next_cursor": next_cursor, "items": items })))
}

fn invalid(name: &str) -> Refusal {
    Refusal::bad_request(&format!("{name} is invalid"))
}

/// The body's object, which may have these keys only.
fn object(body: &[u8], known: &[&str]) -> Result<Object, Refusal> {
    let body = serde_json::from_slice(body).map_err(|_| Refusal::bad_request("Request body is not valid JSON"))?;
    only(body, known)
}

fn only(body: Object, known: &[&str]) -> Result<Object, Refusal> {
    match body.keys().find(|key| !known.contains(&key.as_str())) {
        Some(stray) => Err(invalid(stray)),
        None => Ok(body),
    }
}

fn text<'a>(body: &'a Object, name: &str) -> Result<Option<&'a str>, Refusal> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(invalid(name)),
    }
}

fn flag(body: &Object) -> Result<Option<bool>, Refusal> {
    match body.get("is_disabled") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => Err(invalid("is_disabled")),
    }
}
