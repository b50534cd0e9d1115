//! The `subscriptions` resource of API v2.0: create, renew, delete, list. Creating and renewing shake hands first.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::super::call::Answer;
use super::super::error::Refusal;
use super::super::table::Tables;
use super::Subscription;
use super::queue::Queue;
use super::record::WATCHED;
use crate::clock::hours;
use crate::world::World;

const CLIENT_STATE_MAXIMUM: usize = 2_048;

/// What a caller wants of the resource.
pub(in crate::bc) struct Request<'a> {
    pub(in crate::bc) method: &'a Method,
    pub(in crate::bc) service: &'a str,
    /// `subscriptions` or `subscriptions('...')`
    pub(in crate::bc) path: &'a str,
    pub(in crate::bc) if_match: Option<&'a str>,
    pub(in crate::bc) body: &'a [u8],
}

/// The checked body of a POST or PATCH.
struct Wanted {
    url: String,
    resource: String,
    set: String,
    client_state: String,
}

/// Answers a request; none if the path is not one of this resource.
pub(in crate::bc) async fn answer(world: &World, request: &Request<'_>) -> Option<Result<Answer, Refusal>> {
    let rest = request.path.strip_prefix("subscriptions")?;
    if rest.is_empty() {
        return Some(match *request.method {
            Method::GET => Ok(list(world, request)),
            Method::POST => create(world, request).await,
            _ => Err(Refusal::verb(request.method.as_str(), "subscriptions", "Collection")),
        });
    }
    // A string key: quoted, unlike the GUIDs.
    let rest = rest.strip_prefix('(')?;
    let key = rest.strip_suffix(')').and_then(|key| key.strip_prefix('\'')?.strip_suffix('\''));
    let Some(key) = key else {
        return Some(Err(Refusal::syntax()));
    };
    Some(match *request.method {
        Method::GET => one(world, request, key),
        Method::PATCH => renew(world, request, key).await,
        Method::DELETE => delete(world, request, key),
        _ => Err(Refusal::verb(request.method.as_str(), "subscriptions", "Entity")),
    })
}

fn list(world: &World, request: &Request<'_>) -> Answer {
    let now = world.clock.now();
    let hooks = world.bc.lock().tables.hooks.clone();
    let live = hooks.subscriptions.iter().filter(|subscription| now < subscription.expires);
    let rows: Vec<Value> = live.map(|subscription| Value::Object(shown(world, subscription))).collect();
    let context = format!("{}/$metadata#subscriptions", request.service);
    Answer::json(StatusCode::OK, json!({"@odata.context": context, "value": rows}))
}

fn one(world: &World, request: &Request<'_>, key: &str) -> Result<Answer, Refusal> {
    let subscription = find(&mut world.bc.lock().tables, key, world.clock.now())?.clone();
    Ok(entity(world, request, &subscription, StatusCode::OK))
}

async fn create(world: &World, request: &Request<'_>) -> Result<Answer, Refusal> {
    let wanted = wanted(world, request, None)?;
    shake_hands(world, &wanted.url).await?;
    let now = world.clock.now();
    let tables = &mut world.bc.lock().tables;
    tables.hooks.subscriptions.retain(|subscription| now < subscription.expires);
    let settings = tables.settings.webhooks.clone();
    if tables.hooks.subscriptions.len() >= settings.maximum {
        return Err(Refusal::dialog(format!(
            "The maximum number of subscriptions ({}) has been reached.",
            settings.maximum
        )));
    }
    let same = |one: &Subscription| one.notification_url == wanted.url && one.resource == wanted.resource;
    if !settings.duplicates_allowed && tables.hooks.subscriptions.iter().any(same) {
        return Err(Refusal::same_key("API Webhook Subscription", "Subscription Id", &wanted.resource));
    }
    let subscription = Subscription {
        id: world.bc.ids.hex(32),
        notification_url: wanted.url,
        resource: wanted.resource,
        set: wanted.set,
        client_state: wanted.client_state,
        version: 1,
        created: now,
        modified: now,
        expires: expiry(now, settings.expiry_hours),
        queue: Queue::default(),
    };
    tables.hooks.subscriptions.push(subscription.clone());
    tables.watch();
    world.bc.sender.wake();
    Ok(entity(world, request, &subscription, StatusCode::CREATED))
}

async fn renew(world: &World, request: &Request<'_>, key: &str) -> Result<Answer, Refusal> {
    let before = find(&mut world.bc.lock().tables, key, world.clock.now())?.clone();
    check_etag(request, &before, true)?;
    let wanted = wanted(world, request, Some(&before))?;
    shake_hands(world, &wanted.url).await?;
    let now = world.clock.now();
    let tables = &mut world.bc.lock().tables;
    let hours = tables.settings.webhooks.expiry_hours;
    let subscription = find(tables, key, now)?;
    subscription.notification_url = wanted.url;
    subscription.resource = wanted.resource;
    subscription.set = wanted.set;
    subscription.client_state = wanted.client_state;
    subscription.version += 1;
    subscription.modified = now;
    subscription.expires = expiry(now, hours);
    let subscription = subscription.clone();
    tables.watch();
    Ok(entity(world, request, &subscription, StatusCode::OK))
}

fn delete(world: &World, request: &Request<'_>, key: &str) -> Result<Answer, Refusal> {
    let tables = &mut world.bc.lock().tables;
    let required = tables.settings.webhooks.delete_needs_if_match;
    check_etag(request, find(tables, key, world.clock.now())?, required)?;
    tables.hooks.subscriptions.retain(|subscription| subscription.id != key);
    tables.watch();
    Ok(Answer::nothing())
}

fn find<'a>(tables: &'a mut Tables, key: &str, now: Timestamp) -> Result<&'a mut Subscription, Refusal> {
    let found = tables.hooks.find(key).filter(|subscription| now < subscription.expires);
    found.ok_or_else(|| Refusal::no_row("subscriptions"))
}

fn check_etag(request: &Request<'_>, subscription: &Subscription, required: bool) -> Result<(), Refusal> {
    match request.if_match.map(str::trim) {
        None if required => Err(Refusal::no_if_match()),
        None | Some("*") => Ok(()),
        Some(sent) if sent == etag(subscription) => Ok(()),
        Some(sent) if sent.starts_with("W/\"") => Err(Refusal::stale()),
        Some(_) => Err(Refusal::no_if_match()),
    }
}

/// Checks a body; what a renewal leaves out stays.
fn wanted(world: &World, request: &Request<'_>, before: Option<&Subscription>) -> Result<Wanted, Refusal> {
    let body: Map<String, Value> =
        serde_json::from_slice(request.body).map_err(|_| Refusal::bad_request("Invalid Request Body"))?;
    for name in body.keys().filter(|name| !name.contains('@')) {
        match name.as_str() {
            "notificationUrl" | "resource" | "clientState" => {}
            "subscriptionId"
            | "timestamp"
            | "userId"
            | "lastModifiedDateTime"
            | "expirationDateTime"
            | "systemCreatedAt"
            | "systemCreatedBy"
            | "systemModifiedAt"
            | "systemModifiedBy" => {
                return Err(Refusal::read_only(name));
            }
            _ => return Err(Refusal::unknown_property(name, "subscriptions")),
        }
    }
    let text = |name: &str, before: Option<&String>| match body.get(name) {
        Some(Value::String(text)) => Ok(Some(text.clone())),
        None | Some(Value::Null) => Ok(before.cloned()),
        Some(other) => Err(Refusal::not_convertible(&other.to_string(), "Edm.String")),
    };
    let required = |name: &str, value: Option<String>| {
        value.filter(|value| !value.is_empty()).ok_or_else(|| Refusal::required(name))
    };
    let url = required("notificationUrl", text("notificationUrl", before.map(|before| &before.notification_url))?)?;
    let resource = required("resource", text("resource", before.map(|before| &before.resource))?)?;
    let client_state = text("clientState", before.map(|before| &before.client_state))?.unwrap_or_default();
    if client_state.chars().count() > CLIENT_STATE_MAXIMUM {
        return Err(Refusal::too_long(&client_state, CLIENT_STATE_MAXIMUM));
    }
    let parsed = url::Url::parse(&url).ok().filter(|url| {
        url.scheme() == "https"
            || (url.scheme() == "http" && url.host_str().is_some_and(|host| host == "127.0.0.1" || host == "localhost"))
    });
    if parsed.is_none() {
        return Err(Refusal::bad_request("The notification URL must be an absolute https URL."));
    }
    let set = set_of(&resource, &world.bc.lock().tables)?;
    Ok(Wanted { url, resource, set, client_state })
}

/// The set that a resource names: relative with or without a slash, below the company only, or absolute.
fn set_of(resource: &str, tables: &Tables) -> Result<String, Refusal> {
    let path = resource.split_once("/api/v2.0/").map_or(resource, |(_, rest)| rest);
    let path = path.trim_start_matches('/');
    let path = path.strip_prefix("api/v2.0/").unwrap_or(path);
    let unknown = || Refusal::no_segment(path);
    let (company, set) = path.strip_prefix("companies(").and_then(|rest| rest.split_once(")/")).ok_or_else(unknown)?;
    if uuid::Uuid::try_parse(company) != Ok(tables.company_id) {
        return Err(Refusal::no_company());
    }
    if WATCHED.contains(&set) {
        return Ok(set.to_owned());
    }
    Err(if super::super::sets::top_level(set).is_some() {
        Refusal::bad_request(format!("The entity '{set}' does not support webhooks."))
    } else {
        Refusal::no_segment(set)
    })
}

async fn shake_hands(world: &World, url: &str) -> Result<(), Refusal> {
    let settings = world.bc.settings().webhooks;
    let timeout = Duration::from_millis(settings.handshake_timeout_ms);
    let token = world.bc.ids.guid().to_string();
    if world.bc.sender.handshake(url, &token, settings.handshake_method, timeout).await {
        return Ok(());
    }
    Err(Refusal::bad_request("The notification URL did not answer the validation request with the validation token."))
}

fn expiry(now: Timestamp, life: i64) -> Timestamp {
    now.saturating_add(hours(life)).unwrap_or(Timestamp::MAX)
}

fn etag(subscription: &Subscription) -> String {
    let text = format!("'19;{}-{};00;'", subscription.id, subscription.version);
    format!("W/\"{}\"", data_encoding::BASE64.encode(text.as_bytes()))
}

fn shown(world: &World, subscription: &Subscription) -> Map<String, Value> {
    let user = world.entra.client_id().to_string();
    let time = super::super::schema::moment;
    let row = [
        ("@odata.etag", etag(subscription).into()),
        ("subscriptionId", subscription.id.as_str().into()),
        ("notificationUrl", subscription.notification_url.as_str().into()),
        ("resource", subscription.resource.as_str().into()),
        ("timestamp", (19_833 + subscription.version).into()),
        ("userId", user.as_str().into()),
        ("lastModifiedDateTime", time(subscription.modified)),
        ("clientState", subscription.client_state.as_str().into()),
        ("expirationDateTime", time(subscription.expires)),
        ("systemCreatedAt", time(subscription.created)),
        ("systemCreatedBy", user.as_str().into()),
        ("systemModifiedAt", time(subscription.modified)),
        ("systemModifiedBy", user.into()),
    ];
    row.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn entity(world: &World, request: &Request<'_>, subscription: &Subscription, status: StatusCode) -> Answer {
    let mut body = Map::new();
    body.insert("@odata.context".to_owned(), format!("{}/$metadata#subscriptions/$entity", request.service).into());
    body.extend(shown(world, subscription));
    Answer::json(status, body)
}
