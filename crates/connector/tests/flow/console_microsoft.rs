//! Signing in to the console with Microsoft accounts, against the sandbox's Entra ID.

use std::os::unix::fs::PermissionsExt as _;

use connector::access::Microsoft;
use connector::config::{MicrosoftSection, SecretSource};
use connector::console::Entrance;
use domain::access::Role;
use domain::audit::Actor;
use domain::id::ConnectionId;
use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::{Method, Response, StatusCode};
use sandbox::entra::{IdToken, Person};
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;
use store::UserChange;
use url::Url;

use crate::app::TestApp;
use crate::database::Db;
use crate::visitor::{Visitor, location};

const START: &str = "/sign-in/microsoft?back=/c/main/attention";

/// Somebody at a console where one can sign in with Microsoft.
async fn visitor(app: &TestApp) -> Visitor {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    let ready = app.sandbox.ready().entra.clone();
    std::fs::write(&file, &ready.client_secret).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let section = MicrosoftSection {
        tenant: ready.tenant_id,
        client_id: ready.client_id,
        client_secret: SecretSource::File(file),
        base_url: Url::parse(&ready.base_url).unwrap(),
    };
    Visitor::come_through(app, |base| {
        let microsoft = Microsoft::open(&section, folder.path(), &Url::parse(base).unwrap()).unwrap();
        Entrance { url: None, microsoft: Some(microsoft) }
    })
    .await
}

async fn change(app: &TestApp, name: &str, change: UserChange) {
    let (users, by) = (app.app.store.users(), Actor::Person("root".to_owned()));
    users.change(name, &change, app.app.now_ms(), &by).await.unwrap().unwrap();
}

/// The first of the directory.
fn ann(app: &TestApp) -> Person {
    app.world().entra.people()[0].clone()
}

fn held(answer: &Response) -> Vec<String> {
    let held = answer.headers().get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap().to_owned());
    held.collect()
}

/// Away to Microsoft: the cookie of the trip, and the login page's address.
async fn away(visitor: &Visitor) -> (String, Url) {
    let answer = visitor.get(START).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let [cookie] = &*held(&answer) else { panic!("one cookie") };
    assert!(cookie.starts_with("__Host-trip=") && cookie.contains("HttpOnly; SameSite=Lax"), "{cookie}");
    (cookie.split(';').next().unwrap().to_owned(), Url::parse(location(&answer)).unwrap())
}

/// Chooses an account on the login page: the address that the browser comes back to, below that of the console.
async fn choose(visitor: &Visitor, page: &Url, account: &Person) -> String {
    let text = visitor.http.get(page.clone()).send().await.unwrap().text().await.unwrap();
    let link = format!("authorize/as/{}?", account.object_id);
    let link = text.split('"').find(|part| part.starts_with(&link)).unwrap().replace("&amp;", "&");
    let chosen = visitor.http.get(page.join(&link).unwrap()).send().await.unwrap();
    location(&chosen).strip_prefix(&visitor.base).unwrap().to_owned()
}

async fn come_back(visitor: &Visitor, path: &str, cookie: &str) -> Response {
    visitor.http.request(Method::GET, format!("{}{path}", visitor.base)).header(COOKIE, cookie).send().await.unwrap()
}

/// The whole way; the status, the page, and the session if there is one.
async fn sign_in(visitor: &Visitor, account: &Person) -> (StatusCode, String, Option<String>) {
    let (cookie, page) = away(visitor).await;
    let back = choose(visitor, &page, account).await;
    let answer = come_back(visitor, &back, &cookie).await;
    let session = held(&answer).into_iter().find(|cookie| cookie.starts_with("__Host-session="));
    if let Some(session) = &session {
        assert!(session.contains("Path=/; Secure; HttpOnly; SameSite=Strict"), "{session}");
    }
    let session = session.map(|session| session.split(';').next().unwrap().to_owned());
    (answer.status(), answer.text().await.unwrap(), session)
}

#[tokio::test]
async fn a_user_signs_in_with_the_account_of_that_name_and_from_then_on_with_that_very_account() {
    let Some(app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let ann = ann(&app);
    let mut visitor = visitor(&app).await;
    assert!(visitor.text("/sign-in?back=/").await.contains("href=\"/sign-in/microsoft?back=%2F\""));
    change(&app, &ann.user_name, UserChange::Add(Role::Approver)).await;
    let (status, page, session) = sign_in(&visitor, &ann).await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("url=/c/main/attention"), "{page}");
    visitor.cookie = session;
    assert!(visitor.text("/").await.contains(&format!("{}, approver", ann.user_name)));
    let trail = app.app.store.audit().list(&ConnectionId::installation(), 0, 100).await.unwrap();
    let told: Vec<&str> = trail.iter().map(|entry| &*entry.action).collect();
    assert_eq!(told, ["user_added", "microsoft_account_bound", "signed_in"]);
    assert!(trail[2].detail.contains("microsoft"));

    // The same account again, and then somebody else who was given the name.
    assert!(sign_in(&visitor, &ann).await.2.is_some());
    let other = app.world().entra.add_person(&ann.user_name, "Another Ann");
    let (status, page, session) = sign_in(&visitor, &other).await;
    assert_eq!((status, session), (StatusCode::FORBIDDEN, None));
    assert!(page.contains("No user of that name may sign in here with this account"), "{page}");
    change(&app, &ann.user_name, UserChange::Unbind).await;
    assert!(sign_in(&visitor, &other).await.2.is_some(), "an admin let go of the account");
}

#[tokio::test]
async fn strangers_and_users_who_may_do_nothing_do_not_come_in() {
    let Some(app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let (ann, visitor) = (ann(&app), visitor(&app).await);
    let refused = async |account: &Person| {
        let (status, _, session) = sign_in(&visitor, account).await;
        assert_eq!((status, session), (StatusCode::FORBIDDEN, None));
    };
    refused(&ann).await;
    change(&app, &ann.user_name, UserChange::Add(Role::Viewer)).await;
    change(&app, &ann.user_name, UserChange::Disable).await;
    refused(&ann).await;
    change(&app, &ann.user_name, UserChange::Enable).await;
    assert!(sign_in(&visitor, &ann).await.2.is_some());
    change(&app, &ann.user_name, UserChange::Disable).await;
    refused(&ann).await;
    refused(&app.world().entra.add_person("<b>@\u{202e}", "A hostile name")).await;
    let trail = app.app.store.audit().list(&ConnectionId::installation(), 0, 100).await.unwrap();
    assert_eq!(trail.iter().filter(|entry| entry.action == "sign_in_failed").count(), 4);
}

#[rstest::rstest]
#[tokio::test]
async fn an_id_token_that_is_not_entras_for_this_request_is_not_believed(
    #[values(
        IdToken::SignedByAnother,
        IdToken::Unsigned,
        IdToken::ForOtherApp,
        IdToken::OfOtherIssuer,
        IdToken::OfOtherTenant,
        IdToken::WithOtherNonce,
        IdToken::Expired
    )]
    flaw: IdToken,
) {
    let Some(app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let (ann, visitor) = (ann(&app), visitor(&app).await);
    change(&app, &ann.user_name, UserChange::Add(Role::Admin)).await;
    app.world().entra.configure(|settings| settings.id_token = flaw);
    let (status, page, session) = sign_in(&visitor, &ann).await;
    assert_eq!((status, session), (StatusCode::BAD_GATEWAY, None), "{page}");
    assert!(page.contains("is not to be believed"), "{page}");
    app.world().entra.configure(|settings| settings.id_token = IdToken::Right);
    assert!(sign_in(&visitor, &ann).await.2.is_some(), "nothing but the token was wrong");
}

#[tokio::test]
async fn an_answer_counts_once_and_only_in_the_browser_that_asked_last() {
    let Some(app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let (ann, visitor) = (ann(&app), visitor(&app).await);
    change(&app, &ann.user_name, UserChange::Add(Role::Viewer)).await;
    let (cookie, page) = away(&visitor).await;
    let back = choose(&visitor, &page, &ann).await;
    let (other_cookie, _) = away(&visitor).await;
    for (cookie, why) in [("x=y", "did not begin to sign in here"), (&*other_cookie, "another attempt")] {
        let answer = come_back(&visitor, &back, cookie).await;
        assert_eq!((answer.status(), held(&answer).len()), (StatusCode::BAD_REQUEST, 0));
        assert!(answer.text().await.unwrap().contains(why), "{why}");
    }
    assert_eq!(come_back(&visitor, &back, &cookie).await.status(), StatusCode::OK);
    let again = come_back(&visitor, &back, &cookie).await;
    assert_eq!(again.status(), StatusCode::BAD_GATEWAY);
    assert!(again.text().await.unwrap().contains("AADSTS54005"), "the code was redeemed");
    let state = Url::parse(&format!("{}{back}", visitor.base)).unwrap();
    let state = state.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let text = "AADSTS65004: <b>call this number</b>";
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("error", "access_denied"), ("error_description", text), ("state", &state)])
        .finish();
    let declined = come_back(&visitor, &format!("/sign-in/microsoft/back?{query}"), &cookie).await;
    let page = declined.text().await.unwrap();
    assert!(page.contains("(AADSTS65004)") && !page.contains("call this"), "{page}");
}

#[tokio::test]
async fn a_code_is_not_sent_twice_and_an_entra_that_does_not_answer_is_told() {
    let Some(app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let (ann, visitor) = (ann(&app), visitor(&app).await);
    change(&app, &ann.user_name, UserChange::Add(Role::Viewer)).await;
    app.world().faults.add(Fault::new(Side::Entra, FaultKind::DropAfter).method("POST").times(1));
    let (status, page, session) = sign_in(&visitor, &ann).await;
    assert_eq!((status, session), (StatusCode::BAD_GATEWAY, None));
    assert!(page.contains("does not answer at the moment"), "{page}");
    assert!(sign_in(&visitor, &ann).await.2.is_some());
}
