//! Vendors: the matcher decides where it is sure, asks where it is not, and learns from the answers.

use connector::vendors::answer::{Answer, AnswerError, NotTaken, give};
use connector::vendors::answers::standings;
use connector::vendors::exchange::{export, import, take};
use connector::vendors::judgement::{Asked, Judgement};
use domain::hold::HoldCode;
use domain::id::RecordId;
use domain::stage::Stage;
use rstest::rstest;
use sandbox::Options;
use sandbox::bc::VendorChange;
use sandbox::company::Blocked;
use store::{VendorLink, Verdict};

use crate::app::TestApp;
use crate::database::Db;
use crate::held::{card, hold_of};

pub const EAST: &str = "V99001";
pub const WEST: &str = "V99002";
pub const COFFEE: &str = "V99003";

/// A company with two sister vendors that only a person can tell apart, and one that nothing is like.
pub async fn company(db: Db, settings: &str) -> Option<TestApp> {
    let app = TestApp::start_with(db, Options { records: 1, ..Options::default() }, settings).await?;
    for (number, name) in [
        (EAST, "Quillon Bearings East LLC"),
        (WEST, "Quillon Bearings West LLC"),
        (COFFEE, "Zelkova Coffee Roasters LLC"),
    ] {
        change(&app, number, VendorChange { name: Some(name.to_owned()), ..VendorChange::default() });
    }
    Some(app)
}

pub fn change(app: &TestApp, number: &str, change: VendorChange) {
    let world = app.world();
    world.bc.change_vendor(number, change, world.clock.now()).unwrap();
}

async fn answer_about(
    app: &TestApp,
    asked: Asked,
    verdict: Verdict,
    vendor: Option<&str>,
) -> Result<VendorLink, AnswerError> {
    let answer = Answer { asked, verdict, vendor: vendor.map(str::to_owned), person: "kim".to_owned(), record: None };
    let directory = app.app.connections[0].directory();
    give(&app.app.store, &app.connection(), &directory, &answer, app.app.now_ms()).await
}

pub async fn say(app: &mut TestApp, merchant: &str, verdict: Verdict, vendor: Option<&str>) {
    answer_about(app, Asked::name(merchant), verdict, vendor).await.unwrap();
    app.run_until_idle().await;
}

pub async fn arrives(app: &mut TestApp, id: &str, merchant: &str) {
    app.insert(&card(id, merchant, "64100", 12.5));
    app.poll_now().await;
    app.run_until_idle().await;
}

pub async fn vendor_of(app: &TestApp, record: &str) -> (Stage, Option<String>) {
    let row = app.row(record).await.unwrap();
    (row.stage, row.vendor_number)
}

pub async fn judgement_of(app: &TestApp, record: &str) -> Judgement {
    let matches = app.app.store.vendor_matches();
    let found = matches.find_many(&app.connection(), &[RecordId::new(record)]).await.unwrap();
    serde_json::from_str(&found[0].decision).unwrap()
}

pub fn exported(number: &str) -> (Stage, Option<String>) {
    (Stage::Exported, Some(number.to_owned()))
}

#[rstest]
#[tokio::test]
async fn a_raw_descriptor_is_matched_and_the_stored_numbers_give_the_same_score(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(mut app) = company(db, "").await else { return };
    arrives(&mut app, "accr_coffee", "SQ *ZELKOVA COFFEE ROA OMAHA NE").await;
    assert_eq!(vendor_of(&app, "accr_coffee").await, exported(COFFEE));
    let said = judgement_of(&app, "accr_coffee").await;
    assert_eq!(said.outcome, "auto");
    assert!(said.score >= said.auto_from && (said.replay().unwrap() - said.score).abs() < 1e-9);
    let story = app.story("accr_coffee").await;
    let entry = story.iter().find(|entry| entry.action == "vendor_resolved").unwrap();
    assert!(
        entry.detail.contains("ROA cut off from ROASTERS") && entry.detail.contains(&said.weights),
        "{}",
        entry.detail
    );
    app.assert_sound().await;
}

#[rstest]
#[tokio::test]
async fn an_ambiguous_merchant_waits_with_ranked_reasons_and_a_confirmation_releases_it_and_its_like(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(mut app) = company(db, "").await else { return };
    arrives(&mut app, "accr_one", "QUILLON BEARINGS").await;
    arrives(&mut app, "accr_two", "QUILLON BEARINGS").await;
    let hold = app.row("accr_one").await.unwrap().hold.unwrap();
    assert_eq!(hold.code, HoldCode::VendorReview);
    assert!(hold.sentence.contains("Match Confidence") && hold.sentence.contains("QUILLON"), "{}", hold.sentence);
    let numbers: Vec<String> = judgement_of(&app, "accr_one").await.candidates.into_iter().map(|c| c.number).collect();
    assert!(numbers[..2].contains(&EAST.to_owned()) && numbers[..2].contains(&WEST.to_owned()), "{numbers:?}");

    say(&mut app, "QUILLON BEARINGS", Verdict::Confirmed, Some(WEST)).await;
    for record in ["accr_one", "accr_two"] {
        assert_eq!(vendor_of(&app, record).await, exported(WEST));
        let story = app.story(record).await;
        assert!(story.iter().any(|entry| entry.detail.contains("confirmed by kim")), "{record}");
    }
    app.restart().await;
    arrives(&mut app, "accr_later", "QUILLON BEARINGS").await;
    assert_eq!(vendor_of(&app, "accr_later").await, exported(WEST), "memory outlives the process");
    app.assert_sound().await;
}

#[tokio::test]
async fn a_rejected_vendor_is_not_suggested_again_and_none_of_ours_leaves_the_record_unmatched() {
    let Some(mut app) = company(Db::Sqlite, "").await else { return };
    app.run_until_idle().await;
    let coffee = "SQ *ZELKOVA COFFEE ROA OMAHA NE";
    say(&mut app, coffee, Verdict::Rejected, Some(COFFEE)).await;
    arrives(&mut app, "accr_not", coffee).await;
    assert_ne!(vendor_of(&app, "accr_not").await.1.as_deref(), Some(COFFEE));
    assert!(judgement_of(&app, "accr_not").await.candidates.iter().all(|candidate| candidate.number != COFFEE));

    say(&mut app, "QUILLON BEARINGS", Verdict::NoneOfOurs, None).await;
    arrives(&mut app, "accr_none", "QUILLON BEARINGS").await;
    assert_eq!(hold_of(&app, "accr_none").await, Some(HoldCode::VendorNotFound));
    say(&mut app, coffee, Verdict::Forgotten, None).await;
    assert_eq!(vendor_of(&app, "accr_not").await, exported(COFFEE), "forgotten, so the matcher decides again");
}

#[tokio::test]
async fn a_link_set_by_hand_is_not_overwritten_by_anybody_but_a_hand() {
    let Some(mut app) = company(Db::Sqlite, "").await else { return };
    app.run_until_idle().await;
    say(&mut app, "QUILLON BEARINGS", Verdict::SetByHand, Some(EAST)).await;
    let refused = answer_about(&app, Asked::name("QUILLON BEARINGS"), Verdict::Confirmed, Some(WEST)).await;
    assert!(matches!(refused, Err(AnswerError::NotTaken(NotTaken::SetByHand { .. }))), "{refused:?}");
    let mut coded = card("accr_coded", "QUILLON BEARINGS", "64100", 20.0);
    coded["line_items"][0]["accounting_field_values"].as_array_mut().unwrap().push(serde_json::json!({
        "brex_field_id": "extended_field_vendor", "remote_field_id": "VENDOR", "brex_field_value_id": "efo_2",
        "remote_field_value_id": WEST,
    }));
    app.insert(&coded);
    app.poll_now().await;
    app.run_until_idle().await;
    assert_eq!(vendor_of(&app, "accr_coded").await, exported(WEST), "what is coded on a record counts for the record");
    arrives(&mut app, "accr_hand", "QUILLON BEARINGS").await;
    assert_eq!(vendor_of(&app, "accr_hand").await, exported(EAST));
    say(&mut app, "QUILLON BEARINGS", Verdict::SetByHand, Some(WEST)).await;
    arrives(&mut app, "accr_again", "QUILLON BEARINGS").await;
    assert_eq!(vendor_of(&app, "accr_again").await, exported(WEST));
}

#[rstest]
#[case::renamed(VendorChange { name: Some("Quorum Catering".to_owned()), ..VendorChange::default() }, "renamed")]
#[case::blocked(VendorChange { blocked: Some(Blocked::All), ..VendorChange::default() }, "blocked")]
#[case::deleted(VendorChange { delete: true, ..VendorChange::default() }, "deleted")]
#[tokio::test]
async fn a_vendor_that_is_renamed_blocked_or_gone_sends_its_merchant_back_to_review(
    #[case] changed: VendorChange,
    #[case] told: &str,
) {
    let Some(mut app) = company(Db::Sqlite, "").await else { return };
    app.run_until_idle().await;
    say(&mut app, "QUILLON BEARINGS", Verdict::Confirmed, Some(EAST)).await;
    let east = app.app.connections[0].directory().vendor(EAST).unwrap().id;
    change(&app, EAST, changed);
    app.request("master_data").await;
    app.request("master_data").await;
    arrives(&mut app, "accr_after", "QUILLON BEARINGS").await;
    let hold = app.row("accr_after").await.unwrap().hold.unwrap();
    assert_eq!(hold.code, HoldCode::VendorReview);
    assert!(hold.sentence.contains("the vendor confirmed before"), "{}", hold.sentence);
    assert_eq!(app.actions(&format!("vendor {east}")).await, [format!("linked_vendor_{told}")], "told once");
    say(&mut app, "QUILLON BEARINGS", Verdict::Confirmed, Some(WEST)).await;
    assert_eq!(hold_of(&app, "accr_after").await, Some(HoldCode::VendorReview), "two different answers contradict");
    say(&mut app, "QUILLON BEARINGS", Verdict::Confirmed, Some(WEST)).await;
    assert_eq!(vendor_of(&app, "accr_after").await, exported(WEST), "a person who saw that answered again");
}

#[tokio::test]
async fn a_merchant_that_is_none_of_the_vendors_goes_to_the_default_vendor_only_if_there_is_one() {
    let Some(mut app) = company(Db::Sqlite, &format!("default_vendor = {COFFEE:?}")).await else { return };
    arrives(&mut app, "accr_nobody", "VEXILLUM FLAG MAKERS").await;
    assert_eq!(vendor_of(&app, "accr_nobody").await, exported(COFFEE));
    arrives(&mut app, "accr_asks", "QUILLON BEARINGS").await;
    assert_eq!(hold_of(&app, "accr_asks").await, Some(HoldCode::VendorReview), "a probable vendor is asked about");
}

#[tokio::test]
async fn the_memory_goes_out_as_csv_and_comes_back_the_same_once() {
    let Some(mut app) = company(Db::Sqlite, "").await else { return };
    app.run_until_idle().await;
    say(&mut app, "=QUILLON+BEARINGS", Verdict::Confirmed, Some(WEST)).await;
    say(&mut app, "ZELKOVA KIOSK", Verdict::SetByHand, Some(COFFEE)).await;
    say(&mut app, "MOONQUAKE ROOMS", Verdict::NoneOfOurs, None).await;
    say(&mut app, "SQ *ZELKOVA TEA", Verdict::Rejected, Some(COFFEE)).await;
    let (store, connection) = (&app.app.store, app.connection());
    let directory = app.app.connections[0].directory();
    let before = standings(&store.vendor_links().list(&connection).await.unwrap());
    let mut csv = Vec::new();
    assert_eq!(export(&before, &directory, &mut csv).unwrap(), 5, "four, and the coding of the record that was there");
    assert!(String::from_utf8_lossy(&csv).contains("\n'=QUILLON+BEARINGS,"), "no cell is a formula");
    let (none, kept) = import(csv.as_slice(), &before, &directory, "lee", 1).unwrap();
    assert_eq!((none.len(), kept), (0, 5), "what stands already is not said again");

    let (links, _) = import(csv.as_slice(), &std::collections::BTreeMap::new(), &directory, "lee", 1).unwrap();
    let forget: Vec<VendorLink> =
        links.iter().map(|link| VendorLink { verdict: Verdict::Forgotten, ..link.clone() }).collect();
    let lee = domain::audit::Actor::Person("lee".to_owned());
    let all = |_: &[VendorLink]| Ok::<_, ()>(forget.clone());
    store.vendor_links().answer(&connection, None, "recheck", 1, &lee, all).await.unwrap().unwrap();
    assert_eq!(take(store, &connection, &directory, &csv, "lee", 1).await.unwrap().unwrap(), (5, 0));
    let after = standings(&store.vendor_links().list(&connection).await.unwrap());
    let said = |all: &std::collections::BTreeMap<String, connector::vendors::answers::Standing>| -> Vec<_> {
        let links = all.values().flat_map(|s| s.answers.iter().chain(&s.rejected));
        links.map(|l| (l.descriptor.clone(), l.verdict, l.bc_vendor_id, l.vendor_name.clone())).collect()
    };
    assert_eq!(said(&after), said(&before));
    let wrong = b"descriptor,vendor_number,verdict\nX,V0,confirmed\n".as_slice();
    assert!(import(wrong, &after, &directory, "lee", 1).unwrap_err().to_string().starts_with("line 2: the vendor V0"));
}

#[tokio::test]
async fn deciding_twice_changes_nothing_and_only_the_matcher_asks_brex_for_the_expense() {
    let Some(mut app) = company(Db::Sqlite, "").await else { return };
    app.run_until_idle().await;
    let calls = |app: &TestApp| app.app.connections[0].traffic.requests()["brex"];
    app.insert(&card("accr_exact", "Zelkova Coffee Roasters LLC", "64100", 1.5));
    app.poll_and_run(&[]).await;
    let before = calls(&app);
    app.run_stage_twice(Stage::ResolveVendor).await;
    assert_eq!(calls(&app), before, "a name that is the vendor's needs no call");
    app.insert(&card("accr_fuzzy", "SQ *ZELKOVA COFFEE ROA OMAHA NE", "64100", 1.5));
    app.insert(&card("accr_asks", "QUILLON BEARINGS", "64100", 1.5));
    app.advance(2);
    app.poll_and_run(&[]).await;
    let before = calls(&app);
    app.run_stage_twice(Stage::ResolveVendor).await;
    assert_eq!(calls(&app), before + 2, "one read per record that the matcher looks at, none the second time");
    app.request("recheck").await;
    app.run_until_idle().await;
    assert_eq!(vendor_of(&app, "accr_fuzzy").await, exported(COFFEE));
    assert_eq!(hold_of(&app, "accr_asks").await, Some(HoldCode::VendorReview));
    app.assert_sound().await;
}

#[rstest]
#[case::none_of_ours(Verdict::NoneOfOurs, None)]
#[case::rejected(Verdict::Rejected, Some(COFFEE))]
#[tokio::test]
async fn a_vendor_of_exactly_that_name_is_not_booked_once_a_person_said_that_it_is_not(
    #[case] verdict: Verdict,
    #[case] vendor: Option<&str>,
    #[values("Zelkova Coffee Roasters LLC", "ZELKOVA COFFEE ROASTERS")] merchant: &str,
) {
    let Some(mut app) = company(Db::Sqlite, "").await else { return };
    app.run_until_idle().await;
    say(&mut app, merchant, verdict, vendor).await;
    arrives(&mut app, "accr_named", merchant).await;
    assert_eq!(vendor_of(&app, "accr_named").await.1, None);
    assert!(hold_of(&app, "accr_named").await.is_some());
}

#[tokio::test]
async fn coding_is_remembered_again_after_it_was_forgotten_and_never_against_a_hand() {
    let Some(mut app) = company(Db::Sqlite, "").await else { return };
    app.run_until_idle().await;
    let merchant = "QUILLON BEARINGS";
    for (record, verdict, verdicts) in [
        ("accr_first", None, 1),
        ("accr_next", Some(Verdict::Forgotten), 3),
        ("accr_hand", Some(Verdict::SetByHand), 4),
    ] {
        if let Some(verdict) = verdict {
            say(&mut app, merchant, verdict, (verdict == Verdict::SetByHand).then_some(EAST)).await;
        }
        let mut coded = card(record, merchant, "64100", 20.0);
        coded["line_items"][0]["accounting_field_values"].as_array_mut().unwrap().push(serde_json::json!({
            "brex_field_id": "extended_field_vendor", "remote_field_id": "VENDOR", "brex_field_value_id": "efo_2",
            "remote_field_value_id": WEST,
        }));
        app.insert(&coded);
        app.poll_now().await;
        app.run_until_idle().await;
        assert_eq!(vendor_of(&app, record).await, exported(WEST));
        let key = [matching::scrubbed_key(merchant)];
        let stored = app.app.store.vendor_links().list_for(&app.connection(), &key).await.unwrap();
        assert_eq!(stored.len(), verdicts, "{record}");
    }
}
