//! A new vendor that two people agreed to: created once and blocked, linked to its merchant, and booked once it is unblocked.

use clients::bc::{Blocked as Stands, Vendor};
use connector::vendors::judgement::Asked;
use connector::vendors::proposal::{ProposalError, Refused, Wanted, approve, decline, propose};
use domain::hold::HoldCode;
use domain::id::RecordId;
use rstest::rstest;
use sandbox::bc::VendorChange;
use sandbox::company::Blocked;
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;
use serde_json::json;
use store::{ProposalState, VendorProposal, Verdict};

use crate::app::TestApp;
use crate::database::Db;
use crate::held::hold_of;
use crate::vendors::{COFFEE, arrives, change, company, exported, say, vendor_of};

const MERCHANT: &str = "MOONQUAKE ROOMS";
const NAME: &str = "Moonquake Rooms & O'Neill GmbH";
const RECORD: &str = "accr_new";

/// A record whose merchant is none of the vendors.
async fn waiting(db: Db, settings: &str) -> Option<TestApp> {
    let mut app = company(db, settings).await?;
    arrives(&mut app, RECORD, MERCHANT).await;
    assert_eq!(hold_of(&app, RECORD).await, Some(HoldCode::VendorNotFound));
    Some(app)
}

async fn kim_proposes(app: &TestApp) -> Result<VendorProposal, ProposalError> {
    let wanted = Wanted {
        asked: Asked::name(MERCHANT),
        record: Some(RecordId::new(RECORD)),
        name: NAME.to_owned(),
        country: "de".to_owned(),
        email: "ap@moonquake.example".to_owned(),
        reason: "first stay".to_owned(),
        person: "kim".to_owned(),
    };
    let directory = app.app.connections[0].directory();
    propose(&app.app.store, &app.connection(), &directory, &wanted, app.app.now_ms()).await
}

async fn approves(app: &TestApp, person: &str) -> Result<VendorProposal, ProposalError> {
    let directory = app.app.connections[0].directory();
    approve(&app.app.store, &app.connection(), &directory, 1, person, app.app.now_ms()).await
}

/// Proposed by kim, approved by lee, nothing sent yet.
async fn agreed(db: Db, settings: &str) -> Option<TestApp> {
    let app = waiting(db, settings).await?;
    kim_proposes(&app).await.unwrap();
    approves(&app, "lee").await.unwrap();
    Some(app)
}

async fn proposal(app: &TestApp) -> VendorProposal {
    app.app.store.vendor_proposals().list(&app.connection()).await.unwrap().remove(0)
}

/// What Business Central has of the name.
async fn there(app: &TestApp) -> Vec<Vendor> {
    let connection = &app.app.connections[0];
    let company = connection.bc.company(connection.identity().unwrap().bc_company);
    company.find_vendors_named(NAME).await.unwrap()
}

fn creates(app: &TestApp) -> u64 {
    let tally = app.world().meter.tally(Side::Bc);
    tally
        .routes
        .iter()
        .filter(|(route, _)| route.starts_with("POST") && route.contains("vendors"))
        .map(|(_, n)| n)
        .sum()
}

fn on_create(kind: FaultKind) -> Fault {
    Fault::new(Side::Bc, kind).method("POST").path_contains("/vendors")
}

fn refused(outcome: Result<VendorProposal, ProposalError>) -> Refused {
    match outcome {
        Err(ProposalError::Refused(why)) => why,
        other => panic!("not refused: {other:?}"),
    }
}

/// One vendor, the merchant linked to it, the record waiting for it and for nothing else.
async fn assert_created_once(app: &TestApp) -> String {
    let found = there(app).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].blocked.clone(), found[0].country.as_str()), (Stands::All, "DE"));
    let row = proposal(app).await;
    assert_eq!((row.state, row.bc_vendor_id), (ProposalState::Created, Some(found[0].id)));
    let links = app.app.store.vendor_links().list(&app.connection()).await.unwrap();
    let ours: Vec<_> = links.iter().filter(|link| link.bc_vendor_id == Some(found[0].id)).collect();
    assert_eq!((ours.len(), ours[0].verdict, ours[0].decided_by.as_str()), (1, Verdict::SetByHand, "lee"));
    let hold = app.row(RECORD).await.unwrap().hold.unwrap();
    assert_eq!(hold.code, HoldCode::VendorBlocked, "{}", hold.sentence);
    app.assert_sound().await;
    found[0].number.clone()
}

#[rstest]
#[tokio::test]
async fn a_vendor_that_two_people_agreed_to_is_created_blocked_and_booked_once_it_is_unblocked(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(mut app) = waiting(db, "").await else { return };
    assert_eq!(kim_proposes(&app).await.unwrap().state, ProposalState::Proposed);
    assert!(matches!(refused(kim_proposes(&app).await), Refused::Open { id: 1, .. }));
    app.run_until_idle().await;
    assert!(there(&app).await.is_empty(), "one person alone creates nothing");
    assert_eq!(refused(approves(&app, " KIM ").await), Refused::SamePerson("kim".to_owned()));
    assert_eq!(refused(approves(&app, "unknown").await), Refused::Nobody);
    approves(&app, "lee").await.unwrap();
    app.run_until_idle().await;
    let number = assert_created_once(&app).await;
    let sentence = app.row(RECORD).await.unwrap().hold.unwrap().sentence;
    let words = format!("vendor {number} {NAME} was created from proposal 1 by kim, approved by lee and waits");
    assert!(sentence.starts_with(&words), "{sentence}");
    assert!(matches!(refused(approves(&app, "lee").await), Refused::SetByHand { .. }));
    let actions = app.actions("vendor_proposal 1").await;
    let steps = ["vendor_proposed", "vendor_proposal_approved", "vendor_proposal_creating", "vendor_proposal_created"];
    assert_eq!(actions, steps);

    app.request("master_data").await;
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, RECORD).await, Some(HoldCode::VendorBlocked));
    change(&app, &number, VendorChange { blocked: Some(Blocked::No), ..VendorChange::default() });
    app.request("master_data").await;
    app.run_until_idle().await;
    assert_eq!(vendor_of(&app, RECORD).await, exported(&number));
    arrives(&mut app, "accr_next", MERCHANT).await;
    assert_eq!(vendor_of(&app, "accr_next").await, exported(&number));
    app.assert_sound().await;
}

#[rstest]
#[case::lost_after(FaultKind::DropAfter, 1)]
#[case::lost_before(FaultKind::DropBefore, 2)]
#[case::gateway(FaultKind::Status { status: 504, body: None, retry_after: None }, 2)]
#[case::late(FaultKind::LateCommit { seconds: 540, status: Some(504) }, 1)]
#[case::cut(FaultKind::TruncatedBody { keep: Some(20) }, 1)]
#[case::refused_yet_done(FaultKind::CommitThen400 { message: "An extension failed.".to_owned() }, 1)]
#[case::limited(FaultKind::Status { status: 429, body: None, retry_after: Some(7) }, 2)]
#[tokio::test]
async fn whatever_becomes_of_the_answer_there_is_one_vendor(
    #[case] kind: FaultKind,
    #[case] requests: u64,
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(mut app) = agreed(db, "").await else { return };
    app.world().faults.add(on_create(kind));
    let begun = app.app.now_ms();
    app.run_until_idle().await;
    assert_created_once(&app).await;
    assert_eq!(creates(&app), requests);
    let settled = app.actions("vendor_proposal 1").await.contains(&"vendor_proposal_settled_as_absent".to_owned());
    assert!(!settled || app.app.now_ms() - begun >= 1_200_000, "the settle window was waited for");
}

#[tokio::test]
async fn a_death_after_each_request_makes_no_second_vendor() {
    for requests in 1..4 {
        for fault in [None, Some(FaultKind::LateCommit { seconds: 540, status: None })] {
            let mut app = agreed(Db::Sqlite, "").await.unwrap();
            if let Some(kind) = fault {
                app.world().faults.add(on_create(kind));
            }
            app.die_after(Side::Bc, requests).await;
            app.restart().await;
            app.run_until_idle().await;
            assert_created_once(&app).await;
        }
    }
}

#[tokio::test]
async fn a_declined_proposal_is_never_created() {
    let mut app = agreed(Db::Sqlite, "").await.unwrap();
    let say_no = async |app: &TestApp, why: &str| {
        decline(&app.app.store, &app.connection(), 1, why, "ann", app.app.now_ms()).await
    };
    say_no(&app, "we never go there").await.unwrap();
    app.run_until_idle().await;
    assert_eq!((creates(&app), there(&app).await.len()), (0, 0));
    let row = proposal(&app).await;
    assert_eq!((row.state, row.note.as_deref()), (ProposalState::Declined, Some("we never go there")));
    assert!(matches!(refused(approves(&app, "lee").await), Refused::NotNow { state: "declined", .. }));
    assert!(matches!(refused(say_no(&app, "again").await), Refused::NotNow { .. }));
    assert_eq!(kim_proposes(&app).await.unwrap().id, 2, "it may be proposed again");
    assert_eq!(hold_of(&app, RECORD).await, Some(HoldCode::VendorNotFound));
}

#[tokio::test]
async fn a_vendor_of_that_name_is_confirmed_instead_of_made_a_second_time() {
    let mut app = waiting(Db::Sqlite, "").await.unwrap();
    kim_proposes(&app).await.unwrap();
    let named = VendorChange { name: Some(NAME.to_owned()), ..VendorChange::default() };
    change(&app, COFFEE, named);
    approves(&app, "lee").await.unwrap();
    app.run_until_idle().await;
    let row = proposal(&app).await;
    assert_eq!((row.state, creates(&app)), (ProposalState::Held, 0), "it came after the mirror, before the create");
    assert!(row.note.as_ref().unwrap().contains(COFFEE), "{row:?}");

    app.request("master_data").await;
    app.run_until_idle().await;
    let why = refused(approves(&app, "lee").await).to_string();
    let words = format!("has the vendor {COFFEE} {NAME} already: vendors confirm \"{RECORD}\" --vendor {COFFEE}");
    assert!(why.contains(&words), "{why}");
    assert!(matches!(refused(kim_proposes(&app).await), Refused::Exists { .. }));
    say(&mut app, MERCHANT, Verdict::Confirmed, Some(COFFEE)).await;
    assert_eq!(vendor_of(&app, RECORD).await, exported(COFFEE));
}

/// Nobody can say whose vendor it is if a person changed it before it was found, or made one of the name meanwhile.
#[tokio::test]
async fn a_vendor_that_is_not_surely_ours_is_left_to_a_person() {
    let mut app = agreed(Db::Sqlite, "").await.unwrap();
    app.world().faults.add(on_create(FaultKind::DropAfter));
    app.tick().await;
    assert_eq!(proposal(&app).await.state, ProposalState::Creating);
    let number = there(&app).await[0].number.clone();
    change(&app, &number, VendorChange { blocked: Some(Blocked::No), ..VendorChange::default() });
    app.run_until_idle().await;
    let row = proposal(&app).await;
    assert_eq!((row.state, there(&app).await.len()), (ProposalState::Held, 1));
    assert!(row.note.unwrap().contains(&number));
    let links = app.app.store.vendor_links().list(&app.connection()).await.unwrap();
    assert!(links.iter().all(|link| link.descriptor != MERCHANT), "not linked either");
}

#[tokio::test]
async fn what_business_central_refuses_holds_the_proposal_and_nothing_else() {
    let said = "You cannot assign new numbers from the number series VEND.";
    let sorry = "Sorry, the current permissions prevented the action. (TableData 23 Vendor Insert: Base Application)";
    for (code, message, words) in [
        ("Application_DialogException", said, format!("Business Central refused the vendor: {said}")),
        ("Internal_ServerError", sorry, "does not let the application create vendors (insert on Vendor)".to_owned()),
    ] {
        let mut app = agreed(Db::Sqlite, "").await.unwrap();
        let body = json!({ "error": { "code": code, "message": message } });
        app.world().faults.add(on_create(FaultKind::Status { status: 400, body: Some(body), retry_after: None }));
        app.run_until_idle().await;
        let row = proposal(&app).await;
        assert_eq!((row.state, there(&app).await.len()), (ProposalState::Held, 0));
        assert!(row.note.as_ref().unwrap().contains(&words), "{row:?}");
        let connections = app.app.store.connections();
        assert_eq!(connections.get(&app.connection()).await.unwrap().unwrap().problem, None, "records go on");
        approves(&app, "lee").await.unwrap();
        app.run_until_idle().await;
        assert_created_once(&app).await;
    }
}

#[tokio::test]
async fn a_link_that_a_person_set_by_hand_meanwhile_stays() {
    let mut app = agreed(Db::Sqlite, "").await.unwrap();
    app.world().faults.add(on_create(FaultKind::LateCommit { seconds: 60, status: None }));
    app.tick().await;
    app.advance(1);
    say(&mut app, MERCHANT, Verdict::SetByHand, Some(COFFEE)).await;
    assert_eq!(vendor_of(&app, RECORD).await, exported(COFFEE));
    app.run_until_idle().await;
    assert_eq!((proposal(&app).await.state, there(&app).await.len()), (ProposalState::Created, 1));
    arrives(&mut app, "accr_next", MERCHANT).await;
    assert_eq!(vendor_of(&app, "accr_next").await, exported(COFFEE));
}

#[tokio::test]
async fn what_business_central_would_not_take_is_not_proposed() {
    let app = waiting(Db::Sqlite, "").await.unwrap();
    let directory = app.app.connections[0].directory();
    let wanted = |name: &str, country: &str, email: &str, merchant: &str, person: &str| Wanted {
        asked: Asked::name(merchant),
        record: None,
        name: name.to_owned(),
        country: country.to_owned(),
        email: email.to_owned(),
        reason: "new".to_owned(),
        person: person.to_owned(),
    };
    let long = "x".repeat(101);
    for (wanted, words) in [
        (wanted(&long, "", "", MERCHANT, "kim"), "longer than the 100 characters"),
        (wanted(" - ", "", "", MERCHANT, "kim"), "no letters or digits"),
        (wanted("A\nB", "", "", MERCHANT, "kim"), "cannot be printed"),
        (wanted("A", "Federal Republic", "", MERCHANT, "kim"), "the country is longer than the 10"),
        (wanted("A", "", "nobody", MERCHANT, "kim"), "is no mail address"),
        (wanted("A", "", "", "***", "kim"), "the merchant has no letters or digits"),
        (wanted("A", "", "", MERCHANT, "unknown"), "say who you are with --by"),
        (wanted("zelkova coffee roasters llc", "", "", MERCHANT, "kim"), "Business Central has the vendor"),
    ] {
        let outcome = propose(&app.app.store, &app.connection(), &directory, &wanted, 1).await;
        let why = refused(outcome).to_string();
        assert!(why.contains(words), "{why}");
    }
    assert!(app.app.store.vendor_proposals().list(&app.connection()).await.unwrap().is_empty());
}
