//! Refusals in the two shapes that Brex has: the Accounting API's, and everybody else's.

use axum::Json;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::settings::{Settings, TooManyBody};

/// Which API answers, and so how an error looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Api {
    /// `error_code`, `message`, `details`.
    Accounting,
    /// `type`, `message`, `code`.
    Platform,
}

impl Api {
    pub(super) fn of(path: &str) -> Self {
        if path.starts_with("/v3/accounting") { Self::Accounting } else { Self::Platform }
    }
}

/// An answer that is not 2xx.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    body: Option<Value>,
    retry_after: Option<u64>,
}

impl Refusal {
    /// In the shape of `api`; `code` is `error_code` there and `type` here.
    pub(super) fn of(api: Api, status: StatusCode, code: &str, message: &str) -> Self {
        let body = match api {
            Api::Accounting => json!({ "error_code": code, "message": message }),
            Api::Platform => json!({ "type": code, "message": message }),
        };
        Self { status, body: Some(body), retry_after: None }
    }

    /// An accounting error with `details`.
    pub(super) fn detailed(status: StatusCode, code: &str, message: &str, details: &Value) -> Self {
        Self {
            status,
            body: Some(json!({ "error_code": code, "message": message, "details": details })),
            retry_after: None,
        }
    }

    /// A bad request to the Accounting API.
    pub(super) fn invalid(message: &str) -> Self {
        Self::of(Api::Accounting, StatusCode::BAD_REQUEST, "INVALID_REQUEST", message)
    }

    /// A bad request to any other API.
    pub(super) fn bad_request(message: &str) -> Self {
        Self::of(Api::Platform, StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
    }

    /// 404 in the shape of `api`.
    pub(super) fn not_found(api: Api) -> Self {
        let message = match api {
            Api::Accounting => "Resource not found.",
            Api::Platform => "Not Found",
        };
        Self::of(api, StatusCode::NOT_FOUND, "NOT_FOUND", message)
    }

    /// 404 for a user, the one that Brex documents with a `code`.
    pub(super) fn user_not_found() -> Self {
        let body = json!({ "type": "NOT_FOUND", "message": "Not Found", "code": "USER_NOT_FOUND" });
        Self { status: StatusCode::NOT_FOUND, body: Some(body), retry_after: None }
    }

    /// The message, for people who were refused in the dashboard.
    pub(super) fn message(&self) -> String {
        let message = self.body.as_ref().and_then(|body| body["message"].as_str());
        message.unwrap_or_default().to_owned()
    }

    /// 429 as the settings want it: Brex documents nothing but the status.
    pub(super) fn too_many(settings: &Settings) -> Self {
        let body = match settings.too_many_body {
            TooManyBody::Empty => None,
            TooManyBody::Json => Some(json!({ "type": "TOO_MANY_REQUESTS", "message": "Too many requests" })),
        };
        Self { status: StatusCode::TOO_MANY_REQUESTS, body, retry_after: settings.retry_after_seconds }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = match self.body {
            Some(body) => (self.status, Json(body)).into_response(),
            None => self.status.into_response(),
        };
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
