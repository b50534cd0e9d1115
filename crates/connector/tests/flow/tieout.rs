//! The tie-out of a period: the zoo ties out after a run, and whatever people do to documents behind the connector's back
//! is named.

use connector::tieout::{self, make};
use domain::tieout::{End, Period, Reason, TieOut};
use jiff::civil::date;
use sandbox::Options;
use sandbox::bc::{DocumentAction, DocumentChange};

use crate::app::TestApp;
use crate::database::Db;
use crate::held::{a_vendor, card};

const ALWAYS: Period = Period { from: date(2020, 1, 1), to: date(2030, 12, 31) };
const JUNE: Period = Period { from: date(2026, 6, 1), to: date(2026, 6, 30) };

async fn tie_out(app: &TestApp, period: Period) -> TieOut {
    let connection = &app.app.connections[0];
    let identity = connection.identity().expect("connected");
    make(&app.app, connection, &identity, period).await.unwrap()
}

async fn one_exported(id: &str, settings: &str) -> Option<TestApp> {
    let options = Options { records: 0, ..Options::default() };
    let mut app = TestApp::start_with(Db::Sqlite, options, settings).await?;
    let (_, vendor) = a_vendor(&app);
    app.insert(&card(id, &vendor, "64100", 12.5));
    app.run_until_idle().await;
    Some(app)
}

fn change(app: &TestApp, id: &str, change: DocumentChange) {
    let world = app.world();
    let document = world.bc.documents_by_marker(id)[0].id;
    world.bc.change_document(document, change, world.clock.now()).unwrap();
}

fn reasons(tied: &TieOut) -> Vec<Reason> {
    tied.unexplained.iter().map(|found| found.reason).collect()
}

async fn the_zoo_ties_out(db: Db) {
    let Some(mut app) = TestApp::start(db, 120).await else { return };
    app.run_until_idle().await;
    let tied = tie_out(&app, ALWAYS).await;
    assert_eq!(tied.unexplained, []);
    let ledger = app.world().bc.ledger();
    let ours = ledger.iter().filter(|document| document.lines.iter().any(|l| l.description.starts_with("Brex job ")));
    assert_eq!(tied.sums.documents.count, ours.count());
    assert_eq!(tied.sums.documents.count, tied.sums.ends["document"].count);
    assert_eq!(tied.sums.documents.sums, tied.sums.ends["document"].sums, "to the cent");
    let rows = app.rows().await;
    let held = rows.iter().filter(|row| row.hold.is_some()).count();
    assert_eq!(tied.sums.held.values().map(|totals| totals.count).sum::<usize>(), held);
    assert!(!tied.is_closed(), "held records keep a period open");
    // A part of it ties out, too, and is smaller.
    let june = tie_out(&app, JUNE).await;
    assert!(june.holds() && june.items.len() < tied.items.len());
    app.assert_sound().await;
}

#[tokio::test]
async fn the_zoo_ties_out_on_sqlite() {
    the_zoo_ties_out(Db::Sqlite).await;
}

#[tokio::test]
async fn the_zoo_ties_out_on_postgres() {
    the_zoo_ties_out(Db::Postgres).await;
}

#[tokio::test]
async fn what_people_do_to_documents_is_named() {
    let id = "accr_tie";
    let Some(app) = one_exported(id, "").await else { return };
    let tied = tie_out(&app, JUNE).await;
    assert!(tied.is_closed());
    assert_eq!(tied.items[0].end, End::Document);

    change(&app, id, DocumentChange { unit_cost: Some("13".parse().unwrap()), ..DocumentChange::default() });
    let tied = tie_out(&app, JUNE).await;
    assert_eq!(reasons(&tied), [Reason::AmountDiffers]);
    assert!(tied.unexplained[0].sentence.contains("12.50 USD") && tied.unexplained[0].sentence.contains("13.00 USD"));

    change(&app, id, DocumentChange { action: Some(DocumentAction::Delete), ..DocumentChange::default() });
    assert_eq!(reasons(&tie_out(&app, JUNE).await), [Reason::DocumentMissing]);
    assert!(tie_out(&app, Period { from: JUNE.to.tomorrow().unwrap(), to: ALWAYS.to }).await.holds());
}

#[tokio::test]
async fn a_released_record_that_was_never_seen_is_named() {
    let Some(app) = one_exported("accr_first", "").await else { return };
    let (_, vendor) = a_vendor(&app);
    app.insert(&card("accr_second", &vendor, "64100", 20.0));
    let tied = tie_out(&app, JUNE).await;
    assert_eq!(reasons(&tied), [Reason::NeverSeen]);
    assert_eq!(tied.items.len(), 2);
}

#[tokio::test]
async fn a_document_in_the_next_open_period_is_found_and_bridged() {
    let settings = "period_policy = \"next_open\"";
    let options = Options { records: 0, ..Options::default() };
    let Some(mut app) = TestApp::start_with(Db::Sqlite, options, settings).await else { return };
    let (_, vendor) = a_vendor(&app);
    let world = app.world();
    let opened = sandbox::bc::SetupChange { allow_posting_from: Some(date(2026, 7, 1)), ..Default::default() };
    world.bc.change_setup(&opened, world.clock.now());
    app.insert(&card("accr_moved", &vendor, "64100", 12.5));
    app.run_until_idle().await;
    let june = tie_out(&app, JUNE).await;
    assert!(june.is_closed(), "{:?}", june.unexplained);
    assert_eq!(june.items[0].posted_outside, Some(date(2026, 7, 1)));
    assert_eq!((june.sums.posted_outside.count, june.sums.posted_inside.count), (1, 0));
    let july = tie_out(&app, Period { from: date(2026, 7, 1), to: date(2026, 7, 31) }).await;
    assert_eq!((july.items.len(), july.sums.from_outside.count, july.sums.posted_inside.count), (0, 1, 1));
}

#[tokio::test]
async fn names_with_markup_and_formulas_are_inert_on_the_page_and_in_the_file() {
    let options = Options { records: 0, ..Options::default() };
    let Some(mut app) = TestApp::start_with(Db::Sqlite, options, "").await else { return };
    app.insert(&card("accr_rude", "=cmd|'<script>alert(1)</script>'", "64100", 12.5));
    app.run_until_idle().await;
    let tied = tie_out(&app, JUNE).await;
    let page = tieout::page(&tied, &[], "main", "CRONUS", "today", None).unwrap();
    assert!(page.contains("&#60;script&#62;") && !page.contains("<script>"), "{page}");
    let mut file = Vec::new();
    tieout::write_csv(&tied, &mut file).unwrap();
    assert!(String::from_utf8(file).unwrap().contains(",'=cmd"));
}
