//! The console's pages over whatever a database holds: how long the server takes for each.

use std::sync::Arc;

use reqwest::header::{COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::super::{Exit, Failure};
use super::connector::{CONNECTION, Connector};
use super::pass::round;
use super::{real_time, stored};
use crate::alone::Alone;
use crate::app::App;
use crate::clock::{Chance, SystemClock};
use crate::console::Entrance;
use crate::{access, console, web};

/// Each page is asked for so often; the middle one counts.
const TIMES: usize = 9;
const PASSWORD: &str = "a password of the benchmark";

/// A page and what follows the name of the connection, or a page without one.
const PAGES: [(&str, &str); 20] = [
    ("overview", "/"),
    ("records", "/c/*/records"),
    ("records at a stage", "/c/*/records?stage=exported"),
    ("records under way", "/c/*/records?stage=draft"),
    ("records held", "/c/*/records?hold=any"),
    ("records held for a cause", "/c/*/records?hold=record_changed"),
    ("records of a merchant", "/c/*/records?q=merchant+17"),
    ("a document's number", "/c/*/records?q=104711"),
    ("a record", "/c/*/records/accr_stored_00004711"),
    ("attention", "/c/*/attention"),
    ("vendors", "/c/*/vendors"),
    ("evaluation", "/c/*/vendors/evaluation"),
    ("mappings", "/c/*/mappings"),
    ("transfers", "/c/*/transfers"),
    ("pay", "/c/*/pay"),
    ("close", "/c/*/close"),
    ("audit", "/c/*/audit"),
    ("connections", "/connections"),
    ("connect", "/connect"),
    ("users", "/users"),
];

pub(super) async fn run(connector: &Connector) -> Result<Value, Failure> {
    let (config, store) = stored::open(connector).await?;
    let alone = Alone::take(&config.database_url())?;
    let app = App::build(&config, store, Arc::new(SystemClock), Chance::real(), alone).await?;
    for connection in &app.connections {
        crate::identity::recall(&app, connection).await?;
    }
    let listener = web::bind(([127, 0, 0, 1], 0).into()).await?;
    let base = format!("http://{}", listener.local_addr()?);
    let stop = CancellationToken::new();
    let serving = tokio::spawn(console::serve(listener, Arc::clone(&app), Entrance::default(), stop.clone()));
    let visitor = Visitor::sign_in(&app, base).await?;
    let mut pages = Map::new();
    for (name, path) in PAGES {
        let path = path.replace('*', CONNECTION);
        let mut times = Vec::new();
        for _ in 0..TIMES {
            let began = real_time::now();
            visitor.get(&path).await?;
            times.push(began.elapsed().as_secs_f64() * 1_000.0);
        }
        times.sort_by(f64::total_cmp);
        let [middle, most] = [TIMES / 2, TIMES - 1].map(|place| times.get(place).copied().map(round));
        pages.insert(name.to_owned(), json!({ "median_ms": middle, "max_ms": most }));
    }
    stop.cancel();
    serving.await.map_err(|panic| Failure::new(Exit::Unexpected, panic.to_string()))?;
    app.store.close().await;
    Ok(Value::Object(pages))
}

struct Visitor {
    http: Client,
    base: String,
    cookie: String,
}

impl Visitor {
    async fn sign_in(app: &App, base: String) -> Result<Self, Failure> {
        let token = access::invite_first_admin(app).await?;
        let token = token.ok_or_else(|| Failure::new(Exit::Unexpected, "somebody can sign in already"))?;
        let http = Client::builder().no_proxy().redirect(Policy::none()).build().map_err(|error| failed(&error))?;
        let post = |path: &str, form: &[(&str, &str)]| {
            http.post(format!("{base}{path}")).header(ORIGIN, &base).form(form).send()
        };
        let set = [("token", token.as_str()), ("password", PASSWORD), ("again", PASSWORD)];
        post("/welcome", &set).await.map_err(|error| failed(&error))?;
        let answer =
            post("/sign-in", &[("name", "admin"), ("password", PASSWORD)]).await.map_err(|error| failed(&error))?;
        let cookie = answer.headers().get(SET_COOKIE).and_then(|cookie| cookie.to_str().ok()?.split(';').next());
        let cookie =
            cookie.ok_or_else(|| Failure::new(Exit::Unexpected, "the console does not let the benchmark in"))?;
        Ok(Self { cookie: cookie.to_owned(), http, base })
    }

    async fn get(&self, path: &str) -> Result<(), Failure> {
        let request = self.http.get(format!("{}{path}", self.base)).header(COOKIE, &self.cookie);
        let answer = request.send().await.map_err(|error| failed(&error))?;
        let (status, to) = (answer.status(), answer.headers().get(LOCATION).cloned());
        answer.bytes().await.map_err(|error| failed(&error))?;
        if status == StatusCode::OK {
            return Ok(());
        }
        Err(Failure::new(Exit::Unexpected, format!("the console answers {path} with {status} {to:?}")))
    }
}

fn failed(error: &reqwest::Error) -> Failure {
    Failure::new(Exit::Unexpected, format!("the console: {error}"))
}
