//! What calls to the platform's APIs bring along, read as Brex reads it: ids, bodies, fields, pages. Every refusal is in
//! Brex's own shape.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::error::{Api, Refusal};
use super::records::Pairs;

const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1000;

/// The fields of a JSON object.
pub(super) type Fields = Map<String, Value>;

/// "[Field name] is invalid".
pub(super) fn invalid(field: &str) -> Refusal {
    Refusal::bad_request(&format!("{field} is invalid"))
}

/// The id in the path. One that is not even text is as unknown as any other.
pub(super) struct Id(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let api = Api::of(parts.uri.path());
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.map(|Path(id)| Self(id)).map_err(|_| Refusal::not_found(api))
    }
}

/// The bytes of the body.
pub(super) struct Payload(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for Payload {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let api = Api::of(request.uri().path());
        let bytes = Bytes::from_request(request, state).await;
        bytes.map(Self).map_err(|_| match api {
            Api::Accounting => Refusal::invalid("Request body is too large or incomplete."),
            Api::Platform => Refusal::bad_request("Request body is too large or incomplete"),
        })
    }
}

impl Payload {
    /// The JSON object that it must be.
    pub(super) fn fields(&self) -> Result<Fields, Refusal> {
        serde_json::from_slice(&self.0).map_err(|_| Refusal::bad_request("Request body is not a valid JSON object"))
    }
}

/// Text that may be missing or null, ASCII only.
pub(super) fn text(fields: &Fields, name: &str) -> Result<Option<String>, Refusal> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_ascii() => Ok(Some(text.clone())),
        Some(_) => Err(invalid(name)),
    }
}

/// Text that must be there and not be blank, ASCII only.
pub(super) fn required_text(fields: &Fields, name: &str) -> Result<String, Refusal> {
    text(fields, name)?.filter(|text| !text.trim().is_empty()).ok_or_else(|| invalid(name))
}

/// An object that must be there.
pub(super) fn object<'a>(fields: &'a Fields, name: &str) -> Result<&'a Fields, Refusal> {
    fields.get(name).and_then(Value::as_object).ok_or_else(|| invalid(name))
}

/// `cursor` and `limit` of a list. A cursor names a place in the order, so it outlives what stood there.
pub(super) struct Window {
    /// The place after which the page starts.
    pub(super) after: Option<u64>,
    limit: usize,
}

impl Window {
    pub(super) fn parse(pairs: &Pairs) -> Result<Self, Refusal> {
        let limit = match pairs.one("limit").map_err(invalid)?.map(str::parse) {
            None => DEFAULT_LIMIT,
            Some(Ok(limit)) if (1..=MAX_LIMIT).contains(&limit) => limit,
            Some(_) => return Err(Refusal::bad_request("limit must be between 1 and 1000")),
        };
        let place = |cursor: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
            String::from_utf8(bytes).ok()?.strip_prefix("after:")?.parse().ok()
        };
        let after = match pairs.one("cursor").map_err(invalid)? {
            Some(cursor) => Some(place(cursor).ok_or_else(|| invalid("cursor"))?),
            None => None,
        };
        Ok(Self { after, limit })
    }

    /// A page of what stands at its places in rising order.
    pub(super) fn page<T>(&self, places: impl Iterator<Item = (u64, T)>, show: impl Fn(T) -> Value) -> Value {
        let mut rest = places.skip_while(|(place, _)| self.after.is_some_and(|after| *place <= after));
        let mut items = Vec::new();
        let mut last = 0;
        for (place, item) in rest.by_ref().take(self.limit) {
            last = place;
            items.push(show(item));
        }
        let next = rest.next().map(|_| URL_SAFE_NO_PAD.encode(format!("after:{last}")));
        serde_json::json!({ "next_cursor": next, "items": items })
    }
}
