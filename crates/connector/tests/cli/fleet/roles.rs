//! One process that only receives, and one that only works.

use connector::agreement::check;
use sandbox::brex::Expectation;
use sandbox::meter::Side;
use sandbox::{Options, World};
use sqlx::{Connection as _, PgConnection};
use tokio::net::TcpStream;

use super::server::count;
use super::{spawn, stop, until, worker_only};
use crate::database::{Database, Db};
use crate::setting::{Setting, said};

const WAITING: &str = "SELECT COUNT(*) FROM inbox WHERE source = 'brex' AND handled_ms IS NULL";
const HELD: &str = "SELECT COUNT(*) FROM lanes WHERE holder IS NOT NULL";

fn is_exported(world: &World, record: &str) -> bool {
    world.brex.records().iter().any(|report| report.id == record && report.review_status == "EXPORTED")
}

/// Waits until a count is this.
async fn until_count(admin: &mut PgConnection, statement: &str, wanted: i64) {
    let mut patience = 100_000;
    while count(admin, statement).await != wanted {
        tokio::task::yield_now().await;
        patience -= 1;
        assert!(patience > 0, "{statement}: never {wanted}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_receives_and_touches_no_lane_and_another_works_it_off_without_listening() {
    let Some(database) = Database::fresh(Db::Postgres).await else { return };
    let setting = Setting::make(Options { records: 100, ..Options::default() }).await;
    setting.edit("listen = ", &format!("database = {:?}\nlisten = ", database.url));
    setting.edit("poll_seconds = 1", "poll_seconds = 3600");
    let world = setting.sandbox.world();
    let mut admin = PgConnection::connect(&database.url).await.unwrap();

    // The same configuration for both: whoever works does not take the address, and says that the other one is there.
    let mut web = spawn(setting.command(&["run", "--roles", "web", "--log", "error"]));
    let address = setting.listen();
    until(&mut web, "it listens", || std::net::TcpStream::connect(&address).is_ok()).await;
    assert_eq!(world.meter.tally(Side::Bc).requests, 0, "it asks nobody for anything");
    let mut worker = worker_only(&setting);
    until(&mut worker, "it works", || check(&world).invoices > 10 && world.brex.subscriptions().len() == 1).await;
    stop(worker).await;
    until_count(&mut admin, HELD, 0).await;

    let (before, asked) = (check(&world).invoices, world.meter.tally(Side::Bc).requests);
    let reports = world.brex.records();
    let clicked = reports
        .iter()
        .find(|one| one.expect == Expectation::NotReady && one.expect_when_ready == Expectation::Document)
        .unwrap();
    world.brex.make_ready(&[clicked.id.as_str()], world.clock.now()).unwrap();
    until_count(&mut admin, WAITING, 1).await;
    assert_eq!(count(&mut admin, HELD).await, 0, "it takes no lane");
    assert_eq!((check(&world).invoices, world.meter.tally(Side::Bc).requests), (before, asked));
    stop(web).await;

    let mut worker = worker_only(&setting);
    until(&mut worker, "it takes the inbox", || is_exported(&world, &clicked.id)).await;
    assert!(TcpStream::connect(&address).await.is_err(), "nobody listens");
    stop(worker).await;
    assert_eq!(count(&mut admin, WAITING).await, 0);
}

#[tokio::test]
async fn a_role_that_is_not_there_or_that_a_file_cannot_have_is_refused() {
    let setting = Setting::make(Options { records: 0, ..Options::default() }).await;
    let refused = setting.run(&["run", "--roles", "web"]).await;
    assert_eq!(refused.status.code(), Some(2));
    assert!(said(&refused).contains("leave --roles out, or move to PostgreSQL"), "{}", said(&refused));
    let unknown = setting.run(&["run", "--roles", "scheduler"]).await;
    assert_eq!(unknown.status.code(), Some(2));
    assert!(said(&unknown).contains("[possible values: web, worker]"), "{}", said(&unknown));
}
