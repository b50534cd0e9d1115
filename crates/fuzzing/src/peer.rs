//! Brex and Business Central in one, on loopback: whatever is asked, it answers what the input says. So that a target goes through
//! the clients as the connector does, with their sender, their paging and their reading of errors.

use std::cell::OnceCell;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use clients::entra::{ClientSecret, TokenSource};
use clients::{Http, Pace, bc, brex};
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use url::Url;
use uuid::Uuid;

use crate::answer::Answers;

/// What the clients sign in with: Brex's first, then Business Central's. No error about a system may quote what that system was
/// signed in to with, even if its answer says it back.
pub(crate) const SECRETS: [&str; 3] = ["bxt_fuzzing_brex_token", "fuzzing.access.token", "fuzzing~client~secret"];

pub(crate) const COMPANY: Uuid = uuid::uuid!("f64eba74-dacd-4854-a584-1834f68cfc3a");

/// Nothing waits.
const UNPACED: Pace = Pace { max_concurrent: 100, requests_per_second: 1_000_000_000 };

thread_local! {
    static PEER: OnceCell<Peer> = const { OnceCell::new() };
}

/// The other side, with clients for it.
pub(crate) struct Peer {
    runtime: Runtime,
    script: Arc<Mutex<Script>>,
    pub(crate) brex: brex::Client,
    pub(crate) bc: bc::Client,
}

#[derive(Default)]
struct Script {
    answers: Answers,
    /// Path and query of each request, but for those of a token.
    asked: Vec<String>,
}

impl Peer {
    /// Gives the peer of this thread, which is made once and goes on to listen.
    pub(crate) fn with<T>(then: impl FnOnce(&Self) -> T) -> T {
        PEER.with(|peer| then(peer.get_or_init(Self::start)))
    }

    fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let script = Arc::<Mutex<Script>>::default();
        let shared = Arc::clone(&script);
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let url = Url::parse(&url).expect("an address");
        let app = Router::new().fallback(move |request: Request| {
            let response = lock(&shared).answer(&request);
            async move { response }
        });
        runtime.spawn(async move { axum::serve(listener, app).await });
        let http = || Http::new(UNPACED).expect("an HTTP client");
        let [token, _, secret] = SECRETS.map(SecretString::from);
        let tokens = TokenSource::new(http(), url.clone(), "contoso.com", "client", ClientSecret::new(secret));
        Self {
            brex: brex::Client::new(http(), url.clone(), token),
            bc: bc::Client::new(http(), url, "contoso.com", "Production", tokens),
            runtime,
            script,
        }
    }

    /// Has a call made and answered. Gives its result and the requests that it took.
    pub(crate) fn ask<F: Future>(&self, answers: &Answers, call: F) -> (F::Output, Vec<String>) {
        *lock(&self.script) = Script { answers: answers.clone(), asked: Vec::new() };
        let result = self.runtime.block_on(call);
        (result, std::mem::take(&mut lock(&self.script).asked))
    }
}

impl Script {
    fn answer(&mut self, request: &Request) -> Response {
        if request.uri().path().ends_with("/oauth2/v2.0/token") {
            let token = SECRETS[1];
            let body = format!(r#"{{"token_type":"Bearer","expires_in":3599,"access_token":"{token}"}}"#);
            return Answers::of(&body).at(0);
        }
        self.asked.push(request.uri().to_string());
        self.answers.at(self.asked.len() - 1)
    }
}

fn lock(script: &Mutex<Script>) -> MutexGuard<'_, Script> {
    script.lock().unwrap_or_else(PoisonError::into_inner)
}
