//! What an IT person does on the pages: the doctor, and a new secret in the place of an old one; and the charts of the overview.

use domain::access::Role;
use reqwest::StatusCode;
use sandbox::Options;
use serde_json::json;

use crate::api::{Door, token_of};
use crate::app::TestApp;
use crate::database::Db;
use crate::visitor::{Visitor, location};

async fn at_work(records: usize) -> Option<TestApp> {
    let mut app = TestApp::start_with(Db::Sqlite, Options { records, ..Options::default() }, "").await?;
    app.run_until_idle().await;
    Some(app)
}

#[tokio::test]
async fn the_doctor_says_on_the_page_and_over_the_api_what_every_check_came_to() {
    let Some(mut app) = at_work(3).await else { return };
    let kim = Visitor::signed_in(&app, "kim", Role::Bookkeeper).await;
    let page = kim.text("/c/main/doctor").await;
    assert!(page.contains("Examine now") && !page.contains("<table>"), "nothing is asked before somebody wants it");
    let page = kim.click("/c/main/doctor", &[]).await.text().await.unwrap();
    for check in ["Brex: token and companies.readonly", "Entra ID: sign in", "BC: G/L Account", "clock"] {
        assert!(page.contains(check), "{check}: {page}");
    }
    // The clock of the test is not that of the other side.
    assert!(page.contains("1 check failed") && page.contains("this machine&#39;s clock"), "{page}");
    let viewer = Visitor::signed_in(&app, "eve", Role::Viewer).await;
    assert!(!viewer.text("/c/main/doctor").await.contains("Examine"));
    assert_eq!(viewer.click("/c/main/doctor", &[]).await.status(), StatusCode::FORBIDDEN);

    app.world().brex.revoke_token();
    let page = kim.click("/c/main/doctor", &[]).await.text().await.unwrap();
    assert!(page.contains("2 checks failed"), "{page}");
    let door = Door::open(&app).await;
    let secret = token_of(&app, "lee", Role::Bookkeeper).await;
    let (status, answer) = door.with(&secret).post("/connections/main/examination", json!(null)).await;
    assert_eq!((status, &answer["ok"]), (StatusCode::OK, &json!(false)));
    let failed = answer["checks"].as_array().unwrap().iter().filter(|check| check["result"] == "failed");
    let codes: Vec<&str> = failed.map(|check| check["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["brex_unauthorized", "clock"]);
    app.run_until_idle().await;
}

#[tokio::test]
async fn a_new_secret_is_tried_before_it_replaces_the_old_one_and_is_shown_to_nobody() {
    let Some(mut app) = at_work(3).await else { return };
    app.take_secrets_from_the_vault().await;
    app.run_until_idle().await;
    let root = Visitor::signed_in(&app, "root", Role::Admin).await;
    let other = Visitor::signed_in(&app, "app", Role::Approver).await;
    assert_eq!(other.get("/c/main/secrets").await.status(), StatusCode::FORBIDDEN);
    let (token, secret) = (app.world().brex.issue_token(), app.world().entra.rotate_secret());
    for (which, wrong) in [("brex", "bxt_wrong"), ("entra", "wrong"), ("brex", " "), ("neither", "x")] {
        let refused = root.click("/c/main/secrets", &[("which", which), ("secret", wrong)]).await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "{which}");
        assert!(!refused.text().await.unwrap().contains(wrong.trim()) || wrong.trim().len() < 6, "{which}");
    }
    let trail = async |app: &TestApp| app.actions("brex token").await.len();
    assert_eq!(trail(&app).await, 0);
    let wish = [("which", "brex"), ("secret", token.as_str()), ("ends", "")];
    assert_eq!(location(&root.click("/c/main/secrets", &wish).await), "/c/main/secrets?said=replaced");
    assert_eq!(location(&root.click("/c/main/secrets", &wish).await), "/c/main/secrets?said=same");
    assert_eq!(trail(&app).await, 1);
    let door = Door::open(&app).await;
    let admin = token_of(&app, "adm", Role::Admin).await;
    let path = "/connections/main/secrets/entra";
    let (status, answer) = door.with(&admin).post(path, json!({ "secret": secret, "ends": "2030-01-31" })).await;
    assert_eq!((status, answer), (StatusCode::OK, json!({ "replaced": true })));
    assert_eq!(door.with(&admin).post(path, json!({ "secret": "wrong" })).await.0, StatusCode::CONFLICT);
    let page = root.text("/c/main/secrets").await;
    assert!(page.contains("2030-01-31") && page.contains("in the vault of the database"), "{page}");
    for secret in [&token, &secret] {
        assert!(!page.contains(secret.as_str()));
    }
    app.world().entra.revoke_tokens();
    app.request("full_poll").await;
    app.run_until_idle().await;
    let problem = app.app.store.connections().get(&app.connection()).await.unwrap().unwrap().problem;
    assert_eq!(problem, None, "both new ones are in use");
}

#[tokio::test]
async fn a_secret_that_is_kept_elsewhere_is_not_replaced_here() {
    let Some(app) = at_work(1).await else { return };
    let root = Visitor::signed_in(&app, "root", Role::Admin).await;
    let page = root.text("/c/main/secrets").await;
    assert!(!page.contains("type=\"password\""), "{page}");
    let refused = root.click("/c/main/secrets", &[("which", "brex"), ("secret", "bxt_new")]).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text().await.unwrap().contains("replace it there"));
}

#[tokio::test]
async fn the_overview_shows_what_was_spent_and_how_long_drafts_took() {
    let Some(app) = at_work(40).await else { return };
    let eve = Visitor::signed_in(&app, "eve", Role::Viewer).await;
    let page = eve.text("/").await;
    for shown in ["Spend by account, last 12 months", "from ready to draft, last 30 days", "within a minute"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let file = eve.get("/c/main/spend.csv").await;
    assert_eq!(file.headers()["content-type"], "text/csv; charset=utf-8");
    let text = file.text().await.unwrap();
    let mut lines = csv::Reader::from_reader(text.as_bytes());
    assert_eq!(
        lines.headers().unwrap().iter().collect::<Vec<_>>(),
        ["month", "currency", "dimension", "value", "amount"]
    );
    let by_account = |line: &csv::StringRecord| line[2].is_empty();
    let lines: Vec<csv::StringRecord> = lines.records().map(Result::unwrap).collect();
    let told: rust_decimal::Decimal = lines
        .iter()
        .filter(|line| by_account(line))
        .map(|line| line[4].parse::<rust_decimal::Decimal>().unwrap())
        .sum();
    let rows = app.app.store.records().list(&app.connection(), None, 100).await.unwrap();
    let exported = rows.iter().filter(|row| row.exported_ms.is_some());
    let plans =
        exported.filter_map(|row| serde_json::from_str::<domain::document::PlannedDocument>(row.plan.as_deref()?).ok());
    let spent: rust_decimal::Decimal = plans
        .map(|plan| if plan.kind == domain::document::DocumentKind::CreditMemo { -plan.total } else { plan.total })
        .sum();
    assert!(!spent.is_zero());
    assert_eq!(told, spent);
    let door = Door::open(&app).await;
    let secret = token_of(&app, "val", Role::Viewer).await;
    let told = door.with(&secret).get("/connections/main/spend?since=2020-01-15").await;
    assert_eq!(told["spend"].as_array().unwrap().len(), lines.len());
    assert_eq!(
        door.with(&secret).refused("/connections/main/spend?since=soon").await.0,
        StatusCode::UNPROCESSABLE_ENTITY
    );
}
