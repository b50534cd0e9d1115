//! What is delivered by anybody: a Brex webhook, a handshake and a notification of Business Central. A delivery is genuine if and only
//! if it carries the signature of its very bytes; a handshake says back what was asked and nothing else; what a notification names is
//! a row of a company, never an address.

use std::sync::LazyLock;

use axum::body::to_bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use clients::bc::{Notification, Resource};
use clients::brex::webhook_event::WebhookEvent;
use clients::brex::webhook_signature::{DEFAULT_TOLERANCE_SECONDS, sign, verify};
use connector::subscriptions::change::Change;
use connector::web::handshake;
use futures::FutureExt as _;
use secrecy::SecretString;

use crate::parts::Parts;

const NOW: i64 = 1_772_445_600;
const SIGNATURE: &str = "webhook-signature";

static SECRETS: LazyLock<[SecretString; 2]> =
    LazyLock::new(|| ["whsec_Zmlyc3Qgc2VjcmV0IG9mIGEgZnV6eg==", "c2Vjb25kIHNlY3JldA"].map(SecretString::from));

/// A letter, then what is delivered: `h` a query, `n` a notification, anything else headers, an empty line, and a body.
pub fn webhook(data: &[u8]) {
    let mut parts = Parts::new(data);
    match parts.byte() {
        b'h' => shake_hands(&String::from_utf8_lossy(parts.rest())),
        b'n' => notify(parts.rest()),
        _ => deliver(&mut parts),
    }
}

fn deliver(parts: &mut Parts<'_>) {
    let mut headers = HeaderMap::new();
    loop {
        let line = parts.line();
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { break };
        let (name, value) =
            (HeaderName::from_bytes(&line[..colon]), HeaderValue::from_bytes(line[colon + 1..].trim_ascii()));
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    let body = parts.rest();
    let check = |headers: &HeaderMap, body: &[u8]| verify(headers, body, &*SECRETS, NOW, DEFAULT_TOLERANCE_SECONDS);
    // Nobody but the sender has the secrets: what is accepted as it came was in an input that was signed.
    if let Ok(verified) = check(&headers, body) {
        let signed = &SECRETS[verified.matched_secret];
        let expected = sign(signed, &verified.id, &verified.timestamp.to_string(), body).expect("a usable secret");
        let given = headers.get(SIGNATURE).or(headers.get("svix-signature")).expect("a signature");
        assert!(given.to_str().expect("text").split(' ').any(|one| one == expected), "accepted without a signature");
    }
    resign(&headers, body, check);
    drop(WebhookEvent::from_json(body).map(|event| event.company_id().map(str::to_owned)));
}

/// Signs the delivery as it came, whatever its id is. It is then refused for its form or its time, or taken; and no longer once a
/// byte of the body is another.
fn resign<E: std::fmt::Debug>(
    headers: &HeaderMap,
    body: &[u8],
    check: impl Fn(&HeaderMap, &[u8]) -> Result<clients::brex::webhook_signature::Verified, E>,
) {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let (id, timestamp) = (text("webhook-id"), text("webhook-timestamp"));
    let signature = sign(&SECRETS[1], &id, &timestamp, body).expect("a usable secret");
    let mut headers = headers.clone();
    headers.insert(SIGNATURE, HeaderValue::from_str(&signature).expect("base64"));
    if let Ok(verified) = check(&headers, body) {
        assert_eq!((verified.id, verified.timestamp.to_string()), (id, timestamp));
        assert!(verified.timestamp.abs_diff(NOW) <= DEFAULT_TOLERANCE_SECONDS);
        let mut altered = body.to_vec();
        altered.push(b' ');
        assert!(check(&headers, &altered).is_err(), "another body is taken");
        if let Some(first) = altered.first_mut() {
            *first ^= 1;
        }
        altered.truncate(body.len());
        assert!(body.is_empty() || check(&headers, &altered).is_err(), "another body is taken");
    }
}

fn shake_hands(query: &str) {
    let asked = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "validationToken");
    let answer = handshake(query);
    assert_eq!(asked.is_some(), answer.is_some());
    let (Some((_, token)), Some(answer)) = (asked, answer) else { return };
    let (parts, body) = Response::into_parts(answer);
    let body = to_bytes(body, usize::MAX).now_or_never().expect("at once").expect("a body");
    if parts.status == StatusCode::OK {
        assert_eq!(body, token.as_bytes());
        assert_eq!(parts.headers["content-type"], "text/plain; charset=utf-8");
        assert_eq!(parts.headers["x-content-type-options"], "nosniff");
    } else {
        assert!(parts.status == StatusCode::BAD_REQUEST && token.len() > 1_024 && body.is_empty());
    }
}

fn notify(body: &[u8]) {
    let Ok((notifications, unreadable)) = Notification::list(body) else { return };
    assert!(notifications.len() + unreadable <= body.len());
    for notification in notifications {
        let Some(resource) = Resource::parse(&notification.resource) else { continue };
        assert!(resource.set.bytes().all(|byte| byte.is_ascii_alphanumeric()), "an address: {}", resource.set);
        let row = resource.row.map(|row| format!("({row})")).unwrap_or_default();
        let filter = if resource.is_filtered { "?x" } else { "" };
        let written = format!("/api/v2.0/companies({})/{}{row}{filter}", resource.company, resource.set);
        assert_eq!(Resource::parse(&written).as_ref(), Some(&resource), "{}", notification.resource);
        let change = Change::of(&resource, &notification.change);
        assert_eq!(Change::from_json(&change.to_json()).expect("as it was kept"), change);
    }
}
