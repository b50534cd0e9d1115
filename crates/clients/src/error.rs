//! What a failed call means: what happened, whether to repeat it, and whether it may have been executed.
//! Not for business reasons to stop: those are holds, decided by the caller.

use std::error::Error as StdError;
use std::fmt;

use reqwest::StatusCode;

use crate::kind::{Access, Asked, Effect, Kind, Retry, System, classify};

/// The longest text of the API that an error keeps.
const MAX_API_MESSAGE_BYTES: usize = 2048;

/// The longest code or request id that an error keeps.
const MAX_TOKEN_BYTES: usize = 200;

/// A failed call.
pub struct Error(Box<Details>);

struct Details {
    asked: Asked,
    kind: Kind,
    retry: Retry,
    effect: Effect,
    status: Option<u16>,
    code: Option<String>,
    api_message: Option<String>,
    request_id: Option<String>,
    retry_after_ms: Option<u64>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// A failure of `kind`; `effect` counts only for writes.
    pub(crate) fn new(asked: Asked, kind: Kind, retry: Retry, effect: Effect) -> Self {
        let effect = match asked.access {
            Access::Read => Effect::None,
            Access::Write => effect,
        };
        Self(Box::new(Details {
            asked,
            kind,
            retry,
            effect,
            status: None,
            code: None,
            api_message: None,
            request_id: None,
            retry_after_ms: None,
            source: None,
        }))
    }

    /// The failure that an HTTP status outside 2xx stands for.
    pub(crate) fn of_status(asked: Asked, status: StatusCode, retry_after_ms: Option<u64>) -> Self {
        let (kind, retryable, effect) = classify(status);
        let retry = match (retryable, retry_after_ms) {
            (false, _) => Retry::Never,
            (true, None) => Retry::Soon,
            (true, Some(delay_ms)) => Retry::After(delay_ms),
        };
        let mut error = Self::new(asked, kind, retry, effect).with_status(status);
        error.0.retry_after_ms = retry_after_ms;
        error
    }

    /// The answer does not have the expected form.
    pub(crate) fn unreadable(asked: Asked, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(asked, Kind::Unreadable, Retry::Soon, Effect::Unknown).with_source(source)
    }

    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = Some(status.as_u16());
        self
    }

    pub(crate) fn with_code(mut self, code: Option<String>) -> Self {
        self.0.code = code.filter(|code| !code.is_empty()).map(|code| bounded(code, MAX_TOKEN_BYTES));
        self
    }

    pub(crate) fn with_api_message(mut self, message: Option<String>) -> Self {
        self.0.api_message = message.filter(|text| !text.is_empty()).map(|text| bounded(text, MAX_API_MESSAGE_BYTES));
        self
    }

    pub(crate) fn with_request_id(mut self, request_id: Option<String>) -> Self {
        self.0.request_id = request_id.map(|id| bounded(id, MAX_TOKEN_BYTES));
        self
    }

    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn with_kind(mut self, kind: Kind) -> Self {
        self.0.kind = kind;
        self
    }

    pub(crate) fn with_retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// Sets the effect of a write; a read has none.
    pub(crate) fn with_effect(mut self, effect: Effect) -> Self {
        if self.0.asked.access == Access::Write {
            self.0.effect = effect;
        }
        self
    }

    /// The same failure once more, for another operation that was sent along; of what caused it the text is kept.
    #[must_use]
    pub fn shared(&self) -> Self {
        let details = &*self.0;
        let source = details.source.as_ref().map(|source| source.to_string().into());
        Self(Box::new(Details {
            code: details.code.clone(),
            api_message: details.api_message.clone(),
            request_id: details.request_id.clone(),
            source,
            ..*details
        }))
    }

    /// Who failed.
    pub fn system(&self) -> System {
        self.0.asked.system
    }

    /// What happened.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Whether repeating the call can help.
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// Whether the call may have been executed.
    pub fn effect(&self) -> Effect {
        self.0.effect
    }

    /// Which call failed, such as `create_document`.
    pub fn operation(&self) -> &'static str {
        self.0.asked.operation
    }

    /// The HTTP status, if an answer came.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The API's own code, such as `Application_DialogException`, `NOT_FOUND` or `AADSTS7000215`.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The API's own text, shortened to 2 kB. It may quote business data (a vendor number), never a credential.
    pub fn api_message(&self) -> Option<&str> {
        self.0.api_message.as_deref()
    }

    /// The id by which the vendor's support finds this call.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// How long the system asked us to wait, if it did.
    pub fn retry_after_ms(&self) -> Option<u64> {
        self.0.retry_after_ms
    }

    /// Whether Business Central refused a write with 400. Normally nothing was executed, but an extension can commit and
    /// then fail: look once before calling it a definite refusal.
    pub fn is_refusal(&self) -> bool {
        self.0.asked.system == System::BusinessCentral
            && self.0.asked.access == Access::Write
            && self.0.status == Some(StatusCode::BAD_REQUEST.as_u16())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let details = &self.0;
        write!(f, "{} {} on {}", details.asked.system.name(), details.kind.phrase(), details.asked.operation)?;
        match (details.status, &details.code) {
            (Some(status), Some(code)) => write!(f, " (status {status}, {code})"),
            (Some(status), None) => write!(f, " (status {status})"),
            (None, Some(code)) => write!(f, " ({code})"),
            (None, None) => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let details = &self.0;
        f.debug_struct("Error")
            .field("system", &details.asked.system)
            .field("operation", &details.asked.operation)
            .field("kind", &details.kind)
            .field("retry", &details.retry)
            .field("effect", &details.effect)
            .field("status", &details.status)
            .field("code", &details.code)
            .field("api_message", &details.api_message)
            .field("request_id", &details.request_id)
            .field("source", &details.source)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// The text cut to at most `limit` bytes at a character boundary.
fn bounded(mut text: String, limit: usize) -> String {
    if text.len() > limit {
        text.truncate(text.floor_char_boundary(limit));
    }
    text
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const WRITE: Asked = Asked { system: System::Brex, operation: "write_it", access: Access::Write };
    const READ: Asked = Asked { system: System::Brex, operation: "read_it", access: Access::Read };

    #[test]
    fn a_status_says_whether_a_write_may_have_been_executed() {
        for (status, effect) in [
            (400, Effect::None),
            (401, Effect::None),
            (403, Effect::None),
            (404, Effect::None),
            (422, Effect::None),
            (429, Effect::None),
            (307, Effect::Unknown),
            (408, Effect::Unknown),
            (409, Effect::Unknown),
            (500, Effect::Unknown),
            (502, Effect::Unknown),
            (503, Effect::Unknown),
            (504, Effect::Unknown),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(Error::of_status(WRITE, status, None).effect(), effect, "{status}");
            assert_eq!(Error::of_status(READ, status, None).effect(), Effect::None, "{status}");
        }
    }

    #[test]
    fn the_text_names_system_operation_status_and_code_but_not_the_source() {
        let error = Error::of_status(WRITE, StatusCode::UNPROCESSABLE_ENTITY, None)
            .with_code(Some("TOO_SHORT".to_owned()))
            .with_source("the inner text");
        assert_eq!(error.to_string(), "brex refused the request on write_it (status 422, TOO_SHORT)");
    }

    #[test]
    fn a_long_api_text_is_cut_at_a_character() {
        let error = Error::of_status(WRITE, StatusCode::BAD_REQUEST, None)
            .with_api_message(Some(format!("a{}", "é".repeat(2000))));
        assert_eq!(error.api_message().map(str::len), Some(2047));
    }
}
