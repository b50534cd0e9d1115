//! Vendor reviews: whose vendor a person must say, with ranked reasons, and what that person says.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use domain::directory::Directory;
use domain::id::{ConnectionId, RecordId};
use serde::{Deserialize, Serialize};
use store::{VendorLink, Verdict};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::extract::{Body, Params, Place};
use super::guard::Caller;
use super::problem::Problem;
use super::records::{Record, record};
use super::show::{limit, record_id, unknown_record};
use crate::app::Connection;
use crate::vendors::answer::{Answer, AnswerError, give};
use crate::vendors::answers::stored_keys;
use crate::vendors::judgement::Candidate;
use crate::vendors::waiting::{self, Waiting};

/// How many are shown.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ReviewsQuery {
    /// Rows of the answer.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<u16>,
}

/// The queue.
#[derive(Serialize, ToSchema)]
pub(super) struct Reviews {
    /// Records whose vendor a person must say, by id.
    reviews: Vec<Review>,
    /// How many more wait; they come up as these are answered.
    more: usize,
}

/// A record whose vendor a person must say.
#[derive(Serialize, ToSchema)]
pub(super) struct Review {
    /// The record.
    record: Record,
    /// The merchant as the card network names it.
    descriptor: String,
    /// Why it was not decided without a person.
    why: String,
    /// Whether a new vendor may be proposed for it.
    may_propose: bool,
    /// The vendors that may be meant, the most likely first.
    candidates: Vec<Suggestion>,
}

/// A vendor that may be meant.
#[derive(Serialize, ToSchema)]
#[schema(as = VendorSuggestion)]
pub(super) struct Suggestion {
    /// Its number in Business Central.
    number: String,
    /// Its name.
    name: String,
    /// `High`, `Medium` or `Low`.
    confidence: &'static str,
    /// Probability that it is right, from 0 to 1.
    score: f64,
    /// Which words matched, and what speaks against it.
    reason: String,
}

fn suggestion(candidate: Candidate) -> Suggestion {
    Suggestion {
        number: candidate.number,
        name: candidate.name,
        confidence: candidate.confidence.as_str(),
        score: candidate.score,
        reason: candidate.reason,
    }
}

fn review(waiting: Waiting, connection: &Connection) -> Review {
    let Waiting { row, may_be_new, judged } = waiting;
    let name = row.merchant.clone().unwrap_or_default();
    let descriptor = judged.as_ref().map_or(name, |(asked, _)| asked.descriptor.clone());
    let why = judged.as_ref().map(|(_, said)| said.reason.clone());
    Review {
        record: record(&row),
        descriptor,
        why: why.or_else(|| row.hold.as_ref().map(|hold| hold.sentence.clone())).unwrap_or_default(),
        may_propose: may_be_new && connection.settings.propose_vendors,
        candidates: judged.into_iter().flat_map(|(_, said)| said.candidates).map(suggestion).collect(),
    }
}

/// List whose vendor a person must say.
///
/// Each with what the matcher suggests and why.
#[utoipa::path(get, path = "/connections/{connection}/vendor-reviews", operation_id = "list_vendor_reviews",
    tag = "vendors", params(ReviewsQuery), responses((status = 200, description = "The queue.", body = Reviews)))]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Place(name): Place<String>,
    Params(query): Params<ReviewsQuery>,
) -> Result<Json<Reviews>, Problem> {
    let (connection, limit) = (api.connection(&name)?, limit(query.limit)?);
    let waiting = waiting::list(&api.app.store, &connection.id).await?;
    let more = waiting.len().saturating_sub(limit);
    let reviews = waiting.into_iter().take(limit).map(|one| review(one, connection)).collect();
    Ok(Json(Reviews { reviews, more }))
}

/// What a person says.
#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum VendorVerdict {
    /// It is this vendor, suggested or not.
    Confirm,
    /// It is not this vendor.
    Reject,
    /// It is none of the vendors.
    None,
}

/// An answer about the merchant of a record.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    /// What is said.
    verdict: VendorVerdict,
    /// Number or id of the vendor in Business Central, unless it is none.
    #[schema(example = "V10000")]
    vendor: Option<String>,
}

/// What is remembered.
#[derive(Serialize, ToSchema)]
pub(super) struct Remembered {
    /// The record it was asked for.
    record: String,
    /// The merchant.
    descriptor: String,
    /// What was said.
    verdict: VendorVerdict,
    /// The name of the vendor, unless it is none.
    vendor: Option<String>,
    /// Who said it.
    person: String,
}

/// Say whose vendor it is.
///
/// Remembered for the merchant; records that wait for it go on within seconds. The same answer of the same person again changes
/// nothing.
#[utoipa::path(post, path = "/connections/{connection}/vendor-reviews/{record}", operation_id = "answer_vendor_review",
    tag = "vendors", request_body = Given,
    responses((status = 200, description = "Remembered.", body = Remembered),
        (status = 409, description = "It stands against what another said by hand, or the vendor cannot be used.")))]
pub(super) async fn answer(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Place((name, text)): Place<(String, String)>,
    Body(given): Body<Given>,
) -> Result<Json<Remembered>, Problem> {
    let (app, id, record) = (&api.app, &api.connection(&name)?.id, record_id(&text)?);
    let verdict = match given.verdict {
        VendorVerdict::Confirm => Verdict::Confirmed,
        VendorVerdict::Reject => Verdict::Rejected,
        VendorVerdict::None => Verdict::NoneOfOurs,
    };
    let vendor = given.vendor.as_deref().map(str::trim).filter(|vendor| !vendor.is_empty());
    if vendor.is_some() == (verdict == Verdict::NoneOfOurs) {
        return Err(Problem::unusable("Name a vendor with confirm and reject, and none with none."));
    }
    let asked = waiting::asked_of(&app.store, id, &record).await?.ok_or_else(|| unknown_record(&text))?;
    let directory = mirror(&api, id).await?;
    let answer =
        Answer { asked, verdict, vendor: vendor.map(str::to_owned), person: caller.person(), record: Some(record) };
    let link = if let Some(link) = earlier(&api, id, &directory, &answer).await? {
        link
    } else {
        caller.note(&api, id, "answer", text.clone()).await?;
        let link = give(&app.store, id, &directory, &answer, app.now_ms()).await.map_err(not_taken)?;
        app.bell.notify_waiters();
        link
    };
    Ok(Json(Remembered {
        record: text,
        descriptor: link.descriptor,
        verdict: given.verdict,
        vendor: Some(link.vendor_name).filter(|name| !name.is_empty()),
        person: link.decided_by,
    }))
}

/// The same answer, if it is the last that was given about the merchant.
async fn earlier(
    api: &Api,
    connection: &ConnectionId,
    directory: &Directory,
    answer: &Answer,
) -> Result<Option<VendorLink>, Problem> {
    let stored = api.app.store.vendor_links().list_for(connection, &stored_keys(&answer.asked.descriptor)).await?;
    let vendor = answer.vendor.as_deref().and_then(|text| directory.vendor(text)).map(|vendor| vendor.id);
    let record: Option<&RecordId> = answer.record.as_ref();
    let is_same = |link: &VendorLink| {
        link.verdict == answer.verdict
            && link.bc_vendor_id == vendor
            && link.decided_by == answer.person
            && link.record_id.as_ref() == record
    };
    Ok(stored.into_iter().next_back().filter(is_same))
}

fn not_taken(error: AnswerError) -> Problem {
    match error {
        AnswerError::NotTaken(why) => Problem::refused(why),
        AnswerError::Store(error) => error.into(),
    }
}

/// The vendors, as they were last read.
pub(super) async fn mirror(api: &Api, connection: &ConnectionId) -> Result<Directory, Problem> {
    let stored = crate::mirror::stored(&api.app.store, connection).await?;
    stored.ok_or_else(|| Problem::refused("the vendors were not read from Business Central yet"))
}
