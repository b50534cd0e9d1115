//! What a handler takes from a request; what cannot be read is a problem like any other.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::{Code, Problem};

/// The values in the path.
pub(super) struct Place<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Place<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(place) = Path::<T>::from_request_parts(parts, state)
            .await
            .map_err(|error| Problem::new(Code::Unreadable, error.body_text()))?;
        Ok(Self(place))
    }
}

/// The values behind the question mark.
pub(super) struct Params<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(params) = Query::<T>::from_request_parts(parts, state)
            .await
            .map_err(|error| Problem::new(Code::Unreadable, error.body_text()))?;
        Ok(Self(params))
    }
}

/// The body, in JSON.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let media = kind.split(';').next().unwrap_or_default().trim();
        if !media.eq_ignore_ascii_case("application/json") {
            return Err(Problem::new(Code::NotJson, "Send the body with Content-Type: application/json."));
        }
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|error| Problem::new(Code::Unreadable, error.body_text()))?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            let code = if error.is_data() { Code::Unusable } else { Code::Unreadable };
            Problem::new(code, format!("The body cannot be used: {error}."))
        })
    }
}
