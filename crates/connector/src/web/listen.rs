//! Takes connections: with a certificate of our own or plain, a limited number, and none that is slow to say what it wants.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Connections at once; more are closed. Far above what two senders need, far below what a process may have open.
const CONNECTIONS: usize = 512;
/// A sender gets this long to agree on TLS, and as long for the head of each request.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);
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
}

/// Takes the address. Port 0 takes a free one.
pub async fn bind(address: SocketAddr) -> Result<Listener, ListenError> {
    let tcp = TcpListener::bind(address).await.map_err(|source| ListenError { address, source })?;
    Ok(Listener { tcp, tls: None })
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
        let (room, tasks) = (Arc::new(Semaphore::new(CONNECTIONS)), TaskTracker::new());
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
            let Ok(place) = Arc::clone(&room).try_acquire_owned() else { continue };
            let (router, tls, stop) = (router.clone(), self.tls.clone(), stop.clone());
            tasks.spawn(async move {
                talk(stream, tls, router, stop).await;
                drop(place);
            });
        }
        drop(self);
        tasks.close();
        tasks.wait().await;
    }
}

async fn talk(stream: TcpStream, tls: Option<TlsAcceptor>, router: Router, stop: CancellationToken) {
    let Some(tls) = tls else { return serve(stream, router, stop).await };
    match tokio::time::timeout(HEAD_DEADLINE, tls.accept(stream)).await {
        Ok(Ok(stream)) => serve(stream, router, stop).await,
        Ok(Err(error)) => tracing::debug!(error = %error, "a connection did not agree on TLS"),
        Err(_) => tracing::debug!("a connection took too long to agree on TLS"),
    }
}

async fn serve<S>(stream: S, router: Router, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_DEADLINE);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(HEAD_DEADLINE);
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
