//! Verifying deliveries: our own cases, and an independent implementation of the scheme as a judge.

use clients::HeaderMap;
use clients::brex::webhook_signature::{DEFAULT_TOLERANCE_SECONDS, MAX_BODY_BYTES, Rejection, Verified, verify};
use proptest::prelude::*;
use reqwest::header::{HeaderName, HeaderValue};
use secrecy::SecretString;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const NOW: i64 = 1_614_265_330;
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

pub(crate) fn headers<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(HeaderName::try_from(name).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn check(pairs: &[(&str, &str)], body: &[u8], now: i64) -> Result<Verified, Rejection> {
    let secrets = [SecretString::from(SECRET)];
    verify(&headers(pairs.iter().copied()), body, &secrets, now, DEFAULT_TOLERANCE_SECONDS)
}

fn good() -> [(&'static str, &'static str); 3] {
    [("Webhook-Id", ID), ("Webhook-Timestamp", "1614265330"), ("Webhook-Signature", SIGNATURE)]
}

#[test]
fn a_genuine_delivery_is_verified() {
    let verified = check(&good(), BODY, NOW).unwrap();
    assert_eq!(verified, Verified { id: ID.to_owned(), timestamp: NOW, matched_secret: 0 });
}

#[test]
fn the_clock_may_differ_by_the_tolerance_and_no_more() {
    assert!(check(&good(), BODY, NOW + 300).is_ok());
    assert!(check(&good(), BODY, NOW - 300).is_ok());
    assert_eq!(check(&good(), BODY, NOW + 301), Err(Rejection::TimestampTooOld));
    assert_eq!(check(&good(), BODY, NOW - 301), Err(Rejection::TimestampTooNew));
}

#[test]
fn the_earlier_of_two_reasons_is_given() {
    assert_eq!(check(&good()[1..], b"other", NOW + 900), Err(Rejection::MissingId));
    assert_eq!(check(&good(), b"other", NOW + 900), Err(Rejection::TimestampTooOld));
    assert_eq!(check(&good(), &vec![b'a'; MAX_BODY_BYTES + 1], NOW), Err(Rejection::BodyTooLarge));
    let headers = headers(good());
    assert_eq!(verify(&headers, BODY, &[], NOW, 300), Err(Rejection::SecretMissing));
    assert_eq!(verify(&headers, BODY, &["whsec_@@".into()], NOW, 300), Err(Rejection::SecretInvalid));
}

#[test]
fn a_header_given_twice_is_refused_even_if_equal() {
    let [id, timestamp, signature] = good();
    assert_eq!(check(&[id, id, timestamp, signature], BODY, NOW), Err(Rejection::BadHeader));
    assert_eq!(check(&[id, timestamp, signature, signature], BODY, NOW), Err(Rejection::BadHeader));
}

#[test]
fn too_many_signatures_are_refused() {
    let [id, timestamp, _] = good();
    let filler = "v1,AAAA ".repeat(16) + SIGNATURE;
    assert_eq!(check(&[id, timestamp, ("webhook-signature", &filler)], BODY, NOW), Err(Rejection::BadHeader));
}

#[test]
fn the_published_rotation_example_matches_either_secret() {
    let body = br#"{"event_type":"ACCOUNTING_RECORD_READY_FOR_EXPORT","accountingRecordIds":["accr_cm9x1card00000000000001"],"companyId":"cuacc_cm0000000000000000000001"}"#;
    let signatures = "v1,qLypr8nAGJ9QnWHFG5vFnCabT3oZrOT3rOW8uEndjGc= v1,hMYQWzJfOwjY4AoIjEEEb4caLf1XwPj2A8qkDKg5hHk=";
    let headers = headers([
        ("Webhook-Id", "msg_2aF9kqLxYt0example"),
        ("Webhook-Timestamp", "1781254841"),
        ("Webhook-Signature", signatures),
    ]);
    let active = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let pending = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
    for prefix in ["", "whsec_"] {
        let secret = |text: &str| SecretString::from(format!("{prefix}{text}"));
        for (secrets, matched) in [
            (vec![secret(active), secret(pending)], 0),
            (vec![secret(pending)], 0),
            (vec![SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), secret(pending)], 1),
        ] {
            let verified = verify(&headers, body, &secrets, 1_781_254_841, 300).unwrap();
            assert_eq!(verified.matched_secret, matched);
        }
    }
}

proptest! {
    #[test]
    fn what_the_reference_library_signs_is_verified_and_nothing_else(
        key in prop::collection::vec(any::<u8>(), 24..64),
        id in "[A-Za-z0-9_-]{1,64}",
        timestamp in 1_000_000_000_i64..4_000_000_000,
        body in ".{0,200}",
        flip in any::<prop::sample::Index>(),
    ) {
        let judge = standardwebhooks::Webhook::from_bytes(key.clone()).unwrap();
        let signature = judge.sign(&id, timestamp, body.as_bytes()).unwrap();
        let headers = headers([
            ("webhook-id", id.as_str()),
            ("webhook-timestamp", &timestamp.to_string()),
            ("webhook-signature", &signature),
        ]);
        let secret = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &key);
        let secrets = [SecretString::from(secret)];
        prop_assert!(verify(&headers, body.as_bytes(), &secrets, timestamp, 300).is_ok());

        let mut changed = body.into_bytes();
        if changed.is_empty() {
            changed.push(b' ');
        } else {
            let place = flip.index(changed.len());
            changed[place] ^= 1;
        }
        prop_assert_eq!(
            verify(&headers, &changed, &secrets, timestamp, 300),
            Err(Rejection::NoMatchingSignature)
        );
    }
}
