//! PostgreSQL behind a wire that is cut at a COMMIT: before the server hears of it, or after it has done it and before anybody
//! is told. Whatever is cut, each record becomes one document.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rstest::rstest;
use sandbox::Options;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::app::TestApp;
use crate::database::{Database, Db};

/// When the wire is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// The server never hears of the COMMIT.
    Before,
    /// The server has committed, and nobody is told.
    After,
}

/// A wire between the connector and PostgreSQL.
struct Wire {
    url: String,
    shared: Arc<Shared>,
}

struct Shared {
    server: String,
    cut: Cut,
    /// COMMITs that pass before the wire is cut; counted only once it is armed.
    passing: AtomicUsize,
    armed: AtomicBool,
    was_cut: AtomicBool,
}

impl Wire {
    async fn to(database: &Database, cut: Cut) -> Self {
        let (credentials, rest) = database.url.split_once('@').unwrap();
        let (server, name) = rest.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            server: server.to_owned(),
            cut,
            passing: AtomicUsize::new(0),
            armed: AtomicBool::new(false),
            was_cut: AtomicBool::new(false),
        });
        let url = format!("{credentials}@{address}/{name}");
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, Arc::clone(&serving)));
            }
        });
        Self { url, shared }
    }

    /// Cuts the wire once, at the COMMIT after `passing` more.
    fn arm(&self, passing: usize) {
        self.shared.passing.store(passing, Ordering::SeqCst);
        self.shared.armed.store(true, Ordering::SeqCst);
    }

    fn was_cut(&self) -> bool {
        self.shared.was_cut.load(Ordering::SeqCst)
    }
}

impl Shared {
    /// Whether the wire is to be cut at what the client sends here.
    fn is_the_one(&self, sent: &[u8]) -> bool {
        let is_commit = sent.windows(6).any(|text| text.eq_ignore_ascii_case(b"COMMIT"));
        if !is_commit || !self.armed.load(Ordering::SeqCst) {
            return false;
        }
        let left = self.passing.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if left.is_ok() {
            return false;
        }
        self.armed.store(false, Ordering::SeqCst);
        self.was_cut.store(true, Ordering::SeqCst);
        true
    }
}

/// Carries bytes both ways until one side ends, or the wire is cut.
async fn carry(mut client: TcpStream, shared: Arc<Shared>) {
    let Ok(mut server) = TcpStream::connect(&shared.server).await else { return };
    let (mut from_client, mut from_server) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut from_client) => {
                let Some(sent) = read.ok().and_then(|length| from_client.get(..length)).filter(|sent| !sent.is_empty()) else {
                    return;
                };
                let is_cut = shared.is_the_one(sent);
                if is_cut && shared.cut == Cut::Before {
                    return;
                }
                if server.write_all(sent).await.is_err() {
                    return;
                }
                if is_cut {
                    // The answer says that it is done; it goes no further.
                    let _ = server.read(&mut from_server).await;
                    return;
                }
            }
            read = server.read(&mut from_server) => {
                let Some(answer) = read.ok().and_then(|length| from_server.get(..length)).filter(|sent| !sent.is_empty()) else {
                    return;
                };
                if client.write_all(answer).await.is_err() {
                    return;
                }
            }
        }
    }
}

#[rstest]
#[tokio::test]
async fn a_wire_that_is_cut_at_any_commit_loses_nothing_and_doubles_nothing(
    #[values(Cut::Before, Cut::After)] cut: Cut,
) {
    let mut cuts = 0;
    // Each sixth COMMIT of the way of two records, from the first look at Brex to the end.
    for passing in (0..).step_by(6) {
        let Some(database) = Database::fresh(Db::Postgres).await else { return };
        let wire = Wire::to(&database, cut).await;
        let options = Options { records: 3, ..Options::default() };
        let mut app = TestApp::start_on(database.reached_at(&wire.url), options, "").await;
        app.prepare().await;
        wire.arm(passing);
        let failures = app.run_through_failures().await;
        app.assert_sound().await;
        assert!(app.agreement().holds(), "cut {cut:?} after {passing}: {:?}", app.agreement());
        if !wire.was_cut() {
            break;
        }
        assert!(failures > 0, "somebody noticed that the wire was cut");
        cuts += 1;
    }
    assert!(cuts >= 4, "only {cuts} COMMITs were cut");
}
