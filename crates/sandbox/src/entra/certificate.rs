//! The certificates of the app: as much of X.509 as a login needs, and the signatures made with their keys.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use data_encoding::{BASE64, HEXUPPER};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// The version of a certificate, left out by those of version 1.
const VERSION: u8 = 0xA0;

/// A certificate that is registered on the app.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Certificate {
    /// SHA-1 of the certificate, `x5t` in an assertion, in upper-case hexadecimal digits as the portal shows it.
    pub(super) thumbprint: String,
    /// SHA-256 of the certificate, `x5t#S256` in an assertion.
    pub(super) thumbprint_256: String,
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    /// `SubjectPublicKeyInfo`
    key: Vec<u8>,
}

/// How an assertion is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
}

impl Certificate {
    /// Reads a PEM or the base64 of a DER; none if it is no certificate.
    pub(super) fn read(text: &str) -> Option<Self> {
        let begun = text.split_once("-----BEGIN CERTIFICATE-----").map_or(text, |(_, rest)| rest);
        let base64: String = begun.split("-----END").next()?.split_whitespace().collect();
        let whole = BASE64.decode(base64.as_bytes()).ok()?;
        let mut body = Der(Der(Der(&whole).content(SEQUENCE)?).content(SEQUENCE)?);
        // The version, if there is one, and the serial number; then signature algorithm and issuer.
        if body.next()?.tag == VERSION {
            body.next()?;
        }
        body.next()?;
        body.next()?;
        let mut validity = Der(body.content(SEQUENCE)?);
        let (start, end) = (validity.next()?.moment()?, validity.next()?.moment()?);
        // The subject.
        body.next()?;
        let key = body.next().filter(|key| key.tag == SEQUENCE)?.whole.to_vec();
        Some(Self {
            thumbprint: HEXUPPER.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &whole).as_ref()),
            thumbprint_256: HEXUPPER.encode(digest(&SHA256, &whole).as_ref()),
            start,
            end,
            key,
        })
    }

    /// Whether the key of this certificate has made the signature.
    pub(super) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let algorithm = match algorithm {
            Algorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
        };
        UnparsedPublicKey::new(algorithm, &self.key).verify(message, signature).is_ok()
    }
}

/// What is left to read of a DER.
pub(super) struct Der<'a>(pub(super) &'a [u8]);

/// One element of a DER.
struct Element<'a> {
    tag: u8,
    content: &'a [u8],
    /// With tag and length.
    whole: &'a [u8],
}

impl<'a> Der<'a> {
    fn next(&mut self) -> Option<Element<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            // No certificate has a part of 16 MB.
            let count = usize::from(first & 0x7F);
            let bytes = rest.get(..count).filter(|bytes| (1..=3).contains(&bytes.len()))?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), &rest[count..])
        };
        let content = rest.get(..length)?;
        let (whole, after) = self.0.split_at(self.0.len() - rest.len() + length);
        self.0 = after;
        Some(Element { tag, content, whole })
    }

    /// What is in the next element, if it has this tag.
    pub(super) fn content(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|element| element.tag == tag).map(|element| element.content)
    }
}

impl Element<'_> {
    /// `YYMMDDHHMMSSZ` until 2049, with a four-digit year afterwards.
    fn moment(&self) -> Option<Timestamp> {
        let text = std::str::from_utf8(self.content).ok()?;
        let text = match self.tag {
            UTC_TIME => format!("{}{text}", if text < "50" { "20" } else { "19" }),
            GENERALIZED_TIME => text.to_owned(),
            _ => return None,
        };
        let moment = DateTime::strptime("%Y%m%d%H%M%SZ", text).ok()?;
        TimeZone::UTC.to_timestamp(moment).ok()
    }
}
