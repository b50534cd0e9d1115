//! The shared receiver vectors, where they are at hand: the file named in `WEBHOOK_VECTORS`, else the one beside the
//! workspace.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clients::brex::webhook_signature::verify;
use secrecy::SecretString;
use serde::Deserialize;

use crate::webhook_signature::headers;

#[derive(Deserialize)]
struct Vectors {
    about: About,
    verify: Vec<Vector>,
}

#[derive(Deserialize)]
struct About {
    tolerance_seconds: u64,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    secrets: Vec<String>,
    now: i64,
    headers: Vec<(String, String)>,
    body: Option<String>,
    body_b64: Option<String>,
    body_repeat: Option<Repeat>,
    expect: Expect,
}

#[derive(Deserialize)]
struct Repeat {
    unit: String,
    count: usize,
}

#[derive(Deserialize)]
struct Expect {
    verdict: String,
    reason: String,
    matched_secret: Option<usize>,
}

impl Vector {
    fn body(&self) -> Vec<u8> {
        match (&self.body, &self.body_b64, &self.body_repeat) {
            (Some(text), None, None) => text.clone().into_bytes(),
            (None, Some(text), None) => STANDARD.decode(text).unwrap(),
            (None, None, Some(repeat)) => repeat.unit.repeat(repeat.count).into_bytes(),
            _ => panic!("{}: exactly one form of the body is expected", self.name),
        }
    }
}

/// The file, or nothing if none was named and there is none in the usual place.
#[expect(clippy::disallowed_methods, reason = "a test that is told by the environment where its data lies")]
fn vectors_path() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("WEBHOOK_VECTORS") {
        return Some(path.into());
    }
    let usual = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference/webhook-vectors.json");
    usual.exists().then_some(usual)
}

#[test]
fn webhook_vectors() {
    let Some(path) = vectors_path() else {
        eprintln!("skipped: no webhook vectors at hand (set WEBHOOK_VECTORS)");
        return;
    };
    let vectors: Vectors = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(!vectors.verify.is_empty());
    let mut wrong = Vec::new();
    for vector in &vectors.verify {
        let headers = headers(vector.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let secrets: Vec<_> = vector.secrets.iter().cloned().map(SecretString::from).collect();
        let outcome = verify(&headers, &vector.body(), &secrets, vector.now, vectors.about.tolerance_seconds);
        let (verdict, reason) = match &outcome {
            Ok(_) => ("accept", "ok"),
            Err(rejection) => ("reject", rejection.reason()),
        };
        let matched = outcome.as_ref().ok().map(|verified| verified.matched_secret);
        let expect = &vector.expect;
        let matched_as_expected = expect.matched_secret.is_none() || expect.matched_secret == matched;
        if (verdict, reason) != (expect.verdict.as_str(), expect.reason.as_str()) || !matched_as_expected {
            wrong.push(format!("{}: {verdict} {reason} {matched:?}", vector.name));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ: {wrong:#?}", wrong.len(), vectors.verify.len());
}
