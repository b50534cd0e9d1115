//! The only sender: one paced, bounded HTTP exchange with deadlines. It never follows a redirect, never uses a proxy of
//! the environment, never logs a body or a credential, and repeats only reads, once. Queues and backoff are the caller's.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::Instant;
use tokio_util::io::ReaderStream;
use tracing::Instrument as _;

use crate::answer::Answer;
use crate::call::{Body, Call, unsendable};
use crate::ended::{Counters, Ended};
use crate::error::Error;
use crate::kind::{Access, Asked, Effect, Kind, Retry};
use crate::pace::{Pace, Turns};
use crate::slots::{Slot, Slots};
use crate::trust;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const DEFAULT_RESPONSE_LIMIT_BYTES: usize = 32 * 1024 * 1024;
const USER_AGENT: &str = concat!("ml-connector/", env!("CARGO_PKG_VERSION"));

/// The HTTP client could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The machine has no certificates that it trusts, or none that can be read.
    #[error("the certificates that this machine trusts could not be read")]
    Trust(#[from] rustls::Error),
    /// Anything else.
    #[error("the http client could not be set up")]
    Client(#[from] reqwest::Error),
}

/// Asked before each request, once it has waited for its turn: whether it may still be sent.
pub type Permit = Arc<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>;

/// A sender with its pace. Clones share connections, pace and counters.
#[derive(Clone)]
pub struct Http {
    shared: Arc<Shared>,
    read_only: bool,
    permit: Option<Permit>,
}

struct Shared {
    client: reqwest::Client,
    slots: Slots,
    turns: Turns,
    calls: Mutex<BTreeMap<&'static str, u64>>,
    ended: Counters,
    /// What the other side said the time was, and when it said so.
    last_date: Mutex<Option<(Timestamp, Instant)>>,
    response_limit_bytes: usize,
}

impl Http {
    /// A sender that keeps to `pace`.
    pub fn new(pace: Pace) -> Result<Self, SetupError> {
        Self::with_response_limit(pace, DEFAULT_RESPONSE_LIMIT_BYTES)
    }

    /// A sender that gives up on answers over `response_limit_bytes`.
    pub fn with_response_limit(pace: Pace, response_limit_bytes: usize) -> Result<Self, SetupError> {
        // reqwest's own retries stay on: they cover only requests that HTTP/2 says were never processed.
        let client = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .tls_backend_preconfigured(trust::of_the_machine()?)
            .build()?;
        Ok(Self {
            shared: Arc::new(Shared {
                client,
                slots: Slots::new(pace.max_concurrent),
                turns: Turns::new(pace.requests_per_second),
                calls: Mutex::new(BTreeMap::new()),
                ended: Counters::default(),
                last_date: Mutex::new(None),
                response_limit_bytes,
            }),
            read_only: false,
            permit: None,
        })
    }

    /// The same sender, refusing every write before it is sent. Fetching a token is not a write.
    #[must_use]
    pub fn read_only(&self) -> Self {
        Self { read_only: true, ..self.clone() }
    }

    /// The same sender, sending only what is permitted when its turn has come. A call may wait long for that, above all in a
    /// process that is stopped meanwhile, so that what its caller knew before counts no longer.
    #[must_use]
    pub fn permitted_by(&self, permit: Permit) -> Self {
        Self { permit: Some(permit), ..self.clone() }
    }

    /// How many requests were sent so far, by operation; repeats count.
    pub fn calls(&self) -> BTreeMap<&'static str, u64> {
        self.shared.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many requests have ended, by system, operation and outcome; repeats count.
    pub fn ended(&self) -> BTreeMap<Ended, u64> {
        self.shared.ended.read()
    }

    /// How many calls may be under way at once now: fewer than the pace says while the other side refuses or is slow.
    pub fn slots(&self) -> usize {
        self.shared.slots.width()
    }

    /// Whether both are the same sender, so that their counters are.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// What time it is on the other side, by what it said when it last answered.
    pub fn their_time(&self) -> Option<Timestamp> {
        let (date, then) = (*self.shared.last_date.lock().unwrap_or_else(PoisonError::into_inner))?;
        date.checked_add(then.elapsed()).ok()
    }

    /// Sends `call` and reads the whole answer, whatever its status.
    pub(crate) async fn exchange(&self, call: &Call) -> Result<Answer, Error> {
        if self.read_only && call.asked.access == Access::Write {
            return Err(Error::new(call.asked, Kind::ReadOnly, Retry::Never, Effect::None));
        }
        async {
            let answer = match self.attempt(call).await {
                Err(error) if may_repeat(call, &error) => self.attempt(call).await?,
                outcome => outcome?,
            };
            if let Some(date) = answer.date() {
                *self.shared.last_date.lock().unwrap_or_else(PoisonError::into_inner) = Some((date, Instant::now()));
            }
            tell_span(&answer);
            Ok(answer)
        }
        .instrument(span_of(call))
        .await
    }

    async fn attempt(&self, call: &Call) -> Result<Answer, Error> {
        let ended = self.attempt_once(call).await;
        self.shared.ended.count(call.asked, ended.as_ref());
        ended
    }

    async fn attempt_once(&self, call: &Call) -> Result<Answer, Error> {
        let (_slot, begun) = self.turn(call).await?;
        let ended = self.answer(call).await;
        self.shared.slots.learn(call.asked.operation, call.counts_as, begun, ended.as_ref());
        ended
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Error> {
        let response = self.send(call).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = match self.read_body(call.asked, response).await {
            Ok(body) => body,
            // These three mean the same whatever their text is.
            Err(_) if matches!(status.as_u16(), 401 | 403 | 429) => Vec::new(),
            Err(error) => return Err(error.with_status(status)),
        };
        let answer = Answer::new(call.asked, status, headers, body);
        Ok(if status.is_success() { answer } else { answer.without(&call.secrets) })
    }

    /// Waits for a free slot and for the pace, asks whether the call may still be sent, and counts the request. The slot is
    /// free again when it is dropped. Gives with it when the call begins.
    async fn turn(&self, call: &Call) -> Result<(Slot<'_>, Instant), Error> {
        let slot = self.shared.slots.take().await;
        let turn = self.shared.turns.take(call.counts_as).await;
        if let Some(permit) = &self.permit
            && !permit().await
        {
            return Err(Error::new(call.asked, Kind::Withheld, Retry::Soon, Effect::None));
        }
        self.shared.turns.begin(&turn);
        self.count(call.asked.operation);
        Ok((slot, Instant::now()))
    }

    async fn send(&self, call: &Call) -> Result<reqwest::Response, Error> {
        let mut request = self
            .shared
            .client
            .request(call.method.clone(), call.url.clone())
            .headers(call.headers.clone())
            .timeout(call.timeout);
        match &call.body {
            None => {}
            Some(Body::Bytes(bytes)) => request = request.body(bytes.clone()),
            Some(Body::File(path, bytes)) => {
                let file = tokio::fs::File::open(path).await.map_err(|error| unsendable(call.asked, error))?;
                request = request.body(reqwest::Body::wrap_stream(ReaderStream::new(file.take(*bytes))));
            }
        }
        request.send().await.map_err(|error| before_answer(call.asked, error))
    }

    /// Sends `call` and writes the body of a successful answer to `file`, piece by piece. Gives the answer without its
    /// body, how many bytes came, and their SHA-256.
    pub(crate) async fn download(
        &self,
        call: &Call,
        limit_bytes: u64,
        file: &mut (impl AsyncWrite + Unpin),
    ) -> Result<(Answer, u64, [u8; 32]), Error> {
        let ended = async {
            let ended = self.download_once(call, limit_bytes, file).await;
            if let Ok((answer, ..)) = &ended {
                tell_span(answer);
            }
            ended
        };
        let ended = ended.instrument(span_of(call)).await;
        self.shared.ended.count(call.asked, ended.as_ref().map(|(answer, _, _)| answer));
        ended
    }

    async fn download_once(
        &self,
        call: &Call,
        limit_bytes: u64,
        file: &mut (impl AsyncWrite + Unpin),
    ) -> Result<(Answer, u64, [u8; 32]), Error> {
        let _turn = self.turn(call).await?;
        let response = self.send(call).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let too_large = || Error::new(call.asked, Kind::TooLarge, Retry::Never, Effect::None);
        let (mut bytes, mut hash) = (0_u64, Sha256::new());
        if status.is_success() {
            if response.content_length().is_some_and(|announced| announced > limit_bytes) {
                return Err(too_large());
            }
            let mut chunks = response.bytes_stream();
            while let Some(chunk) = chunks.next().await {
                let chunk = chunk.map_err(|error| within_answer(call.asked, error))?;
                bytes = bytes.saturating_add(chunk.len() as u64);
                if bytes > limit_bytes {
                    return Err(too_large());
                }
                hash.update(&chunk);
                file.write_all(&chunk).await.map_err(|error| unsendable(call.asked, error))?;
            }
            file.flush().await.map_err(|error| unsendable(call.asked, error))?;
        }
        Ok((Answer::new(call.asked, status, headers, Vec::new()), bytes, hash.finalize().into()))
    }

    async fn read_body(&self, asked: Asked, response: reqwest::Response) -> Result<Vec<u8>, Error> {
        let limit = self.shared.response_limit_bytes;
        let too_large = || Error::new(asked, Kind::TooLarge, Retry::Never, Effect::Unknown);
        let announced = response.content_length().unwrap_or(0);
        if announced > limit as u64 {
            return Err(too_large());
        }
        let mut body = Vec::with_capacity(usize::try_from(announced).unwrap_or(0));
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| within_answer(asked, error))?;
            if body.len() + chunk.len() > limit {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn count(&self, operation: &'static str) {
        let mut calls = self.shared.calls.lock().unwrap_or_else(PoisonError::into_inner);
        *calls.entry(operation).or_default() += 1;
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("read_only", &self.read_only).finish_non_exhaustive()
    }
}

fn span_of(call: &Call) -> tracing::Span {
    tracing::debug_span!(
        "http.call",
        system = call.asked.system.name(),
        operation = call.asked.operation,
        status = tracing::field::Empty,
        request.id = tracing::field::Empty,
    )
}

fn tell_span(answer: &Answer) {
    let span = tracing::Span::current();
    span.record("status", answer.status().as_u16());
    span.record("request.id", answer.request_id());
}

/// A read that broke is repeated once at once: most often a kept-alive connection was closed as we sent.
fn may_repeat(call: &Call, error: &Error) -> bool {
    call.asked.access == Access::Read
        && error.retry() == Retry::Soon
        && matches!(error.kind(), Kind::Unreachable | Kind::ConnectionLost | Kind::Unreadable)
}

fn before_answer(asked: Asked, error: reqwest::Error) -> Error {
    let (kind, retry, effect) = if error.is_builder() {
        (Kind::Unreachable, Retry::Never, Effect::None)
    } else if error.is_connect() || error.is_dns() {
        (Kind::Unreachable, Retry::Soon, Effect::None)
    } else if error.is_timeout() {
        (Kind::TimedOut, Retry::Soon, Effect::Unknown)
    } else {
        (Kind::ConnectionLost, Retry::Soon, Effect::Unknown)
    };
    // The address is left out: its query can hold names and numbers of the business.
    Error::new(asked, kind, retry, effect).with_source(error.without_url())
}

fn within_answer(asked: Asked, error: reqwest::Error) -> Error {
    let kind = if error.is_timeout() { Kind::TimedOut } else { Kind::Unreadable };
    Error::new(asked, kind, Retry::Soon, Effect::Unknown).with_source(error.without_url())
}
