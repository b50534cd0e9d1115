//! Users over the admin API.

use domain::access::Role;
use reqwest::StatusCode;
use serde_json::json;

use crate::api::{Door, token_of};
use crate::app::TestApp;
use crate::database::Db;
use crate::visitor::{PASSWORD, Visitor};

#[tokio::test]
async fn an_admin_adds_a_user_gives_another_role_and_takes_everything_away() {
    let Some(app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let door = Door::open(&app).await;
    let root = door.with(&token_of(&app, "root", Role::Admin).await);
    let (status, added) = root.post("/users", json!({ "name": "Ann@Example.com", "role": "viewer" })).await;
    assert_eq!((status, &added["name"]), (StatusCode::CREATED, &json!("ann@example.com")));
    let mut ann = Visitor::come(&app).await;
    let link = added["link"].as_str().unwrap().split_once("token=").unwrap().1.to_owned();
    ann.post("/welcome", &[("token", &link), ("password", PASSWORD), ("again", PASSWORD)]).await;
    assert_eq!(ann.sign_in("ann@example.com", PASSWORD).await.status(), StatusCode::SEE_OTHER);

    let (status, changed) = root.post("/users/ann@example.com/role", json!({ "role": "approver" })).await;
    assert_eq!(
        (status, &changed["role"], &changed["stands"]),
        (StatusCode::OK, &json!("approver"), &json!("may sign in"))
    );
    assert_eq!(root.post("/users/ann@example.com/disable", json!({})).await.1["stands"], "disabled");
    assert_eq!(ann.get("/").await.status(), StatusCode::SEE_OTHER, "the session ended");
    assert_eq!(root.post("/users/ann@example.com/enable", json!({})).await.1["stands"], "may sign in");
    assert_eq!(root.post("/users/ann@example.com/unbind", json!({})).await.0, StatusCode::OK);
    assert_eq!(root.post("/users/ann@example.com/link", json!({})).await.0, StatusCode::CREATED);

    for (path, body, expected) in [
        ("/users", json!({ "name": "ann@example.com", "role": "viewer" }), StatusCode::CONFLICT),
        ("/users", json!({ "name": "no name", "role": "viewer" }), StatusCode::UNPROCESSABLE_ENTITY),
        ("/users/root/disable", json!({}), StatusCode::CONFLICT),
        ("/users/root/role", json!({ "role": "viewer" }), StatusCode::CONFLICT),
        ("/users/nobody/enable", json!({}), StatusCode::NOT_FOUND),
        ("/users/no%20name/link", json!({}), StatusCode::NOT_FOUND),
    ] {
        assert_eq!(root.post(path, body).await.0, expected, "{path}");
    }
}
