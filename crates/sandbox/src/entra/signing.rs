//! The key that the directory signs id tokens with.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::certificate::Der;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;

/// An RSA key with its name.
pub(super) struct SigningKey {
    pair: KeyPair,
    /// `kid`
    pub(super) id: String,
}

impl SigningKey {
    /// Another key each time.
    #[expect(clippy::expect_used, reason = "it fails only if the system has no random numbers")]
    pub(super) fn make() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("a key");
        let id = BASE64URL_NOPAD.encode(&Sha256::digest(pair.public_key().as_ref()))[..27].to_owned();
        Self { pair, id }
    }

    /// A JWT of these claims that names `id` as its key.
    #[expect(clippy::expect_used, reason = "a key of ours signs anything")]
    pub(super) fn sign(&self, id: &str, claims: &Value) -> String {
        let head = encoded(&json!({ "typ": "JWT", "alg": "RS256", "kid": id }));
        let signed = format!("{head}.{}", encoded(claims));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .expect("a signature");
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
    }

    /// A JWT that nobody signed.
    pub(super) fn unsigned(claims: &Value) -> String {
        format!("{}.{}.", encoded(&json!({ "typ": "JWT", "alg": "none" })), encoded(claims))
    }

    /// The public half as an entry of `keys`.
    pub(super) fn as_jwk(&self, issuer: &str) -> Value {
        let (modulus, exponent) = self.numbers().unwrap_or_default();
        json!({
            "kty": "RSA", "use": "sig", "kid": self.id, "x5t": self.id, "n": modulus, "e": exponent, "issuer": issuer,
        })
    }

    /// Modulus and exponent as in `RSAPublicKey` (RFC 8017, A.1.1), without the zero that keeps a number positive.
    fn numbers(&self) -> Option<(String, String)> {
        let mut numbers = Der(Der(self.pair.public_key().as_ref()).content(SEQUENCE)?);
        let mut next = || {
            let bytes = numbers.content(INTEGER)?;
            Some(BASE64URL_NOPAD.encode(bytes.strip_prefix(&[0]).unwrap_or(bytes)))
        };
        Some((next()?, next()?))
    }
}

fn encoded(value: &Value) -> String {
    BASE64URL_NOPAD.encode(value.to_string().as_bytes())
}
