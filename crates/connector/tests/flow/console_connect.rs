//! Two more systems are joined on the pages: asked first, written then, and no secret ever shown.

use connector::config::Config;
use domain::access::Role;
use domain::id::ConnectionId;
use reqwest::StatusCode;

use crate::app::TestApp;
use crate::database::Db;
use crate::visitor::Visitor;

/// What is typed; empty texts are left empty.
fn typed(app: &TestApp) -> Vec<(&'static str, String)> {
    let ready = app.sandbox.ready();
    let text = |text: &str| text.to_owned();
    vec![
        ("verb", text("check")),
        ("name", text("second")),
        ("start_date", text("2026-01-01")),
        ("time_zone", text("Europe/Berlin")),
        ("token", ready.brex.token.clone()),
        ("tenant", ready.entra.tenant_id.to_string()),
        ("client_id", ready.entra.client_id.to_string()),
        ("client_secret", ready.entra.client_secret.clone()),
        ("ends", text("2030-01-31")),
        ("brex_url", ready.brex.base_url.clone()),
        ("entra_url", ready.entra.base_url.clone()),
        ("bc_url", ready.bc.base_url.clone()),
    ]
}

async fn sent(root: &Visitor, fields: &[(&'static str, String)]) -> String {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = root.click("/connect", &fields).await;
    assert_eq!(answer.status(), StatusCode::OK);
    answer.text().await.unwrap()
}

fn with(fields: &[(&'static str, String)], name: &str, value: &str) -> Vec<(&'static str, String)> {
    let changed =
        |(known, was): &(&'static str, String)| (*known, if *known == name { value.to_owned() } else { was.clone() });
    fields.iter().map(changed).collect()
}

#[rstest::rstest]
#[tokio::test]
async fn two_systems_are_joined_once_both_were_asked(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = TestApp::start(db, 3).await else { return };
    app.run_until_idle().await;
    let file = app.app.file.clone().unwrap();
    let before = std::fs::read_to_string(&file).unwrap();
    let root = Visitor::signed_in(&app, "root", Role::Admin).await;
    let other = Visitor::signed_in(&app, "app", Role::Approver).await;
    assert_eq!(other.get("/connect").await.status(), StatusCode::FORBIDDEN);
    assert!(root.text("/connect").await.contains("Ask both systems"));

    let fields = typed(&app);
    for (name, value, why) in [
        ("token", "bxt_wrong_one", "Brex"),
        ("client_secret", "a wrong one", "secret"),
        ("start_date", "soon", "the start date"),
        ("name", "main", "there is a connection &#34;main&#34; already"),
        ("name", "No Name", "name"),
        ("time_zone", "", "time_zone"),
        ("bc_url", "http://198.51.100.7/", "allow_hosts"),
    ] {
        let page = sent(&root, &with(&fields, name, value)).await;
        assert!(page.contains("role=\"alert\"") && page.contains(why), "{name}: {page}");
        assert!(!page.contains("bxt_"), "{name}: a secret is shown");
        assert!(!page.contains("Join them"), "{name}");
    }
    let join = [("verb", "join".to_owned())];
    assert!(sent(&root, &join).await.contains("both systems have to be asked first"));

    sent(&root, &fields).await;
    // The secrets were typed: they are kept, and need not be typed again.
    let page = sent(&root, &with(&with(&fields, "token", ""), "client_secret", "")).await;
    for shown in ["What was found", "Northwind Supply, Inc.", "Production", "kept; type to replace", "Join them"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before, "nothing is written before somebody says so");
    let page = sent(&root, &join).await;
    assert!(page.contains("second is connected"), "{page}");
    let config = Config::load(&file).unwrap();
    let names: Vec<&str> = config.connections.iter().map(|connection| connection.name.as_str()).collect();
    assert_eq!(names, ["main", "second"]);
    let second = ConnectionId::new("second").unwrap();
    let sealed = app.app.vault().list(&second).await.unwrap();
    let sealed: Vec<(&str, bool)> = sealed.iter().map(|one| (one.system.as_str(), one.expires_ms.is_some())).collect();
    assert_eq!(sealed, [("brex", false), ("entra", true)]);
    let trail = app.app.store.audit().list_for(&ConnectionId::installation(), "second", 9).await.unwrap();
    assert_eq!((trail.len(), trail[0].actor.as_str()), (1, "person:root"));
    let text = std::fs::read_to_string(&file).unwrap() + &trail[0].detail;
    for (_, secret) in fields.iter().filter(|(name, _)| matches!(*name, "token" | "client_secret")) {
        assert!(!text.contains(secret.as_str()));
    }
    assert!(sent(&root, &join).await.contains("both systems have to be asked first"), "it is forgotten");
    app.assert_sound().await;
}

#[tokio::test]
async fn what_was_typed_is_for_whoever_typed_it_and_not_for_long() {
    let Some(app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let root = Visitor::signed_in(&app, "root", Role::Admin).await;
    let other = Visitor::signed_in(&app, "ada", Role::Admin).await;
    let fields = typed(&app);
    assert!(sent(&root, &fields).await.contains("Join them"));
    let page = other.text("/connect").await;
    assert!(!page.contains("second") && !page.contains("kept; type"), "{page}");
    assert!(root.text("/connect").await.contains("value=\"second\""));
    assert!(!sent(&root, &[("verb", "forget".to_owned())]).await.contains("value=\"second\""));
    sent(&root, &fields).await;
    app.advance(16 * 60);
    assert!(!root.text("/connect").await.contains("value=\"second\""));
    assert!(sent(&root, &[("verb", "join".to_owned())]).await.contains("both systems have to be asked first"));
}
