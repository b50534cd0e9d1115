//! Dates in a fiscal year that is closed in Business Central.

use domain::hold::HoldCode;
use domain::stage::Stage;
use sandbox::bc::SetupChange;
use serde_json::json;

use crate::app::TestApp;
use crate::database::Db;
use crate::held::{a_vendor, card};

#[tokio::test]
async fn a_day_of_a_closed_fiscal_year_is_held_until_its_date_is_changed_in_brex() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let world = app.world();
    let range = SetupChange { allow_posting_from: "2025-01-01".parse().ok(), ..SetupChange::default() };
    world.bc.change_setup(&range, world.clock.now());
    let mut record = card("accr_year", &a_vendor(&app).1, "64100", 12.5);
    record["erp_posting_date"] = json!("2025-12-31T00:00:00Z");
    app.insert(&record);
    app.run_until_idle().await;
    let hold = app.row("accr_year").await.unwrap().hold.expect("held");
    assert_eq!(hold.code, HoldCode::FiscalYearClosed);
    assert_eq!(hold.sentence, "2025-12-31 is in a closed fiscal year, before 2026-01-01, the first open day");
    assert_eq!(world.bc.documents_by_marker("accr_year").len(), 0);
    let dated = json!({ "erp_posting_date": "2026-01-01T00:00:00Z" });
    world.brex.edit("accr_year", dated.as_object().unwrap(), world.clock.now()).unwrap();
    app.poll_now().await;
    app.run_until_idle().await;
    assert_eq!(app.row("accr_year").await.unwrap().stage, Stage::Exported);
    app.assert_sound().await;
}

#[tokio::test]
async fn a_closed_year_that_is_allowed_or_passed_over_is_booked() {
    for (settings, posted) in [
        ("closed_years = \"allow\"", "2025-12-31"),
        ("period_policy = \"next_open\"", "2026-01-01"),
        ("period_policy = \"as_is\"", "2025-12-31"),
    ] {
        let options = sandbox::Options { records: 1, ..sandbox::Options::default() };
        let mut app = TestApp::start_with(Db::Sqlite, options, settings).await.unwrap();
        let world = app.world();
        let range = SetupChange { allow_posting_from: "2025-01-01".parse().ok(), ..SetupChange::default() };
        world.bc.change_setup(&range, world.clock.now());
        let mut record = card("accr_year", &a_vendor(&app).1, "64100", 12.5);
        record["erp_posting_date"] = json!("2025-12-31T00:00:00Z");
        app.insert(&record);
        app.run_until_idle().await;
        assert_eq!(app.row("accr_year").await.unwrap().stage, Stage::Exported, "{settings}");
        let document = world.bc.documents_by_marker("accr_year").remove(0);
        assert_eq!(document.posting_date.to_string(), posted, "{settings}");
        assert_eq!(document.document_date.to_string(), "2025-12-31", "{settings}");
        app.assert_sound().await;
    }
}
