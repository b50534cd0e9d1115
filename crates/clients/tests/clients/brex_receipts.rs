//! Receipts are downloaded without the token, from named hosts only, and never larger than allowed.

use clients::Kind;
use clients::brex::ReceiptHosts;

use crate::server::{Seen, Server, empty, json};

fn here() -> ReceiptHosts {
    ReceiptHosts { domains: Vec::new(), plain: vec!["127.0.0.1".to_owned()] }
}

#[tokio::test]
async fn a_receipt_is_written_to_a_file_and_hashed_without_sending_the_token() {
    let server = Server::start(|_, _| json(200, "%PDF-1.4")).await;
    let mut file = Vec::new();
    let link = format!("{}receipts/r.pdf?X-Amz-Signature=1", server.url);
    let download = server.brex().download_receipt(&link, &here(), 8, &mut file).await.unwrap();
    assert_eq!((download.bytes, file.as_slice()), (8, b"%PDF-1.4".as_slice()));
    let sha256 = uuid::Uuid::from_slice(&download.sha256[..16]).unwrap();
    assert_eq!(sha256.simple().to_string(), "e16fa5d9b51928755db85b917f0297ba");
    let [seen]: [Seen; 1] = server.seen().try_into().unwrap();
    assert_eq!(seen.header("authorization"), None);
}

#[tokio::test]
async fn what_is_too_large_gone_or_elsewhere_is_an_error() {
    let server = Server::start(|place, _| if place == 0 { json(200, "%PDF-1.4") } else { empty(403) }).await;
    let client = server.brex();
    let link = format!("{}r.pdf", server.url);
    let kind = async |link: &str, limit| {
        client.download_receipt(link, &here(), limit, &mut Vec::new()).await.unwrap_err().kind()
    };
    assert_eq!(kind(&link, 7).await, Kind::TooLarge);
    assert_eq!(kind(&link, 8).await, Kind::Forbidden);
    assert_eq!(kind("https://example.com/r.pdf", 8).await, Kind::Unreachable);
    assert_eq!(server.seen().len(), 2, "nobody else is asked");
}
