//! Somebody at the console: a browser without a screen.

use connector::console::{self, Entrance};
use domain::access::Role;
use domain::audit::Actor;
use reqwest::header::{COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Method, Response, StatusCode};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::app::TestApp;

pub const PASSWORD: &str = "correct horse battery";

/// A browser that is not signed in.
pub struct Visitor {
    pub base: String,
    pub http: reqwest::Client,
    pub cookie: Option<String>,
    _stop: DropGuard,
}

impl Visitor {
    pub async fn come(app: &TestApp) -> Self {
        Self::come_through(app, |_| Entrance::default()).await
    }

    /// The same to a console with this entrance at its address.
    pub async fn come_through(app: &TestApp, entrance: impl FnOnce(&str) -> Entrance) -> Self {
        let listener = connector::web::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(console::serve(listener, app.app.clone(), entrance(&base), stop.clone()));
        let http = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        Self { base, http, cookie: None, _stop: stop.drop_guard() }
    }

    /// Somebody with this role, signed in.
    pub async fn signed_in(app: &TestApp, name: &str, role: Role) -> Self {
        let link = invite(app, name, role).await;
        let mut visitor = Self::come(app).await;
        let set = visitor.post("/welcome", &[("token", &link), ("password", PASSWORD), ("again", PASSWORD)]).await;
        assert_eq!(set.status(), StatusCode::SEE_OTHER);
        assert_eq!(visitor.sign_in(name, PASSWORD).await.status(), StatusCode::SEE_OTHER);
        visitor
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.cookie {
            Some(cookie) => request.header(COOKIE, cookie),
            None => request,
        }
    }

    pub async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    pub async fn text(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.text().await.unwrap()
    }

    /// Sends a form from our own page.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        self.request(Method::POST, path).header(ORIGIN, &self.base).form(fields).send().await.unwrap()
    }

    /// The same with the token that the page at `/` has.
    pub async fn click(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let token = self.form_token().await;
        let mut fields = fields.to_vec();
        fields.push(("form_token", &token));
        self.post(path, &fields).await
    }

    pub async fn form_token(&self) -> String {
        let page = self.text("/").await;
        let (_, rest) = page.split_once("name=\"form_token\" value=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    pub async fn sign_in(&mut self, name: &str, password: &str) -> Response {
        let answer = self.post("/sign-in", &[("name", name), ("password", password)]).await;
        if let Some(cookie) = answer.headers().get(SET_COOKIE) {
            let text = cookie.to_str().unwrap();
            assert!(text.starts_with("__Host-session="), "{text}");
            for needed in ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"] {
                assert!(text.contains(needed), "{text}");
            }
            self.cookie = Some(text.split(';').next().unwrap().to_owned());
        }
        answer
    }
}

pub async fn invite(app: &TestApp, name: &str, role: Role) -> String {
    let (store, chance) = (&app.app.store, &app.app.chance);
    let actor = Actor::Person("root".to_owned());
    connector::access::invite(store, chance, name, Some(role), app.app.now_ms(), &actor).await.unwrap().unwrap()
}

pub fn location(answer: &Response) -> &str {
    answer.headers()[LOCATION].to_str().unwrap()
}
