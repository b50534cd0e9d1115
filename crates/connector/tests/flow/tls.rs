//! A certificate of our own: what is answered under it, and what is said when it cannot be used.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use connector::config::{SecretSource, TlsSection};
use connector::web;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::own_certificate;
use crate::webhook_vectors::Receiver;

fn make_certificate(folder: &Path, name: &str) -> TlsSection {
    let (certificate, key) = own_certificate::make(folder, name);
    TlsSection { certificate, key: SecretSource::File(key) }
}

#[tokio::test]
async fn under_a_certificate_of_its_own_it_answers_https_and_nothing_plain() {
    let folder = tempfile::tempdir().unwrap();
    let section = make_certificate(folder.path(), "own");
    let receiver = Receiver::start(&["a"]).await;
    let listener = web::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let listener = listener.with_tls(Some(section.acceptor(folder.path()).unwrap()));
    let stop = CancellationToken::new();
    let server = tokio::spawn(web::serve(listener, Arc::clone(&receiver.app), stop.clone()));

    let root = reqwest::Certificate::from_pem(&std::fs::read(&section.certificate).unwrap()).unwrap();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([root]).build().unwrap();
    let answer = client.get(format!("https://{address}/healthz")).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, "ok"));
    let handshake = client.get(format!("https://{address}/hooks/bc/A?validationToken=x")).send().await.unwrap();
    assert_eq!(handshake.headers()["x-content-type-options"], "nosniff");

    let mut plain = TcpStream::connect(address).await.unwrap();
    plain.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    // An alert of TLS, or nothing: never a word of HTTP.
    let _ended = plain.read_to_end(&mut answer).await;
    assert!(!answer.windows(4).any(|part| part == b"HTTP"));

    drop(client);
    stop.cancel();
    server.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[test]
fn a_certificate_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (make_certificate(folder.path(), "one"), make_certificate(folder.path(), "other"));
    let said = |section: &TlsSection| section.acceptor(folder.path()).err().unwrap().to_string();
    let mixed = TlsSection { certificate: one.certificate.clone(), key: other.key };
    assert!(said(&mixed).starts_with("tls cannot be used"), "{}", said(&mixed));
    let absent = TlsSection { certificate: folder.path().join("absent.pem"), key: one.key.clone() };
    assert!(said(&absent).contains("absent.pem cannot be read"), "{}", said(&absent));
    let SecretSource::File(key) = &one.key else { panic!("a file") };
    let keyless = TlsSection { certificate: key.clone(), key: one.key.clone() };
    assert!(said(&keyless).contains("holds no certificate"), "{}", said(&keyless));
    std::fs::set_permissions(key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(said(&one).contains("which others can read"), "{}", said(&one));
}
