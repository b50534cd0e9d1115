//! Sign-in with a certificate: a short-lived JWT, signed with the certificate's key, takes the place of the client secret.
//! <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PSS_SHA256;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use uuid::Uuid;

/// How long an assertion is good, in seconds. Entra ID recommends five to ten minutes.
const LIFE_S: i64 = 300;
/// It counts from a little before now, since clocks differ.
const EARLY_S: i64 = 60;

/// Tells the time; assertions carry it.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A certificate with its private key.
#[derive(Clone)]
pub struct Certificate {
    /// The text that it was read from.
    pem: SecretString,
    key: Arc<KeyPair>,
    /// SHA-256 of the certificate, as `x5t#S256` names it.
    thumbprint: String,
    now: Now,
}

/// The text cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// No certificate in it.
    #[error("holds no certificate: it has to be PEM text with -----BEGIN CERTIFICATE----- and the private key")]
    NoCertificate,
    /// No private key in it.
    #[error("holds no private key: put the key of the certificate into the same PEM text, without a password")]
    NoKey,
    /// Entra ID takes RSA keys for PS256.
    #[error("holds a private key that is not RSA, or shorter than 2048 bits")]
    NotRsa,
}

impl Certificate {
    /// Reads PEM text that holds the certificate and its private key, in any order.
    pub fn read(pem: SecretString, now: Now) -> Result<Self, CertificateError> {
        let text = pem.expose_secret().as_bytes();
        let certificate = CertificateDer::from_pem_slice(text).map_err(|_| CertificateError::NoCertificate)?;
        let key = match PrivateKeyDer::from_pem_slice(text).map_err(|_| CertificateError::NoKey)? {
            PrivateKeyDer::Pkcs8(key) => KeyPair::from_pkcs8(key.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(key) => KeyPair::from_der(key.secret_pkcs1_der()),
            _ => return Err(CertificateError::NotRsa),
        };
        let key = key.map_err(|_| CertificateError::NotRsa)?;
        let thumbprint = BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, &certificate));
        Ok(Self { pem, key: Arc::new(key), thumbprint, now })
    }

    /// A signed assertion of this application for the token endpoint `audience`; nothing if the key cannot sign.
    pub(super) fn assertion(&self, client_id: &str, audience: &str) -> Option<SecretString> {
        let now = (self.now)().as_second();
        let header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint });
        let claims = json!({
            "aud": audience, "iss": client_id, "sub": client_id, "jti": Uuid::new_v4(),
            "nbf": now.saturating_sub(EARLY_S), "iat": now, "exp": now.saturating_add(LIFE_S),
        });
        let part = |value: &serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PSS_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).ok()?;
        Some(SecretString::from(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))))
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.pem.expose_secret() == other.pem.expose_secret()
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("thumbprint", &self.thumbprint).finish_non_exhaustive()
    }
}
