//! Connect: two more systems are joined, step by step: what was typed, what both sides say to it, and only then something is written. What
//! was typed is kept for a while, for whoever typed it, so that no secret has to be typed twice and none comes back to a page.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use askama::Template;
use axum::Form;
use axum::extract::{Extension, State};
use axum::response::Response;
use domain::audit::{Actor, Note};
use domain::id::ConnectionId;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::Console;
use super::guard::Person;
use super::page::{Frame, Oops, render};
use crate::config::{ConnectionConfig, Source};
use crate::connect::answers::Answers;
use crate::connect::systems::{Joined, join, only};
use crate::connect::{Refusal, Why, file, integration, older, seal};

/// How long what was typed is kept.
const LIFE_MS: i64 = 15 * 60_000;

/// What people typed, by their names.
#[derive(Default)]
pub(super) struct Drafts(Mutex<HashMap<String, Draft>>);

#[derive(Clone, Default)]
struct Draft {
    answers: Answers,
    until_ms: i64,
    found: Option<Found>,
}

/// What both sides say.
#[derive(Clone)]
struct Found {
    brex: String,
    company: String,
    environment: String,
    /// What an older connector may have booked, line by line.
    older: Vec<String>,
}

impl Drafts {
    fn get(&self, person: &str, now_ms: i64) -> Draft {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, draft| draft.until_ms > now_ms);
        kept.get(person).cloned().unwrap_or_default()
    }

    fn keep(&self, person: &str, draft: Draft, now_ms: i64) {
        let draft = Draft { until_ms: now_ms.saturating_add(LIFE_MS), ..draft };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(person.to_owned(), draft);
    }

    fn forget(&self, person: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(person);
    }
}

#[derive(Template)]
#[template(path = "console/connect.html")]
struct Page {
    frame: Frame,
    typed: Typed,
    has_token: bool,
    has_secret: bool,
    /// The environments or companies to choose from.
    environments: Vec<String>,
    companies: Vec<String>,
    problem: Option<String>,
    found: Option<Found>,
    file: String,
    today: String,
}

#[derive(Template)]
#[template(path = "console/connected.html")]
struct Done {
    frame: Frame,
    name: String,
    file: String,
    integration: String,
}

/// Everything that was typed and is no secret, and the secrets, which are taken out.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    verb: String,
    name: String,
    start_date: String,
    time_zone: String,
    source: String,
    integration_vendor: String,
    tenant: String,
    client_id: String,
    ends: String,
    environment: String,
    company: String,
    brex_url: String,
    entra_url: String,
    bc_url: String,
    token: SecretString,
    client_secret: SecretString,
    certificate: SecretString,
    replace: bool,
}

impl Typed {
    /// What is shown again: never a secret.
    fn of(answers: &Answers) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let url = |url: &Option<Url>| url.as_ref().map(Url::to_string).unwrap_or_default();
        let ends = answers.entra.client_secret_ends.or(answers.entra.certificate_ends);
        Self {
            name: text(&answers.name),
            start_date: answers.start_date.map(|day| day.to_string()).unwrap_or_default(),
            time_zone: text(&answers.time_zone),
            source: if answers.brex.source == Some(Source::Expenses) { "expenses".to_owned() } else { String::new() },
            integration_vendor: text(&answers.brex.integration_vendor),
            tenant: text(&answers.entra.tenant),
            client_id: text(&answers.entra.client_id),
            ends: ends.map(|day| day.to_string()).unwrap_or_default(),
            environment: text(&answers.bc.environment),
            company: text(&answers.bc.company),
            brex_url: url(&answers.brex.base_url),
            entra_url: url(&answers.entra.base_url),
            bc_url: url(&answers.bc.base_url),
            ..Self::default()
        }
    }

    /// The answers that this gives; a secret that was not typed again stays as it was.
    fn into_answers(self, before: &Answers) -> Result<Answers, Refusal> {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let wrong = |what: &str| Refusal::new(Why::Config, format!("{what}: write it like the example"));
        let day = |text: &str, what: &str| given(text).map(|text| text.parse()).transpose().map_err(|_| wrong(what));
        let url = |text: &str, what: &str| given(text).map(|text| text.parse()).transpose().map_err(|_| wrong(what));
        let secret = |typed: SecretString| Some(typed).filter(|typed| !typed.expose_secret().trim().is_empty());
        let mut answers = Answers { name: given(&self.name), time_zone: given(&self.time_zone), ..Answers::default() };
        answers.start_date = day(&self.start_date, "the start date")?;
        answers.brex.source = (self.source == "expenses").then_some(Source::Expenses);
        answers.brex.integration_vendor = given(&self.integration_vendor);
        answers.brex.base_url = url(&self.brex_url, "the address of Brex")?;
        answers.brex.token = secret(self.token).or_else(|| before.brex.token.clone());
        answers.entra.tenant = given(&self.tenant);
        answers.entra.client_id = given(&self.client_id);
        answers.entra.base_url = url(&self.entra_url, "the address of Entra ID")?;
        answers.bc.environment = given(&self.environment);
        answers.bc.company = given(&self.company);
        answers.bc.base_url = url(&self.bc_url, "the address of Business Central")?;
        let ends = day(&self.ends, "the day on which the secret ends")?;
        match (secret(self.client_secret), secret(self.certificate)) {
            (None, None) => {
                answers.entra.client_secret.clone_from(&before.entra.client_secret);
                answers.entra.certificate.clone_from(&before.entra.certificate);
            }
            (client_secret, certificate) => {
                (answers.entra.client_secret, answers.entra.certificate) = (client_secret, certificate);
            }
        }
        if answers.entra.certificate.is_some() {
            answers.entra.certificate_ends = ends;
        } else {
            answers.entra.client_secret_ends = ends;
        }
        Ok(answers)
    }
}

/// The configuration's file; a connector that was started without one cannot be given another connection.
fn file_of(console: &Console) -> Result<&Path, Oops> {
    let text = "This connector runs without a configuration file, so that there is nowhere to write a connection to.";
    console.app.file.as_deref().ok_or_else(|| Oops::Unusable(text.to_owned()))
}

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
) -> Result<Response, Oops> {
    let draft = console.drafts.get(&person.name, console.app.now_ms());
    page(&console, person, draft, Shown::default())
}

/// What a page shows beside what was typed.
#[derive(Default)]
struct Shown {
    problem: Option<String>,
    environments: Vec<String>,
    companies: Vec<String>,
}

fn page(console: &Console, person: Person, draft: Draft, shown: Shown) -> Result<Response, Oops> {
    let Shown { problem, environments, companies } = shown;
    let file = file_of(console)?.display().to_string();
    let today = crate::clock::day(console.app.now_ms(), &console.app.zone()).first_of_month().to_string();
    Ok(render(&Page {
        frame: Frame::new(console, person, "connections", None).still(),
        typed: Typed::of(&draft.answers),
        has_token: draft.answers.brex.token.is_some(),
        has_secret: draft.answers.entra.is_signed(),
        environments,
        companies,
        problem,
        found: draft.found,
        file,
        today,
    }))
}

/// Asks both sides with what was typed; joins them, if they were asked before; or forgets it.
pub(super) async fn act(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
    Form(typed): Form<Typed>,
) -> Result<Response, Oops> {
    let now_ms = console.app.now_ms();
    let before = console.drafts.get(&person.name, now_ms);
    match typed.verb.as_str() {
        "check" => check(&console, person, before, typed).await,
        "join" => {
            let replace = typed.replace;
            match write(&console, &person, &before, replace).await {
                Ok(done) => {
                    console.drafts.forget(&person.name);
                    let Written { name, integration } = done;
                    let file = file_of(&console)?.display().to_string();
                    let frame = Frame::new(&console, person, "connections", None).still();
                    Ok(render(&Done { frame, name, file, integration }))
                }
                Err(why) => {
                    let problem = Some(why.sentence());
                    page(&console, person, before, Shown { problem, ..Shown::default() })
                }
            }
        }
        "forget" => {
            console.drafts.forget(&person.name);
            page(&console, person, Draft::default(), Shown::default())
        }
        other => Err(Oops::Unusable(format!("There is nothing called {other:?} to do."))),
    }
}

async fn check(console: &Console, person: Person, before: Draft, typed: Typed) -> Result<Response, Oops> {
    let path = file_of(console)?;
    let choices: Mutex<Shown> = Mutex::default();
    let pick = |key: &str, names: Vec<String>| {
        if names.len() > 1 {
            let mut shown = choices.lock().unwrap_or_else(PoisonError::into_inner);
            let place = if key == "bc.company" { &mut shown.companies } else { &mut shown.environments };
            place.clone_from(&names);
        }
        only(key, names)
    };
    let mut draft = Draft { answers: before.answers.clone(), ..Draft::default() };
    let asked = async {
        draft.answers = typed.into_answers(&before.answers)?;
        let (settings, joined) = ask(path, &draft.answers, pick).await?;
        draft.answers.bc.environment = Some(joined.environment.clone());
        draft.answers.bc.company = Some(joined.company.clone());
        Ok::<_, Refusal>(Found {
            brex: format!("{} ({})", joined.brex_company.legal_name, joined.brex_company.id),
            company: joined.bc_company.display_name().to_owned(),
            older: older::look(&joined, &settings).await.words,
            environment: joined.environment,
        })
    };
    let found = asked.await;
    let mut shown = choices.into_inner().unwrap_or_else(PoisonError::into_inner);
    match found {
        Ok(found) => draft.found = Some(found),
        Err(why) => shown.problem = Some(why.sentence()),
    }
    console.drafts.keep(&person.name, draft.clone(), console.app.now_ms());
    page(console, person, draft, shown)
}

/// Asks both sides. Which hosts may be asked is decided by the configuration's own rules.
async fn ask(
    path: &Path,
    answers: &Answers,
    pick: impl Fn(&str, Vec<String>) -> Result<String, Refusal>,
) -> Result<(ConnectionConfig, Joined), Refusal> {
    let missing = answers.missing();
    if !missing.is_empty() {
        return Err(Refusal::new(Why::Config, format!("these are missing: {}", missing.join(", "))));
    }
    if file::known(path, answers.name())?.is_some() {
        let text = format!(
            "there is a connection {:?} already: choose another name, or put new secrets in on its page Secrets",
            answers.name()
        );
        return Err(Refusal::new(Why::NotTaken, text));
    }
    let candidate = file::candidate(path, answers)?;
    let settings = file::settings(&candidate, answers.name())?.clone();
    let joined = join(&settings, answers, pick).await?;
    Ok((settings, joined))
}

struct Written {
    name: String,
    integration: String,
}

/// Writes what was found: the integration in Brex, the secrets, and the configuration, in this order; each again changes nothing.
async fn write(console: &Console, person: &Person, draft: &Draft, replace: bool) -> Result<Written, Refusal> {
    let app = &console.app;
    let Some(found) = &draft.found else {
        return Err(Refusal::new(
            Why::NotTaken,
            "both systems have to be asked first; what was typed is kept for 15 minutes",
        ));
    };
    let Some(path) = app.file.as_deref() else {
        return Err(Refusal::new(Why::Unexpected, "there is no configuration file"));
    };
    let answers = &draft.answers;
    let (settings, joined) = ask(path, answers, only).await?;
    let agree = |other: &str| {
        let text = format!(
            "in Brex, {other} is active: tick the box to save what it left there, and to put this one in its place"
        );
        if replace { Ok(true) } else { Err(Refusal::new(Why::NotTaken, text)) }
    };
    let done = integration::activate(&settings, &joined, answers.token()?, file::folder(path), agree).await?;
    seal(&app.vault(), &settings, answers, app.now_ms()).await?;
    file::write(path, answers)?;
    let note = Note {
        action: "connection_joined".to_owned(),
        subject: answers.name().to_owned(),
        before: None,
        after: None,
        detail: json!({ "brex": found.brex, "environment": found.environment, "company": found.company, "integration": done.json }),
    };
    let actor = Actor::Person(person.name.clone());
    let noted = app.store.audit().append_unleased(&ConnectionId::installation(), app.now_ms(), &actor, &[note]).await;
    noted.map_err(crate::stop::Stop::Store)?;
    Ok(Written { name: answers.name().to_owned(), integration: done.words })
}
