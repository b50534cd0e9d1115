//! The admin API through its own door: who comes in, what is answered, and that a repeated or late word does no harm.

use std::collections::{BTreeMap, BTreeSet};

use connector::access::tokens::{self, Wanted};
use connector::api::{self, Gate};
use connector::console::{self, Entrance};
use domain::access::{Need, Role};
use domain::audit::Actor;
use domain::id::ConnectionId;
use domain::stage::Stage;
use jiff::civil::date;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, ETAG, HOST, IF_MATCH, RETRY_AFTER, WWW_AUTHENTICATE};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use rstest::rstest;
use sandbox::bc::Payment;
use serde_json::{Value, json};
use store::UserChange;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::app::TestApp;
use crate::database::Db;
use crate::held::{a_vendor, card};
use crate::vendors::{COFFEE, arrives, company, exported, vendor_of};

/// Where the API answers.
pub struct Door {
    base: String,
    http: reqwest::Client,
    _stop: DropGuard,
}

/// A program with a token.
pub struct Program<'a> {
    door: &'a Door,
    secret: String,
}

/// A status with what came with it.
type Answer = (StatusCode, Value);

impl Door {
    pub async fn open(app: &TestApp) -> Self {
        let listener = connector::web::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(console::serve(listener, app.app.clone(), Entrance::default(), stop.clone()));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { base, http, _stop: stop.drop_guard() }
    }

    pub fn with(&self, secret: &str) -> Program<'_> {
        Program { door: self, secret: secret.to_owned() }
    }

    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/api/v1{path}", self.base))
    }
}

impl Program<'_> {
    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.door.ask(method, path).bearer_auth(&self.secret)
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, answer) = read(self.ask(Method::GET, path)).await;
        assert_eq!(status, StatusCode::OK, "{path}: {answer}");
        answer
    }

    pub async fn refused(&self, path: &str) -> Answer {
        read(self.ask(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        read(self.ask(Method::POST, path).json(&body)).await
    }

    async fn post_if(&self, path: &str, version: &str, body: Value) -> Answer {
        read(self.ask(Method::POST, path).header(IF_MATCH, version).json(&body)).await
    }
}

async fn read(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status = response.status();
    if status.is_success() {
        return (status, response.json().await.unwrap());
    }
    (status, problem(response).await)
}

/// Every refusal says the same things in the same way.
async fn problem(response: Response) -> Value {
    let (status, headers) = (response.status(), response.headers().clone());
    assert_eq!(headers[CONTENT_TYPE], "application/problem+json", "{status}");
    assert_eq!(headers.contains_key(WWW_AUTHENTICATE), status == StatusCode::UNAUTHORIZED);
    assert_eq!(headers.contains_key(RETRY_AFTER), status == StatusCode::TOO_MANY_REQUESTS);
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["status"], status.as_u16());
    let code = problem["code"].as_str().unwrap();
    assert_eq!(problem["type"], format!("/api/v1#{code}"));
    assert!(!problem["title"].as_str().unwrap().is_empty() && !problem["detail"].as_str().unwrap().is_empty());
    problem
}

async fn add(app: &TestApp, name: &str, role: Role) {
    change(app, name, UserChange::Add(role)).await;
}

async fn change(app: &TestApp, name: &str, change: UserChange) {
    let by = Actor::Person("root".to_owned());
    app.app.store.users().change(name, &change, app.app.now_ms(), &by).await.unwrap().unwrap();
}

fn wanted(name: &str, user: &str, role: Role) -> Wanted {
    Wanted { name: name.to_owned(), user: user.to_owned(), role, connection: None, days: tokens::DAYS }
}

async fn made(app: &TestApp, wanted: &Wanted) -> String {
    let made = tokens::create(&app.app.store, &app.app.chance, wanted, app.app.now_ms(), "root").await.unwrap();
    made.map_err(|why| why.to_string()).unwrap().secret
}

/// The token of a user who is added, with the user's role.
pub async fn token_of(app: &TestApp, user: &str, role: Role) -> String {
    add(app, user, role).await;
    made(app, &wanted(&format!("{user}-token"), user, role)).await
}

/// Some value for each part of a path.
fn address(path: &str) -> String {
    let path = path.replace("{connection}", "main").replace("{record}", "accr_none").replace("{id}", "7");
    path.replace("{transfer}", "dptx_none")
        .replace("{job}", "none")
        .replace("{user}", "nobody")
        .replace("/tie-out", "/tie-out?from=2026-06-01&to=2026-06-30")
}

#[tokio::test]
async fn each_path_lets_in_just_the_tokens_that_may_and_answers_only_what_is_documented() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    app.run_until_idle().await;
    let door = Door::open(&app).await;
    let mut secrets = Vec::new();
    for role in Role::ALL {
        secrets.push((role, token_of(&app, role.as_str(), role).await));
    }
    let document = api::document();
    let mut seen: BTreeMap<String, BTreeSet<u16>> = BTreeMap::new();
    let mut needs = BTreeSet::new();
    for (method, path, gate) in api::table() {
        let key = format!("{method} {path}");
        let answers = &document["paths"][path][method.as_str().to_ascii_lowercase()]["responses"];
        let mut check = |status: StatusCode| {
            assert!(answers[status.as_str()].is_object(), "{key} answers {status}, which is not documented");
            seen.entry(key.clone()).or_default().insert(status.as_u16());
        };
        let ask = |secret: Option<&str>| {
            let request = door.ask(method.clone(), &address(path));
            let request = if method == Method::POST { request.json(&json!({})) } else { request };
            match secret {
                Some(secret) => request.bearer_auth(secret),
                None => request,
            }
        };
        let elsewhere = ask(None).header(HOST, "evil.example").send().await.unwrap();
        assert_eq!(elsewhere.status(), StatusCode::MISDIRECTED_REQUEST, "{key}");
        check(elsewhere.status());
        problem(elsewhere).await;
        let nobody = ask(None).header(COOKIE, "__Host-session=0").send().await.unwrap();
        check(nobody.status());
        let Gate::Token(need) = gate else {
            assert_eq!(nobody.status(), StatusCode::OK, "{key}");
            continue;
        };
        needs.insert(need);
        assert_eq!(nobody.status(), StatusCode::UNAUTHORIZED, "{key}");
        problem(nobody).await;
        for (role, secret) in &secrets {
            let answer = ask(Some(secret)).send().await.unwrap();
            let status = answer.status();
            check(status);
            assert_eq!(status != StatusCode::FORBIDDEN, role.may(need), "{role}: {key}: {status}");
            assert!(!status.is_server_error(), "{role}: {key}: {status}");
            if !status.is_success() {
                problem(answer).await;
            }
        }
        let other = door.ask(Method::DELETE, &address(path)).send().await.unwrap();
        assert_eq!(other.status(), StatusCode::METHOD_NOT_ALLOWED, "{key}");
        problem(other).await;
    }
    assert_eq!(needs.into_iter().collect::<Vec<_>>(), [Need::Read, Need::Work, Need::Approve, Need::Administer]);
    assert!(seen.values().flatten().any(|status| *status == 422), "{seen:?}");
    let admin = door.with(&secrets[3].1);
    for unknown in ["/connections/main", "/connections/main/records/accr_1/more", "/admin", "/.env", "/status/"] {
        assert_eq!(admin.refused(unknown).await.0, StatusCode::NOT_FOUND, "{unknown}");
    }
    assert_eq!(admin.refused("/connections/other/records").await.0, StatusCode::NOT_FOUND);
}

#[rstest]
#[tokio::test]
async fn a_token_is_good_until_it_ends_is_revoked_or_its_user_may_no_more(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(app) = TestApp::start(db, 1).await else { return };
    let door = Door::open(&app).await;
    let ann = token_of(&app, "ann", Role::Bookkeeper).await;
    let robot = made(&app, &Wanted { days: 1, ..wanted("robot", "", Role::Viewer) }).await;
    let only = Wanted { connection: ConnectionId::new("other").ok(), ..wanted("other", "", Role::Admin) };
    let only = made(&app, &only).await;
    let status = async |secret: &str| door.with(secret).refused("/connections/main/records").await.0;
    assert_eq!([status(&ann).await, status(&robot).await], [StatusCode::OK; 2]);
    let (code, answer) = door.with(&only).refused("/connections/main/records").await;
    assert_eq!((code, &answer["code"]), (StatusCode::FORBIDDEN, &json!("other_connection")));
    for path in ["/users", "/installation/audit"] {
        assert_eq!(door.with(&only).refused(path).await.0, StatusCode::FORBIDDEN, "{path} belongs to no connection");
    }
    assert_eq!(door.with(&only).get("/status").await["connections"], json!([]));
    for header in ["", "Bearer", "Bearer ", "Basic YTpi", &format!("Basic {ann}"), "Bearer mlc_0", "Bearer é"] {
        let asked = door.ask(Method::GET, "/status").header(AUTHORIZATION, header);
        assert_eq!(read(asked).await.0, StatusCode::UNAUTHORIZED, "{header}");
    }
    app.advance(86_400);
    assert_eq!([status(&ann).await, status(&robot).await], [StatusCode::OK, StatusCode::UNAUTHORIZED], "a day is over");
    let kept = app.app.store.api_tokens().list().await.unwrap();
    let days: Vec<_> = kept.iter().map(|token| (token.name.as_str(), tokens::last_used(token))).collect();
    assert_eq!(days[0], ("ann-token", Some("2026-07-01".to_owned())));
    assert_eq!(days[2], ("robot", Some("2026-06-30".to_owned())));

    let retry = "/connections/main/records/accr_none/retry";
    let body = json!({ "reason": "because" });
    assert_eq!(door.with(&ann).post(retry, body.clone()).await.0, StatusCode::NOT_FOUND);
    change(&app, "ann", UserChange::SetRole(Role::Viewer)).await;
    let (code, answer) = door.with(&ann).post(retry, body).await;
    assert_eq!((code, &answer["code"]), (StatusCode::FORBIDDEN, &json!("role")), "no more than its user now");
    assert_eq!(status(&ann).await, StatusCode::OK);
    change(&app, "ann", UserChange::Disable).await;
    assert_eq!(status(&ann).await, StatusCode::UNAUTHORIZED);
    change(&app, "ann", UserChange::Enable).await;
    assert_eq!(status(&ann).await, StatusCode::OK);
    let root = Actor::Person("root".to_owned());
    app.app.store.api_tokens().revoke("ann-token", app.app.now_ms(), &root).await.unwrap().unwrap();
    assert_eq!(status(&ann).await, StatusCode::UNAUTHORIZED);
    let trail = app.app.store.audit().list(&ConnectionId::installation(), 0, 1_000).await.unwrap();
    let told: Vec<&str> = trail.iter().filter(|e| e.subject == "token ann-token").map(|e| e.action.as_str()).collect();
    assert_eq!(told, ["token_created", "token_refused", "token_revoked", "token_refused"]);
    for secret in [&ann, &robot, &only] {
        assert!(trail.iter().all(|entry| !entry.detail.contains(&secret[4..])), "no secret is in the trail");
    }
}

#[tokio::test]
async fn who_guesses_is_held_off_and_takes_nothing_from_a_token_that_was_good() {
    let Some(app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let door = Door::open(&app).await;
    let [ann, late] = [token_of(&app, "ann", Role::Viewer).await, token_of(&app, "late", Role::Viewer).await];
    let status = async |secret: &str| door.with(secret).refused("/status").await.0;
    assert_eq!(status(&ann).await, StatusCode::OK);
    for number in 0..60 {
        assert_eq!(status(&format!("mlc_{number:064x}")).await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(status(&format!("mlc_{:064x}", 60)).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(status(&late).await, StatusCode::TOO_MANY_REQUESTS, "nobody knows it yet");
    assert_eq!(status(&ann).await, StatusCode::OK);
    let trail = app.app.store.audit().list(&ConnectionId::installation(), 0, 1_000).await.unwrap();
    assert_eq!(trail.iter().filter(|entry| entry.action == "token_refused").count(), 10, "and not sixty");
    app.advance(60);
    assert_eq!(status(&late).await, StatusCode::OK);
}

#[rstest]
#[tokio::test]
async fn pages_lead_through_every_record_and_every_entry_once(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = TestApp::start(db, 300).await else { return };
    app.prepare().await;
    app.poll_and_run(&[Stage::ResolveVendor, Stage::Map]).await;
    let door = Door::open(&app).await;
    let secret = token_of(&app, "ann", Role::Admin).await;
    let ann = door.with(&secret);
    let all = async |path: &str, list: &str, key: &str| {
        let (mut found, mut pages, mut cursor) = (Vec::new(), 0, String::new());
        loop {
            let page = ann.get(&format!("{path}limit=17{cursor}")).await;
            let rows = page[list].as_array().unwrap().clone();
            found.extend(rows.iter().map(|row| row[key].to_string()));
            pages += 1;
            match page["next"].as_str() {
                Some(next) if rows.len() == 17 => cursor = format!("&cursor={next}"),
                _ => return (found, pages),
            }
        }
    };
    let rows = app.rows().await;
    assert!(rows.len() > 200, "{}", rows.len());
    let (found, pages) = all("/connections/main/records?", "records", "id").await;
    let unique: BTreeSet<&String> = found.iter().collect();
    assert_eq!((found.len(), unique.len()), (rows.len(), rows.len()));
    assert_eq!(pages, rows.len().div_ceil(17));
    let held = rows.iter().filter(|row| row.hold.is_some()).count();
    assert_eq!(all("/connections/main/records?hold=any&", "records", "id").await.0.len(), held);
    let planned = rows.iter().filter(|row| row.stage == Stage::Draft).count();
    assert!(held > 0 && planned > 17, "{held} {planned}");
    assert_eq!(all("/connections/main/records?stage=draft&", "records", "id").await.0.len(), planned);
    let (entries, _) = all("/connections/main/audit?", "entries", "seq").await;
    let newest = app.app.store.audit().newest(&app.connection()).await.unwrap();
    assert_eq!(entries, (1..=newest).map(|seq| seq.to_string()).collect::<Vec<_>>());
    assert_eq!(ann.get("/connections/main/audit/verification").await["whole"], true);
    let one = rows.iter().find(|row| row.stage == Stage::Draft).unwrap();
    let number = one.document_key.as_deref().unwrap();
    let searched = ann.get(&format!("/connections/main/records?q={number}")).await;
    assert_eq!(searched["records"][0]["id"], one.id.as_str());
    let status = ann.get("/status").await;
    assert_eq!(status["connections"][0]["held"], held);
    for bad in ["limit=0", "limit=501", "cursor=x", "stage=no", "hold=no", "stage=map&hold=any", "q=a&stage=map"] {
        let (code, _) = ann.refused(&format!("/connections/main/records?{bad}")).await;
        assert_eq!(code, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
    }
    for bad in ["limit=x", "limit=70000", "other=1"] {
        let (code, _) = ann.refused(&format!("/connections/main/records?{bad}")).await;
        assert_eq!(code, StatusCode::BAD_REQUEST, "{bad}");
    }
}

#[rstest]
#[tokio::test]
async fn a_record_is_retried_once_in_the_token_s_name_and_not_if_it_changed_since(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(mut app) = TestApp::start(db, 1).await else { return };
    let (_, vendor) = a_vendor(&app);
    app.insert(&card("accr_held", &vendor, "no such account", 5.0));
    app.run_until_idle().await;
    let door = Door::open(&app).await;
    let secret = token_of(&app, "ann", Role::Bookkeeper).await;
    let ann = door.with(&secret);
    let path = "/connections/main/records/accr_held";
    let response = ann.ask(Method::GET, path).send().await.unwrap();
    let version = response.headers()[ETAG].to_str().unwrap().to_owned();
    let shown: Value = response.json().await.unwrap();
    assert_eq!(shown["record"]["etag"], version.as_str());
    assert_eq!(shown["record"]["hold"]["who"], "bookkeeper");
    let attention = ann.get("/connections/main/attention").await;
    assert_eq!(attention["groups"][0]["records"][0]["id"], "accr_held");

    let (retry, body) = (format!("{path}/retry"), json!({ "reason": "set up again" }));
    let first = ann.post_if(&retry, &version, body.clone()).await;
    assert_eq!(first.0, StatusCode::ACCEPTED);
    assert_eq!(ann.post_if(&retry, &version, body.clone()).await, first, "the same again is the same");
    // Both are asked about the same version; the first that is done makes the other late.
    let skip = ann.post_if(&format!("{path}/skip"), &version, json!({ "reason": "not ours" })).await;
    assert_eq!(skip.0, StatusCode::ACCEPTED);
    app.run_until_idle().await;
    let late = ann.post_if(&retry, &version, body.clone()).await;
    assert_eq!((late.0, &late.1["code"]), (StatusCode::PRECONDITION_FAILED, &json!("changed")));
    let story = app.story("accr_held").await;
    let told = |action: &str| story.iter().filter(|entry| entry.action == action).collect::<Vec<_>>();
    assert_eq!(told("retry_requested").len(), 1);
    assert_eq!(told("retry_requested")[0].actor, "person:ann");
    assert!(told("api_used").iter().all(|entry| entry.actor == "token:ann-token"));
    assert_eq!(told("api_used").len(), 3);
    assert_eq!((told("skipped").len(), told("request_refused").len()), (0, 1), "it was asked about another version");
    assert!(told("request_refused")[0].detail.contains("changed since"));
    let whole = ann.get(path).await;
    let sentences: Vec<&str> =
        whole["story"].as_array().unwrap().iter().filter_map(|s| s["sentence"].as_str()).collect();
    assert!(sentences.contains(&"token:ann-token of ann asked over the API: retry"), "{sentences:?}");

    let many = "/connections/main/retries";
    let (code, answer) = ann.post(many, json!({ "records": ["accr_held", "accr_no"], "reason": "x" })).await;
    assert_eq!((code, &answer["code"]), (StatusCode::NOT_FOUND, &json!("not_found")), "all or none");
    let (code, answer) = ann.post(many, json!({ "records": ["accr_held", "accr_held"], "reason": "x" })).await;
    assert_eq!((code, &answer["records"]), (StatusCode::ACCEPTED, &json!(["accr_held"])));
    assert_eq!(ann.post("/connections/main/jobs/poll/run", json!(null)).await.0, StatusCode::ACCEPTED);
    assert_eq!(
        ann.post("/connections/main/jobs/request:retry:accr_held/run", json!(null)).await.0,
        StatusCode::NOT_FOUND
    );
    for (body, status) in [
        ("{", StatusCode::BAD_REQUEST),
        ("", StatusCode::BAD_REQUEST),
        ("{}", StatusCode::UNPROCESSABLE_ENTITY),
        ("{\"reason\":\" \"}", StatusCode::UNPROCESSABLE_ENTITY),
        ("{\"reason\":\"x\",\"more\":1}", StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let asked = ann.ask(Method::POST, &retry).header(CONTENT_TYPE, "application/json").body(body);
        assert_eq!(read(asked).await.0, status, "{body}");
    }
    assert_eq!(read(ann.ask(Method::POST, &retry).body("reason=x")).await.0, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let big = json!({ "reason": "x".repeat(300 * 1024) });
    assert_eq!(ann.post(&retry, big).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

#[rstest]
#[tokio::test]
async fn a_vendor_is_answered_for_and_a_new_one_takes_two_people_whatever_their_tokens(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(mut app) = company(db, "propose_vendors = true").await else { return };
    app.run_until_idle().await;
    arrives(&mut app, "accr_asks", "MOONQUAKE ROOMS 14").await;
    arrives(&mut app, "accr_new", "THISTLEDOWN KILNS").await;
    let door = Door::open(&app).await;
    let ann = token_of(&app, "ann", Role::Admin).await;
    let again = made(&app, &wanted("second-of-ann", "ann", Role::Approver)).await;
    let lee = token_of(&app, "lee", Role::Approver).await;
    let robot = made(&app, &wanted("robot", "", Role::Admin)).await;
    let [ann, again, lee, robot] = [&ann, &again, &lee, &robot].map(|secret| door.with(secret));

    let queue = ann.get("/connections/main/vendor-reviews").await;
    assert_eq!(queue["reviews"].as_array().unwrap().len(), 2, "{queue}");
    let path = "/connections/main/vendor-reviews/accr_asks";
    let unknown = robot.post(path, json!({ "verdict": "confirm", "vendor": "V0" })).await;
    assert_eq!(unknown.0, StatusCode::CONFLICT);
    assert_eq!(
        robot.post(path, json!({ "verdict": "none", "vendor": COFFEE })).await.0,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let right = json!({ "verdict": "confirm", "vendor": COFFEE });
    let first = robot.post(path, right.clone()).await;
    assert_eq!((first.0, &first.1["person"]), (StatusCode::OK, &json!("service:robot")));
    assert_eq!(robot.post(path, right.clone()).await, first, "the same again is the same");
    app.run_until_idle().await;
    assert_eq!(vendor_of(&app, "accr_asks").await, exported(COFFEE));
    assert_eq!(robot.post(path, right).await, first, "also when it is done");
    let links = app.app.store.vendor_links().list(&app.connection()).await.unwrap();
    assert_eq!(links.iter().filter(|link| link.decided_by == "service:robot").count(), 1);

    let proposals = "/connections/main/vendor-proposals";
    let new = json!({ "record": "accr_new", "name": "Thistledown Kilns Ltd", "reason": "the new kiln" });
    let first = again.post(proposals, new.clone()).await;
    assert_eq!((first.0, &first.1["proposed_by"]), (StatusCode::OK, &json!("ann")), "{}", first.1);
    assert_eq!(again.post(proposals, new.clone()).await, first);
    assert_eq!(lee.post(proposals, new).await.0, StatusCode::CONFLICT, "one is enough");
    let approve = format!("{proposals}/{}/approve", first.1["id"]);
    for own in [&ann, &again] {
        let (code, answer) = own.post(&approve, json!(null)).await;
        assert_eq!(code, StatusCode::CONFLICT);
        assert!(answer["detail"].as_str().unwrap().contains("another person has to approve it"), "{answer}");
    }
    let (code, answer) = robot.post(&approve, json!(null)).await;
    assert_eq!((code, &answer["code"]), (StatusCode::FORBIDDEN, &json!("needs_person")));
    assert_eq!(lee.post_if(&approve, "\"999\"", json!(null)).await.0, StatusCode::PRECONDITION_FAILED);
    let version = first.1["etag"].as_str().unwrap();
    let agreed = lee.post_if(&approve, version, json!(null)).await;
    assert_eq!((agreed.0, &agreed.1["state"]), (StatusCode::OK, &json!("approved")));
    assert_eq!(lee.post_if(&approve, version, json!(null)).await, agreed, "the same again is the same");
    app.run_until_idle().await;
    assert_eq!(lee.get(&format!("{proposals}?all=true")).await["proposals"][0]["state"], "created");
    let decline = format!("{proposals}/{}/decline", first.1["id"]);
    assert_eq!(ann.post(&decline, json!({ "reason": "too late" })).await.0, StatusCode::CONFLICT);
    let trail = app.actions(&format!("vendor_proposal {}", first.1["id"])).await;
    assert_eq!(trail.iter().filter(|action| *action == "vendor_proposal_approved").count(), 1, "{trail:?}");
}

#[tokio::test]
async fn a_transfer_is_matched_taken_apart_and_its_suggestion_rejected_each_once() {
    use crate::transfers::{NAME, ON, compare, invoice, payee, pays, ready, transfer};
    let Some(mut app) = ready(Db::Sqlite, ON).await else { return };
    let instrument = payee(&app, NAME);
    let owed = invoice(&app, "INV-7001", 120_000).await;
    // Something else paid it before: so it is suggested, and not matched without a person.
    let elsewhere = Payment { posting_date: Some(date(2026, 5, 1)), ..Payment::default() };
    app.world().bc.pay_document(owed, &elsewhere, app.world().clock.now()).unwrap();
    let id = pays(&app, &instrument, 120_000, "INV-7001").await;
    compare(&mut app).await;
    let door = Door::open(&app).await;
    let secret = token_of(&app, "ann", Role::Bookkeeper).await;
    let ann = door.with(&secret);
    let path = format!("/connections/main/transfers/{id}");
    let shown = ann.get(&path).await;
    assert_eq!((&shown["transfer"]["amount"], &shown["transfer"]["verdict"]), (&json!("1200.00"), &json!("unmatched")));
    let because = json!({ "reason": "the vendor said so" });
    assert_eq!(ann.post(&format!("{path}/unmatch"), because.clone()).await.0, StatusCode::CONFLICT);
    let reject = format!("{path}/reject");
    let first = ann.post(&reject, because.clone()).await;
    assert_eq!(first.0, StatusCode::OK, "{}", first.1);
    assert_eq!(ann.post(&reject, because.clone()).await, first);
    compare(&mut app).await;
    assert_eq!(transfer(&app, &id).await.suggestion.map(|found| found.documents.len()), None);
    assert_eq!(ann.post(&reject, because.clone()).await, first, "also when it is suggested no more");
    let other = json!({ "reason": "another one" });
    assert_eq!(ann.post(&reject, other).await.0, StatusCode::CONFLICT);
    let named = |amount: &str| json!({ "documents": [{ "document": "INV-7001", "amount": amount }], "reason": "paid" });
    assert_eq!(ann.post(&format!("{path}/match"), named("1x")).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(ann.post(&format!("{path}/match"), named("1300.00")).await.0, StatusCode::CONFLICT);
    let first = ann.post(&format!("{path}/match"), named("1200.00")).await;
    assert_eq!(first.0, StatusCode::OK, "{}", first.1);
    assert_eq!(ann.post(&format!("{path}/match"), named("1200.00")).await, first);
    assert_eq!(ann.post(&format!("{path}/match"), named("1.00")).await.0, StatusCode::CONFLICT);
    compare(&mut app).await;
    assert_eq!(transfer(&app, &id).await.verdict, Some("matched"));
    let because = json!({ "reason": "it was another invoice" });
    let apart = ann.post(&format!("{path}/unmatch"), because.clone()).await;
    assert_eq!((apart.0, &apart.1["documents"]), (StatusCode::OK, &first.1["documents"]));
    assert_eq!(ann.post(&format!("{path}/unmatch"), because).await, apart);
    let numbers = ann.get("/connections/main/payables?limit=500").await["payables"].to_string();
    assert!(numbers.contains("INV-7001"), "{numbers}");
    compare(&mut app).await;
    assert_eq!(ann.get("/connections/main/transfers?only=matched").await["transfers"], json!([]));
    let trail = app.actions(&format!("transfer {id}")).await;
    for action in ["transfer_suggestion_rejected", "transfer_matched_by_hand", "transfer_unmatched_by_hand"] {
        assert_eq!(trail.iter().filter(|known| *known == action).count(), 1, "{trail:?}");
    }
}

#[tokio::test]
async fn an_ordered_transfer_is_approved_by_another_person_and_not_by_a_service() {
    use crate::pay::{assert_paid_once, ordered, ready};
    let Some(mut app) = ready(Db::Sqlite, "four_eyes = true").await else { return };
    ordered(&app, &["INV-7001"]).await;
    let door = Door::open(&app).await;
    let [ann, lee, kim] = ["ann", "lee", "kim"].map(|user| (format!("{user}-token"), user));
    let mut secrets = Vec::new();
    for ((name, user), role) in [(ann, Role::Approver), (lee, Role::Approver), (kim, Role::Bookkeeper)] {
        secrets.push(made(&app, &wanted(&name, user, role)).await);
    }
    secrets.push(made(&app, &wanted("robot", "", Role::Admin)).await);
    let [ann, lee, kim, robot] = [0, 1, 2, 3].map(|place| door.with(&secrets[place]));
    let path = "/connections/main/transfer-orders";
    let order = kim.get(path).await["orders"][0].clone();
    assert_eq!((&order["amount"], &order["ordered_by"]), (&json!("1200.00"), &json!("ann")));
    let approve = format!("{path}/{}/approve", order["id"]);
    for (program, code) in [(&ann, "refused"), (&kim, "role"), (&robot, "needs_person")] {
        assert_eq!(program.post(&approve, json!(null)).await.1["code"], code);
    }
    let because = json!({ "reason": "not now" });
    assert_eq!(robot.post(&format!("{path}/{}/decline", order["id"]), because.clone()).await.0, StatusCode::FORBIDDEN);
    let version = order["etag"].as_str().unwrap();
    let agreed = lee.post_if(&approve, version, json!(null)).await;
    assert_eq!((agreed.0, &agreed.1["decided_by"]), (StatusCode::OK, &json!("lee")));
    assert_eq!(lee.post_if(&approve, version, json!(null)).await, agreed, "the same again is the same");
    app.run_until_idle().await;
    assert_paid_once(&app).await;
    assert_eq!(kim.post(&format!("{path}/{}/decline", order["id"]), because).await.0, StatusCode::CONFLICT);
    assert_eq!(kim.get(path).await["orders"], json!([]));
}

#[tokio::test]
async fn names_stay_as_they_are_in_json_and_no_answer_holds_a_secret() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    let names = ["<script>alert(1)</script>", "\u{202e}evil", &"M".repeat(10_000)];
    for (place, name) in names.iter().enumerate() {
        let mut record = card(&format!("accr_{place}"), name, "no such account", 5.0);
        record["memo"] = json!(name);
        app.insert(&record);
    }
    app.run_until_idle().await;
    let door = Door::open(&app).await;
    let secret = token_of(&app, "ann", Role::Admin).await;
    let ann = door.with(&secret);
    for (place, name) in names.iter().enumerate() {
        let shown = ann.get(&format!("/connections/main/records/accr_{place}")).await;
        assert_eq!(shown["record"]["merchant"], *name);
    }
    let hostile = ann.ask(Method::GET, "/connections/main/records/%3Cscript%3E").send().await.unwrap();
    assert_eq!(hostile.headers()["x-content-type-options"], "nosniff");
    assert_eq!(problem(hostile).await["code"], "not_found");
    for odd in ["%00", "a%00b", "%ff"] {
        let (code, _) = ann.refused(&format!("/connections/main/records/{odd}")).await;
        assert!(code.is_client_error(), "{odd}: {code}");
    }
    let page = door.ask(Method::GET, "").send().await.unwrap();
    assert!(page.headers()[CONTENT_TYPE].to_str().unwrap().starts_with("text/html"));
    let page = page.text().await.unwrap();
    assert!(page.contains("/connections/{connection}/records/{record}/retry") && !page.contains("<script"));
    let mut secrets = app.secrets();
    secrets.extend([secret.clone(), tokens::fingerprint(&secret), "$argon2".to_owned()]);
    for (method, path, _) in api::table().into_iter().filter(|(method, _, _)| *method == Method::GET) {
        let path = address(path).replace("accr_none", "accr_0");
        let text = ann.ask(method, path.trim_end_matches('/')).send().await.unwrap().text().await.unwrap();
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{path} tells a secret");
        }
    }
}
