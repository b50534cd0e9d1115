//! A server on the loopback interface that keeps what it was asked, and ready-made clients for it.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use clients::entra::{ClientSecret, TokenSource};
use clients::{Http, Pace, bc, brex};
use secrecy::SecretString;
use url::Url;
use uuid::Uuid;

pub(crate) const COMPANY: Uuid = uuid::uuid!("f64eba74-dacd-4854-a584-1834f68cfc3a");

/// Fast enough not to slow a test down.
pub(crate) const UNPACED: Pace = Pace { max_concurrent: 100, requests_per_second: 100_000 };

/// One request as the server saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The decoded query options.
    pub(crate) fn query(&self) -> Vec<(String, String)> {
        let url = Url::parse(&format!("http://127.0.0.1{}", self.uri)).unwrap();
        url.query_pairs().into_owned().collect()
    }

    pub(crate) fn option(&self, name: &str) -> Option<String> {
        self.query().into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

/// A running server.
pub(crate) struct Server {
    pub(crate) url: Url,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// A server whose answers are given by `answer`, which also gets the number of the request, from zero. Requests for
    /// a token are answered by the server itself and not counted.
    pub(crate) async fn start<F>(answer: F) -> Self
    where
        F: Fn(usize, &Seen) -> Response + Send + Sync + 'static,
    {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let answer = Arc::new(answer);
        let kept = Arc::clone(&seen);
        let app = Router::new().fallback(move |request: Request| {
            let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
            async move {
                let request = read(request).await;
                if request.uri.path().ends_with("/oauth2/v2.0/token") {
                    return json(200, r#"{"token_type":"Bearer","expires_in":3599,"access_token":"a-token"}"#);
                }
                let place = {
                    let mut kept = kept.lock().unwrap();
                    kept.push(request.clone());
                    kept.len() - 1
                };
                answer(place, &request)
            }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, seen }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn http() -> Http {
        Http::new(UNPACED).unwrap()
    }

    pub(crate) fn tokens(&self) -> TokenSource {
        token_source(&self.url)
    }

    pub(crate) fn bc(&self) -> bc::Client {
        self.bc_over(Self::http())
    }

    pub(crate) fn bc_over(&self, http: Http) -> bc::Client {
        bc::Client::new(http, self.url.clone(), "contoso.com", "Production", self.tokens())
    }

    pub(crate) fn company(&self) -> bc::Company {
        self.bc().company(COMPANY)
    }

    pub(crate) fn brex(&self) -> brex::Client {
        self.brex_over(Self::http())
    }

    pub(crate) fn brex_over(&self, http: Http) -> brex::Client {
        brex::Client::new(http, self.url.clone(), SecretString::from("bxt_secret"))
    }
}

pub(crate) fn token_source(url: &Url) -> TokenSource {
    let secret = ClientSecret::new(SecretString::from("the~secret&value"));
    TokenSource::new(Server::http(), url.clone(), "contoso.com", "3f0b0000-client", secret)
}

async fn read(request: Request) -> Seen {
    let (parts, body) = request.into_parts();
    let body: Bytes = to_bytes(body, 64 * 1024 * 1024).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    Seen { method: parts.method, uri: parts.uri, headers: parts.headers, body }
}

pub(crate) fn json(status: u16, body: &str) -> Response {
    let headers = [("content-type", "application/json")];
    (StatusCode::from_u16(status).unwrap(), headers, Body::from(body.to_owned())).into_response()
}

pub(crate) fn empty(status: u16) -> Response {
    StatusCode::from_u16(status).unwrap().into_response()
}

/// A server that answers each connection in turn with the next of `answers`, byte for byte, and then closes it. An empty
/// answer closes without a word. Gives its address and a count of the connections that sent a request.
pub(crate) fn raw_server(answers: Vec<&'static str>) -> (Url, Arc<Mutex<usize>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let count = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut buffer = vec![0; 64 * 1024];
            let read = stream.read(&mut buffer).unwrap();
            if read > 0 {
                *counted.lock().unwrap() += 1;
            }
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (url, count)
}
