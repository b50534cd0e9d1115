//! How answers write times, pages and versions.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use domain::id::RecordId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::problem::{Code, Problem};
use crate::clock::timestamp;

/// Rows of a page, unless told otherwise.
const PAGE: u16 = 100;
/// Most rows of a page.
const PAGE_MAX: u16 = 500;
/// Most characters of a reason.
const REASON_MAX: usize = 500;

/// A time, in UTC.
pub(super) fn time(ms: i64) -> String {
    timestamp(ms).to_string()
}

/// Where to go on, as callers send it back: they are not to read anything out of it.
pub(super) fn cursor(place: &impl Serialize) -> Option<String> {
    Some(data_encoding::BASE64URL_NOPAD.encode(&serde_json::to_vec(place).ok()?))
}

/// The place that a cursor stands for.
pub(super) fn place<T: DeserializeOwned>(cursor: &str) -> Result<T, Problem> {
    let bytes = data_encoding::BASE64URL_NOPAD.decode(cursor.as_bytes()).ok();
    let place = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    place.ok_or_else(|| Problem::unusable("The cursor is none that this path gave out."))
}

/// How many rows are asked for.
pub(super) fn limit(asked: Option<u16>) -> Result<usize, Problem> {
    match asked.unwrap_or(PAGE) {
        limit @ 1..=PAGE_MAX => Ok(usize::from(limit)),
        _ => Err(Problem::unusable(format!("A page has 1 to {PAGE_MAX} rows."))),
    }
}

/// A row count in the store's type, one more than asked for: so it is known whether there is another page.
pub(super) fn one_more(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)
}

/// The id of a record as it may stand in the database; others are nobody's.
pub(super) fn record_id(text: &str) -> Result<RecordId, Problem> {
    if text.chars().any(char::is_control) {
        return Err(unknown_record(text));
    }
    Ok(RecordId::new(text))
}

/// There is no such record.
pub(super) fn unknown_record(text: &str) -> Problem {
    Problem::not_found(format!("The record {text:?} is not known here."))
}

/// Why something is done.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reason {
    /// Why; kept in the audit trail.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S", example = "the account was set up again")]
    pub(super) reason: String,
}

impl Reason {
    /// The reason, without space around it.
    pub(super) fn text(&self) -> Result<&str, Problem> {
        let text = self.reason.trim();
        match text.chars().count() {
            0 => Err(Problem::unusable("Say why: the reason stays in the audit trail.")),
            1..=REASON_MAX => Ok(text),
            _ => Err(Problem::unusable(format!("A reason has at most {REASON_MAX} characters."))),
        }
    }
}

/// The header that says which version of a thing an answer shows.
pub(super) fn etag(rev: i64) -> [(HeaderName, HeaderValue); 1] {
    // A number in quotes is always a header's value.
    let value = HeaderValue::from_str(&tag(rev)).unwrap_or(HeaderValue::from_static("\"\""));
    [(header::ETAG, value)]
}

/// The version as it stands in `ETag` and `If-Match`.
pub(super) fn tag(rev: i64) -> String {
    format!("\"{rev}\"")
}

/// Whether the request asks for a version, and whether it is this one.
pub(super) fn matches(headers: &HeaderMap, rev: i64) -> Result<bool, Problem> {
    let mut asked = headers.get_all(header::IF_MATCH).iter().peekable();
    if asked.peek().is_none() {
        return Ok(false);
    }
    let tag = tag(rev);
    let is_it = |text: &str| text.split(',').map(str::trim).any(|one| one == "*" || one == tag);
    if asked.filter_map(|value| value.to_str().ok()).any(is_it) {
        return Ok(true);
    }
    Err(Problem::new(Code::Changed, "It has changed since the version in If-Match: read it again and decide anew."))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use axum::http::{HeaderMap, HeaderValue, header};

    use super::{Reason, cursor, limit, matches, place, record_id};

    #[test]
    fn a_cursor_comes_back_as_its_place_and_nothing_else_is_one() {
        let text = cursor(&(17_i64, "accr_1")).unwrap();
        assert_eq!(place::<(i64, String)>(&text).unwrap(), (17, "accr_1".to_owned()));
        for other in ["", "17,accr_1", "!", &cursor(&"x").unwrap()] {
            assert!(place::<(i64, String)>(other).is_err(), "{other}");
        }
    }

    #[test]
    fn limits_reasons_and_ids_are_checked() {
        assert_eq!((limit(None).unwrap(), limit(Some(500)).unwrap()), (100, 500));
        assert!(limit(Some(0)).is_err() && limit(Some(501)).is_err());
        assert_eq!(Reason { reason: " because ".to_owned() }.text().unwrap(), "because");
        assert!(Reason { reason: " ".to_owned() }.text().is_err());
        assert!(Reason { reason: "x".repeat(501) }.text().is_err());
        assert!(record_id("accr_1").is_ok() && record_id("accr\0").is_err());
    }

    #[test]
    fn a_version_matches_itself_and_a_star_and_no_weak_one() {
        let asked = |texts: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for text in texts {
                headers.append(header::IF_MATCH, HeaderValue::from_static(text));
            }
            matches(&headers, 7).ok()
        };
        assert_eq!(asked(&[]), Some(false));
        for good in [&["\"7\""][..], &["*"], &["\"6\", \"7\""], &["\"6\"", "\"7\""]] {
            assert_eq!(asked(good), Some(true), "{good:?}");
        }
        for bad in [&["\"6\""][..], &["7"], &["W/\"7\""], &[""]] {
            assert_eq!(asked(bad), None, "{bad:?}");
        }
    }
}
