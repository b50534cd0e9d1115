//! Business Central's error bodies: `{"error":{"code","message"}}` with a correlation id at the end of the text.
//! Status codes alone mislead here: missing permissions and lock conflicts both arrive as 400, and only the English text
//! (which is why every call asks for `en-US`) tells them apart.

use serde::Deserialize;

use crate::answer::{Answer, Failure};
use crate::error::Error;
use crate::kind::{Effect, Kind, Retry};

/// Texts of a missing permission, all with status 400.
const PERMISSION_TEXTS: [&str; 3] =
    ["permissions prevented the action", "You do not have the following permissions", "You do not have permissions to"];

/// Texts of a lock, deadlock or concurrent change, with status 400 or 409. They pass by themselves.
const CONFLICT_TEXTS: [&str; 3] = [
    "is being updated in a transaction done by another session",
    "was deadlocked with another user",
    "Another user has modified the record",
];

/// Codes of a 404 that do not mean "this row does not exist".
const WRONG_ADDRESS_CODES: [&str; 3] = ["NoEnvironment", "Internal_CompanyNotFound", "BadRequest_NotFound"];

/// Codes that mean "this row does not exist", whatever the status.
const NO_SUCH_ROW_CODES: [&str; 2] = ["Internal_RecordNotFound", "Internal_DataNotFoundFilter"];

/// The answer, if it is a success, else the error that it describes.
pub(super) fn success(answer: Answer) -> Result<Answer, Error> {
    if answer.status().is_success() {
        return Ok(answer);
    }
    let failure = read(answer.body());
    let says = |texts: &[&str]| failure.message.as_deref().is_some_and(|text| texts.iter().any(|t| text.contains(t)));
    let (forbidden, conflict) = (says(&PERMISSION_TEXTS), says(&CONFLICT_TEXTS));
    let error = answer.error(failure);
    Err(match error.status() {
        Some(400) if forbidden => error.with_kind(Kind::Forbidden),
        Some(400 | 409) if conflict => {
            error.with_kind(Kind::Conflict).with_retry(Retry::Soon).with_effect(Effect::Unknown)
        }
        _ => error,
    })
}

/// Whether a read of one row failed because the row does not exist.
pub(super) fn is_absent(error: &Error) -> bool {
    let code = error.code().unwrap_or_default();
    match error.status() {
        Some(404) => !WRONG_ADDRESS_CODES.contains(&code),
        Some(400) => NO_SUCH_ROW_CODES.contains(&code),
        _ => false,
    }
}

pub(super) fn read(body: &[u8]) -> Failure {
    #[derive(Deserialize)]
    struct Body {
        error: Inner,
    }
    #[derive(Deserialize)]
    struct Inner {
        code: Option<String>,
        message: Option<String>,
    }
    let Ok(Body { error }) = serde_json::from_slice::<Body>(body) else { return Failure::default() };
    let (message, request_id) = match error.message {
        Some(text) => split_correlation_id(&text),
        None => (None, None),
    };
    Failure { code: error.code, message, request_id }
}

/// The text without `  CorrelationId:  <guid>.` at its end, and the guid.
fn split_correlation_id(text: &str) -> (Option<String>, Option<String>) {
    match text.rsplit_once("CorrelationId:") {
        Some((message, id)) => {
            let id = id.trim().trim_end_matches('.');
            (Some(message.trim_end().to_owned()), (!id.is_empty()).then(|| id.to_owned()))
        }
        None => (Some(text.to_owned()), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_correlation_id_is_cut_from_the_text_and_kept() {
        let failure = read(
            br#"{"error":{"code":"Application_DialogException","message":"Account does not exist.  CorrelationId:  6a1f2f0e-6c1b-4a57-9d0a-6f2a1d0b7c11."}}"#,
        );
        assert_eq!(failure.code.as_deref(), Some("Application_DialogException"));
        assert_eq!(failure.message.as_deref(), Some("Account does not exist."));
        assert_eq!(failure.request_id.as_deref(), Some("6a1f2f0e-6c1b-4a57-9d0a-6f2a1d0b7c11"));
    }

    #[test]
    fn a_body_of_another_form_tells_nothing() {
        for body in [&b""[..], b"<html>", b"[]", br#"{"error":"x"}"#] {
            let failure = read(body);
            assert!(failure.code.is_none() && failure.message.is_none());
        }
    }
}
