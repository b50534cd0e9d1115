//! Slow senders and those who only hold connections, at an address of its own with small limits.
#![expect(clippy::unwrap_used, reason = "tests")]

use axum::body::Bytes;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::*;

const HEAD: Duration = Duration::from_secs(10);
const GET: &str = "GET /fast HTTP/1.1\r\nHost: x\r\n\r\n";

/// An address, how many requests at `/slow` have begun, and what they wait for.
struct Site {
    address: SocketAddr,
    begun: Arc<Semaphore>,
    release: Arc<Semaphore>,
    stop: CancellationToken,
}

impl Site {
    /// Limits on time are out of the way unless the test's clock stands still.
    async fn open(connections: usize, head: Duration) -> Self {
        let limits = Limits { connections, head, rest: head * 30 };
        let listener = Listener { limits, ..bind(([127, 0, 0, 1], 0).into()).await.unwrap() };
        let [begun, release] = [0, 0].map(|none| Arc::new(Semaphore::new(none)));
        let (begins, waits, stop) = (Arc::clone(&begun), Arc::clone(&release), CancellationToken::new());
        let slow = move |_: Bytes| async move {
            begins.add_permits(1);
            waits.acquire().await.unwrap().forget();
            "slow"
        };
        let router = Router::new().route("/fast", get(|| async { "fast" })).route("/slow", post(slow));
        let address = listener.local_addr().unwrap();
        tokio::spawn(listener.answer(router, stop.clone()));
        Self { address, begun, release, stop }
    }

    async fn sends(&self, bytes: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes.as_bytes()).await.unwrap();
        stream
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// What comes until the other side closes.
async fn rest_of(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    // A connection that is closed with something unread ends with a reset.
    let _ended = stream.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The answer to a request on a connection that stays open.
async fn answer(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    while !text.ends_with(end) {
        let mut part = [0; 1_024];
        let read = stream.read(&mut part).await.unwrap();
        assert!(read > 0, "closed after {text:?}");
        text.push_str(&String::from_utf8_lossy(&part[..read]));
    }
    text
}

#[tokio::test(start_paused = true)]
async fn whoever_is_slow_to_say_what_it_wants_is_let_go() {
    let site = Site::open(8, HEAD).await;
    for begin in ["", "G", "PRI * HT", "GET /fast HTTP/1.1\r\nHost: x\r\nX-Slow: ", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
    {
        let began = Instant::now();
        let _answer = rest_of(site.sends(begin).await).await;
        assert_eq!(began.elapsed().as_secs(), HEAD.as_secs(), "{begin:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_drips_has_no_more_time_than_one_that_stands_still() {
    let site = Site::open(8, HEAD).await;
    let mut stream = site.sends("GET /fast HTTP/1.1\r\n").await;
    let began = Instant::now();
    let mut drip = tokio::time::interval(HEAD / 5);
    let mut byte = [0; 1];
    loop {
        tokio::select! {
            _ = drip.tick() => if stream.write_all(b"x: y\r\n").await.is_err() { break },
            read = stream.read(&mut byte) => if read.unwrap_or(0) == 0 { break },
        }
    }
    assert!(began.elapsed() <= HEAD + HEAD / 5, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_kept_for_the_next_request_and_no_longer() {
    let site = Site::open(8, HEAD).await;
    let mut stream = site.sends(GET).await;
    answer(&mut stream, "fast").await;
    stream.write_all(GET.as_bytes()).await.unwrap();
    answer(&mut stream, "fast").await;
    let began = Instant::now();
    assert_eq!(rest_of(stream).await, "");
    assert!(began.elapsed() <= HEAD, "{:?}", began.elapsed());
}

#[tokio::test]
async fn connections_that_ask_for_nothing_make_room_for_one_that_does() {
    let site = Site::open(4, Duration::from_hours(1)).await;
    let first = site.sends("").await;
    let body_to_come = "POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nslow";
    let mut others = [site.sends("GET /fa").await, site.sends("PRI * HT").await, site.sends(body_to_come).await];
    let mut good = site.sends(GET).await;
    answer(&mut good, "fast").await;
    assert_eq!(rest_of(first).await, "", "the one that was quiet for longest had to leave");
    others[0].write_all(b"st HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    answer(&mut others[0], "fast").await;
    let [_, preface, body] = others;
    let more = [site.sends("").await, site.sends("").await];
    assert_eq!(
        (rest_of(preface).await, rest_of(body).await),
        (String::new(), String::new()),
        "a body that drips is quiet"
    );
    drop(more);
}

#[tokio::test]
async fn a_request_at_hand_is_never_given_up_for_a_new_connection() {
    let site = Site::open(2, Duration::from_hours(1)).await;
    let slow = "POST /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let at_work = [site.sends(slow).await, site.sends(slow).await];
    site.begun.acquire_many(2).await.unwrap().forget();
    for _ in 0..3 {
        assert_eq!(rest_of(site.sends("").await).await, "", "no room");
    }
    site.release.add_permits(2);
    for stream in at_work {
        assert!(rest_of(stream).await.ends_with("slow"));
    }
}
