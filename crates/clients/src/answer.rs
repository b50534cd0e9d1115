//! A complete HTTP answer and how it is read: as a typed value, or as the failure that its status and body describe.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use secrecy::zeroize::Zeroize as _;
use serde::de::DeserializeOwned;

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

    /// The body has been read and held a secret.
    pub(crate) fn wipe(mut self) {
        self.body.zeroize();
    }
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

    fn headers(retry_after: &str, date: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, retry_after.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        headers
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
