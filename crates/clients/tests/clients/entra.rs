//! Tokens: cached, replaced early and once, and errors that keep Microsoft's number.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use clients::entra::TokenSource;
use clients::{Effect, Kind, Retry, System};
use secrecy::ExposeSecret as _;
use url::Url;

use crate::server::{json, token_source};

/// A token endpoint that counts, answers with `answer`, and checks the form of the request.
async fn token_server(answer: fn(usize) -> Response) -> (TokenSource, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let app = Router::new().route(
        "/contoso.com/oauth2/v2.0/token",
        axum::routing::post(move |body: String| {
            let number = counted.fetch_add(1, Ordering::SeqCst);
            async move {
                assert_eq!(
                    body,
                    "grant_type=client_credentials&client_id=3f0b0000-client&client_secret=the%7Esecret%26value\
                     &scope=https%3A%2F%2Fapi.businesscentral.dynamics.com%2F.default"
                );
                answer(number)
            }
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (token_source(&url), count)
}

fn numbered(number: usize) -> Response {
    json(200, &format!(r#"{{"token_type":"Bearer","expires_in":3599,"access_token":"token-{number}"}}"#))
}

#[tokio::test]
async fn callers_that_come_together_share_one_request() {
    let (tokens, count) = token_server(numbered).await;
    let waiting = (0..20).map(|_| tokens.token());
    for token in futures::future::join_all(waiting).await {
        assert_eq!(token.unwrap().expose_secret(), "token-0");
    }
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_token_is_replaced_before_it_ends() {
    let (tokens, _) = token_server(numbered).await;
    assert_eq!(tokens.token().await.unwrap().expose_secret(), "token-0");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(3599 - 302)).await;
    tokio::time::resume();
    assert_eq!(tokens.token().await.unwrap().expose_secret(), "token-0");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(3)).await;
    tokio::time::resume();
    assert_eq!(tokens.token().await.unwrap().expose_secret(), "token-1");
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_however_many_saw_it() {
    let (tokens, count) = token_server(numbered).await;
    let refused = tokens.token().await.unwrap();
    tokens.invalidate(&refused).await;
    assert_eq!(tokens.token().await.unwrap().expose_secret(), "token-1");
    tokens.invalidate(&refused).await;
    assert_eq!(tokens.token().await.unwrap().expose_secret(), "token-1");
    assert_eq!(count.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_wrong_secret_is_told_by_its_number_and_the_next_call_asks_again() {
    let (tokens, _) = token_server(|number| match number {
        0 => json(401, include_str!("../fixtures/bc/token_refused.json")),
        _ => json(200, include_str!("../fixtures/bc/token.json")),
    })
    .await;
    let error = tokens.token().await.unwrap_err();
    assert_eq!((error.system(), error.kind()), (System::Entra, Kind::Unauthorized));
    assert_eq!((error.retry(), error.effect()), (Retry::Never, Effect::None));
    assert_eq!(error.code(), Some("AADSTS7000215"));
    let message = error.api_message().unwrap();
    assert!(message.starts_with("AADSTS7000215: Invalid client secret") && !message.contains("Trace ID"));
    assert_eq!(error.request_id(), Some("9b1c..."));
    assert_eq!(tokens.token().await.unwrap().expose_secret(), "eyJ0eXAi...");
}

#[tokio::test]
async fn a_token_answer_of_another_form_is_unreadable() {
    let (tokens, _) = token_server(|_| json(200, r#"{"token_type":"Bearer"}"#)).await;
    let error = tokens.token().await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (Kind::Unreadable, Effect::None));
}
