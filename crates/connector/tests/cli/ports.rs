//! Addresses for processes that are told where to listen.

use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::net::TcpSocket;

/// From here to [`END`] the system gives no port away by itself (on Linux it begins at 32,768), so no connection of a neighbour can
/// have it when the process that it is for begins to listen, or listens again.
const FIRST: u32 = 20_000;
const END: u32 = 32_000;
/// Tests run as processes of their own, with numbers near each other: so many addresses are apart.
const EACH: u32 = 8;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// An address of this machine that nobody listens on, another one each time.
pub fn free() -> SocketAddr {
    let first = std::process::id().wrapping_mul(EACH);
    loop {
        let place = first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % (END - FIRST);
        let address = SocketAddr::from(([127, 0, 0, 1], u16::try_from(FIRST + place).unwrap()));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

/// An address that refuses every connection as long as the socket is kept.
pub fn closed() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}
