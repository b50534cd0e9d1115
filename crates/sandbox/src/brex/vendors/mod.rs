//! `/v1/vendors`: whom the account can pay. They carry no outside id and no dates, and their names are unique.

mod account;
mod book;

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::Value;

pub use self::account::{MadeIn, Rail};
pub(super) use self::book::{Book, Vendor};

use self::account::{Wanted, read_all};
use super::Brex;
use super::error::{Api, Refusal};
use super::gate::Caller;
use super::idempotency::Key;
use super::input::{Fields, Id, Payload, Window, invalid, required_text, text};
use super::payments::NullInUpdate;
use super::records::Pairs;
use super::state;
use crate::world::World;

pub(super) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/v1/vendors", get(list).post(create))
        .route("/v1/vendors/{id}", get(one).put(update).delete(remove))
}

async fn list(
    _caller: Caller,
    State(world): State<Arc<World>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    let pairs = Pairs::parse(query.as_deref());
    let window = Window::parse(&pairs)?;
    let name = pairs.one("name").map_err(invalid)?;
    let state = world.brex.lock();
    state.may_pay()?;
    Ok(Json(match name {
        Some(name) => window.page(state.vendors.named(name, &state.settings.payments).into_iter(), Vendor::json),
        None => window.page(state.vendors.after(window.after), Vendor::json),
    }))
}

async fn one(_caller: Caller, State(world): State<Arc<World>>, Id(id): Id) -> Result<Json<Value>, Refusal> {
    let state = world.brex.lock();
    state.may_pay()?;
    state.vendors.get(&id).map(|vendor| Json(vendor.json())).ok_or_else(|| Refusal::not_found(Api::Platform))
}

async fn create(
    _caller: Caller,
    State(world): State<Arc<World>>,
    key: Key,
    payload: Payload,
) -> Result<Response, Refusal> {
    let mut state = world.brex.lock();
    state.may_pay()?;
    state.once(&key.required()?, &payload.0, world.clock.now(), |state| {
        state.add_vendor(&payload.fields()?, MadeIn::Api, None).map(|vendor| vendor.json())
    })
}

async fn update(
    _caller: Caller,
    State(world): State<Arc<World>>,
    Id(id): Id,
    key: Key,
    payload: Payload,
) -> Result<Response, Refusal> {
    let mut state = world.brex.lock();
    state.may_pay()?;
    state.once(&key, &payload.0, world.clock.now(), |state| {
        state.change_vendor(&id, &payload.fields()?).map(|vendor| vendor.json())
    })
}

async fn remove(_caller: Caller, State(world): State<Arc<World>>, Id(id): Id) -> Result<StatusCode, Refusal> {
    let mut state = world.brex.lock();
    state.may_pay()?;
    state.vendors.take(&id).map(|_| StatusCode::OK).ok_or_else(|| Refusal::not_found(Api::Platform))
}

impl state::State {
    /// `id` is that of a vendor whom records already name.
    pub(super) fn add_vendor(&mut self, body: &Fields, by: MadeIn, id: Option<&str>) -> Result<Vendor, Refusal> {
        let company_name = required_text(body, "company_name")?;
        let (email, phone) = (email(body)?, text(body, "phone")?);
        let wanted = read_all(body, by)?;
        self.name_is_free(&company_name, None)?;
        let vendor = Vendor {
            id: id.map_or_else(|| self.draw().prefixed("pdcont"), ToOwned::to_owned),
            company_name,
            email,
            phone,
            beneficiary_name: text(body, "beneficiary_name")?,
            accounts: wanted.map(|wanted| wanted.into_iter().map(|account| self.instrument(account)).collect()),
            made_in: by,
        };
        self.vendors.put(vendor.clone());
        Ok(vendor)
    }

    /// What is not given stays. A payment account of a rail that is there already keeps its id.
    fn change_vendor(&mut self, id: &str, body: &Fields) -> Result<Vendor, Refusal> {
        let mut vendor = self.vendors.get(id).cloned().ok_or_else(|| Refusal::not_found(Api::Platform))?;
        let clears = self.settings.payments.vendor_null == NullInUpdate::Clears;
        let change = |field: &mut Option<String>, name: &str, given: Option<String>| {
            if given.is_some() || (clears && body.contains_key(name)) {
                *field = given;
            }
        };
        if !body.get("company_name").is_none_or(Value::is_null) {
            vendor.company_name = required_text(body, "company_name")?;
        }
        change(&mut vendor.email, "email", email(body)?);
        change(&mut vendor.phone, "phone", text(body, "phone")?);
        change(&mut vendor.beneficiary_name, "beneficiary_name", text(body, "beneficiary_name")?);
        let wanted = read_all(body, MadeIn::Api)?;
        self.name_is_free(&vendor.company_name, Some(id))?;
        for wanted in wanted.into_iter().flatten() {
            let accounts = vendor.accounts.get_or_insert_default();
            match accounts.iter_mut().find(|account| account.rail == wanted.rail) {
                Some(account) => *account = wanted.with_id(account.instrument_id.clone()),
                None => accounts.push(self.instrument(wanted)),
            }
        }
        self.vendors.put(vendor.clone());
        Ok(vendor)
    }

    fn instrument(&mut self, wanted: Wanted) -> account::PaymentAccount {
        let id = self.draw().prefixed("pdinstl");
        wanted.with_id(id)
    }

    fn name_is_free(&self, name: &str, id: Option<&str>) -> Result<(), Refusal> {
        let settings = &self.settings.payments;
        if !self.vendors.is_taken(name, id, settings.vendor_name_case) {
            return Ok(());
        }
        let status = StatusCode::from_u16(settings.vendor_name_taken_status).unwrap_or(StatusCode::BAD_REQUEST);
        let kind = if status == StatusCode::CONFLICT { "CONFLICT" } else { "BAD_REQUEST" };
        Err(Refusal::of(Api::Platform, status, kind, "company_name must be unique"))
    }
}

/// Something on both sides of one @, with a dot in the domain.
fn email(body: &Fields) -> Result<Option<String>, Refusal> {
    let email = text(body, "email")?;
    let good = |email: &String| {
        let (local, domain) = email.split_once('@').unwrap_or_default();
        let plain = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_graphic() && c != '@');
        plain(local)
            && plain(domain)
            && domain.split('.').count() > 1
            && domain.split('.').all(|label| !label.is_empty())
    };
    if email.as_ref().is_none_or(good) { Ok(email) } else { Err(invalid("email")) }
}

impl Brex {
    /// A vendor that a person makes in the dashboard, where INTERNATIONAL_WIRE can be given. The body is that of the API.
    pub fn add_vendor(&self, body: &Value) -> Result<Value, String> {
        let body = body.as_object().ok_or("a vendor is an object")?;
        self.lock()
            .add_vendor(body, MadeIn::Dashboard, None)
            .map(|vendor| vendor.json())
            .map_err(|refusal| refusal.message())
    }
}
