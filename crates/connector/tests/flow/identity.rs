//! A certificate with its private key, made for one test.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use data_encoding::BASE64;

/// Both as PEM, one after the other: what an application signs in with.
pub fn pem() -> String {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let public = key.public_key().as_der().unwrap();
    let validity = der(0x30, &[&der(0x17, &[b"250101000000Z"]), &der(0x17, &[b"491231235959Z"])]);
    let (algorithm, name) = (der(0x30, &[]), der(0x30, &[]));
    let version = der(0xA0, &[&der(0x02, &[&[2]])]);
    let body = [&version, &der(0x02, &[&[1]]), &algorithm, &name, &validity, &name, public.as_ref()];
    // Nobody checks who has signed it: a certificate is trusted because it was uploaded.
    let certificate = der(0x30, &[&der(0x30, &body), &algorithm, &der(0x03, &[&[0]])]);
    let private: Pkcs8V1Der<'_> = key.as_der().unwrap();
    format!("{}{}", block("CERTIFICATE", &certificate), block("PRIVATE KEY", private.as_ref()))
}

fn block(label: &str, der: &[u8]) -> String {
    let text = BASE64.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x82][..], &length, &content].concat()
}
