//! The address of the database: whoever connects gets through to the server that it stands for at the moment.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::{TcpListener, TcpStream};

/// An address that can be pointed at another server.
pub(super) struct Relay {
    pub(super) address: SocketAddr,
    target: Arc<Mutex<SocketAddr>>,
}

impl Relay {
    pub(super) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let target = Arc::new(Mutex::new(server));
        let shared = Arc::clone(&target);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let target = *shared.lock().unwrap_or_else(PoisonError::into_inner);
                tokio::spawn(async move {
                    let Ok(mut server) = TcpStream::connect(target).await else { return };
                    // Whichever side ends, the other one is told by the close.
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        Self { address, target }
    }

    /// From now on whoever connects gets through to this server.
    pub(super) fn point_to(&self, server: SocketAddr) {
        *self.target.lock().unwrap_or_else(PoisonError::into_inner) = server;
    }
}
