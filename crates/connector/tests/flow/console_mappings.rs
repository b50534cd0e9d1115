//! A person says what a coded value means, and what waited for it goes on.

use domain::access::Role;
use domain::hold::HoldCode;
use domain::stage::Stage;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::database::Db;
use crate::held::{a_vendor, card, hold_of};
use crate::visitor::{Visitor, location};

const WORD: [(&str, &str); 2] = [("field", "GL_ACCOUNT"), ("value", "Team lunch")];

/// Two records that are coded to an account that is not in Business Central.
async fn held(db: Db) -> Option<TestApp> {
    let mut app = TestApp::start(db, 1).await?;
    let (_, vendor) = a_vendor(&app);
    for id in ["accr_one", "accr_two"] {
        app.insert(&card(id, &vendor, "Team lunch", 12.5));
    }
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, "accr_one").await, Some(HoldCode::AccountUnknown));
    Some(app)
}

fn with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    WORD.iter().chain(more).copied().collect()
}

/// The accounts of the lines of a record's document.
fn accounts(app: &TestApp, id: &str) -> Vec<String> {
    let documents = app.world().bc.documents_by_marker(id);
    let lines = documents[0].lines.iter().filter(|line| line.line_type == "Account");
    lines.map(|line| line.number.clone()).collect()
}

#[rstest::rstest]
#[tokio::test]
async fn what_a_person_says_on_the_page_of_a_held_record_clears_it_and_its_like(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(mut app) = held(db).await else { return };
    let (ann, viewer) =
        (Visitor::signed_in(&app, "ann", Role::Bookkeeper).await, Visitor::signed_in(&app, "eve", Role::Viewer).await);
    let page = ann.text("/c/main/records/accr_one").await;
    assert!(page.contains("is coded <strong>Team lunch</strong> in Brex"), "{page}");
    assert!(page.contains("<option value=\"64100\">64100 "), "{page}");
    assert!(!viewer.text("/c/main/records/accr_one").await.contains("What does it mean?"));

    for (target, why) in [("99999", "there is no G/L account 99999"), ("61000", "there is no G/L account 61000")] {
        let word = with(&[("target", target), ("reason", "it is")]);
        let refused = ann.click("/c/main/mappings", &word).await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "{target}");
        assert!(refused.text().await.unwrap().contains(why), "{target}");
    }
    let word = with(&[("target", "64100"), ("reason", "that is what it is"), ("record", "accr_one")]);
    let kept = ann.click("/c/main/mappings", &word).await;
    assert_eq!(location(&kept), "/c/main/records/accr_one?asked=true");
    app.run_until_idle().await;
    for id in ["accr_one", "accr_two"] {
        assert_eq!(app.row(id).await.unwrap().stage, Stage::Exported, "{id}");
        assert_eq!(accounts(&app, id), ["64100"], "{id}");
    }
    let mapped = app.story("accr_one").await.into_iter().find(|entry| entry.action == "mapped").unwrap();
    let mapped: Value = serde_json::from_str(&mapped.detail).unwrap();
    assert_eq!(mapped["why"]["lines"][0]["account"]["said"]["value"], "Team lunch", "{mapped}");
    assert_ne!(mapped["rules"], app.app.connections[0].rules.version.as_str(), "the rules are others now");

    let page = viewer.text("/c/main/mappings").await;
    for shown in ["GL_ACCOUNT", "Team lunch", "64100", "ann", "that is what it is"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let back = ann.click("/c/main/mappings", &with(&[("target", ""), ("reason", "a mistake")])).await;
    assert_eq!(location(&back), "/c/main/mappings?said=taken-back");
    let (_, vendor) = a_vendor(&app);
    app.insert(&card("accr_three", &vendor, "Team lunch", 7.0));
    app.poll_now().await;
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, "accr_three").await, Some(HoldCode::AccountUnknown));
    let told = app.app.store.audit().list_for(&app.connection(), "value Team lunch of GL_ACCOUNT", 10).await.unwrap();
    let told: Vec<_> = told.iter().map(|e| (&*e.action, &*e.actor, e.before.as_deref(), e.after.as_deref())).collect();
    let expected = [
        ("value_meaning_said", "person:ann", None, Some("64100")),
        ("value_meaning_taken_back", "person:ann", Some("64100"), None),
    ];
    assert_eq!(told, expected);
    app.assert_sound().await;
}

#[tokio::test]
async fn a_dimension_value_of_which_only_the_name_is_known_and_a_field_that_books_nothing() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let (_, vendor) = a_vendor(&app);
    let mut record = card("accr_dim", &vendor, "64100", 12.5);
    record["line_items"][0]["accounting_field_values"].as_array_mut().unwrap().push(json!({
        "brex_field_id": "extended_field_d", "remote_field_id": "DIM_DEPARTMENT",
        "brex_field_value_id": "efo_9", "remote_field_value_id": "the-sellers",
    }));
    app.insert(&record);
    app.run_until_idle().await;
    assert_eq!(hold_of(&app, "accr_dim").await, Some(HoldCode::DimensionUnknown));
    let ann = Visitor::signed_in(&app, "ann", Role::Bookkeeper).await;
    assert!(ann.text("/c/main/records/accr_dim").await.contains("value of dimension DEPARTMENT"));
    let of_field =
        |field| vec![("field", field), ("value", "THE-SELLERS"), ("target", "SALES"), ("reason", "so it is")];
    let refused = ann.click("/c/main/mappings", &of_field("Memo")).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text().await.unwrap().contains("stands for neither a G/L account"));
    ann.click("/c/main/mappings", &of_field("dim_department")).await;
    ann.click("/c/main/mappings", &of_field("DIM_DEPARTMENT")).await;
    app.run_until_idle().await;
    assert_eq!(app.row("accr_dim").await.unwrap().stage, Stage::Exported);
    let document = app.world().bc.documents_by_marker("accr_dim").remove(0);
    assert_eq!(document.dimensions.get("DEPARTMENT").map(String::as_str), Some("SALES"));
    assert_eq!(app.app.store.value_meanings().list(&app.connection()).await.unwrap().len(), 1, "whatever its case");
}

#[tokio::test]
async fn a_word_that_was_said_already_is_told_once() {
    let Some(app) = held(Db::Sqlite).await else { return };
    let ann = Visitor::signed_in(&app, "ann", Role::Bookkeeper).await;
    for reason in ["first", "again"] {
        let kept = ann.click("/c/main/mappings", &with(&[("target", "64100"), ("reason", reason)])).await;
        assert_eq!(location(&kept), "/c/main/mappings?said=said");
    }
    let subject = "value Team lunch of GL_ACCOUNT";
    assert_eq!(app.app.store.audit().list_for(&app.connection(), subject, 10).await.unwrap().len(), 1);
    let nothing = [("field", "GL_ACCOUNT"), ("value", "another"), ("target", ""), ("reason", "x")];
    let refused = ann.click("/c/main/mappings", &nothing).await;
    assert!(refused.text().await.unwrap().contains("nothing was said about"));
}

#[tokio::test]
async fn programs_say_it_over_the_api() {
    let Some(mut app) = held(Db::Sqlite).await else { return };
    let door = crate::api::Door::open(&app).await;
    let ann = door.with(&crate::api::token_of(&app, "ann", Role::Bookkeeper).await);
    let path = "/connections/main/mappings";
    let word = json!({ "field": "GL_ACCOUNT", "value": "Team lunch", "target": "64100", "reason": "so it is" });
    assert_eq!(ann.post(path, word).await.1["target"], "64100");
    app.run_until_idle().await;
    assert_eq!(app.row("accr_one").await.unwrap().stage, Stage::Exported);
    let listed = ann.get(path).await;
    assert_eq!(
        (&listed["mappings"][0]["value"], &listed["mappings"][0]["said_by"]),
        (&json!("Team lunch"), &json!("ann"))
    );
    let back = json!({ "field": "GL_ACCOUNT", "value": "Team lunch", "reason": "a mistake" });
    assert_eq!(ann.post(path, back).await.1["target"], Value::Null);
    assert_eq!(ann.get(path).await["mappings"], json!([]));
}
