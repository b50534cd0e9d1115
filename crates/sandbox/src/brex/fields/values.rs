//! `/v1/fields/{id}/values`: batches of up to 1,000.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::book::{FieldValue, Values};
use super::{Answer, Object, flag, invalid, object, only, page, text};
use crate::brex::error::{Api, Refusal};
use crate::brex::gate::Caller;
use crate::brex::idempotency::Key;
use crate::brex::input::{Id, Payload};
use crate::brex::records::Pairs;
use crate::brex::state::State as BrexState;
use crate::world::World;

const KEYS: [&str; 3] = ["brex_id", "remote_id", "value_id"];
const MAX_ITEMS: usize = 1000;

pub(super) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/v1/fields/{id}/values", get(list).post(create).put(update).delete(remove))
        .route("/v1/fields/{id}/values/{value}", get(one))
}

async fn list(_caller: Caller, State(world): State<Arc<World>>, Id(id): Id, RawQuery(query): RawQuery) -> Answer {
    let pairs = Pairs::parse(query.as_deref());
    let label = pairs.one("value").map_err(invalid)?;
    let filters = ["brex_id[]", "remote_id[]", "value_id[]"].map(|name| pairs.all(name).collect::<Vec<_>>());
    let state = world.brex.lock();
    state.field(&id)?;
    let fits =
        |wanted: &Vec<&str>, has: Option<&str>| wanted.is_empty() || has.is_some_and(|has| wanted.contains(&has));
    let wanted = |value: &&FieldValue| {
        fits(&filters[0], Some(&value.brex_id))
            && fits(&filters[1], value.remote_id.as_deref())
            && fits(&filters[2], value.value_id.as_deref())
            && label.is_none_or(|label| value.value == label)
    };
    let all = state.fields.values.get(&id).into_iter().flat_map(|values| values.items.values());
    page(&pairs, all.filter(wanted), |value| &value.brex_id)
}

async fn one(
    _caller: Caller,
    State(world): State<Arc<World>>,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Answer {
    let Path((id, value)) = path.map_err(|_| Refusal::not_found(Api::Platform))?;
    let mut state = world.brex.lock();
    let found = state.values(&id)?.find("brex_id", &value).ok_or_else(|| Refusal::not_found(Api::Platform))?;
    Ok(Json(json!(found)))
}

async fn create(
    _caller: Caller,
    State(world): State<Arc<World>>,
    Id(id): Id,
    key: Key,
    Payload(body): Payload,
) -> Result<Response, Refusal> {
    let key = key.required()?;
    let mut state = world.brex.lock();
    state.field(&id)?;
    let now = world.clock.now();
    state.once(&key, &body, now, |state| {
        let now = format!("{now:.3}");
        let made = state.batch(&id, items(&body)?, |state, item| state.add_value(&id, item, &now))?;
        Ok(json!({ "items": made }))
    })
}

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
        let now = format!("{now:.3}");
        let changed = state.batch(&id, items(&body)?, |state, item| {
            let (key, value) = only_key(&item, &["data"])?;
            let data = item.get("data").and_then(Value::as_object).ok_or_else(|| invalid("data"))?;
            let data = only(data.clone(), &["value", "is_disabled"])?;
            let (label, disabled) = (state.label(&data, "value")?, flag(&data)?);
            let value = state.values(&id)?.find_mut(key, &value).ok_or_else(|| Refusal::not_found(Api::Platform))?;
            value.value = label.unwrap_or_else(|| value.value.clone());
            value.is_disabled = disabled.unwrap_or(value.is_disabled);
            value.updated_at.clone_from(&now);
            Ok(value.clone())
        })?;
        Ok(json!({ "items": changed }))
    })
}

/// The count's key is not documented.
async fn remove(_caller: Caller, State(world): State<Arc<World>>, Id(id): Id, Payload(body): Payload) -> Answer {
    let mut state = world.brex.lock();
    state.field(&id)?;
    let items = items(&body)?;
    let removed = state.batch(&id, items, |state, item| {
        let (key, value) = only_key(&item, &[])?;
        let removed = state.values(&id)?.remove(key, &value);
        if removed { Ok(()) } else { Err(Refusal::not_found(Api::Platform)) }
    })?;
    Ok(Json(json!({ "count": removed.len() })))
}

/// 1 to 1,000 objects.
fn items(body: &[u8]) -> Result<Vec<Object>, Refusal> {
    let mut body = object(body, &["items"])?;
    let items: Vec<Object> =
        serde_json::from_value(body.remove("items").unwrap_or_default()).map_err(|_| invalid("items"))?;
    if (1..=MAX_ITEMS).contains(&items.len()) { Ok(items) } else { Err(invalid("items")) }
}

/// The one of the three keys that an item has; it may have `others` too.
fn only_key(item: &Object, others: &[&str]) -> Result<(&'static str, String), Refusal> {
    let mut given = KEYS.into_iter().filter(|key| item.contains_key(*key));
    match (given.next(), given.next()) {
        (Some(key), None) if item.keys().all(|name| name == key || others.contains(&name.as_str())) => {
            let id = text(item, key)?.ok_or_else(|| invalid(key))?;
            Ok((key, id.to_owned()))
        }
        _ => Err(Refusal::bad_request("exactly one of brex_id, remote_id and value_id is required")),
    }
}

impl BrexState {
    fn values(&mut self, id: &str) -> Result<&mut Values, Refusal> {
        self.fields.values.get_mut(id).ok_or_else(|| Refusal::not_found(Api::Platform))
    }

    /// All items or, by default, none. Where batches are not atomic, what came before the bad item stays.
    fn batch<T>(
        &mut self,
        id: &str,
        items: Vec<Object>,
        mut take: impl FnMut(&mut Self, Object) -> Result<T, Refusal>,
    ) -> Result<Vec<T>, Refusal> {
        let before = if self.settings.fields.atomic_batches { self.fields.values.get(id).cloned() } else { None };
        let taken: Result<Vec<T>, Refusal> = items.into_iter().map(|item| take(self, item)).collect();
        if let (true, Some(before)) = (taken.is_err(), before) {
            self.fields.values.insert(id.to_owned(), before);
        }
        taken
    }

    fn add_value(&mut self, field_id: &str, item: Object, now: &str) -> Result<FieldValue, Refusal> {
        let item = only(item, &["value", "value_id", "remote_id", "is_disabled"])?;
        let value = FieldValue {
            brex_id: self.draw().prefixed("efo"),
            remote_id: text(&item, "remote_id")?.map(str::to_owned),
            value_id: text(&item, "value_id")?.map(str::to_owned),
            value: self.label(&item, "value")?.ok_or_else(|| invalid("value"))?,
            field_id: field_id.to_owned(),
            updated_at: now.to_owned(),
            is_disabled: flag(&item)?.unwrap_or(false),
        };
        let unique = self.settings.fields.remote_ids_unique;
        let values = self.values(field_id)?;
        let taken = value.remote_id.as_ref().is_some_and(|id| values.find("remote_id", id).is_some());
        if unique && taken {
            return Err(invalid("remote_id"));
        }
        values.add(value.clone());
        Ok(value)
    }
}
