//! Vendors: whose vendor a person must say, with ranked reasons; proposals of new ones; and what was answered before.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Extension, Path, Query, State};
use axum::response::Response;
use domain::directory::Directory;
use domain::id::{ConnectionId, RecordId};
use serde::Deserialize;
use store::{ProposalState, VendorLink, VendorProposal, Verdict};

use super::Console;
use super::guard::Person;
use super::page::{Frame, Oops, Said, connection, done, render};
use super::show::{Item, Stamp, item, stamp};
use crate::app::Connection;
use crate::vendors::answer::{Answer, AnswerError, give, words};
use crate::vendors::judgement::{Asked, Candidate};
use crate::vendors::proposal::{self, ProposalError, Wanted};
use crate::vendors::waiting::{self, Waiting};

/// Records of the queue that are shown; the next come up as these are answered.
const SHOWN: usize = 25;
/// Newest answers that are shown.
const ANSWERS: usize = 50;

#[derive(Template)]
#[template(path = "console/vendors.html")]
struct Page {
    frame: Frame,
    queue: Vec<Asking>,
    more: usize,
    proposals: Vec<Proposal>,
    answers: Vec<Answered>,
}

/// A record that waits for its vendor.
struct Asking {
    item: Item,
    descriptor: String,
    why: String,
    candidates: Vec<Choice>,
    proposes: bool,
}

/// A vendor that may be meant.
struct Choice {
    number: String,
    name: String,
    confidence: &'static str,
    percent: i64,
    reason: String,
}

struct Proposal {
    row: VendorProposal,
    at: Stamp,
    is_open: bool,
    /// Whether the person who looks is another than the one who proposed.
    may_decide: bool,
}

struct Answered {
    at: Stamp,
    descriptor: String,
    said: &'static str,
    vendor: String,
    by: String,
}

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
    Path(name): Path<String>,
    Query(said): Query<Said>,
) -> Result<Response, Oops> {
    let connection = connection(&console, &name)?;
    let store = &console.app.store;
    let zone = &connection.rules.zone;
    let waiting = waiting::list(store, &connection.id).await?;
    let more = waiting.len().saturating_sub(SHOWN);
    let queue = waiting.into_iter().take(SHOWN).map(|one| asking(one, connection)).collect();
    let proposals = store.vendor_proposals().list(&connection.id).await?.into_iter().filter(|row| !row.state.is_done());
    let proposal = |row: VendorProposal| Proposal {
        at: stamp(row.proposed_ms, zone),
        is_open: matches!(row.state, ProposalState::Proposed | ProposalState::Held),
        may_decide: row.proposed_by != person.name,
        row,
    };
    let proposals = proposals.map(proposal).collect();
    let mut links = store.vendor_links().list(&connection.id).await?;
    links.sort_by_key(|link| std::cmp::Reverse(link.decided_ms));
    let answered = |link: &VendorLink| Answered {
        at: stamp(link.decided_ms, zone),
        descriptor: if link.descriptor.is_empty() { &link.merchant_key } else { &link.descriptor }.clone(),
        said: words(link.verdict),
        vendor: link.vendor_name.clone(),
        by: link.decided_by.clone(),
    };
    let answers = links.iter().take(ANSWERS).map(answered).collect();
    let said = match said.said.as_str() {
        "answered" => Some("Remembered. Records that wait for it go on within seconds."),
        "proposed" => Some("Proposed. Another person has to approve it."),
        "approved" => Some("Approved. The vendor is created within seconds, blocked: complete it in Business Central."),
        "declined" => Some("Declined. No vendor is created."),
        _ => None,
    };
    let frame = Frame::new(&console, person, "vendors", Some(connection)).saying(said.map(str::to_owned));
    Ok(render(&Page { frame, queue, more, proposals, answers }))
}

fn asking(waiting: Waiting, connection: &Connection) -> Asking {
    let Waiting { row, may_be_new, judged } = waiting;
    let name = row.merchant.clone().unwrap_or_default();
    let descriptor = judged.as_ref().map_or(name, |(asked, _)| asked.descriptor.clone());
    let why = judged.as_ref().map(|(_, said)| said.reason.clone());
    let why = why.or_else(|| row.hold.as_ref().map(|hold| hold.sentence.clone())).unwrap_or_default();
    let candidates = judged.into_iter().flat_map(|(_, said)| said.candidates).map(choice).collect();
    let proposes = may_be_new && connection.settings.propose_vendors;
    Asking { item: item(&row, &connection.rules.zone), descriptor, why, candidates, proposes }
}

#[expect(clippy::cast_possible_truncation, reason = "a percentage for people")]
fn choice(candidate: Candidate) -> Choice {
    Choice {
        number: candidate.number,
        name: candidate.name,
        confidence: candidate.confidence.as_str(),
        percent: (candidate.score * 100.0).round() as i64,
        reason: candidate.reason,
    }
}

#[derive(Deserialize)]
pub(super) struct Given {
    record: String,
    /// `confirm`, `reject` or `none`.
    verdict: String,
    #[serde(default)]
    vendor: String,
}

/// What a record's merchant was asked about as.
async fn asked_of(console: &Console, connection: &ConnectionId, record: &RecordId) -> Result<Asked, Oops> {
    let asked = waiting::asked_of(&console.app.store, connection, record).await?;
    asked.ok_or_else(|| Oops::NotFound(format!("The record {record} is not known here.")))
}

pub(super) async fn mirror(console: &Console, connection: &ConnectionId) -> Result<Directory, Oops> {
    let stored = crate::mirror::stored(&console.app.store, connection).await?;
    stored.ok_or_else(|| Oops::Unusable("The vendors were not read from Business Central yet.".to_owned()))
}

pub(super) async fn answer(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
    Path(name): Path<String>,
    Form(given): Form<Given>,
) -> Result<Response, Oops> {
    let id = &connection(&console, &name)?.id;
    let verdict = match given.verdict.as_str() {
        "confirm" => Verdict::Confirmed,
        "reject" => Verdict::Rejected,
        "none" => Verdict::NoneOfOurs,
        other => return Err(Oops::Unusable(format!("There is no answer {other:?}."))),
    };
    let needs_vendor = verdict != Verdict::NoneOfOurs;
    let vendor = Some(given.vendor.trim().to_owned()).filter(|vendor| needs_vendor && !vendor.is_empty());
    if needs_vendor && vendor.is_none() {
        return Err(Oops::Unusable("Say which vendor: its number in Business Central.".to_owned()));
    }
    let record = RecordId::new(given.record);
    let asked = asked_of(&console, id, &record).await?;
    let directory = mirror(&console, id).await?;
    let answer = Answer { asked, verdict, vendor, person: person.name, record: Some(record) };
    match give(&console.app.store, id, &directory, &answer, console.app.now_ms()).await {
        Ok(_) => Ok(done(&console, &name, "vendors", "answered")),
        Err(AnswerError::NotTaken(why)) => Err(Oops::Unusable(format!("{why}."))),
        Err(AnswerError::Store(error)) => Err(error.into()),
    }
}

#[derive(Deserialize)]
pub(super) struct New {
    record: String,
    vendor_name: String,
    #[serde(default)]
    country: String,
    #[serde(default)]
    email: String,
    reason: String,
}

pub(super) async fn propose(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
    Path(name): Path<String>,
    Form(new): Form<New>,
) -> Result<Response, Oops> {
    let connection = connection(&console, &name)?;
    if !connection.settings.propose_vendors {
        return Err(Oops::Unusable(
            "This connection does not let people propose vendors (propose_vendors).".to_owned(),
        ));
    }
    let record = RecordId::new(new.record);
    let wanted = Wanted {
        asked: asked_of(&console, &connection.id, &record).await?,
        record: Some(record),
        name: new.vendor_name,
        country: new.country,
        email: new.email,
        reason: new.reason,
        person: person.name,
    };
    let directory = mirror(&console, &connection.id).await?;
    let said = proposal::propose(&console.app.store, &connection.id, &directory, &wanted, console.app.now_ms()).await;
    decided(&console, &name, said, "proposed")
}

#[derive(Deserialize)]
pub(super) struct Decision {
    id: i64,
    /// `approve` or `decline`.
    verdict: String,
    #[serde(default)]
    reason: String,
}

pub(super) async fn decide(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
    Path(name): Path<String>,
    Form(decision): Form<Decision>,
) -> Result<Response, Oops> {
    let (app, id) = (&console.app, &connection(&console, &name)?.id);
    let (by, now_ms) = (&person.name, app.now_ms());
    match decision.verdict.as_str() {
        "approve" => {
            let directory = mirror(&console, id).await?;
            let said = proposal::approve(&app.store, id, &directory, decision.id, by, now_ms).await;
            decided(&console, &name, said, "approved")
        }
        "decline" => {
            let said = proposal::decline(&app.store, id, decision.id, &decision.reason, by, now_ms).await;
            decided(&console, &name, said, "declined")
        }
        other => Err(Oops::Unusable(format!("There is no decision {other:?}."))),
    }
}

fn decided(
    console: &Console,
    name: &str,
    said: Result<VendorProposal, ProposalError>,
    word: &str,
) -> Result<Response, Oops> {
    match said {
        Ok(_) => Ok(done(console, name, "vendors", word)),
        Err(ProposalError::Refused(why)) => Err(Oops::Unusable(format!("{why}."))),
        Err(ProposalError::Store(error)) => Err(error.into()),
    }
}
