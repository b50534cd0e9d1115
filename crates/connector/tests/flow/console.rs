//! The console through its own door: who comes in, who may do what, and what a button leads to.

use connector::console::{self, Gate};
use domain::access::{Need, Role};
use domain::audit::Actor;
use domain::hold::HoldCode;
use domain::id::ConnectionId;
use domain::stage::Stage;
use reqwest::header::{CONTENT_TYPE, HOST, ORIGIN};
use reqwest::{Method, StatusCode};
use rstest::rstest;
use serde_json::json;
use store::UserChange;

use crate::app::TestApp;
use crate::database::Db;
use crate::held::{a_vendor, card, hold_of};
use crate::vendors::{COFFEE, arrives, company, exported, vendor_of};
use crate::visitor::{PASSWORD, Visitor, location};

#[rstest]
#[tokio::test]
async fn the_first_admin_sets_a_password_with_a_link_that_works_once(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(app) = TestApp::start(db, 1).await else { return };
    let old = connector::access::invite_first_admin(&app.app).await.unwrap().unwrap();
    let link = connector::access::invite_first_admin(&app.app).await.unwrap().unwrap();
    let mut visitor = Visitor::come(&app).await;
    assert_eq!(location(&visitor.get("/").await), "/sign-in?back=%2F");
    assert_eq!(
        visitor.get(&format!("/welcome?token={old}")).await.status(),
        StatusCode::NOT_FOUND,
        "a newer one is out"
    );
    assert!(visitor.text(&format!("/welcome?token={link}")).await.contains("value=\"admin\""));
    for (password, again, why) in
        [("short", "short", "at least 12 characters"), (PASSWORD, "another password", "the two passwords differ")]
    {
        let answer = visitor.post("/welcome", &[("token", &link), ("password", password), ("again", again)]).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.text().await.unwrap().contains(why));
    }
    let accept = [("token", link.as_str()), ("password", PASSWORD), ("again", PASSWORD)];
    assert_eq!(location(&visitor.post("/welcome", &accept).await), "/sign-in?set=true");
    assert_eq!(visitor.post("/welcome", &accept).await.status(), StatusCode::UNPROCESSABLE_ENTITY, "it works once");
    assert_eq!(connector::access::invite_first_admin(&app.app).await.unwrap(), None, "somebody can sign in now");
    assert_eq!(visitor.sign_in("admin", "wrong password").await.status(), StatusCode::UNAUTHORIZED);
    let answer =
        visitor.post("/sign-in", &[("name", "Admin"), ("password", PASSWORD), ("back", "//evil.example")]).await;
    assert_eq!(location(&answer), "/", "nobody is sent elsewhere");
    assert_eq!(location(&visitor.sign_in("admin", PASSWORD).await), "/");
    assert!(visitor.text("/").await.contains("admin, admin"));
    assert_eq!(location(&visitor.click("/sign-out", &[]).await), "/sign-in");
    assert_eq!(visitor.get("/").await.status(), StatusCode::SEE_OTHER, "the session ended, not only the cookie");
}

/// Some value for each part of a path, and what an action needs to get as far as its own checks.
fn address(path: &str) -> String {
    path.replace("{connection}", "main").replace("{record}", "accr_none").replace("{name}", "console.css")
}

#[tokio::test]
async fn each_route_lets_in_just_the_roles_that_may() {
    let Some(app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let nobody = Visitor::come(&app).await;
    let mut people = Vec::new();
    for role in Role::ALL {
        people.push((role, Visitor::signed_in(&app, role.as_str(), role).await));
    }
    let mut needs = std::collections::BTreeSet::new();
    // Signing out last: it ends the sessions.
    let (last, first): (Vec<_>, Vec<_>) = console::table().into_iter().partition(|(_, path, _)| *path == "/sign-out");
    for (method, path, gate) in first.into_iter().chain(last) {
        let (address, is_form) = (address(path), method == Method::POST);
        let ask = async |visitor: &Visitor| match is_form {
            true if visitor.cookie.is_some() => visitor.click(&address, &[]).await,
            true => visitor.post(&address, &[]).await,
            false => visitor.get(&address).await,
        };
        let Gate::Person(need) = gate else {
            assert_ne!(ask(&nobody).await.status(), StatusCode::FORBIDDEN, "{path}");
            continue;
        };
        needs.insert(need);
        let answer = ask(&nobody).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{method} {path}");
        assert!(location(&answer).starts_with("/sign-in?"), "{path}");
        for (role, person) in &people {
            let status = ask(person).await.status();
            assert_eq!(status != StatusCode::FORBIDDEN, role.may(need), "{role}: {method} {path}: {status}");
            assert!(!status.is_server_error(), "{role}: {method} {path}: {status}");
        }
    }
    assert_eq!(needs.into_iter().collect::<Vec<_>>(), [Need::Read, Need::Work, Need::Approve, Need::Administer]);
    let admin = &people[3].1;
    for unknown in ["/c/main", "/admin", "/c/main/records/accr_1/more", "/.env"] {
        assert_eq!(admin.get(unknown).await.status(), StatusCode::NOT_FOUND, "{unknown}");
    }
}

#[tokio::test]
async fn a_form_that_does_not_come_from_our_own_page_does_nothing() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let (_, vendor) = a_vendor(&app);
    app.insert(&card("accr_held", &vendor, "no such account", 5.0));
    app.run_until_idle().await;
    let ann = Visitor::signed_in(&app, "ann", Role::Admin).await;
    let token = ann.form_token().await;
    let (path, verb, reason) = ("/c/main/records/accr_held", ("verb", "retry"), ("reason", "because"));
    let form = [verb, reason, ("form_token", token.as_str())];
    let refused = [
        ann.post(path, &[verb, reason]).await,
        ann.post(path, &[verb, reason, ("form_token", "0")]).await,
        ann.request(Method::POST, path).form(&form).send().await.unwrap(),
        ann.request(Method::POST, path).header(ORIGIN, "https://evil.example").form(&form).send().await.unwrap(),
        ann.request(Method::POST, path).header("sec-fetch-site", "cross-site").form(&form).send().await.unwrap(),
        ann.request(Method::POST, path).header("sec-fetch-site", "same-site").form(&form).send().await.unwrap(),
    ];
    for answer in refused {
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    }
    let big = "x".repeat(300 * 1024);
    assert_eq!(ann.click(path, &[verb, ("reason", &big)]).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(app.actions("accr_held").await.iter().filter(|action| *action == "retry_requested").count(), 0);
    let elsewhere = ann.request(Method::GET, "/").header(HOST, "evil.example").send().await.unwrap();
    assert_eq!(elsewhere.status(), StatusCode::MISDIRECTED_REQUEST, "a name that somebody else made point here");
    let own = ann.request(Method::POST, path).header("sec-fetch-site", "same-origin").form(&form).send().await.unwrap();
    assert_eq!(location(&own), "/c/main/records/accr_held?asked=true");
    let headers = ann.get("/").await.headers().clone();
    assert!(headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'; style-src 'self'"));
    assert_eq!(headers["cache-control"], "no-store");
}

#[tokio::test]
async fn after_five_wrong_passwords_a_name_waits_and_the_trail_says_so_without_what_was_typed() {
    let Some(app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let mut ann = Visitor::signed_in(&app, "ann", Role::Viewer).await;
    for _ in 0..5 {
        assert_eq!(ann.sign_in("ann", "not this one").await.status(), StatusCode::UNAUTHORIZED);
    }
    ann.sign_in("hunter2-typed-as-name", "x").await;
    let blocked = ann.sign_in("ann", PASSWORD).await;
    assert_eq!(blocked.status(), StatusCode::UNAUTHORIZED);
    assert!(blocked.text().await.unwrap().contains("Try again in 16 minutes"));
    app.advance(15 * 60);
    assert_eq!(ann.sign_in("ann", PASSWORD).await.status(), StatusCode::SEE_OTHER);
    let trail = app.app.store.audit().list(&ConnectionId::installation(), 0, 100).await.unwrap();
    let failed: Vec<_> = trail.iter().filter(|entry| entry.action == "sign_in_failed").collect();
    assert_eq!(failed.len(), 6);
    assert!(failed[4].detail.contains("true"), "the fifth blocked the name");
    assert_eq!(failed[5].subject, "user (unknown)");
    assert!(trail.iter().all(|entry| !entry.detail.contains("hunter2") && !entry.subject.contains("hunter2")));
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_used_after_a_day_and_when_the_user_is_disabled() {
    let Some(app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let root = Visitor::signed_in(&app, "root", Role::Admin).await;
    let mut ann = Visitor::signed_in(&app, "ann", Role::Viewer).await;
    app.advance(7 * 3600);
    ann.text("/").await;
    let news = root.request(Method::GET, "/").header("HX-Request", "true").send().await.unwrap();
    assert_eq!(news.status(), StatusCode::OK, "a page that looks for news by itself gets them, and nobody uses it");
    app.advance(7 * 3600);
    ann.text("/").await;
    assert_eq!(root.get("/").await.status(), StatusCode::SEE_OTHER, "not used for eight hours");
    for _ in 0..2 {
        app.advance(5 * 3600);
        ann.get("/").await;
    }
    assert_eq!(ann.get("/").await.status(), StatusCode::SEE_OTHER, "a day has passed");
    ann.sign_in("ann", PASSWORD).await;
    ann.text("/").await;
    let disable = UserChange::Disable;
    let (users, by) = (app.app.store.users(), Actor::Person("root".to_owned()));
    users.change("ann", &disable, app.app.now_ms(), &by).await.unwrap().unwrap();
    assert_eq!(ann.get("/").await.status(), StatusCode::SEE_OTHER);
    assert_eq!(ann.sign_in("ann", PASSWORD).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn hostile_names_are_shown_inert_and_are_no_formulas_in_files() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let long = "M".repeat(10_000);
    let names = ["<script>alert(1)</script>", "=HYPERLINK(\"x\")", "\u{202e}evil", long.as_str()];
    for (place, name) in names.iter().enumerate() {
        let mut record = card(&format!("accr_{place}"), name, "no such account", 5.0);
        record["memo"] = json!(name);
        app.insert(&record);
    }
    app.run_until_idle().await;
    let ann = Visitor::signed_in(&app, "ann", Role::Viewer).await;
    for path in ["/c/main/records", "/c/main/attention", "/c/main/vendors", "/c/main/audit", "/c/main/records/accr_0"] {
        let page = ann.text(path).await;
        assert!(!page.contains("<script>alert"), "{path}");
    }
    let page = ann.text("/c/main/records/accr_0").await;
    assert!(page.contains("&#60;script&#62;alert(1)"), "it is shown as it is");
    let q = "/c/main/records?q=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    assert!(!ann.text(q).await.contains("<script>alert"));
    let file = ann.get("/c/main/records.csv").await;
    assert!(file.headers()[CONTENT_TYPE].to_str().unwrap().starts_with("text/csv"));
    let file = file.text().await.unwrap();
    assert!(file.contains("\"'=HYPERLINK(\"\"x\"\")\""), "{file}");
    assert_eq!(file.lines().count(), app.rows().await.len() + 1);
}

#[rstest]
#[tokio::test]
async fn a_record_is_found_fixed_and_followed_from_attention_to_its_story(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = TestApp::start(db, 60).await else { return };
    app.run_until_idle().await;
    let ann = Visitor::signed_in(&app, "ann", Role::Bookkeeper).await;
    let rows = app.rows().await;
    let held = rows.iter().find(|row| row.hold.is_some()).unwrap();
    let code = held.hold.as_ref().unwrap().code;
    let attention = ann.text("/c/main/attention").await;
    assert!(attention.contains(code.what_to_do()) && attention.contains(held.id.as_str()));
    assert!(ann.text(&format!("/c/main/records?hold={code}")).await.contains(held.id.as_str()));
    let path = format!("/c/main/records/{}", held.id);
    assert_eq!(
        ann.click(&path, &[("verb", "retry"), ("reason", " ")]).await.status(),
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let many = [("verb", "retry"), ("reason", "set up again"), ("record", held.id.as_str())];
    assert!(location(&ann.click("/c/main/records", &many).await).ends_with("asked=1"));
    app.run_until_idle().await;
    let page = ann.text(&path).await;
    assert!(page.contains("person:ann asked to try again: set up again"), "the story tells who and why");
    let exported = rows.iter().find(|row| row.stage == Stage::Exported).unwrap();
    let page = ann.text(&format!("/c/main/records/{}", exported.id)).await;
    assert!(page.contains(exported.document_no.as_deref().unwrap()) && page.contains("read back and compared"));
    let number = exported.document_no.as_deref().unwrap();
    assert!(ann.text(&format!("/c/main/records?q={number}")).await.contains(exported.id.as_str()));
    let first = ann.text("/c/main/records").await;
    let (_, next) = first.split_once("rel=\"next\" href=\"").unwrap();
    let next = next.split('"').next().unwrap().replace("&#38;", "&");
    let second = ann.text(&format!("/c/main/records{next}")).await;
    let seen = rows.iter().filter(|row| first.contains(row.id.as_str()) != second.contains(row.id.as_str())).count();
    assert_eq!(seen, rows.len(), "each record is on one of both pages");
    let trail = ann.click("/c/main/audit/verify", &[]).await.text().await.unwrap();
    assert!(trail.contains("each follows from the one before"), "{trail}");
    let month = ann.text("/c/main/close?from=2026-05-01&to=2026-06-30").await;
    assert!(month.contains("documents posted in the period"));
    assert!(ann.text("/c/main/close/page?from=2026-05-01&to=2026-06-30").await.contains("Signature"));
}

#[tokio::test]
async fn a_vendor_that_is_confirmed_in_the_queue_lets_the_record_go_on() {
    let Some(mut app) = company(Db::Sqlite, "").await else { return };
    app.run_until_idle().await;
    arrives(&mut app, "accr_asks", "MOONQUAKE ROOMS 14").await;
    let code = hold_of(&app, "accr_asks").await;
    assert!(matches!(code, Some(HoldCode::VendorReview | HoldCode::VendorNotFound)), "{code:?}");
    let ann = Visitor::signed_in(&app, "ann", Role::Bookkeeper).await;
    assert!(ann.text("/c/main/vendors").await.contains("MOONQUAKE ROOMS 14"));
    let path = "/c/main/vendors/answer";
    let unknown = [("record", "accr_asks"), ("verdict", "confirm"), ("vendor", "V99999")];
    assert_eq!(ann.click(path, &unknown).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let right = [("record", "accr_asks"), ("verdict", "confirm"), ("vendor", COFFEE)];
    assert_eq!(location(&ann.click(path, &right).await), "/c/main/vendors?said=answered");
    app.run_until_idle().await;
    assert_eq!(vendor_of(&app, "accr_asks").await, exported(COFFEE));
    assert!(ann.text("/c/main/vendors").await.contains("No record waits for its vendor"));
}

#[tokio::test]
async fn an_admin_adds_somebody_and_cannot_lock_everybody_out() {
    let Some(app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let root = Visitor::signed_in(&app, "root", Role::Admin).await;
    let page = root.click("/users", &[("user", "Kim@Example.com"), ("verb", "add"), ("role", "approver")]).await;
    let page = page.text().await.unwrap();
    let (_, token) = page.split_once("/welcome?token=").unwrap();
    let token = token.split('"').next().unwrap().to_owned();
    let mut kim = Visitor::come(&app).await;
    kim.post("/welcome", &[("token", &token), ("password", PASSWORD), ("again", PASSWORD)]).await;
    assert_eq!(kim.sign_in("kim@example.com", PASSWORD).await.status(), StatusCode::SEE_OTHER);
    for (fields, why) in [
        ([("user", "root"), ("verb", "disable"), ("role", "")], "this is the last admin"),
        ([("user", "root"), ("verb", "role"), ("role", "viewer")], "this is the last admin"),
        ([("user", "nobody"), ("verb", "enable"), ("role", "")], "there is no user of this name"),
        ([("user", "kim@example.com"), ("verb", "add"), ("role", "viewer")], "there is a user of this name already"),
        ([("user", "<b>"), ("verb", "add"), ("role", "viewer")], "A name has 1 to 60 letters"),
        ([("user", "ann"), ("verb", "add"), ("role", "emperor")], "Choose a role"),
    ] {
        let answer = root.click("/users", &fields).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.text().await.unwrap().contains(why), "{why}");
    }
    root.click("/users", &[("user", "kim@example.com"), ("verb", "role"), ("role", "viewer")]).await;
    assert!(kim.text("/").await.contains("kim@example.com, viewer"), "the role changes at once");
    assert!(root.text("/c/installation/audit").await.contains("user kim@example.com"));
}

#[tokio::test]
async fn an_admin_makes_a_token_that_is_shown_once_and_revokes_it() {
    let Some(app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let root = Visitor::signed_in(&app, "root", Role::Admin).await;
    let wish = [("verb", "create"), ("token", "close"), ("user", "root"), ("role", "approver"), ("days", "30")];
    let page = root.click("/users/tokens", &wish).await.text().await.unwrap();
    let (_, rest) = page.split_once("<code class=\"link\">mlc_").unwrap();
    let secret = format!("mlc_{}", rest.split('<').next().unwrap());
    let status = async || {
        let request = root.http.get(format!("{}/api/v1/status", root.base)).bearer_auth(&secret);
        request.send().await.unwrap().status()
    };
    assert_eq!(status().await, StatusCode::OK);
    let page = root.text("/users").await;
    assert!(page.contains("close") && page.contains("2026-07-30") && !page.contains(&secret), "it is shown once");
    for (field, value, why) in [
        ("days", "367", "a token is good for 1 to 366 days"),
        ("days", "", "Choose a number of days"),
        ("role", "emperor", "Choose a role"),
        ("user", "nobody", "there is no user of this name"),
        ("user", "", "a service approves nothing"),
        ("only", "nowhere", "There is no connection of this name"),
    ] {
        let mut fields: Vec<_> = wish.into_iter().filter(|(name, _)| *name != field && *name != "token").collect();
        fields.extend([(field, value), ("token", "other")]);
        let answer = root.click("/users/tokens", &fields).await;
        assert!(answer.status().is_client_error(), "{why}");
        assert!(answer.text().await.unwrap().contains(why), "{why}");
    }
    root.click("/users/tokens", &[("verb", "revoke"), ("token", "close")]).await;
    assert_eq!(status().await, StatusCode::UNAUTHORIZED);
    assert!(root.text("/users").await.contains("revoked"));
}
