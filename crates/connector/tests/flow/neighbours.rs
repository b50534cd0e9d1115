//! Several connections in one lane: what is wrong with one of them delays no other, and all share one user's limits.

use std::io::ErrorKind;
use std::sync::Arc;

use connector::worker;
use domain::stage::Stage;
use sandbox::Options;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::app::TestApp;
use crate::database::Db;
use crate::held::{a_vendor, card};

#[tokio::test]
async fn a_connection_whose_brex_never_answers_delays_no_other() {
    let options = Options { records: 0, ..Options::default() };
    let Some(mut app) = TestApp::start_with(Db::Sqlite, options, "").await else { return };
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", silent.local_addr().unwrap()).parse().unwrap();
    app.add_neighbour(|neighbour| neighbour.brex.base_url = address).await;
    let (_, vendor) = a_vendor(&app);
    app.insert(&card("accr_goes_on", &vendor, "64100", 12.5));

    let worker = worker::run(Arc::clone(&app.app), CancellationToken::new());
    let _working = AbortOnDropHandle::new(tokio::spawn(worker));
    let (call, _) = silent.accept().await.unwrap();
    while app.row("accr_goes_on").await.is_none_or(|row| row.stage != Stage::Exported) {
        tokio::task::yield_now().await;
    }
    // The other connection still waits for the answer to its first call.
    let mut request = vec![0; 64 * 1_024];
    let end = loop {
        match call.try_read(&mut request) {
            Ok(0) => break None,
            Ok(_) => {}
            Err(error) => break Some(error.kind()),
        }
    };
    assert_eq!(end, Some(ErrorKind::WouldBlock));
}
