//! Vendor proposals: new vendors that one person proposes and another approves.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use domain::id::ConnectionId;
use serde::{Deserialize, Serialize};
use store::{ProposalState, VendorProposal};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::extract::{Body, Params, Place};
use super::guard::Caller;
use super::problem::Problem;
use super::reviews::mirror;
use super::show::{Reason, etag, matches, record_id, tag, time, unknown_record};
use crate::vendors::proposal::{self, ProposalError, Refused, Wanted};
use crate::vendors::waiting;

/// Which proposals are shown.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ProposalsQuery {
    /// Also those that are over.
    #[serde(default)]
    #[param(default = false)]
    all: bool,
}

/// New vendors.
#[derive(Serialize, ToSchema)]
pub(super) struct Proposals {
    /// The proposals, by number.
    proposals: Vec<Proposal>,
}

/// A new vendor that somebody proposed.
#[derive(Serialize, ToSchema)]
#[schema(as = VendorProposal)]
pub(super) struct Proposal {
    /// Its number.
    id: i64,
    /// What `If-Match` takes.
    #[schema(example = "\"1\"")]
    etag: String,
    /// `proposed`, `approved`, `creating`, `created`, `declined` or `held`.
    state: &'static str,
    /// The merchant that it is for.
    merchant: String,
    /// The record that it was proposed for.
    record: Option<String>,
    /// The vendor's name.
    name: String,
    /// Its country, or empty.
    country: String,
    /// Its mail address, or empty.
    email: String,
    /// Why it is needed.
    reason: String,
    /// Who proposed it.
    proposed_by: String,
    /// When.
    #[schema(format = DateTime)]
    proposed: String,
    /// Who approved or declined it.
    decided_by: Option<String>,
    /// When.
    #[schema(format = DateTime)]
    decided: Option<String>,
    /// Why it was declined, or what a person has to look at.
    note: Option<String>,
    /// The number of the vendor, once it is there.
    vendor_number: Option<String>,
}

fn shown(row: VendorProposal) -> Proposal {
    Proposal {
        id: row.id,
        etag: tag(row.rev),
        state: row.state.as_str(),
        merchant: row.descriptor,
        record: row.record_id.map(|record| record.to_string()),
        name: row.name,
        country: row.country,
        email: row.email,
        reason: row.reason,
        proposed_by: row.proposed_by,
        proposed: time(row.proposed_ms),
        decided_by: row.decided_by,
        decided: row.decided_ms.map(time),
        note: row.note,
        vendor_number: row.vendor_number,
    }
}

fn answer(row: VendorProposal) -> Response {
    (etag(row.rev), Json(shown(row))).into_response()
}

/// List proposed vendors.
///
/// Those that wait or are under way; with `all` also those that are over.
#[utoipa::path(get, path = "/connections/{connection}/vendor-proposals", operation_id = "list_vendor_proposals",
    tag = "vendors", params(ProposalsQuery),
    responses((status = 200, description = "The proposals.", body = Proposals)))]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Place(name): Place<String>,
    Params(query): Params<ProposalsQuery>,
) -> Result<Json<Proposals>, Problem> {
    let rows = api.app.store.vendor_proposals().list(&api.connection(&name)?.id).await?;
    let rows = rows.into_iter().filter(|row| query.all || !row.state.is_done());
    Ok(Json(Proposals { proposals: rows.map(shown).collect() }))
}

/// A new vendor as it is wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewVendor {
    /// The record whose merchant it is for.
    record: String,
    /// Its name.
    #[schema(min_length = 1, max_length = 100, example = "Moonquake Rooms Ltd")]
    name: String,
    /// Its country code.
    #[serde(default)]
    #[schema(max_length = 10, example = "US")]
    country: String,
    /// Its mail address.
    #[serde(default)]
    #[schema(max_length = 80, example = "billing@example.com")]
    email: String,
    /// Why it is needed; kept in the audit trail.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S", example = "the hotel of the spring fair")]
    reason: String,
}

/// Propose a new vendor.
///
/// Another person has to approve it. The same proposal of the same person again changes nothing.
#[utoipa::path(post, path = "/connections/{connection}/vendor-proposals", operation_id = "propose_vendor",
    tag = "vendors", request_body = NewVendor,
    responses((status = 200, description = "Proposed.", body = Proposal, headers(("ETag" = String, description = "The version of the proposal."))),
        (status = 409, description = "There is such a vendor or proposal, or the connection does not allow it.")))]
pub(super) async fn propose(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Place(name): Place<String>,
    Body(new): Body<NewVendor>,
) -> Result<Response, Problem> {
    let (app, connection) = (&api.app, api.connection(&name)?);
    if !connection.settings.propose_vendors {
        return Err(Problem::refused("this connection does not let people propose vendors (propose_vendors)"));
    }
    let reason = Reason { reason: new.reason }.text()?.to_owned();
    let record = record_id(&new.record)?;
    let asked = waiting::asked_of(&app.store, &connection.id, &record).await?;
    let asked = asked.ok_or_else(|| unknown_record(&new.record))?;
    let wanted = Wanted {
        asked,
        record: Some(record),
        name: new.name,
        country: new.country,
        email: new.email,
        reason,
        person: caller.person(),
    };
    let directory = mirror(&api, &connection.id).await?;
    caller.note(&api, &connection.id, "propose", new.record).await?;
    match proposal::propose(&app.store, &connection.id, &directory, &wanted, app.now_ms()).await {
        Err(ProposalError::Refused(Refused::Open { id, name, state })) => {
            let row = find(&api, &connection.id, id).await?;
            if is_same(&row, &wanted) {
                return Ok(answer(row));
            }
            Err(Problem::refused(Refused::Open { id, name, state }))
        }
        said => Ok(answer(said.map_err(refused)?)),
    }
}

fn is_same(row: &VendorProposal, wanted: &Wanted) -> bool {
    let same = |stored: &str, wanted: &str| stored.eq_ignore_ascii_case(wanted.trim());
    row.proposed_by == wanted.person
        && row.record_id == wanted.record
        && same(&row.name, &wanted.name)
        && same(&row.country, &wanted.country)
        && same(&row.email, &wanted.email)
        && row.reason == wanted.reason
}

async fn find(api: &Api, connection: &ConnectionId, id: i64) -> Result<VendorProposal, Problem> {
    let rows = api.app.store.vendor_proposals().list(connection).await?;
    let found = rows.into_iter().find(|row| row.id == id);
    found.ok_or_else(|| Problem::not_found(format!("There is no proposal {id}.")))
}

fn refused(error: ProposalError) -> Problem {
    match error {
        ProposalError::Refused(Refused::Unusable(why)) => Problem::unusable(format!("{why}.")),
        ProposalError::Refused(why) => Problem::refused(why),
        ProposalError::Store(error) => error.into(),
    }
}

/// Approve a new vendor.
///
/// The worker creates it, blocked. Who proposed it may not approve it: a token counts as its user. The same approval again
/// changes nothing.
#[utoipa::path(post, path = "/connections/{connection}/vendor-proposals/{id}/approve",
    operation_id = "approve_vendor_proposal", tag = "vendors",
    params(("If-Match" = Option<String>, Header, description = "The version that was looked at.")),
    responses((status = 200, description = "Approved.", body = Proposal, headers(("ETag" = String, description = "The version of the proposal."))),
        (status = 409, description = "The same person proposed it, or it is too late."),
        (status = 412, description = "It has changed since.")))]
pub(super) async fn approve(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Place((name, id)): Place<(String, i64)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (app, connection, by) = (&api.app, &api.connection(&name)?.id, caller.user()?);
    let row = find(&api, connection, id).await?;
    let is_agreed = matches!(row.state, ProposalState::Approved | ProposalState::Creating | ProposalState::Created);
    if is_agreed && row.decided_by.as_deref() == Some(by) {
        return Ok(answer(row));
    }
    matches(&headers, row.rev)?;
    let directory = mirror(&api, connection).await?;
    caller.note(&api, connection, "approve", format!("vendor_proposal {id}")).await?;
    let said = proposal::approve(&app.store, connection, &directory, id, by, app.now_ms()).await.map_err(refused)?;
    app.bell.notify_waiters();
    Ok(answer(said))
}

/// Decline a new vendor.
///
/// The same word again changes nothing.
#[utoipa::path(post, path = "/connections/{connection}/vendor-proposals/{id}/decline",
    operation_id = "decline_vendor_proposal", tag = "vendors", request_body = Reason,
    params(("If-Match" = Option<String>, Header, description = "The version that was looked at.")),
    responses((status = 200, description = "Declined.", body = Proposal, headers(("ETag" = String, description = "The version of the proposal."))),
        (status = 409, description = "It is too late."),
        (status = 412, description = "It has changed since.")))]
pub(super) async fn decline(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Place((name, id)): Place<(String, i64)>,
    headers: HeaderMap,
    Body(reason): Body<Reason>,
) -> Result<Response, Problem> {
    let (app, connection, by) = (&api.app, &api.connection(&name)?.id, caller.user()?);
    let reason = reason.text()?;
    let row = find(&api, connection, id).await?;
    let is_same = row.decided_by.as_deref() == Some(by) && row.note.as_deref() == Some(reason);
    if row.state == ProposalState::Declined && is_same {
        return Ok(answer(row));
    }
    matches(&headers, row.rev)?;
    caller.note(&api, connection, "decline", format!("vendor_proposal {id}")).await?;
    let said = proposal::decline(&app.store, connection, id, reason, by, app.now_ms()).await.map_err(refused)?;
    app.bell.notify_waiters();
    Ok(answer(said))
}
