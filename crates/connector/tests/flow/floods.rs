//! Whoever floods one address takes nothing from another, of the same connection or of another one.

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::webhook_vectors::Receiver;

/// Bodies that one address may have at hand: read, or waiting for their turn.
const AT_HAND: usize = 128;

async fn post(receiver: &Receiver, path: &str, body: &str) -> TcpStream {
    let address = receiver.base_url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// The status of the answer, and the connection that it came on.
async fn answered(mut stream: TcpStream) -> (String, TcpStream) {
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.unwrap();
    (String::from_utf8_lossy(&head[9..]).into_owned(), stream)
}

#[tokio::test]
async fn slow_bodies_at_one_address_leave_every_other_address_as_it_is() {
    let receiver = Receiver::start(&["a", "b"]).await;
    let mut slow = FuturesUnordered::new();
    for _ in 0..=AT_HAND {
        slow.push(answered(post(&receiver, "/hooks/brex/A", "{").await));
    }
    // The one too many is told at once; the others are still waited for.
    let (status, _one) = slow.next().await.unwrap();
    assert_eq!((status.as_str(), slow.len()), ("429", AT_HAND));
    let whole = "{\"value\":[]}";
    for (path, status) in
        [("/hooks/brex/A", "429"), ("/hooks/bc/A", "202"), ("/hooks/brex/B", "401"), ("/hooks/bc/B", "202")]
    {
        assert_eq!(answered(post(&receiver, path, whole).await).await.0, status, "{path}");
    }
}
