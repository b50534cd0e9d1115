//! One request, one answer: finds the set behind a path and reads or writes it.

use axum::http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::State;
use super::error::Refusal;
use super::group::Group;
use super::odata::list::{self, Place, matching};
use super::odata::path::{self, Rest, Target};
use super::odata::query::{Options, Pairs};
use super::odata::render;
use super::schema::{BLANK, Kind};
use super::sets::{Scope, Work};
use super::settings::BlankEnum;
use super::table::Tables;
use super::upload::Upload;
use crate::ids::Ids;

/// A request of its own, or a part of a batch.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) method: Method,
    /// `http://host/v2.0/{tenant}/{environment}/api/v2.0`
    pub(super) service: &'a str,
    pub(super) group: &'static Group,
    /// Below the service, as sent.
    pub(super) path: &'a str,
    /// As sent.
    pub(super) query: &'a str,
    pub(super) company: Option<String>,
    pub(super) if_match: Option<String>,
    pub(super) prefer: String,
    /// `Accept-Language`
    pub(super) language: Option<String>,
    /// `Data-Access-Intent: ReadOnly`
    pub(super) read_only: bool,
    pub(super) body: &'a [u8],
    /// What was sent to a stream property, instead of a body.
    pub(super) upload: Option<Upload>,
}

/// What is answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Content,
}

/// The body of an answer.
#[derive(Debug)]
pub(super) enum Content {
    Nothing,
    Json(Value),
    Text(String),
    Bytes(Vec<u8>, &'static str),
}

impl Answer {
    pub(super) fn json(status: StatusCode, body: impl Into<Value>) -> Self {
        Self { status, body: Content::Json(body.into()) }
    }

    pub(super) fn nothing() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: Content::Nothing }
    }

    pub(super) fn refusal(refusal: &Refusal, ids: &Ids) -> Self {
        Self::json(refusal.status, refusal.body(ids.guid()))
    }
}

impl Call<'_> {
    fn prefers(&self, preference: &str) -> bool {
        self.prefer.split(',').any(|part| part.trim().eq_ignore_ascii_case(preference))
    }

    fn page_size(&self) -> Option<usize> {
        let sizes = self.prefer.split(',').filter_map(|part| {
            let part = part.trim();
            part.strip_prefix("odata.maxpagesize=").or_else(|| part.strip_prefix("maxpagesize="))
        });
        sizes.filter_map(|size| size.parse().ok()).find(|size| *size > 0)
    }

    fn body(&self) -> Result<Map<String, Value>, Refusal> {
        serde_json::from_slice(self.body).map_err(|_| Refusal::bad_request("Invalid Request Body"))
    }
}

/// Answers a call. A refused write has changed nothing.
pub(super) fn execute(state: &mut State, ids: &Ids, now: Timestamp, call: &Call<'_>) -> Answer {
    state.tables.today = jiff::tz::Offset::UTC.to_datetime(now).date();
    let answer = answer(state, ids, now, call);
    if call.method != Method::GET {
        state.tables.record(now);
    }
    match answer {
        Ok(answer) => answer,
        Err(refusal) => Answer::refusal(&state.tables.settings.adapt(refusal, call.language.as_deref()), ids),
    }
}

fn answer(state: &mut State, ids: &Ids, now: Timestamp, call: &Call<'_>) -> Result<Answer, Refusal> {
    let pairs = Pairs::parse(call.query);
    let company = pairs.get("company").or(call.company.as_deref());
    let target = path::resolve(call.path, company, &state.tables, call.group)?;
    let options = Options::of(&pairs, target.set, state.tables.settings.negation)?;
    state.tables.settings.lacks.check(&call.method, &target, &options.projection)?;
    if call.method == Method::GET {
        return read(state.readable(call.read_only), call, &target, &options);
    }
    if call.read_only {
        return Err(Refusal::bad_request("A write is not allowed with the data access intent ReadOnly."));
    }
    let work = &mut Work { tables: state.writable(), ids, now };
    match (&call.method, &target.rest) {
        (&Method::POST, Rest::Collection) => insert(work, call, &target, &options),
        (&Method::POST, Rest::Action(id, action)) => {
            if exists(work.tables, &target, *id)? {
                check_etag(work.tables, call, &target, *id, false)?;
            }
            target.set.act(work, *id, action)?;
            Ok(Answer::nothing())
        }
        (&Method::PATCH, Rest::Stream(id, _)) => {
            if !exists(work.tables, &target, *id)? {
                return Err(Refusal::no_segment(target.set.schema().set));
            }
            check_etag(work.tables, call, &target, *id, true)?;
            let content = call.upload.clone().unwrap_or_else(|| Upload::of(call.body));
            target.set.set_stream(work, *id, content)?;
            Ok(Answer::nothing())
        }
        (&Method::PATCH, Rest::Entity(id)) => update(work, call, &target, &options, *id),
        (&Method::DELETE, Rest::Entity(id)) => {
            if !exists(work.tables, &target, *id)? {
                return Err(Refusal::no_row(target.set.schema().set));
            }
            check_etag(work.tables, call, &target, *id, false)?;
            target.set.delete(work, &Scope::below(target.parent), *id)?;
            Ok(Answer::nothing())
        }
        (method, rest) => {
            let edm = if matches!(rest, Rest::Collection | Rest::Count) { "Collection" } else { "Entity" };
            Err(Refusal::verb(method.as_str(), target.set.schema().set, edm))
        }
    }
}

fn read(tables: &Tables, call: &Call<'_>, target: &Target, options: &Options) -> Result<Answer, Refusal> {
    match &target.rest {
        Rest::Collection => {
            let place =
                Place { service: call.service, path: call.path, query: call.query, page_size: call.page_size() };
            let mut body = list::list(target, tables, options, &place)?;
            if render::has_links(target.set, &options.projection) {
                render::absolute(&mut body, call.service);
            }
            Ok(Answer::json(StatusCode::OK, body))
        }
        Rest::Count => {
            let scope = Scope { parent: target.parent, filter: options.filter.as_ref() };
            let count = matching(target.set, tables, &scope, options)?.len();
            Ok(Answer { status: StatusCode::OK, body: Content::Text(count.to_string()) })
        }
        Rest::Entity(id) => {
            if !exists(tables, target, *id)? {
                return Err(Refusal::no_row(target.set.schema().set));
            }
            entity(tables, call, target, options, *id).map(|body| Answer::json(StatusCode::OK, body))
        }
        Rest::Stream(id, name) => {
            if !exists(tables, target, *id)? {
                return Err(Refusal::no_segment(target.set.schema().set));
            }
            let (bytes, kind) = target.set.stream(tables, *id, name)?;
            Ok(Answer { status: StatusCode::OK, body: Content::Bytes(bytes, kind) })
        }
        Rest::Action(..) => Err(Refusal::verb("GET", target.set.schema().set, "Action")),
    }
}

fn exists(tables: &Tables, target: &Target, id: Uuid) -> Result<bool, Refusal> {
    Ok(target.set.keys(tables, &Scope::below(target.parent), Some(id))?.contains(&id))
}

/// One row with its context.
fn entity(
    tables: &Tables,
    call: &Call<'_>,
    target: &Target,
    options: &Options,
    id: Uuid,
) -> Result<Map<String, Value>, Refusal> {
    let fields = render::context_fields(&options.projection);
    let context = format!("{}/$metadata#{}{fields}/$entity", call.service, target.context);
    let row = render::row(target.set, tables, &Scope::below(target.parent), id, &options.projection)?;
    let mut body = Map::new();
    body.insert("@odata.context".to_owned(), context.into());
    for (name, mut value) in row {
        // Links stand in the row itself and in expanded ones.
        if name.contains("@odata.media") || value.is_array() {
            let mut holder = Value::Object(Map::from_iter([(name.clone(), value)]));
            render::absolute(&mut holder, call.service);
            value = holder[&name].take();
        }
        body.insert(name, value);
    }
    Ok(body)
}

/// Nested rows are stored but not shown, unless they are expanded.
fn insert(work: &mut Work<'_>, call: &Call<'_>, target: &Target, options: &Options) -> Result<Answer, Refusal> {
    let body = call.body()?;
    check_blanks(work.tables, target, &body)?;
    work.tables.settings.lacks.check_nested(target.set, &body)?;
    let id = target.set.insert(work, &Scope::below(target.parent), &body)?;
    if call.prefers("return-no-content") || call.prefers("return=minimal") {
        return Ok(Answer::nothing());
    }
    let mut body = entity(work.tables, call, target, options, id)?;
    if !work.tables.settings.deep_insert_totals {
        for total in ["totalAmountExcludingTax", "totalTaxAmount", "totalAmountIncludingTax"] {
            if let Some(value) = body.get_mut(total) {
                *value = 0.into();
            }
        }
    }
    Ok(Answer::json(StatusCode::CREATED, body))
}

fn update(
    work: &mut Work<'_>,
    call: &Call<'_>,
    target: &Target,
    options: &Options,
    id: Uuid,
) -> Result<Answer, Refusal> {
    if !exists(work.tables, target, id)? {
        return Err(Refusal::no_row(target.set.schema().set));
    }
    check_etag(work.tables, call, target, id, true)?;
    let body = call.body()?;
    check_blanks(work.tables, target, &body)?;
    target.set.update(work, &Scope::below(target.parent), id, &body)?;
    entity(work.tables, call, target, options, id).map(|body| Answer::json(StatusCode::OK, body))
}

/// Refuses the form of a blank enum member that is switched off.
fn check_blanks(tables: &Tables, target: &Target, body: &Map<String, Value>) -> Result<(), Refusal> {
    for field in target.set.schema().fields {
        let (Kind::Enum(members), Some(text)) = (field.kind, body.get(field.name).and_then(Value::as_str)) else {
            continue;
        };
        let refused = match tables.settings.blank_enum {
            BlankEnum::Both => false,
            BlankEnum::Escaped => text.trim().is_empty(),
            BlankEnum::Readable => text == BLANK,
        };
        if refused {
            return Err(Refusal::not_an_option(text, members));
        }
    }
    Ok(())
}

fn check_etag(tables: &Tables, call: &Call<'_>, target: &Target, id: Uuid, required: bool) -> Result<(), Refusal> {
    match call.if_match.as_deref().map(str::trim) {
        None if required => Err(Refusal::no_if_match()),
        None | Some("*") => Ok(()),
        Some(sent) if !sent.starts_with("W/\"") && !sent.starts_with('"') => Err(Refusal::no_if_match()),
        Some(sent) => {
            let scope = Scope::below(target.parent);
            if target.set.etag(tables, &scope, id).as_deref() == Some(sent) { Ok(()) } else { Err(Refusal::stale()) }
        }
    }
}
