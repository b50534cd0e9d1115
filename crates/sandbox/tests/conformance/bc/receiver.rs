//! A receiver of Business Central's notifications, as a connector would run one.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode as AxumStatus;
use serde_json::Value;

/// One request that the receiver got.
#[derive(Debug, Clone)]
pub(crate) struct Got {
    pub(crate) method: String,
    pub(crate) query: String,
    pub(crate) client_request_id: String,
    pub(crate) correlation: String,
    pub(crate) body: Value,
}

#[derive(Default)]
pub(crate) struct Inbox {
    pub(crate) got: Vec<Got>,
    answers: VecDeque<u16>,
    /// Handshakes are answered with something else than the token.
    pub(crate) mute: bool,
}

/// A receiver of notifications that answers as it is told, 200 by default.
#[derive(Clone, Default)]
pub(crate) struct Receiver {
    pub(crate) inbox: Arc<Mutex<Inbox>>,
    pub(crate) url: String,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/bc/hook?t=42", listener.local_addr().unwrap());
        let receiver = Self { url, ..Self::default() };
        let router = Router::new().fallback(receive).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    pub(crate) fn answers(&self, statuses: &[u16]) {
        self.inbox.lock().unwrap().answers.extend(statuses);
    }

    /// The payloads since the last look, without handshakes.
    pub(crate) fn payloads(&self) -> Vec<Got> {
        let got = std::mem::take(&mut self.inbox.lock().unwrap().got);
        got.into_iter().filter(|got| !got.query.contains("validationToken")).collect()
    }
}

async fn receive(State(receiver): State<Receiver>, request: Request) -> (AxumStatus, Bytes) {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 24).await.unwrap();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let header = |name: &str| parts.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    let mut inbox = receiver.inbox.lock().unwrap();
    inbox.got.push(Got {
        method: parts.method.to_string(),
        query: query.clone(),
        client_request_id: header("clientRequestId"),
        correlation: header("x-ms-correlation-id"),
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    });
    if let Some(token) = query.split("validationToken=").nth(1) {
        let token = if inbox.mute { "something else".to_owned() } else { token.to_owned() };
        return (AxumStatus::OK, Bytes::from(token));
    }
    let status = inbox.answers.pop_front().unwrap_or(200);
    (AxumStatus::from_u16(status).unwrap(), Bytes::new())
}
