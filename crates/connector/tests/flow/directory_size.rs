//! Many vendors, with everything that goes wrong on the way. `DIRECTORY_VENDORS` sets how many (CONTRIBUTING.md).

use sandbox::Options;
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;

use crate::app::TestApp;
use crate::database::Db;
use crate::directory::{ON, assert_one_each, in_brex};

/// As many as a run of the whole suite can afford.
const VENDORS: usize = 2_000;
/// How often the process dies.
const DEATHS: u64 = 5;

#[expect(clippy::disallowed_methods, reason = "the long run is asked for from outside")]
fn vendors() -> usize {
    std::env::var("DIRECTORY_VENDORS").ok().and_then(|text| text.parse().ok()).unwrap_or(VENDORS)
}

#[tokio::test]
async fn a_large_directory_with_five_deaths_throttling_and_lost_answers_ends_in_one_vendor_each() {
    let number = vendors();
    let options = Options { records: 1, vendors: number, ..Options::default() };
    let Some(mut app) = TestApp::start_with(Db::Sqlite, options, ON).await else { return };
    // The real limit, on the clock that the test moves.
    app.world().brex.configure(|settings| settings.requests_per_minute = 1_000);
    let creates = |kind| Fault::new(Side::Brex, kind).method("POST").path_contains("/v1/vendors");
    let spread = u32::try_from(number / 20).unwrap();
    for round in 0..10 {
        let kind = if round % 2 == 0 { FaultKind::DropAfter } else { FaultKind::DropBefore };
        app.world().faults.add(creates(kind).skip(spread).times(3));
    }
    let apart = u64::try_from(number).unwrap() / (DEATHS + 1);
    for _ in 0..DEATHS {
        app.die_after(Side::Brex, apart).await;
        app.restart().await;
    }
    app.run_until_idle().await;
    assert_eq!(app.world().faults.pending(), [], "every fault came to pass");
    assert_one_each(&app).await;
    assert!(in_brex(&app).len() >= number - 20, "all but the few that are blocked");
    let tally = app.world().meter.tally(Side::Brex);
    println!("{number} vendors, {} in Brex, {} requests to Brex", in_brex(&app).len(), tally.requests);
    app.assert_sound().await;
}
