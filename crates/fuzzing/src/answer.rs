//! What the other side answers in a target: one body after the other, then that it is not there.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use crate::parts::Parts;

/// Between the bodies of one input.
const SEPARATOR: u8 = 0x1e;

/// The statuses that an input can choose from, most of all success.
const STATUSES: [u16; 16] = [200, 200, 200, 200, 201, 204, 400, 401, 403, 404, 409, 412, 422, 429, 500, 503];

/// The answers to come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers {
    status: u16,
    retry_after: Option<HeaderValue>,
    date: Option<HeaderValue>,
    bodies: Vec<Vec<u8>>,
    /// Whether the last body comes again and again.
    is_endless: bool,
}

impl Answers {
    /// A list of Business Central without rows, as often as it is asked for.
    pub(crate) fn none() -> Self {
        Self { is_endless: true, ..Self::of(r#"{"value":[]}"#) }
    }

    /// Success with one body.
    pub(crate) fn of(body: &str) -> Self {
        Self { status: 200, bodies: vec![body.as_bytes().to_vec()], ..Self::default() }
    }

    /// Reads a status, a line `retry-after;date`, and the bodies.
    pub(crate) fn read(parts: &mut Parts<'_>) -> Self {
        let status = STATUSES[usize::from(parts.byte()) % STATUSES.len()];
        let headers = parts.line();
        let mut headers = headers.split(|byte| *byte == b';').map(|value| HeaderValue::from_bytes(value).ok());
        let (retry_after, date) = (headers.next().flatten(), headers.next().flatten());
        let bodies = parts.rest().split(|byte| *byte == SEPARATOR).map(<[u8]>::to_vec).collect();
        Self { status, retry_after, date, bodies, is_endless: false }
    }

    /// How many different ones there are.
    pub(crate) fn len(&self) -> usize {
        self.bodies.len()
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The answer to the request with this number.
    pub(crate) fn at(&self, place: usize) -> Response {
        let place = if self.is_endless { place.min(self.bodies.len().saturating_sub(1)) } else { place };
        let body = self.bodies.get(place).cloned();
        let status = body.as_ref().map_or(503, |_| self.status);
        let mut response = Response::new(Body::from(body.unwrap_or_default()));
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
        for (name, value) in [("retry-after", &self.retry_after), ("date", &self.date)] {
            if let Some(value) = value.clone() {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}
