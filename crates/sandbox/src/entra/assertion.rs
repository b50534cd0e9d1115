//! `client_assertion`: a JWT that the app has signed with the key of one of its certificates.

use data_encoding::{BASE64URL_NOPAD, HEXUPPER};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::certificate::{Algorithm, Certificate};
use super::refusal::Refusal;

/// The only kind of assertion.
pub(super) const KIND: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A signed assertion, taken apart but not believed.
pub(super) struct Assertion<'a> {
    header: Header,
    claims: Claims,
    signed: &'a str,
    signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    x5t: Option<String>,
    #[serde(rename = "x5t#S256")]
    x5t_256: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    aud: String,
    iss: String,
    sub: String,
    exp: i64,
    #[serde(default)]
    nbf: i64,
}

impl<'a> Assertion<'a> {
    pub(super) fn read(text: &'a str) -> Result<Self, Refusal> {
        let parts = || {
            let (signed, signature) = text.rsplit_once('.')?;
            let (header, claims) = signed.split_once('.')?;
            let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).ok()?;
            Some(Self { header: json(header)?, claims: json(claims)?, signed, signature })
        };
        parts().ok_or_else(Refusal::malformed)
    }

    /// Whether one of the certificates has signed it, for this app and one of these audiences, and it is valid at this moment.
    pub(super) fn check(
        &self,
        certificates: &[Certificate],
        app: Uuid,
        audiences: &[String],
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let algorithm = match self.header.alg.as_str() {
            "RS256" => Algorithm::Rs256,
            "PS256" => Algorithm::Ps256,
            _ => return Err(Refusal::malformed()),
        };
        let claims = &self.claims;
        let is_app = |id: &str| Uuid::try_parse(id).is_ok_and(|id| id == app);
        if !is_app(&claims.iss) || !is_app(&claims.sub) {
            return Err(Refusal::subject());
        }
        let certificate = self.certificate(certificates, app)?;
        let spoilt =
            |reason: &str| Refusal::bad_key(reason, &certificate.thumbprint, (certificate.start, certificate.end), app);
        if now < certificate.start || certificate.end < now {
            return Err(spoilt("The key used is expired."));
        }
        if !certificate.verifies(algorithm, self.signed.as_bytes(), &self.signature) {
            return Err(spoilt("The provided signature value did not match the expected signature value."));
        }
        if !audiences.iter().any(|audience| audience.eq_ignore_ascii_case(&claims.aud)) {
            return Err(Refusal::audience());
        }
        let moment = |seconds| Timestamp::from_second(seconds).map_err(|_| Refusal::malformed());
        let (from, until) = (moment(claims.nbf)?, moment(claims.exp)?);
        if now < from || until <= now {
            return Err(Refusal::not_in_time(now, from, until));
        }
        Ok(())
    }

    fn certificate<'c>(&self, certificates: &'c [Certificate], app: Uuid) -> Result<&'c Certificate, Refusal> {
        let hex = |thumbprint: &Option<String>| {
            thumbprint
                .as_ref()
                .and_then(|text| BASE64URL_NOPAD.decode(text.as_bytes()).ok())
                .map(|it| HEXUPPER.encode(&it))
        };
        let (short, long) = (hex(&self.header.x5t), hex(&self.header.x5t_256));
        let found = certificates.iter().find(|certificate| {
            long.as_ref()
                .map_or(short.as_ref() == Some(&certificate.thumbprint), |long| *long == certificate.thumbprint_256)
        });
        found.ok_or_else(|| Refusal::unknown_key(long.or(short).as_deref(), app))
    }
}

fn json<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).ok()?).ok()
}
