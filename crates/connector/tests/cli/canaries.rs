//! Secrets to look for wherever the connector leaves or shows something, in every form that a text or a file may give them.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use data_encoding::HEXLOWER;

/// Shorter parts of a secret are found by chance.
const SHORTEST: usize = 12;

/// What must appear nowhere.
#[derive(Default)]
pub struct Canaries(Vec<(&'static str, Vec<String>)>);

impl Canaries {
    /// One more. A text of several lines is looked for line by line.
    pub fn add(&mut self, name: &'static str, secret: &str) {
        for line in secret.lines().map(str::trim).filter(|line| line.len() >= SHORTEST && !line.starts_with("---")) {
            self.0.push((name, forms(line.as_bytes())));
        }
    }

    /// One more that is made of bytes.
    pub fn add_bytes(&mut self, name: &'static str, secret: &[u8]) {
        self.0.push((name, forms(secret)));
    }

    /// Fails if one of them is in these bytes; `place` says what they are.
    pub fn assert_absent(&self, place: &str, bytes: &[u8]) {
        let text = latin(bytes);
        for (name, forms) in &self.0 {
            for (number, form) in forms.iter().enumerate() {
                if let Some(at) = text.find(form.as_str()) {
                    let around = &text[text.floor_char_boundary(at.saturating_sub(200))..at];
                    panic!("the {name} is in {place} (form {number}), behind: {around}");
                }
            }
        }
    }
}

/// Each byte as the character of its number, so that bytes of any kind can be searched as text.
fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// As it is, escaped in JSON, in a URL, as `Debug` shows bytes, in hex, and in Base64 at each of the three places that it may
/// have in what is encoded.
fn forms(secret: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(secret);
    let json = serde_json::Value::from(text.as_ref()).to_string();
    let hex = HEXLOWER.encode(secret);
    let list: Vec<String> = secret.iter().map(u8::to_string).collect();
    let mut forms = vec![
        latin(secret),
        json.trim_matches('"').to_owned(),
        url::form_urlencoded::byte_serialize(secret).collect(),
        hex.as_bytes().chunks(2).map(|byte| format!("%{}", latin(byte).to_uppercase())).collect::<Vec<_>>().concat(),
        hex.to_uppercase(),
        hex,
        list.join(", "),
        list.join(","),
    ];
    for before in 0..3 {
        let mut padded = vec![0; before];
        padded.extend_from_slice(secret);
        // Letters that the bytes before or behind would change are left out.
        let (from, to) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
        for encoded in [BASE64_STANDARD_NO_PAD.encode(&padded), BASE64_URL_SAFE_NO_PAD.encode(&padded)] {
            forms.push(encoded[from..to].to_owned());
        }
    }
    forms.sort();
    forms.dedup();
    forms
}

#[test]
fn a_secret_is_found_in_every_form() {
    let mut canaries = Canaries::default();
    canaries.add("token", "s3cret~\"word\"/one");
    let found = |text: &str| std::panic::catch_unwind(|| canaries.assert_absent("a text", text.as_bytes())).is_err();
    let secret = "s3cret~\"word\"/one";
    for text in [
        format!("behind {secret} before"),
        serde_json::json!({ "a": secret }).to_string(),
        url::form_urlencoded::Serializer::new(String::new()).append_pair("a", secret).finish(),
        BASE64_STANDARD_NO_PAD.encode(format!("kim:{secret}")),
        BASE64_URL_SAFE_NO_PAD.encode(format!("Bearer {secret}?")),
        format!("{:?}", secret.as_bytes()),
        HEXLOWER.encode(format!("{secret}.").as_bytes()),
    ] {
        assert!(found(&text), "{text}");
    }
    assert!(!found("s3cret~ word"));
}
