//! What the memory may do with an answer: which names it teaches, what comes before it, and what a rejection leads to.

use domain::hold::HoldCode;
use rstest::rstest;
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;
use serde_json::json;
use store::Verdict;

use crate::app::TestApp;
use crate::database::Db;
use crate::held::hold_of;
use crate::vendors::{COFFEE, EAST, WEST, arrives, company, exported, judgement_of, say, vendor_of};

/// Brex tells this descriptor for the next card expenses.
fn expense_says(app: &TestApp, descriptor: &str) {
    let body =
        json!({ "id": "expense_1", "merchant": { "raw_descriptor": descriptor, "mcc": "5812", "country": "US" } });
    let told = FaultKind::Status { status: 200, body: Some(body), retry_after: None };
    app.world().faults.add(Fault::new(Side::Brex, told).method("GET").path_contains("/expenses/").times(100));
}

#[rstest]
#[tokio::test]
async fn a_learned_name_decides_only_after_two_confirmations_from_different_strings(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(mut app) = company(db, "").await else { return };
    app.run_until_idle().await;
    say(&mut app, "MOONQUAKE ROOMS 14", Verdict::Confirmed, Some(COFFEE)).await;
    arrives(&mut app, "accr_other", "MOONQUAKE ROOMS 27").await;
    assert_eq!(hold_of(&app, "accr_other").await, Some(HoldCode::VendorReview), "one string, another number");
    say(&mut app, "MOONQUAKE ROOMS 14", Verdict::Confirmed, Some(COFFEE)).await;
    assert_eq!(hold_of(&app, "accr_other").await, Some(HoldCode::VendorReview), "the same string twice is one string");
    say(&mut app, "MOONQUAKE ROOMS 33", Verdict::Confirmed, Some(COFFEE)).await;
    assert_eq!(vendor_of(&app, "accr_other").await, exported(COFFEE), "two strings");
    app.assert_sound().await;
}

#[tokio::test]
async fn what_a_name_alone_decided_is_asked_for_after_it_was_forgotten() {
    let Some(mut app) = company(Db::Sqlite, "").await else { return };
    app.run_until_idle().await;
    expense_says(&app, "SQ *ZELKOVA COFFEE ROA OMAHA NE");
    say(&mut app, "MOONQUAKE ROOMS", Verdict::NoneOfOurs, None).await;
    arrives(&mut app, "accr_asks", "MOONQUAKE ROOMS").await;
    assert_eq!(hold_of(&app, "accr_asks").await, Some(HoldCode::VendorNotFound));
    let requests = |app: &TestApp| app.app.connections[0].traffic.requests()["brex"];
    let before = requests(&app);
    say(&mut app, "MOONQUAKE ROOMS", Verdict::Forgotten, None).await;
    assert!(requests(&app) > before, "the descriptor is asked for");
    assert_ne!(hold_of(&app, "accr_asks").await, Some(HoldCode::VendorNotFound));
    assert!(judgement_of(&app, "accr_asks").await.candidates.iter().any(|candidate| candidate.number == COFFEE));
}

#[tokio::test]
async fn a_link_typed_as_the_descriptor_comes_before_a_vendor_of_exactly_the_merchants_name() {
    let Some(mut app) = company(Db::Sqlite, "").await else { return };
    app.run_until_idle().await;
    expense_says(&app, "SQ *BEAN TRUCK 12");
    say(&mut app, "SQ *BEAN TRUCK 12", Verdict::SetByHand, Some(EAST)).await;
    arrives(&mut app, "accr_typed", "Zelkova Coffee Roasters LLC").await;
    assert_eq!(vendor_of(&app, "accr_typed").await, exported(EAST));
}

#[tokio::test]
async fn rejecting_the_only_suggestion_leads_to_the_default_vendor_and_one_of_several_to_the_others() {
    let Some(mut app) = company(Db::Sqlite, "default_vendor = \"V00001\"").await else { return };
    app.run_until_idle().await;
    let coffee = "SQ *ZELKOVA COFFEE ROA OMAHA NE";
    say(&mut app, coffee, Verdict::Rejected, Some(COFFEE)).await;
    arrives(&mut app, "accr_sole", coffee).await;
    assert_eq!(vendor_of(&app, "accr_sole").await, exported("V00001"), "none of our vendors: the policy for none");
    say(&mut app, "QUILLON BEARINGS", Verdict::Rejected, Some(EAST)).await;
    arrives(&mut app, "accr_pair", "QUILLON BEARINGS").await;
    assert_eq!(hold_of(&app, "accr_pair").await, Some(HoldCode::VendorReview));
    assert_eq!(judgement_of(&app, "accr_pair").await.candidates[0].number, WEST);
}
