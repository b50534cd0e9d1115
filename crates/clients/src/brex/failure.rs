//! Brex's two error bodies: `error_code`, `message`, `details` in the Accounting API, `type`, `message`, `code` everywhere
//! else. An empty or foreign body tells nothing and is no failure of its own.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::answer::{Answer, Failure};
use crate::error::Error;

#[derive(Default, Deserialize)]
struct Body {
    error_code: Option<String>,
    message: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    code: Option<String>,
}

/// The answer, if it is a success, else the error that it describes.
pub(super) fn success(answer: Answer) -> Result<Answer, Error> {
    if answer.status().is_success() { Ok(answer) } else { Err(answer.error(read(answer.body()))) }
}

pub(super) fn read(body: &[u8]) -> Failure {
    let body: Body = serde_json::from_slice(body).unwrap_or_default();
    Failure { code: body.error_code.or(body.code).or(body.kind), message: body.message, request_id: None }
}

/// The `error_code` and the details of an Accounting API error, if the details have the form `T`.
pub(super) fn details<T: DeserializeOwned>(answer: &Answer) -> Option<(String, T)> {
    #[derive(Deserialize)]
    struct Detailed<T> {
        error_code: String,
        details: Option<T>,
    }
    let body: Detailed<T> = serde_json::from_slice(answer.body()).ok()?;
    Some((body.error_code, body.details?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_shapes_of_an_error_are_understood() {
        for (body, code) in [
            (r#"{"error_code":"NOT_FOUND","message":"m"}"#, Some("NOT_FOUND")),
            (r#"{"type":"UNAUTHORIZED","message":"m"}"#, Some("UNAUTHORIZED")),
            (r#"{"type":"NOT_FOUND","message":"m","code":"USER_NOT_FOUND"}"#, Some("USER_NOT_FOUND")),
            ("", None),
            ("<html>bad gateway</html>", None),
            ("[1,2]", None),
        ] {
            assert_eq!(read(body.as_bytes()).code.as_deref(), code, "{body}");
        }
    }
}
