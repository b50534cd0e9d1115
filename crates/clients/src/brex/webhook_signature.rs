//! Whether a delivery really comes from Brex: HMAC-SHA256 over id, timestamp and raw body (the Standard Webhooks scheme).
//! Pure and strict where the reference libraries differ. What the body says is not looked at here.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::header::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// The largest body that is verified. Read no more than one byte beyond it.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// The usual tolerance between the sender's clock and ours, in both directions.
pub const DEFAULT_TOLERANCE_SECONDS: u64 = 300;

const MAX_ID_BYTES: usize = 256;
const MAX_SIGNATURES: usize = 16;

/// The names of the three headers: Brex's own, and those of the service that defined the scheme. The two are never
/// mixed in one delivery.
const FAMILIES: [[&str; 3]; 2] =
    [["webhook-id", "webhook-timestamp", "webhook-signature"], ["svix-id", "svix-timestamp", "svix-signature"]];

/// Secrets come with and without padding.
const SECRET_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A genuine delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The id, the same for every attempt to deliver it.
    pub id: String,
    /// When this attempt was signed, in Unix seconds.
    pub timestamp: i64,
    /// Which of the given secrets signed it.
    pub matched_secret: usize,
}

/// Why a delivery is refused. The sender learns nothing of it; it is for our own counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Rejection {
    /// The id header is absent or empty.
    #[error("the delivery has no id")]
    MissingId,
    /// The timestamp header is absent or empty.
    #[error("the delivery has no timestamp")]
    MissingTimestamp,
    /// The signature header is absent or empty.
    #[error("the delivery has no signature")]
    MissingSignature,
    /// A header is doubled, too long, or not of the form that the scheme asks for.
    #[error("a signed header is malformed")]
    BadHeader,
    /// The timestamp is not a plain whole number.
    #[error("the timestamp is malformed")]
    BadTimestamp,
    /// Signed too long ago.
    #[error("the delivery was signed too long ago")]
    TimestampTooOld,
    /// Signed too far in the future.
    #[error("the delivery was signed in the future")]
    TimestampTooNew,
    /// No signature was made by any of the secrets.
    #[error("no signature matches")]
    NoMatchingSignature,
    /// Genuine, but the body is not UTF-8.
    #[error("the body is not utf-8")]
    BodyNotUtf8,
    /// The body is over the limit.
    #[error("the body is too large")]
    BodyTooLarge,
    /// There is no secret to check with.
    #[error("no secret is configured")]
    SecretMissing,
    /// None of the secrets can be used.
    #[error("no configured secret can be used")]
    SecretInvalid,
}

impl Rejection {
    /// A stable name for counters and logs.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::MissingId => "missing_id",
            Self::MissingTimestamp => "missing_timestamp",
            Self::MissingSignature => "missing_signature",
            Self::BadHeader => "bad_header",
            Self::BadTimestamp => "bad_timestamp",
            Self::TimestampTooOld => "timestamp_too_old",
            Self::TimestampTooNew => "timestamp_too_new",
            Self::NoMatchingSignature => "no_matching_signature",
            Self::BodyNotUtf8 => "body_not_utf8",
            Self::BodyTooLarge => "body_too_large",
            Self::SecretMissing => "secret_missing",
            Self::SecretInvalid => "secret_invalid",
        }
    }
}

/// Checks a delivery as it was received: limits, headers, clock, secrets, signature, in this order.
pub fn verify(
    headers: &HeaderMap,
    body: &[u8],
    secrets: &[SecretString],
    now_unix: i64,
    tolerance_seconds: u64,
) -> Result<Verified, Rejection> {
    if body.len() > MAX_BODY_BYTES {
        return Err(Rejection::BodyTooLarge);
    }
    let signed = SignedHeaders::read(headers)?;
    let timestamp = check_clock(signed.timestamp, now_unix, tolerance_seconds)?;
    let keys = usable_keys(secrets)?;
    let matched_secret = matching_key(&keys, &signed, body).ok_or(Rejection::NoMatchingSignature)?;
    if std::str::from_utf8(body).is_err() {
        return Err(Rejection::BodyNotUtf8);
    }
    Ok(Verified { id: signed.id.to_owned(), timestamp, matched_secret })
}

/// The signature header of a delivery, as Brex makes it.
pub fn sign(secret: &SecretString, id: &str, timestamp: &str, body: &[u8]) -> Result<String, Rejection> {
    let keys = usable_keys(std::slice::from_ref(secret))?;
    let signatures = keys.iter().map(|(_, key)| format!("v1,{}", signature(key, id, timestamp, body)));
    Ok(signatures.collect())
}

/// Made of id, timestamp and body, in base64.
fn signature(key: &Hmac<Sha256>, id: &str, timestamp: &str, body: &[u8]) -> String {
    let mut mac = key.clone();
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

struct SignedHeaders<'a> {
    id: &'a str,
    timestamp: &'a str,
    signatures: Vec<&'a str>,
}

impl<'a> SignedHeaders<'a> {
    fn read(headers: &'a HeaderMap) -> Result<Self, Rejection> {
        let [id, timestamp, signature] = FAMILIES
            .into_iter()
            .find(|family| family.iter().any(|name| headers.contains_key(*name)))
            .unwrap_or(FAMILIES[0]);
        let missing = [Rejection::MissingId, Rejection::MissingTimestamp, Rejection::MissingSignature];
        for (name, rejection) in [id, timestamp, signature].into_iter().zip(missing) {
            if headers.get(name).is_none_or(HeaderValue::is_empty) {
                return Err(rejection);
            }
        }
        let [id, timestamp, signature] = [only(headers, id)?, only(headers, timestamp)?, only(headers, signature)?];
        // A full stop in the id would let a genuine signature be cut into another id, timestamp and body.
        if id.len() > MAX_ID_BYTES || id.contains('.') {
            return Err(Rejection::BadHeader);
        }
        let signatures: Vec<_> = signature.split(' ').filter(|entry| !entry.is_empty()).collect();
        if signatures.len() > MAX_SIGNATURES {
            return Err(Rejection::BadHeader);
        }
        Ok(Self { id, timestamp, signatures })
    }

    fn v1(&self) -> impl Iterator<Item = &'a str> {
        self.signatures.iter().filter_map(|entry| match entry.split_once(',') {
            Some(("v1", signature)) => Some(signature),
            _ => None,
        })
    }
}

/// The value of a header that must be there exactly once.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, Rejection> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().map_err(|_| Rejection::BadHeader),
        _ => Err(Rejection::BadHeader),
    }
}

fn check_clock(text: &str, now_unix: i64, tolerance_seconds: u64) -> Result<i64, Rejection> {
    let canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    let timestamp = text.parse::<i64>().ok().filter(|_| canonical).ok_or(Rejection::BadTimestamp)?;
    if timestamp.abs_diff(now_unix) <= tolerance_seconds {
        Ok(timestamp)
    } else if timestamp < now_unix {
        Err(Rejection::TimestampTooOld)
    } else {
        Err(Rejection::TimestampTooNew)
    }
}

/// The keys with the place of the secret each comes from.
fn usable_keys(secrets: &[SecretString]) -> Result<Vec<(usize, Hmac<Sha256>)>, Rejection> {
    if secrets.is_empty() {
        return Err(Rejection::SecretMissing);
    }
    let keys: Vec<_> = secrets
        .iter()
        .enumerate()
        .filter_map(|(place, secret)| {
            let text = secret.expose_secret();
            let key = SECRET_BASE64.decode(text.strip_prefix("whsec_").unwrap_or(text)).ok()?;
            let mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
            (!key.is_empty()).then_some((place, mac))
        })
        .collect();
    if keys.is_empty() { Err(Rejection::SecretInvalid) } else { Ok(keys) }
}

/// Compares every key with every signature, so that the time taken does not tell which one was near.
fn matching_key(keys: &[(usize, Hmac<Sha256>)], signed: &SignedHeaders<'_>, body: &[u8]) -> Option<usize> {
    let mut matched = None;
    for (place, key) in keys {
        // Compared as text: several texts can decode to the same bytes, and only one of them is right.
        let expected = signature(key, signed.id, signed.timestamp, body);
        for signature in signed.v1() {
            if bool::from(signature.as_bytes().ct_eq(expected.as_bytes())) {
                matched = matched.or(Some(*place));
            }
        }
    }
    matched
}
