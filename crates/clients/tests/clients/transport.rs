//! What each kind of broken exchange means: may it be repeated, and may a write have been executed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clients::brex::ExportResult;
use clients::{Effect, Ended, Error, Http, Kind, Pace, Retry, System};
use secrecy::SecretString;
use url::Url;

use crate::server::{Server, UNPACED, empty, json, raw_server};

fn result() -> [ExportResult; 1] {
    [ExportResult::Success { record_id: "accr_1".to_owned(), reference_id: None, deep_link_url: None }]
}

async fn read_and_write(client: &clients::brex::Client) -> (Error, Error) {
    (client.get_company().await.unwrap_err(), client.report_export_results(&result()).await.unwrap_err())
}

fn client_for(url: Url) -> clients::brex::Client {
    clients::brex::Client::new(Server::http(), url, SecretString::from("bxt_secret"))
}

#[tokio::test]
async fn a_server_that_is_not_there_was_never_asked() {
    // Bound, so that nobody else can have it, and not listening.
    let closed = tokio::net::TcpSocket::new_v4().unwrap();
    closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = Url::parse(&format!("http://{}", closed.local_addr().unwrap())).unwrap();
    let (read, write) = read_and_write(&client_for(url)).await;
    for error in [read, write] {
        assert_eq!((error.kind(), error.retry(), error.effect()), (Kind::Unreachable, Retry::Soon, Effect::None));
        assert_eq!((error.system(), error.status()), (System::Brex, None));
    }
}

#[tokio::test]
async fn a_connection_that_closes_without_an_answer_leaves_a_write_unknown_and_unrepeated() {
    let (url, count) = raw_server(vec!["", ""]);
    let error = client_for(url).report_export_results(&result()).await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (Kind::ConnectionLost, Effect::Unknown));
    assert_eq!(*count.lock().unwrap(), 1);
}

#[tokio::test]
async fn a_read_is_repeated_once_after_a_lost_connection() {
    let found = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"id\":\"c1\"}";
    let (url, count) = raw_server(vec!["", found]);
    let client = client_for(url);
    assert_eq!(client.get_company().await.unwrap().id, "c1");
    assert_eq!(*count.lock().unwrap(), 2);

    let (url, count) = raw_server(vec!["", "", found]);
    let error = client_for(url).get_company().await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (Kind::ConnectionLost, Effect::None));
    assert_eq!(*count.lock().unwrap(), 2);
}

#[tokio::test]
async fn a_truncated_answer_leaves_a_write_unknown() {
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"updated_acc";
    let (url, count) = raw_server(vec![cut, cut]);
    let error = client_for(url).report_export_results(&result()).await.unwrap_err();
    assert_eq!((error.kind(), error.effect(), error.status()), (Kind::Unreadable, Effect::Unknown, Some(200)));
    assert_eq!(*count.lock().unwrap(), 1);
}

#[tokio::test]
async fn a_truncated_refusal_of_the_credential_is_still_one() {
    let cut = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 500\r\n\r\n{\"error";
    let (url, _) = raw_server(vec![cut]);
    let error = client_for(url).report_export_results(&result()).await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (Kind::Unauthorized, Effect::None));
}

#[tokio::test]
async fn an_answer_of_another_form_leaves_a_write_unknown() {
    let server = Server::start(|_, _| json(200, "<html>all good</html>")).await;
    let (read, write) = read_and_write(&server.brex()).await;
    assert_eq!((read.kind(), read.effect()), (Kind::Unreadable, Effect::None));
    assert_eq!((write.kind(), write.effect()), (Kind::Unreadable, Effect::Unknown));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let target = Server::start(|_, _| json(200, "{}")).await;
    let location = target.url.to_string();
    for status in [301, 302, 303, 307, 308] {
        let location = location.clone();
        let server = Server::start(move |_, _| {
            let mut answer = empty(status);
            answer.headers_mut().insert("location", location.parse().unwrap());
            answer
        })
        .await;
        let (read, write) = read_and_write(&server.brex()).await;
        assert_eq!((read.kind(), read.retry()), (Kind::Redirected, Retry::Never));
        assert_eq!((write.kind(), write.effect()), (Kind::Redirected, Effect::Unknown));
    }
    assert!(target.seen().is_empty());
}

#[tokio::test]
async fn a_throttled_call_says_how_long_to_wait_if_the_server_did() {
    let server = Server::start(|place, _| {
        let mut answer = empty(429);
        if place == 1 {
            answer.headers_mut().insert("retry-after", "30".parse().unwrap());
        }
        answer
    })
    .await;
    let (without, with) = read_and_write(&server.brex()).await;
    assert_eq!((without.kind(), without.retry(), without.retry_after_ms()), (Kind::Throttled, Retry::Soon, None));
    assert_eq!((with.retry(), with.retry_after_ms()), (Retry::After(30_000), Some(30_000)));
    assert_eq!(with.effect(), Effect::None);
}

#[tokio::test]
async fn fewer_calls_are_under_way_after_a_sign_of_overload_and_all_again_after_good_answers() {
    let server = Server::start(|nth, _| match nth {
        0 => empty(503),
        1 => empty(429),
        2 => empty(500),
        _ => json(200, r#"{"id":"c1"}"#),
    })
    .await;
    let http = Http::new(Pace { max_concurrent: 5, ..UNPACED }).unwrap();
    let client = server.brex_over(http.clone());
    let mut slots = vec![http.slots()];
    for _ in 0..14 {
        let _ = client.get_company().await;
        slots.push(http.slots());
    }
    assert_eq!(slots, [5, 2, 1, 1, 2, 2, 3, 3, 3, 4, 4, 4, 4, 5, 5]);
}

#[tokio::test]
async fn an_answer_over_the_limit_is_given_up() {
    let server = Server::start(|_, _| json(200, &"x".repeat(2000))).await;
    let client = server.brex_over(Http::with_response_limit(UNPACED, 1999).unwrap());
    let (read, write) = read_and_write(&client).await;
    assert_eq!((read.kind(), read.effect()), (Kind::TooLarge, Effect::None));
    assert_eq!((write.kind(), write.effect()), (Kind::TooLarge, Effect::Unknown));
}

#[tokio::test]
async fn an_answer_over_the_limit_is_given_up_without_an_announced_length() {
    let endless =
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"id\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}";
    let (url, _) = raw_server(vec![endless]);
    let http = Http::with_response_limit(UNPACED, 20).unwrap();
    let client = clients::brex::Client::new(http, url, SecretString::from("bxt_secret"));
    assert_eq!(client.get_company().await.unwrap_err().kind(), Kind::TooLarge);
}

#[tokio::test]
async fn a_read_only_client_sends_no_writes() {
    let server = Server::start(|_, _| json(200, r#"{"id":"c1"}"#)).await;
    let http = Server::http();
    let client = server.brex_over(http.read_only());
    assert_eq!(client.get_company().await.unwrap().id, "c1");
    let error = client.report_export_results(&result()).await.unwrap_err();
    assert_eq!((error.kind(), error.effect(), error.retry()), (Kind::ReadOnly, Effect::None, Retry::Never));
    assert_eq!(server.seen().len(), 1);
    assert_eq!(http.calls().into_iter().collect::<Vec<_>>(), [("get_company", 1)]);
}

#[tokio::test]
async fn requests_are_counted_by_what_they_came_to() {
    let server = Server::start(|nth, _| match nth {
        0 | 1 => json(429, "{}"),
        2 => json(500, "{}"),
        _ => json(200, r#"{"id":"c1"}"#),
    })
    .await;
    let http = Server::http();
    let client = server.brex_over(http.clone());
    for _ in 0..4 {
        let _ = client.get_company().await;
    }
    let counted = |outcome| Ended { system: "brex", operation: "get_company", outcome };
    let ended: Vec<_> = http.read_only().ended().into_iter().collect();
    assert_eq!(ended, [(counted("ok"), 1), (counted("server_error"), 1), (counted("throttled"), 2)]);
    assert!(http.is_same(&http.read_only()) && !http.is_same(&Server::http()));
}

#[tokio::test]
async fn a_call_that_is_no_longer_permitted_when_its_turn_has_come_is_not_sent() {
    let server = Server::start(|_, _| json(200, r#"{"id":"c1"}"#)).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&asked);
    let http = Server::http().permitted_by(Arc::new(move || {
        let is_first = counting.fetch_add(1, Ordering::SeqCst) == 0;
        Box::pin(std::future::ready(is_first))
    }));
    let client = server.brex_over(http.clone());
    assert_eq!(client.get_company().await.unwrap().id, "c1");
    let (read, write) = read_and_write(&client).await;
    for error in [read, write] {
        assert_eq!((error.kind(), error.effect(), error.retry()), (Kind::Withheld, Effect::None, Retry::Soon));
    }
    assert_eq!((server.seen().len(), asked.load(Ordering::SeqCst)), (1, 3));
    assert_eq!(http.calls().into_iter().collect::<Vec<_>>(), [("get_company", 1)]);
}

#[tokio::test]
async fn calls_keep_to_the_number_in_flight() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let http = Http::new(Pace { max_concurrent: 2, ..UNPACED }).unwrap();
    let client = clients::brex::Client::new(http.clone(), url, SecretString::from("bxt_secret"));
    let calls: Vec<_> = (0..3)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.report_export_results(&result()).await.unwrap_err() })
        })
        .collect();
    let (first, _) = listener.accept().await.unwrap();
    let (second, _) = listener.accept().await.unwrap();
    first.readable().await.unwrap();
    second.readable().await.unwrap();
    assert_eq!(http.calls()["report_export_results"], 2);
    drop(first);
    let (third, _) = listener.accept().await.unwrap();
    assert_eq!(http.calls()["report_export_results"], 3);
    drop((second, third));
    for call in calls {
        assert_eq!(call.await.unwrap().effect(), Effect::Unknown);
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_leaves_a_write_unknown() {
    // Accepts connections and never answers; the clock is moved instead of waiting.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client_for(Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap());
    let call = tokio::spawn(async move { client.report_export_results(&result()).await.unwrap_err() });
    let (stream, _) = listener.accept().await.unwrap();
    stream.readable().await.unwrap();
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    let error = call.await.unwrap();
    assert_eq!((error.kind(), error.effect(), error.retry()), (Kind::TimedOut, Effect::Unknown, Retry::Soon));
}

#[tokio::test]
async fn an_answer_that_stops_half_way_runs_into_the_same_deadline() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client_for(Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap());
    let call = tokio::spawn(async move { client.report_export_results(&result()).await.unwrap_err() });
    let (mut stream, _) = listener.accept().await.unwrap();
    stream.readable().await.unwrap();
    let begun = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{";
    tokio::io::AsyncWriteExt::write_all(&mut stream, begun).await.unwrap();
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    let error = call.await.unwrap();
    assert_eq!((error.kind(), error.effect()), (Kind::TimedOut, Effect::Unknown));
}

#[tokio::test]
async fn nothing_secret_is_printed() {
    let server =
        Server::start(|_, _| json(401, r#"{"type":"UNAUTHORIZED","message":"Invalid or Revoked Token"}"#)).await;
    let client = server.brex();
    let (error, _) = read_and_write(&client).await;
    for text in [format!("{client:?}"), format!("{error:?}"), error.to_string(), format!("{:?}", server.tokens())] {
        assert!(!text.contains("bxt_secret") && !text.contains("the~secret"), "{text}");
    }
    assert_eq!(error.to_string(), "brex refused the credential on get_company (status 401, UNAUTHORIZED)");
    assert_eq!(error.api_message(), Some("Invalid or Revoked Token"));
}
