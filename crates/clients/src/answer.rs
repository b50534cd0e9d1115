//! A complete HTTP answer and how it is read: as a typed value, or as the failure that its status and body describe.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use secrecy::zeroize::Zeroize as _;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use crate::error::Error;
use crate::kind::Asked;

/// Where the systems put the id by which their support finds a call, in the order of preference.
const REQUEST_ID_HEADERS: [&str; 4] = ["x-brex-trace-id", "request-id", "ms-correlation-x", "x-ms-request-id"];

/// Waits over a day are cut: the caller looks again then.
const MAX_RETRY_AFTER_MS: u64 = 24 * 60 * 60 * 1000;

/// What an API says about a failure in its own words.
#[derive(Debug, Default)]
pub(crate) struct Failure {
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) request_id: Option<String>,
}

/// A complete answer.
pub(crate) struct Answer {
    asked: Asked,
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    pub(crate) fn new(asked: Asked, status: StatusCode, headers: HeaderMap, body: Vec<u8>) -> Self {
        Self { asked, status, headers, body }
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    pub(crate) fn request_id(&self) -> Option<&str> {
        REQUEST_ID_HEADERS.into_iter().find_map(|name| self.headers.get(HeaderName::from_static(name))?.to_str().ok())
    }

    /// The sender's clock.
    pub(crate) fn date(&self) -> Option<Timestamp> {
        let text = self.headers.get(DATE)?.to_str().ok()?;
        DateTimeParser::new().parse_timestamp(text).ok()
    }

    /// The body as `T`; a body of another form is unreadable (and a write that ended so has an unknown outcome).
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|source| {
            Error::unreadable(self.asked, source)
                .with_status(self.status)
                .with_request_id(self.request_id().map(str::to_owned))
        })
    }

    /// The error that this answer stands for, with the API's own words.
    pub(crate) fn error(&self, failure: Failure) -> Error {
        let request_id = self.request_id().map(str::to_owned).or(failure.request_id);
        Error::of_status(self.asked, self.status, retry_after_ms(&self.headers))
            .with_code(failure.code)
            .with_api_message(failure.message)
            .with_request_id(request_id)
    }

    /// The same without these secrets. Systems, and proxies in front of them, say back in errors what they were sent.
    pub(crate) fn without(mut self, secrets: &[SecretString]) -> Self {
        for secret in secrets.iter().map(ExposeSecret::expose_secret).filter(|secret| !secret.is_empty()) {
            let encoded: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            for form in [secret, encoded.as_str()] {
                self.body = blotted(&self.body, form.as_bytes());
            }
        }
        self
    }

    /// The body as `T`, where it holds a secret: what is wrong with it is told by kind only, since the reader's words quote it.
    pub(crate) fn secret_json<T: DeserializeOwned>(self) -> Result<T, Error> {
        let read = serde_json::from_slice(&self.body).map_err(|error| {
            let source = format!("a body with a secret has a {:?} error in line {}", error.classify(), error.line());
            Error::unreadable(self.asked, source)
                .with_status(self.status)
                .with_request_id(self.request_id().map(str::to_owned))
        });
        self.wipe();
        read
    }

    /// The body has been read and held a secret.
    fn wipe(mut self) {
        self.body.zeroize();
    }
}

/// The bytes with a mark in place of each `form`.
fn blotted(bytes: &[u8], form: &[u8]) -> Vec<u8> {
    let mut rest = bytes;
    let mut blotted = Vec::with_capacity(bytes.len());
    while let Some(at) = rest.windows(form.len()).position(|part| part == form) {
        let (before, found) = rest.split_at(at);
        blotted.extend_from_slice(before);
        blotted.extend_from_slice(b"[redacted]");
        rest = found.get(form.len()..).unwrap_or_default();
    }
    blotted.extend_from_slice(rest);
    blotted
}

/// The wait that the answer asks for. A date is compared with the answer's own `Date`, so our clock does not matter.
fn retry_after_ms(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let delay_ms = if let Ok(seconds) = text.parse::<u64>() {
        seconds.saturating_mul(1000)
    } else {
        let until = http_date(text)?;
        let sent_at = http_date(headers.get(DATE)?.to_str().ok()?)?;
        u64::try_from(until.as_millisecond() - sent_at.as_millisecond()).unwrap_or(0)
    };
    Some(delay_ms.min(MAX_RETRY_AFTER_MS))
}

fn http_date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::kind::{Access, System};

    fn headers(retry_after: &str, date: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, retry_after.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_secret_that_is_said_back_is_left_out_in_either_form() {
        let asked = Asked { system: System::Entra, operation: "get_token", access: Access::Read };
        let body = b"the secret s~1 in client_secret=s%7E1&scope=x is wrong: s~1".to_vec();
        let answer = Answer::new(asked, StatusCode::UNAUTHORIZED, HeaderMap::new(), body);
        let answer = answer.without(&[SecretString::from("s~1"), SecretString::from("")]);
        let text = String::from_utf8(answer.body().to_vec()).unwrap();
        assert_eq!(text, "the secret [redacted] in client_secret=[redacted]&scope=x is wrong: [redacted]");
    }

    #[test]
    fn what_is_wrong_with_a_body_that_holds_a_secret_is_told_without_its_words() {
        let asked = Asked { system: System::Entra, operation: "get_token", access: Access::Read };
        let answer = Answer::new(asked, StatusCode::OK, HeaderMap::new(), b"\"s3cret\"".to_vec());
        let error = answer.secret_json::<u64>().unwrap_err();
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }

    #[test]
    fn a_wait_in_seconds_is_understood() {
        assert_eq!(retry_after_ms(&headers("30", None)), Some(30_000));
        assert_eq!(retry_after_ms(&headers("99999999999", None)), Some(MAX_RETRY_AFTER_MS));
        assert_eq!(retry_after_ms(&headers("soon", None)), None);
        assert_eq!(retry_after_ms(&HeaderMap::new()), None);
    }

    #[test]
    fn a_wait_until_a_date_counts_from_the_date_of_the_answer() {
        let sent = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(retry_after_ms(&headers("Sun, 06 Nov 1994 08:50:07 GMT", sent)), Some(30_000));
        assert_eq!(retry_after_ms(&headers("Sun, 06 Nov 1994 08:00:00 GMT", sent)), Some(0));
        assert_eq!(retry_after_ms(&headers("Sun, 06 Nov 1994 08:50:07 GMT", None)), None);
    }
}
