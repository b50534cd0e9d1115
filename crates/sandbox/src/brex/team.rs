//! The Team API: departments, locations, legal entities and users, the same ones that records and expenses name.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::account::{ENTITY_CREATED_AT, address};
use super::error::{Api, Refusal};
use super::gate::Caller;
use super::idempotency::Key;
use super::input::{Id, Payload, Window, invalid, required_text, text};
use super::records::Pairs;
use super::state::State as BrexState;
use super::zoo;
use crate::company::Company;
use crate::ids::Ids;
use crate::world::World;

type Answer = Result<Json<Value>, Refusal>;

/// A department or a location.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Unit {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: Option<String>,
}

/// A user as `GET /v2/users` answers one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Member {
    pub(super) id: String,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) email: String,
    status: String,
    manager_id: Option<String>,
    department_id: Option<String>,
    location_id: Option<String>,
    title_id: Option<String>,
    metadata: Option<Value>,
    remote_display_id: Option<String>,
}

/// Everybody and what they belong to. The first user is the one of the token, the first entity the default one.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Team {
    departments: Vec<Unit>,
    locations: Vec<Unit>,
    /// Ids and names.
    entities: Vec<(String, String)>,
    users: Vec<Member>,
}

impl Team {
    pub(super) fn new(ids: &Ids, company: &Company, company_id: &str) -> Self {
        let unit = |id: &str, name: &str| Unit { id: id.to_owned(), name: name.to_owned(), description: None };
        let locations = vec![unit(&ids.prefixed("location"), &company.address.city)];
        let departments =
            vec![unit(zoo::DEPARTMENT.0, zoo::DEPARTMENT.1), unit(&ids.prefixed("department"), "Finance")];
        let mut users: Vec<Member> = Vec::new();
        for (number, person) in company.employees.iter().enumerate() {
            users.push(Member {
                id: zoo::user_id(&person.email),
                first_name: person.first_name.clone(),
                last_name: person.last_name.clone(),
                email: person.email.clone(),
                status: "ACTIVE".to_owned(),
                manager_id: users.first().map(|first| first.id.clone()),
                department_id: Some(zoo::DEPARTMENT.0.to_owned()),
                location_id: None,
                title_id: None,
                metadata: None,
                remote_display_id: Some(format!("E{:04}", number + 1)),
            });
        }
        let entity = company_id.trim_start_matches("cuacc_");
        let entities = vec![
            (format!("cuent_{entity}"), company.name.clone()),
            (ids.prefixed("cuent"), format!("{} Services", company.name)),
        ];
        Self { departments, locations, entities, users }
    }

    /// The names of the attributes that are others now.
    pub(super) fn change_user(&mut self, id: &str, patch: &Map<String, Value>) -> Result<Vec<String>, String> {
        let user = self.users.iter_mut().find(|user| user.id == id).ok_or_else(|| format!("there is no user {id}"))?;
        let mut shown = json!(user);
        let mut changed = Vec::new();
        for (name, value) in patch {
            if shown[name] != *value {
                shown[name] = value.clone();
                changed.push(name.clone());
            }
        }
        *user = serde_json::from_value(shown).map_err(|error| error.to_string())?;
        Ok(changed)
    }

    /// Id and name of the legal entity at this place of the list.
    pub(super) fn entity(&self, index: usize) -> (&str, &str) {
        self.entities.get(index).map_or(("", ""), |(id, name)| (id, name))
    }

    fn units(&mut self, kind: Kind) -> &mut Vec<Unit> {
        match kind {
            Kind::Department => &mut self.departments,
            Kind::Location => &mut self.locations,
        }
    }
}

/// Departments and locations behave alike.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Department,
    Location,
}

pub(super) fn router() -> Router<Arc<World>> {
    let mut router = Router::new();
    for (path, kind) in [("/v2/departments", Kind::Department), ("/v2/locations", Kind::Location)] {
        let list = async move |_: Caller, State(world): State<Arc<World>>, RawQuery(query): RawQuery| {
            units(kind, &world, query.as_deref())
        };
        let create = async move |_: Caller, State(world): State<Arc<World>>, key: Key, payload: Payload| {
            create(kind, &world, &key, &payload)
        };
        let one = async move |_: Caller, State(world): State<Arc<World>>, Id(id): Id| unit(kind, &world, &id);
        router = router.route(path, get(list).post(create)).route(&format!("{path}/{{id}}"), get(one));
    }
    router
        .route("/v2/legal_entities", get(entities))
        .route("/v2/legal_entities/{id}", get(entity))
        .route("/v2/users", get(users))
        .route("/v2/users/{id}", get(user))
}

fn units(kind: Kind, world: &World, query: Option<&str>) -> Answer {
    let pairs = Pairs::parse(query);
    let window = Window::parse(&pairs)?;
    let name = pairs.one("name").map_err(invalid)?;
    let mut state = world.brex.lock();
    let found = (0..).zip(state.team.units(kind).iter()).filter(|(_, unit)| name.is_none_or(|name| unit.name == name));
    Ok(Json(window.page(found, |unit| json!(unit))))
}

fn unit(kind: Kind, world: &World, id: &str) -> Answer {
    let mut state = world.brex.lock();
    let found = state.team.units(kind).iter().find(|unit| unit.id == id);
    found.map(|unit| Json(json!(unit))).ok_or_else(|| Refusal::not_found(Api::Platform))
}

fn create(kind: Kind, world: &World, key: &Key, payload: &Payload) -> Result<Response, Refusal> {
    world.brex.lock().once(key, &payload.0, world.clock.now(), |state| {
        let body = payload.fields()?;
        let (name, description) = (required_text(&body, "name")?, text(&body, "description")?);
        let prefix = match kind {
            Kind::Department => "department",
            Kind::Location => "location",
        };
        let unit = Unit { id: state.draw().prefixed(prefix), name, description };
        state.team.units(kind).push(unit.clone());
        Ok(json!(unit))
    })
}

async fn entities(_caller: Caller, State(world): State<Arc<World>>, RawQuery(query): RawQuery) -> Answer {
    let window = Window::parse(&Pairs::parse(query.as_deref()))?;
    let state = world.brex.lock();
    Ok(Json(window.page((0..).zip(0..state.team.entities.len()), |index| state.entity(index))))
}

async fn entity(_caller: Caller, State(world): State<Arc<World>>, Id(id): Id) -> Answer {
    let state = world.brex.lock();
    let index = state.team.entities.iter().position(|(known, _)| *known == id);
    index.map(|index| Json(state.entity(index))).ok_or_else(|| Refusal::not_found(Api::Platform))
}

async fn users(_caller: Caller, State(world): State<Arc<World>>, RawQuery(query): RawQuery) -> Answer {
    let pairs = Pairs::parse(query.as_deref());
    let window = Window::parse(&pairs)?;
    // Users of this sandbox have no spend limit, so there is nothing to expand.
    if pairs.all("expand[]").any(|name| name != "limit") {
        return Err(Refusal::bad_request("Unsupported entity expansion"));
    }
    let email = pairs.one("email").map_err(invalid)?;
    let remote = pairs.one("remote_display_id").map_err(invalid)?;
    let state = world.brex.lock();
    let wanted = |(_, user): &(u64, &Member)| {
        email.is_none_or(|email| user.email.eq_ignore_ascii_case(email))
            && remote.is_none_or(|remote| user.remote_display_id.as_deref() == Some(remote))
    };
    Ok(Json(window.page((0..).zip(&state.team.users).filter(wanted), |user| json!(user))))
}

async fn user(_caller: Caller, State(world): State<Arc<World>>, Id(id): Id) -> Answer {
    let state = world.brex.lock();
    let found = state.team.users.iter().find(|user| user.id == id);
    found.map(|user| Json(json!(user))).ok_or_else(Refusal::user_not_found)
}

impl BrexState {
    /// In camelCase, other than within an expense.
    fn entity(&self, index: usize) -> Value {
        let (id, name) = self.team.entities.get(index).cloned().unwrap_or_default();
        json!({
            "id": id,
            "displayName": name,
            "billingAddress": address(&self.address),
            "createdAt": ENTITY_CREATED_AT,
            "status": "VERIFIED",
            "isDefault": index == 0,
        })
    }

    /// The user of the token as the list shows it, if the company has employees.
    pub(super) fn me(&self) -> Option<Value> {
        self.team.users.iter().find(|user| user.id == self.owner.id).map(|user| json!(user))
    }
}
