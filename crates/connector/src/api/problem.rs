//! Why a call was not answered: one code each, as `application/problem+json` (RFC 9457).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::stop::Stop;
use crate::worker::chain;

/// The media type.
pub(super) const MEDIA: &str = "application/problem+json";

/// What kind of problem it is. Stable: callers decide by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// The path, the query or the body is not what the document says.
    Unreadable,
    /// Without a token that may be used.
    Unauthorized,
    /// The token's role is too small.
    Role,
    /// The token is for another connection.
    OtherConnection,
    /// It takes the word of a person, and the token is that of a service.
    NeedsPerson,
    /// There is no such thing.
    NotFound,
    /// The path is there, and not this method.
    Method,
    /// The body did not come in time.
    Late,
    /// It stands against what is stored, or comes too late.
    Refused,
    /// It is not as it was when it was looked at.
    Changed,
    /// The body is too large.
    TooLarge,
    /// The body is no JSON.
    NotJson,
    /// The request was meant for another host.
    OtherHost,
    /// It can be read and not be used.
    Unusable,
    /// Too many wrong tokens.
    TooMany,
    /// The database or one of the systems does not answer.
    Unavailable,
}

impl Code {
    /// Every code.
    pub(super) const ALL: [Self; 16] = [
        Self::Unreadable,
        Self::Unauthorized,
        Self::Role,
        Self::OtherConnection,
        Self::NeedsPerson,
        Self::NotFound,
        Self::Method,
        Self::Late,
        Self::Refused,
        Self::Changed,
        Self::TooLarge,
        Self::NotJson,
        Self::OtherHost,
        Self::Unusable,
        Self::TooMany,
        Self::Unavailable,
    ];

    /// Stable name.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Unauthorized => "unauthorized",
            Self::Role => "role",
            Self::OtherConnection => "other_connection",
            Self::NeedsPerson => "needs_person",
            Self::NotFound => "not_found",
            Self::Method => "method",
            Self::Late => "late",
            Self::Refused => "refused",
            Self::Changed => "changed",
            Self::TooLarge => "too_large",
            Self::NotJson => "not_json",
            Self::OtherHost => "other_host",
            Self::Unusable => "unusable",
            Self::TooMany => "too_many",
            Self::Unavailable => "unavailable",
        }
    }

    /// The same for every problem of the kind.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Unreadable => "The request cannot be read",
            Self::Unauthorized => "A token is needed that may be used",
            Self::Role => "The token's role is too small",
            Self::OtherConnection => "The token is for another connection",
            Self::NeedsPerson => "It takes the word of a person",
            Self::NotFound => "There is no such thing",
            Self::Method => "The path does not take this method",
            Self::Late => "The body did not come in time",
            Self::Refused => "It stands against what is known",
            Self::Changed => "It has changed meanwhile",
            Self::TooLarge => "The body is too large",
            Self::NotJson => "The body is not JSON",
            Self::OtherHost => "This is not the address of the connector",
            Self::Unusable => "A value cannot be used",
            Self::TooMany => "There were too many wrong tokens",
            Self::Unavailable => "It does not work at the moment",
        }
    }

    /// Its status.
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Unreadable => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Role | Self::OtherConnection | Self::NeedsPerson => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Late => StatusCode::REQUEST_TIMEOUT,
            Self::Refused => StatusCode::CONFLICT,
            Self::Changed => StatusCode::PRECONDITION_FAILED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::OtherHost => StatusCode::MISDIRECTED_REQUEST,
            Self::Unusable => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct Problem {
    code: Code,
    detail: String,
}

impl Problem {
    /// A problem with a sentence about this one.
    pub(super) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }

    /// There is no such thing.
    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(Code::NotFound, detail)
    }

    /// A value cannot be used.
    pub(super) fn unusable(detail: impl Into<String>) -> Self {
        Self::new(Code::Unusable, detail)
    }

    /// It stands against what is known.
    pub(super) fn refused(why: impl std::fmt::Display) -> Self {
        Self::new(Code::Refused, format!("{why}."))
    }
}

/// A problem as it is written.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct ProblemBody {
    /// The place in the reference that tells about the code.
    #[serde(rename = "type")]
    kind: String,
    /// The same for every problem with this code.
    title: &'static str,
    /// The status of the answer.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// A sentence about this one, for people.
    detail: String,
    /// What a program decides by.
    code: &'static str,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { code, detail } = self;
        let status = code.status();
        let body = ProblemBody {
            kind: format!("/api/v1#{}", code.as_str()),
            title: code.title(),
            status: status.as_u16(),
            detail,
            code: code.as_str(),
        };
        let text = serde_json::to_string(&body).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, MEDIA)], text).into_response();
        let more = match code {
            Code::Unauthorized => Some((header::WWW_AUTHENTICATE, "Bearer realm=\"ml-connector\"")),
            Code::TooMany => Some((header::RETRY_AFTER, "60")),
            _ => None,
        };
        if let Some((name, value)) = more {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        tracing::error!(error = %chain(&error), "a call of the admin API could not be answered");
        Self::new(Code::Unavailable, format!("The database says: {error}. The log has the details."))
    }
}

impl From<Stop> for Problem {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Store(error) => error.into(),
            other => Self::new(Code::Unavailable, other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Code;

    #[test]
    fn every_code_has_a_name_of_its_own_and_is_an_error() {
        let names: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(Code::ALL.iter().all(|code| code.status().is_client_error() || code.status().is_server_error()));
    }
}
