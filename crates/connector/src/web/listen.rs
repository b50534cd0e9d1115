//! Takes connections: with a certificate of our own or plain, a limited number, and none that is slow to say what it wants.

use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use futures::{StreamExt as _, stream};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::room::{Asked, Limits, Place, Room};

/// The connections are far above what two senders need, and far below what a process may have open. A head comes in one or two
/// packets. The rest is longer than the download of the largest file, since its bytes leave after the request has ended.
const LIMITS: Limits = Limits { connections: 512, head: Duration::from_secs(10), rest: Duration::from_mins(5) };
/// Most bytes of a head, and of what is read ahead of a body: no connection can use up the memory of all.
const BUFFER: usize = 64 * 1_024;
/// Requests at once on one connection.
const STREAMS: u32 = 32;
/// A rest when no connection can be taken, as when too many files are open.
const REST: Duration = Duration::from_secs(1);

/// The address is taken, or may not be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: choose another address with the key listen")]
pub struct ListenError {
    address: SocketAddr,
    #[source]
    source: std::io::Error,
}

/// An address that was taken.
pub struct Listener {
    tcp: TcpListener,
    tls: Option<TlsAcceptor>,
    limits: Limits,
}

/// Takes the address. Port 0 takes a free one.
pub async fn bind(address: SocketAddr) -> Result<Listener, ListenError> {
    let tcp = TcpListener::bind(address).await.map_err(|source| ListenError { address, source })?;
    Ok(Listener { tcp, tls: None, limits: LIMITS })
}

impl Listener {
    /// The same with TLS, if there is a certificate.
    #[must_use]
    pub fn with_tls(self, tls: Option<TlsAcceptor>) -> Self {
        Self { tls, ..self }
    }

    /// The address.
    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Answers until cancelled; requests under way are finished.
    pub(crate) async fn answer(self, router: Router, stop: CancellationToken) {
        let (room, tasks) = (Room::new(self.limits), TaskTracker::new());
        loop {
            let taken = tokio::select! {
                () = stop.cancelled() => break,
                taken = self.tcp.accept() => taken,
            };
            let stream = match taken {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(error = %error, "no connection can be taken");
                    let _stopped = tokio::time::timeout(REST, stop.cancelled()).await;
                    continue;
                }
            };
            // Without room the connection is closed by leaving it.
            let Some(place) = room.enter() else { continue };
            let (router, tls, stop) = (router.clone(), self.tls.clone(), stop.clone());
            let head = self.limits.head;
            tasks.spawn(async move {
                tokio::select! {
                    () = talk(stream, tls, counted(router, &place), head, stop) => {}
                    () = place.over() => tracing::debug!("a connection that asked for nothing was closed"),
                }
            });
        }
        drop(self);
        tasks.close();
        tasks.wait().await;
    }
}

/// The routes, telling the place of the connection what is asked for and when it is answered.
fn counted(router: Router, place: &Arc<Place>) -> Router {
    let place = Arc::clone(place);
    router.layer(from_fn(move |request: Request, next: Next| {
        let asked = place.asked();
        let request = request.map(|body| watched(body, Arc::clone(&asked)));
        async move {
            let answer = next.run(request).await;
            drop(asked);
            answer
        }
    }))
}

/// The body, telling when all of it has come.
fn watched(body: Body, asked: Arc<Asked>) -> Body {
    if body.is_end_stream() {
        asked.whole();
        return body;
    }
    let end = stream::poll_fn(move |_| {
        asked.whole();
        Poll::Ready(None)
    });
    Body::from_stream(body.into_data_stream().chain(end))
}

async fn talk(stream: TcpStream, tls: Option<TlsAcceptor>, router: Router, head: Duration, stop: CancellationToken) {
    let Some(tls) = tls else { return serve(stream, router, head, stop).await };
    match tls.accept(stream).await {
        Ok(stream) => serve(stream, router, head, stop).await,
        Err(error) => tracing::debug!(error = %error, "a connection did not agree on TLS"),
    }
}

async fn serve<S>(stream: S, router: Router, head: Duration, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(head).max_buf_size(BUFFER);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(head).max_concurrent_streams(STREAMS);
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error = %error, "a connection broke off");
    }
}

#[cfg(test)]
mod tests;
