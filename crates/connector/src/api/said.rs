//! What people say about a transfer: it pays these documents, it does not, or the suggestion is wrong.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use domain::id::ConnectionId;
use domain::money::{Currency, Money};
use domain::transfer::{Match, minor_units, money_of};
use serde::{Deserialize, Serialize};
use store::{DocumentVerdict, TransferSaid};
use utoipa::ToSchema;

use super::Api;
use super::extract::{Body, Place};
use super::guard::Caller;
use super::problem::Problem;
use super::show::Reason;
use crate::app::Connection;
use crate::transfers::TRANSFERS;
use crate::transfers::say::{self, Named, Refused, SayError, Word};

/// Documents that a transfer pays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Together {
    /// The documents; those of the suggestion if none is named.
    #[serde(default)]
    #[schema(max_items = 100)]
    documents: Vec<NamedDocument>,
    /// Why; kept in the audit trail.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S", example = "the vendor confirmed it")]
    reason: String,
}

/// A document with the money that goes to it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NamedDocument {
    /// Its number or id.
    #[schema(min_length = 1, example = "INV-1")]
    document: String,
    /// US dollars; all that is left if there is none.
    #[schema(pattern = r"^-?\d{1,12}(\.\d{1,2})?$", example = "250.00")]
    amount: Option<String>,
}

/// What is remembered.
#[derive(Serialize, ToSchema)]
pub(super) struct TransferWord {
    /// The transfer.
    transfer: String,
    /// `match`, `unmatch` or `reject`.
    said: &'static str,
    /// The ids of the documents.
    documents: Vec<String>,
    /// Who said it.
    person: String,
    /// Why.
    reason: String,
}

const MOST: usize = 100;

/// Say that a transfer pays these documents.
///
/// The same word of the same person again changes nothing.
#[utoipa::path(post, path = "/connections/{connection}/transfers/{transfer}/match", operation_id = "match_transfer",
    tag = "transfers", request_body = Together,
    responses((status = 200, description = "Remembered.", body = TransferWord),
        (status = 409, description = "It is matched otherwise, moved no money, or does not fit.")))]
pub(super) async fn together(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Place((name, transfer)): Place<(String, String)>,
    Body(Together { documents, reason }): Body<Together>,
) -> Result<Json<TransferWord>, Problem> {
    let connection = api.connection(&name)?;
    if documents.len() > MOST {
        return Err(Problem::unusable(format!("Name at most {MOST} documents.")));
    }
    let named = documents.iter().map(read).collect::<Result<Vec<Named>, _>>()?;
    let word = word(&caller, transfer, &Reason { reason })?;
    if let Some(found) = matched_before(&api, &connection.id, &word, &named).await? {
        return Ok(remembered(word, "match", found));
    }
    begin(&api, &caller, connection, "match", &word).await?;
    let said = say::together(&api.app.store, &connection.id, &word, &named, api.app.now_ms()).await;
    end(&api, connection, "match", word, said).await
}

/// Transfers are in US dollars.
fn read(named: &NamedDocument) -> Result<Named, Problem> {
    let minor = |text: &str| minor_units(&Money::new(text.trim().parse().ok()?, Currency::usd()));
    let amount = match &named.amount {
        None => None,
        Some(text) => {
            let amount = minor(text).ok_or_else(|| Problem::unusable(format!("{text:?} is no amount.")))?;
            Some(amount)
        }
    };
    Ok(Named { document: named.document.trim().to_owned(), amount })
}

/// Take the match of a transfer apart.
///
/// Remembered: these do not belong together. The same word of the same person again changes nothing, as long as the transfer is
/// not matched anew.
#[utoipa::path(post, path = "/connections/{connection}/transfers/{transfer}/unmatch", operation_id = "unmatch_transfer",
    tag = "transfers", request_body = Reason,
    responses((status = 200, description = "Remembered.", body = TransferWord),
        (status = 409, description = "It is not matched.")))]
pub(super) async fn apart(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Place((name, transfer)): Place<(String, String)>,
    Body(reason): Body<Reason>,
) -> Result<Json<TransferWord>, Problem> {
    let connection = api.connection(&name)?;
    let word = word(&caller, transfer, &reason)?;
    let said = api.app.store.transfers().said(&connection.id).await?;
    if said.matches.iter().all(|stands| stands.found.transfer != word.transfer) {
        return match apart_before(&said, &word) {
            documents if !documents.is_empty() => Ok(remembered(word, "unmatch", documents)),
            _ => Err(unmatched(&api, &connection.id, word).await?),
        };
    }
    begin(&api, &caller, connection, "unmatch", &word).await?;
    let said = say::apart(&api.app.store, &connection.id, &word, api.app.now_ms()).await;
    end(&api, connection, "unmatch", word, said).await
}

/// Say that the suggestion for a transfer is wrong.
///
/// A match is not touched. The same word of the same person about the same suggestion again changes nothing.
#[utoipa::path(post, path = "/connections/{connection}/transfers/{transfer}/reject",
    operation_id = "reject_transfer_suggestion", tag = "transfers", request_body = Reason,
    responses((status = 200, description = "Remembered.", body = TransferWord),
        (status = 409, description = "There is no suggestion, or it is matched.")))]
pub(super) async fn reject(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Place((name, transfer)): Place<(String, String)>,
    Body(reason): Body<Reason>,
) -> Result<Json<TransferWord>, Problem> {
    let connection = api.connection(&name)?;
    let word = word(&caller, transfer, &reason)?;
    let store = &api.app.store;
    let before = apart_before(&store.transfers().said(&connection.id).await?, &word);
    let rows = store.transfers().list(&connection.id).await?;
    let suggestion = rows.into_iter().find(|row| row.id == word.transfer).and_then(|row| row.suggestion);
    let is_same = suggestion.is_none_or(|found| documents(&found) == before);
    if !before.is_empty() && is_same {
        return Ok(remembered(word, "reject", before));
    }
    begin(&api, &caller, connection, "reject", &word).await?;
    let said = say::reject(store, &connection.id, &word, api.app.now_ms()).await;
    end(&api, connection, "reject", word, said).await
}

fn word(caller: &Caller, transfer: String, reason: &Reason) -> Result<Word, Problem> {
    Ok(Word { transfer, person: caller.person(), reason: reason.text()?.to_owned() })
}

fn documents(found: &Match) -> Vec<String> {
    let mut ids: Vec<String> = found.parts.iter().map(|part| part.payable.clone()).collect();
    ids.sort();
    ids
}

/// The documents of the match that stands, if this person said the same before.
async fn matched_before(
    api: &Api,
    connection: &ConnectionId,
    word: &Word,
    named: &[Named],
) -> Result<Option<Vec<String>>, Problem> {
    let said = api.app.store.transfers().said(connection).await?;
    let is_it = |stands: &&store::MatchRow| {
        stands.found.transfer == word.transfer
            && stands.person.as_deref() == Some(word.person.as_str())
            && stands.reason.as_deref() == Some(word.reason.as_str())
    };
    let Some(stands) = said.matches.iter().find(is_it) else { return Ok(None) };
    let rows = api.app.store.transfers().documents(connection).await?;
    let has = |one: &Named| {
        let document = say::document(&rows, &one.document).ok();
        document.is_some_and(|row| {
            let is_part = |part: &&domain::transfer::Part| part.payable == row.payable.id;
            let part = stands.found.parts.iter().find(is_part);
            part.is_some_and(|part| one.amount.is_none_or(|amount| amount == part.amount))
        })
    };
    let is_same = named.is_empty() || (named.len() == stands.found.parts.len() && named.iter().all(has));
    Ok(is_same.then(|| documents(&stands.found)))
}

/// The documents that this person said, with this reason, do not belong to the transfer.
fn apart_before(said: &TransferSaid, word: &Word) -> Vec<String> {
    let is_it = |decision: &&store::DecisionRow| {
        decision.transfer == word.transfer
            && decision.verdict == DocumentVerdict::Apart
            && decision.person == word.person
            && decision.reason == word.reason
    };
    let mut ids: Vec<String> = said.decisions.iter().filter(is_it).map(|decision| decision.document.clone()).collect();
    ids.sort();
    ids.dedup();
    ids
}

/// Why there is nothing to take apart.
async fn unmatched(api: &Api, connection: &ConnectionId, word: Word) -> Result<Problem, Problem> {
    let rows = api.app.store.transfers().list(connection).await?;
    Ok(if rows.iter().any(|row| row.id == word.transfer) {
        Problem::refused(Refused::NotMatched(word.transfer))
    } else {
        problem(Refused::UnknownTransfer(word.transfer))
    })
}

/// The trail of a connection has no entry about what is nowhere.
async fn begin(
    api: &Api,
    caller: &Caller,
    connection: &Connection,
    operation: &str,
    word: &Word,
) -> Result<(), Problem> {
    let rows = api.app.store.transfers().list(&connection.id).await?;
    if rows.iter().all(|row| row.id != word.transfer) {
        return Err(problem(Refused::UnknownTransfer(word.transfer.clone())));
    }
    caller.note(api, &connection.id, operation, format!("transfer {}", word.transfer)).await
}

async fn end(
    api: &Api,
    connection: &Connection,
    operation: &'static str,
    word: Word,
    said: Result<Match, SayError>,
) -> Result<Json<TransferWord>, Problem> {
    let found = said.map_err(|error| match error {
        SayError::Refused(why) => problem(why),
        SayError::Store(error) => error.into(),
    })?;
    if connection.settings.transfers.enabled {
        api.app.store.jobs().nudge(&connection.id, TRANSFERS, api.app.now_ms()).await?;
        api.app.bell.notify_waiters();
    }
    Ok(remembered(word, operation, documents(&found)))
}

fn remembered(word: Word, said: &'static str, documents: Vec<String>) -> Json<TransferWord> {
    Json(TransferWord { transfer: word.transfer, said, documents, person: word.person, reason: word.reason })
}

fn problem(why: Refused) -> Problem {
    match why {
        Refused::UnknownTransfer(_) => Problem::not_found(format!("{why}.")),
        Refused::UnknownDocument(_) | Refused::SeveralDocuments(..) => Problem::unusable(format!("{why}.")),
        why => Problem::refused(why),
    }
}

/// US dollars with both decimals.
pub(super) fn dollars(cents: i64) -> String {
    format!("{:.2}", money_of(cents, &Currency::usd()).amount)
}
