//! One Brex account, several companies: each purchase is booked by the connection of the legal entity that spent, and by no other.

use connector::agreement::check;
use connector::config::{ConnectionConfig, SecretSource};
use connector::tieout;
use domain::hold::HoldCode;
use domain::id::{ConnectionId, RecordId};
use domain::stage::Stage;
use domain::tieout::{Period, TieOut};
use jiff::civil::date;
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;
use sandbox::{Options, Sandbox};
use store::RecordRow;
use tempfile::NamedTempFile;

use crate::app::{TestApp, start_of_time};
use crate::database::Db;
use crate::held::{a_vendor, card, hold_of};

const JUNE: Period = Period { from: date(2026, 6, 1), to: date(2026, 6, 30) };

/// Two cards of one account; the second was used for the second legal entity. Gives the ids of both entities.
async fn two_entities(db: Db) -> Option<(TestApp, [String; 2])> {
    let app = TestApp::start_with(db, Options { records: 0, ..Options::default() }, "").await?;
    let (_, vendor) = a_vendor(&app);
    let brex = &app.world().brex;
    let entities = [brex.spend_for("expense_accr_first", 0), brex.spend_for("expense_accr_second", 1)];
    app.insert(&card("accr_first", &vendor, "64100", 12.5));
    app.insert(&card("accr_second", &vendor, "64100", 20.0));
    Some((app, entities))
}

fn neighbour() -> ConnectionId {
    ConnectionId::new("neighbour").unwrap()
}

async fn row_of(app: &TestApp, connection: &ConnectionId, record: &str) -> Option<RecordRow> {
    app.app.store.records().get(connection, &RecordId::new(record)).await.unwrap()
}

async fn tied(app: &TestApp, connection: &ConnectionId) -> TieOut {
    let connection = app.app.connection(connection).unwrap();
    let identity = connection.identity().unwrap();
    tieout::make(&app.app, connection, &identity, JUNE).await.unwrap()
}

/// A second company, at another Business Central, with the secret to sign in there.
async fn second_company() -> (Sandbox, NamedTempFile) {
    let options = Options { records: 0, seed: 77, start: Some(start_of_time()), ..Options::default() };
    let sandbox = Sandbox::start(options).await.unwrap();
    let secret = NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), &sandbox.ready().entra.client_secret).unwrap();
    (sandbox, secret)
}

fn join_second_company(neighbour: &mut ConnectionConfig, company: &Sandbox, secret: &NamedTempFile) {
    let ready = company.ready();
    neighbour.entra.base_url = ready.entra.base_url.parse().unwrap();
    neighbour.entra.tenant = ready.entra.tenant_id.to_string();
    neighbour.entra.client_id = ready.entra.client_id.to_string();
    neighbour.entra.client_secret = SecretSource::File(secret.path().to_owned());
    neighbour.bc.base_url = ready.bc.base_url.parse().unwrap();
    neighbour.bc.company.clone_from(&ready.bc.company_name);
}

async fn each_purchase_is_booked_by_the_connection_of_its_legal_entity(db: Db) {
    let Some((mut app, [first, second])) = two_entities(db).await else { return };
    let (company, secret) = second_company().await;
    let there = company.world().company.vendors.iter().map(|vendor| vendor.name.clone()).find(|name| name.len() > 12);
    app.insert(&card("accr_second", &there.unwrap(), "64100", 20.0));
    app.reconfigure(|main| main.brex.legal_entities = vec![first]).await;
    app.add_neighbour(|neighbour| {
        neighbour.brex.legal_entities = vec![second];
        join_second_company(neighbour, &company, &secret);
    })
    .await;
    app.run_until_idle().await;

    let main = app.connection();
    let [one, other] = [&main, &neighbour()].map(|id| app.app.connection(id).unwrap().traffic.requests()["brex"]);
    assert_eq!(one, other, "both share one sender, since Brex counts the requests of the account");
    for (ours, theirs, connection) in
        [("accr_first", "accr_second", &main), ("accr_second", "accr_first", &neighbour())]
    {
        let row = row_of(&app, connection, ours).await;
        assert_eq!(row.as_ref().map(|row| row.stage), Some(Stage::Exported), "{connection}: {row:?}");
        // Exported by the other before this one looked, it was never seen.
        let row = row_of(&app, connection, theirs).await;
        assert!(row.is_none_or(|row| row.stage == Stage::Elsewhere && row.document_id.is_none()));
        let tied = tied(&app, connection).await;
        assert!(tied.is_closed(), "{:?}", tied.unexplained);
        let ends: Vec<&str> = tied.items.iter().map(|item| item.end.as_str()).collect();
        assert!(ends.contains(&"document") && ends.contains(&"elsewhere"), "{ends:?}");
    }
    assert_eq!([app.agreement().invoices, check(&company.world()).invoices], [1, 1]);
}

#[tokio::test]
async fn each_purchase_is_booked_by_the_connection_of_its_legal_entity_on_sqlite() {
    each_purchase_is_booked_by_the_connection_of_its_legal_entity(Db::Sqlite).await;
}

#[tokio::test]
async fn each_purchase_is_booked_by_the_connection_of_its_legal_entity_on_postgres() {
    each_purchase_is_booked_by_the_connection_of_its_legal_entity(Db::Postgres).await;
}

#[tokio::test]
async fn a_purchase_of_an_entity_that_nobody_names_is_held_until_somebody_does() {
    let Some((mut app, [first, second])) = two_entities(Db::Sqlite).await else { return };
    // A name, which Brex shows to people, is as good as an id; what has no expense names no entity.
    let mut unnamed = card("accr_unnamed", "Nobody", "64100", 5.0);
    unnamed["source_id"] = serde_json::Value::Null;
    app.insert(&unnamed);
    let name = app.world().company.name.clone();
    app.reconfigure(|main| main.brex.legal_entities = vec![name]).await;
    app.run_until_idle().await;
    assert_eq!(app.row("accr_first").await.unwrap().stage, Stage::Exported, "{first} is known by its name");
    assert_eq!(hold_of(&app, "accr_second").await, Some(HoldCode::LegalEntityUnknown));
    assert_eq!(hold_of(&app, "accr_unnamed").await, Some(HoldCode::LegalEntityUnknown));
    let sentence = app.row("accr_second").await.unwrap().hold.unwrap().sentence;
    assert!(sentence.contains(&second), "{sentence}");

    app.reconfigure(|main| {
        main.brex.other_legal_entities = vec![second];
        main.brex.without_legal_entity = true;
    })
    .await;
    app.request("master_data").await;
    app.run_until_idle().await;
    assert_eq!(app.row("accr_second").await.unwrap().stage, Stage::Elsewhere);
    assert!(app.actions("accr_second").await.contains(&"elsewhere".to_owned()));
    assert_ne!(hold_of(&app, "accr_unnamed").await, Some(HoldCode::LegalEntityUnknown));
}

#[tokio::test]
async fn two_connections_of_one_account_that_name_no_entities_book_nothing_twice() {
    let Some((mut app, _)) = two_entities(Db::Sqlite).await else { return };
    app.add_neighbour(|_| {}).await;
    for _ in 0..20 {
        app.tick().await;
        app.advance(60);
    }
    for id in [app.connection(), neighbour()] {
        let problem = app.app.store.connections().get(&id).await.unwrap().and_then(|row| row.problem).unwrap();
        assert_eq!(problem.code, "brex_account_shared", "{id}");
        assert!(problem.sentence.contains("brex.legal_entities"), "{}", problem.sentence);
    }
    assert_eq!(app.agreement().invoices, 0, "unknown means deny");
}

#[tokio::test]
async fn a_purchase_whose_legal_entity_is_corrected_in_brex_comes_back() {
    let Some((mut app, [first, second])) = two_entities(Db::Sqlite).await else { return };
    app.reconfigure(|main| {
        main.brex.legal_entities = vec![first];
        main.brex.other_legal_entities = vec![second];
    })
    .await;
    app.run_until_idle().await;
    assert_eq!(app.row("accr_second").await.unwrap().stage, Stage::Elsewhere);
    assert!(tied(&app, &app.connection()).await.is_closed());

    // The record itself does not change by it.
    app.world().brex.spend_for("expense_accr_second", 0);
    assert!(!tied(&app, &app.connection()).await.is_closed(), "it is booked nowhere");
    app.request("full_poll").await;
    app.run_until_idle().await;
    assert_eq!(app.row("accr_second").await.unwrap().stage, Stage::Exported);
    assert!(tied(&app, &app.connection()).await.is_closed());
    app.assert_sound().await;
}

#[tokio::test]
async fn an_expense_that_brex_does_not_show_holds_its_record_and_no_other() {
    let Some((mut app, [first, _])) = two_entities(Db::Sqlite).await else { return };
    let refused = FaultKind::Status { status: 400, body: None, retry_after: None };
    app.world().faults.add(Fault::new(Side::Brex, refused).path_contains("expense_accr_second").times(1_000));
    app.reconfigure(|main| {
        main.brex.legal_entities = vec![first];
        main.brex.without_legal_entity = true;
    })
    .await;
    app.run_until_idle().await;
    assert_eq!(app.row("accr_first").await.unwrap().stage, Stage::Exported);
    assert_eq!(hold_of(&app, "accr_second").await, Some(HoldCode::LegalEntityUnknown));
}
